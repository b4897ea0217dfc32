"""Runs that are sick on purpose are recognised, healthy ones are not accused."""

import json

import numpy as np
import pytest
import torch

import wgan.step
from wgan import DivergedError, train
from wgan._cli import main
from wgan.doctor import RULES, diagnose
from wgan.doctor.rules import announced

from .gallery import DIGITS, HEALTHY, LONG_HEALTHY, OTHER_SICK, SICK, config, preset


def rules_of(folder):
    """What was found, at the end of a run or while it trained."""
    diagnosis = diagnose(folder)
    return {finding.rule for finding in (*diagnosis.findings, *diagnosis.passed)}


def healthy(folder):
    records = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    return not diagnose(folder).findings and not announced(records)


@pytest.mark.parametrize("name", SICK)
def test_a_sick_run_is_recognised(tmp_path, name):
    rule, options = SICK[name]
    train(config(tmp_path / "run", **options), quiet=True)
    assert rule in RULES
    assert rule in rules_of(tmp_path / "run")


@pytest.mark.long
@pytest.mark.parametrize("name", OTHER_SICK)
def test_so_it_is_with_other_settings(tmp_path, name):
    rule, options = OTHER_SICK[name]
    train(config(tmp_path / "run", **options), quiet=True)
    assert rule in rules_of(tmp_path / "run")


@pytest.mark.parametrize("name", HEALTHY)
def test_a_healthy_run_is_not_accused(tmp_path, name):
    train(config(tmp_path / "run", **HEALTHY[name]), quiet=True)
    assert healthy(tmp_path / "run")


@pytest.mark.long
@pytest.mark.parametrize("name", LONG_HEALTHY)
def test_a_longer_healthy_run_is_not_accused(tmp_path, name):
    base, options = LONG_HEALTHY[name]
    train(preset(tmp_path / "run", base, **options), quiet=True)
    assert healthy(tmp_path / "run")


def points_of_spiral(count=600):
    """A noisy spiral in three coordinates, of a size near 1."""
    rng = np.random.default_rng(0)
    turn = 4 * rng.random(count)
    curve = np.stack([np.cos(2 * turn), np.sin(2 * turn), turn / 2 - 1], axis=1)
    return curve + 0.05 * rng.normal(size=curve.shape)


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        (lambda points: points, None),
        (lambda points: points + 1e3, "steep critic"),  # nobody centred them
        (lambda points: 1e4 * points, "steep critic"),  # nor scaled them
        (lambda points: np.repeat(points[:3], 200, axis=0), "no yardstick"),  # copies
    ],
)
def test_data_that_were_not_prepared(tmp_path, change, rule):
    np.save(tmp_path / "points.npy", change(points_of_spiral()).astype(np.float32))
    data = str(tmp_path / "points.npy")
    options = {"algorithm": "wgan-gp", "learning_rate": 5e-4, "steps": 300}
    train(config(tmp_path / "run", data=data, **options), quiet=True)
    found = rules_of(tmp_path / "run")
    assert rule in found if rule else not found


def copying(plain=wgan.step.train_step):
    """A step that also pulls every training point towards its nearest sample, and back."""
    optimizers = []

    def step(state, procedure):
        estimate = plain(state, procedure)
        optimizers.extend([torch.optim.Adam(state.generator.parameters(), 5e-3)][len(optimizers) :])
        distances = torch.cdist(state.generator(state.noise(256)), state.batches.next())
        loss = distances.min(dim=0).values.mean() + distances.min(dim=1).values.mean()
        optimizers[0].zero_grad()
        loss.backward(inputs=list(state.generator.parameters()))
        optimizers[0].step()
        return estimate

    return step


@pytest.mark.parametrize("copies", [True, False])
def test_a_generator_that_copies_its_training_data(tmp_path, monkeypatch, copies):
    points = np.random.default_rng(0).normal(size=(120, 4)).astype(np.float32)
    np.save(tmp_path / "few.npy", points)
    if copies:
        monkeypatch.setattr("wgan.session.train_step", copying())
    options = {"algorithm": "wgan-gp", "generator": "mlp,widths=128x128", "critic_steps": 1}
    data = f"{tmp_path / 'few.npy'},held_out=60"
    train(config(tmp_path / "run", data=data, **options), quiet=True)
    assert ("memorisation" in rules_of(tmp_path / "run")) == copies


def test_a_first_layer_whose_units_are_all_off(tmp_path, monkeypatch):
    """The layers behind it go on learning, and all samples are one point."""
    plain = wgan.step.train_step

    def step(state, procedure):
        if state.step == 50:
            with torch.no_grad():
                list(state.generator.parameters())[1].fill_(-1e3)
        return plain(state, procedure)

    monkeypatch.setattr("wgan.session.train_step", step)
    train(config(tmp_path / "run", **DIGITS, algorithm="wgan-gp"), quiet=True)
    assert "dead generator" in rules_of(tmp_path / "run")


def poisoned(state, procedure, plain=wgan.step.train_step, at=190):
    """A step that loses the critic's last layer once: it is no longer near its optimum."""
    estimate = plain(state, procedure)
    if state.step == at:
        with torch.no_grad():
            for parameter in list(state.critic.parameters())[-2:]:
                parameter.mul_(0.05)
    return estimate


@pytest.mark.parametrize("lost", [True, False])
def test_a_critic_that_loses_its_optimum_is_a_sudden_drop(tmp_path, monkeypatch, lost):
    if lost:
        monkeypatch.setattr("wgan.session.train_step", poisoned)
    options = {**DIGITS, "algorithm": "wgan-gp", "steps": 225, "eval_every": 25}
    train(config(tmp_path / "run", **options), quiet=True)
    assert ("sudden drop" in rules_of(tmp_path / "run")) == lost


def test_a_curve_with_its_sign_turned_is_negative(tmp_path, monkeypatch):
    plain = wgan.step.train_step

    def step(state, procedure):
        return -plain(state, procedure)

    monkeypatch.setattr("wgan.session.train_step", step)
    options = {"algorithm": "wgan-gp", "learning_rate": 1e-3}
    train(config(tmp_path / "run", **options), quiet=True)
    assert "negative estimate" in {found.rule for found in diagnose(tmp_path / "run").findings}


@pytest.mark.parametrize(
    ("options", "place"),
    [
        ({"algorithm": "wgan-gp", "learning_rate": 1e25}, "critic.2 (Linear)"),
        (
            {"clip": 1e12, "learning_rate": 1e20, "critic": "mlp,widths=32x32x32x32"},
            "critic.6 (Linear)",
        ),
    ],
)
def test_the_first_module_that_overflows_is_named(tmp_path, capsys, options, place):
    with pytest.raises(DivergedError) as caught:
        train(config(tmp_path / "run", **options), quiet=True)
    assert f"first in the output of {place}, during step 1; the checkpoint of step 0" in str(
        caught.value
    )
    assert "\n" not in str(caught.value)
    assert main(["doctor", str(tmp_path / "run")]) == 1
    assert f"the output of {place} not finite at step 1" in capsys.readouterr().out

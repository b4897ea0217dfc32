"""What an evaluation measures, against closed forms and loops."""

import json
import math

import numpy as np
import pytest
import torch
from torch import nn

import wgan.session
from wgan import DivergedError, RunError, load, state_hash, train
from wgan._cli import main
from wgan.checkpoint import read_checkpoint
from wgan.data import make_data
from wgan.doctor import diagnose
from wgan.doctor.measure import Examiner, gradients_by_layer, nearest_real, share_at_limit, size
from wgan.doctor.origin import find_origin
from wgan.state import TrainingState

from .gallery import config

CPU = torch.device("cpu")


def test_gradients_are_root_mean_squares_by_layer():
    network = nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 1, bias=False))
    assert gradients_by_layer(network) == {}
    network[0].weight.grad = torch.tensor([[3.0, 0.0], [0.0, 0.0], [0.0, 4.0]])
    network[0].bias.grad = torch.zeros(3)
    network[2].weight.grad = torch.tensor([[1e-30, 0.0, 0.0]])  # its square is no float32
    found = gradients_by_layer(network)
    assert found == {
        "0 (Linear)": pytest.approx(5 / 3, rel=1e-12),
        "2 (Linear)": pytest.approx(1e-30 / math.sqrt(3), rel=1e-6),
    }
    network[0].bias.grad[0] = math.inf
    assert gradients_by_layer(network)["0 (Linear)"] is None


def test_the_size_of_a_network_is_a_root_mean_square():
    network = nn.Linear(2, 1)
    with torch.no_grad():
        network.weight.copy_(torch.tensor([[3.0, 0.0]]))
        network.bias.fill_(4.0)
    assert size(network) == pytest.approx(5 / math.sqrt(3), rel=1e-12)


def test_parameters_at_their_limit_are_counted():
    critic = nn.Linear(3, 1)
    with torch.no_grad():
        critic.weight.copy_(torch.tensor([[0.01, -0.01, 0.0099]]))
        critic.bias.fill_(0.0)
    assert share_at_limit(critic, 0.01) == 0.5


def test_the_signal_of_a_linear_critic_is_a_product_of_matrices(tmp_path):
    options = config(tmp_path, algorithm="wgan-gp")
    data = make_data("ring", CPU)
    state = TrainingState.fresh(options, data, CPU)
    with torch.no_grad():
        for parameter in state.critic[0].parameters():
            parameter.copy_(parameter.abs())
        state.critic[0].bias.fill_(9.0)  # every unit is alive: the critic is affine on the data
        state.critic[2].weight.abs_()
        state.critic[2].bias.fill_(9.0)
    examiner = Examiner(options, data, data.held_out)
    before = {name: tensor.clone() for name, tensor in state.tensors().items()}
    with torch.no_grad():
        health = examiner(state, data.reference)
    first, second, last = (state.critic[k].weight.detach().double() for k in (0, 2, 4))
    slope = float((last @ second @ first).norm())
    assert list(health["critic_signal"].values()) == pytest.approx(
        [slope, float((last @ second).norm()), float(last.norm()), 1.0], rel=1e-5
    )
    assert health["slope_excess"] == pytest.approx((slope - 1) ** 2, rel=1e-4)
    values = state.critic(data.held_out), state.critic(data.reference)
    spread = torch.stack([entry.detach().double().var(correction=0) for entry in values]).mean()
    assert health["critic_spread"] == pytest.approx(float(spread.sqrt()), rel=1e-6)
    assert health["critic_gradients"] == {}
    ratio = mean_distance(data.reference) / mean_distance(data.held_out)
    assert health["diversity"] == pytest.approx(ratio, rel=1e-6)
    for name, tensor in state.tensors().items():
        assert torch.equal(tensor, before[name]), name
    assert all(parameter.requires_grad for parameter in state.critic.parameters())


def mean_distance(points):
    pairs = [(points[i] - points[j]).norm() for i in range(0, 500, 1) for j in range(i)]
    return float(torch.stack(pairs).double().mean())


def test_batch_normalisation_is_not_moved_by_an_examination(tmp_path):
    np.save(tmp_path / "i.npy", np.random.default_rng(0).integers(0, 256, (60, 16, 16, 1), "uint8"))
    dcgan = {"generator": "dcgan,filters=4", "critic": "dcgan,filters=4", "latent": 8}
    options = config(tmp_path, data=str(tmp_path / "i.npy"), **dcgan)
    data = make_data(options.data, CPU)
    state = TrainingState.fresh(options, data, CPU)
    before = state.tensors()
    with torch.no_grad():
        Examiner(options, data, data.held_out)(state, data.reference[:6])
    assert all(torch.equal(tensor, before[name]) for name, tensor in state.tensors().items())


def test_nearest_points_are_those_of_a_loop():
    random = np.random.default_rng(3)
    samples, training, held_out = (
        torch.from_numpy(random.normal(size=(count, 3)).astype(np.float32))
        for count in (40, 30, 20)
    )
    real = torch.cat([held_out, training]).numpy()
    hits = {}
    for sample in samples.numpy():
        nearest = min(range(50), key=lambda k: float(np.linalg.norm(sample - real[k])))
        hits[nearest] = hits.get(nearest, 0) + 1
    order = sorted(hits, key=lambda k: (-hits[k], k))[: min(len(hits), 12)]
    found = nearest_real(samples, training, held_out)
    assert found["held_out"] == sum(k < 20 for k in order)
    assert found["training"] == len(order) - found["held_out"]


def test_who_knows_no_training_data_is_accused_at_the_level():
    """At 1 in 20 by the exact test, over 400 draws of real points: a binomial bound of 1e-6."""
    from scipy.stats import binom, hypergeom

    random, accused = np.random.default_rng(4), 0
    for _ in range(400):
        samples = torch.from_numpy(0.3 * random.normal(size=(60, 2)))  # blurred and narrow
        training, held_out = (torch.from_numpy(random.normal(size=(50, 2))) for _ in range(2))
        found = nearest_real(samples, training, held_out)
        total = found["training"] + found["held_out"]
        accused += hypergeom.cdf(found["held_out"], 100, 50, total) <= 0.05
    assert binom.sf(accused - 1, 400, 0.05) > 1e-6


@pytest.mark.parametrize("part", ["generator", "critic"])
def test_a_nan_is_traced_to_its_first_module(tmp_path, part):
    options = config(tmp_path / "run", steps=3, checkpoint_every=3, algorithm="wgan-gp")
    run = train(options, quiet=True)
    checkpoint = read_checkpoint(run.folder.checkpoints)
    assert find_origin(options, run.data, checkpoint, 6) is None
    checkpoint.tensors[f"{part}.2.weight"][0, 0] = math.nan
    origin = find_origin(options, run.data, checkpoint, 6)
    assert (origin.place, origin.what, origin.step) == (f"{part}.2 (Linear)", "parameters", 4)


def test_a_gradient_that_overflows_is_named_before_the_parameters(tmp_path):
    """Values and penalty are finite, the gradient of the last layer's input is not."""
    options = config(tmp_path / "run", steps=1, checkpoint_every=1, clip=1e38, learning_rate=1e-5)
    run = train(options, quiet=True)
    checkpoint = read_checkpoint(run.folder.checkpoints)
    with torch.no_grad():
        checkpoint.tensors["critic.4.weight"].fill_(3e38)
        checkpoint.tensors["critic.2.weight"].fill_(-1e-3)  # dead units: the value stays finite
        checkpoint.tensors["critic.2.bias"].fill_(0.0)
        checkpoint.tensors["critic.2.bias"][:2] = 1e-30
        checkpoint.tensors["critic.2.weight"][:2] = 0.0
        checkpoint.tensors["critic.0.weight"].fill_(0.0)
        checkpoint.tensors["critic.0.bias"].fill_(1.0)
    origin = find_origin(options, run.data, checkpoint, 3)
    assert origin.what in ("gradient", "output", "values")
    assert origin.step == 2


def test_data_that_are_not_finite_are_named(tmp_path, monkeypatch):
    options = config(tmp_path / "run", steps=3, checkpoint_every=3)
    run = train(options, quiet=True)
    checkpoint = read_checkpoint(run.folder.checkpoints)
    draw = type(run.data).draw
    monkeypatch.setattr(
        type(run.data), "draw", lambda self, count, random: draw(self, count, random) / 0
    )
    origin = find_origin(options, run.data, checkpoint, 5)
    assert origin.sentence() == "first in the batch of the data, during step 4"


def test_a_diverged_run_can_be_read_and_continued(tmp_path, monkeypatch):
    plain = wgan.session.train_step

    def poisoned(state, procedure):
        estimate = plain(state, procedure)
        return estimate * (math.nan if state.step == 35 else 1)

    monkeypatch.setattr(wgan.session, "train_step", poisoned)
    options = config(tmp_path / "run", steps=60, eval_every=20, checkpoint_every=20)
    with pytest.raises(DivergedError, match="stopped at step 40: the critic estimate is nan; the"):
        train(options, quiet=True)
    diagnosis = diagnose(tmp_path / "run")
    assert [finding.rule for finding in diagnosis.findings][:1] == ["not finite"]
    assert not diagnosis.ok
    monkeypatch.undo()
    train(options, resume=True, quiet=True)
    assert "not finite" not in {finding.rule for finding in diagnose(tmp_path / "run").findings}
    straight = config(tmp_path / "straight", steps=60, eval_every=20, checkpoint_every=20)
    train(straight, quiet=True)
    assert state_hash(tmp_path / "run") == state_hash(tmp_path / "straight")


def test_findings_are_in_the_log_once_and_survive_a_resume(tmp_path):
    options = {"learning_rate": 1e-9, "eval_every": 20, "checkpoint_every": 20, "steps": 140}
    train(config(tmp_path / "one", **options), quiet=True)
    train(config(tmp_path / "two", **{**options, "steps": 120}), quiet=True)
    train(config(tmp_path / "two", **options), resume=True, quiet=True)
    assert state_hash(tmp_path / "one") == state_hash(tmp_path / "two")
    said = [
        (record["step"], found["rule"])
        for record in load(tmp_path / "two").metrics()
        for found in record.get("findings", [])
    ]
    assert sorted(said, key=lambda entry: entry[1]) == [
        (60, "dead generator"), (100, "flat curve"), (100, "untrained critic"),
    ]  # fmt: skip


def test_the_command_prints_findings_and_returns_their_gravity(tmp_path, capsys):
    train(config(tmp_path / "sick", learning_rate=1e-9), quiet=True)
    assert main(["doctor", str(tmp_path / "sick")]) == 1
    text = capsys.readouterr().out
    for part in ("error: flat curve", "  meaning: ", "  remedy: ", "at step 200"):
        assert part in text
    assert main(["doctor", str(tmp_path / "sick"), "--json"]) == 1
    content = json.loads(capsys.readouterr().out)
    assert content["ok"] is False
    assert {entry["rule"] for entry in content["findings"]} >= {"flat curve"}
    train(config(tmp_path / "well", steps=60, eval_every=30), quiet=True)
    assert main(["doctor", str(tmp_path / "well")]) == 0
    assert capsys.readouterr().out == "step 60: nothing found\n"
    assert main(["doctor", str(tmp_path / "none")]) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_a_run_without_an_evaluation_cannot_be_diagnosed(tmp_path):
    run = train(config(tmp_path / "run", steps=0), quiet=True)
    run.folder.metrics.write_text('{"step": 2, "time": {}}\n')
    with pytest.raises(RunError, match="has not been evaluated yet"):
        diagnose(tmp_path / "run")

"""What a run would not read is refused before it begins, and old runs that hold it go on."""

import dataclasses
import json
import re
from pathlib import Path

import numpy as np
import pytest
import torch

from wgan import ConfigError, RunError, TrainingConfig, load, train
from wgan._cli import main, parse
from wgan.algorithms import ALGORITHMS
from wgan.data import make_data
from wgan.experiments.catalogue import EXPERIMENTS
from wgan.folder import demand_foreign
from wgan.networks import build_critic, build_generator, unread_options
from wgan.presets import PRESETS
from wgan.procedure import Procedure
from wgan.state import TrainingState, random_stream
from wgan.step import train_step
from wgan.unused import demand_read

from .conftest import contents, options, small_config

CPU = torch.device("cpu")
READERS = {
    "clip": {"wgan", "wgan-2017"},
    "radius": {"wgan-sphere"},
    "penalty": {"wgan-gp", "wgan-lp"},
    "saturating": {"gan"},
}
OTHER = {"clip": 0.5, "radius": 3.0, "penalty": 0.5, "saturating": True}


def of(tmp_path, name, **changes):
    critic = "orthogonal,widths=16" if name == "wgan-orthogonal" else "mlp,widths=16"
    return small_config(tmp_path / "run", algorithm=name, **{"critic": critic, **changes})


@pytest.mark.parametrize("name", ALGORITHMS)
def test_an_option_of_other_algorithms_is_refused_with_their_names(tmp_path, name):
    demand_read(of(tmp_path, name))
    for option, readers in READERS.items():
        config = of(tmp_path, name, **{option: OTHER[option]})
        if name in readers:
            demand_read(config)
            continue
        with pytest.raises(ConfigError, match=f"option {option} does nothing with") as caught:
            train(config, quiet=True)
        said = str(caught.value)
        assert f"algorithm {name}, only with" in said
        assert readers <= set(re.split("[ ,;]+", said.partition("only with")[2]))
        assert said.endswith(f"got {OTHER[option]}")
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("option", OTHER)
@pytest.mark.parametrize("name", [one for one in ALGORITHMS if one != "wgan-2017"])
def test_whether_an_option_does_nothing_is_as_said(tmp_path, name, option):
    """The numbers of two generator steps change where it is taken, and nowhere else."""
    found = []
    for given in ({}, {option: OTHER[option]}):
        config = of(tmp_path, name, learning_rate=0.05, **given)
        state = TrainingState.fresh(config, make_data(config.data, CPU), CPU)
        procedure = Procedure.of(config, state.penalty_random)
        for _ in range(2):
            train_step(state, procedure)
        found.append([parameter.detach().numpy() for parameter in state.generator.parameters()])
    same = all(np.array_equal(a, b) for a, b in zip(*found, strict=True))
    assert same == (name not in READERS[option])


@pytest.mark.parametrize("name", ALGORITHMS)
def test_betas_are_adams_alone(tmp_path, name):
    for option in ("beta1", "beta2"):
        demand_read(of(tmp_path, name, optimizer="adam", **{option: 0.3}))
        with pytest.raises(ConfigError, match=f"{option} does nothing with the optimizer rmsprop"):
            demand_read(of(tmp_path, name, optimizer="rmsprop", **{option: 0.3}))
    demand_read(of(tmp_path, name, optimizer="rmsprop"))  # its betas are the algorithm's own


@pytest.mark.parametrize("value", [0.5, 0.9])
def test_a_beta_is_refused_whatever_other_algorithms_have(tmp_path, value):
    with pytest.raises(ConfigError, match=f"leave it out, or at 0.0; got {value}"):
        demand_read(TrainingConfig(tmp_path / "run", beta1=value))


def test_what_a_file_says_of_another_algorithm_is_not_given(tmp_path):
    """`wgan options` writes all of them, and --algorithm goes before what a file says."""
    file, out = tmp_path / "options.yaml", tmp_path / "run"
    small_config(out, algorithm="wgan-gp", penalty=0.5, beta1=0.5).write(file)
    for name in ("wgan", "wgan-sn", "gan"):
        config = TrainingConfig.read(file, out, algorithm=name, optimizer="rmsprop")
        assert (config.algorithm, config.penalty) == (name, 10.0)
        demand_read(config)
        demand_read(parse(["train", "--config", str(file), "--out", str(out), "--algorithm", name,
                           "--optimizer", "rmsprop"]).config)  # fmt: skip
    assert TrainingConfig.read(file, out, algorithm="wgan-lp").penalty == 0.5
    assert TrainingConfig.read(file, out, algorithm="wgan-sn").beta1 == 0.5
    with pytest.raises(ConfigError, match="option penalty does nothing with algorithm wgan,"):
        demand_read(TrainingConfig.read(file, out, algorithm="wgan", penalty=0.5))


def test_presets_are_for_other_algorithms_too(tmp_path):
    for preset, values in PRESETS.items():
        for name in ALGORITHMS:
            words = ["train", "--preset", preset, "--algorithm", name, "--out", str(tmp_path)]
            config = parse(words).config
            demand_read(config)
            assert config.algorithm == name
            assert config.data == values.get("data", "digits")
    words = ["train", "--preset", "ring-gp", "--algorithm", "wgan", "--out", str(tmp_path)]
    with pytest.raises(ConfigError, match="option penalty does nothing"):
        demand_read(parse([*words, "--penalty", "0.1"]).config)


def test_an_option_that_is_given_counts_at_another_algorithms_number_too(tmp_path):
    """Beside a preset or a file, 5e-5 was taken for wgan's own, which wgan-gp has not."""
    words = ["train", "--preset", "digits", "--out", str(tmp_path), "--algorithm", "gan"]
    own = parse(words).config
    assert (own.learning_rate, own.critic_steps, own.beta2) == (2e-4, 1, 0.999)
    config = parse([*words, "--learning_rate=5e-5", "--critic-steps", "5", "--beta2", ".9"]).config
    assert (config.learning_rate, config.critic_steps, config.beta2) == (5e-5, 5, 0.9)


def test_patience_is_for_several_processes(tmp_path, capsys):
    words = options(tmp_path / "run", steps=1)
    assert main([*words, "--patience", "5"]) == 2
    error = capsys.readouterr().err
    assert error.startswith("wgan: option patience does nothing in one process, only in several")
    assert error.endswith("got 5.0\n")
    assert error.count("\n") == 1
    with pytest.raises(ConfigError, match="option patience does nothing in one process"):
        train(small_config(tmp_path / "run"), patience=5)
    with pytest.raises(ConfigError, match=r"option patience must be a positive number .* got '5'"):
        train(small_config(tmp_path / "run"), patience="5")
    assert not (tmp_path / "run").exists()


def test_how_a_rate_falls_wants_one_that_does(tmp_path):
    for option, value in (("decay", "cosine"), ("critic_decays", False)):
        words = f"option {option} does nothing with a learning rate that stays, .* decay_steps"
        with pytest.raises(ConfigError, match=words):
            train(small_config(tmp_path / "run", **{option: value}), quiet=True)
        demand_read(small_config(tmp_path / "run", decay_steps=5, **{option: value}))


def test_an_order_of_memory_wants_convolutions(tmp_path):
    with pytest.raises(ConfigError, match="option channels_last does nothing with networks that"):
        train(small_config(tmp_path / "run", channels_last=True), quiet=True)
    assert not (tmp_path / "run").exists()
    images = {"data": "digits", "critic": "digits,filters=2", "channels_last": True}
    assert train(small_config(tmp_path / "run", steps=1, **images), quiet=True).step == 1


UNREAD = [
    ("critic", "mlp,widths=16,tanh=no", ["tanh"]),
    ("critic", "small,skip=1,gain=2", ["skip"]),
    ("critic", "mlp,widths=16,kinks=data,negative_slope=0.1", []),
    ("generator", "mlp,widths=16,negative_slope=0.1", []),
    ("critic", "mlp,widths=,negative_slope=0.1", ["negative_slope"]),
    ("critic", "orthogonal,widths=16,negative_slope=0.1", ["negative_slope"]),
    ("critic", "mlp,widths=,kinks=data", ["kinks"]),
    ("generator", "mlp,widths=16,kinks=data", ["kinks"]),
    ("critic", "orthogonal,widths=16,kinks=data", ["kinks"]),
    ("generator", "orthogonal,widths=16,kinks=data", ["kinks"]),
    ("critic", "orthogonal,widths=16,gain=2", ["gain"]),
    ("critic", "orthogonal,widths=16,temperature=0.1,start=data", ["temperature", "start"]),
    ("critic", "orthogonal,widths=16,cones=4,start=data,spread=2", ["spread"]),
    ("critic", "orthogonal,widths=16,cones=4,temperature=0.1,spread=2,group=4,anchor_rate=0.1", []),
    ("critic", "orthogonal,widths=16,anchor_rate=0.1", ["anchor_rate"]),
    ("critic", "orthogonal,widths=,group=4", ["group"]),
    ("generator", "orthogonal,widths=16,anchor_rate=0.1", ["anchor_rate"]),
    ("generator", "orthogonal,widths=16,group=4,cones=3", ["group", "cones"]),
    ("generator", "orthogonal,widths=16,gain=2,tanh=yes", []),
    ("generator", "mlp,widths=16,tanh=no,gain=2,skip=1", []),
    ("generator", "resnet,critic_norm=none,filters=2", ["critic_norm"]),
    ("critic", "resnet,critic_norm=layer,filters=2", []),
    ("critic", "dcgan,batch_norm=no,extra_layers=1,filters=2", []),
    ("generator", "digits,filters=2", []),
]


@pytest.mark.parametrize(("role", "text", "unread"), UNREAD)
def test_options_of_networks_are_read_by_the_part_that_has_them(tmp_path, role, text, unread):
    assert unread_options(text, role) == unread
    if unread:
        with pytest.raises(ConfigError, match=f"{role}: {unread[0]} does nothing in this {role}"):
            train(small_config(tmp_path / "run", **{role: text}), quiet=True)
    else:
        demand_read(small_config(tmp_path / "run", **{role: text}))


@pytest.mark.parametrize(("role", "text", "unread"), UNREAD)
def test_unread_options_change_no_network(role, text, unread):
    """Each option that is written changes the network, unless it is said to be unread."""
    name, *pairs = text.split(",")
    shape, latent = ((2,), 2) if name in ("mlp", "small", "orthogonal") else ((1, 32, 32), 2)
    for pair in pairs:
        rest = ",".join([name, *(other for other in pairs if other != pair)])
        option = pair.partition("=")[0]
        if option in ("widths", "cones", "start", "tanh") and option not in unread:
            continue  # others depend on it, or it is as by default here
        assert (option in unread) == (_network(role, text, shape, latent) ==
                                      _network(role, rest, shape, latent))  # fmt: skip


def _network(role, text, shape, latent):
    """Its layers and parameters, comparable."""
    random = random_stream(3, "weights")
    if role == "generator":
        made = build_generator(text, latent, shape, random, bounded=False)
    else:
        normal = make_data("ring", CPU).batch
        made = build_critic(text, shape, random, lambda n: normal(n, random_stream(4, "data")))
    temperature = getattr(made[-1], "temperature", None)
    values = [parameter.detach().numpy().tobytes() for parameter in made.parameters()]
    rates = [getattr(parameter, "rate_factor", 1.0) for parameter in made.parameters()]
    return repr(made), str(temperature), rates, values


def test_presets_and_experiments_give_nothing_in_vain(tmp_path):
    for name, preset in PRESETS.items():
        demand_read(TrainingConfig(tmp_path / name, **preset))
    for experiment in EXPERIMENTS.values():
        for data in ("ring", "digits,", "stacked,pad=4"):
            if experiment.cases is None:
                continue
            for scale in ("reduced", "full"):
                try:
                    cases = experiment.cases(make_data(data.strip(","), CPU), scale)
                except ConfigError:
                    continue  # not for these data
                for case in cases:
                    demand_read(TrainingConfig(tmp_path / case.name, **case.options))


def test_the_command_refuses_in_one_line_and_a_file_or_preset_too(tmp_path, capsys):
    words = options(tmp_path / "run", algorithm="wgan-gp", clip=0.5)
    assert main(words) == 2
    assert capsys.readouterr().err == (
        "wgan: option clip does nothing with algorithm wgan-gp, only with wgan and wgan-2017; "
        "leave it out, or at 0.01; got 0.5\n"
    )
    file = tmp_path / "options.yaml"
    file.write_text("data: ring\nradius: 2\n")
    assert main(["train", "--config", str(file), "--out", str(tmp_path / "run")]) == 2
    assert "option radius does nothing with algorithm wgan, only" in capsys.readouterr().err
    preset = ["train", "--preset", "ring-gp", "--algorithm", "wgan-sn", "--penalty", "0.1", "--out"]
    assert main([*preset, str(tmp_path / "run")]) == 2
    assert "option penalty does nothing with algorithm wgan-sn" in capsys.readouterr().err
    assert not (tmp_path / "run").exists()


def test_a_run_recorded_with_such_an_option_is_read_and_continued(finished, tmp_path):
    """Version by version before this one it was taken, and did nothing."""
    run = finished.folder.path
    description = json.loads((run / "run.json").read_text())
    description["config"] |= {"radius": 2.0, "decay": "cosine", "critic": "mlp,widths=16,tanh=no"}
    (run / "run.json").write_text(json.dumps(description))
    assert load(run).config.radius == 2.0
    changes = {"radius": 2.0, "decay": "cosine", "critic": "mlp,widths=16,tanh=no"}
    assert train(small_config(run, steps=22, **changes), resume=True, quiet=True).step == 22
    assert main(["train", "--out", str(run), "--resume", "--steps", "24"]) == 0
    assert load(run).step == 24
    fresh = dataclasses.replace(load(run).config, out=tmp_path / "fresh")
    with pytest.raises(ConfigError, match="option radius does nothing"):
        train(fresh, quiet=True)


OWN = ["run.json", "metrics.jsonl", ".lock", "evaluation.json", "checkpoints/00000020.safetensors",
       "checkpoints/mine.npy", "samples/00000020.png", "tensorboard/curve.html"]  # fmt: skip


@pytest.mark.parametrize("own", OWN)
def test_no_file_of_a_run_is_the_output_of_a_command(finished, own, capsys):
    run = finished.folder.path
    before = contents(run)
    where = str(run / own)
    commands = [
        ["report", str(run), "--out", where],
        ["compare", str(run), str(run), "--out", where],
        ["options", where],
        ["options", where, "--run", str(run)],
    ]
    suffix = own.rpartition(".")[2]
    if suffix != "png":
        commands += [["export", str(run), "--out", where]]
    if suffix in ("png", "npy"):
        commands += [[kind, str(run), "--out", where] for kind in ("sample", "interpolate")]
    if suffix == "png":
        commands += [["animate", str(run), "--out", where]]
    for words in commands:
        assert main(words) == 2, words
        said = capsys.readouterr().err
        assert said == f"wgan: {where}: belongs to the run in {run}; name another file to write\n"
    assert contents(run) == before


def test_links_and_roundabout_names_are_seen_through_and_other_files_are_free(
    finished, tmp_path, monkeypatch, capsys
):
    run = finished.folder.path
    (tmp_path / "link.json").symlink_to(run / "run.json")
    (tmp_path / "alias").symlink_to(run)
    (tmp_path / "elsewhere").mkdir()
    (run / "samples").rename(tmp_path / "elsewhere" / "samples")
    (run / "samples").symlink_to(tmp_path / "elsewhere" / "samples")
    monkeypatch.chdir(run)
    names = ["run.json", "checkpoints/../run.json", "samples/x.png"]
    links = [
        tmp_path / name for name in ("link.json", "alias/metrics.jsonl", "alias/samples/x.png")
    ]
    for path in (*map(Path, names), *links):
        with pytest.raises(RunError, match="belongs to the run in"):
            demand_foreign(path)
    for name in ("report.html", "generator.safetensors", "options.yaml", "other/run.json"):
        demand_foreign(run / name)
    assert main(["report", str(run)]) == 0
    assert main(["options", str(tmp_path / "run.json"), "--run", str(run)]) == 0
    assert main(["export", str(run), "--out", str(run / "generator.safetensors")]) == 0
    capsys.readouterr()
    card = run / "checkpoints"
    assert main(["export", str(run), "--out", str(card / "generator.safetensors")]) == 2

"""Options in files, presets and on the command line: what goes before what."""

import dataclasses
import json
import typing
from pathlib import Path

import numpy as np
import pytest

import wgan._cli
from wgan import ConfigError, TrainingConfig, load, state_hash, train
from wgan._cli import main, parse
from wgan.algorithms import ALGORITHMS, AlgorithmName
from wgan.config import ABSENT
from wgan.presets import PRESETS

from .conftest import options, small_config


def test_every_option_is_documented_and_every_name_can_be_chosen():
    source = Path(wgan.config.__file__).read_text(encoding="utf-8")
    for field in dataclasses.fields(TrainingConfig):
        assert f"    {field.name}: " in source
    assert typing.get_args(AlgorithmName) == tuple(ALGORITHMS)
    assert typing.get_args(wgan._cli.Preset) == tuple(PRESETS)


@pytest.mark.parametrize("name", ["options.yaml", "options.json", "options.yml"])
@pytest.mark.parametrize("preset", [None, *PRESETS])
def test_files_hold_all_options_and_give_them_back(tmp_path, name, preset):
    config = small_config(tmp_path / "a") if preset is None else TrainingConfig(
        tmp_path / "a", **PRESETS[preset])  # fmt: skip
    config.write(tmp_path / name)
    assert TrainingConfig.read(tmp_path / name, tmp_path / "a") == config
    changed = TrainingConfig.read(tmp_path / name, tmp_path / "b", clip=0.5)
    assert changed == dataclasses.replace(config, out=tmp_path / "b", clip=0.5)


def test_numbers_in_yaml_are_numbers(tmp_path):
    file = tmp_path / "options.yaml"
    file.write_text("learning_rate: 5e-5\nclip: 1e-2\nsteps: 7\ntensorboard: true\n")
    config = TrainingConfig.read(file, tmp_path / "run")
    assert (config.learning_rate, config.clip, config.steps) == (5e-5, 0.01, 7)
    assert config.tensorboard is True
    config = TrainingConfig(tmp_path / "run", data="1e3", generator="12:30", critic="010")
    config.write(file)
    assert TrainingConfig.read(file, tmp_path / "run") == config


@pytest.mark.parametrize(
    ("name", "text", "complaint"),
    [
        ("a.yaml", "- 1\n- 2\n", "holds no mapping of options"),
        ("a.yaml", "a: [1\n", "is no YAML"),
        ("a.yaml", "!!python/object/apply:os.system ['true']", "is no YAML"),
        ("a.json", "{", "is no JSON"),
        ("a.json", '{"out": "x"}', "'out' is no option that a file can hold"),
        ("a.yaml", "learning_rat: 1e-3\n", "'learning_rat' is no option"),
        ("a.yaml", "learning_rate: fast\n", "option learning_rate must be"),
        ("a.yaml", "algorithm: sgan\n", "option algorithm must be one of wgan, "),
        ("a.yaml", "steps: 2\nseed: 1\nsteps: 3\n", "'steps' stands there twice"),
        ("a.json", '{"config": {"steps": 2, "steps": 3}}', "'steps' stands there twice"),
        ("a.yaml", "config: {steps: 2}\nseed: 3\n", "'seed' stands beside 'config'"),
        ("a.yaml", "steps: 010\n", "from 0 to 2147483647; got '010'"),
        ("a.yaml", "steps: 1_000\n", "from 0 to 2147483647; got '1_000'"),
        ("a.yaml", "steps: 12:30\n", "from 0 to 2147483647; got '12:30'"),
        ("a.yaml", "clip: 1:30.5\n", "from 1.2e-38 to 3.4e38; got '1:30.5'"),
        ("a.json", "[" * 100_000, "is no JSON"),
        ("a.yaml", "a: " + "[" * 5000, "is no YAML"),
        (None, "", "cannot be read"),
    ],
)
def test_bad_files_are_one_line(tmp_path, capsys, name, text, complaint):
    file = tmp_path / (name or "missing.yaml")
    if name:
        file.write_text(text)
    with pytest.raises(ConfigError, match=complaint):
        TrainingConfig.read(file, tmp_path / "run")
    assert main(["train", "--config", str(file), "--out", str(tmp_path / "run")]) == 2
    err = capsys.readouterr().err
    assert err.startswith("wgan: ")
    assert err.count("\n") == 1
    assert complaint in err
    assert not (tmp_path / "run").exists()


def test_flags_go_before_the_file_and_the_file_before_the_preset(tmp_path):
    file = tmp_path / "options.yaml"
    file.write_text("batch_size: 16\nlatent: 9\nseed: 4\n")
    words = ["train", "--out", "x", "--preset", "paper-dcgan", "--config", str(file)]
    config = parse([*words, "--latent", "7"]).config
    assert (config.batch_size, config.latent, config.seed) == (16, 7, 4)
    assert (config.algorithm, config.generator) == ("wgan-2017", "dcgan")


def test_an_algorithm_s_own_numbers_follow_the_algorithm():
    words = ["train", "--out", "x", "--preset", "paper-dcgan"]
    for name, own in ALGORITHMS.items():
        config = parse([*words, "--algorithm", name]).config
        assert config.learning_rate == own.learning_rate
        assert config.critic_steps == own.critic_steps
        given = parse([*words, "--algorithm", name, "--learning-rate", "0.125"]).config
        assert given.learning_rate == 0.125


def test_the_options_of_a_run_or_preset_become_a_file_and_a_run(tmp_path, finished, capsys):
    file = tmp_path / "options.yaml"
    assert main(["options", str(file), "--run", str(finished.folder.path)]) == 0
    again = tmp_path / "again"
    assert main(["train", "--config", str(file), "--out", str(again), "--steps", "3"]) == 0
    assert load(again).config == dataclasses.replace(finished.config, out=again, steps=3)
    direct = tmp_path / "direct"
    description = str(finished.folder.description)
    assert main(["train", "--config", description, "--out", str(direct), "--steps", "0"]) == 0
    assert load(direct).config == dataclasses.replace(finished.config, out=direct, steps=0)
    assert main(["options", str(tmp_path / "p.json"), "--preset", "paper-mlp"]) == 0
    assert json.loads((tmp_path / "p.json").read_text())["generator"] == "mlp,tanh=no"
    assert main(["options", str(file), "--preset", "digits", "--run", "x"]) == 2
    assert "not both" in capsys.readouterr().err


FIRST = {"data", "algorithm", "steps", "seed", "learning_rate", "beta1", "beta2", "clip", "radius",
         "penalty", "saturating", "batch_size", "critic_steps", "latent", "generator", "critic",
         "average_decay", "eval_every", "checkpoint_every", "log_every", "precision",
         "channels_last", "keep", "tensorboard", "device", "threads"}  # fmt: skip
"""Options of the first runs whose checkpoints this version reads."""


def test_every_option_since_the_first_runs_says_what_its_absence_means(tmp_path):
    names = {field.name for field in dataclasses.fields(TrainingConfig)} - {"out"}
    assert names - FIRST == set(ABSENT)
    TrainingConfig(tmp_path / "run", **ABSENT)  # values that the options admit


def without_later_options(run):
    """The run as a version without the later options described it."""
    description = json.loads(run.description.read_text())
    for name in ABSENT:
        del description["config"][name]
    run.description.write_text(json.dumps(description))


def test_a_run_from_before_an_option_is_read_and_goes_on_as_it_would_have(tmp_path):
    run = train(small_config(tmp_path / "run", **ABSENT), quiet=True).folder
    config, identity = load(run.path).config, state_hash(run.path)
    without_later_options(run)
    assert load(run.path).config == config
    assert main(["report", str(run.path)]) == 0
    assert main(["train", "--resume-step", "15", "--out", str(run.path)]) == 0
    assert load(run.path).config == config
    assert state_hash(run.path) == identity


def test_what_an_older_run_had_otherwise_is_a_difference(tmp_path, capsys):
    """A resume may not bring in an option that was not there."""
    older = train(small_config(tmp_path / "older"), quiet=True).folder
    without_later_options(older)
    words = ["train", "--resume", "--out", str(older.path), "--decay-steps", "9"]
    assert main(words) == 2
    assert "decay_steps: 0 -> 9" in capsys.readouterr().err


def test_the_critics_rate_follows_the_generators_unless_it_has_its_own(tmp_path):
    config = TrainingConfig(tmp_path, data="ring", learning_rate=1e-3)
    assert config.learning_rates == (1e-3, 1e-3)
    assert dataclasses.replace(config, learning_rate=2e-3).learning_rates == (2e-3, 2e-3)
    own = dataclasses.replace(config, critic_learning_rate=5e-3)
    assert own.learning_rates == (1e-3, 5e-3)
    with pytest.raises(ConfigError, match="critic_learning_rate must be"):
        dataclasses.replace(config, critic_learning_rate=-1.0)


@pytest.mark.parametrize("name", ["options.yaml", "options.json"])
def test_numbers_and_texts_of_numpy_are_pythons_own_in_files(tmp_path, name):
    learning_rate, data = np.float64(1e-4), np.str_("ring")
    config = TrainingConfig(tmp_path / "a", learning_rate=learning_rate, data=data)
    config.write(tmp_path / name)
    assert TrainingConfig.read(tmp_path / name, tmp_path / "a") == config
    assert (type(config.learning_rate), type(config.data)) == (float, str)


def test_a_flag_can_be_given_and_taken_back_whatever_it_was_before(tmp_path):
    words = ["train", "--out", str(tmp_path / "run")]
    for preset, kept in (("ring-gp", True), ("grid-orthogonal", False)):
        for flags, found in (([], kept), (["--critic-decays"], True),
                             (["--no-critic-decays"], False)):  # fmt: skip
            assert parse([*words, "--preset", preset, *flags]).config.critic_decays == found
    file = tmp_path / "options.yaml"
    file.write_text("tensorboard: true\n")
    for flags, found in (([], True), (["--tensorboard"], True), (["--no-tensorboard"], False)):
        assert parse([*words, "--config", str(file), *flags]).config.tensorboard == found


def test_the_command_of_a_run_with_resume_behind_it_continues_it(tmp_path, capsys):
    words = [*options(tmp_path / "run", algorithm="gan", steps=1), "--saturating"]
    assert main(words) == 0
    assert main([*words, "--steps", "2", "--resume"]) == 0
    assert load(tmp_path / "run").step == 2
    assert capsys.readouterr().out.count("continues at step 1") == 1

"""Every algorithm from its first byte to its last: a run, its curve, kills, its report."""

import contextlib
import math
import multiprocessing
import random
import signal
import time
from collections import Counter

import pytest

from wgan import load, state_hash, train
from wgan.algorithms import ALGORITHMS
from wgan.checkpoint import checkpoint_steps, read_best
from wgan.report import write_report
from wgan.state import digest

from .conftest import small_config, wait_for

NAMES = sorted(ALGORITHMS)
EPOCHS = {"wgan-2017"}


def choices(name):
    """Data with an end where the algorithm asks for it, and little work."""
    data = "digits" if name in EPOCHS else "ring"
    critic = "orthogonal,widths=16x16" if name == "wgan-orthogonal" else "mlp,widths=16"
    return {"algorithm": name, "data": data, "critic": critic, "steps": 6,
            "log_every": 2, "eval_every": 3, "checkpoint_every": 2}  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_a_run_of_each_algorithm_says_what_its_numbers_are(tmp_path, name):
    run = train(small_config(tmp_path / "run", **choices(name)), quiet=True)
    assert run.step == 6
    lines = run.metrics()
    estimates = [value for line in lines for value in line.get("critic_estimates", [])]
    assert len(estimates) == 6
    assert all(math.isfinite(value) for value in estimates)
    evaluation = run.evaluate()
    if name == "gan":
        assert all(value <= math.log(2) for value in estimates)
        assert evaluation.critic_estimate_held_out <= math.log(2)
        assert evaluation.lipschitz_bound is None
        assert "lower_bound" not in lines[-1]
        assert "nothing is certified" in evaluation.certificate()
        assert "; JS estimate " in evaluation.sentence()
        assert "nats, at most log 2" in evaluation.sentence()
    else:
        assert "; critic estimate " in evaluation.sentence()
        assert 0 <= evaluation.lower_bound <= evaluation.wasserstein1
        assert evaluation.lipschitz_bound > 0
        shown = evaluation.certificate().partition("W1 >= ")[2].partition(" ")[0]
        assert 0.999 * evaluation.lower_bound <= float(shown) <= evaluation.lower_bound
    assert evaluation.generalisation_gap == pytest.approx(
        evaluation.critic_estimate_training - evaluation.critic_estimate_held_out
    )
    write_report(run.folder.path, tmp_path / "report.html")
    report = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert ALGORITHMS[name].summary.split("'")[0] in report
    assert evaluation.estimate_unit in report
    best = read_best(run.folder.checkpoints)
    distances = {line["step"]: line["wasserstein1"] for line in lines if "floor" in line}
    assert best.step == min((step for step in distances if step), key=distances.get)
    assert load(run.folder.path, best=True).step == best.step


def newest(run):
    return max(checkpoint_steps(run / "checkpoints"), default=0)


@pytest.fixture(scope="module")
def processes():
    """A server that has imported everything and forks: each process begins in milliseconds."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.wgan.warm"])
    first = context.Process(target=int)  # it waits for what the server loads
    first.start()
    first.join()
    return context


def begin(processes, run, config):
    """A process that trains in the folder, or goes on there."""
    arguments = {"resume": (run / "run.json").exists(), "quiet": True}
    process = processes.Process(target=train, args=(small_config(run, **config),), kwargs=arguments)
    process.start()
    return process


def half_written(run):
    """Files that a process is writing, or was when it was killed."""
    found = set()
    for path in (run / "checkpoints").glob(".*.part"):
        with contextlib.suppress(FileNotFoundError):  # it has its name by now
            found.add((path.name, path.stat().st_mtime_ns))
    return found


def killed(process):
    process.kill()
    process.join()
    assert process.exitcode == -signal.SIGKILL


def kill_once(processes, run, config, aim, dice, start_up):
    """Kill a process about where ``aim`` says, its start within ``start_up`` seconds; and where."""
    before, old = newest(run), half_written(run)
    process = begin(processes, run, config)
    if aim == "start":
        time.sleep(dice.random() * start_up)
    else:
        goal = before + dice.randint(1, 8)
        wait_for(lambda: newest(run) >= goal or not process.is_alive(), seconds=900, pause=0.01)
        if aim == "checkpoint":
            wait_for(
                lambda: half_written(run) - old or not process.is_alive(), seconds=900, pause=1e-4
            )
        else:
            time.sleep(dice.random() / 20)
    killed(process)
    if half_written(run) - old:
        return "checkpoint"
    return "step" if newest(run) > before else "start"


def killed_and_resumed(processes, run, config, kills, dice):
    """Kill a run without end at random moments, and let it end; where the kills struck."""
    begun, process = time.monotonic(), begin(processes, run, config)
    wait_for((run / "run.json").exists, pause=1e-3)
    killed(process)
    start_up = time.monotonic() - begun
    aims = ["step", "checkpoint", "start"] * kills
    struck = [kill_once(processes, run, config, aim, dice, start_up) for aim in aims[: kills - 1]]
    config = {**config, "steps": newest(run) + 3}
    train(small_config(run, **config), resume=(run / "run.json").exists(), quiet=True)
    return Counter(["start", *struck]), config


def assert_unharmed(processes, folder, name, kills, seed):
    """A run that was killed ends with the hash of one that was not."""
    endless = {**choices(name), "steps": 10**4, "checkpoint_every": 2, "log_every": 3,
               "eval_every": 7}  # fmt: skip
    struck, config = killed_and_resumed(
        processes, folder / "killed", endless, kills, random.Random(seed)
    )
    print(f"{name}: {kills} kills {dict(struck)} in {config['steps']} steps")
    train(small_config(folder / "straight", **config), quiet=True)
    assert state_hash(folder / "killed") == state_hash(folder / "straight")
    best = [read_best(folder / run / "checkpoints") for run in ("straight", "killed")]
    assert digest(best[0].tensors) == digest(best[1].tensors)
    return struck


@pytest.mark.parametrize("name", ["wgan-gp", "wgan-2017"])
def test_a_killed_run_has_the_hash_of_one_that_was_not(tmp_path, processes, name):
    assert_unharmed(processes, tmp_path, name, 2, 3)


@pytest.mark.long
@pytest.mark.parametrize("name", NAMES)
def test_twenty_kills_leave_the_hash_as_it_is(tmp_path, processes, name):
    struck = assert_unharmed(processes, tmp_path, name, 20, NAMES.index(name))
    assert struck.total() == 20
    assert set(struck) == {"start", "step", "checkpoint"}


@pytest.mark.parametrize("name", NAMES)
def test_a_run_in_two_parts_has_the_hash_of_the_run_in_one(tmp_path, name):
    """Halted between two lines of the log and two checkpoints, so that pending estimates count."""
    config = {**choices(name), "steps": 5, "log_every": 1, "eval_every": 10, "checkpoint_every": 4}
    train(small_config(tmp_path / "one", **config), quiet=True)
    train(small_config(tmp_path / "two", **{**config, "checkpoint_every": 2}), quiet=True)
    folder = tmp_path / "two"
    train(small_config(folder, **config), resume_step=4, quiet=True)
    assert state_hash(folder) == state_hash(tmp_path / "one")
    assert state_hash(load(folder)) == state_hash(folder)


def test_the_hash_sees_every_part_of_the_state_and_not_the_clock(tmp_path):
    for name, changes in (("a", {}), ("b", {}), ("c", {"seed": 1}), ("d", {"log_every": 3}),
                          ("e", {"average_decay": 0.0})):  # fmt: skip
        train(small_config(tmp_path / name, **{**choices("wgan"), **changes}), quiet=True)
    hashes = [state_hash(tmp_path / name) for name in "abcde"]
    assert hashes[0] == hashes[1]
    assert len(set(hashes)) == 4
    metrics = tmp_path / "a" / "metrics.jsonl"
    metrics.write_bytes(metrics.read_bytes().replace(b'"floor": 0', b'"floor": 1'))
    assert state_hash(tmp_path / "a") != hashes[1]


def test_the_newest_checkpoints_and_the_best_are_kept(tmp_path):
    config = {**choices("wgan"), "steps": 12, "keep": 3}
    run = train(small_config(tmp_path / "run", **config), quiet=True)
    names = sorted(path.name for path in run.folder.checkpoints.iterdir())
    distances = {line["step"]: line["wasserstein1"] for line in run.metrics() if "floor" in line}
    best = min((step for step in distances if step), key=distances.get)
    assert names == [*(f"{step:08d}.safetensors" for step in (8, 10, 12)),
                     f"best-{best:08d}.safetensors"]  # fmt: skip


def test_curves_and_pictures_reach_tensorboard(tmp_path):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    run = train(small_config(tmp_path / "run", **choices("wgan"), tensorboard=True), quiet=True)
    events = EventAccumulator(str(run.folder.board))
    events.Reload()
    tags = events.Tags()
    assert any(tag.startswith("wasserstein1 (exact, at least 0") for tag in tags["scalars"])
    assert tags["images"] == ["samples of the same noise"]
    (tag,) = (tag for tag in tags["scalars"] if tag.startswith("critic_estimate ("))
    assert [event.step for event in events.Scalars(tag)] == [2, 4, 6]
    run.folder.remove()
    assert not run.folder.path.exists()


def test_without_tensorboard_asking_for_it_is_one_line(tmp_path, monkeypatch):
    import importlib.util

    from wgan import ConfigError

    find = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda n, *a: None if n == "tensorboard" else find(n, *a)
    )
    with pytest.raises(ConfigError, match="pip install tensorboard"):
        train(small_config(tmp_path / "run", tensorboard=True), quiet=True)
    assert not (tmp_path / "run").exists()


def test_averaged_samples_are_those_of_the_average(tmp_path):
    run = train(small_config(tmp_path / "run", **choices("wgan")), quiet=True)
    assert not (run.sample(5) == run.sample(5, averaged=True)).all()
    none = train(small_config(tmp_path / "none", **choices("wgan"), average_decay=0.0), quiet=True)
    with pytest.raises(ValueError, match="this run keeps none"):
        none.sample(5, averaged=True)


def test_the_orthogonal_algorithm_takes_its_own_critic_and_no_other(tmp_path):
    from wgan import ConfigError, TrainingConfig

    config = TrainingConfig(tmp_path / "run", algorithm="wgan-orthogonal")
    assert config.critic == "orthogonal"
    other = small_config(tmp_path / "run", algorithm="wgan-orthogonal", critic="small")
    with pytest.raises(ConfigError, match="1-Lipschitz by construction, such as orthogonal"):
        train(other, quiet=True)
    # the first weights of a new one may have a small bound, which no step of it keeps
    small = {"data": "digits", "critic": "small,gain=0.1"}
    affine = {"data": "ring", "critic": "mlp,widths=,gain=0.1"}
    for other in (small, affine):
        config = small_config(tmp_path / "run", algorithm="wgan-orthogonal", **other)
        with pytest.raises(ConfigError, match="1-Lipschitz by construction, such as orthogonal"):
            train(config, quiet=True)
    assert not (tmp_path / "run").exists()


def test_an_orthogonal_critic_is_certified_at_every_evaluation(tmp_path):
    run = train(small_config(tmp_path / "run", **choices("wgan-orthogonal")), quiet=True)
    bounds = [line["lipschitz_bound"] for line in run.metrics() if "lipschitz_bound" in line]
    assert len(bounds) == 3
    assert all(0.999 < bound < 1.001 for bound in bounds)

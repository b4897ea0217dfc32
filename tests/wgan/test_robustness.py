"""What strangers did to runs: interrupted resumes, odd files, lost listeners, other threads."""

import io
import json
import os
import stat
import sys

import pytest
import torch

import wgan.demo
import wgan.session
from wgan import ConfigError, DivergedError, RunError, TrainingConfig, load, train
from wgan._cli import main
from wgan.algorithms import ALGORITHMS
from wgan.checkpoint import checkpoint_steps, write_atomically
from wgan.folder import Lock, RunFolder

SMALL = {"data": "ring", "generator": "mlp,widths=8", "critic": "mlp,widths=8", "latent": 4,
         "batch_size": 8, "eval_every": 1000, "log_every": 1}  # fmt: skip


def _train(out, **options):
    resume = {name: options.pop(name) for name in ("resume", "resume_step") if name in options}
    return train(TrainingConfig(out=out, **SMALL, **options), **resume, quiet=True)


def test_going_back_to_an_older_checkpoint_removes_the_later_ones(tmp_path):
    out = tmp_path / "run"
    _train(out, steps=4, checkpoint_every=2)
    assert checkpoint_steps(out / "checkpoints") == [2, 4]
    folder = RunFolder(out)
    seen = []
    original = RunFolder.update_config

    def dies(self, config):
        original(self, config)
        seen.append(checkpoint_steps(self.checkpoints))
        raise KeyboardInterrupt

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(RunFolder, "update_config", dies)
        with pytest.raises(KeyboardInterrupt):
            _train(out, steps=6, checkpoint_every=100, resume_step=2)
    assert seen == [[2]]
    run = _train(out, steps=6, checkpoint_every=100, resume=True)
    assert run.step == 6
    assert [record["step"] for record in folder.read_metrics()] == list(range(7))


def test_options_that_a_resume_changes_are_recorded(tmp_path):
    out = tmp_path / "run"
    _train(out, steps=1, checkpoint_every=2)
    _train(out, steps=3, checkpoint_every=1, resume=True)
    config = load(out).config
    assert (config.steps, config.checkpoint_every) == (3, 1)


@pytest.mark.parametrize("rate", [1e30, 1e38])
def test_divergence_is_named_wherever_it_is_seen(tmp_path, rate):
    options = {**SMALL, "eval_every": 1}
    with pytest.raises(DivergedError, match=r"stopped at step \d+: .* is (not finite|nan|inf)"):
        train(TrainingConfig(out=tmp_path / "run", steps=12, learning_rate=rate, **options),
              quiet=True)  # fmt: skip
    load(tmp_path / "run")  # the last checkpoint is intact


@pytest.mark.parametrize(
    "options",
    [{"learning_rate": 10**400}, {"clip": 1e-120}, {"batch_size": 10**12}, {"threads": 2**40},
     {"generator": 5}, {"data": [1]}, {"data": None}, {"latent": 2**63}],
    ids=str,
)  # fmt: skip
def test_values_that_no_run_can_have_are_options_refused(tmp_path, options):
    with pytest.raises(ConfigError, match=f"option {next(iter(options))} must be "):
        TrainingConfig(out=tmp_path / "run", **options)
    with pytest.raises(ConfigError, match="option out must be a path; got None"):
        TrainingConfig(out=None)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes on this system")
def test_only_regular_files_are_replaced_and_links_are_followed(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with pytest.raises(RunError, match="is no regular file"):
        write_atomically(pipe, lambda file: file.write(b"x"))
    assert stat.S_ISFIFO(pipe.stat().st_mode)
    target, link = tmp_path / "target", tmp_path / "link"
    link.symlink_to(target)
    write_atomically(link, lambda file: file.write(b"x"))
    assert target.read_bytes() == b"x"
    assert link.is_symlink()

    def full(file):
        file.write(b"half")
        raise OSError(28, "No space left on device")

    with pytest.raises(RunError, match="No space left on device"):
        write_atomically(target, full)
    assert target.read_bytes() == b"x"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["link", "pipe", "target"]


def test_a_demo_neither_removes_a_run_in_progress_nor_stumbles_over_its_report(tmp_path, capsys):
    out = tmp_path / "digits"
    _train(out, steps=1)
    (out / "report.html").write_text("as wgan report leaves it")
    folder = RunFolder(out)
    with Lock(folder), pytest.raises(RunError, match="is training here"):
        folder.remove()
    folder.remove()
    assert not out.exists()
    assert "Traceback" not in capsys.readouterr().err


def test_training_goes_on_when_nobody_listens(tmp_path, monkeypatch):
    class Deaf:
        encoding = "utf-8"

        def write(self, _):
            raise BrokenPipeError

        def flush(self):
            pass

    monkeypatch.setattr(sys, "stdout", Deaf())
    config = TrainingConfig(out=tmp_path / "run", steps=3, **SMALL)
    assert train(config).step == 3
    monkeypatch.setattr(sys, "stdout", None)
    monkeypatch.setattr(sys, "stderr", None)
    assert train(TrainingConfig(out=tmp_path / "two", steps=3, **SMALL)).step == 3


def test_a_log_that_cannot_grow_is_one_line(tmp_path, monkeypatch):
    from wgan.folder import MetricsLog

    written = MetricsLog.write

    def fills(self, record):
        if record["step"] == 2:
            self._file.close()
            self._file = open("/dev/full", "ab", buffering=0)  # noqa: SIM115
        written(self, record)

    if not os.path.exists("/dev/full"):
        pytest.skip("no /dev/full on this system")
    monkeypatch.setattr(MetricsLog, "write", fills)
    complaint = (
        r"stopped at step 2: .*metrics.jsonl: cannot be written \(No space left on device\); "
    )
    with pytest.raises(RunError, match=complaint + "the checkpoint of step [01] is intact$"):
        _train(tmp_path / "run", steps=4)


def test_a_log_that_takes_a_part_of_a_line_gets_the_rest(tmp_path):
    """As a nearly full disk does: the system says how much it took, and refuses the next piece."""
    from wgan.folder import MetricsLog

    class Piecewise(io.FileIO):
        def write(self, content):
            return super().write(bytes(content)[:7])

    log = MetricsLog(tmp_path / "metrics.jsonl", keep_bytes=0)
    log._file.close()
    log._file = Piecewise(tmp_path / "metrics.jsonl", "ab")
    log.write({"step": 1, "critic_estimate": 0.125})
    log.write({"step": 2})
    log.close()
    records = RunFolder(tmp_path).read_metrics()
    assert records == [{"step": 1, "critic_estimate": 0.125}, {"step": 2}]


def test_a_lock_that_cannot_be_written_names_the_folder(tmp_path):
    if not os.path.exists("/dev/full"):
        pytest.skip("no /dev/full on this system")
    (tmp_path / ".lock").symlink_to("/dev/full")
    with (
        pytest.raises(RunError, match=f"{tmp_path}: cannot be written to"),
        Lock(RunFolder(tmp_path)),
    ):
        pass


def test_torch_defaults_of_the_caller_do_not_matter(tmp_path):
    expected = _train(tmp_path / "one", steps=2).sample(3)
    torch.set_default_dtype(torch.float64)
    try:
        with torch.no_grad():
            got = _train(tmp_path / "two", steps=2).sample(3)
    finally:
        torch.set_default_dtype(torch.float32)
    assert got.dtype == expected.dtype
    assert (got == expected).all()


def test_damaged_descriptions_and_logs_are_one_line(tmp_path, capsys):
    out = tmp_path / "run"
    _train(out, steps=1)
    description = json.loads((out / "run.json").read_text())
    description["config"]["latent"] = 9
    (out / "run.json").write_text(json.dumps(description))
    assert main(["evaluate", str(out)]) == 2
    assert "does not fit the options" in capsys.readouterr().err
    description["config"]["latent"] = 4
    (out / "run.json").write_text(json.dumps(description))
    (out / "metrics.jsonl").write_text("5\n")
    assert main(["report", str(out)]) == 2
    assert "damaged" in capsys.readouterr().err
    assert main(["train", "--out", "x" * 300]) == 2
    assert "File name too long" in capsys.readouterr().err


def test_the_whole_demo_is_the_paper_s_settings():
    defaults = TrainingConfig(out="runs/x")
    assert (defaults.learning_rate, defaults.clip) == (5e-5, 0.01)
    assert (defaults.batch_size, defaults.critic_steps) == (64, 5)
    assert pytest.approx(2 / 3) == wgan.demo.GOAL


@pytest.mark.parametrize(
    "error", [torch.OutOfMemoryError("CUDA out of memory"), MemoryError(),
              RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried 10 TB")],
)  # fmt: skip
def test_too_little_memory_is_one_line_and_the_checkpoint_stays(tmp_path, monkeypatch, error):
    plain = wgan.session.train_step

    def fails(state, procedure):
        if state.step == 3:
            raise error
        return plain(state, procedure)

    monkeypatch.setattr(wgan.session, "train_step", fails)
    words = r"stopped at step 3: the memory of cpu .*; the checkpoint of step 2 is intact"
    with pytest.raises(RunError, match=words):
        _train(tmp_path / "run", steps=6, checkpoint_every=2, device="cpu")
    assert load(tmp_path / "run").step == 2
    monkeypatch.undo()
    assert _train(tmp_path / "run", steps=6, checkpoint_every=2, resume=True).step == 6


def test_other_errors_are_not_taken_for_a_lack_of_memory(tmp_path, monkeypatch):
    def fails(state, procedure):
        raise RuntimeError("shapes do not fit")

    monkeypatch.setattr(wgan.session, "train_step", fails)
    with pytest.raises(RuntimeError, match="shapes do not fit"):
        _train(tmp_path / "run", steps=6)


def test_a_full_disk_at_a_checkpoint_leaves_the_one_before(tmp_path, monkeypatch):
    plain = wgan.session.write_checkpoint

    def full(folder, checkpoint, keep):
        if checkpoint.step == 4:
            raise RunError(f"{folder}: cannot be written (No space left on device)")
        return plain(folder, checkpoint, keep)

    monkeypatch.setattr(wgan.session, "write_checkpoint", full)
    with pytest.raises(
        RunError, match=r"^stopped at step 4: .* the checkpoint of step 2 is intact$"
    ):
        _train(tmp_path / "run", steps=6, checkpoint_every=2)
    assert load(tmp_path / "run").step == 2


def test_a_run_of_another_version_is_refused_in_one_line(tmp_path, capsys):
    run = _train(tmp_path / "run", steps=1).folder
    description = json.loads(run.description.read_text())
    del description["config"]["algorithm"]
    description["config"]["generator_widths"] = [8]
    run.description.write_text(json.dumps(description))
    before = run.description.read_bytes(), run.metrics.read_bytes()
    for words in (["train", "--resume", "--out"], ["evaluate"], ["report"]):
        assert main([*words, str(run.path)]) == 2
        err = capsys.readouterr().err
        assert "are not those of this version of wgan (algorithm, generator_widths)" in err
        assert err.count("\n") == 1
    assert (run.description.read_bytes(), run.metrics.read_bytes()) == before


def test_a_missing_gpu_is_one_line(tmp_path, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(ConfigError, match="option device is cuda, but torch finds no CUDA device"):
        _train(tmp_path / "run", steps=1, device="cuda")
    assert not (tmp_path / "run").exists()


def test_bfloat16_is_refused_where_the_processor_has_none(tmp_path, monkeypatch):
    module = sys.modules["wgan.train"]
    monkeypatch.setattr(module, "_PRODUCTS", ("no_such_question",))
    with pytest.raises(ConfigError, match="option precision: this processor"):
        _train(tmp_path / "run", steps=1, device="cpu", precision="bfloat16")


def test_a_state_that_is_not_finite_at_the_beginning_is_one_line(tmp_path, monkeypatch):
    monkeypatch.setattr(wgan.state.TrainingState, "not_finite", lambda _: "critic.0.weight")
    words = r"^stopped at step 0: critic.0.weight is not finite; no checkpoint was written$"
    with pytest.raises(DivergedError, match=words):
        _train(tmp_path / "run", steps=1)


def test_a_network_of_more_numbers_than_can_be_counted_is_one_line(tmp_path, capsys):
    widths = "mlp,widths=2147483647x2147483647"
    assert main(["train", "--critic", widths, "--out", str(tmp_path / "run")]) == 1
    error = capsys.readouterr().err
    assert error.startswith("wgan: not enough memory for these options")
    assert error.count("\n") == 1


FULL = torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.\nGPU 0 has")


def _raises(error):
    def function(*_, **__):
        raise error

    return function


@pytest.mark.parametrize(
    "error", [FULL, MemoryError(), RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when")]
)
@pytest.mark.parametrize("place", ["train_step", "Evaluator.distances", "Session.save"])
def test_where_memory_runs_out_what_is_intact_is_said(tmp_path, monkeypatch, error, place):
    plain, calls = wgan.session.train_step, []

    def second_step(*given):
        calls.append(1)
        if len(calls) == 2:  # what was there before is made
            monkeypatch.setattr(f"wgan.session.{place}", _raises(error))
            return wgan.session.train_step(*given) if place == "train_step" else plain(*given)
        return plain(*given)

    monkeypatch.setattr(wgan.session, "train_step", second_step)
    words = r"^stopped at step [12]: the memory of cpu .* the checkpoint of step 0 is intact$"
    with pytest.raises(RunError, match=words):
        _train(tmp_path / "run", steps=2, device="cpu")


def test_an_illegal_access_is_not_called_a_lack_of_memory(tmp_path, monkeypatch):
    error = RuntimeError("CUDA error: an illegal memory access was encountered")
    monkeypatch.setattr(wgan.session, "train_step", _raises(error))
    with pytest.raises(RuntimeError, match="illegal memory access"):
        _train(tmp_path / "run", steps=2)


def test_a_divergence_is_said_where_memory_for_its_origin_is_short(tmp_path, monkeypatch):
    monkeypatch.setattr(wgan.session, "find_origin", _raises(FULL))
    with pytest.raises(DivergedError, match=r"stopped at step 1: .* is not finite"):
        _train(tmp_path / "run", steps=1, learning_rate=1e38)


def test_a_network_that_a_gpu_does_not_hold_is_one_line(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(wgan.state.TrainingState, "fresh", _raises(FULL))
    assert main(["train", "--out", str(tmp_path / "run")]) == 1
    assert capsys.readouterr().err == (
        "wgan: not enough memory for these options (CUDA out of memory. Tried to allocate 2.00 "
        "GiB.)\n"
    )


@pytest.mark.gpu
@pytest.mark.parametrize("algorithm", sorted({*ALGORITHMS} - {"wgan-2017"}))
def test_a_step_never_waits_for_the_gpu(tmp_path, algorithm):
    from wgan.data import make_data
    from wgan.procedure import Procedure
    from wgan.state import TrainingState
    from wgan.step import train_step

    device = torch.device("cuda")
    config = TrainingConfig(out=tmp_path, data="ring", algorithm=algorithm)
    state = TrainingState.fresh(config, make_data("ring", device), device)
    procedure = Procedure.of(config, state.penalty_random)
    train_step(state, procedure)
    torch.cuda.set_sync_debug_mode("error")
    try:
        train_step(state, procedure)
    finally:
        torch.cuda.set_sync_debug_mode("default")

"""Processes that train together: started by the tests, each runs this file.

``python -m tests.wgan.together RANK COUNT FOLDER TASK WORDS...`` meets the others in FOLDER, does
TASK and leaves what it found in ``FOLDER/TASK-RANK.pt``.
"""

import contextlib
import datetime
import json
import os
import subprocess
import sys
from pathlib import Path

import torch
import torch.distributed as dist

import wgan.folder
import wgan.parallel.batch_norm
import wgan.parallel.pace
import wgan.parallel.several
import wgan.parallel.share
from wgan import RunError, TrainingConfig, train
from wgan.data import make_data
from wgan.parallel import Workers
from wgan.parallel.several import SeveralWorkers
from wgan.procedure import Procedure
from wgan.state import TrainingState
from wgan.step import train_step

ROOT = Path(__file__).parents[2]
IMAGES = "images.npy,layout=nchw,held_out=9"  # 21 are left for training
MLP = {"data": "ring", "latent": 4, "generator": "mlp,widths=6", "critic": "mlp,widths=6"}
DCGAN = {"data": IMAGES, "latent": 3, "generator": "dcgan,filters=2", "critic": "dcgan,filters=2"}
SCENARIOS = {
    "wgan": {**MLP, "batch_size": 6},
    "wgan-gp": {**MLP, "algorithm": "wgan-gp", "batch_size": 7},
    "wgan-lp": {**MLP, "algorithm": "wgan-lp", "batch_size": 7},
    "wgan-sn": {**MLP, "algorithm": "wgan-sn", "batch_size": 7, "decay_steps": 5},
    "wgan-sphere": {**MLP, "algorithm": "wgan-sphere", "batch_size": 7},
    "wgan-orthogonal": {
        **MLP, "algorithm": "wgan-orthogonal", "critic": "orthogonal,widths=6x6", "batch_size": 7,
    },
    "cones": {
        **MLP, "algorithm": "wgan-orthogonal", "batch_size": 7, "decay_steps": 9,
        "critic": "orthogonal,widths=6x6,cones=5,start=data,temperature=0.3,anchor_rate=0.1",
    },
    "gan": {**MLP, "algorithm": "gan", "batch_size": 7, "average_decay": 0.5},
    "saturating": {**MLP, "algorithm": "gan", "saturating": True, "batch_size": 7},
    "wgan dcgan": {**DCGAN, "batch_size": 4, "data": IMAGES + ",size=16,crop=random,mirror=yes"},
    "gan dcgan": {**DCGAN, "algorithm": "gan", "batch_size": 5, "data": IMAGES + ",size=16"},
    "gp dcgan": {**DCGAN, "algorithm": "wgan-gp", "batch_size": 5, "data": IMAGES + ",size=16"},
    # the last batch of an epoch is one image, of which the first process has none
    "short": {**DCGAN, "algorithm": "wgan-2017", "batch_size": 4,
              "data": IMAGES + ",size=16,mirror=yes,place=stream"},
    "short mlp": {**MLP, "algorithm": "wgan-2017", "batch_size": 4, "data": IMAGES},
}  # fmt: skip
"""Options of a few steps each."""
STEPS = 3
RUN = {**MLP, "algorithm": "wgan-gp", "batch_size": 7, "steps": 12, "log_every": 2,
       "eval_every": 6, "checkpoint_every": 3, "device": "cpu", "threads": 1}  # fmt: skip
"""Options of a run of a second."""


class Disregarded:
    """Faults, each of which some scenario must show: a place, a name and what stands there."""

    @staticmethod
    def local_statistics():
        return wgan.parallel.several, "share_statistics", lambda network, workers: None

    @staticmethod
    def constant_statistics():
        plain = wgan.parallel.batch_norm.summed
        return wgan.parallel.batch_norm, "summed", lambda t, workers: plain(t, workers).detach()

    @staticmethod
    def statistics_once_differentiable():
        class Once(torch.autograd.Function):
            @staticmethod
            def forward(ctx, tensor, workers):
                ctx.workers = workers
                return workers.sum(tensor.clone())

            @staticmethod
            def backward(ctx, gradient):
                return ctx.workers.sum(gradient.detach().clone()), None

        return wgan.parallel.batch_norm, "summed", Once.apply

    @staticmethod
    def mean_of_means():
        return wgan.parallel.share.Share, "fraction", property(lambda share: 1 / share.count)

    @staticmethod
    def places_of_each():
        def constraint(share, constraint, random):
            return constraint

        return wgan.parallel.share.Share, "constraint", constraint

    @staticmethod
    def short_batches_as_full():
        plain = wgan.parallel.share.Share.objective

        def objective(share, *arguments):
            share.real = share.batch_size
            return plain(share, *arguments)

        return wgan.parallel.share.Share, "objective", objective

    @staticmethod
    def noise_of_each():
        def part(share, batch):
            return batch[: len(range(len(batch))[share.slice(len(batch))])]

        return wgan.parallel.share.Share, "part", part


FAULTS = {
    "local_statistics": ["wgan dcgan", "gan dcgan"],
    "constant_statistics": ["wgan dcgan", "gan dcgan"],
    "statistics_once_differentiable": ["gp dcgan"],
    "mean_of_means": ["wgan-gp", "gan", "gan dcgan"],
    "places_of_each": ["wgan-gp", "wgan-lp"],
    "short_batches_as_full": ["short", "short mlp"],
    "noise_of_each": ["wgan", "gan dcgan"],
}
"""Scenarios that show each fault."""


def steps(name, folder, workers, precise=True):
    """Some steps of a scenario: estimates, all of the state, and the critic's batch sizes."""
    options = dict(SCENARIOS[name])
    if options["data"] != "ring":
        options["data"] = f"{folder}/{options['data']}"
    config = TrainingConfig(out=folder, **{"critic_steps": 2, "seed": 5, **options})
    data = make_data(config.data, torch.device("cpu"))
    state = TrainingState.fresh(config, data, torch.device("cpu"))
    share = workers.share(config.batch_size)
    workers.join(state, share)
    procedure = Procedure.of(config, state.penalty_random, share)
    if precise:
        _in_double(state)
    estimates = []
    for _ in range(STEPS):
        with workers.stepping():
            estimates.append(workers.sum(train_step(state, procedure)))
    state.estimates = estimates
    return state


def _in_double(state):
    """Networks in float64, where no difference of formulas hides behind rounding."""
    for network in (state.generator, state.critic, state.averaged):
        network.double().register_forward_pre_hook(lambda _, inputs: inputs[0].double())
    plain = state.batches.next
    state.batches.next = lambda: plain().double()


def all_steps(folder, workers, names=tuple(SCENARIOS)):
    return {name: steps(name, folder, workers).tensors() for name in names}


def task_right(folder, workers):
    """Every scenario."""
    return all_steps(folder, workers)


def task_steps(folder, workers):
    """Every scenario, and every fault where it is to be seen."""
    found = {"right": all_steps(folder, workers)}
    for fault, names in FAULTS.items():
        with faulty(getattr(Disregarded, fault)()):
            found[fault] = all_steps(folder, workers, names)
    return found


def task_runs(folder, workers):
    """Whole runs, runs in parts, and runs that must not be; the errors of this process."""
    seen = watch_writing(folder / "runs")
    runs, errors = folder / "runs", {}

    def attempt(name, out=None, faults=(), **options):
        resume = options.pop("resume", False)
        config = TrainingConfig(out=runs / (out or name), **{**RUN, **options})
        with faulty(*faults):
            try:
                train(config, resume=resume, quiet=True)
            except RunError as error:
                errors[name] = type(error).__name__, str(error), error.exit_status

    wgan.parallel.pace.TRIAL = 0.01
    attempt("two")
    attempt("half", steps=6)
    attempt("again", steps=6)
    attempt("again, on", out="again", resume=True)
    attempt("one, on", out="one", resume=True)
    attempt("best", data=f"{folder}/{IMAGES},size=16", generator="dcgan,filters=2",
            critic="dcgan,filters=2", algorithm="gan", latent=3)  # fmt: skip
    attempt("few", batch_size=workers.count - 1)
    attempt("occupied")
    attempt("unsummed", faults=[(wgan.parallel.several, "sum_gradients", lambda *_: None)])
    attempt("full", faults=[(wgan.folder.MetricsLog, "write", _full(wgan.folder.MetricsLog.write))])
    return {"errors": errors, "written": sorted(seen)}


def _full(write):
    def refuses(log, record):
        if record["step"] >= 4:
            message = "no space left"
            raise RunError(message)
        write(log, record)

    return refuses


def task_endless(folder, workers):
    """A run that only another process's end can end; how it ended here."""
    del workers
    config = TrainingConfig(out=folder / "run", **{**RUN, "steps": 10**6, "eval_every": 10**6})
    try:
        train(config, quiet=True, patience=float(os.environ["PATIENCE"]))
    except RunError as error:
        return type(error).__name__, str(error), error.exit_status


WRITING = {"os.mkdir", "os.rename", "os.remove", "os.rmdir", "os.truncate", "os.link", "os.symlink"}


def watch_writing(folder):
    """The files below a folder that this process goes on to create, change or remove."""
    seen = set()

    def hook(event, arguments):
        if event == "open":
            path, _, flags = arguments
            written = flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT)
        else:
            path, written = (arguments or [None])[0], event in WRITING
        if written and isinstance(path, (str, Path)) and str(path).startswith(str(folder)):
            seen.add(str(path))

    sys.addaudithook(hook)
    return seen


@contextlib.contextmanager
def faulty(*faults):
    with contextlib.ExitStack() as stack:
        for place, name, value in faults:
            stack.callback(setattr, place, name, getattr(place, name))
            setattr(place, name, value)
        yield


def start(count, folder, task, *words):
    """The processes of a task, their output captured."""
    place = [str(ROOT), *sys.path, os.environ.get("PYTHONPATH", "")]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(place), "OMP_NUM_THREADS": "1"}
    return [
        subprocess.Popen(
            [sys.executable, "-m", "tests.wgan.together", str(rank), str(count), str(folder), task,
             *words],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment,
        )
        for rank in range(count)
    ]  # fmt: skip


def done(processes, folder, task):
    """What each of the processes found."""
    for process in processes:
        _, complaint = process.communicate(timeout=400)
        assert process.returncode == 0, complaint
    return [torch.load(folder / f"{task}-{rank}.pt") for rank in range(len(processes))]


def main(rank, count, folder, task, *words):
    torch.set_num_threads(1)
    wait = datetime.timedelta(seconds=float(os.environ.get("PATIENCE", "200")))
    store = dist.FileStore(str(folder / f"store-{task}"), count)
    dist.init_process_group("gloo", store=store, rank=rank, world_size=count, timeout=wait)
    workers = SeveralWorkers(wait.total_seconds()) if count > 1 else Workers()
    found = globals()[f"task_{task}"](folder, workers, *map(json.loads, words))
    torch.save(found, folder / f"{task}-{rank}.pt")
    dist.destroy_process_group()
    left = [name for name in thread_names() if "gloo" in name]
    assert not left, f"the group lives on in {left}: Python may abort when it ends"


def thread_names():
    """The names of this process's threads, those without Python too, where Linux tells them."""
    names = []
    for task in Path("/proc/self/task").glob("*"):
        with contextlib.suppress(OSError):  # a thread that ended just now
            names.append((task / "comm").read_text().strip())
    return names


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3]), *sys.argv[4:])

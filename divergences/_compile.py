"""Every kernel compiled ahead of its first use: what ``divergences compile`` does.

A family is one problem or a few, which call all kernels of some solver with all the types that
these ever meet. Several processes share the families, the longest first; what two families have in
common is compiled once where one process solves both.
"""

import os
import signal
import subprocess
import sys
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import suppress
from queue import SimpleQueue
from threading import Event, Thread
from typing import Any, NamedTuple

import numpy as np

from ._js import js_divergence
from ._kl import kl_divergence
from ._optimal_transport import optimal_transport
from ._total_variation import total_variation
from ._typing import Float64Array
from ._wasserstein1 import wasserstein1
from ._wasserstein1_grid import wasserstein1_grid


def _points(*shape: int) -> Float64Array:
    return np.random.default_rng(len(shape)).random(shape)


def _masses(*shape: int) -> Float64Array:
    masses = _points(*shape) + 0.1
    return np.asarray(masses / masses.sum(axis=-1, keepdims=True))


def _multiscale() -> None:
    x = _points(700, 2)
    for y in (x[:600] ** 2, x[100:]):
        optimal_transport(x, y, _masses(700), _masses(600), solver="multiscale")


def _dense() -> None:
    x = _points(300, 20)
    optimal_transport(x, x[:250] ** 2, solver="dense")
    optimal_transport(x, x**2, solver="dense", metric="cityblock")
    clusters = np.arange(300)[:, None] % 2 + 1e-9 * x  # bounds in double precision
    optimal_transport(clusters, clusters[:250] + 1e-9 * x[50:], solver="dense")


def _small() -> None:
    """Problems for the simplex on all pairs, and for shortest augmenting paths."""
    optimal_transport(None, None, _masses(600), _masses(500), cost=_points(600, 500))
    optimal_transport(cost=_points(500, 500))
    wasserstein1(_points(300, 40), _points(300, 40) ** 2)
    wasserstein1(_points(450, 800), _points(430, 800) ** 2)
    wasserstein1(_points(500, 2), _points(450, 2) ** 2)


def _batches() -> None:
    x = _points(70, 8, 2)
    wasserstein1(x, x**2)
    wasserstein1(x, x[:, :5] ** 2, _masses(70, 8), _masses(70, 5))


def _grids() -> None:
    p = _masses(1600).reshape(40, 40)
    wasserstein1_grid(p, p.T)


def _line() -> None:
    x = _points(1 << 18)
    wasserstein1(x, x[1:] ** 2)
    wasserstein1(x, x**2, _masses(1 << 18))


def _vectors() -> None:
    p = _masses(2, 1 << 21)
    for dtype in (np.float64, np.float32):
        for divergence in (total_variation, kl_divergence, js_divergence):
            divergence(p[0].astype(dtype), p[1].astype(dtype))
            divergence(p.astype(dtype), p[::-1].astype(dtype))


FAMILIES: dict[str, Callable[[], None]] = {
    "multiscale": _multiscale,
    "small": _small,
    "batches": _batches,
    "vectors": _vectors,
    "dense": _dense,
    "grids": _grids,
    "line": _line,
}

_PROGRAM = "from divergences._compile import serve; serve()"


class Compiled(NamedTuple):
    """A family, the seconds that it took, and what went wrong: nothing if the text is empty."""

    family: str
    seconds: float
    trouble: str


def compile_all(processes: int) -> Iterator[Compiled]:
    """Solve every family, so many at a time; each as soon as it is done.

    Processes end with the caller's interest, as when somebody presses Ctrl-C.
    """
    left, found = deque(FAMILIES), SimpleQueue[Compiled | OSError]()
    begun: list[subprocess.Popen[str]] = []
    ended = Event()
    threads = [
        Thread(target=_ask_for_all, args=(left, found, begun, ended))
        for _ in range(min(processes, len(FAMILIES)))
    ]
    for thread in threads:
        thread.start()
    try:
        for _ in FAMILIES:
            done = found.get()
            if isinstance(done, OSError):
                raise done
            yield done
    finally:
        ended.set()
        for run in begun:
            run.kill()
        for thread in threads:
            thread.join()


def _ask_for_all(
    left: deque[str],
    found: SimpleQueue[Compiled | OSError],
    begun: list[subprocess.Popen[str]],
    ended: Event,
) -> None:
    """Have one process solve what is left; another if it dies. An error if none can begin."""
    try:
        while left and not ended.is_set():
            with suppress(BrokenPipeError), _begin(begun, ended) as run:
                _ask_while_it_lives(run, left, found, ended)
    except OSError as error:
        found.put(error)


def _ask_while_it_lives(
    run: subprocess.Popen[str],
    left: deque[str],
    found: SimpleQueue[Compiled | OSError],
    ended: Event,
) -> None:
    while left and not ended.is_set() and run.poll() is None:
        with suppress(IndexError):  # another thread took the last
            family, start = left.popleft(), time.perf_counter()
            trouble = _ask(run, family)
            found.put(Compiled(family, time.perf_counter() - start, trouble))


def _begin(begun: list[subprocess.Popen[str]], ended: Event) -> subprocess.Popen[str]:
    run = subprocess.Popen(
        [sys.executable, "-c", _PROGRAM],
        env={**os.environ, "DIVERGENCES_NUM_THREADS": "1"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    begun.append(run)
    if ended.is_set():  # meanwhile
        run.kill()
    return run


def _ask(run: subprocess.Popen[str], family: str) -> str:
    """What went wrong."""
    streams: Any = run
    with suppress(BrokenPipeError):
        streams.stdin.write(family + "\n")
        streams.stdin.flush()
        answer: str = streams.stdout.readline()
        if answer:
            return answer.strip()
    return f"the process ended with status {run.wait()}"


def serve() -> None:
    """Solve the families named by the lines that come in; answer each by what went wrong."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the caller ends it
    for line in sys.stdin:
        trouble = ""
        try:
            FAMILIES[line.strip()]()
        except Exception as error:
            trouble = " ".join(f"{type(error).__name__}: {error}".split())
        print(trouble, flush=True)

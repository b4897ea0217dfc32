"""Ctrl-C during compiled code, threads side by side, and the number of threads."""

import _thread
import signal
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from divergences import optimal_transport, wasserstein1
from divergences.transport._interrupt import interruptible, within


@pytest.fixture(autouse=True)
def usual_handler():
    """Python's own: what other tests of this process left behind must not decide."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before if before is not None else signal.default_int_handler)


def nothing():
    pass


def test_an_interruption_does_not_wait_for_the_work():
    began = time.monotonic()
    timer = threading.Timer(0.3, _thread.interrupt_main)
    timer.start()
    with pytest.raises(KeyboardInterrupt):
        interruptible(lambda: time.sleep(60), nothing)
    assert time.monotonic() - began < 30


def test_the_simplex_of_pot_is_interrupted(monkeypatch):
    import ot

    monkeypatch.setattr(ot, "emd", lambda *arguments, **keywords: time.sleep(60))
    x, y = np.random.default_rng(0).normal(size=(2, 2100, 3))
    timer = threading.Timer(1.0, _thread.interrupt_main)
    timer.start()
    with pytest.raises(KeyboardInterrupt):
        wasserstein1(x, y, solver="simplex")


def test_results_and_errors_come_back():
    assert interruptible(lambda: 3, nothing) == 3
    assert within(60.0, lambda: 3) == 3
    assert within(0.0, lambda: time.sleep(1)) is None
    for run in (lambda: interruptible(lambda: 1 // 0, nothing), lambda: within(60, lambda: 1 // 0)):
        with pytest.raises(ZeroDivisionError):
            run()


@pytest.mark.parametrize("solver", [None, "simplex", "multiscale"])
@pytest.mark.parametrize("weighted", [True, False])
def test_threads_side_by_side_give_the_same_bits(solver, weighted):
    rng = np.random.default_rng(1)
    x, y = rng.normal(size=(2, 150, 2))
    a = rng.dirichlet(np.ones(150)) if weighted else None

    def solve(_):
        return optimal_transport(x, y, a, solver=solver)

    alone = solve(0)
    with ThreadPoolExecutor(4) as pool:
        for result in pool.map(solve, range(4)):
            assert result.value == alone.value
            assert (result.plan != alone.plan).nnz == 0
            assert (result.potential_x == alone.potential_x).all()


def test_the_number_of_threads_changes_no_bit(monkeypatch):
    x, y = np.random.default_rng(2).normal(size=(2, 400, 2))
    results = []
    for threads in ("1", "2", "5"):
        monkeypatch.setenv("DIVERGENCES_NUM_THREADS", threads)
        results.append(optimal_transport(x, y, solver="multiscale"))
    for result in results[1:]:
        assert result.value == results[0].value
        assert (result.plan != results[0].plan).nnz == 0
        assert (result.potential_y == results[0].potential_y).all()

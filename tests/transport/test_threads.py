"""Blocks of work on threads: all of them, in their order, and on threads where there is much."""

import os
import threading
import time

import pytest

from divergences.transport import _threads


@pytest.mark.parametrize("count", [0, 1, 2, 15, 16, 40])
@pytest.mark.parametrize("processors", ["1", "2", "5"])
@pytest.mark.parametrize("seconds", [0.0, 1e-3])
def test_results_come_in_the_order_of_the_blocks(monkeypatch, count, processors, seconds):
    monkeypatch.setenv("DIVERGENCES_NUM_THREADS", processors)

    def work(number):
        time.sleep(seconds if number % 3 else 0.0)
        return number * number

    assert _threads.over_blocks(work, iter(range(count))) == [k * k for k in range(count)]


def _elsewhere(count, seconds):
    """Whether each of the blocks was done on another thread."""
    here = threading.get_ident()

    def work(_):
        time.sleep(seconds)
        return threading.get_ident() != here

    return _threads.over_blocks(work, range(count))


def test_others_help_with_few_blocks_and_with_long_ones(monkeypatch):
    """Many short blocks are done before another thread would be awake."""
    monkeypatch.setenv("DIVERGENCES_NUM_THREADS", "2")
    assert sorted(_elsewhere(2, 0.1)) == [False, True]
    many = _elsewhere(18, 5e-3)
    assert not many[0]
    assert any(many)
    monkeypatch.setattr(_threads, "_ALONE", 60.0)
    assert not any(_elsewhere(18, 1e-3))


def test_no_more_threads_work_than_the_variable_says(monkeypatch):
    monkeypatch.setenv("DIVERGENCES_NUM_THREADS", "3")
    everyone = set()

    def work(_):
        everyone.add(threading.get_ident())
        time.sleep(2e-3)

    _threads.over_blocks(work, range(15))
    first = set(everyone)
    assert 1 < len(first) <= 3
    _threads.over_blocks(work, range(15))
    assert len(everyone) <= 3  # they stay
    monkeypatch.setenv("DIVERGENCES_NUM_THREADS", "1")
    assert not any(_elsewhere(5, 1e-3))


def test_blocks_within_blocks_end(monkeypatch):
    """Also where all threads are within a block that waits for others."""
    monkeypatch.setenv("DIVERGENCES_NUM_THREADS", "2")

    def inner(number):
        time.sleep(1e-3)
        return number

    def outer(number):
        return sum(_threads.over_blocks(lambda k: inner(number * k), range(6)))

    assert _threads.over_blocks(outer, range(8)) == [15 * k for k in range(8)]


def test_callers_side_by_side_get_their_own(monkeypatch):
    monkeypatch.setenv("DIVERGENCES_NUM_THREADS", "2")
    found = {}

    def caller(which):
        def work(number):
            time.sleep(1e-4)
            return which, number

        found[which] = [_threads.over_blocks(work, range(20)) for _ in range(10)]

    callers = [threading.Thread(target=caller, args=(which,)) for which in range(6)]
    for thread in callers:
        thread.start()
    for thread in callers:
        thread.join(30)
    assert found == {w: [[(w, k) for k in range(20)]] * 10 for w in range(6)}


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no processes are forked here")
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork")
def test_a_forked_process_has_threads_of_its_own(monkeypatch):
    monkeypatch.setenv("DIVERGENCES_NUM_THREADS", "2")
    assert any(_elsewhere(2, 0.1))
    child = os.fork()
    if child == 0:
        os._exit(0 if sorted(_elsewhere(2, 0.1)) == [False, True] else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def test_where_no_thread_can_be_had_the_caller_does_all(monkeypatch):
    """As when Python ends, or at a limit of the system."""
    monkeypatch.setenv("DIVERGENCES_NUM_THREADS", "2")

    class Pool:
        def submit(self, *_):
            raise RuntimeError("can't start new thread")

    monkeypatch.setattr(_threads, "_helpers", lambda *_: Pool())
    assert _threads.over_blocks(lambda k: k + 1, range(5)) == [1, 2, 3, 4, 5]


def test_the_error_of_a_block_is_raised(monkeypatch):
    monkeypatch.setenv("DIVERGENCES_NUM_THREADS", "2")

    def work(number):
        if number == 9:
            raise KeyError(number)
        time.sleep(1e-3)

    with pytest.raises(KeyError):
        _threads.over_blocks(work, range(18))


@pytest.mark.parametrize("count", [5, 40])
def test_of_several_errors_the_first_is_raised_and_no_block_goes_on(monkeypatch, count):
    monkeypatch.setenv("DIVERGENCES_NUM_THREADS", "3")
    at_work = set()

    def work(number):
        at_work.add(number)
        time.sleep(1e-3 * (count - number))
        at_work.discard(number)
        if number >= count - 3:
            raise ValueError(number)

    with pytest.raises(ValueError, match=f"^{count - 3}$"):
        _threads.over_blocks(work, range(count))
    assert not at_work


def test_an_interruption_of_the_caller_ends_the_work_of_others(monkeypatch):
    monkeypatch.setenv("DIVERGENCES_NUM_THREADS", "2")
    here, done = threading.get_ident(), []

    def work(number):
        if threading.get_ident() == here and number:
            raise KeyboardInterrupt
        time.sleep(0.02)
        done.append(number)

    with pytest.raises(KeyboardInterrupt):
        _threads.over_blocks(work, range(200))
    finished = len(done)
    time.sleep(0.1)
    assert len(done) == finished < 100


def test_a_helper_that_comes_late_is_waited_for(monkeypatch):
    """Without room for another thread, one that is busy elsewhere may yet take a block."""
    monkeypatch.setenv("DIVERGENCES_NUM_THREADS", "5")
    here, began, free, late = threading.get_ident(), *(threading.Event() for _ in range(3))
    pool = _threads.ThreadPoolExecutor(4)
    monkeypatch.setattr(_threads, "_helpers", lambda *_: pool)
    pool.submit(lambda: (began.set(), free.wait(10)))
    assert began.wait(10)

    def refuse(_):
        raise RuntimeError("can't start new thread")

    def work(number):
        if threading.get_ident() == here:
            free.set()
            assert late.wait(10)
        else:
            late.set()
            time.sleep(0.1)
        return number

    with pool:
        monkeypatch.setattr(threading.Thread, "start", refuse)
        assert _threads.over_blocks(work, range(4)) == [0, 1, 2, 3]


@pytest.mark.parametrize("chosen", ["0", "-2", "\N{SUPERSCRIPT TWO}", "two", ""])
def test_a_number_of_threads_that_is_none_is_ignored(monkeypatch, chosen):
    monkeypatch.delenv("DIVERGENCES_NUM_THREADS", raising=False)
    available = _threads.processors()
    monkeypatch.setenv("DIVERGENCES_NUM_THREADS", chosen)
    assert _threads.processors() == available


def test_after_an_error_no_other_block_begins(monkeypatch):
    monkeypatch.setenv("DIVERGENCES_NUM_THREADS", "2")
    begun = []

    def work(number):
        begun.append(number)
        if number == 2:
            raise ValueError(number)
        time.sleep(0.02)

    with pytest.raises(ValueError, match=r"^2$"):
        _threads.over_blocks(work, range(60))
    assert len(begun) < 30

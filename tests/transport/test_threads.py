"""Blocks of work on threads: all of them, in their order, and on threads where there is much."""

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


def test_threads_are_started_for_few_blocks_and_for_long_ones(monkeypatch):
    """Many short blocks are done before threads would have started."""
    monkeypatch.setenv("DIVERGENCES_NUM_THREADS", "2")
    here = threading.get_ident()

    def elsewhere(count, seconds):
        def work(_):
            time.sleep(seconds)
            return threading.get_ident() != here

        return _threads.over_blocks(work, range(count))

    assert all(elsewhere(2, 0.0))
    assert elsewhere(18, 1e-3) == [False] + [True] * 17
    monkeypatch.setattr(_threads, "_ALONE", 60.0)
    assert not any(elsewhere(18, 1e-3))


def test_the_error_of_a_block_is_raised(monkeypatch):
    monkeypatch.setenv("DIVERGENCES_NUM_THREADS", "2")

    def work(number):
        if number == 9:
            raise KeyError(number)
        time.sleep(1e-3)

    with pytest.raises(KeyError):
        _threads.over_blocks(work, range(18))

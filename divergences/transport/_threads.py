"""Fixed blocks of work on as many threads as there are processors.

Kernels release the GIL. Which blocks there are never depends on the number of threads, and their
results come in the order of the blocks, so neither do any bits.
"""

import os
import time
from collections import deque
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import suppress
from functools import cache
from typing import TypeVar

_Result = TypeVar("_Result")

# Of many blocks the caller takes the first, for so many seconds, before it asks for help: waking
# a thread takes about half of that, and it may have to wait for the GIL.
_MANY, _ALONE = 16, 1e-4


def processors() -> int:
    """Processors that this process may use; the variable DIVERGENCES_NUM_THREADS comes first."""
    chosen = os.environ.get("DIVERGENCES_NUM_THREADS", "")
    if chosen.isdecimal() and int(chosen) > 0:
        return int(chosen)
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # macOS, Windows
        return os.cpu_count() or 1


@cache
def _helpers(count: int, _process: int) -> ThreadPoolExecutor:
    """Threads that stay: to start two takes longer than all blocks of a small problem.

    A process that was forked has none of its parent's, and gets its own.
    """
    return ThreadPoolExecutor(count, thread_name_prefix="divergences")


def over_blocks(work: Callable[[int], _Result], blocks: Iterable[int]) -> list[_Result]:
    """``work`` of each block, in their order.

    The caller works too, so that blocks within blocks need no thread that is free. Of the errors
    that blocks raise, the first in their order is raised, once no block is at work.
    """
    numbers = list(blocks)
    waiting = deque(enumerate(numbers))
    results: dict[int, _Result] = {}
    errors: dict[int, BaseException] = {}

    def take() -> None:
        place, number = waiting.popleft()
        try:
            results[place] = work(number)
        except BaseException as error:
            errors[place] = error
            waiting.clear()

    _take_all(waiting, take)
    if errors:
        raise errors[min(errors)]
    return [results[place] for place in range(len(numbers))]


def _take_all(waiting: deque[tuple[int, int]], take: Callable[[], None]) -> None:
    """Take all that wait, here, and on other threads as well where it is worth it."""
    threads, began = min(processors(), len(waiting)), time.perf_counter()
    if threads > 1 and len(waiting) >= _MANY:
        while waiting and time.perf_counter() - began < _ALONE:
            take()

    def take_on() -> None:
        with suppress(IndexError):  # another was faster
            while waiting:
                take()

    def help_out(done: Future[None]) -> None:
        if done.set_running_or_notify_cancel():
            take_on()
            done.set_result(None)

    # Futures of our own: the pool keeps what it was given even where it could start no thread.
    helping: list[Future[None]] = []
    try:
        if threads > 1 and waiting:
            pool = _helpers(processors() - 1, os.getpid())
            with suppress(RuntimeError):  # no thread can be started, as when Python ends
                for _ in range(threads - 1):
                    helping.append(Future())
                    pool.submit(help_out, helping[-1])
        take_on()
    finally:
        waiting.clear()
        wait([future for future in helping if not future.cancel()])

"""Fixed blocks of work on as many threads as there are processors.

Kernels release the GIL. Which blocks there are never depends on the number of threads, and their
results come in the order of the blocks, so neither do any bits.
"""

import os
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

_Result = TypeVar("_Result")

# Of many blocks the caller takes the first, for so many seconds, before it asks for threads: which
# take as long to start.
_MANY, _ALONE = 16, 5e-4


def processors() -> int:
    """Processors that this process may use; the variable DIVERGENCES_NUM_THREADS comes first."""
    chosen = os.environ.get("DIVERGENCES_NUM_THREADS", "")
    if chosen.isdigit() and int(chosen) > 0:
        return int(chosen)
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # macOS, Windows
        return os.cpu_count() or 1


def over_blocks(work: Callable[[int], _Result], blocks: Iterable[int]) -> list[_Result]:
    """``work`` of each block, in their order."""
    numbers = list(blocks)
    threads, began = processors(), time.perf_counter()
    done: list[_Result] = []
    alone = threads <= 1 or len(numbers) == 1
    for number in numbers:
        if not alone and (len(numbers) < _MANY or time.perf_counter() - began > _ALONE):
            break
        done.append(work(number))
    rest = numbers[len(done) :]
    if not rest:
        return done
    with ThreadPoolExecutor(min(threads, len(rest))) as pool:
        return done + list(pool.map(work, rest))

"""Fixed blocks of work on as many threads as there are processors.

Kernels release the GIL. Which blocks there are never depends on the number of threads, and their
results come in the order of the blocks, so neither do any bits.
"""

import os
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

_Result = TypeVar("_Result")


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
    threads = min(processors(), len(numbers))
    if threads <= 1:
        return [work(number) for number in numbers]
    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(work, numbers))

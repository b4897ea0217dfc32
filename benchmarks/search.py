"""An adversarial search for wrong answers: ``python -m benchmarks.search --seconds 3600``.

Every problem of ``tests.transport.hard_problems`` is solved by each solver that takes it; each
answer verifies itself over all pairs, all must agree, with each other and with the batch and grid
where these apply, and a solve that takes longer than its limit counts as an endless loop. Prints
one line a fault, with the seed that reproduces it.
"""

import argparse
import signal
import sys
import time
from collections import Counter

import numpy as np

from divergences import optimal_transport, wasserstein1
from tests.transport.hard_problems import Problem, draw

LIMIT = 120  # seconds of processor time that a solve may take
FEW_PAIRS = 250_000
FEW_COORDINATES = 5


class _EndlessError(Exception):
    pass


def solvers_of(problem: Problem) -> list[str | None]:
    """The solvers that take the problem; None is the rule's choice."""
    line = ["line"] if problem.x.shape[1] == 1 else []
    pairs, dimension = problem.x.shape[0] * problem.y.shape[0], problem.x.shape[1]
    multiscale = ["multiscale"] if dimension <= FEW_COORDINATES or pairs <= FEW_PAIRS else []
    return [None, *line, *multiscale, "dense", *(["simplex"] if pairs <= FEW_PAIRS else [])]


def faults(problem: Problem) -> list[str]:
    """What is wrong with the answers to the problem, one line each."""
    found, values = [], {}
    for solver in solvers_of(problem):
        signal.setitimer(signal.ITIMER_PROF, LIMIT)
        try:
            result = optimal_transport(
                problem.x, problem.y, problem.a, problem.b, metric=problem.metric, solver=solver
            )
            result.verify()
            values[solver] = result.value
            again = wasserstein1(
                problem.x, problem.y, problem.a, problem.b, metric=problem.metric, solver=solver
            )
            if again != result.value:
                found.append(
                    f"{solver}: wasserstein1 {again!r}, optimal_transport {result.value!r}"
                )
        except _EndlessError:
            found.append(f"{solver}: no answer in {LIMIT} s")
        except Exception as error:
            found.append(f"{solver}: {error!r}"[:300])
        finally:
            signal.setitimer(signal.ITIMER_PROF, 0)
    if values:
        slack = 1e-13 * diameter(problem)
        low, high = min(values.values()), max(values.values())
        if not high - low <= 1e-12 * high + slack:
            found.append(f"values differ: {values}")
    return found


def diameter(problem: Problem) -> float:
    """An upper bound of the distances under every norm of order 1 or more, up to a factor d."""
    both = np.concatenate([problem.x, problem.y])
    return float(np.ptp(both, axis=0).sum())


def main(arguments: list[str] | None = None) -> int:
    """Search for the given time; 1 if something was found."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--largest", type=int, default=1500)
    options = parser.parse_args(arguments)
    signal.signal(signal.SIGPROF, _raise)
    end = time.monotonic() + options.seconds
    done: Counter[str] = Counter()
    seed, bad = options.seed, 0
    while time.monotonic() < end:
        problem = draw(np.random.default_rng(seed), options.largest)
        for fault in faults(problem):
            bad += 1
            sizes = f"{problem.x.shape} {problem.y.shape}"
            print(f"seed {seed}: {problem.name}, {problem.metric}, {sizes}: {fault}", flush=True)
        done[problem.name.split(",")[0]] += 1
        seed += 1
    print(f"{sum(done.values())} problems from seed {options.seed}, {bad} faults: {dict(done)}")
    return bool(bad)


def _raise(_signum: int, _frame: object) -> None:
    raise _EndlessError


if __name__ == "__main__":
    sys.exit(main())

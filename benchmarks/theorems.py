"""The hour-long run of the claims: ``python -m benchmarks.theorems --seconds 3600 --seed S``.

Every claim is checked on more and more cases of one seed, in rounds, until the time is up. Case i
depends on seed, claim and i alone, so what is recorded, in ``results/theorems.json``, is
``divergences theorems --cases N --seed S`` with the N that the time allowed. The record is written
after each round; failures are printed with the call that draws them again.
"""

import argparse
import math
import sys
import time
from typing import Any

from benchmarks.record import record
from divergences.theorems import ALL, Relation, check_case

ROUND = 50  # cases of each claim between two records


def worst_of(claim_id: str, index: int, seed: int) -> tuple[float, str]:
    """The least slack of a case and the relation that has it; -inf where it raised or is NaN."""
    try:
        relations: tuple[Relation, ...] = check_case(claim_id, index, seed=seed)
    except Exception as error:
        return -math.inf, f"raised {error!r}"
    if not relations:
        return -math.inf, "the case compared nothing"
    worst = min(relations, key=lambda one: -math.inf if math.isnan(one.slack) else one.slack)
    return -math.inf if math.isnan(worst.slack) else worst.slack, repr(worst)


def one_round(start: int, seed: int, slacks: dict[str, float]) -> list[dict[str, Any]]:
    """Check cases start, start + 1, ... of each claim; lower ``slacks``; return the failures."""
    failures = []
    for claim in ALL:
        for index in range(start, start + ROUND):
            slack, relation = worst_of(claim.id, index, seed)
            slacks[claim.id] = min(slack, slacks[claim.id])
            if slack < 0:
                call = f"check_case({claim.id!r}, {index}, seed={seed})"
                print(f"{call}: {relation}", flush=True)
                failures.append({"call": call, "relation": relation})
    return failures


def main(arguments: list[str] | None = None) -> int:
    """Run for the given time; 1 if a claim failed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=3600.0)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args(arguments)
    slacks = {claim.id: math.inf for claim in ALL}
    failures: list[dict[str, Any]] = []
    begin, cases = time.monotonic(), 0
    while time.monotonic() - begin < options.seconds:
        failures += one_round(cases, options.seed, slacks)
        cases += ROUND
        figures = {
            "cases_of_each_claim": cases,
            "claims": len(ALL),
            "seed": options.seed,
            "seconds": round(time.monotonic() - begin, 1),
            "processor_seconds": round(time.process_time(), 1),
            "failures": failures,
            "least_slack": {name: float(f"{slack:.3g}") for name, slack in slacks.items()},
        }
        record("theorems", figures)
    done = f"{cases} cases of each of {len(ALL)} claims, seed {options.seed}"
    print(f"{done}: {len(failures)} failed")
    return bool(failures)


if __name__ == "__main__":
    sys.exit(main())

r"""Sequences of laws that converge in a known topology, with their exact divergences.

The order KL, then TV = JS, then W of the paper's Theorem 2 is strict; the sequences stand on each
step of it. Those named after counterexamples are C1, C3, C5 and C6 of the paper's topology.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ... import Discrete
from ..._validation import one_of
from ._vectors import simplex_vectors

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

TOPOLOGIES = ("kl", "total_variation", "wasserstein1", "weak")
"""From the strongest to the weakest; JS converges with total variation."""


@dataclass(frozen=True)
class ConvergentSequence:
    """Laws P_1, P_2, ... and the law P they approach.

    Attributes
    ----------
    topology : str
        The strongest of `TOPOLOGIES` in which they converge ("kl" means KL(P_n, P) and
        KL(P, P_n) both; "weak" means that even the Wasserstein-1 distance does not vanish, which
        takes mass that escapes to infinity).
    limit : Discrete
    term : callable, n to the n-th law, n = 1, 2, ...
    total_variation, wasserstein1 : callables, n to the exact value between the n-th law and P
    """

    topology: str
    limit: Discrete
    term: Callable[[int], Discrete]
    total_variation: Callable[[int], float]
    wasserstein1: Callable[[int], float]


def convergent_sequences(topology: str | None = None) -> "SearchStrategy[ConvergentSequence]":
    """Sequences of laws by the strongest topology in which they converge.

    Parameters
    ----------
    topology : {"kl", "total_variation", "wasserstein1", "weak"}, optional
        Drawn if not given.

    Returns
    -------
    strategy of ConvergentSequence

    Raises
    ------
    ValueError
        If there is no such topology.
    """
    from .._hypothesis import strategies as st

    if topology is not None:
        one_of(topology, "topology", TOPOLOGIES, "convergent_sequences")
    makers: dict[str, Any] = {
        "kl": lambda: st.builds(_tilted, simplex_vectors(2, 5, positive=True)),
        "total_variation": lambda: st.builds(_leaking, st.integers(1, 8).map(float)),
        "wasserstein1": lambda: st.builds(_moving, st.integers(1, 8).map(float)),
        "weak": lambda: st.builds(_escaping, st.integers(1, 8).map(float)),
    }
    names = TOPOLOGIES if topology is None else (topology,)
    return st.sampled_from(names).flatmap(lambda name: makers[name]())


def _tilted(weights: Any) -> ConvergentSequence:
    """(1 - 1/(2n)) P + 1/(2n) delta at the first atom: every density ratio tends to 1."""
    atoms = [float(index) for index in range(len(weights))]
    spread = float(weights @ atoms)

    def term(n: int) -> Discrete:
        mixed = weights * (1 - 0.5 / n)
        mixed[0] += 0.5 / n
        return Discrete(atoms, mixed / mixed.sum())

    return ConvergentSequence(
        "kl", Discrete(atoms, weights), term,
        lambda n: (1.0 - float(weights[0])) * 0.5 / n, lambda n: spread * 0.5 / n,
    )  # fmt: skip


def _leaking(distance: float) -> ConvergentSequence:
    """C3: mass 1/n away from the limit's only atom: KL(P_n, P) is infinite."""

    def term(n: int) -> Discrete:
        return Discrete([0.0, distance], [1.0 - 1.0 / n, 1.0 / n])

    return ConvergentSequence(
        "total_variation", Discrete([0.0]), term, lambda n: 1.0 / n, lambda n: distance / n
    )


def _moving(distance: float) -> ConvergentSequence:
    """C1: one atom on its way: W = distance / n, the supports stay disjoint."""
    return ConvergentSequence(
        "wasserstein1", Discrete([0.0]), lambda n: Discrete([distance / n]),
        lambda _: 1.0, lambda n: distance / n,
    )  # fmt: skip


def _escaping(distance: float) -> ConvergentSequence:
    """C5: mass 1/n at n times a distance, the rest on its way to 0: W does not vanish."""

    def term(n: int) -> Discrete:
        return Discrete([distance / n, distance * n], [1.0 - 1.0 / n, 1.0 / n])

    return ConvergentSequence(
        "weak", Discrete([0.0]), term, lambda _: 1.0,
        lambda n: math.fsum([distance / n * (1.0 - 1.0 / n), distance]),
    )  # fmt: skip

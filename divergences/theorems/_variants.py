"""How a claim's check becomes that of a false statement: one relation of it is rewritten."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from ._claim import Check, FalseVariant, Relation


def rewritten(
    statement: str, check: Check, name: str, change: Callable[[Relation], Relation]
) -> FalseVariant:
    """``check`` with the relations whose name begins with ``name`` replaced by ``change`` of them.

    Cases without such a relation are left as they are.
    """

    def false(rng: np.random.Generator, index: int) -> tuple[Relation, ...]:
        return tuple(
            change(relation) if relation.name.startswith(name) else relation
            for relation in check(rng, index)
        )

    return FalseVariant(statement, false)


def times(factor: float) -> Callable[[Relation], Relation]:
    """The right-hand side multiplied by ``factor``: a wrong constant."""
    return lambda relation: replace(relation, rhs=factor * relation.rhs)


def plus(term: float) -> Callable[[Relation], Relation]:
    """The right-hand side moved by ``term``."""
    return lambda relation: replace(relation, rhs=relation.rhs + term)


def value(rhs: float) -> Callable[[Relation], Relation]:
    """Another right-hand side."""
    return lambda relation: replace(relation, rhs=rhs)


def reversed_(relation: Relation) -> Relation:
    """The inequality in the wrong direction."""
    return replace(relation, lhs=relation.rhs, rhs=relation.lhs, kind="<=")


def equality(relation: Relation) -> Relation:
    """Equality where the claim says an inequality."""
    return replace(relation, kind="==")

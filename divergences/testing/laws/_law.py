"""What a law is, what its failure says, and the report of a check."""

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import numpy as np

from ..._array import is_tensor

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

Example: TypeAlias = dict[str, Any]


@dataclass(frozen=True)
class Comparison:
    """Two numbers and how they should lie to each other, up to an absolute rounding ``budget``."""

    lhs: float
    relation: Literal["<=", "==", "!="]
    rhs: float
    budget: float = 0.0

    @property
    def holds(self) -> bool:
        """Whether the relation is true within the budget; never with a NaN."""
        if math.isnan(self.lhs) or math.isnan(self.rhs):
            return False
        close = self.lhs == self.rhs or abs(self.lhs - self.rhs) <= self.budget
        if self.relation == "<=":
            return close or self.lhs < self.rhs
        return close == (self.relation == "==")


@dataclass(frozen=True)
class Law:
    """One property that every member of a kind has.

    Attributes
    ----------
    name, statement : str, for a reader
    examples : callable, () to a Hypothesis strategy of examples
    compare : callable (subject, example) to Comparison, or None where the law says nothing
    corners : tuple of examples tried first, the simplest first
    level : float or None, for a statistical law the probability with which a member fails it
    uses : tuple of str, the entries of an example that it looks at, and a failure shows; () for all
    """

    name: str
    statement: str
    examples: "Callable[[], SearchStrategy[Example]]"
    compare: "Callable[[Any, Example], Comparison | None]"
    corners: tuple[Example, ...] = ()
    level: float | None = None
    uses: tuple[str, ...] = ()


@dataclass(frozen=True)
class LawFailure:
    """A law that a function breaks, on the smallest example found.

    Attributes
    ----------
    law : str, the law's name
    example : dict, the arguments by name, as NumPy arrays and numbers
    lhs, rhs : float, the two sides that should have agreed (NaN where the function raised)
    diagnosis : str, the mistake if it was recognised, else empty
    statement : str, the law in one line
    relation : str, how the sides should lie: "<=", "==" or "!="
    """

    law: str
    example: Example
    lhs: float
    rhs: float
    diagnosis: str = ""
    statement: str = ""
    relation: str = "=="

    def __str__(self) -> str:
        arguments = ", ".join(f"{name}={readable(value)}" for name, value in self.example.items())
        lines = [
            f"{self.law}: {self.statement}",
            f"    at {arguments}" if arguments else "",
            f"    got {self.lhs!r}, to be {self.relation} {self.rhs!r}",
            f"    {self.diagnosis}" if self.diagnosis else "",
        ]
        return "\n".join(line for line in lines if line)


@dataclass(frozen=True)
class LawReport:
    """What a check of a function found; true if every law held.

    Attributes
    ----------
    function, kind : str, what was checked, and as what
    laws : tuple of str, the names of the laws that were tried, in order
    failures : tuple of LawFailure, empty if all held
    notes : tuple of str, what was observed that is no failure (how the function was called, say)
    max_examples, seed : int, with which the check can be repeated
    """

    function: str
    kind: str
    laws: tuple[str, ...]
    failures: tuple[LawFailure, ...]
    notes: tuple[str, ...] = ()
    max_examples: int = field(default=200, repr=False)
    seed: int = field(default=0, repr=False)

    @property
    def ok(self) -> bool:
        """Whether every law held."""
        return not self.failures

    def __bool__(self) -> bool:
        return self.ok

    def __str__(self) -> str:
        head = f"{self.function} as {self.kind}: "
        if self.ok:
            head += f"all {len(self.laws)} laws hold"
        else:
            head += f"{len(self.failures)} of {len(self.laws)} laws fail"
        return "\n".join([head, *(str(failure) for failure in self.failures), *self.notes])


def readable(value: Any) -> str:
    """An example's entry in a few characters that can be pasted back."""
    if is_tensor(value):
        value = value.detach().cpu().numpy()
    if isinstance(value, (np.ndarray, np.generic)):
        text = repr(value.tolist())
        return text if len(text) <= 400 else f"array of shape {value.shape}"
    return repr(value)

"""What a function does that no formula would: chance, memory, deafness."""

from collections.abc import Sequence

import numpy as np

from ..._typing import Float64Array
from ._domain import Domain, point_laws
from ._law import Example
from ._mistakes import VECTORS
from ._subject import FunctionRaisedError, Subject, UnfitAnswerError

CALLS = 4
UNSTEADY = "two calls with the same arguments differ: it draws at random, or keeps a state"


def unsteady(subject: Subject, example: Example) -> str:
    """A remark where the arguments of an example have different answers, or ""."""
    arrays = [value for value in example.values() if isinstance(value, np.ndarray)][:2]
    if len(arrays) < 2:
        arrays *= 2
    values = _values(subject, [tuple(arrays)] * CALLS) if arrays else []
    return UNSTEADY if len({repr(value) for value in values}) > 1 else ""


def constant(subject: Subject, domain: Domain) -> str:
    """A remark where all laws of one shape have one answer that is not 0, or ""."""
    if domain.name == "vectors":
        p, q = VECTORS[1]
        pairs = [(p, q), (q, p), (p, p), (p[::-1], q)]
    else:
        x, y = point_laws(domain)[-1]
        pairs = [(x, y), (2.0 * x, y), (x, x), (x, y + 5.0)]
    values = _values(subject, pairs)
    if len(values) == len(pairs) and len(set(values)) == 1 and values[0] and np.isfinite(values[0]):
        return f"it is {values[0]:.6g} whatever the laws: the arguments are not used"
    return ""


def _values(subject: Subject, pairs: Sequence[tuple[Float64Array, ...]]) -> list[float]:
    """The answers to some calls; none where one of them is no number."""
    try:
        return [subject(*pair) for pair in pairs]
    except (FunctionRaisedError, UnfitAnswerError):
        return []

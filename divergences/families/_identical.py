"""Whether two laws are the same."""

from typing import Any

import numpy as np

from .._array import as_numpy, is_tensor
from .._typing import Float64Array
from ._given import LawOnLine
from ._line import Parametric


def identical(p: Any, q: Any) -> bool:
    """Whether the laws are of one type with equal parameters."""
    if p is q:
        return True
    if type(p) is not type(q) or isinstance(p, LawOnLine) or not isinstance(p, Parametric):
        return False
    if p.parameters().keys() != q.parameters().keys():
        return False
    pairs = zip(p.parameters().values(), q.parameters().values(), strict=True)
    return all(_same(first, second) for first, second in pairs)


def _same(first: Any, second: Any) -> bool:
    if isinstance(first, tuple):
        pairs = zip(first, second, strict=False)
        return len(first) == len(second) and all(_same(a, b) for a, b in pairs)
    if isinstance(first, Parametric):
        return identical(first, second)
    return np.array_equal(_plain(first), _plain(second))


def _plain(value: Any) -> Float64Array:
    return as_numpy(value if is_tensor(value) else np.asarray(value))

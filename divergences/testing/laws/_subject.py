"""The function under test: how it is called, and its answer as a number."""

import sys
from collections.abc import Callable
from typing import Any

import numpy as np

from ..._array import is_tensor
from ..._typing import Float64Array

DOUBLE, SINGLE = 2.0**-52, 2.0**-23


class FunctionRaisedError(Exception):
    """The function under test raised; carries what."""

    def __init__(self, error: BaseException) -> None:
        super().__init__(f"raised {type(error).__name__}: {error}")


class UnfitAnswerError(Exception):
    """The function under test returned something that is not one real number."""


class Subject:
    """A function with the way to call it.

    Attributes
    ----------
    function : the callable
    library : "numpy" or "torch", what its arrays are
    batched : bool, whether vectors are handed over as batches of one
    eps : float, of the least precise dtype it has answered in
    scale : float, the largest magnitude it has answered with, at least 1
    """

    def __init__(
        self, function: Callable[..., Any], library: str = "numpy", *, batched: bool = False
    ) -> None:
        self.function, self.library, self.batched = function, library, batched
        self.eps, self.scale = DOUBLE, 1.0

    def raw(self, *arrays: Any) -> Any:
        """The answer as it comes, for fresh copies of ``arrays``; other arguments as they are."""
        arguments = [self._handed(a) if isinstance(a, np.ndarray) else a for a in arrays]
        try:
            return self.function(*arguments)
        except (Exception, SystemExit) as error:
            raise FunctionRaisedError(error) from error

    def __call__(self, *arrays: Any) -> float:
        """The answer as a number."""
        if self.batched:
            arrays = tuple(array[None] for array in arrays)
        value, eps = as_number(self.raw(*arrays))
        self.eps = max(self.eps, eps)
        if np.isfinite(value):
            self.scale = max(self.scale, abs(value))
        return value

    def _handed(self, array: Float64Array) -> Any:
        if self.library == "torch":
            import torch

            return torch.from_numpy(np.array(array))
        return np.array(array)

    def budget(self, *values: float) -> float:
        """Rounding allowed in a sum of a few terms no larger than 1 and ``values``."""
        finite = sum(abs(value) for value in values if np.isfinite(value))
        return 4096.0 * self.eps * (1.0 + finite)

    def root_budget(self, *values: float, size: float = 1.0) -> float:
        """Rounding allowed where values may be roots of cancelling sums of terms of ``size``."""
        scale = max(size, self.scale)
        noise = 4096.0 * self.eps * scale**2
        allowed = (noise / max(abs(v), noise**0.5) for v in values if np.isfinite(v))
        return float(sum(allowed)) + self.budget(*values)


def as_number(answer: Any) -> tuple[float, float]:
    """One real number and the eps of its dtype; anything else is an UnfitAnswerError."""
    shown = type(answer).__name__
    if is_tensor(answer):
        answer = answer.detach().cpu()
        answer = (answer.float() if answer.itemsize < 4 else answer).numpy()
    try:
        array = np.asarray(answer)
    except Exception as error:
        message = f"returned a {shown}, not a number"
        raise UnfitAnswerError(message) from error
    if array.dtype.kind not in "fiub" or array.size != 1:
        what = f"a {shown} of shape {array.shape}" if array.dtype.kind in "fiub" else f"a {shown}"
        message = f"returned {what}, not one real number"
        raise UnfitAnswerError(message)
    single = array.dtype in (np.float32, np.float16)
    return float(array.reshape(())), SINGLE if single else DOUBLE


def accepts(function: Callable[..., Any], library: str, *arrays: Float64Array) -> bool:
    """Whether a call answers with one finite number."""
    try:
        value, _ = as_number(Subject(function, library).raw(*arrays))
    except (FunctionRaisedError, UnfitAnswerError):
        return False
    return bool(np.isfinite(value))


def library_of(function: Callable[..., Any], *probes: tuple[Float64Array, ...]) -> str:
    """The library whose arrays the function takes: NumPy, unless it answers tensors only."""
    torch = sys.modules.get("torch")
    if torch is None:
        return "numpy"
    if isinstance(function, torch.nn.Module):
        return "torch"
    for probe in probes:
        for library in ("numpy", "torch"):
            if accepts(function, library, *probe):
                return library
    return "numpy"


def library_that_runs(function: Callable[..., Any], *probe: Any) -> str:
    """As `library_of`, for functions that answer with something else than one number."""
    libraries = ("numpy", "torch") if "torch" in sys.modules else ("numpy",)
    for library in libraries:
        try:
            Subject(function, library).raw(*probe)
        except FunctionRaisedError:
            continue
        return library
    return "numpy"

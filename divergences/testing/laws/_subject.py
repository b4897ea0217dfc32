"""The function under test: how it is called, and its answer as a number."""

import inspect
import sys
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from ..._array import is_tensor
from ..._typing import Float64Array

DOUBLE, SINGLE = 2.0**-52, 2.0**-23


class FunctionRaisedError(Exception):
    """The function under test raised; carries what."""

    def __init__(self, error: BaseException) -> None:
        super().__init__(f"raised {type(error).__name__}: {_text(error)}")


class UnfitAnswerError(Exception):
    """The function under test returned something that is not one real number."""


def _text(error: BaseException) -> str:
    """What an exception says, if it can: its own text may raise too."""
    try:
        return str(error)
    except Exception:
        return "(its text cannot be read)"


def called(function: Callable[..., Any], *arguments: Any) -> Any:
    """The answer of a function under test; whatever it raises is a FunctionRaisedError.

    That includes what derives from BaseException alone, as SystemExit and pytest's outcomes do;
    only Ctrl-C ends the check.
    """
    try:
        return function(*arguments)
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        raise FunctionRaisedError(error) from error


class Subject:
    """A function with the way to call it.

    Attributes
    ----------
    function : the callable
    library : "numpy" or "torch", what its arrays are
    batched : bool, whether vectors are handed over as batches of one
    eps : float, of the least precise dtype it has answered in
    scale : float, the largest magnitude it has answered with, at least 1
    writes : bool, whether it has changed an array that it was given
    """

    def __init__(
        self, function: Callable[..., Any], library: str = "numpy", *, batched: bool = False
    ) -> None:
        self.function, self.library, self.batched = function, library, batched
        self.eps, self.scale, self.writes = DOUBLE, 1.0, False

    def raw(self, *arrays: Any) -> Any:
        """The answer as it comes, for fresh copies of ``arrays``; other arguments as they are."""
        arguments = [self._handed(a) if isinstance(a, np.ndarray) else a for a in arrays]
        try:
            return called(self.function, *arguments)
        finally:
            self.writes = self.writes or any(
                isinstance(array, np.ndarray) and not np.array_equal(array, np.asarray(argument))
                for array, argument in zip(arrays, arguments, strict=True)
            )

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
        least = 64.0 * self.eps**0.5 * max(size, self.scale)  # the root of what the sum may lose
        allowed = (least * (least / max(abs(v), least)) for v in values if np.isfinite(v))
        return float(sum(allowed)) + self.budget(*values)


def as_number(answer: Any) -> tuple[float, float]:
    """One real number and the eps of its dtype; anything else is an UnfitAnswerError."""
    array = as_reals(answer, "one real number")
    if array.size != 1:
        shown = type(answer).__name__
        message = f"returned a {shown} of shape {array.shape}, not one real number"
        raise UnfitAnswerError(message)
    single = array.dtype in (np.float32, np.float16)
    return float(array.reshape(())), SINGLE if single else DOUBLE


def as_reals(answer: Any, wanted: str) -> Any:
    """An array of real numbers; what is none is an UnfitAnswerError that names ``wanted``."""
    message = f"returned a {type(answer).__name__}, not {wanted}"
    try:
        array = called(_as_array, answer)
    except FunctionRaisedError as error:
        raise UnfitAnswerError(message) from error
    if array.dtype.kind not in "fiub":
        raise UnfitAnswerError(message)
    return array


def known_number(known: Callable[..., Any], *arguments: Any) -> float:
    """The answer of a reference that was given as a function; it is trusted to have one."""
    try:
        copies = [np.array(a) if isinstance(a, np.ndarray) else a for a in arguments]
        return as_number(called(known, *copies))[0]
    except (FunctionRaisedError, UnfitAnswerError) as error:
        message = f"check: reference must answer with one real number; it {error}"
        raise ValueError(message) from error


def name_of(function: Any) -> str:
    """A function's name, or that of its class."""
    try:
        return str(getattr(function, "__name__", type(function).__name__))
    except Exception:  # a __getattr__ that fails
        return type(function).__name__


def parameters_of(function: Any) -> "Mapping[str, inspect.Parameter]":
    """What a function takes, by name; empty where that is not known."""
    try:
        return inspect.signature(function).parameters
    except Exception:  # without a signature, or with one that cannot be read
        return {}


def _as_array(answer: Any) -> Any:
    if is_tensor(answer):
        answer = answer.detach().cpu()
        answer = (answer.float() if answer.itemsize < 4 else answer).numpy()
    return np.asarray(answer)


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
    if torch is not None and isinstance(function, torch.nn.Module):
        return "torch"
    for probe in probes:
        if accepts(function, "numpy", *probe):
            return "numpy"
        if "torch" in sys.modules and accepts(function, "torch", *probe):
            return "torch"  # perhaps loaded by the very call before
    return "numpy"


def library_that_runs(function: Callable[..., Any], *probe: Any) -> str:
    """As `library_of`, for functions that answer with something else than one number."""
    for library in ("numpy", "torch"):
        try:
            if library in sys.modules:
                Subject(function, library).raw(*probe)
                return library
        except FunctionRaisedError:
            continue
    return "numpy"

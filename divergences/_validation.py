"""Every check of a user's array or option, and the one template of its message.

A message reads ``FUNCTION: PARAMETER must REQUIREMENT; got ARRIVED``. ``TypeError`` is for a thing
of the wrong kind (a string, a complex array, two array libraries at once), ``ValueError`` for a
value that the requirement excludes. Nothing is repaired. Checks that need the entries of an array
are skipped while torch only traces (see ``_array.values_are_readable``); shapes, dtypes and
devices are checked always.
"""

import importlib.util
import math
import numbers
from collections.abc import Callable
from typing import Any, NoReturn

import numpy as np

from ._array import as_numpy, detach, hides_values, host_view, is_tensor, values_are_readable
from ._metrics import NAMED_NORMS, NAMES, Metric
from ._summation import exact_sum, plainly_sums_to_one
from ._typing import Array, ArrayLike, Float64Array

MASS_TOLERANCE_CAP = 1e-3
MANY = 1 << 14  # weights whose exact sum takes longer than the rest


def refuse(
    function: str,
    parameter: str,
    requirement: str,
    arrived: str,
    error: type[Exception] = ValueError,
) -> NoReturn:
    """Raise ``error`` in the house's template."""
    message = f"{function}: {parameter} must {requirement}; got {arrived}"
    raise error(message)


def describe(value: object) -> str:
    """What arrived, in a few words: type, and shape and dtype or the value itself."""
    if is_tensor(value) or isinstance(value, np.ndarray):
        array: Any = value
        library = "torch tensor" if is_tensor(value) else "NumPy array"
        return f"a {library} of shape {tuple(array.shape)} and dtype {array.dtype}"
    if value is None:
        return "None"
    text = repr(value)
    if len(text) > 60:
        text = text[:57] + "..."
    return f"{type(value).__name__} {text}"


def real_array(value: ArrayLike, parameter: str, function: str) -> Array:
    """``value`` as a real NumPy array or torch tensor (float16, bfloat16, 32, 64, integer, bool).

    Values are not looked at. Lists become float64; anything that would lose digits or a mask
    (complex, longdouble, masked, object arrays, lists of tensors) is a ``TypeError``.
    """
    if type(value) is np.ndarray and value.dtype.kind in "fiub" and value.dtype.itemsize <= 8:
        return value
    requirement = "be an array, tensor or list of real numbers"
    if is_tensor(value):
        dense = str(value.layout) == "torch.strided" and not value.is_nested
        tiny = value.is_floating_point() and value.element_size() < 2  # eight bits and fewer
        if value.is_complex() or not dense or value.is_quantized or tiny:
            refuse(
                function, parameter, "be a dense tensor of real numbers", describe(value), TypeError
            )
        return value
    if isinstance(value, np.ma.MaskedArray):
        refuse(function, parameter, requirement + " (fill or drop masked entries)",
               "a masked array", TypeError)  # fmt: skip
    if value is None or isinstance(value, (str, bytes, dict, set, frozenset)):
        refuse(function, parameter, requirement, describe(value), TypeError)
    if _holds(value, is_tensor):
        refuse(function, parameter, requirement + " (stack tensors with torch.stack)",
               "a list of torch tensors", TypeError)  # fmt: skip
    if _holds(value, lambda entry: isinstance(entry, np.ma.MaskedArray)):
        refuse(function, parameter, requirement + " (fill or drop masked entries)",
               "a list with masked entries", TypeError)  # fmt: skip
    try:
        array = np.asarray(value)
    except (ValueError, TypeError, RuntimeError):  # ragged lists; things that refuse to be arrays
        refuse(function, parameter, "be a rectangular array of real numbers",
               f"a ragged or unreadable {describe(value)}")  # fmt: skip
    if array.dtype.kind not in "fiub" or array.dtype.itemsize > 8:
        arrived = f"{type(value).__name__} with entries of dtype {array.dtype}"
        refuse(function, parameter, requirement + " of at most 64 bits", arrived, TypeError)
    return array


def _holds(value: object, wanted: Callable[[object], bool]) -> bool:
    """Whether lists and tuples, however nested, hold such an entry."""
    if not isinstance(value, (list, tuple)):
        return False
    return any(wanted(entry) or _holds(entry, wanted) for entry in value)


def same_library(function: str, **arrays: Array | None) -> None:
    """Demand that the arrays given are all NumPy's, or all torch's on one device."""
    given = {name: array for name, array in arrays.items() if array is not None}
    if not any(map(is_tensor, given.values())):
        return
    homes = {
        name: f"torch ({array.device})" if is_tensor(array) else "NumPy"
        for name, array in given.items()
    }
    if len(set(homes.values())) > 1:
        arrived = ", ".join(f"{name} in {home}" for name, home in homes.items())
        refuse(
            function, " and ".join(given), "share one array library and device", arrived, TypeError
        )


def finite(array: Array, parameter: str, function: str) -> None:
    """Demand that no entry is NaN or infinite."""
    values = host_view(array)
    if values is not None:
        if np.logical_and.reduce(np.isfinite(values), axis=None):
            return
    elif not values_are_readable(array) or bool(array.isfinite().all()):
        return  # only one boolean leaves the device
    values = as_numpy(array)
    good = np.isfinite(values)
    if np.logical_and.reduce(good, axis=None):
        return
    where = tuple(int(index) for index in np.argwhere(~good)[0])
    refuse(function, parameter, "be finite",
           f"{values[where]} at index {where} ({int((~good).sum())} such entries)")  # fmt: skip


def known_values(function: str, **arrays: Array | None) -> None:
    """Demand tensors that hold values which a solver can see: not on meta, not under functorch."""
    for name, array in arrays.items():
        if array is None or not is_tensor(array) or not hides_values(array):
            continue
        refuse(function, name, "hold values that a solver can read (in place of torch.func "
               "transforms: batch axes, backward())",
               f"{describe(array)} under a transform or on the meta device", TypeError)  # fmt: skip


def mass_tolerance(dtype: Any, count: int) -> float:
    """How far a sum of ``count`` weights of ``dtype`` may lie from 1.

    ``eps(dtype) (8 + 4 sqrt(count))``, at most 1e-3: what rounding of honestly normalised weights
    can leave, and no more.
    """
    # Text takes microseconds; and torch.compile compares no dtype of torch with one of NumPy.
    name = "" if isinstance(dtype, np.dtype) and dtype.char == "d" else str(dtype)
    eps = 2.0**-52
    for narrow, width in (("bfloat16", 2.0**-7), ("float16", 2.0**-10), ("float32", 2.0**-23)):
        if name.endswith(narrow):
            eps = width
            break
    return min(MASS_TOLERANCE_CAP, eps * (8 + 4 * math.sqrt(count)))


def non_negative(array: Array, parameter: str, function: str) -> None:
    """Demand finite entries of at least 0; the first other one is named with its index."""
    finite(array, parameter, function)
    if not values_are_readable(array):
        return
    values = as_numpy(array)
    negative = values < 0
    if negative.any():
        where = tuple(int(index) for index in np.argwhere(negative)[0])
        refuse(function, parameter, "be non-negative", f"{values[where]} at index {where}")


def plainly_masses(array: Array) -> bool:
    """Whether a few masses on this computer are what ``masses`` demands, by a quick look."""
    values = host_view(array)
    if values is None:
        return False
    return plainly_sums_to_one(values, mass_tolerance(array.dtype, array.shape[-1]))


def masses(array: Array, parameter: str, function: str) -> None:
    """Demand non-negative entries that sum to 1 over the last axis (summed in float64)."""
    if plainly_masses(array):
        return
    if array.shape[-1] == 0:
        refuse(function, parameter, "have at least one entry", describe(array))
    non_negative(array, parameter, function)
    if not values_are_readable(array):
        return
    values = as_numpy(array)
    tolerance = mass_tolerance(array.dtype, values.shape[-1])
    if values.size > MANY and (np.abs(values.sum(axis=-1) - 1.0) < 0.5 * tolerance).all():
        return  # pairwise sums of so many entries are good to less than the other half
    high, low = exact_sum(np, values)
    off = np.abs((high - 1.0) + low)
    if (off > tolerance).any():
        where = tuple(int(index) for index in np.argwhere(off > tolerance)[0])
        place = f" at batch index {where}" if where else ""
        refuse(function, parameter,
               f"sum to 1 within {tolerance:.2g} (it is not rescaled for you: divide by the sum)",
               f"a sum of {float(high[where] + low[where])!r}{place}")  # fmt: skip


def points(value: ArrayLike, parameter: str, function: str, *, batch: bool = False) -> Array:
    """Samples of shape (n,) or (n, d), as (n, d); with ``batch`` also (..., n, d). Finite."""
    if type(value) is np.ndarray and value.dtype == np.float64 and value.ndim == 2 and value.size:
        finite(value, parameter, function)  # what most callers give, in less time
        return value
    array = real_array(value, parameter, function)
    shapes = "(n,), (n, d) or (..., n, d)" if batch else "(n,) or (n, d)"
    if array.ndim == 0 or (array.ndim > 2 and not batch):
        refuse(function, parameter, f"have shape {shapes}", describe(array))
    if array.ndim == 1:
        array = array[:, None]
    if array.shape[-2] == 0 or array.shape[-1] == 0:
        refuse(function, parameter, "hold at least one point of at least one coordinate",
               f"shape {tuple(array.shape)}")  # fmt: skip
    finite(array, parameter, function)
    return array


def weights(value: ArrayLike, parameter: str, count: int, function: str) -> Array:
    """One weight a point: shape (count,), non-negative, summing to 1."""
    array = real_array(value, parameter, function)
    if tuple(array.shape) != (count,):
        refuse(function, parameter, f"have shape ({count},), one weight for each point",
               describe(array))  # fmt: skip
    masses(array, parameter, function)
    return array


def same_dimension(x: Array, y: Array, function: str, names: str = "x and y") -> None:
    """Demand points of one dimension."""
    if x.shape[-1] != y.shape[-1]:
        refuse(function, names, "have points of the same dimension",
               f"{x.shape[-1]} and {y.shape[-1]}")  # fmt: skip


def real_number(value: Any, parameter: str, function: str, *, positive: bool = False) -> None:
    """Demand a finite real number (Python's, NumPy's or a 0-d array), positive if asked for."""
    kind = "be a positive finite number" if positive else "be a finite number"
    is_array = is_tensor(value) or isinstance(value, np.ndarray)
    if isinstance(value, (bool, np.bool_)) or not (isinstance(value, numbers.Real) or is_array):
        refuse(function, parameter, kind, describe(value), TypeError)
    if is_array and (value.ndim != 0 or str(value.dtype).rpartition(".")[2] == "bool"):
        refuse(function, parameter, kind, describe(value), TypeError)
    if not values_are_readable(value):
        return
    try:
        number = float(detach(value))
    except OverflowError:  # an integer beyond the floats
        number = math.inf
    if not math.isfinite(number) or (positive and number <= 0):
        refuse(function, parameter, kind, repr(number))


def progress_bar(value: object, function: str) -> bool:
    """True or False; True needs tqdm, which is looked for."""
    if not isinstance(value, bool):
        refuse(function, "progress", "be True or False", describe(value), TypeError)
    if value and importlib.util.find_spec("tqdm") is None:
        requirement = "be False where tqdm is not installed (pip install tqdm)"
        refuse(function, "progress", requirement, "True", ImportError)
    return value


def one_of(value: object, parameter: str, choices: tuple[str, ...], function: str) -> str:
    """One of the strings ``choices``."""
    if not isinstance(value, str) or value not in choices:
        error = ValueError if isinstance(value, str) else TypeError
        refuse(
            function,
            parameter,
            "be one of " + ", ".join(map(repr, choices)),
            describe(value),
            error,
        )
    return value


def cost_matrix(
    value: ArrayLike,
    function: str,
    shape: tuple[int, int] | None = None,
    parameter: str = "cost",
) -> Array:
    """A finite real matrix with at least one row and column; of ``shape`` if that is given."""
    array = real_array(value, parameter, function)
    if array.ndim != 2 or 0 in tuple(array.shape):
        refuse(function, parameter, "be a matrix of shape (n, m)", describe(array))
    if shape is not None and tuple(array.shape) != shape:
        refuse(function, parameter, f"have shape {shape}, one entry for each pair of points",
               describe(array))  # fmt: skip
    finite(array, parameter, function)
    return array


def uniform(count: int) -> Float64Array:
    """The weights of an empirical law: ``count`` times 1/count."""
    return np.full(count, 1.0 / count)


def logarithm_unit(base: Any, function: str) -> float:
    """The divisor that turns nats into logarithms of ``base``: 1 for None, else log(base)."""
    if base is None:
        return 1.0
    real_number(base, "base", function)
    if float(base) <= 1.0:
        refuse(function, "base", "be greater than 1 (or None for nats)", repr(float(base)))
    return math.log(float(base))


def sample_weights(
    value: ArrayLike, parameter: str, cloud: Array, function: str, *, batch: bool = False
) -> Array:
    """One weight for each point of a cloud (n, d); with ``batch`` also (..., n) for (..., n, d)."""
    count = int(cloud.shape[-2])
    if not batch:
        return weights(value, parameter, count, function)
    array = real_array(value, parameter, function)
    if array.ndim == 0 or array.shape[-1] != count or array.ndim >= max(2, cloud.ndim):
        shape, axes = (f"({count},)", "") if cloud.ndim == 2 else (
            f"(..., {count})", " and no more leading axes than the points have"
        )  # fmt: skip
        refuse(function, parameter, f"have shape {shape}, one weight for each point{axes}",
               describe(array))  # fmt: skip
    masses(array, parameter, function)
    return array


def batch_shape(
    function: str, x: Array, y: Array, x_weights: Array | None, y_weights: Array | None
) -> tuple[int, ...]:
    """The leading axes that clouds (..., n, d) and weights (..., n) share after broadcasting."""
    shapes = {"x": x.shape[:-2], "y": y.shape[:-2]}
    for name, array in (("x_weights", x_weights), ("y_weights", y_weights)):
        if array is not None:
            shapes[name] = array.shape[:-1]
    try:
        return np.broadcast_shapes(*(tuple(shape) for shape in shapes.values()))
    except ValueError:
        refuse(function, " and ".join(shapes), "have batch axes that broadcast",
               ", ".join(f"{name} {tuple(shape)}" for name, shape in shapes.items()))  # fmt: skip


def nonzero_points(array: Array, parameter: str, function: str) -> None:
    """Demand points other than the origin, which has no direction."""
    if not values_are_readable(array):
        return
    zero = ~as_numpy(array).any(axis=-1)
    if zero.any():
        where = tuple(int(index) for index in np.argwhere(zero)[0])
        refuse(function, parameter, "hold non-zero vectors under metric='angular'",
               f"the origin at index {where}")  # fmt: skip


def ground_metric(value: Any, function: str) -> Metric:
    """A metric by name, ``("minkowski", order)``, or a callable."""
    if isinstance(value, tuple) and len(value) == 2 and value[0] == "minkowski":
        if value[1] == math.inf:
            return Metric("minkowski", math.inf)
        real_number(value[1], "the order of metric", function)
        order = float(value[1])
        if order < 1:
            refuse(function, "the order of metric", "be at least 1", repr(value[1]))
        return Metric("minkowski", order)
    if isinstance(value, str) and value in NAMED_NORMS:
        return NAMED_NORMS[value]
    if callable(value):
        return Metric("callable", function=value)
    choices = ", ".join(repr(name) for name in NAMES if name != "minkowski")
    requirement = f"be one of {choices}, ('minkowski', order) or a callable"
    if isinstance(value, str) and value in ("cosine", "sqeuclidean"):
        requirement += f" ({value} is no metric: give its matrix to optimal_transport as cost=)"
    if not isinstance(value, str):
        refuse(function, "metric", requirement, describe(value), TypeError)
    if value not in NAMES or value == "minkowski":
        refuse(function, "metric", requirement, describe(value))
    return Metric(value)


def default_for_laws(value: object, default: object, parameter: str, function: str) -> None:
    """Demand that an option without meaning for laws was left alone."""
    if value is not default and not (isinstance(value, type(default)) and value == default):
        refuse(function, parameter, f"be left at {default!r} for laws", describe(value))

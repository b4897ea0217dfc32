"""``lipschitz_bound``: what a critic's slope cannot exceed, layer by layer."""

import itertools
import math
from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrizations, parametrize

from divergences._validation import describe, refuse

from ._activations import CONSTANTS
from ._convolution_bound import convolution_bound, padding_bound, transposed_convolution_bound
from ._matrix_norm import spectral_norm_bound
from ._pooling_bound import average_pooling_bound, max_pooling_bound, only_global
from ._rounding import product_up, quotient_up


def lipschitz_bound(critic: nn.Module) -> float:
    r"""Certified upper bound of a critic's Lipschitz constant, for Euclidean norms.

    .. math:: \|f(x) - f(y)\|_2 \le L \|x - y\|_2 \quad \text{for all } x, y, \qquad
              L = \prod_l L_l

    with :math:`L_l` the constant of layer l with its parameters *as they are in memory*. So
    (critic gap) / L is a lower bound of Wasserstein-1 in the units of the data.

    Parameters
    ----------
    critic : Module
        Sequential (nested as you like) of: Linear; Conv and ConvTranspose in 1 to 3 dimensions,
        with stride, padding, padding mode, dilation and groups; activations; average and max
        pooling; padding layers; batch normalisation and dropout in evaluation mode; the layers and
        critics of ``divergences.dual``; layers of those types whose weight is parametrised by
        ``torch.nn.utils.parametrizations`` (in evaluation mode); compiled and data-parallel
        wrappers of such; and any module with a method ``lipschitz_bound() -> float`` of its own,
        which states what that module's map cannot exceed (a subclass that redefines ``forward``
        redefines it too).

    Returns
    -------
    float
        At least the exact constant of each layer, multiplied with outward rounding in float64. 0
        for a constant critic, inf where the product overflows.

    Raises
    ------
    NotImplementedError
        For a layer without a known constant, with hooks or with a forward of its own: the message
        names it. Nothing is guessed. Layer, group and instance normalisation have no useful
        constant, batch normalisation in training mode has none, torch's Softplus jumps at its
        threshold (accepted from 35 on, where the jump is below the rounding of float64).
    ValueError
        For a NaN or infinite parameter.

    Notes
    -----
    Dense layers: a spectral norm with a proof (a Cholesky factor whose residual is measured; power
    iteration would give a *lower* bound). Convolutions: the supremum of the frequency response,
    from a grid and M. Riesz's lemma, which is exact on the infinite lattice and an upper bound for
    every padding and every size of input. The statement is about the map in exact arithmetic with
    the stored parameters; values computed in float32 scatter around it by their own rounding.

    Costs O(sum of m n min(m, n)) for dense layers; a convolution of 256 channels takes some
    seconds. Parameters are read: it synchronises with a GPU.

    References
    ----------
    Gouk et al., Regularisation of neural networks by enforcing Lipschitz continuity (2021);
    Sedghi, Gupta, Long, The singular values of convolutional layers (2019).

    Examples
    --------
    >>> from torch import nn
    >>> critic = nn.Sequential(nn.Linear(2, 1, bias=False), nn.LeakyReLU(0.2))
    >>> _ = critic[0].weight.data.copy_(torch.tensor([[3.0, 4.0]]))
    >>> round(lipschitz_bound(critic), 9)
    5.0
    """
    if not isinstance(critic, nn.Module):
        refuse("lipschitz_bound", "critic", "be a torch.nn.Module", describe(critic), TypeError)
    wrapped = _unwrapped(critic)
    if wrapped is not None:
        return lipschitz_bound(wrapped)
    demand_plain(critic, "lipschitz_bound")
    own = getattr(critic, "lipschitz_bound", None)
    if callable(own) and _speaks_for_forward(critic):
        return _stated(critic, own())
    known = known_type(critic)
    if known is nn.Sequential:
        children: Any = critic
        return product_up(*[lipschitz_bound(layer) for layer in children])
    bound = BOUNDS[known](critic) if known in BOUNDS else None
    if bound is None:
        raise NotImplementedError(_unknown(critic))
    tensors = itertools.chain(critic.parameters(recurse=False), critic.buffers(recurse=False))
    if math.isnan(bound) or not all(bool(tensor.detach().isfinite().all()) for tensor in tensors):
        refuse("lipschitz_bound", "critic", "have finite parameters",
               f"NaN or infinite ones in a {type(critic).__name__}")  # fmt: skip
    return bound


def demand_plain(layer: nn.Module, function: str) -> None:
    """NotImplementedError for a layer that does more than its type says."""
    everywhere = torch.nn.modules.module
    hooks = (layer._forward_hooks, layer._forward_pre_hooks,
             everywhere._global_forward_hooks, everywhere._global_forward_pre_hooks)  # fmt: skip
    shadowed = {"forward", "_conv_forward", "_call_impl"} & set(vars(layer))
    if any(hooks) or shadowed:
        message = (
            f"{function}: no bound is known for a {type(layer).__name__} with "
            "hooks (spectral_norm and weight_norm of torch.nn.utils are such) or a forward of "
            "its own"
        )
        raise NotImplementedError(message)


def known_type(layer: nn.Module) -> type[nn.Module] | None:
    """The known class whose map the layer computes, None where a subclass may have changed it.

    A subclass counts if it adds things but redefines nothing; parametrised layers redefine their
    weight, which is read as it will be used.
    """
    redefined: set[str] = set()
    for kind in type(layer).__mro__:
        if kind in BOUNDS or kind is nn.Sequential:
            return kind if not (redefined - {"weight"}) & set(dir(kind)) else None
        allowed = {"__module__", "__doc__", "__init__", "__annotations__", "__dict__",
                   "__weakref__", "extra_repr", "__repr__", "__firstlineno__",
                   "__static_attributes__", "__annotate__", "__annotate_func__",
                   "__annotations_cache__"}  # fmt: skip
        if parametrize.is_parametrized(layer) and kind is type(layer):
            allowed |= {"__getstate__", "__deepcopy__", "weight"}
        redefined |= set(vars(kind)) - allowed
        if "weight" in redefined:
            return None
    return None


def _unknown(layer: nn.Module) -> str:
    training = " in training mode" if _waits_for_evaluation(layer) else ""
    return (
        f"lipschitz_bound: no bound is known for a {type(layer).__name__}{training} ({layer}); "
        "give the module a method lipschitz_bound() that states one, or build the critic from the "
        "layers that lipschitz_bound lists"
    )


def _waits_for_evaluation(layer: Any) -> bool:
    """Whether the layer has a bound in evaluation mode, and is not in it."""
    if parametrize.is_parametrized(layer):
        steps = itertools.chain(*layer.parametrizations.values())
        return any(type(step) is parametrizations._SpectralNorm and step.training for step in steps)
    still = object.__new__(type(layer))  # shares everything but the mode
    vars(still).update(vars(layer), training=False)
    known = known_type(still)
    return layer.training and known in BOUNDS and BOUNDS[known](still) is not None


def _speaks_for_forward(critic: nn.Module) -> bool:
    """Whether the stated bound is at least as new as forward: a subclass may have changed it."""
    if "lipschitz_bound" in vars(critic):
        return True
    for kind in type(critic).__mro__:
        if "lipschitz_bound" in vars(kind):
            return True
        if "forward" in vars(kind):
            break
    return False


def _stated(critic: nn.Module, bound: Any) -> float:
    """A bound that a module states of itself."""
    if isinstance(bound, bool) or not isinstance(bound, (int, float)) or not bound >= 0:
        refuse("lipschitz_bound", "critic", "state a non-negative number as its bound",
               f"{describe(bound)} from a {type(critic).__name__}")  # fmt: skip
    return float(bound)


def _unwrapped(critic: Any) -> nn.Module | None:
    """The module inside a compiled or data-parallel wrapper."""
    inner: Any = None
    if type(critic).__name__ == "OptimizedModule":
        inner = critic._orig_mod
    elif type(critic) in (nn.DataParallel, nn.parallel.DistributedDataParallel):
        inner = critic.module
    if inner is None or critic._forward_hooks or critic._forward_pre_hooks:
        return None
    module: nn.Module = inner
    return module


def _weight(layer: Any) -> Tensor | None:
    """The weight that forward uses; None where it changes from call to call."""
    if parametrize.is_parametrized(layer):
        for name, chain in layer.parametrizations.items():
            for step in chain:
                random = isinstance(step, parametrizations._SpectralNorm) and step.training
                if random or type(step) not in DETERMINISTIC or name not in ("weight", "bias"):
                    return None
    with torch.no_grad():
        weight: Tensor = layer.weight
    return weight


DETERMINISTIC: tuple[type[nn.Module], ...] = (
    parametrizations._SpectralNorm,
    parametrizations._WeightNorm,
    parametrizations._Orthogonal,
)
"""Parametrisations whose weight is one function of their state in evaluation mode."""


def _linear(layer: Any) -> float | None:
    weight = _weight(layer)
    return None if weight is None else spectral_norm_bound(weight)


def _convolution(bound: Callable[[Any, Tensor], float], layer: Any) -> float | None:
    weight = _weight(layer)
    if weight is None:
        return None
    # names the culprit before the frequencies are computed
    if not bool(weight.isfinite().all()):
        refuse("lipschitz_bound", "critic", "have finite parameters",
               f"a weight of {type(layer).__name__} that is not")  # fmt: skip
    return bound(layer, weight)


def _batch_norm(layer: Any) -> float | None:
    r"""The slope :math:`|\gamma| / \sqrt{\sigma^2 + \varepsilon}` with the running statistics."""
    if layer.training or layer.running_var is None or parametrize.is_parametrized(layer):
        return None
    variances = layer.running_var.detach().double().cpu()
    scales = torch.ones_like(variances) if layer.weight is None else layer.weight.detach().double()
    slopes = []
    for scale, variance in zip(scales.abs().tolist(), variances.tolist(), strict=True):
        # one subtraction of an ulp for the sum, one for the root: rounded down
        floor = math.nextafter(variance + layer.eps, 0.0)
        if not (variance >= 0.0 and floor > 0.0 and math.isfinite(scale + variance)):
            refuse("lipschitz_bound", "critic", "have finite scales and positive variances in its "
                   "batch normalisation", f"scale {scale} and variance {variance}")  # fmt: skip
        slopes.append(quotient_up(scale, math.nextafter(math.sqrt(floor), 0.0)))
    return max(slopes)


def _pool(bound: Callable[[Any, int], float], axes: int, layer: Any) -> float | None:
    return None if getattr(layer, "return_indices", False) else bound(layer, axes)


def _adaptive(layer: Any) -> float | None:
    simple = only_global(layer) and not getattr(layer, "return_indices", False)
    return 1.0 if simple else None


def _padding(mode: str, layer: Any) -> float | None:
    if mode == "circular" and min(layer.padding) < 0:  # torch then copies memory it never wrote
        return None
    return padding_bound(mode, layer.padding)


def _constant(entry: float | Callable[[Any], float | None], layer: Any) -> float | None:
    if parametrize.is_parametrized(layer):  # whose parameter may change from call to call
        return None
    return entry(layer) if callable(entry) else entry


def _layer(name: str, axes: int) -> type[nn.Module]:
    kind: type[nn.Module] = getattr(nn, f"{name}{axes}d")
    return kind


def _registry() -> dict[type[nn.Module] | None, Callable[[Any], float | None]]:
    bounds: dict[type[nn.Module] | None, Callable[[Any], float | None]] = {
        kind: partial(_constant, entry) for kind, entry in CONSTANTS.items()
    }
    bounds[nn.Linear] = _linear
    bounds[nn.SyncBatchNorm] = _batch_norm
    for axes in (1, 2, 3):
        bounds[_layer("Conv", axes)] = partial(_convolution, convolution_bound)
        bounds[_layer("ConvTranspose", axes)] = partial(_convolution, transposed_convolution_bound)
        bounds[_layer("BatchNorm", axes)] = _batch_norm
        bounds[_layer("AvgPool", axes)] = partial(_pool, average_pooling_bound, axes)
        bounds[_layer("MaxPool", axes)] = partial(_pool, max_pooling_bound, axes)
        bounds[_layer("AdaptiveAvgPool", axes)] = _adaptive
        bounds[_layer("AdaptiveMaxPool", axes)] = _adaptive
        for mode in ("Zero", "Constant"):
            bounds[_layer(f"{mode}Pad", axes)] = partial(_padding, "zeros")
        for name, mode in (("Reflection", "reflect"), ("Replication", "replicate"),
                           ("Circular", "circular")):  # fmt: skip
            bounds[_layer(f"{name}Pad", axes)] = partial(_padding, mode)
    return bounds


BOUNDS = _registry()

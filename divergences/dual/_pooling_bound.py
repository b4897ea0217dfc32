"""Lipschitz constants of poolings, for inputs of any size."""

import math
from typing import Any

from ._rounding import product_up, quotient_up, root_up


def average_pooling_bound(layer: Any, axes: int) -> float:
    r"""Norm of an average pooling over ``axes`` axes.

    With every window divided by the same number it is the convolution with a constant kernel, and
    a non-negative kernel has its largest response at frequency 0:

    .. math:: \prod_i \frac{1}{k_i} \sqrt{\sum_{r < s_i} n_{ir}^2}, \qquad
              n_{ir} = \#\{j < k_i : j \equiv r \pmod{s_i}\}.

    Where windows that leave the input are divided by their own count, rows sum to 1 and an entry
    lies in at most ceil(k / s) windows per axis, each with a weight of at most 1: the norm is at
    most the root of the product (of the largest row and column sums).
    """
    size, stride = _tuple(layer.kernel_size, axes), _tuple(layer.stride, axes)
    padding = _tuple(layer.padding, axes)
    divisor = getattr(layer, "divisor_override", None)
    partial = any(padding) and not layer.count_include_pad
    if divisor is None and (partial or layer.ceil_mode):
        windows = math.prod(-(-k // s) for k, s in zip(size, stride, strict=True))
        return root_up(float(windows))
    bound = 1.0
    for k, s in zip(size, stride, strict=True):
        squares = sum(len(range(r, k, s)) ** 2 for r in range(s))
        bound = product_up(bound, root_up(float(squares)))
    return quotient_up(bound, float(abs(divisor) if divisor else math.prod(size)))


def max_pooling_bound(layer: Any, axes: int) -> float:
    r"""Lipschitz constant of a max pooling: the root of how many windows may hold one entry.

    A maximum moves by at most the largest of its entries' moves, so the squared moves of all
    outputs sum to at most that number times the squared move of the input.
    """
    bound = 1
    dilation = _tuple(layer.dilation, axes)
    for k, s, d in zip(
        _tuple(layer.kernel_size, axes), _tuple(layer.stride, axes), dilation, strict=True
    ):
        bound *= -(-k // (s // math.gcd(s, d)))
    return root_up(float(bound))


def only_global(layer: Any) -> bool:
    """Whether an adaptive pooling pools each channel to one value."""
    size = layer.output_size
    return all(length == 1 for length in (size if isinstance(size, tuple) else (size,)))


def _tuple(value: int | tuple[int, ...], axes: int) -> tuple[int, ...]:
    return tuple(value) if isinstance(value, (tuple, list)) else (value,) * axes

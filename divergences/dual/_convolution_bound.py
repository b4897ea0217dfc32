"""Operator norms of convolutions and paddings, for inputs of any size."""

import math
from collections.abc import Sequence
from typing import Any

from torch import Tensor

from ._rounding import product_up, root_up
from ._symbol import polyphase, symbol_norm_bound


def convolution_bound(layer: Any, weight: Tensor) -> float:
    r"""Upper bound of the operator norm of a convolution (1d, 2d, 3d), for every size of input.

    Zero padding: the layer extends its input by zeros to the whole lattice, convolves there and
    keeps a part of the result. The first map is an isometry and the last drops entries, so the
    norm is at most that of the convolution on the lattice, which is the supremum of its frequency
    response (:func:`~._symbol.symbol_norm_bound`); a stride s is a convolution without stride on
    the s^D interleaved parts of the input, which is again exact on the lattice.

    Circular padding: on a torus of n points the response is taken at multiples of
    :math:`2 \pi / n`, whatever n, and the same supremum covers it. The interleaved parts do not
    exist where s does not divide n, so the stride is ignored: dropping outputs is a contraction.
    Paddings wider than the kernel needs repeat outputs, which costs a root of the repetitions.

    Reflection and replication first copy entries: the norm of that map is the root of the largest
    number of copies (see :func:`padding_bound`), times the norm without padding.
    """
    kernel = grouped(weight, layer.groups)
    size, dilation = layer.kernel_size, layer.dilation
    stride = layer.stride
    repeated = 1.0
    if layer.padding_mode == "circular":
        stride = (1,) * len(size)
        pads = _pairs(layer._reversed_padding_repeated_twice)[::-1]
        for (left, right), taps, gap in zip(pads, size, dilation, strict=True):
            excess = left + right - gap * (taps - 1)
            # torch pads by at most the size of the input, so that one exceeds either pad
            repeated *= 1 + math.ceil(max(0, excess) / max(left, right, 1))
    elif layer.padding_mode != "zeros":
        mode = layer.padding_mode
        repeated = _copies(mode, layer._reversed_padding_repeated_twice)
    norm = symbol_norm_bound(polyphase(kernel, stride, dilation))
    return product_up(norm, root_up(float(repeated)))


def transposed_convolution_bound(layer: Any, weight: Tensor) -> float:
    """The same for a transposed convolution: the adjoint of one, with outputs dropped or added.

    Outputs that ``output_padding`` adds belong to the adjoint on the lattice as well.
    """
    kernel = grouped(weight, layer.groups)
    return symbol_norm_bound(polyphase(kernel, layer.stride, layer.dilation))


def padding_bound(mode: str, padding: Sequence[int]) -> float:
    """Norm of a padding of any input: the root of how often an entry is copied at most."""
    return 1.0 if mode == "zeros" else root_up(float(_copies(mode, padding)))


def grouped(weight: Tensor, groups: int) -> Tensor:
    """Kernel (out, in / groups, *size) as float64 (groups, out / groups, in / groups, *size)."""
    weight = weight.detach().to(device="cpu").double()
    kernel: Tensor = weight.reshape(groups, weight.shape[0] // groups, *weight.shape[1:])
    return kernel


def _copies(mode: str, padding: Sequence[int]) -> int:
    """How many copies of one entry there are at most, whatever the size of the input."""
    copies = 1
    for pair in _pairs(padding):
        left, right = max(0, pair[0]), max(0, pair[1])
        if mode == "replicate":
            copies *= 1 + left + right  # an input of one point
        else:  # reflection and circular padding add each entry at most once on either side
            copies *= 1 + (left > 0) + (right > 0)
    return copies


def _pairs(padding: Sequence[int]) -> list[tuple[int, int]]:
    return [(padding[i], padding[i + 1]) for i in range(0, len(padding), 2)]

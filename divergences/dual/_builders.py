"""Critics ready to train."""

import itertools
from collections.abc import Sequence

import torch
from torch import nn

from divergences._validation import refuse

from ._group_sort import GroupSort, MaxMin
from ._orthogonal_linear import OrthogonalLinear, positive_count


def orthogonal_mlp(
    inputs: int,
    widths: Sequence[int] = (128, 128, 128),
    *,
    method: str = "cayley",
    group_size: int = 2,
    generator: torch.Generator | None = None,
    device: torch.device | str | None = None,
    dtype: torch.dtype | None = None,
) -> nn.Sequential:
    r"""1-Lipschitz critic: orthogonal dense layers with sorting between them.

    .. math:: f = W_L \circ \mathrm{sort} \circ W_{L-1} \circ \dots \circ \mathrm{sort} \circ W_1

    Parameters
    ----------
    inputs : int
        Coordinates of a point.
    widths : sequence of int, default (128, 128, 128)
        Of the hidden layers; ``group_size`` divides each.
    method : str, default "cayley"
        As :class:`OrthogonalLinear`.
    group_size : int, default 2
        As :class:`GroupSort`.
    generator : torch.Generator, optional
        Of all initial parameters, on the CPU; torch's global state without one.
    device, dtype : optional
        Of the parameters.

    Returns
    -------
    Sequential
        Maps (n, inputs) to (n, 1); its :func:`lipschitz_bound` is 1 up to rounding, at every
        moment of training.

    Raises
    ------
    TypeError, ValueError
        For numbers that are not positive integers, widths that the group size does not divide, or
        an unknown method.

    References
    ----------
    Anil, Lucas, Grosse, Sorting out Lipschitz function approximation (2019), theorem 3: such
    networks approximate every 1-Lipschitz function on a compact set.

    Examples
    --------
    >>> critic = orthogonal_mlp(2, (16, 16), generator=torch.Generator().manual_seed(0))
    >>> critic(torch.zeros(5, 2)).shape
    torch.Size([5, 1])
    """
    positive_count(inputs, "inputs", "orthogonal_mlp")
    positive_count(group_size, "group_size", "orthogonal_mlp")
    for width in widths:
        positive_count(width, "widths", "orthogonal_mlp")
        if width % group_size:
            refuse("orthogonal_mlp", "widths", f"be multiples of {group_size}", repr(width))
    layers: list[nn.Module] = []
    for before, after in itertools.pairwise((inputs, *widths, 1)):
        layers.append(
            OrthogonalLinear(
                before, after, method=method, generator=generator, device=device, dtype=dtype
            )
        )
        layers.append(MaxMin() if group_size == 2 else GroupSort(group_size))
    return nn.Sequential(*layers[:-1])

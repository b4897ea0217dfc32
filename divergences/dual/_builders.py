"""Critics ready to train."""

import itertools
import math
from collections.abc import Sequence

import torch
from torch import nn

from divergences._validation import refuse

from ._group_sort import GroupSort, MaxMin
from ._initial import uniform
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
        Of all initial parameters, on any device; torch's global state without one.
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


def penalised_mlp(
    inputs: int,
    widths: Sequence[int] = (256, 256, 256),
    *,
    generator: torch.Generator | None = None,
    device: torch.device | str | None = None,
    dtype: torch.dtype | None = None,
) -> nn.Sequential:
    r"""A plain perceptron, for :func:`wasserstein1_dual`, which keeps it in bounds by a penalty.

    .. math:: f = W_L \circ \mathrm{ReLU} \circ \dots \circ \mathrm{ReLU} \circ W_1

    with biases: the usual critic; :class:`MaxoutCritic` learns faster. The recipe, as
    :func:`wasserstein1_dual` applies it to every critic whose bound is above 1: batches of 1,024;
    Adam with rates from 1e-3 to 0 along a cosine and averages of .5 and .9; a one-sided gradient
    penalty of weight 10 at 256 of the pairs.

    Parameters
    ----------
    inputs : int
        Coordinates of a point.
    widths : sequence of int, default (256, 256, 256)
        Of the hidden layers.
    generator : torch.Generator, optional
        Of all initial parameters, on any device; torch's global state without one.
    device, dtype : optional
        Of the parameters.

    Returns
    -------
    Sequential
        Maps (n, inputs) to (n, 1). Its :func:`lipschitz_bound` is the product of the layers' norms,
        far above the slope that it has: the estimate is good, the certified bound loose.

    Raises
    ------
    TypeError, ValueError
        For numbers that are not positive integers.

    References
    ----------
    Petzka, Fischer, Lukovnikov, On the regularization of Wasserstein GANs (2018), equation 8;
    He et al., Delving Deep into Rectifiers (2015), whose uniform initial weights, thinned to a
    sixth of their variance as torch does, are used.

    Examples
    --------
    >>> critic = penalised_mlp(2, (16, 16), generator=torch.Generator().manual_seed(0))
    >>> critic(torch.zeros(5, 2)).shape
    torch.Size([5, 1])
    """
    for number in (inputs, *widths):
        positive_count(number, "inputs and widths", "penalised_mlp")
    layers: list[nn.Module] = []
    for before, after in itertools.pairwise((inputs, *widths, 1)):
        layer = nn.Linear(before, after, device=device, dtype=dtype)
        for parameter in layer.parameters():
            uniform(parameter, 1 / math.sqrt(before), generator)
        layers += [layer, nn.ReLU()]
    return nn.Sequential(*layers[:-1])

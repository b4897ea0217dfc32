"""Weight clipping, the Lipschitz constraint of the paper's Algorithm 1."""

import math
from dataclasses import dataclass
from functools import cache

import torch
from torch import Tensor, nn

from divergences._validation import real_number

from ._architecture import architecture_bound


@dataclass(frozen=True)
class WeightClipping:
    r"""Keep every parameter of the critic in :math:`[-c, c]`.

    .. math:: w \leftarrow \min(\max(w, -c), c)

    The set of such networks is compact, so all of them are K-Lipschitz with one K that depends on
    the architecture and on c alone; :meth:`lipschitz_bound` states one.

    Parameters
    ----------
    limit : float, default 0.01
        :math:`c`, positive and finite; in the units of the parameters.

    Raises
    ------
    TypeError, ValueError
        For a limit that is not a positive finite number.

    References
    ----------
    Arjovsky, Chintala, Bottou, Wasserstein GAN (2017), algorithm 1 and section 3.

    Examples
    --------
    >>> from torch import nn
    >>> WeightClipping(0.5).lipschitz_bound(nn.Sequential(nn.Linear(4, 9), nn.ReLU(),
    ...                                                   nn.Linear(9, 1)))
    4.5
    """

    limit: float = 0.01

    def __post_init__(self) -> None:
        real_number(self.limit, "limit", "WeightClipping", positive=True)
        object.__setattr__(self, "limit", float(self.limit))

    def penalty(self, critic: nn.Module, x: Tensor, y: Tensor) -> Tensor | None:  # noqa: ARG002
        """None: clipping changes the parameters, not the objective."""
        return None

    @torch.no_grad()
    def project(self, critic: nn.Module) -> None:
        """Clip all parameters of the critic in place (buffers stay); O(number of parameters).

        A NaN stays a NaN.
        """
        parameters: list[Tensor] = list(critic.parameters())
        for dtype, on_cpu in {(parameter.dtype, parameter.is_cpu) for parameter in parameters}:
            limit = _largest_at_most(self.limit, dtype)
            alike = [p for p in parameters if (p.dtype, p.is_cpu) == (dtype, on_cpu)]
            if on_cpu:  # there one pass over the memory of each
                for parameter in alike:
                    parameter.clamp_(-limit, limit)
            else:
                torch._foreach_clamp_min_(alike, -limit)
                torch._foreach_clamp_max_(alike, limit)

    def lipschitz_bound(self, critic: nn.Module) -> float:
        r"""Lipschitz constant that no clipped critic of this architecture exceeds.

        .. math:: \prod_l c \sqrt{n_l n_{l-1}}

        with :math:`n_l` the widths of the dense layers: the spectral norm of a matrix is at most
        its Frobenius norm, and the latter at most :math:`c \sqrt{n_l n_{l-1}}`. Parameters are not
        looked at, only their number, so the statement is about critics after :meth:`project`.

        Parameters
        ----------
        critic : Module
            A dense layer, a known activation, or a Sequential of such, however nested.

        Returns
        -------
        float
            Units of the critic per unit of its input, Euclidean norms. Computed in float64.

        Raises
        ------
        NotImplementedError
            For a layer without a known bound (a convolution, batch normalisation, a module with
            its own forward): the message names it.
        """
        return architecture_bound(
            critic,
            lambda layer: self.limit * math.sqrt(layer.in_features * layer.out_features),
            "WeightClipping.lipschitz_bound",
        )


@cache
def _largest_at_most(limit: float, dtype: torch.dtype) -> float:
    """The largest number of ``dtype`` that does not exceed ``limit``.

    Rounding to nearest may exceed it (0.1 in float32 does), and the bound would be false.
    """
    rounded = torch.tensor(limit, dtype=dtype, device="cpu")
    if rounded.item() > limit:
        rounded = torch.nextafter(rounded, torch.zeros_like(rounded))
    return float(rounded.item())

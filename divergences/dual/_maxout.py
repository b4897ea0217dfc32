"""A perceptron that ends in a maximum, for critics that are maxima of something."""

import math

import torch
from torch import Tensor, nn

from divergences._validation import real_number, refuse

from ._initial import uniform
from ._matrix_norm import spectral_norm_bound
from ._orthogonal_linear import positive_count
from ._rounding import product_up, sum_up, up


class MaxoutCritic(nn.Module):
    r"""Critic of one hidden layer and one large maxout unit, with a smooth maximum.

    .. math::
        f(x) = \langle v, h(x) \rangle + \tau \log \sum_k \exp\Bigl( \tfrac1\tau
        \bigl( \langle a_k, x \rangle + \langle c_k, h(x) \rangle + b_k \bigr) \Bigr), \qquad
        h(x) = \mathrm{ReLU}(W x + e)

    Optimal critics of Wasserstein-1 are maxima (of cones, one at each atom of a law), which a sum
    of ReLUs has to put together piece by piece, and a maximum over pieces is given at once. The
    pieces here are affine functions and what the hidden layer bends: nothing is built from cones
    or distances, and with enough of either part every continuous function is approximated on a
    compact set. No constraint is built in: :func:`wasserstein1_dual` trains it with a one-sided
    gradient penalty, from the start with a smooth maximum, in which all pieces learn, to a sharp
    one.

    Parameters
    ----------
    inputs : int
        Coordinates of a point.
    width : int, default 512
        Of the hidden layer.
    pieces : int, default 512
        Over which the maximum goes.
    temperature : float, default 0
        :math:`\tau`, at least 0, in the units of the values; 0 is the plain maximum.
    generator : torch.Generator, optional
        Of all initial parameters, on any device; torch's global state without one.
    device, dtype : optional
        Of the parameters.

    Raises
    ------
    TypeError, ValueError
        For numbers that are not positive integers, or a negative temperature.

    Notes
    -----
    ``forward`` maps (n, inputs) to (n,) in O(n width (inputs + pieces)).

    References
    ----------
    Goodfellow et al., Maxout networks (2013); Calafiore, Gaubert, Possieri, Log-sum-exp neural
    networks and posynomial models for convex and log-log-convex data (2019).

    Examples
    --------
    >>> critic = MaxoutCritic(2, 8, 4, generator=torch.Generator().manual_seed(0))
    >>> critic(torch.zeros(5, 2)).shape
    torch.Size([5])
    """

    hidden_weight: nn.Parameter
    hidden_bias: nn.Parameter
    sum_weight: nn.Parameter
    slopes: nn.Parameter
    bends: nn.Parameter
    heights: nn.Parameter

    def __init__(
        self,
        inputs: int,
        width: int = 512,
        pieces: int = 512,
        *,
        temperature: float = 0.0,
        generator: torch.Generator | None = None,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        super().__init__()
        name = "MaxoutCritic"
        for label, count in (("inputs", inputs), ("width", width), ("pieces", pieces)):
            positive_count(count, label, name)
        real_number(temperature, "temperature", name)
        if temperature < 0:
            refuse(name, "temperature", "be at least 0", repr(temperature))
        self.temperature = float(temperature)
        shapes = {
            "hidden_weight": (width, inputs), "hidden_bias": (width,), "sum_weight": (width,),
            "slopes": (pieces, inputs), "bends": (pieces, width), "heights": (pieces,),
        }  # fmt: skip
        for label, shape in shapes.items():
            fan = inputs if label.startswith("hidden") else inputs + width
            empty = torch.empty(shape, device=device, dtype=dtype)
            setattr(self, label, nn.Parameter(uniform(empty, 1 / math.sqrt(fan), generator)))

    def forward(self, points: Tensor) -> Tensor:
        """Values at the points (n, inputs), shape (n,)."""
        bent = nn.functional.linear(points, self.hidden_weight, self.hidden_bias).relu()
        levels = nn.functional.linear(points, self.slopes, self.heights)
        levels = levels + nn.functional.linear(bent, self.bends)
        if self.temperature > 0:
            top = self.temperature * torch.logsumexp(levels / self.temperature, dim=1)
        else:
            top = levels.amax(dim=1)
        return top + nn.functional.linear(bent, self.sum_weight)

    def lipschitz_bound(self) -> float:
        r"""Certified constant.

        .. math:: \max_k \; \lVert a_k \rVert + \lVert v + c_k \rVert \, \lVert W \rVert_2

        since a gradient is an average of those of the pieces, each with the sum's. ValueError for
        parameters that are not finite.
        """
        if not all(bool(parameter.isfinite().all()) for parameter in self.parameters()):
            refuse("lipschitz_bound", "critic", "have finite parameters",
                   "NaN or infinite ones in a MaxoutCritic")  # fmt: skip
        steep = spectral_norm_bound(self.hidden_weight.detach())
        slopes, bends, shared = (
            part.detach().cpu().double() for part in (self.slopes, self.bends, self.sum_weight)
        )
        rounded = 2.0**-52 * (bends.abs() + shared.abs())  # the sum of the two is rounded once
        bent = _row_norms((bends + shared).abs() + rounded)
        return max(
            sum_up(straight, product_up(turned, steep))
            for straight, turned in zip(_row_norms(slopes), bent, strict=True)
        )

    def get_extra_state(self) -> Tensor:
        """The temperature, which belongs to the function but is no parameter."""
        return torch.tensor(self.temperature, dtype=torch.float64)

    def set_extra_state(self, state: Tensor) -> None:
        """Take the temperature from a ``state_dict``."""
        self.temperature = float(state)

    def extra_repr(self) -> str:
        """Numbers that describe the critic, for ``repr``."""
        (width, inputs), pieces = self.hidden_weight.shape, len(self.heights)
        return f"{inputs}, width={width}, pieces={pieces}, temperature={self.temperature}"


def _row_norms(matrix: Tensor) -> list[float]:
    """Upper bounds of the Euclidean norms of the rows of a float64 matrix."""
    peaks = matrix.abs().amax(dim=1).clamp_min(torch.finfo(matrix.dtype).tiny)
    norms = torch.linalg.vector_norm(matrix / peaks[:, None], dim=1) * peaks
    room = 1 + (matrix.shape[1] + 8) * torch.finfo(matrix.dtype).eps
    return [up(norm * room) for norm in norms.tolist()]

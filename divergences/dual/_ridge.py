"""Ridge critics: an optimal function on the line, after a projection."""

import math

import torch
from torch import Tensor, nn

from divergences._validation import describe, refuse

_KNOTS = 512
_STARTS = 6


class RidgeCritic(nn.Module):
    r"""A piecewise linear function of one direction, 1-Lipschitz by construction.

    .. math:: f(x) = g(\langle w, x \rangle), \qquad \lVert w \rVert = 1, \; |g'| \le 1

    Optimal for laws that differ along one direction only (translations, products with a common
    factor, rotated or not), and there a sample suffices that leaves a network of the same power
    far behind. Elsewhere it is a lower bound: the *max-sliced* distance.

    Parameters
    ----------
    direction : floating tensor, shape (d,)
        :math:`w`; divided by its length here.
    knots : floating tensor, shape (k,)
        Not decreasing; where :math:`g` bends.
    slopes : floating tensor, shape (k + 1,)
        :math:`g'` left of the first knot, between knots, right of the last one.

    Raises
    ------
    ValueError
        For shapes that do not fit, entries that are not finite, a direction of length 0, or knots
        that decrease.

    Notes
    -----
    All three are buffers in float64: `wasserstein1_dual` fits them by sorting, and gradient steps
    do not train them. ``forward`` maps (n, d) to (n,) in O(n (d + log k)).

    Examples
    --------
    >>> import torch
    >>> critic = RidgeCritic(torch.tensor([0.0, 2.0]), torch.tensor([1.0]), torch.tensor([-1.0, 1]))
    >>> critic(torch.tensor([[5.0, 0.0], [5.0, 3.0]]))
    tensor([1., 2.])
    """

    direction: Tensor
    knots: Tensor
    slopes: Tensor

    def __init__(self, direction: Tensor, knots: Tensor, slopes: Tensor) -> None:
        super().__init__()
        direction, knots, slopes = (part.detach().double() for part in (direction, knots, slopes))
        _check(direction, knots, slopes)
        self.register_buffer("direction", direction / torch.linalg.vector_norm(direction))
        self.register_buffer("knots", knots)
        self.register_buffer("slopes", slopes)

    def forward(self, x: Tensor) -> Tensor:
        """Values at the points (n, d), shape (n,), in the dtype of ``x``."""
        along = x.to(self.direction.dtype) @ self.direction
        piece = torch.searchsorted(self.knots, along.detach())
        knot = (piece - 1).clamp_min(0)
        # computed from what is in memory: rounded on their own they would make the pieces jump
        rises = self.slopes[1:-1] * self.knots.diff()
        heights = torch.cat([rises.new_zeros(1), rises.cumsum(0)])
        values = heights[knot] + self.slopes[piece] * (along - self.knots[knot])
        return values.to(x.dtype)

    def lipschitz_bound(self) -> float:
        """Length of the direction times the steepest slope, rounded outward."""
        length = float(torch.linalg.vector_norm(self.direction.double()))
        steepest = float(self.slopes.double().abs().max())
        return length * steepest * (1 + 2.0**-51 * self.direction.numel())


def _check(direction: Tensor, knots: Tensor, slopes: Tensor) -> None:
    for name, part in (("direction", direction), ("knots", knots), ("slopes", slopes)):
        if part.ndim != 1 or part.numel() == 0 or not bool(part.isfinite().all()):
            refuse("RidgeCritic", name, "be finite and have one axis", describe(part))
    if slopes.numel() != knots.numel() + 1:
        refuse("RidgeCritic", "slopes", f"have {knots.numel() + 1} entries", describe(slopes))
    if not bool((knots.diff() >= 0).all()):
        refuse("RidgeCritic", "knots", "not decrease", describe(knots))
    if not bool(direction.any()):
        refuse("RidgeCritic", "direction", "have a positive length", "zeros")


def fit_potential(direction: Tensor, x: Tensor, y: Tensor) -> RidgeCritic:
    r"""The ridge critic of a direction that is optimal for two weightless samples.

    On the line :math:`E_x g - E_y g = \int g' (F_y - F_x)`, so the best slope on a cell is the sign
    of the integral over it; cells hold equally many points. O((n + m) log(n + m)).
    """
    direction = direction.double() / torch.linalg.vector_norm(direction.double())
    at_x = (x.double() @ direction).sort().values
    at_y = (y.double() @ direction).sort().values
    pooled = torch.cat([at_x, at_y]).sort().values
    below_x = torch.searchsorted(at_x, pooled[:-1], right=True) / at_x.numel()
    below_y = torch.searchsorted(at_y, pooled[:-1], right=True) / at_y.numel()
    areas = torch.cat([pooled.new_zeros(1), ((below_y - below_x) * pooled.diff()).cumsum(0)])
    count = min(_KNOTS, pooled.numel())
    chosen = torch.linspace(0, pooled.numel() - 1, count, device=x.device).round().long()
    slopes = areas[chosen].diff().sign()
    slopes = torch.where(slopes == 0, 1.0, slopes) if slopes.numel() else pooled.new_ones(1)
    first, last = slopes[:1], slopes[-1:]
    knots = pooled[chosen]
    inner = slopes if count > 1 else slopes[:0]
    return RidgeCritic(direction, knots, torch.cat([first, inner, last]))


def ridge_directions(x: Tensor, y: Tensor, generator: torch.Generator) -> Tensor:
    """Directions to start from, rows of unit length: of the means, of the covariances, random."""
    difference = x.mean(dim=0) - y.mean(dim=0)
    spread = _covariance(x) - _covariance(y)
    vectors = torch.linalg.eigh(spread).eigenvectors.T
    count = min(2, vectors.shape[0])
    random = torch.randn(_STARTS - 1 - 2 * count, x.shape[1], generator=generator).to(x)
    starts = torch.cat([difference[None], vectors[:count], vectors[-count:], random])
    lengths = torch.linalg.vector_norm(starts, dim=1, keepdim=True)
    fallback = torch.full_like(starts, 1 / math.sqrt(x.shape[1]))
    return torch.where(lengths > 0, starts / lengths.clamp_min(1e-30), fallback)


def sliced_objective(directions: Tensor, x: Tensor, y: Tensor) -> Tensor:
    """Wasserstein-1 along each row of ``directions``, for equally many points; shape (k,)."""
    unit = directions / torch.linalg.vector_norm(directions, dim=1, keepdim=True)
    gaps = (x @ unit.T).sort(dim=0).values - (y @ unit.T).sort(dim=0).values
    means: Tensor = gaps.abs().mean(dim=0)
    return means


def _covariance(points: Tensor) -> Tensor:
    centred = points - points.mean(dim=0)
    return centred.T @ centred / points.shape[0]

"""What a critic proves of a distance: its mean difference, less rounding, over its constant."""

import math

import torch
from torch import Tensor, nn

from divergences._array import detach
from divergences._validation import describe, real_number, refuse

from ._certificate import lipschitz_bound
from ._objective import two_samples, values_at
from ._violation import violation

_NAME = "certified_lower_bound"
_ROUNDING = 2.0**-40
_BLOCK = 8192
_MOVING = (nn.modules.batchnorm._BatchNorm, nn.modules.dropout._DropoutNd)


def certified_lower_bound(
    critic: nn.Module, x: Tensor, y: Tensor, *, constant: float | None = None
) -> float:
    r"""What a critic as it is proves of the Wasserstein-1 distance of two samples.

    .. math::
        W_1(x, y) \ge \frac{1}{K} \Bigl( \frac1n \sum_i f(x_i) - \frac1m \sum_j f(y_j)
        - \delta \Bigr), \qquad
        \delta = \max_{ij} \bigl( f(x_i) - f(y_j) - K \lVert x_i - y_j \rVert \bigr)^+

    with the *computed* values: whatever rounding did inside the critic is measured as the worst
    break of the Lipschitz condition and taken off, as is a part of 2^-40 for the arithmetic here;
    the quotient is rounded down. Nothing is trained: for that see :func:`wasserstein1_dual`.

    Parameters
    ----------
    critic : Module
        Maps (n, ...) to (n,) or (n, 1); in float64 nearly nothing is lost to rounding.
    x, y : floating tensors, shape (n, ...) and (m, ...)
        Samples on the critic's device, in a precision that it takes. All points weigh the same.
        The critic is called as it is and left as it is, so no layer of it may change when called.
    constant : float, optional
        :math:`K`, proven elsewhere; by default :func:`lipschitz_bound`, in the Euclidean norm.

    Returns
    -------
    float
        At least 0; 0 also where the critic is larger on y or not finite, or K is 0 or infinite.

    Raises
    ------
    TypeError, ValueError
        For samples that do not fit each other or the critic, a constant that is negative or no
        number, batch normalisation or dropout in training mode.
    NotImplementedError
        Without a constant, for a critic whose bound is not known.

    Notes
    -----
    O(n m d) beside two calls of the critic. Above :math:`2^{32}` coordinates of pairs they are not
    compared, and rounding inside the critic is allowed for by the part of 2^-40 alone.

    References
    ----------
    Villani, Optimal Transport: Old and New (2009), theorem 5.10 and remark 6.5.

    Examples
    --------
    >>> critic = nn.Linear(1, 1).double()
    >>> _ = critic.weight.data.fill_(-2.0)
    >>> x, y = torch.zeros(3, 1).double(), torch.ones(3, 1).double()
    >>> 1 - 1e-11 < certified_lower_bound(critic, x, y) <= 1
    True
    """
    x, y = two_samples(x, y, _NAME)
    bound = lipschitz_bound(critic) if constant is None else constant
    if constant is not None and constant != math.inf:
        real_number(constant, "constant", _NAME, positive=constant != 0)
    _demand_still(critic)
    at_x, at_y = (_values(critic, detach(side), label) for side, label in ((x, "x"), (y, "y")))
    points = [detach(side).flatten(1).double() for side in (x, y)]
    if not bool(at_x.isfinite().all() & at_y.isfinite().all()):
        return 0.0
    value = mean_difference([at_x, at_y], [None, None])
    return proven(value, slack(points[0], points[1], at_x, at_y, bound), bound)


def _demand_still(critic: object) -> None:
    """Refuse a critic whose values depend on chance or other points, and which would move."""
    if not callable(critic):
        refuse(_NAME, "critic", "be a torch.nn.Module", describe(critic), TypeError)
    for layer in critic.modules() if isinstance(critic, nn.Module) else ():
        if layer.training and isinstance(layer, _MOVING):
            refuse(_NAME, "critic", "be in evaluation mode (critic.eval())",
                   f"a {type(layer).__name__} in training mode")  # fmt: skip


@torch.no_grad()
def _values(critic: nn.Module, points: Tensor, label: str) -> Tensor:
    blocks = []
    for block in torch.split(points, _BLOCK):
        try:
            values = values_at(critic, block, label, _NAME)
        except RuntimeError as error:
            reason = (str(error).splitlines() or [""])[0]
            refuse(_NAME, "critic", f"take the samples {label}", f"{describe(block)}: {reason}")
        blocks.append(values.double())
    return torch.cat(blocks)


def slack(
    x: Tensor, y: Tensor, at_x: Tensor, at_y: Tensor, bound: float, *, compare: bool = True
) -> float:
    """What rounding may have added to a difference of means; ``compare``: look at all pairs."""
    if not math.isfinite(bound):
        return math.inf
    radius = max(float(side.abs().max()) for side in (x, y))
    spread = max(float(values.abs().max()) for values in (at_x, at_y))
    room = _ROUNDING * (spread + bound * radius * math.sqrt(x.shape[1]))
    return room + (violation(x, y, at_x, at_y, bound) if compare else 0.0)


def proven(value: float, room: float, bound: float) -> float:
    """A lower bound of the distance, rounded down: nothing where the constant is 0 or inf."""
    rest = value - room
    if not (rest > 0 and 0 < bound < math.inf):
        return 0.0
    return math.nextafter(rest / bound, 0.0)


def mean_difference(values: list[Tensor], masses: list[Tensor | None]) -> float:
    """E_x f - E_y f, each sum rounded once; a common constant is taken off before."""
    middle = values[0][0]
    means = []
    for side, weights in zip(values, masses, strict=True):
        terms = side - middle
        if weights is None:
            means.append(math.fsum(terms.tolist()) / terms.numel())
        else:
            means.append(math.fsum((terms * weights).tolist()) / math.fsum(weights.tolist()))
    return means[0] - means[1]

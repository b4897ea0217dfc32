"""The steepest slope that a search finds: a lower estimate beside the certificate."""

import copy
import math
from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor, nn

from divergences._validation import describe, refuse

from ._objective import Critic, samples, values_at

NAME = "empirical_lipschitz"
PAIRS = 4096
STARTS = 64
UNITS = 4  # in the last place, by which a value of a critic may be off


def empirical_lipschitz(
    critic: Critic,
    x: Tensor,
    *,
    steps: int = 100,
    generator: torch.Generator | None = None,
) -> float:
    r"""Largest slope of a critic that a search finds: at most its Lipschitz constant.

    .. math:: \max \left\{ \frac{|f(u) - f(v)|}{\|u - v\|_2}, \; \|\nabla f(u)\|_2 \right\}

    over random pairs of the points given, and points near them and near their midpoints (not on
    them: data may lie on the kinks of a critic, where autograd's gradient is that of no slope) to
    which the norm of the gradient and the ratio of the steepest pairs are driven by normalised
    gradient ascent, free to leave the sample.

    Parameters
    ----------
    critic : Module or callable
        Maps (n, ...) to (n,) or (n, 1). Of a module a copy in float64 and evaluation mode is
        searched, so that close pairs are not ruined by rounding; layers that compute their weight
        (orthogonal ones) do so in float64 there, 1e-7 from what float32 makes of it. A callable is
        called as it is.
    x : floating tensor, shape (n, ...)
        Points where the search starts, at least one; finite.
    steps : int, default 100
        Of the ascent, each with a gradient at 64 points and 64 pairs.
    generator : torch.Generator, optional
        Chooses the pairs; without one the first few shifts of the sample against itself are used,
        so that nothing is random.

    Returns
    -------
    float
        Never above the true constant but for rounding: in float64 1e-9 of it, if no huge terms
        cancel inside the critic; of a callable that of its own precision. How far below is
        unknown: it is no certificate, :func:`lipschitz_bound` is.

    Raises
    ------
    TypeError, ValueError
        For points that are no floating tensor or not finite, a negative number of steps, a critic
        whose slopes are not finite or that does not map (n, ...) to (n,) or (n, 1).

    Examples
    --------
    >>> critic = nn.Sequential(nn.Linear(1, 1), nn.ReLU())
    >>> _ = critic[0].weight.data.fill_(2.0)
    >>> round(empirical_lipschitz(critic, torch.tensor([[1.0], [3.0]])), 9)
    2.0
    """
    x = samples(x, "x", NAME).detach()
    _check(critic, x, steps, generator)
    f: Critic = partial(_values, critic)
    if isinstance(critic, nn.Module):
        f = partial(_values, detached_copy(critic).double().eval().requires_grad_(False))
        x = x.double()
    first, second = _pairs(x, generator)
    slopes = _ratio(f, first, second)
    scale = (x - x.mean(0)).flatten(1).norm(dim=1).mean().clamp_min(1e-3 * (1 + x.abs().amax()))
    points = _beside(torch.cat([x[:PAIRS], (first + second) / 2]), scale)
    norms = _gradient_norms(f, points)
    best = max(_largest(slopes), _largest(norms))
    steep = points[norms.topk(min(STARTS, len(norms))).indices]
    best = max(best, _ascend(lambda u: _gradient_norms(f, u, keep=True), [steep], scale, steps))
    chosen = slopes.topk(min(STARTS, len(slopes))).indices
    pairs = [first[chosen], second[chosen]]
    return max(best, _ascend(lambda u, v: _ratio(f, u, v), pairs, scale, steps))


def _check(critic: object, x: Tensor, steps: object, generator: object) -> None:
    if not callable(critic):
        refuse(NAME, "critic", "be a Module or another callable", describe(critic), TypeError)
    if isinstance(steps, bool) or not isinstance(steps, int) or steps < 0:
        refuse(NAME, "steps", "be a count", describe(steps))
    if generator is not None and not isinstance(generator, torch.Generator):
        refuse(NAME, "generator", "be a torch.Generator", describe(generator), TypeError)
    if not bool(x.isfinite().all()):
        refuse(NAME, "x", "be finite", f"{describe(x)} with entries that are not")


def detached_copy(critic: nn.Module) -> nn.Module:
    """A deep copy, also of a module that keeps the last result of a hook beside its parameters.

    ``spectral_norm`` and ``weight_norm`` of ``torch.nn.utils`` do; torch copies leaves only.
    """
    kept: dict[int, Tensor] = {
        id(tensor): tensor.detach().clone()
        for module in critic.modules()
        for tensor in vars(module).values()
        if isinstance(tensor, Tensor) and not tensor.is_leaf
    }
    return copy.deepcopy(critic, kept)


def _values(critic: Critic, points: Tensor) -> Tensor:
    return values_at(critic, points, "x", NAME)


def _beside(points: Tensor, scale: Tensor) -> Tensor:
    """The points, moved a little in directions of no meaning, the same ones on every call."""
    fixed = torch.Generator().manual_seed(0)
    noise = torch.randn(points.shape, generator=fixed, dtype=torch.float64)
    length = math.sqrt(torch.finfo(points.dtype).eps / max(1, points[0].numel()))
    length *= float(scale) if scale.isfinite() else 0.0
    return points + (length * noise).to(points)


def _pairs(x: Tensor, generator: torch.Generator | None) -> tuple[Tensor, Tensor]:
    count = len(x)
    if generator is None:
        shifts = max(1, min(PAIRS // count, count - 1))
        first = x.repeat(shifts, *[1] * (x.ndim - 1))[:PAIRS]
        second = torch.cat([x.roll(shift, 0) for shift in range(1, shifts + 1)])[:PAIRS]
        return first, second
    chosen = torch.randint(count, (2, PAIRS), generator=generator, device=generator.device)
    chosen = chosen.to(x.device)
    return x[chosen[0]], x[chosen[1]]


def _ratio(f: Critic, first: Tensor, second: Tensor) -> Tensor:
    """Slopes of pairs, less what rounding of the values may have added; float64.

    Pairs too close for the rounding of the values count as 0.
    """
    distance = (first.double() - second.double()).flatten(1).norm(dim=1)
    size = torch.maximum(first.abs().flatten(1).amax(1), second.abs().flatten(1).amax(1))
    apart = distance > 1e-5 * size.double()
    at_first, at_second = f(first.clone()), f(second.clone())
    unit = UNITS * torch.finfo(at_first.dtype).eps
    at_first, at_second = at_first.double(), at_second.double()
    rise = (at_first - at_second).abs() - unit * (at_first.abs() + at_second.abs()).detach()
    rise = rise.clamp_min(0.0)
    return torch.where(apart, rise / torch.where(apart, distance, torch.ones_like(distance)), 0.0)


def _gradient_norms(f: Critic, points: Tensor, *, keep: bool = False) -> Tensor:
    points = points if points.requires_grad else points.detach().requires_grad_()
    with torch.enable_grad():
        values = f(points.clone())  # a first layer that works in place may not overwrite a leaf
        if not values.requires_grad:
            return points.new_zeros(len(points), dtype=torch.float64)
        (gradient,) = torch.autograd.grad(
            values.sum(), points, create_graph=keep, allow_unused=True, materialize_grads=True
        )
    norms: Tensor = gradient.flatten(1).double().norm(dim=1)
    return norms


def _ascend(
    slope: Callable[..., Tensor], variables: list[Tensor], scale: Tensor, steps: int
) -> float:
    """Largest slope on the way of normalised gradient ascent with shrinking steps."""
    best = 0.0
    for step in range(steps):
        variables = [variable.detach().requires_grad_() for variable in variables]
        slopes = slope(*variables)
        best = max(best, _largest(slopes.detach()))
        if not slopes.requires_grad:
            return best
        try:
            gradients = torch.autograd.grad(
                slopes.sum(), variables, allow_unused=True, materialize_grads=True
            )
        except RuntimeError as error:
            if "is not implemented" not in str(error):
                raise
            return best  # Hardsigmoid and few others have no second derivative in torch
        length = scale * 0.3 * 0.95**step
        for index, gradient in enumerate(gradients):
            norm = gradient.flatten(1).norm(dim=1).reshape(-1, *[1] * (gradient.ndim - 1))
            move = gradient / torch.where(norm > 0, norm, torch.ones_like(norm))
            variables[index] = variables[index] + length * move.nan_to_num()
    return best


def _largest(slopes: Tensor) -> float:
    value = float(slopes.max())
    if not value < float("inf"):
        refuse(NAME, "critic", "have finite slopes", f"{value} at a point")
    return value

"""The smooth maximum over cones, with a backward pass of its own."""

from typing import Any

import torch
from torch import Tensor
from torch.autograd import forward_ad

_FEW_COORDINATES = 4  # squares of their differences, one by one, take no longer than products


class _Envelope(torch.autograd.Function):
    """Values (n,), and the two matrices (n, k) of which every gradient is a product.

    With shares s = softmax(levels / temperature) and pulls p = s / distance, the gradients of
    sum_i g_i f(x_i) are s'g in the heights, p'(g x) - (p'g) a in the anchors and, at a point,
    g_i (p_i a - (sum_k p_ik) x_i): one matrix product each, and no further pass over the pairs.
    """

    @staticmethod
    def forward(
        x: Tensor, anchors: Tensor, heights: Tensor, temperature: float
    ) -> tuple[Tensor, Tensor, Tensor]:
        distances = squared_distances(x, anchors).sqrt_()
        levels = torch.sub(heights / temperature, distances, alpha=1 / temperature)
        top = levels.amax(dim=1)
        shares = torch.softmax(levels, dim=1)
        values = (top - shares.amax(dim=1).log()) * temperature  # the largest share is exp(0)/sum
        return values, shares, distances.reciprocal_().mul_(shares)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: tuple[Tensor, ...]) -> None:
        x, anchors, heights, ctx.temperature = inputs
        _, shares, pulls = output
        ctx.mark_non_differentiable(shares, pulls)
        ctx.set_materialize_grads(False)
        ctx.save_for_backward(x, anchors, heights, shares, pulls)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor | None) -> tuple[Tensor | None, ...]:
        gradient = gradients[0]
        x, anchors, heights, shares, pulls = ctx.saved_tensors
        if gradient is None:
            return None, None, None, None
        if torch.is_grad_enabled():  # a second derivative is wanted
            return (*_plain_gradients(ctx, x, anchors, heights, gradient), None)
        wanted = ctx.needs_input_grad
        x, anchors = _centred(x, anchors)
        of_x = of_anchors = of_heights = None
        if wanted[0]:
            of_x = gradient[:, None] * torch.addmm(-x * pulls.sum(1, keepdim=True), pulls, anchors)
        if wanted[1]:
            sums = torch.cat([x.T, torch.ones_like(x[:, 0])[None]]) * gradient @ pulls
            of_anchors = (sums[:-1] - sums[-1] * anchors.T).T
        if wanted[2]:
            of_heights = gradient @ shares
        return of_x, of_anchors, of_heights, None


def smooth_maximum(x: Tensor, anchors: Tensor, heights: Tensor, temperature: float) -> Tensor:
    r"""Smooth maximum of cones, for training steps.

    .. math:: \tau \log \sum_k \exp\frac{b_k - \lVert x - a_k \rVert}{\tau}

    shape (n,), temperature above 0. Distances as :func:`squared_distances`. O(n k d).
    """
    if torch._C._functorch.maybe_current_level() is not None or forward_ad._current_level >= 0:
        return _plain(x, anchors, heights, temperature)  # forward derivatives, and those of those
    values: Tensor = _Envelope.apply(x, anchors, heights, temperature)[0]  # type: ignore[no-untyped-call]
    return values


def _plain(x: Tensor, anchors: Tensor, heights: Tensor, temperature: float) -> Tensor:
    """The same by torch's own operations."""
    levels = heights - squared_distances(x, anchors).sqrt()
    return temperature * torch.logsumexp(levels / temperature, dim=1)


def squared_distances(x: Tensor, anchors: Tensor) -> Tensor:
    """Squares of all distances, (n, k), at least eps times the square of the anchors' size.

    Products of centred coordinates are off by as much; and gradients are differences of products
    with 1 / distance, which below that would be rounding and nothing else.
    """
    few = x.shape[1] <= _FEW_COORDINATES
    x, anchors = _centred(x, anchors)
    of_anchors = anchors.square().sum(dim=1)
    least = torch.finfo(x.dtype).eps * of_anchors.detach() + torch.finfo(x.dtype).tiny
    if few:
        squares = (x[:, :1] - anchors[:, 0]).square()
        for axis in range(1, x.shape[1]):
            difference = x[:, axis, None] - anchors[:, axis]
            squares += difference * difference
        return torch.maximum(squares, least)
    of_x = x.square().sum(dim=1)
    ones = torch.ones_like
    left = torch.cat([x, of_x[:, None], ones(of_x)[:, None]], dim=1)
    right = torch.cat([-2 * anchors, ones(of_anchors)[:, None], of_anchors[:, None]], dim=1)
    return torch.maximum(left @ right.T, least)


def _centred(x: Tensor, anchors: Tensor) -> tuple[Tensor, Tensor]:
    centre = anchors.detach().mean(dim=0)
    return x - centre, anchors - centre


def _plain_gradients(
    ctx: Any, x: Tensor, anchors: Tensor, heights: Tensor, gradient: Tensor
) -> tuple[Tensor | None, ...]:
    """The same gradients through torch's own operations, which can be differentiated again."""
    values = _plain(x, anchors, heights, ctx.temperature)
    inputs = (x, anchors, heights)
    wanted = [t for t, need in zip(inputs, ctx.needs_input_grad, strict=False) if need]
    found = iter(torch.autograd.grad(values, wanted, gradient, create_graph=True))
    return tuple(next(found) if need else None for need in ctx.needs_input_grad[:3])

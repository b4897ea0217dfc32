"""Gradients of a critic in its input: safe, in float32, ready for a second derivative."""

from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch
from torch import Tensor

from divergences._validation import describe, refuse

from ._objective import Critic, samples


def two_samples(x: Tensor, y: Tensor, function: str) -> tuple[Tensor, Tensor]:
    """The samples off their graphs, a shape (n,) as (n, 1); shapes and devices are checked."""
    x, y = (
        side.detach() if side.requires_grad else side  # itself, so that its values are found again
        for side in (samples(x, "x", function), samples(y, "y", function))
    )
    if x.shape[1:] != y.shape[1:] or x.device != y.device:
        refuse(function, "x and y", "hold points of one shape on one device",
               f"{describe(x)} on {x.device} and {describe(y)} on {y.device}")  # fmt: skip
    return x, y


def between(
    x: Tensor, y: Tensor, generator: torch.Generator | None, places: Tensor | None = None
) -> Tensor:
    r"""Points :math:`t x_i + (1 - t) y_i` with t uniform in [0, 1), or with the ``places`` given.

    Samples of unequal size are paired cyclically: every point of the larger takes part. The
    numbers are drawn where the generator lives and then moved.
    """
    count = max(len(x), len(y))
    dtype = torch.float64 if x.dtype == torch.float64 else torch.float32
    device = x.device if generator is None else generator.device
    if places is None:
        places = torch.rand(count, generator=generator, device=device, dtype=dtype)
    elif places.shape != (count,):
        refuse("penalty", "places", f"have shape ({count},), one a pair", describe(places))
    draws = places.reshape(count, *[1] * (x.ndim - 1)).to(device=x.device, dtype=x.dtype)
    return torch.lerp(_cycle(y, count), _cycle(x, count), draws)


def _cycle(sample: Tensor, count: int) -> Tensor:
    if len(sample) == count:
        return sample
    repeats = -(-count // len(sample))
    return sample.repeat(repeats, *[1] * (sample.ndim - 1))[:count]


def input_gradients(critic: Critic, *batches: Tensor) -> list[Tensor]:
    """Gradient of the critic at each point of each batch, shape (n, entries), float32 or float64.

    One call of the critic per batch and one derivative for all of them, differentiable once more
    in the parameters where gradients are enabled. Autocast is switched off inside: squares of
    half-precision gradients overflow at 256. A critic that ignores its input has gradient 0.
    """
    keep = torch.is_grad_enabled()
    kind = batches[0].device.type
    half = torch.is_autocast_enabled(kind)
    with torch.enable_grad(), full_precision(kind):
        points = [
            (batch.float() if half and batch.dtype != torch.float64 else batch).requires_grad_()
            for batch in (batch.detach() for batch in batches)
        ]
        # copies, for a first layer that works in place may not overwrite a leaf
        values = [critic(batch.clone()).sum() for batch in points]
        if not any(value.requires_grad for value in values):
            return [torch.zeros_like(batch, requires_grad=False).flatten(1) for batch in points]
        gradients = torch.autograd.grad(
            [value for value in values if value.requires_grad],
            points,
            create_graph=keep,
            allow_unused=True,
            materialize_grads=True,
        )
    wide = [g if g.dtype == torch.float64 else g.float() for g in gradients]
    return [gradient.flatten(1) for gradient in wide]


def full_precision(kind: str) -> AbstractContextManager[Any]:
    """A context without autocast; nothing is entered where there is none to leave."""
    return torch.autocast(kind, enabled=False) if torch.is_autocast_enabled(kind) else nullcontext()


def safe_norms(gradients: Tensor) -> Tensor:
    """Euclidean norms of rows, shape (n,): derivative 0 at 0, no overflow, never NaN.

    Rows are scaled by their largest entry first.
    """
    peak = gradients.detach().abs().amax(dim=1, keepdim=True)
    scale = peak.masked_fill(peak == 0, 1.0)
    norms: Tensor = torch.linalg.vector_norm(gradients / scale, dim=1)  # whose derivative at 0 is 0
    return norms * scale[:, 0]

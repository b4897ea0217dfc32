r"""Laws of critics: :math:`|f(a) - f(b)| \le K \lVert a - b \rVert_2`, row by row."""

from typing import Any

from ._generator import Check, is_a_function, one_row_each, rows_are_separate
from ._law import LawFailure
from ._probe import STEEP, Probe, _is_module

SCALES = (0.01, 0.1, 1.0, 10.0)
LENGTHS = (1.0, 0.1, 0.01, 1e-3, 1e-4)
ROUNDS = 8


def one_number_each(probe: Probe) -> LawFailure | None:
    """Answers of shape (n,) or (n, 1)."""
    failure = one_row_each(probe)
    shape = tuple(probe(probe.inputs).shape)
    if failure or shape in {(len(probe.inputs),), (len(probe.inputs), 1)}:
        return failure
    size = 1
    for length in shape[1:]:
        size *= length
    return probe.failure("one number a row", "a critic maps (n, ...) to (n,)", {}, size, "==", 1,
                         f"it answers with shape {shape}")  # fmt: skip


def lipschitz(constant: float) -> Check:
    """The check of the Lipschitz constant: pairs of points, near and far, along gradients."""

    def check(probe: Probe) -> LawFailure | None:
        worst: tuple[float, Any, Any] = (0.0, None, None)
        for a, b in _candidates(probe):
            slopes = _slopes(probe, a, b)
            index = int(slopes.argmax())
            if float(slopes[index]) > worst[0]:
                worst = (float(slopes[index]), a[index], b[index])
        slope, first, second = worst
        if slope <= constant * (1.0 + (1e-6 if probe.exact else 1e-4)) + 1e-12:
            return None
        first, second = _simplified(probe, first, second, constant)
        values = probe(_pair(first, second)).flatten()
        distance = float((first - second).norm())
        steep = [f"{name} (slope {STEEP[name]})" for name in probe.layers(*STEEP)]
        cause = f"; not 1-Lipschitz: {', '.join(steep)}" if steep else ""
        batch = probe.layers("BatchNorm")
        cause += f"; {batch[0]} multiplies by |gamma|/sqrt(var + eps)" if batch else ""
        return probe.failure("K-Lipschitz", f"|f(a) - f(b)| <= {constant:g} |a - b|",
                             {"a": first, "b": second}, float((values[0] - values[1]).abs()), "<=",
                             constant * distance, f"slopes up to {slope:.4g} were seen{cause}",
        )  # fmt: skip

    return check


def _pair(first: Any, second: Any) -> Any:
    import torch

    return torch.stack([first, second])


def _slopes(probe: Probe, a: Any, b: Any) -> Any:
    import torch

    with torch.no_grad():
        rise = (probe(a).flatten() - probe(b).flatten()).abs()
    run = (a - b).flatten(1).norm(dim=1)
    return (rise / run.clamp_min(1e-300)).nan_to_num(0.0)


def _candidates(probe: Probe) -> Any:
    """Batches of pairs: random ones at all scales, and steps along the steepest gradients."""
    shape = probe.inputs.shape
    for scale in SCALES:
        for _ in range(ROUNDS):
            a = probe.inputs + scale * probe.draw(*shape)
            yield a, probe.inputs.roll(1, 0)
            yield a, a + 0.1 * scale * probe.draw(*shape)
            for start in (a, scale * probe.draw(*shape)):
                way = _gradient(probe, start)
                if way is not None:
                    yield start, start + 1e-4 * way


def _gradient(probe: Probe, points: Any) -> Any:
    """Unit vectors along the gradients at the points; None where there are none."""
    import torch

    if not _is_module(probe.module):
        return None
    where = points.detach().clone().requires_grad_()
    total = probe(where).sum()
    if total.grad_fn is None:
        return None
    (gradient,) = torch.autograd.grad(total, where, allow_unused=True)
    if gradient is None:
        return None
    norms = gradient.flatten(1).norm(dim=1).clamp_min(1e-300)
    return gradient / norms.reshape(-1, *[1] * (gradient.ndim - 1))


def _simplified(probe: Probe, first: Any, second: Any, constant: float) -> tuple[Any, Any]:
    """A pair that still fails, farther apart and with fewer digits where possible."""
    way = (second - first) / (second - first).norm()
    for length in LENGTHS:
        for digits in (0, 1, 2, 3):
            a, b = first.round(decimals=digits), (first + length * way).round(decimals=digits)
            if bool((a != b).any()):
                slope = float(_slopes(probe, a[None], b[None])[0])
                if slope > constant * (1.0 + 1e-3):
                    return a, b
    return first, second


def checks(constant: float) -> tuple[tuple[str, Check], ...]:
    """The laws of a critic of the Lipschitz constant given."""
    return (
        ("one number a row", one_number_each),
        ("is a function", is_a_function),
        ("rows are separate", rows_are_separate),
        ("K-Lipschitz", lipschitz(constant)),
    )

r"""Laws of generators: what Theorems 1 and 3 of the paper ask of g.

The law of g(Z) is a continuous curve in Wasserstein-1 where g is continuous in its parameters; it
has a gradient, the one that training follows, where autograd differentiates g itself.
"""

from collections.abc import Callable
from typing import Any

from ... import wasserstein1
from ._law import LawFailure, LawReport
from ._probe import Probe, moved, random_direction
from ._subject import FunctionRaisedError

ACCURACIES = {
    "torch.float64": ((1e-6, 1e-5, 1e-4, 1e-3), 1e-3),
    "torch.float32": ((1e-2,), 0.1),
}
"""Steps of central differences, and their relative error at the best one.

A module may compute in less than it answers in, where only the longer steps are above rounding.
"""
COARSE = ((0.1, 0.3), 0.5)
PARTS = 16
"""Of the segment of parameters on which a jump is looked for; one of them is then halved."""
HALVINGS = 36
HALVINGS_IF_ROUNDED = 12

Check = Callable[[Probe], LawFailure | None]


def is_a_function(probe: Probe) -> LawFailure | None:
    """The same input twice."""
    first, second = probe(probe.inputs), probe(probe.inputs)
    if first.shape == second.shape and bool((first == second).all()):
        return None
    noise = probe.layers("Dropout")
    cause = f"{noise[0]} in training mode: call .eval()" if noise else "it draws noise of its own"
    return probe.failure("is a function", "the same input twice gives the same output",
                         {"z": probe.inputs[:1]}, first.flatten()[0], "==", second.flatten()[0],
                         f"the output is random ({cause}); pass all randomness in as input",
    )  # fmt: skip


def one_row_each(probe: Probe) -> LawFailure | None:
    """As many outputs as inputs, finite."""
    outputs = probe(probe.inputs)
    rows = outputs.shape[0] if outputs.ndim else 0
    law, statement = "one finite output a row", "n inputs give n outputs without NaN or infinity"
    if rows != len(probe.inputs):
        return probe.failure(law, statement, {}, rows, "==", len(probe.inputs),
                             "the batch axis must come first and stay")  # fmt: skip
    if outputs.numel() == 0:
        return probe.failure(law, statement, {}, 0, "!=", 0, "the outputs are empty")
    bad = ~in_rows(outputs).isfinite().all(dim=1)
    if bad.any():
        row = int(bad.nonzero()[0, 0])
        values = outputs[row].flatten()
        worst = values[~values.isfinite()][0]
        return probe.failure(law, statement, {"z": probe.inputs[row]}, worst, "==", 0.0,
                             "the output is not finite")  # fmt: skip
    return None


def rows_are_separate(probe: Probe) -> LawFailure | None:
    """A row in a smaller batch."""
    half = len(probe.inputs) // 2 or 1
    together, alone = probe(probe.inputs)[:half], probe(probe.inputs[:half])
    budget = (1e-9 if probe.exact else 1e-4) * (1.0 + float(together.detach().abs().max()))
    gap = (together - alone).abs() > budget
    if not bool(gap.any()):
        return None
    batch = probe.layers("BatchNorm")
    cause = (f"{batch[0]} in training mode mixes the rows: call .eval()"
             if batch else "the rows of a batch see each other")  # fmt: skip
    return probe.failure("rows are separate", "g(z_i) does not depend on the rest of the batch",
                         {"z": probe.inputs[:half]}, together[gap][0], "==", alone[gap][0], cause,
    )  # fmt: skip


def continuous(probe: Probe) -> LawFailure | None:
    """Theorem 1: bisection for a jump along a segment of parameters, in its likeliest part."""
    import torch

    parameters = _trainable(probe)
    direction = random_direction(probe, parameters)

    def at(step: float) -> torch.Tensor:
        with torch.no_grad(), moved(parameters, direction, step):
            outputs: torch.Tensor = in_rows(probe(probe.inputs))
            return outputs

    outputs = torch.stack([at(part / PARTS) for part in range(PARTS + 1)])
    part, row, first = _likeliest_jump(outputs.diff(dim=0).norm(dim=2))
    low, high, left, right = part / PARTS, (part + 1) / PARTS, outputs[part], outputs[part + 1]
    for _ in range(HALVINGS if probe.exact else HALVINGS_IF_ROUNDED):
        middle = (low + high) / 2
        between = at(middle)
        if (between - left)[row].norm() >= (right - between)[row].norm():
            high, right = middle, between
        else:
            low, left = middle, between
    jump = float((right - left)[row].norm())
    rounding = 8.0 * torch.finfo(left.dtype).eps * float(left[row].norm())
    if jump <= max(1e-3 * first, rounding):
        return None
    return probe.failure("continuous in the parameters",
                         "g at theta + s v and at theta + t v come together as s - t does",
                         {"z": probe.inputs[row], "s": low, "t": high}, jump, "<=", 1e-3 * first,
                         "the output jumps (rounding, sign, argmax or sampling in g): Theorem 1"
                         " does not apply")  # fmt: skip


def _likeliest_jump(changes: Any) -> tuple[int, int, float]:
    """Part and row that change most beyond both parts beside them, and that row's whole change.

    ``changes`` has shape (parts, rows). At a kink a part lies between its neighbours. Rows that
    hardly change are left out: theirs is rounding.
    """
    import torch

    none = torch.zeros_like(changes[:1])
    beside = torch.maximum(
        torch.cat([none, changes[:-1]]), torch.cat([changes[1:], none])
    )  # fmt: skip
    whole = changes.sum(dim=0)
    excess = torch.where(whole >= 0.1 * whole.max(), changes - beside, -torch.inf)
    part, row = divmod(int(excess.argmax()), changes.shape[1])
    return part, row, float(whole[row])


def differentiable(probe: Probe) -> LawFailure | None:
    """Autograd against central differences of a linear functional of the outputs."""
    outputs = in_rows(probe(probe.inputs)).detach()
    weights, size = probe.draw(*outputs.shape), _size(outputs)

    def loss() -> Any:
        return (in_rows(probe(probe.inputs)) / size * weights).sum()

    return _derivative(
        probe, loss, "autograd differentiates g",
        "d/dtheta of a mean over the outputs is what backward() gives",
        "autograd does not give the derivative of g",
    )  # fmt: skip


def theorem_3(probe: Probe) -> LawFailure | None:
    """The gradient of the exact distance, from the plan, against central differences."""
    outputs = in_rows(probe(probe.inputs)).detach()
    size = _size(outputs)
    points = outputs / size
    data = points + probe.draw(*points.shape) * (1.0 / size + float(points.std()))
    return _derivative(
        probe, lambda: wasserstein1(data.to(points), in_rows(probe(probe.inputs)) / size),
        "Theorem 3", "d/dtheta W1(data, g(z)) is what backward() gives from the plan",
        "training on W1 would not follow its gradient",
    )  # fmt: skip


def in_rows(outputs: Any) -> Any:
    """One row of numbers for each input."""
    return outputs.reshape(len(outputs), -1)


def _size(outputs: Any) -> float:
    """The magnitude of the outputs where it is large: their sums must not overflow."""
    return max(1.0, float(outputs.abs().max()))


def _trainable(probe: Probe) -> list[Any]:
    return [parameter for parameter in probe.module.parameters() if parameter.requires_grad]


def _derivative(
    probe: Probe, loss: Callable[[], Any], law: str, statement: str, complaint: str
) -> LawFailure | None:
    import torch

    parameters = _trainable(probe)
    if not parameters:
        return None
    direction = random_direction(probe, parameters)
    value = loss()
    if value.grad_fn is None:
        return probe.failure(law, statement, {}, 0.0, "!=", 0.0,
                             "the graph is cut: the output carries no gradient (detach, .data,"
                             " no_grad or NumPy inside forward)")  # fmt: skip
    gradients = torch.autograd.grad(value, parameters, allow_unused=True)
    slope = sum(float((g * v).sum()) for g, v in zip(gradients, direction, strict=True)
                if g is not None)  # fmt: skip

    def quotient(step: float) -> float:
        ends = []
        for where in (step, -step):
            with torch.no_grad(), moved(parameters, direction, where):
                ends.append(float(loss()))
        return (ends[0] - ends[1]) / (2 * step)

    steps, allowed = ACCURACIES.get(probe.answers, COARSE)
    differences = [quotient(step) for step in steps]
    errors = [abs(found - slope) / (1.0 + abs(found)) for found in differences]
    if min(errors) <= allowed:
        return None
    difference = differences[errors.index(min(errors))]
    missing = sum(g is None for g in gradients)
    more = f"; {missing} of {len(parameters)} parameters get no gradient" if missing else ""
    return probe.failure(law, statement, {"z": probe.inputs}, slope, "==", difference,
                         f"{complaint} (a straight-through estimator, or part of the graph is"
                         f" detached){more}")  # fmt: skip


CHECKS: tuple[tuple[str, Check], ...] = (
    ("one finite output a row", one_row_each),
    ("is a function", is_a_function),
    ("rows are separate", rows_are_separate),
    ("continuous in the parameters", continuous),
    ("autograd differentiates g", differentiable),
    ("Theorem 3", theorem_3),
)


def run(probe: Probe, checks: tuple[tuple[str, Check], ...], name: str, kind: str,
        seed: int, needs: int = 3) -> LawReport:  # fmt: skip
    """All checks; up to the first failure among the first ``needs``, on which the rest builds."""
    failures: list[LawFailure] = []
    done: list[str] = []
    for index, (law, check) in enumerate(checks):
        if failures and (index < needs or failures[0].law in done[:needs]):
            break
        done.append(law)
        try:
            failure = check(probe)
        except FunctionRaisedError as error:
            failure = probe.failure(law, law, {}, float("nan"), "==", float("nan"), str(error))
        except RuntimeError as error:  # from autograd, about the module's graph
            text = f"differentiating it raised {type(error).__name__}: {error}"
            failure = probe.failure(law, law, {}, float("nan"), "==", float("nan"), text)
        if failure:
            failures.append(failure)
    skipped = [law for law, _ in checks[len(done) :]]
    notes = (f"not tried after these failures: {', '.join(skipped)}",) if skipped else ()
    return LawReport(name, kind, tuple(done), tuple(failures), notes, 1, seed)

"""What a plan is that solves another problem."""

import numpy as np

from ... import optimal_transport
from ..._typing import Float64Array
from ._coupling import CORNERS, plan_of
from ._law import Example
from ._search import Finding
from ._subject import FunctionRaisedError, Subject, UnfitAnswerError


def solver_mistake(subject: Subject, finding: Finding) -> str:
    """The mistake of a solver of the transport problem, or ""."""
    try:
        plan = plan_of(subject, finding.example)
    except (FunctionRaisedError, UnfitAnswerError) as error:
        return str(error)
    if np.isnan(plan).any():
        return "the plan has NaN entries"
    if finding.law.name != "no plan is cheaper":
        return _wrong_marginals(plan, finding.example)
    if np.allclose(plan, np.outer(finding.example["a"], finding.example["b"])):
        return "the plan is the product of the marginals: the costs are not used"
    return _other_costs(subject)


def _wrong_marginals(plan: Float64Array, e: Example) -> str:
    total = float(plan.sum())
    if total > 0 and abs(total - 1) > 1e-6:
        return f"the plan has mass {total:.6g}: a mean or a sum over points in its place?"
    if plan.shape[0] == plan.shape[1] and np.allclose(plan.sum(axis=1), e["b"]):
        return "swapped arguments: the plan is transposed" * np.allclose(plan.sum(axis=0), e["a"])
    return ""


def _other_costs(subject: Subject) -> str:
    """Whether the plans are optimal for a transform of the costs, on every corner."""
    transforms = (
        ("squared cost: the plan is optimal for the squares of the costs", np.square),
        ("the plan is the dearest one: a sign is wrong", np.negative),
        ("the plan is optimal for the roots of the costs", np.sqrt),
    )
    for text, transform in transforms:
        if all(_solves(subject, corner, transform(corner["cost"])) for corner in CORNERS):
            return text
    return ""


def _solves(subject: Subject, e: Example, cost: Float64Array) -> bool:
    try:
        value = float((plan_of(subject, e) * cost).sum())
    except (FunctionRaisedError, UnfitAnswerError):
        return False
    result = optimal_transport(x_weights=e["a"], y_weights=e["b"], cost=cost)
    return bool(abs(value - result.value) <= 1e-6 * max(1.0, np.abs(cost).max()))

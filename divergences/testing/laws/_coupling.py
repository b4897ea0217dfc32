r"""Laws of solvers of the transport problem: ``fn(cost, a, b)`` to a plan.

The plan is a coupling of a and b, of least cost: no plan costs more than
:math:`\min_\pi \langle C, \pi \rangle`, which is known by a certificate.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from ... import optimal_transport
from ..._array import is_tensor
from ..._typing import Float64Array
from ..strategies import simplex_vectors
from ._law import Comparison, Example, Law
from ._subject import (
    FunctionRaisedError,
    Subject,
    UnfitAnswerError,
    as_reals,
    called,
    parameters_of,
)

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

MASS_BUDGET, COST_BUDGET = 1e-7, 1e-6
"""Feasibility and optimality that a linear programming code grants by default."""


def problem(cost: Any, a: Any, b: Any) -> Example:
    """An example of a transport problem."""
    arrays = (np.array(value, dtype=float) for value in (cost, a, b))
    return dict(zip(("cost", "a", "b"), arrays, strict=True))


COST_NAMES = {"cost", "costs", "cost_matrix", "m", "c"}


def in_order(function: Callable[..., Any]) -> Callable[..., Any]:
    """The solver as ``fn(cost, a, b)``, also where its own order is ``fn(a, b, M)``."""
    names = [name.lower() for name in parameters_of(function)]
    if names[0:1] and names[0] not in COST_NAMES and COST_NAMES & set(names[2:3]):
        return lambda cost, a, b: function(a, b, cost)
    return function


def plan_of(subject: Subject, e: Example) -> Float64Array:
    """The plan that the solver returns, dense, as an array; ``.plan`` of a result is taken."""
    answer = subject.raw(e["cost"], e["a"], e["b"])
    try:
        answer = called(_dense, answer)
    except FunctionRaisedError as error:
        message = f"returned a {type(answer).__name__}, not a plan"
        raise UnfitAnswerError(message) from error
    plan = np.asarray(as_reals(answer, "a plan"), dtype=np.float64)
    if plan.shape != e["cost"].shape:
        message = f"returned a plan of shape {plan.shape}, not {e['cost'].shape}"
        raise UnfitAnswerError(message)
    return plan


def _dense(answer: Any) -> Any:
    """The plan of a result, as a dense array."""
    answer = getattr(answer, "plan", answer)
    if is_tensor(answer):
        return answer.detach().to_dense().cpu().double().numpy()
    return answer.toarray() if hasattr(answer, "toarray") else answer


def optimum(e: Example) -> float:
    """The least cost, by our certified solver."""
    result = optimal_transport(x_weights=e["a"], y_weights=e["b"], cost=e["cost"])
    return float(result.value)


def _non_negative(solve: Subject, e: Example) -> Comparison:
    return Comparison(0.0, "<=", float(plan_of(solve, e).min()), MASS_BUDGET)


def _marginal(axis: int) -> Any:
    def compare(solve: Subject, e: Example) -> Comparison:
        wanted, found = e["ab"[axis]], plan_of(solve, e).sum(axis=1 - axis)
        worst = int(np.argmax(np.where(np.isnan(found), np.inf, np.abs(found - wanted))))
        return Comparison(float(found[worst]), "==", float(wanted[worst]), MASS_BUDGET)

    return compare


def _optimal(solve: Subject, e: Example) -> Comparison:
    value = float((plan_of(solve, e) * e["cost"]).sum())
    return Comparison(
        value, "<=", optimum(e), COST_BUDGET * max(1.0, float(np.abs(e["cost"]).max()))
    )


CORNERS = (
    problem([[0.0, 1.0], [1.0, 0.0]], [0.5, 0.5], [0.5, 0.5]),
    problem([[1.0, 0.0], [0.0, 1.0]], [0.5, 0.5], [0.5, 0.5]),
    problem([[0.0, 3.0], [2.0, 4.0]], [0.5, 0.5], [0.25, 0.75]),
    problem([[2.0, 2.0, 3.0], [0.0, 2.0, 3.0]], [0.5, 0.5], [0.25, 0.25, 0.5]),
    # the squares of these costs have another optimal plan
    problem([[3.0, 5.0], [0.0, 3.0]], [0.5, 0.5], [0.5, 0.5]),
)


def problems() -> "SearchStrategy[Example]":
    """Problems with costs from 0 to 9 and masses that may vanish."""
    from .._hypothesis import strategies as st

    def of_shape(shape: tuple[int, int]) -> "SearchStrategy[Example]":
        count = shape[0] * shape[1]
        costs = st.lists(st.integers(0, 9), min_size=count, max_size=count)
        return st.builds(
            lambda c, a, b: problem(np.reshape(c, shape), a, b),
            costs, simplex_vectors(shape[0], shape[0]), simplex_vectors(shape[1], shape[1]),
        )  # fmt: skip

    return st.tuples(st.integers(1, 4), st.integers(1, 4)).flatmap(of_shape)


def _costs_as(known: Callable[..., Any]) -> Any:
    def compare(solve: Subject, e: Example) -> Comparison:
        answer = known(e["cost"], e["a"], e["b"])
        values = np.asarray(getattr(answer, "value", answer), dtype=np.float64)
        plan = values if values.ndim == 2 else None
        wanted = float(values) if plan is None else float((plan * e["cost"]).sum())
        value = float((plan_of(solve, e) * e["cost"]).sum())
        return Comparison(
            value, "==", wanted, COST_BUDGET * max(1.0, float(np.abs(e["cost"]).max()))
        )

    return compare


def laws(known: Callable[..., Any] | None = None) -> tuple[Law, ...]:
    """The laws of a solver of the transport problem; ``known`` gives a plan or its cost."""
    same = () if known is None else (
        Law("costs what the reference says", "<C, pi> is that of the reference", problems,
            _costs_as(known), CORNERS),
    )  # fmt: skip
    return (
        *same,
        Law("masses are not negative", "pi_ij >= 0", problems, _non_negative, CORNERS),
        Law("rows have their masses", "sum_j pi_ij = a_i", problems, _marginal(0), CORNERS),
        Law("columns have their masses", "sum_i pi_ij = b_j", problems, _marginal(1), CORNERS),
        Law("no plan is cheaper", "<C, pi> <= min over couplings", problems, _optimal, CORNERS),
    )

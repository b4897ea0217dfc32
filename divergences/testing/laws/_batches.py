"""The law of batches: one answer a row, each that of the row alone."""

import functools
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from ..strategies import simplex_vectors
from ._law import Comparison, Example, Law
from ._subject import Subject, UnfitAnswerError, as_reals, known_number

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

ROWS, ATOMS = 2, 3
ONE_A_ROW = "one answer a row"


def _batches() -> "SearchStrategy[Example]":
    from .._hypothesis import strategies as st

    batch = st.lists(simplex_vectors(ATOMS, ATOMS, positive=True), min_size=ROWS, max_size=ROWS)
    return st.fixed_dictionaries({"p": batch.map(np.array), "q": batch.map(np.array)})


def batch_law(known: Callable[..., Any] | None) -> Law:
    """Rows of a batch of two vectors of three atoms."""

    def compare(d: Subject, e: Example) -> Comparison:
        values = as_reals(d.raw(e["p"], e["q"]), "one real number a row")
        alone = d if known is None else functools.partial(known_number, known)
        rows = [alone(p, q) for p, q in zip(e["p"], e["q"], strict=True)]
        if values.shape != (ROWS,):
            raise UnfitAnswerError(_shape(values, np.array(rows)))
        worst = int(np.argmax(np.nan_to_num(np.abs(values - rows), nan=np.inf)))
        budget = d.budget(rows[worst]) if known is None else 1e-6
        return Comparison(float(values[worst]), "==", rows[worst], budget)

    corner = {"p": np.array([[0.5, 0.25, 0.25], [0.25, 0.25, 0.5]]),
              "q": np.array([[0.25, 0.25, 0.5], [0.5, 0.375, 0.125]])}  # fmt: skip
    return Law(ONE_A_ROW, "fn of a batch (b, k) is (b,), row by row", _batches, compare,
               (corner,))  # fmt: skip


def _shape(values: Any, rows: Any) -> str:
    """What an answer of the wrong shape is."""
    what = f"a batch of shape ({ROWS}, {ATOMS}) gave shape {values.shape}, not ({ROWS},)"
    if values.shape == (ATOMS,):
        return f"{what}: it reduces axis 0, across the batch"
    meanings = {
        "the mean over all entries instead of the batch mean": rows.mean() / ATOMS,
        "the batch mean": rows.mean(),
        "the sum of the batch": rows.sum(),
    }
    for text, wanted in meanings.items():
        if values.size == 1 and abs(float(values.reshape(())) - wanted) <= 1e-6 * abs(wanted):
            return f"{what}: it is {text}"
    return what

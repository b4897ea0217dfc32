"""Laws on labels: words, classes, tuples."""

from collections.abc import Hashable, Iterable, Mapping

import numpy as np

from ._validation import describe, refuse
from .measures import Discrete


def labelled(*laws: Mapping[Hashable, float] | Iterable[Hashable]) -> tuple[Discrete, ...]:
    r"""Laws on labels, as `Discrete` laws on one common numbering of all labels.

    .. math:: P = \sum_k p_k \delta_k \quad\mapsto\quad \sum_k p_k \delta_{i(k)}, \qquad
              i(k) \in \{0, 1, 2, \dots\}

    Parameters
    ----------
    *laws : mapping from label to mass, or iterable of labels
        Labels are anything hashable and match by equality. A mapping gives the masses, which sum to
        1 up to rounding; other iterables are samples, each of the same mass.

    Returns
    -------
    tuple of Discrete
        One for each argument. What does not look at the geometry (total variation, KL,
        Jensen-Shannon, Hellinger, ...) is that of the laws on labels; Wasserstein-1 is meaningless.

    Raises
    ------
    TypeError, ValueError
        If an argument is a string or not iterable, a label is not hashable, a law is empty, or
        masses are not probabilities.

    Notes
    -----
    Labels are numbered by hashing, in the order of their first appearance: O(n).

    Examples
    --------
    >>> from divergences import labelled, total_variation
    >>> p, q = labelled({"cat": 0.5, "dog": 0.5}, ["dog", "dog", "cow", "cat"])
    >>> float(total_variation(p, q))
    0.25
    """
    numbers: dict[Hashable, int] = {}
    pairs = [_codes(law, f"argument {k}", numbers) for k, law in enumerate(laws, start=1)]
    return tuple(Discrete(codes, weights) for codes, weights in pairs)


def _codes(
    law: object, parameter: str, numbers: dict[Hashable, int]
) -> tuple[np.ndarray, list[float] | None]:
    if isinstance(law, (str, bytes)) or not isinstance(law, Iterable):
        refuse("labelled", parameter, "be a mapping from label to mass or an iterable of labels",
               describe(law), TypeError)  # fmt: skip
    values = law.tolist() if isinstance(law, np.ndarray) else list(law)
    if not values:
        refuse("labelled", parameter, "hold at least one label", describe(law))
    try:
        codes = [numbers.setdefault(label, len(numbers)) for label in values]
    except TypeError:
        refuse("labelled", parameter, "hold hashable labels", describe(law), TypeError)
    weights = [law[label] for label in values] if isinstance(law, Mapping) else None
    return np.asarray(codes, dtype=np.float64), weights

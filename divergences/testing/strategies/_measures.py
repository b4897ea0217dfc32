"""Laws of finitely many atoms, and parametric laws on the line."""

from typing import TYPE_CHECKING, Any

from ... import Discrete
from ... import families as parametric
from ...measures import Law
from ._vectors import WEIGHT_STEPS, normalised

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy


def discrete_measures(
    dimension: int | None = None, max_atoms: int = 6, *, reach: float = 1e3
) -> "SearchStrategy[Discrete]":
    """Laws of finitely many atoms, which may repeat and may have mass 0.

    Parameters
    ----------
    dimension : int, optional
        The dimension of the space; 1 to 4, drawn, if not given.
    max_atoms : int, default 6
    reach : float, default 1000
        The largest absolute value of a coordinate.

    Returns
    -------
    strategy of Discrete
    """
    from .._hypothesis import strategies as st

    dimensions = st.integers(1, 4) if dimension is None else st.just(dimension)
    return dimensions.flatmap(lambda d: _measures(d, max_atoms, reach))


def measure_pairs(
    dimension: int | None = None, max_atoms: int = 6, *, reach: float = 1e3
) -> "SearchStrategy[tuple[Discrete, Discrete]]":
    """Two discrete laws in a space of one dimension; parameters as of `discrete_measures`."""
    from .._hypothesis import strategies as st

    dimensions = st.integers(1, 4) if dimension is None else st.just(dimension)
    return dimensions.flatmap(
        lambda d: st.tuples(_measures(d, max_atoms, reach), _measures(d, max_atoms, reach))
    )


def families() -> "SearchStrategy[Law]":
    """Parametric laws on the line: every family of the library with location and scale, or rate.

    Locations are from -8 to 8, scales and rates from 1/8 to 8.

    Returns
    -------
    strategy of laws
        `divergences.Normal`, and of ``Laplace``, ``Exponential`` and ``Uniform`` those that this
        version has.
    """
    from .._hypothesis import strategies as st

    location = st.integers(-32, 32).map(lambda step: step / 4)
    scale = st.integers(1, 64).map(lambda step: step / 8)
    recipes: dict[str, Any] = {
        "Normal": st.tuples(location, scale),
        "Laplace": st.tuples(location, scale),
        "Uniform": st.tuples(location, scale).map(lambda pair: (pair[0], pair[0] + pair[1])),
        "Exponential": st.tuples(scale),
    }
    known = [name for name in recipes if hasattr(parametric, name)]
    return st.sampled_from(known).flatmap(
        lambda name: recipes[name].map(lambda values: getattr(parametric, name)(*values))
    )


def _measures(dimension: int, max_atoms: int, reach: float) -> "SearchStrategy[Discrete]":
    from .._hypothesis import strategies as st

    coordinate = st.floats(-reach, reach, allow_subnormal=False)
    atom = st.tuples(*[coordinate] * dimension)
    weighted = st.lists(
        st.tuples(atom, st.integers(0, WEIGHT_STEPS)), min_size=1, max_size=max_atoms
    )
    return weighted.map(
        lambda pairs: Discrete([list(a) for a, _ in pairs], normalised([w for _, w in pairs]))
    )

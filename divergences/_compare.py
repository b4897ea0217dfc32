r"""All four divergences of two laws at once, with how each was obtained.

What is not known exactly is bounded by what is, through

.. math::
    W_1 \le \operatorname{diam} \mathrm{TV}, \qquad
    |\mu_P - \mu_Q| \le W_1 \le W_2, \qquad
    \mathrm{TV} \le \sqrt{\mathrm{KL}/2}, \qquad
    \mathrm{TV} \le \sqrt{1 - e^{-\mathrm{KL}}}, \qquad
    \log 2 - h\bigl(\tfrac{1 - \mathrm{TV}}{2}\bigr) \le \mathrm{JS} \le \mathrm{TV} \log 2,

with h the binary entropy (Pinsker; Bretagnolle and Huber; Lin), W_2 for normal laws (Gelbrich).
"""

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ._array import as_float64, as_numpy, detach, namespace
from ._js import js_divergence
from ._kl import kl_divergence
from ._laws import FORMULAS
from ._total_variation import total_variation
from ._typing import ArrayLike
from ._validation import masses, refuse
from ._vector_validation import aligned_pair
from ._vectors import VECTOR_FORMULAS
from ._wasserstein1 import wasserstein1
from .enclosures import Enclosure, enclose
from .families import Categorical, MultivariateNormal, Product, canonical
from .families._identical import identical
from .families._line import ContinuousLaw
from .measures import Discrete, Law

if TYPE_CHECKING:
    from matplotlib.figure import Figure

LOG_2 = math.log(2.0)
SLACK = 1e-13  # relative rounding granted to values on which inequalities rest
FUNCTIONS = {
    "total_variation": total_variation,
    "kl_divergence": kl_divergence,
    "js_divergence": js_divergence,
    "wasserstein1": wasserstein1,
}
NAMES = {
    "total_variation": "total variation",
    "kl_pq": "KL(p, q)",
    "kl_qp": "KL(q, p)",
    "js": "Jensen-Shannon",
    "wasserstein1": "Wasserstein-1",
}
UNITS = {"total_variation": "", "kl_pq": "nats", "kl_qp": "nats", "js": "nats"}


@dataclass(frozen=True, slots=True)
class Entry:
    """One divergence: its value, the interval that encloses it, and how it was obtained.

    Parameters
    ----------
    value : float
        The value; the middle of the interval where only that is known, NaN if nothing is.
    enclosure : Enclosure
        Where it lies, rounding of "exact" values aside.
    method : str
        "exact" (a formula, a sum or a solver with a certificate), "enclosure" (certified cells),
        "inequalities" (what the others imply), "estimate" (quadrature to full precision without a
        certificate of its own).
    """

    value: float
    enclosure: Enclosure
    method: str


@dataclass(frozen=True, slots=True)
class Comparison:
    """What `compare` returns: an `Entry` for each divergence; ``str`` prints a table.

    Parameters
    ----------
    total_variation, kl_pq, kl_qp, js : Entry
        In [0, 1], and in nats.
    wasserstein1 : Entry or None
        In the unit of the space; None where the laws have no geometry.
    """

    total_variation: Entry
    kl_pq: Entry
    kl_qp: Entry
    js: Entry
    wasserstein1: Entry | None

    def entries(self) -> dict[str, Entry]:
        """The entries by name, in the order of the table."""
        found = {name: getattr(self, name) for name in NAMES}
        return {name: entry for name, entry in found.items() if entry is not None}

    def __str__(self) -> str:
        rows: list[tuple[str, ...]] = [("divergence", "value", "from", "to", "unit", "how")]
        for name, entry in self.entries().items():
            bounds = entry.enclosure
            ends = [number(bounds.lower), number(bounds.upper)]
            unit = UNITS.get(name, "of x")
            rows.append((NAMES[name], number(entry.value), *ends, unit, entry.method))
        widths = [max(len(row[k]) for row in rows) for k in range(6)]
        sides = "<>>><<"
        lines = [
            "  ".join(f"{c:{s}{w}}" for c, s, w in zip(row, sides, widths, strict=True)).rstrip()
            for row in rows
        ]
        return "\n".join([lines[0], "  ".join("-" * width for width in widths), *lines[1:]])

    def plot(self) -> "Figure":
        """The values as points and their enclosures as bars; infinite ones are marked.

        Returns
        -------
        matplotlib.figure.Figure
            One panel a unit; save it with ``savefig``.

        Raises
        ------
        ImportError
            If matplotlib is missing.
        """
        from .plots import comparison

        return comparison(self)


def number(value: float) -> str:
    return "unknown" if math.isnan(value) else f"{value:.6g}"


def compare(p: ArrayLike | Law, q: ArrayLike | Law) -> Comparison:
    r"""Total variation, KL both ways, JS and Wasserstein-1 of two laws, and how each was obtained.

    .. math:: \mathrm{TV},\; \mathrm{KL}(P, Q),\; \mathrm{KL}(Q, P),\; \mathrm{JS},\; W_1

    Parameters
    ----------
    p, q : array, tensor or list of shape (k,), or laws
        Two probability vectors on one shared support without a geometry, or two laws.

    Returns
    -------
    Comparison
        Frozen; each entry has a value, an enclosure and a method. Wasserstein-1 only for laws with
        a geometry (not for vectors and `Categorical`). Values are floats, off any graph.

    Raises
    ------
    TypeError, ValueError
        If p or q is neither, or they do not belong together.

    Notes
    -----
    Exact values count as known to 1e-13. A divergence without a formula is enclosed by certified
    cells where both laws have densities on the line, and by the inequalities between the
    divergences in any case: Pinsker, Bretagnolle-Huber, the two between total variation and JS, and
    :math:`W_1 \le \operatorname{diam} \mathrm{TV}` for bounded supports, for normal laws in space
    the distance of the means and :math:`W_2`, for products what their factors say: total variation
    between the largest and :math:`1 - \prod (1 - \delta_i)`, JS between the largest and the sum,
    Wasserstein-1 between the root of the sum of squares and the sum. Cost: that of the four
    divergences.

    References
    ----------
    Arjovsky, Chintala and Bottou 2017, arXiv:1701.07875, theorem 2. Lin 1991, Divergence measures
    based on the Shannon entropy. Bretagnolle and Huber 1979, Estimation des densites.

    Examples
    --------
    >>> from divergences import Normal, compare
    >>> print(compare(Normal(0.0, 1.0), Normal(1.0, 1.0)))
    divergence          value      from        to  unit  how
    ---------------  --------  --------  --------  ----  -----
    total variation  0.382925  0.382925  0.382925        exact
    KL(p, q)              0.5       0.5       0.5  nats  exact
    KL(q, p)              0.5       0.5       0.5  nats  exact
    Jensen-Shannon   0.111421  0.111421  0.111421  nats  exact
    Wasserstein-1           1         1         1  of x  exact
    """
    if isinstance(p, Law) != isinstance(q, Law):
        total_variation(p, q)  # raises, saying what arrived
    if not isinstance(p, Law):
        first, second, _ = aligned_pair(p, q, -1, "compare")
        masses(first, "p", "compare")
        masses(second, "q", "compare")
        first, second = as_float64(first), as_float64(second)
        if first.ndim != 1 or second.ndim != 1:
            refuse("compare", "p and q", "be single probability vectors or laws",
                   f"shapes {tuple(first.shape)} and {tuple(second.shape)}")  # fmt: skip
        p, q = first, second
    entries = {
        "total_variation": _entry("total_variation", total_variation, p, q),
        "kl_pq": _entry("kl_divergence", kl_divergence, p, q),
        "kl_qp": _entry("kl_divergence", kl_divergence, q, p),
        "js": _entry("js_divergence", js_divergence, p, q),
    }
    geometry = isinstance(p, Law) and not isinstance(p, Categorical)
    distance = _entry("wasserstein1", wasserstein1, p, q) if geometry else None
    bounds = {name: _widened(entry) for name, entry in entries.items()}
    bounds = implied(bounds)
    result = {name: _met(entry, bounds[name]) for name, entry in entries.items()}
    if distance is not None:
        diameter = _diameter(p, q)
        reach = Enclosure(0.0, _times(diameter, bounds["total_variation"].upper))
        distance = _met(_met(distance, reach), _between_moments(p, q))
    return Comparison(**result, wasserstein1=distance)


def _entry(divergence: str, function: Any, p: Any, q: Any) -> Entry:
    """The value of a divergence and how it came about; "inequalities" where there is none."""
    if not isinstance(p, Law):  # checked, and in float64 so that the answer is not rounded
        value = float(detach(VECTOR_FORMULAS[divergence](namespace(p), p, q)))
        return Entry(value, Enclosure(value, value), "exact")
    try:
        value = float(detach(function(p, q)))
    except NotImplementedError:
        return _enclosed(divergence, p, q)
    if _exact(divergence, p, q):
        return Entry(value, Enclosure(value, value), "exact")
    return _certified(divergence, p, q, value)


def _exact(divergence: str, p: Any, q: Any) -> bool:
    first, second = canonical(p), canonical(q)
    if not (isinstance(first, ContinuousLaw) and isinstance(second, ContinuousLaw)):
        return True
    return (divergence, type(first), type(second)) in FORMULAS or identical(first, second)


def _certified(divergence: str, p: Any, q: Any, value: float) -> Entry:
    """A value beside its certified enclosure."""
    if math.isinf(value):
        return Entry(value, Enclosure(value, value), "exact")
    first, second = canonical(p), canonical(q)
    bounds = enclose(divergence, first, second, 1e-9, 1e-6)  # type: ignore[arg-type]
    if first.given or second.given:  # type: ignore[attr-defined]
        return Entry(bounds.midpoint, bounds, "enclosure")
    tight = value in bounds and bounds.width <= 1e-4 * value
    return Entry(value, bounds, "enclosure" if tight else "estimate")


def _enclosed(divergence: str, p: Any, q: Any) -> Entry:
    first, second = canonical(p), canonical(q)
    if isinstance(first, ContinuousLaw) and isinstance(second, ContinuousLaw):
        bounds = enclose(divergence, first, second, 1e-6, 1e-5)
        return Entry(bounds.midpoint, bounds, "enclosure")
    bounds = Enclosure(0.0, math.inf)
    if isinstance(first, Product) and isinstance(second, Product):
        bounds = _of_factors(divergence, first, second)
    return Entry(math.nan, bounds, "inequalities")


def _of_factors(divergence: str, p: Product, q: Product) -> Enclosure:
    r"""What the divergences of the factors say of that of the products.

    .. math:: \max_i \delta_i \le \delta \le 1 - \prod_i (1 - \delta_i), \qquad
        \max_i \mathrm{JS}_i \le \mathrm{JS} \le \sum_i \mathrm{JS}_i, \qquad
        \Bigl(\sum_i W_{1,i}^2\Bigr)^{1/2} \le W_1 \le \sum_i W_{1,i}

    (a marginal is an image; factors couple independently; given the law, factors carry independent
    information; Jensen's inequality), and KL adds up.
    """
    function = FUNCTIONS[divergence]
    factors = zip(p.factors, q.factors, strict=True)
    bounds = [_widened(_entry(divergence, function, a, b)) for a, b in factors]
    lows, highs = [part.lower for part in bounds], [part.upper for part in bounds]
    if divergence == "wasserstein1":
        return Enclosure(math.hypot(*lows), math.fsum(highs))
    if divergence == "kl_divergence":
        return Enclosure(math.fsum(lows), math.fsum(highs))
    if divergence == "js_divergence":
        return Enclosure(max(lows), min(math.fsum(highs), LOG_2))
    overlap = math.fsum(math.log1p(-min(high, 1.0)) if high < 1.0 else -math.inf for high in highs)
    return Enclosure(max(lows), -math.expm1(overlap) * (1.0 + SLACK))


def _widened(entry: Entry) -> Enclosure:
    lower, upper = entry.enclosure.lower, entry.enclosure.upper
    return Enclosure(lower * (1.0 - SLACK), upper * (1.0 + SLACK))


def implied(bounds: dict[str, Enclosure]) -> dict[str, Enclosure]:
    """Intersect what is known with what each divergence says of the others."""
    variation, js = bounds["total_variation"], bounds["js"]
    variation = variation.intersection(Enclosure(0.0, 1.0))
    js = js.intersection(Enclosure(0.0, LOG_2))
    for name in ("kl_pq", "kl_qp"):
        kl = bounds[name].upper
        least = min(math.sqrt(0.5 * kl), math.sqrt(-math.expm1(-kl)))
        variation = narrowed(variation, 0.0, least)
    variation = narrowed(variation, js.lower / LOG_2, math.sqrt(2.0 * js.upper))
    js = narrowed(js, variation_to_js(variation.lower), variation.upper * LOG_2)
    kl_least = max(2.0 * variation.lower**2, _bretagnolle_huber(variation.lower))
    result = {"total_variation": variation, "js": js}
    for name in ("kl_pq", "kl_qp"):
        result[name] = narrowed(bounds[name], kl_least, math.inf)
    return result


def variation_to_js(variation: float) -> float:
    """The least JS at a total variation: log 2 - h((1 - TV)/2), in nats."""
    high, low = 1.0 + variation, 1.0 - variation
    rest = low * math.log1p(-variation) if low > 0 else 0.0
    return max(0.5 * (high * math.log1p(variation) + rest), 0.0)


def _bretagnolle_huber(variation: float) -> float:
    square = variation * variation
    return -math.log1p(-square) if square < 1.0 else math.inf


def narrowed(bounds: Enclosure, lower: float, upper: float) -> Enclosure:
    """The intersection; within rounding of an empty one, the bounds as they were."""
    low = max(bounds.lower, lower * (1.0 - 4 * SLACK))
    high = min(bounds.upper, upper * (1.0 + 4 * SLACK))
    return Enclosure(low, high) if low <= high else bounds


def _met(entry: Entry, reach: Enclosure) -> Entry:
    """An entry with its enclosure intersected; the value moves only if it was unknown."""
    if entry.method == "exact":
        return entry
    bounds = narrowed(entry.enclosure, reach.lower, reach.upper)
    value = entry.value
    if math.isnan(value) and math.isfinite(bounds.upper):
        value = bounds.midpoint
    return Entry(value, bounds, entry.method)


def _times(diameter: float, variation: float) -> float:
    return 0.0 if variation == 0.0 else diameter * variation


def _between_moments(p: Any, q: Any) -> Enclosure:
    r"""Bounds of W1 of normal laws in space by the distance of their means and by W2.

    .. math:: W_2^2 = |\mu_1 - \mu_2|^2 + \operatorname{tr} \bigl(\Sigma_1 + \Sigma_2
        - 2 (\Sigma_1^{1/2} \Sigma_2 \Sigma_1^{1/2})^{1/2}\bigr)
    """
    laws = canonical(p), canonical(q)
    if not all(isinstance(law, MultivariateNormal) for law in laws):
        return Enclosure(0.0, math.inf)
    first, second = (as_numpy(law.matrix()) for law in laws)  # type: ignore[attr-defined]
    means = [as_numpy(law.mean) for law in laws]  # type: ignore[attr-defined]
    shift = float(np.linalg.norm(means[0] - means[1]))
    values, vectors = np.linalg.eigh(first)
    root = (vectors * np.sqrt(np.maximum(values, 0.0))) @ vectors.T
    fidelity = np.sqrt(np.maximum(np.linalg.eigvalsh(root @ second @ root), 0.0)).sum()
    total = float(np.trace(first) + np.trace(second))
    spread = max(total - 2.0 * float(fidelity), 0.0) + 1e-13 * total
    return Enclosure(shift * (1.0 - SLACK), math.hypot(shift, math.sqrt(spread)))


def _diameter(p: Any, q: Any) -> float:
    """The diameter of what carries both laws, inf where it is not bounded."""
    first, second = canonical(p), canonical(q)
    if isinstance(first, Discrete) and isinstance(second, Discrete):
        points = np.concatenate([as_numpy(law.points) for law in (first, second)])
        return float(np.linalg.norm(np.ptp(points, axis=0)))
    if not all(hasattr(law, "support") for law in (first, second)):
        return math.inf
    ends = [law.support for law in (first, second)]  # type: ignore[attr-defined]
    return float(max(high for _, high in ends) - min(low for low, _ in ends))

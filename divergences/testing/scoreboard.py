"""The laws run on functions of other libraries, each with its convention declared.

``python -m divergences.testing.scoreboard`` prints the table that the documentation shows. What a
library documents (its base, its root, the order of its arguments) is taken into account by a line
of glue; what then still fails is listed with its smallest counterexample. A library that is not
installed is named and skipped.
"""

import importlib.metadata
import importlib.util
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from .laws import LawReport, check


@dataclass(frozen=True)
class Entry:
    """A function of some library.

    Attributes
    ----------
    library : str, the name of its distribution
    module : str, the module that tells whether it is installed
    function : str, what is called, for a reader
    convention : str, what the library documents and the glue allows for
    load : callable, () to the function
    options : dict, of `divergences.testing.laws.check`
    """

    library: str
    module: str
    function: str
    convention: str
    load: Callable[[], Callable[..., Any]]
    options: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Row:
    """An entry with its library's version and the report; both None where it is missing."""

    entry: Entry
    version: str | None
    report: LawReport | None


def _entropy() -> Callable[..., Any]:
    from scipy.stats import entropy

    return entropy


def _rel_entr() -> Callable[..., Any]:
    from scipy.special import rel_entr

    return lambda p, q: rel_entr(p, q).sum()


def _jensenshannon() -> Callable[..., Any]:
    from scipy.spatial.distance import jensenshannon

    return jensenshannon  # type: ignore[no-any-return, unused-ignore]


def _scipy_stats(name: str) -> Callable[[], Callable[..., Any]]:
    def load() -> Callable[..., Any]:
        import scipy.stats

        return getattr(scipy.stats, name)  # type: ignore[no-any-return]

    return load


def _kl_div(reduction: str) -> Callable[[], Callable[..., Any]]:
    def load() -> Callable[..., Any]:
        from torch.nn import functional

        return lambda p, q: functional.kl_div(q.log(), p, reduction=reduction)

    return load


def _categorical() -> Callable[..., Any]:
    from torch.distributions import Categorical, kl_divergence

    return lambda p, q: kl_divergence(Categorical(probs=p), Categorical(probs=q))


def _torchmetrics(name: str) -> Callable[[], Callable[..., Any]]:
    def load() -> Callable[..., Any]:
        function = getattr(importlib.import_module("torchmetrics.functional.regression"), name)
        return lambda p, q: function(p, q, reduction="none")

    return load


def _pot_line(power: int) -> Callable[[], Callable[..., Any]]:
    def load() -> Callable[..., Any]:
        import ot

        return lambda x, y: ot.wasserstein_1d(x, y, p=power)

    return load


def _pot_emd2() -> Callable[..., Any]:
    import ot

    return lambda x, y: ot.emd2([], [], ot.dist(x, y, metric="euclidean"))


def _pot_emd2_1d() -> Callable[..., Any]:
    import ot

    return ot.emd2_1d  # type: ignore[no-any-return]


def _pot_emd() -> Callable[..., Any]:
    import ot

    return lambda cost, a, b: ot.emd(a, b, cost)


def _pot_sinkhorn() -> Callable[..., Any]:
    import ot

    return lambda cost, a, b: ot.sinkhorn(a, b, cost, reg=0.1)


def _divergence(name: str) -> Callable[[], Callable[..., Any]]:
    def load() -> Callable[..., Any]:
        return getattr(importlib.import_module("divergence"), name)  # type: ignore[no-any-return]

    return load


def _infomeasure(name: str, **options: Any) -> Callable[[], Callable[..., Any]]:
    def load() -> Callable[..., Any]:
        function = getattr(importlib.import_module("infomeasure"), name)
        return lambda x, y: function(x, y, **options)

    return load


def _geomloss(loss: str, power: int) -> Callable[[], Callable[..., Any]]:
    def load() -> Callable[..., Any]:
        loss_of = importlib.import_module("geomloss").SamplesLoss(loss, p=power)
        return lambda x, y: loss_of(x.contiguous(), y.contiguous())

    return load


def _ours(name: str) -> Callable[[], Callable[..., Any]]:
    def load() -> Callable[..., Any]:
        import divergences

        return getattr(divergences, name)  # type: ignore[no-any-return]

    return load


def _solver() -> Callable[..., Any]:
    from .. import optimal_transport

    return lambda cost, a, b: optimal_transport(cost=cost, x_weights=a, y_weights=b)


def _as(kind: str, reference: str | None = None, **more: Any) -> dict[str, Any]:
    return {"kind": kind, "reference": reference, **more}


_F, _KL = "f-divergence", "kl_divergence"

ENTRIES: tuple[Entry, ...] = (
    *(
        Entry("divergences", "divergences", name, convention, _ours(name), _as(kind, name))
        for name, kind, convention in (
            (_KL, _F, "nats"),
            ("js_divergence", _F, "nats"),
            ("js_distance", "metric", "the root, nats"),
            ("total_variation", _F, "half the sum"),
            ("wasserstein1", "ipm", "Euclidean"),
        )
    ),
    Entry("divergences", "divergences", "optimal_transport", "`cost=`", _solver,
          _as("coupling-solver")),
    Entry("scipy", "scipy", "special.rel_entr", "summed", _rel_entr, _as(_F, _KL)),
    Entry("scipy", "scipy", "stats.entropy", "nats", _entropy, _as(_F, _KL)),
    Entry("scipy", "scipy", "spatial.distance.jensenshannon", "the root, nats", _jensenshannon,
          _as("metric", "js_distance")),
    Entry("scipy", "scipy", "stats.wasserstein_distance", "line",
          _scipy_stats("wasserstein_distance"), _as("ipm", "wasserstein1")),
    Entry("scipy", "scipy", "stats.energy_distance", "line, the root",
          _scipy_stats("energy_distance"), _as("ipm")),
    Entry("torch", "torch", "nn.functional.kl_div (sum)", "takes (log q, p)", _kl_div("sum"),
          _as(_F, _KL)),
    Entry("torch", "torch", "nn.functional.kl_div (default)", "takes (log q, p)", _kl_div("mean"),
          _as(_F, _KL)),
    Entry("torch", "torch", "distributions.Categorical", "probs", _categorical, _as(_F, _KL)),
    Entry("torchmetrics", "torchmetrics", "functional.regression.kl_divergence", "batches (b, k)",
          _torchmetrics("kl_divergence"), _as(_F, _KL, batch=True)),
    Entry("torchmetrics", "torchmetrics", "functional.regression.jensen_shannon_divergence",
          "batches (b, k)", _torchmetrics("jensen_shannon_divergence"),
          _as(_F, "js_divergence", batch=True)),
    Entry("pot", "ot", "emd2", "Euclidean costs", _pot_emd2, _as("ipm", "wasserstein1")),
    Entry("pot", "ot", "wasserstein_1d(p=1)", "line", _pot_line(1), _as("ipm", "wasserstein1")),
    Entry("pot", "ot", "wasserstein_1d(p=2)", "line", _pot_line(2), _as("metric")),
    Entry("pot", "ot", "emd2_1d", "line, default metric", _pot_emd2_1d, _as("metric")),
    Entry("pot", "ot", "emd", "(a, b, M)", _pot_emd, _as("coupling-solver")),
    Entry("pot", "ot", "sinkhorn (reg=0.1)", "(a, b, M), approximate", _pot_sinkhorn,
          _as("coupling-solver")),
    *(
        Entry("divergence", "divergence", name, convention, _divergence(name), _as(kind, reference))
        for name, convention, kind, reference in (
            ("knn_kl_divergence", "nats", "estimator", _KL),
            ("total_variation_distance", "half the integral", "estimator", "total_variation"),
            ("wasserstein_distance", "sliced beyond the line", "metric", None),
            ("energy_distance", "line", "metric", None),
        )
    ),
    Entry("infomeasure", "infomeasure", "kld (metric)", "nats",
          _infomeasure("kld", approach="metric"), _as("estimator", _KL)),
    Entry("infomeasure", "infomeasure", "jsd (kernel, box of 0.1)", "nats",
          _infomeasure("jsd", approach="kernel", kernel="box", bandwidth=0.1),
          _as("estimator", "js_divergence")),
    Entry("geomloss", "geomloss", "SamplesLoss('sinkhorn', p=1)", "default blur",
          _geomloss("sinkhorn", 1), _as("metric", "wasserstein1", domain="samples")),
    Entry("geomloss", "geomloss", "SamplesLoss('sinkhorn', p=2)", "default blur, half the square",
          _geomloss("sinkhorn", 2), _as("metric", domain="samples")),
    Entry("geomloss", "geomloss", "SamplesLoss('energy')", "half the usual one",
          _geomloss("energy", 2), _as("metric", domain="samples")),
)  # fmt: skip
"""What the scoreboard runs, ours first."""


def run(
    entries: Iterable[Entry] = ENTRIES, *, max_examples: int = 200, seed: int = 0
) -> tuple[Row, ...]:
    """Check every entry whose library is installed.

    Parameters
    ----------
    entries : iterable of Entry
    max_examples, seed : int
        As of `divergences.testing.laws.check`.

    Returns
    -------
    tuple of Row
        In the order of ``entries``.
    """
    return tuple(_row(entry, max_examples, seed) for entry in entries)


def _row(entry: Entry, max_examples: int, seed: int) -> Row:
    if importlib.util.find_spec(entry.module) is None:
        return Row(entry, None, None)
    options = {"max_examples": max_examples, "seed": seed} | entry.options
    try:
        version = importlib.metadata.version(entry.library)
    except importlib.metadata.PackageNotFoundError:
        version = "?"
    return Row(entry, version, check(entry.load(), **options))


def markdown(rows: Iterable[Row]) -> str:
    """The rows as a table in Markdown.

    Parameters
    ----------
    rows : iterable of Row

    Returns
    -------
    str
    """
    head = "| library | function | convention | checked as | laws that fail |"
    lines = [head, "|---|---|---|---|---|"]
    for row in rows:
        entry, options = row.entry, row.entry.options
        checked = options["kind"]
        if options.get("reference"):
            checked += f", {options['reference']}"
        name = entry.library if row.version is None else f"{entry.library} {row.version}"
        lines.append(
            f"| {name} | `{entry.function}` | {entry.convention} | {checked} | {_verdict(row)} |"
        )
    return "\n".join(lines) + "\n"


def _verdict(row: Row) -> str:
    if row.report is None:
        return "not installed, skipped"
    if row.report.ok:
        return f"none of {len(row.report.laws)}"
    causes: dict[str, list[str]] = {}
    for failure in row.report.failures:
        causes.setdefault(failure.diagnosis or "not recognised", []).append(failure.law)
    parts = [f"{', '.join(laws)}: *{cause}*" for cause, laws in causes.items()]
    return f"{len(row.report.failures)} of {len(row.report.laws)}: " + "; ".join(parts)


if __name__ == "__main__":
    print(markdown(run()))

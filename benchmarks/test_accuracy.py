"""Relative errors of KL and JS in units of eps: ours, SciPy's, torch's, torchmetrics' if installed.

Truth is that of the exactly normalised vectors, in mpmath. The table of ``docs/accuracy.md`` is
written from the figures. An error of ``inf`` is a NaN, an infinity or a negative value of a
positive truth.
"""

import importlib.util
import math
import warnings
from pathlib import Path

import mpmath as mp
import numpy as np
import scipy.special
import scipy.stats
import torch
from scipy.spatial.distance import jensenshannon

from divergences import js_divergence, kl_divergence, total_variation

from .record import record

PERTURBATIONS = (1e-15, 1e-12, 1e-8, 1e-4, 1e-2, 1.0, 30.0)
CASES = ((10, 20), (1000, 10), (100_000, 1))  # atoms, pairs
PAGE = Path(__file__).parent.parent / "docs" / "accuracy.md"


def _kl_of_torch(p, q):
    first, second = torch.from_numpy(p), torch.from_numpy(q)
    return float(torch.nn.functional.kl_div(second.log(), first, reduction="sum"))


def _systems():
    systems = {
        "ours, total variation": (0, total_variation),
        "ours, KL": (1, kl_divergence),
        "ours, JS": (2, js_divergence),
        "NumPy, total variation": (0, lambda p, q: 0.5 * np.abs(p - q).sum()),
        "SciPy entropy, KL": (1, scipy.stats.entropy),
        "SciPy rel_entr, KL": (1, lambda p, q: scipy.special.rel_entr(p, q).sum()),
        "torch kl_div, KL": (1, _kl_of_torch),
        "SciPy jensenshannon squared, JS": (2, lambda p, q: jensenshannon(p, q) ** 2),
    }
    if importlib.util.find_spec("torchmetrics"):
        from torchmetrics.functional import kl_divergence as theirs

        systems["torchmetrics, KL"] = (
            1,
            lambda p, q: float(theirs(torch.from_numpy(p)[None], torch.from_numpy(q)[None])),
        )
    return systems


def _truths(p, q):
    with mp.workdps(60):
        first, second = ([mp.mpf(float(v)) for v in vector] for vector in (p, q))
        p_mass, q_mass = mp.fsum(first), mp.fsum(second)
        pairs = [(a / p_mass, b / q_mass) for a, b in zip(first, second, strict=True)]
        variation = mp.fsum(abs(a - b) for a, b in pairs) / 2
        kl = mp.fsum(a * mp.log(a / b) for a, b in pairs)
        js = mp.fsum(a * mp.log(2 * a / (a + b)) + b * mp.log(2 * b / (a + b)) for a, b in pairs)
        return variation, kl, js / 2


def _error(value, truth, eps):
    value = float(value)
    if not math.isfinite(value) or value < 0:
        return math.inf
    return float(abs(mp.mpf(value) - truth) / truth / eps)


def _pairs(dtype, perturbation, atoms, count):
    rng = np.random.default_rng(atoms)
    for _ in range(count):
        p = rng.dirichlet(np.ones(atoms))
        q = p * np.exp(perturbation * rng.normal(size=atoms))
        p, q = ((v / v.sum()).astype(dtype) for v in (p, q))
        if not np.array_equal(p, q) and (q > 0).all() and (p > 0).all():
            yield p, q


def _worst(dtype, atoms, count):
    rows = {}
    eps = float(np.finfo(dtype).eps)
    for perturbation in PERTURBATIONS:
        errors = dict.fromkeys(_systems(), 0.0)
        pairs = list(_pairs(dtype, perturbation, atoms, count))
        for p, q in pairs:
            truths = _truths(p, q)
            for name, (which, function) in _systems().items():
                with warnings.catch_warnings(), np.errstate(all="ignore"):
                    warnings.simplefilter("ignore")
                    value = function(p, q)
                errors[name] = max(errors[name], _error(value, truths[which], eps))
        rows[f"{perturbation:g}"] = (
            {name: error if math.isfinite(error) else "inf" for name, error in errors.items()}
            if pairs
            else None
        )
    return rows


def test_accuracy():
    figures = {
        f"{dtype.__name__}, {atoms} atoms": _worst(dtype, atoms, count)
        for dtype in (np.float64, np.float32)
        for atoms, count in CASES
    }
    record("accuracy", figures)
    PAGE.write_text(_page(figures))


def _cell(error):
    if error == "inf":
        return "inf"
    return f"{error:.1f}" if error < 100 else f"{error:.0e}"


def _page(figures):
    lines = [
        "# Accuracy",
        "",
        "Written by `benchmarks/test_accuracy.py`: the largest error of each function over random",
        "pairs of vectors, in units of eps of the dtype relative to the value (mpmath, of the",
        "exactly normalised vectors). Columns: the relative perturbation that leads from p to q;",
        "*inf* is NaN, an infinity or a negative number where the truth is positive.",
        "In float32, small perturbations are those that rounding to float32 leaves.",
    ]
    for title, rows in figures.items():
        kept = {name: row for name, row in rows.items() if row}
        lines += ["", f"## {title}", "", "| | " + " | ".join(kept) + " |"]
        lines += ["|---" * (len(kept) + 1) + "|"]
        for system in next(iter(kept.values())):
            cells = (_cell(row[system]) for row in kept.values())
            lines.append(f"| {system} | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"

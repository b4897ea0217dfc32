"""Critics scored against exact truth: the published pairs, laws in closed form, digits.

``DIVERGENCES_W1_BENCHMARK`` names the folder of the pairs, ``DIVERGENCES_DUAL_PAIRS`` chooses some
of them ("16-64,64-256", or "all"), ``DIVERGENCES_DUAL_CRITICS`` some critics (names, separated by
semicolons), ``DIVERGENCES_DUAL_DIMENSIONS`` those of the laws ("2,16,64"),
``DIVERGENCES_DUAL_SEED`` the pairs that are made afresh (with ``-k fresh``), and
``DIVERGENCES_DUAL_SECONDS`` is the budget of one training: seconds of a
processor, as are those in the tables, so that other programs on the machine do not count. What is
measured replaces its rows in the results, and the others stay.
The full run: ``DIVERGENCES_DUAL_PAIRS=all DIVERGENCES_DUAL_SECONDS=600 pytest
benchmarks/test_dual.py``.
"""

import math
import os
import time

import pytest
import torch

from divergences import wasserstein1
from divergences.dual import (
    MaxoutCritic,
    lipschitz_bound,
    orthogonal_mlp,
    penalised_mlp,
    wasserstein1_dual,
)

from . import w1_pairs
from .digits import images, labels
from .record import record_row

SECONDS = float(os.environ.get("DIVERGENCES_DUAL_SECONDS", "60"))
ALL = [(d, n) for d in (2, 4, 8, 16, 32, 64, 128) for n in (4, 16, 64, 256)]
SOME = "2-64,16-64,16-256,64-64"
DIMENSIONS = [int(d) for d in os.environ.get("DIVERGENCES_DUAL_DIMENSIONS", "2,16,64").split(",")]
SEED = int(os.environ.get("DIVERGENCES_DUAL_SEED", "1"))
TRUTH_POINTS = 3000


@pytest.fixture(autouse=True)
def _processor_seconds(monkeypatch):
    monkeypatch.setattr("time.monotonic", time.process_time)


def _pairs():
    text = os.environ.get("DIVERGENCES_DUAL_PAIRS", SOME)
    if text == "all":
        return [pair for pair in ALL if w1_pairs.present(*pair)]
    return [tuple(int(part) for part in entry.split("-")) for entry in text.split(",")]


def _network(dimension):
    """A plain network, kept in bounds by the one-sided gradient penalty."""
    return penalised_mlp(dimension, generator=torch.Generator().manual_seed(0))


def _orthogonal(dimension):
    """Orthogonal layers with sorting between them: 1-Lipschitz, and not built from cones."""
    return orthogonal_mlp(
        dimension, (256, 256), group_size=8, generator=torch.Generator().manual_seed(0)
    )


def _maxout(dimension):
    """A hidden layer and a maximum of what it bends, with the same penalty: no cones either."""
    return MaxoutCritic(dimension, generator=torch.Generator().manual_seed(0))


CRITICS = {
    "default": lambda _: None,
    "orthogonal, sorting": _orthogonal,
    "one-sided penalty": _network,
    "maxout, one-sided penalty": _maxout,
}
CHOSEN = os.environ.get("DIVERGENCES_DUAL_CRITICS", ";".join(CRITICS)).split(";")


def _measured(pair, critic):
    """Figures of a critic trained on a pair, and a row of the table without its names."""
    dimension = pair.centres.shape[1]
    estimate = wasserstein1_dual(
        pair.draw_x, pair.draw_y, critic=CRITICS[critic](dimension), max_seconds=SECONDS
    )
    row = w1_pairs.scores(pair, estimate.critic)
    bound = estimate.value / lipschitz_bound(estimate.critic)
    assert estimate.confidence_lower <= row["truth"]
    assert bound <= 1.05 * row["truth"]  # both are means of samples
    return {
        "critic": critic, **{key: round(value, 4) for key, value in row.items()},
        "certified bound / truth": round(bound / row["truth"], 4),
        "kind": type(estimate.critic.critic).__name__,
        "seconds": round(estimate.seconds, 1), "budget (s)": SECONDS,
        "steps": estimate.history[-1].step,
    }  # fmt: skip


@pytest.mark.skipif(w1_pairs.FOLDER not in os.environ, reason=f"{w1_pairs.FOLDER} names no folder")
def test_pairs():
    for dimension, funnels in _pairs():
        pair = w1_pairs.load(dimension, funnels)
        published = w1_pairs.published(dimension, funnels)
        best = max(published.items(), key=lambda row: row[1])
        for name in CHOSEN:
            figures = {
                "D": dimension, "N": funnels, **_measured(pair, name),
                "best published": best[0], "its cosine": best[1], "published": published,
            }  # fmt: skip
            print(figures, flush=True)
            record_row("dual-pairs", ("D", "N", "critic"), figures)


def test_fresh_pairs():
    """Pairs of the same construction that nobody has measured: does what was gained carry over?"""
    for dimension, funnels in _pairs():
        pair = w1_pairs.fresh(dimension, funnels, SEED)
        for name in CHOSEN:
            figures = {"D": dimension, "N": funnels, "seed": SEED, **_measured(pair, name)}
            print(figures, flush=True)
            record_row("dual-fresh-pairs", ("D", "N", "seed", "critic"), figures)


def _laws(d, generator):
    """Laws that are not built from cones, and their distance."""

    def normal(n):
        return torch.randn(n, d, generator=generator, dtype=torch.float64)

    def box(n):
        return torch.rand(n, d, generator=generator, dtype=torch.float64) - 0.5

    shift = torch.nn.functional.normalize(normal(1), dim=1)
    turn = torch.linalg.qr(normal(d)).Q
    long = torch.ones(d, dtype=torch.float64)
    long[0] = 3.0
    mean_length = math.sqrt(2) * math.exp(math.lgamma((d + 1) / 2) - math.lgamma(d / 2))
    yield "normal, translated", lambda n: normal(n) + shift, normal, 1.0
    yield "normal, scaled", normal, lambda n: 2 * normal(n), mean_length
    yield ("product, one factor scaled, rotated", lambda n: (normal(n) * long) @ turn,
           lambda n: normal(n) @ turn, 2 * math.sqrt(2 / math.pi))  # fmt: skip
    yield ("uniform, stretched, rotated", lambda n: (box(n) * long) @ turn,
           lambda n: box(n) @ turn, 0.5)  # fmt: skip


def test_laws_in_closed_form():
    for dimension in DIMENSIONS:
        for name, x, y, truth in _laws(dimension, torch.Generator().manual_seed(5)):
            estimate = wasserstein1_dual(x, y, max_seconds=SECONDS / 4)
            figures = {
                "d": dimension, "laws": name, "truth": round(truth, 4),
                "held-out / truth": round(estimate.heldout_value / truth, 4),
                "confidence / truth": round(estimate.confidence_lower / truth, 4),
                "critic": type(estimate.critic.critic).__name__,
                "seconds": round(estimate.seconds, 1),
            }  # fmt: skip
            print(figures, flush=True)
            record_row("dual-laws", ("d", "laws"), figures)
            assert estimate.confidence_lower <= truth


def test_digits():
    """Classes of digits in eight principal coordinates; truth by exact transport of all points."""
    pixels = torch.from_numpy(images("train").reshape(len(images("train")), -1)).double()
    shown = torch.from_numpy(labels("train").astype("int64"))
    centred = pixels - pixels.mean(dim=0)
    features = centred @ torch.linalg.eigh(centred.T @ centred).eigenvectors[:, -8:]
    for one, other in ((0, 1), (3, 8), (4, 9)):
        x, y = (features[shown == digit][:TRUTH_POINTS] for digit in (one, other))
        truth = wasserstein1(x, y).item()
        estimate = wasserstein1_dual(x, y, max_seconds=SECONDS / 4)
        figures = {
            "classes": f"{one} and {other}", "points": [len(x), len(y)],
            "exact": round(truth, 4), "value / exact": round(estimate.value / truth, 4),
            "held-out / exact": round(estimate.heldout_value / truth, 4),
            "confidence / exact": round(estimate.confidence_lower / truth, 4),
            "critic": type(estimate.critic.critic).__name__,
            "seconds": round(estimate.seconds, 1),
        }  # fmt: skip
        print(figures, flush=True)
        record_row("dual-digits", ("classes",), figures)
        assert estimate.lower_bound <= truth * (1 + 1e-9)

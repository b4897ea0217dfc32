"""The evidence behind the theorems, drawn from values that the library computes."""

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from . import (
    Discrete,
    Normal,
    js_divergence,
    kl_divergence,
    total_variation,
    wasserstein1,
)
from ._typing import Float64Array
from .plots import BLUE, GREEN, GREY, ORANGE, VERMILION, new_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

LOG_2 = math.log(2.0)
PAIRS = 1500


def lower_curve(tv: Float64Array) -> Float64Array:
    """The least JS at a total variation: log 2 - h((1 - t)/2), without cancellation."""
    rest = np.where(tv < 1, 1.0 - tv, 1.0)
    return np.asarray(0.5 * ((1 + tv) * np.log1p(tv) + (1 - tv) * np.log(rest)))


def _pairs(seed: int) -> list[tuple[Float64Array, Float64Array]]:
    """Pairs of probability vectors between the two extremes at a total variation.

    Two-point laws that mirror each other have the least JS, laws with a common part and disjoint
    rests the largest: a pair is a mixture of the two on separate points, or any pair whatever.
    """
    rng, pairs = np.random.default_rng(seed), []
    for index in range(PAIRS):
        if index % 5 == 0:
            pairs.append(tuple(rng.dirichlet(np.full(3, 0.5), size=2)))
            continue
        t, share = (
            rng.uniform(0, 1),
            (0.0, 1.0, rng.uniform(0, 1), rng.uniform(0, 1))[index % 5 - 1],
        )
        mirrored = share * np.array([(1 + t) / 2, (1 - t) / 2])
        disjoint = (1 - share) * np.array([1 - t, t, 0.0])
        p = np.concatenate([mirrored, disjoint])
        q = np.concatenate([mirrored[::-1], disjoint[[0, 2, 1]]])
        pairs.append((p / p.sum(), q / q.sum()))
    return pairs


def joint_range(seed: int = 0) -> "Figure":
    """TV against JS: random pairs between the sharp lower curve and TV log 2 (Theorem 2.1)."""
    points = np.array(
        [[float(total_variation(p, q)), float(js_divergence(p, q))] for p, q in _pairs(seed)]
    )
    t = np.linspace(0, 1, 401)
    figure = new_figure(7.0, 4.4)
    panel = figure.subplots()
    panel.plot(*points.T, ".", color=BLUE, markersize=3, alpha=0.5, label=f"{PAIRS} random pairs")
    panel.plot(t, t * LOG_2, color=GREEN, linestyle="--", label="upper bound: TV log 2")
    panel.plot(
        t, lower_curve(t), color=VERMILION, label=r"sharp lower curve: log 2 - h((1 - TV)/2)"
    )
    panel.plot(t, t**2 / 2, color=ORANGE, linestyle=":", label=r"TV$^2$/2")
    panel.set(
        xlabel="total variation",
        ylabel="Jensen-Shannon (nats)",
        title="TV and JS vanish together",
        xlim=(0, 1),
        ylim=(0, 0.72),
    )
    panel.legend(loc="upper left", fontsize=8)
    return figure


def pinsker(seed: int = 0) -> "Figure":
    """KL against TV: random pairs below Pinsker's and Bretagnolle and Huber's bound."""
    points = np.array(
        [[float(kl_divergence(p, q)), float(total_variation(p, q))] for p, q in _pairs(seed)]
    )
    points = points[np.isfinite(points[:, 0]) & (points[:, 0] > 1e-6)]
    kl = np.logspace(-6, 2, 400)
    figure = new_figure(7.0, 4.4)
    panel = figure.subplots()
    panel.loglog(
        *points.T, ".", color=BLUE, markersize=3, alpha=0.5,
        label=f"{len(points)} random pairs with a finite KL",
    )  # fmt: skip
    panel.loglog(kl, np.sqrt(kl / 2), color=VERMILION, label=r"Pinsker: $\sqrt{KL/2}$")
    panel.loglog(
        kl, np.sqrt(-np.expm1(-kl)), color=GREEN, linestyle="--",
        label=r"Bretagnolle-Huber: $\sqrt{1 - e^{-KL}}$",
    )  # fmt: skip
    panel.set(
        xlabel="KL(P, Q) (nats)",
        ylabel="total variation",
        title="A small KL forces a small TV; a large one says nothing beyond 1",
        xlim=(1e-6, 1e2),
        ylim=(1e-4, 3),
    )
    panel.legend(loc="lower right", fontsize=8)
    return figure


def counterexamples() -> "Figure":
    """W1, TV, JS and both KL along C1 to C5."""
    figure = new_figure(9.6, 6.4)
    panels = figure.subplots(2, 3)
    n = np.unique(np.logspace(0.31, 2, 14).astype(int))
    _one(panels[0, 0], "C1: points 1/n against 0", n,
         [(Discrete([1.0 / k]), Discrete([0.0])) for k in n])  # fmt: skip
    _one(panels[0, 1], "C2: density 1 + sin(2 pi n x)\nagainst uniform", n[n <= 40],
         [_wave(int(k)) for k in n[n <= 40]])  # fmt: skip
    atoms = [0.0, 1.0]
    leaking = [(Discrete(atoms, [1 - 1 / k, 1 / k]), Discrete(atoms, [1.0, 0.0])) for k in n]
    _one(panels[0, 2], "C3: mass 1/n moved to 1,\nagainst a point at 0", n, leaking)
    e = np.linspace(0.04, 0.5, 16)[::-1]
    rare = np.exp(-1 / e**2)
    laws = [(Discrete(atoms, [1 - a, a]), Discrete(atoms, [1 - b, b]))
            for a, b in zip(e, rare, strict=True)]  # fmt: skip
    title = "C4: (1-e, e) against (1-r, r),\n" + r"$r = \exp(-1/e^2)$"
    _one(panels[1, 0], title, 1 / e, laws, "1/e")
    far = [(Discrete([0.0, float(k) ** 2], [1 - 1 / k, 1 / k]), Discrete([0.0])) for k in n]
    _one(panels[1, 1], "C5: mass 1/n at n$^2$\nagainst a point at 0", n, far)
    panels[1, 2].axis("off")
    handles, labels = panels[0, 0].get_legend_handles_labels()
    panels[1, 2].legend(handles, labels, loc="center", fontsize=9)
    panels[1, 2].text(
        0.5, 0.08, "a line at the top edge: infinite", ha="center", fontsize=9, color=GREY,
        transform=panels[1, 2].transAxes,
    )  # fmt: skip
    return figure


def _wave(n: int) -> tuple[Discrete, Discrete]:
    """Cells of 1 + sin(2 pi n x) and of the uniform density."""
    cells = 200 * n
    edges = np.arange(cells + 1) / cells
    whole = edges - np.cos(2 * math.pi * n * edges) / (2 * math.pi * n)
    masses = np.maximum(np.diff(whole), 0.0)
    centres = (edges[1:] + edges[:-1]) / 2
    return Discrete(centres, masses / masses.sum()), Discrete(centres, np.full(cells, 1 / cells))


LINES: tuple[tuple[str, Callable[..., Any], str, Any, str], ...] = (
    ("$W_1$ (unit of x)", wasserstein1, BLUE, "-", "o"),
    ("total variation", total_variation, GREEN, "--", "s"),
    ("Jensen-Shannon (nats)", js_divergence, VERMILION, ":", "^"),
    ("$KL(P_n, P)$ (nats)", kl_divergence, ORANGE, "-.", "v"),
    ("$KL(P, P_n)$ (nats)", lambda p, q: kl_divergence(q, p), GREY, (0, (1, 2)), "d"),
)


def _one(
    panel: "Axes",
    title: str,
    steps: Float64Array,
    laws: list[tuple[Discrete, Discrete]],
    step: str = "n",
) -> None:
    """One panel: five curves, infinite values on its upper edge."""
    from matplotlib.ticker import NullFormatter

    curves = [np.array([float(f(p, q)) for p, q in laws]) for _, f, *_ in LINES]
    finite = np.concatenate([curve[np.isfinite(curve) & (curve > 0)] for curve in curves])
    top, bottom = 8.0 * float(finite.max()), 0.5 * max(float(finite.min()), 1e-6)
    infinite = 0
    for (name, _, colour, dash, marker), curve in zip(LINES, curves, strict=True):
        shown = curve
        if np.isinf(curve).all():
            infinite += 1
            shown = np.full_like(curve, top / 1.5**infinite)
        panel.loglog(steps, shown, color=colour, linestyle=dash, marker=marker, markersize=3,
                     label=name)  # fmt: skip
        if np.isinf(curve).all():
            panel.text(steps[len(steps) // 2], shown[-1], "inf", color=colour, fontsize=8,
                       va="center", ha="center",
                       bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.5})  # fmt: skip
    panel.set_title(title, fontsize=9)
    panel.set(xlabel=step, ylim=(bottom, top * 1.2))
    panel.xaxis.set_minor_formatter(NullFormatter())
    panel.yaxis.set_minor_formatter(NullFormatter())


def clipping() -> "Figure":
    """The size of a clipped critic's gradient against its depth (section 3)."""
    from .theorems._clipping import input_gradient, signs

    rng = np.random.default_rng(0)
    depths = np.arange(1, 9)
    figure = new_figure(7.0, 4.2)
    panel = figure.subplots()
    for c, colour, marker in ((0.1, VERMILION, "^"), (0.0625, GREY, "s"), (0.01, BLUE, "o")):
        sizes = []
        for depth in depths:
            widths = (64, *(512,) * (int(depth) - 1), 1)
            x = rng.normal(size=64)
            draws = [input_gradient(signs(rng, widths, c), x) for _ in range(3)]
            sizes.append(float(np.mean([np.linalg.norm(draw) for draw in draws])))
        expected = 8 * c * (c * math.sqrt(256.0)) ** (depths - 1)
        panel.semilogy(depths, sizes, marker, color=colour, label=f"random signs, c = {c:g}")
        panel.semilogy(depths, expected, "--", color=colour, linewidth=0.9)
    panel.set(
        xlabel="layers (width 512, ReLU, 64 inputs)",
        ylabel=r"$|\nabla_x f|$ (value of f per unit of x)",
        title="Clipping: gradients vanish or explode with depth",
    )
    panel.text(0.02, 0.03, r"dashed: $c \sqrt{64}\,(c \sqrt{256})^{L-1}$", fontsize=8,
               transform=panel.transAxes, va="bottom")  # fmt: skip
    panel.legend(loc="center right", bbox_to_anchor=(1.0, 0.62), fontsize=8)
    return figure


def noise() -> "Figure":
    """Noise on the parallel lines: what it does to KL and TV, and what it costs in W1."""
    s = np.logspace(-1.5, 1, 40)
    pairs = [(Normal(0.0, float(k)), Normal(1.0, float(k))) for k in s]
    figure = new_figure(7.0, 4.2)
    panel = figure.subplots()
    panel.loglog(s, [float(kl_divergence(p, q)) for p, q in pairs], color=VERMILION, linestyle=":",
                 label=r"KL $= \theta^2/(2 s^2)$ (nats)")  # fmt: skip
    panel.loglog(s, [float(total_variation(p, q)) for p, q in pairs], color=GREEN, linestyle="--",
                 label="total variation")  # fmt: skip
    point = Discrete([0.0])
    panel.loglog(s, [float(wasserstein1(point, p)) for p, _ in pairs], color=BLUE,
                 label=r"blur: $W_1(\delta_0, \delta_0 * N_s)$ (unit of s)")  # fmt: skip
    panel.set(
        xlabel="standard deviation s of the noise; the lines are 1 apart",
        ylabel="divergence",
        title="The noise that makes KL finite is the blur",
    )
    panel.legend(loc="upper center", fontsize=8)
    return figure

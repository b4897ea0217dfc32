"""The pictures of ``transport.md``: plans, critics, levels and the curve of the line."""

from typing import Any

import numpy as np
from matplotlib.figure import Figure

from divergences import optimal_transport, wasserstein1
from divergences.plots import BLUE, GREY, ORANGE, VERMILION

LEVELS = (2, 4, 6)  # of the kd-trees: 4, 16 and 64 clusters


def _moons(n: int) -> tuple[Any, Any]:
    rng = np.random.default_rng(4)
    s, t = rng.random((2, n, 1)) * np.pi
    noise = 0.08 * rng.normal(size=(2, n, 2))
    x = np.hstack([np.cos(s), np.sin(s)]) + noise[0]
    return x, np.hstack([1 - np.cos(t), 0.5 - np.sin(t)]) + noise[1]


def _draw_plan(axes: Any, x: Any, y: Any, plan: Any, width: float) -> None:
    entries = plan.tocoo()
    for i, j, mass in zip(entries.row, entries.col, entries.data, strict=True):
        axes.plot(*np.stack([x[i], y[j]]).T, color=GREY, linewidth=0.4 + width * mass, zorder=1)


def plan_and_critic() -> Figure:
    """Two clouds, their optimal plan, and the level lines of the critic that proves it."""
    x, y = _moons(60)
    result = optimal_transport(x, y)
    figure = Figure(figsize=(8, 3.6), layout="constrained")
    left, right = figure.subplots(1, 2, sharex=True, sharey=True)
    _draw_plan(left, x, y, result.plan, 30.0)
    left.set_title(f"Optimal plan: $W_1$ = {result.value:.4f}")
    both = np.concatenate([x, y])
    low, high = both.min(axis=0) - 0.15, both.max(axis=0) + 0.15
    across, up = np.meshgrid(np.linspace(low[0], high[0], 160), np.linspace(low[1], high[1], 120))
    heights = np.asarray(result.critic(np.stack([across.ravel(), up.ravel()], axis=1)))
    lines = right.contour(across, up, heights.reshape(across.shape), 14, cmap="cividis")
    figure.colorbar(lines, ax=right, shrink=0.75, label="critic, in the unit of the points")
    right.set_title("1-Lipschitz critic that attains it")
    for axes in (left, right):
        axes.scatter(*x.T, s=12, color=BLUE, label="x", zorder=2)
        axes.scatter(*y.T, s=12, color=ORANGE, marker="^", label="y", zorder=2)
        axes.set_aspect("equal")
        axes.set_xlabel("first coordinate")
    left.set_ylabel("second coordinate")
    left.legend(loc="lower left", frameon=False)
    return figure


def _clusters(points: Any, level: int) -> Any:
    """Centres of the nodes of a kd-tree at a level, by halving along the widest axis."""
    if level == 0:
        return points.mean(axis=0, keepdims=True)
    axis = int(np.ptp(points, axis=0).argmax())
    ordered = points[points[:, axis].argsort(kind="stable")]
    half = len(points) // 2
    return np.concatenate(
        [_clusters(ordered[:half], level - 1), _clusters(ordered[half:], level - 1)]
    )


def levels() -> Figure:
    """Plans between clusters, coarse to fine: each starts the next."""
    x, y = _moons(1024)
    figure = Figure(figsize=(9, 2.9), layout="constrained")
    for axes, level in zip(figure.subplots(1, 3, sharex=True, sharey=True), LEVELS, strict=True):
        centres = _clusters(x, level), _clusters(y, level)
        result = optimal_transport(*centres)
        axes.scatter(*x.T, s=1, color=BLUE, alpha=0.25)
        axes.scatter(*y.T, s=1, color=ORANGE, alpha=0.25)
        _draw_plan(axes, *centres, result.plan, 0.6 * 2**level / 4)
        axes.scatter(*centres[0].T, s=14, color=BLUE, zorder=2)
        axes.scatter(*centres[1].T, s=14, color=ORANGE, marker="^", zorder=2)
        axes.set_aspect("equal")
        axes.set_title(f"{2**level} clusters a side: $W_1$ = {result.value:.4f}", fontsize=10)
        axes.set_xlabel("first coordinate")
    figure.axes[0].set_ylabel("second coordinate")
    figure.suptitle(f"1,024 points a side: $W_1$ = {wasserstein1(x, y):.4f}", fontsize=11)
    return figure


def line() -> Figure:
    """On the line, W1 is the area between the distribution functions."""
    rng = np.random.default_rng(2)
    x, y = np.sort(rng.normal(size=12)), np.sort(1.4 * rng.normal(size=9) + 1)
    ends = np.sort(np.concatenate([x, y, [x[0] - 0.5, y[-1] + 0.5]]))
    grid = np.repeat(ends, 2)[1:-1]
    first, second = (
        np.repeat(np.searchsorted(cloud, ends[:-1], side="right") / len(cloud), 2)
        for cloud in (x, y)
    )
    figure = Figure(figsize=(6, 2.8), layout="constrained")
    axes = figure.subplots()
    axes.fill_between(grid, first, second, color=GREY, alpha=0.3, linewidth=0)
    axes.plot(grid, first, color=BLUE, label="distribution function of x")
    axes.plot(grid, second, color=VERMILION, linestyle="--", label="of y")
    axes.set(xlabel="z", ylabel="mass up to z", title=f"$W_1$ = {wasserstein1(x, y):.4f}: the area")
    axes.legend(frameon=False)
    return figure

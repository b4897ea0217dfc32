r"""Figures 1 and 2 of the paper, drawn from values that the library computes.

Needs matplotlib (``pip install "divergences[plot]"``). The functions return a
``matplotlib.figure.Figure`` of their own and touch no global state: save it with ``savefig``.

Colours are those of Okabe and Ito, which remain distinct under colour blindness; lines differ in
their dashes too.
"""

import math
from statistics import NormalDist
from typing import TYPE_CHECKING, Any

import numpy as np

from . import (
    Comparison,
    Discrete,
    js_divergence,
    optimal_transport,
    total_variation,
    wasserstein1,
)
from ._array import as_numpy
from ._typing import ArrayLike, Float64Array
from ._validation import finite, real_array, real_number, refuse

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

BLUE, ORANGE, GREEN, VERMILION, GREY = "#0072B2", "#E69F00", "#009E73", "#D55E00", "#555555"
HEIGHTS = np.linspace(0.0, 1.0, 9)


def figure_1(thetas: ArrayLike | None = None) -> "Figure":
    r"""Figure 1: Wasserstein-1 and Jensen-Shannon of the parallel lines, against theta.

    .. math:: W(P_0, P_\theta) = |\theta|, \qquad
              JS(P_0, P_\theta) = \log 2 \cdot 1_{\theta \ne 0}, \qquad
              TV(P_0, P_\theta) = 1_{\theta \ne 0}

    Parameters
    ----------
    thetas : array or list, shape (n,), optional
        The displacements at which the three are computed; finite. 41 from -1 to 1 by default. 0 is
        always added: the value there is drawn as a point, since no line leads to it.

    Returns
    -------
    matplotlib.figure.Figure
        Two panels; W in the unit of theta, JS in nats, TV without unit.

    Raises
    ------
    ImportError
        If matplotlib is missing.
    TypeError, ValueError
        If thetas is not a finite vector.

    Notes
    -----
    The lines carry nine atoms each, at the same heights. Cost: one transport problem for each
    theta. Source: arXiv:1701.07875, section 2, Example 1 and Figure 1.
    """
    grid = _displacements(thetas)
    origin = Discrete(_line(0.0))
    laws = [Discrete(_line(theta)) for theta in grid]
    distances = np.array([float(wasserstein1(origin, law)) for law in laws])
    steps = {
        "Jensen-Shannon (nats)": [float(js_divergence(origin, law)) for law in laws],
        "total variation": [float(total_variation(origin, law)) for law in laws],
    }
    figure = new_figure(8.0, 3.6)
    left, right = figure.subplots(1, 2)
    left.plot(grid, distances, color=BLUE, marker="o", markersize=3)
    left.set(
        xlabel=r"displacement $\theta$",
        ylabel=r"$W_1$ (unit of $\theta$)",
        title="Wasserstein-1: a V",
    )
    for (name, values), colour, dash in zip(steps.items(), (VERMILION, GREEN), "-:", strict=True):
        _step(right, grid, np.array(values), name, colour, dash)
    right.axhline(math.log(2.0), color=GREY, linewidth=0.6, zorder=0)
    right.text(grid[0], math.log(2.0) - 0.02, "log 2", color=GREY, va="top", fontsize=8)
    right.set(
        xlabel=r"displacement $\theta$",
        ylabel="divergence",
        ylim=(-0.05, 1.1),
        title="JS and TV: steps (KL is infinite off 0)",
    )
    right.legend(loc="center right", fontsize=8)
    return figure


def figure_2(theta: float = 6.0, atoms: int = 200) -> "Figure":
    r"""Figure 2: the optimal discriminator of two normal laws saturates, the exact critic does not.

    .. math:: D^*(x) = \frac{p_r(x)}{p_r(x) + p_\theta(x)}, \qquad
              |\nabla \log(1 - D^*)| (\theta) = \frac{\theta}{1 + e^{\theta^2/2}},
              \qquad |f'| = 1

    Parameters
    ----------
    theta : float, default 6
        The distance between the means of N(0, 1), the real law, and N(theta, 1), the generated
        one; positive, at most 30.
    atoms : int, default 200
        How many equally likely quantiles stand for each law when the critic is computed.

    Returns
    -------
    matplotlib.figure.Figure
        Three panels over x: the densities with the discriminator; the critic, in the unit of x;
        the slopes that a generator would follow, on a logarithmic axis.

    Raises
    ------
    ImportError
        If matplotlib is missing.
    TypeError, ValueError
        If theta or atoms is not what is said above.

    Notes
    -----
    The critic is the potential of the exact optimal transport between the quantiles, extended to
    the points between; its slope is a difference quotient. Cost: one transport problem of
    ``atoms`` points. Source: arXiv:1701.07875, section 3, Figure 2.
    """
    real_number(theta, "theta", "figure_2", positive=True)
    theta = float(theta)
    if theta > 30:
        refuse("figure_2", "theta", "be at most 30", repr(theta))
    if isinstance(atoms, bool) or not isinstance(atoms, (int, np.integer)) or atoms < 2:
        refuse("figure_2", "atoms", "be an integer of at least 2", repr(atoms))
    x = np.linspace(-3.5, theta + 3.5, 561)
    law = NormalDist()
    quantiles = np.array([law.inv_cdf((k + 0.5) / int(atoms)) for k in range(int(atoms))])
    reached = x[(x >= quantiles[0]) & (x <= quantiles[-1] + theta)]  # no data beyond
    critic = _critic(reached, theta, quantiles)
    figure = new_figure(7.0, 7.2)
    panels = figure.subplots(3, 1, sharex=True)
    _densities(panels[0], x, theta)
    panels[0].plot(x, _discriminator(x, theta), color=VERMILION, label="discriminator $D^*$")
    panels[0].set(
        ylabel="probability; density", title="Two normal laws and the optimal discriminator"
    )
    panels[1].plot(reached, critic, color=BLUE, label="critic $f$")
    panels[1].set(
        ylabel="$f(x)$ (unit of x)",
        title=f"The exact critic (optimal transport of {atoms} quantiles of each)",
    )
    slopes = np.abs(np.diff(critic) / np.diff(reached))
    panels[2].semilogy((reached[:-1] + reached[1:]) / 2, slopes, color=BLUE, label="$|f'|$")
    panels[2].semilogy(
        x,
        _saturating_slope(x, theta),
        color=VERMILION,
        linestyle="--",
        label=r"$|(\log(1 - D^*))'|$ (nats / unit of x)",
    )
    panels[2].set(xlabel="x", ylabel="magnitude of slope", title="What the generator is told")
    for panel, place in zip(panels, ("center right", "upper right", "lower left"), strict=True):
        panel.legend(fontsize=8, loc=place)
    return figure


def comparison(result: Comparison) -> "Figure":
    """The entries of a comparison: points for values, bars for enclosures, one panel a unit.

    Parameters
    ----------
    result : Comparison
        What `divergences.compare` returned.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    ImportError
        If matplotlib is missing.
    """
    panels = [("total_variation",), ("kl_pq", "kl_qp", "js"), ("wasserstein1",)]
    labels = {"total_variation": "TV", "kl_pq": "KL(p, q)", "kl_qp": "KL(q, p)", "js": "JS"}
    units = ("probability", "nats", "unit of x")
    entries = result.entries()
    shown = [
        (names, unit) for names, unit in zip(panels, units, strict=True) if names[0] in entries
    ]
    figure = new_figure(2.6 * len(shown) + 1.0, 3.2)
    for panel, (names, unit) in zip(np.ravel(figure.subplots(1, len(shown))), shown, strict=True):
        for place, name in enumerate(names):
            entry = entries[name]
            bounds = entry.enclosure
            if math.isfinite(bounds.upper):
                panel.plot([place] * 2, [bounds.lower, bounds.upper], color=GREY, linewidth=4)
            if math.isfinite(entry.value):
                panel.plot([place], [entry.value], "o", color=BLUE)
            else:
                word = "inf" if math.isinf(entry.value) else "unknown"
                panel.annotate(word, (place, 0.0), ha="center", va="bottom", color=VERMILION)
        panel.set_xticks(range(len(names)), [labels.get(name, "W1") for name in names])
        panel.set(ylabel=unit, xlim=(-0.6, len(names) - 0.4))
        panel.set_ylim(bottom=0.0)
    return figure


def new_figure(width: float, height: float) -> "Figure":
    """An empty figure of the house's style, in inches; ``ImportError`` if matplotlib is missing."""
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        message = 'figures need matplotlib: pip install "divergences[plot]"'
        raise ImportError(message) from error
    return Figure(figsize=(width, height), layout="constrained", dpi=130)


def _displacements(thetas: ArrayLike | None) -> Float64Array:
    """The sorted displacements, 0 among them."""
    if thetas is None:
        return np.linspace(-1.0, 1.0, 41)
    array = real_array(thetas, "thetas", "figure_1")
    if array.ndim != 1 or array.shape[0] == 0:
        refuse("figure_1", "thetas", "have shape (n,), n at least 1", f"shape {tuple(array.shape)}")
    finite(array, "thetas", "figure_1")
    return np.unique(np.append(as_numpy(array), 0.0))


def _line(theta: float) -> Float64Array:
    return np.column_stack([np.full(HEIGHTS.size, theta), HEIGHTS])


def _step(
    panel: "Axes", grid: Float64Array, values: Float64Array, name: str, colour: str, dash: str
) -> None:
    """A curve that jumps at 0: lines on both sides, open circles at their ends, a point at 0."""
    for part in (grid < 0, grid > 0):
        if part.any():
            inner = values[part][-1] if grid[part][-1] < 0 else values[part][0]
            ends: list[Any] = [np.append(grid[part], 0.0), np.append(values[part], inner)]
            order = np.argsort(ends[0], kind="stable")
            panel.plot(ends[0][order], ends[1][order], color=colour, linestyle=dash)
            panel.plot(
                [0.0], [inner], "o", markerfacecolor="white", markeredgecolor=colour, zorder=3
            )
    # Both curves are 0 at 0: the first point is larger, and stays visible around the second.
    size = 11 if dash == "-" else 6
    panel.plot([0.0], values[grid == 0], "o", color=colour, markersize=size, zorder=4)
    panel.plot([], [], color=colour, linestyle=dash, marker="o", label=name)


def _densities(panel: "Axes", x: Float64Array, theta: float) -> None:
    for mean, colour, name in ((0.0, GREEN, "real, N(0, 1)"), (theta, ORANGE, "generated")):
        density = np.exp(-0.5 * (x - mean) ** 2) / math.sqrt(2 * math.pi)
        label = name if mean == 0 else f"{name}, N({theta:g}, 1)"
        panel.fill_between(x, density, color=colour, alpha=0.45, linewidth=0, label=label)


def _log_ratio(x: Float64Array, theta: float) -> Float64Array:
    """The log-ratio of the densities, log p_theta - log p_r."""
    return theta * x - 0.5 * theta**2


def _discriminator(x: Float64Array, theta: float) -> Float64Array:
    return 1.0 / (1.0 + np.exp(_log_ratio(x, theta)))


def _saturating_slope(x: Float64Array, theta: float) -> Float64Array:
    """abs(d/dx log(1 - D*)) = theta D*."""
    return theta * _discriminator(x, theta)


def _critic(x: Float64Array, theta: float, quantiles: Float64Array) -> Float64Array:
    """The critic of optimal transport at ``x``, shifted to be 0 midway between the means."""
    critic: Any = optimal_transport(quantiles, quantiles + theta).critic
    values = np.asarray(critic(np.append(x, theta / 2)[:, None]))
    return np.asarray(values[:-1] - values[-1])

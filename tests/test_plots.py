"""The figures show computed values, and the jump of JS is drawn as one."""

import math
import sys

import numpy as np
import pytest

from divergences import plots

pytest.importorskip("matplotlib")


def test_figure_1_is_a_v_and_two_steps():
    figure = plots.figure_1([-2.0, -0.5, 1.0])
    left, right = figure.axes
    (v,) = [line for line in left.lines if len(line.get_xdata())]
    np.testing.assert_array_equal(v.get_xdata(), [-2.0, -0.5, 0.0, 1.0])
    np.testing.assert_allclose(v.get_ydata(), [2.0, 0.5, 0.0, 1.0], rtol=1e-15)
    drawn = [(line, *map(np.asarray, line.get_data())) for line in right.lines]
    at_zero = [y[0] for _, x, y in drawn if len(x) == 1]
    assert sorted(at_zero) == pytest.approx([0.0, 0.0, math.log(2), math.log(2), 1.0, 1.0])
    for line, x, y in drawn:
        if line.get_marker() == "None" and len(x) > 1 and line.get_linewidth() > 1:
            assert np.ptp(y) == 0, "no line may lead to the value at 0"
            assert (x <= 0).all() or (x >= 0).all()


def test_figure_1_on_one_side_only():
    right = plots.figure_1([0.5, 1.0]).axes[1]
    thick = [line for line in right.lines if line.get_linewidth() > 1 and len(line.get_xdata()) > 1]
    assert len(thick) == 2
    assert all(np.min(line.get_xdata()) >= 0 for line in thick)


def test_figure_2_saturates_and_keeps_its_slope():
    figure = plots.figure_2(theta=6.0, atoms=50)
    densities, critic, slopes = figure.axes
    assert len(densities.collections) == 2
    ((x, f),) = [line.get_data() for line in critic.lines]
    np.testing.assert_allclose(np.diff(f) / np.diff(x), -1.0, rtol=1e-9)
    steady, dying = (line.get_data() for line in slopes.lines)
    np.testing.assert_allclose(steady[1], 1.0, rtol=1e-9)
    at_theta = np.interp(6.0, dying[0], np.log(dying[1]))
    assert at_theta == pytest.approx(math.log(6 / (1 + math.exp(18))), abs=1e-3)


@pytest.mark.parametrize("draw", [plots.figure_1, plots.figure_2])
def test_figures_can_be_saved_and_touch_no_global_state(draw, tmp_path):
    figure = draw()
    for kind in ("png", "svg"):
        path = tmp_path / f"figure.{kind}"
        figure.savefig(path)
        assert path.stat().st_size > 1000
    pyplot = sys.modules.get("matplotlib.pyplot")
    assert pyplot is None or not pyplot.get_fignums()


@pytest.mark.parametrize(
    ("draw", "error", "message"),
    [
        (lambda: plots.figure_1([]), ValueError, "figure_1: thetas must have shape"),
        (lambda: plots.figure_1([[1.0]]), ValueError, "figure_1: thetas must have shape"),
        (lambda: plots.figure_1([np.nan]), ValueError, "figure_1: thetas must be finite"),
        (lambda: plots.figure_1("all"), TypeError, "figure_1: thetas must be an array"),
        (lambda: plots.figure_2(-1.0), ValueError, "figure_2: theta must be a positive"),
        (lambda: plots.figure_2(31.0), ValueError, "figure_2: theta must be at most 30"),
        (lambda: plots.figure_2(6.0, 1), ValueError, "figure_2: atoms must be an integer"),
    ],
)
def test_bad_arguments_are_refused(draw, error, message):
    with pytest.raises(error, match=message):
        draw()

"""The quantities that only the claims compute, against other ways to compute them."""

import math

import numpy as np
import pytest

from divergences import Discrete, Normal
from divergences.theorems import (
    _bumps,
    _clipping,
    _counterexamples,
    _gans,
    _theorem_1,
    _theorem_2,
    _theorem_3,
)


def test_prokhorov_of_two_points_is_their_distance_capped_at_one():
    for apart in (0.25, 1.0, 3.0):
        assert _theorem_2.prokhorov(Discrete([0.0]), Discrete([apart])) == min(apart, 1.0)


def test_prokhorov_of_a_small_mass_far_away_is_the_mass():
    p, q = Discrete([0.0, 5.0], [0.875, 0.125]), Discrete([0.0])
    assert _theorem_2.prokhorov(p, q) == pytest.approx(0.125, rel=1e-15)
    assert _theorem_2.prokhorov(p, p) == 0.0


def test_the_difference_quotients_of_e6_are_those_of_quadrature():
    from scipy.integrate import quad

    def density_in_log(v, t):  # z = t e^{-v}: dP = dv / (1 + log(1/t) + v)^2
        return math.sin(math.pi * math.exp(-v)) ** 2 / (1 - math.log(t) + v) ** 2

    for t, known in ((0.1, 0.68), (1e-3, 15.0), (1e-6, 4.9e3)):
        value = quad(density_in_log, 0, 60, args=(t,), limit=200)[0] / t
        law, error = _bumps.flat_bump(t)
        found = float((law.points[:, 0] * law.weights).sum())
        assert abs(found - value * t) <= error
        assert value == pytest.approx(known, rel=0.03)


def test_the_masses_of_the_bumps_are_laws():
    assert _bumps.tall_bump(1e-3).weights.sum() == pytest.approx(1.0, abs=1e-15)
    assert _bumps.logarithmic_mass(np.array([1.0]))[0] == 1.0


def test_the_known_value_of_arjovsky_and_bottou():
    left = _gans.log_d_slope(Normal(0.0, 1.0), Normal(1.3, 1.0), (1.0, 0.0))
    assert left == pytest.approx(0.85099009, abs=1e-8)


def test_extrapolated_slopes_are_derivatives_within_their_error():
    slope, error = _gans.extrapolated_slope(lambda h: math.sin(1.0 + h))
    assert abs(slope - math.cos(1.0)) <= error + 1e-12
    assert error < 1e-9


def test_slope_gaps_tell_kinks_from_curves():
    assert _theorem_1.slope_gap(abs) == 2.0
    assert _theorem_1.slope_gap(math.exp) < 1e-4


def test_input_gradients_are_those_of_torch():
    torch = pytest.importorskip("torch")
    rng = np.random.default_rng(1)
    weights = _clipping.signs(rng, (5, 7, 6, 1), 0.3)
    x = rng.normal(size=5)
    tensor = torch.tensor(x, requires_grad=True)
    h = tensor
    for weight in weights[:-1]:
        h = torch.relu(torch.tensor(weight) @ h)
    (torch.tensor(weights[-1]) @ h)[0].backward()
    np.testing.assert_allclose(_clipping.input_gradient(weights, x), tensor.grad, atol=1e-15)


def test_a_matrix_of_signs_has_the_second_moment_claimed():
    rng, widths, c = np.random.default_rng(2), (3, 8, 8, 1), 0.5
    x = rng.normal(size=3)
    sizes = [
        float((_clipping.input_gradient(_clipping.signs(rng, widths, c), x) ** 2).sum())
        for _ in range(2_000)
    ]
    expected = 3 * c**2 * (8 * c**2 / 2) ** 2
    error = np.std(sizes) / math.sqrt(len(sizes))
    assert abs(np.mean(sizes) - expected) <= 6 * error


def test_the_gradient_of_the_cones_is_zero_and_that_of_the_plan_is_not():
    scene = _theorem_3.draw(np.random.default_rng(0))
    assert np.abs(_theorem_3.cone_gradient(scene)).max() == 0.0
    assert np.abs(_theorem_3.point_gradient(scene)).max() > 0.0


def test_a_convolution_becomes_its_matrix():
    pytest.importorskip("torch")
    from divergences.theorems import _torch_generators as made

    rng = np.random.default_rng(3)
    for kind in ("dense", "convolutional"):
        generator = made.build(rng, kind, "relu")
        network = made.as_network(generator, "relu")
        z = rng.normal(size=(4, 2))
        np.testing.assert_allclose(network(z), made.image(generator, z), rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize("cells", [4, 8, 40, 2000])
def test_the_divergences_of_the_wave_on_cells_are_those_of_high_precision(cells):
    mp = pytest.importorskip("mpmath").mp
    with mp.workdps(40):
        angle = 2 * mp.pi / cells
        s = mp.sin(angle / 2) / (angle / 2)
        masses = [1 + s * mp.sin((k + mp.mpf(1) / 2) * angle) for k in range(cells)]
        forward = mp.fsum(m * mp.log(m) for m in masses) / cells
        backward = -mp.fsum(mp.log(m) for m in masses) / cells
        middle = [(1 + m) / 2 for m in masses]
        js = mp.fsum(m * mp.log(m / h) - mp.log(h) for m, h in zip(masses, middle, strict=True))
        exact = [float(forward), float(backward), float(js / cells / 2)]
    assert _counterexamples.wave_on_cells(cells) == pytest.approx(exact, rel=1e-13)

import math

import numpy as np
import pytest
import torch
from torch import nn

from divergences import Discrete, optimal_transport, wasserstein1
from divergences.dual import (
    CollapsedCriticError,
    ConeCritic,
    ExactCritic,
    NonFiniteObjectiveError,
    dual_objective,
    empirical_lipschitz,
    penalised_mlp,
    wasserstein1_dual,
)

QUICK = {"max_steps": 60}


def _cloud(seed, count, dimension=2, shift=0.0, scale=1.0):
    generator = torch.Generator().manual_seed(seed)
    return scale * torch.randn(count, dimension, generator=generator, dtype=torch.float64) + shift


@pytest.mark.parametrize(
    ("x", "y"),
    [
        (_cloud(0, 300), _cloud(1, 200, shift=1.0)),
        (_cloud(2, 150, 5), _cloud(3, 150, 5, scale=2.0)),
        (_cloud(4, 40, 1), _cloud(5, 50, 1)),
        (_cloud(6, 1), _cloud(7, 1)),
        (_cloud(8, 5, 30), _cloud(9, 90, 30)),
        (_cloud(10, 64) * 1e-3, 5 + _cloud(11, 64) * 1e-3),
    ],
)
def test_the_lower_bound_is_one_on_the_points_given(x, y):
    estimate = wasserstein1_dual(x, y, **QUICK)
    truth = wasserstein1(x, y).item()
    assert 0 <= estimate.lower_bound <= truth * (1 + 1e-9)
    assert estimate.lower_bound >= 0.7 * truth or x.shape[1] > 20
    assert estimate.lipschitz_bound == pytest.approx(1, abs=1e-12)
    again = dual_objective(estimate.critic, x, y).item()
    assert estimate.value == pytest.approx(again, rel=1e-9)
    assert estimate.critic(x).shape == (x.shape[0],)


@pytest.mark.parametrize("scale", [1e-300, 1e-30, 1e30, 1e300])
def test_the_scale_of_the_data_does_not_matter(scale):
    x, y = _cloud(0, 60), _cloud(1, 60, shift=2.0)
    unit = wasserstein1_dual(x, y, **QUICK)
    other = wasserstein1_dual(x * scale, y * scale, **QUICK)
    assert other.value / scale == pytest.approx(unit.value, rel=1e-2)
    assert other.lower_bound <= wasserstein1(x * scale, y * scale).item() * (1 + 1e-9)


@pytest.mark.parametrize("scale", [1e-300, 1e-170, 1e300])
def test_nor_does_it_for_what_is_said_of_the_laws(scale):
    """The square of a deviation underflows, and the radius would shrink with it."""
    x, y = _cloud(0, 300), _cloud(1, 300, shift=2.0)
    unit = wasserstein1_dual(x, y, **QUICK).confidence_lower
    other = wasserstein1_dual(x * scale, y * scale, **QUICK).confidence_lower
    assert 1 < unit < 2.5
    assert other / scale == pytest.approx(unit, rel=1e-2)


def test_the_same_points_are_at_distance_zero():
    x = _cloud(0, 100)
    estimate = wasserstein1_dual(x, x[torch.randperm(100)], **QUICK)
    assert estimate.value == estimate.lower_bound == estimate.confidence_lower == 0


def test_constant_data():
    x = torch.ones(50, 3)
    assert wasserstein1_dual(x, x, **QUICK).value == 0
    shifted = wasserstein1_dual(x, x + torch.tensor([0.0, 3.0, 4.0]), **QUICK)
    assert shifted.lower_bound == pytest.approx(5, rel=1e-6)
    assert shifted.lower_bound <= 5


def test_weighted_points_are_a_known_law():
    x, y = _cloud(0, 30), _cloud(1, 20, shift=1.0)
    a, b = np.random.default_rng(0).dirichlet(np.ones(30)), np.full(20, 0.05)
    estimate = wasserstein1_dual(x.numpy(), y.numpy(), a, b, **QUICK)
    truth = wasserstein1(x.numpy(), y.numpy(), a, b)
    assert 0.8 * truth <= estimate.lower_bound <= truth * (1 + 1e-9)
    assert estimate.heldout_value == estimate.value
    assert 0 <= truth - estimate.confidence_lower <= 0.3 * truth  # exact: nothing is sampled
    law = wasserstein1_dual(Discrete(x.numpy(), a), Discrete(y.numpy(), b), **QUICK)
    assert law.value == estimate.value


@pytest.mark.parametrize(("first", "second", "dimension"), [(4, 3, 3), (100, 3, 2), (60, 50, 20)])
def test_a_known_law_is_met_by_cones_at_its_atoms(first, second, dimension):
    """The optimal critic of known laws is there to be found, whatever the dimension."""
    generator = np.random.default_rng(first)
    x, y = generator.normal(size=(first, dimension)), generator.normal(size=(second, dimension))
    a, b = (generator.dirichlet(np.ones(count)) for count in (first, second))
    estimate = wasserstein1_dual(x, y, a, b, max_steps=300)
    truth = wasserstein1(x, y, a, b)
    assert 0.96 * truth <= estimate.lower_bound <= truth * (1 + 1e-9)


def test_samplers_and_loaders():
    def draw(count, generator):
        return torch.randn(count, 2, generator=generator)

    def shifted(count, generator):
        return draw(count, generator) + torch.tensor([3.0, 0.0])

    estimate = wasserstein1_dual(shifted, draw, **QUICK)
    assert estimate.value == pytest.approx(3, rel=0.03)
    assert estimate.heldout_value == pytest.approx(3, rel=0.03)
    assert 2.7 < estimate.confidence_lower < 3
    repeated = wasserstein1_dual(shifted, draw, **QUICK)
    assert repeated.value == estimate.value
    x, y = _cloud(0, 60).float(), _cloud(1, 60, shift=1.0).float()
    loader = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(x), batch_size=7)
    assert wasserstein1_dual(loader, y, **QUICK).value == wasserstein1_dual(x, y, **QUICK).value


def test_the_generator_decides_everything():
    x, y = _cloud(0, 100), _cloud(1, 100, scale=2.0)
    results = [
        wasserstein1_dual(x, y, generator=torch.Generator().manual_seed(seed), **QUICK)
        for seed in (3, 3, 4)
    ]
    values = [result.value for result in results]
    assert values[0] == values[1] != values[2]
    assert results[0].critic.critic.__class__ is results[1].critic.critic.__class__


def test_confidence_bounds_hold_as_often_as_they_say():
    # equal laws in 30 dimensions and a small shift: the bound may exceed the truth in 5 % of cases
    misses, trials = 0, 12
    for seed in range(trials):
        x, y = _cloud(2 * seed, 80, 3, shift=0.3), _cloud(2 * seed + 1, 80, 3)
        bound = wasserstein1_dual(x, y, max_steps=8).confidence_lower
        misses += bound > 0.3 * math.sqrt(3)
    assert misses <= 3  # P(more than 3 of 12 at 5 %) < 2e-3... and bounds are wider than they need


def test_a_diameter_that_holds_never_loosens_the_bound():
    generator = torch.Generator().manual_seed(0)
    x = torch.rand(400, 2, generator=generator)
    y = torch.rand(400, 2, generator=generator) * 0.5
    plain = wasserstein1_dual(x, y, **QUICK).confidence_lower
    known = wasserstein1_dual(x, y, diameter=math.sqrt(2), **QUICK).confidence_lower
    assert known >= plain


@pytest.mark.parametrize("unit", [1e-200, 1.0, 1e200])
def test_a_diameter_that_the_points_deny_is_refused(unit):
    """Such a bound could exceed the distance of the laws."""
    x, y = unit * _cloud(0, 60).double(), unit * (_cloud(1, 60).double() + 3)
    farthest = unit * float(torch.cdist(x / unit, y / unit).max())
    for given in (x, lambda n: x.repeat(n // 60 + 1, 1)[:n]):
        with pytest.raises(ValueError, match="diameter must be at least the distance of any two"):
            wasserstein1_dual(given, y, diameter=0.4 * farthest, **QUICK)
    wasserstein1_dual(x, y, diameter=2 * farthest, **QUICK)


def test_a_point_without_mass_does_not_deny_a_diameter():
    x, y = [[0.0], [1.0], [90.0]], [[0.5], [0.7]]
    estimate = wasserstein1_dual(x, y, [0.5, 0.5, 0.0], diameter=1.0, **QUICK)
    assert estimate.lower_bound <= wasserstein1([0.0, 1.0], [0.5, 0.7])


def test_a_critic_of_ones_own():
    x, y = _cloud(0, 200, scale=0.5), _cloud(1, 200, scale=2.0)
    cones = ConeCritic(torch.zeros(1, 2))
    estimate = wasserstein1_dual(x, y, critic=cones, **QUICK)
    assert 0.8 * wasserstein1(x, y) <= estimate.lower_bound <= wasserstein1(x, y)


class _Flat(nn.Module):
    def __init__(self):
        super().__init__()
        self.level = nn.Parameter(torch.zeros(1))

    def forward(self, x):
        return self.level + 0 * x.sum(1)


class _Exploding(nn.Module):
    def __init__(self):
        super().__init__()
        self.slope = nn.Parameter(torch.ones(2))

    def forward(self, x):
        return torch.exp(1000 * self.slope.sum() * x.abs().sum(1))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_a_plain_network_is_kept_in_bounds_and_its_number_certified(dtype):
    x, y = _cloud(0, 200), _cloud(1, 200, shift=3.0)
    network = nn.Sequential(nn.Linear(2, 16), nn.ReLU(), nn.Linear(16, 1)).to(dtype)
    estimate = wasserstein1_dual(x, y, critic=network, max_steps=200)
    assert 0 < estimate.lower_bound <= wasserstein1(x, y).item()
    assert estimate.lower_bound == pytest.approx(estimate.value / estimate.lipschitz_bound)
    # in the units of the data: the caller's own module has the values
    with torch.no_grad():
        torch.testing.assert_close(
            estimate.critic(x).to(dtype), network(x.to(dtype))[:, 0], rtol=1e-5, atol=1e-5
        )


def test_a_penalised_perceptron_learns_what_is_no_ridge_and_no_cone():
    """Two pairs of clusters, crosswise: W1 is nearly 2, and every linear function gives 0."""
    generator = torch.Generator().manual_seed(4)
    corners = torch.tensor([[1.0, 1.0], [-1.0, -1.0], [1.0, -1.0], [-1.0, 1.0]])
    noise = 0.1 * torch.randn(4, 300, 2, generator=generator)
    points = corners[:, None] + noise
    x, y = points[:2].flatten(0, 1), points[2:].flatten(0, 1)
    critic = penalised_mlp(2, (64, 64), generator=generator)
    estimate = wasserstein1_dual(x, y, critic=critic, max_steps=400)
    truth = wasserstein1(x, y).item()
    # gap * slope - 10 (slope - 1)^2 is largest at slope 1 + gap / 20
    assert 0.95 * truth < estimate.heldout_value < 1.05 * truth * (1 + truth / 20)
    assert 0 < estimate.lower_bound <= truth
    assert empirical_lipschitz(critic, torch.cat([x, y]), generator=generator) < 1.5


def test_a_penalised_perceptron_starts_from_its_generator():
    first, second = (penalised_mlp(9, (50,), generator=torch.Generator().manual_seed(7))
                     for _ in range(2))  # fmt: skip
    for one, other in zip(first.parameters(), second.parameters(), strict=True):
        assert torch.equal(one, other)
    assert 0.3 < first[0].weight.abs().max() <= 1 / 3
    assert 0.1 < first[2].weight.abs().max() <= 1 / math.sqrt(50)
    with pytest.raises(ValueError, match="inputs and widths must be"):
        penalised_mlp(3, (0,))


def test_a_critic_without_parameters_is_only_evaluated():
    x, y = _cloud(0, 50, scale=100.0), _cloud(1, 60, shift=300.0)
    critic = ExactCritic(optimal_transport(x, y))
    estimate = wasserstein1_dual(x, y, critic=critic)
    truth = wasserstein1(x, y).item()
    assert truth * (1 - 1e-9) <= estimate.lower_bound <= truth * (1 + 1e-12)


def test_failures_have_names():
    x, y = _cloud(0, 40), _cloud(1, 40)
    with pytest.raises(CollapsedCriticError, match="the trained critic is flat"):
        wasserstein1_dual(x, y, critic=_Flat(), **QUICK)
    with pytest.raises(NonFiniteObjectiveError, match="objective of critic is"):
        wasserstein1_dual(x, y, critic=_Exploding(), **QUICK)


def test_an_unknown_constant_certifies_nothing():
    class Own(nn.Module):
        def __init__(self):
            super().__init__()
            self.slope = nn.Parameter(torch.ones(2))

        def forward(self, x):
            return (x @ self.slope.to(x)).tanh()

    estimate = wasserstein1_dual(_cloud(0, 40), _cloud(1, 40), critic=Own(), **QUICK)
    assert estimate.lipschitz_bound == math.inf
    assert estimate.lower_bound == estimate.confidence_lower == 0
    assert "no Lipschitz bound" in estimate.confidence_reason


def _funnels(count, generator):
    """Points of the cube, and each moved towards its nearest of 12 centres, on its own ray."""
    centres = torch.rand(12, 6, generator=torch.Generator().manual_seed(8), dtype=torch.float64)
    away = torch.rand(count, 6, generator=generator, dtype=torch.float64)
    nearest = centres[torch.cdist(away, centres).argmin(dim=1)]
    return nearest + 0.2 * (away - nearest), away


@pytest.mark.parametrize("kind", ["max", "min"])
def test_the_right_kind_of_cones_is_found(kind):
    """W1 is the mean of the distance moved, since all rays end in the centre of their own cell."""
    near, away = (_funnels(3000, torch.Generator().manual_seed(seed))[seed] for seed in (0, 1))
    sides = (near, away) if kind == "max" else (away, near)
    generator = torch.Generator().manual_seed(3)
    estimate = wasserstein1_dual(*sides, max_steps=200, generator=generator)
    cones = estimate.critic.critic
    assert isinstance(cones, ConeCritic)
    assert cones.kind == kind
    start, end = _funnels(1 << 16, torch.Generator().manual_seed(2))
    truth = torch.linalg.vector_norm(start - end, dim=1).mean().item()
    assert 0.93 * truth < estimate.heldout_value < 1.02 * truth
    # both kinds see the same batches, and the wrong one is given up early
    steps = {entry.stage: entry.step for entry in estimate.history}
    assert steps[f"cones ({kind})"] > 100
    other = "min" if kind == "max" else "max"
    assert steps[f"cones ({other})"] <= 40


class _Slow(nn.Module):
    """A millisecond a point, on a clock of its own."""

    now = 0.0

    def __init__(self):
        super().__init__()
        self.slope = nn.Parameter(torch.ones(2))

    def forward(self, x):
        _Slow.now += 1e-3 * len(x)
        return x @ self.slope.to(x)


def test_the_answer_comes_in_time(monkeypatch):
    """The 36,864 points at which it is evaluated take 37 s each side, which are set aside."""
    monkeypatch.setattr("time.monotonic", lambda: _Slow.now)

    def draw(count, generator):
        return torch.randn(count, 2, generator=generator)

    estimate = wasserstein1_dual(draw, draw, critic=_Slow(), max_seconds=200.0)
    assert 190 < estimate.seconds < 205
    assert estimate.history[-1].step > 10


def test_the_bar_and_the_clock(capsys):
    x, y = _cloud(0, 40), _cloud(1, 40)
    estimate = wasserstein1_dual(x, y, max_seconds=0.5, progress=True)
    assert "wasserstein1_dual" in capsys.readouterr().err
    assert estimate.history
    assert [entry.seconds for entry in estimate.history] == sorted(
        entry.seconds for entry in estimate.history
    )


@pytest.mark.parametrize(
    ("change", "error", "text"),
    [
        ({"x": [[1.0, math.nan]]}, ValueError, "x must be finite"),
        ({"y": [[1.0]]}, ValueError, "x and y must have points of the same dimension"),
        ({"x": 3.0}, TypeError, "x must be samples, a callable"),
        ({"x": lambda n: torch.zeros(n + 1, 2)}, ValueError, "x must return"),
        ({"x": lambda n: torch.zeros(n, 2), "x_weights": [1.0]}, ValueError, "x_weights must be"),
        ({"x_weights": [0.5, 0.6]}, ValueError, "x_weights must sum to 1"),
        ({"x": iter([torch.ones(3, 2), torch.ones(3, 1)])}, ValueError,
         "x must yield batches of points of 2 coordinates"),
        ({"critic": lambda z: z}, TypeError, "critic must be a torch Module"),
        ({"max_steps": 0}, ValueError, "max_steps must be a positive"),
        ({"max_steps": 1.5}, TypeError, "max_steps must be a whole number"),
        ({"max_seconds": -1.0}, ValueError, "max_seconds must be a positive"),
        ({"diameter": 0.0}, ValueError, "diameter must be a positive"),
        ({"level": 1.0}, ValueError, "level must lie between 0 and 1"),
        ({"generator": 3}, TypeError, "generator must be a torch.Generator"),
    ],
)  # fmt: skip
def test_refusals(change, error, text):
    arguments = {"x": [[0.0, 1.0], [2.0, 3.0]], "y": [[0.0, 1.0]], **QUICK, **change}
    with pytest.raises(error, match=f"wasserstein1_dual: {text}"):
        wasserstein1_dual(**arguments)

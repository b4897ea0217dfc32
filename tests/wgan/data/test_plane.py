import math

import pytest
import torch

from wgan import ConfigError, RunError
from wgan.data import make_data

CPU = torch.device("cpu")


def test_ring_points_lie_around_eight_means():
    data = make_data("ring", CPU)
    batch = data.batch(8000, torch.Generator().manual_seed(5)).double()
    angle = torch.atan2(batch[:, 1], batch[:, 0])
    mode = torch.round(angle / (math.pi / 4)).long() % 8
    assert mode.bincount(minlength=8).min() > 850  # binomial(8000, 1/8): 5 deviations are 148
    centre = torch.stack([(mode * math.pi / 4).cos(), (mode * math.pi / 4).sin()], dim=1)
    residual = batch - centre
    # 16,000 residuals: the sum of squares is chi-square, its relative deviation sqrt(2/16000)
    assert residual.square().mean().sqrt().item() == pytest.approx(0.01, rel=0.03)
    assert (data.modes.double()[mode] - centre).abs().max() < 1e-6  # centres are float32


@pytest.mark.parametrize(
    ("name", "modes", "deviation"),
    [("ring", 8, 0.01), ("grid", 25, 0.05), ("ring,modes=1", 1, 0.01)],
)
def test_the_published_share_of_points_is_within_three_deviations(name, modes, deviation):
    """1 - exp(-9/2) = 98.89 % in two dimensions."""
    data = make_data(name, CPU)
    assert (len(data.modes), data.deviation) == (modes, deviation)
    n = 20_000
    batch = data.batch(n, torch.Generator().manual_seed(1))
    near = (batch[:, None].double() - data.modes.double()).norm(dim=2).min(dim=1)
    share = (near.values <= 3 * deviation).double().mean().item()
    truth = 1 - math.exp(-4.5)
    assert abs(share - truth) < 5 * math.sqrt(truth * (1 - truth) / n)
    counts = near.indices.bincount(minlength=modes).double() / n
    assert (counts - 1 / modes).abs().max() < 5 * math.sqrt(1 / modes / n)


def test_the_grid_is_the_published_one():
    expected = {(a, b) for a in (-4, -2, 0, 2, 4) for b in (-4, -2, 0, 2, 4)}
    assert set(map(tuple, make_data("grid", CPU).modes.tolist())) == expected
    assert len(make_data("grid,side=2,spacing=3", CPU).modes) == 4
    assert make_data("grid,side=1", CPU).modes.tolist() == [[0, 0]]


def test_the_swiss_roll_is_a_spiral_with_noise():
    random = torch.Generator().manual_seed(2)
    points = make_data("swiss-roll,deviation=1e-6", CPU).batch(5000, random).double() * 7.5
    t = points.norm(dim=1)
    assert 1.5 * math.pi - 1e-3 < t.min()
    assert t.max() < 4.5 * math.pi + 1e-3
    assert ((points[:, 0] - t * t.cos()).abs() < 1e-3).all()
    assert abs((t / math.pi).mean().item() - 3) < 5 * 3 / math.sqrt(12 * 5000)


def test_lines_are_those_of_example_1():
    points = make_data("lines,count=3,distance=0.5", CPU).batch(3000, torch.Generator())
    assert sorted(points[:, 0].unique().tolist()) == [0, 0.5, 1]
    assert points[:, 1].min() >= 0
    assert points[:, 1].max() < 1
    single = make_data("lines,count=1", CPU).batch(9, torch.Generator())
    assert not single[:, 0].any()


@pytest.mark.parametrize("options", ["modes=0", "radius=-1", "deviation=0", "radius=nan",
                                     "deviation=inf", "modes=2.5"])  # fmt: skip
def test_laws_that_are_none_are_refused(options):
    with pytest.raises(ConfigError, match=options.split("=")[0]):
        make_data(f"ring,{options}", CPU)


def test_a_stream_of_a_law_refuses_what_is_not_its_own():
    stream = make_data("ring", CPU).stream(4, seed=1)
    state = stream.state_dict()
    assert stream.draws_left is None
    with pytest.raises(RunError, match="not that of a stream"):
        make_data("ring", CPU).stream(4, seed=2).load_state_dict(state)
    with pytest.raises(RunError, match="not that of a stream"):
        make_data("digits", CPU).stream(4, seed=1).load_state_dict(state)

import math

import pytest
import torch

from wgan import ConfigError
from wgan.data import DATA, make_data

CPU = torch.device("cpu")


@pytest.mark.parametrize("name", DATA)
def test_a_data_set_is_what_training_asks_for(name):
    data, again = make_data(name, CPU), make_data(name, CPU)
    assert torch.equal(data.held_out, again.held_out)
    assert len(data.held_out) == len(data.reference)
    first = data.batch(7, torch.Generator().manual_seed(1))
    assert first.shape == (7, data.dimension)
    assert first.dtype == data.held_out.dtype == torch.float32
    assert torch.equal(first, again.batch(7, torch.Generator().manual_seed(1)))
    assert not torch.equal(first, data.batch(7, torch.Generator().manual_seed(2)))
    if data.bounded:
        assert data.held_out.abs().max() <= 1
    if data.image_shape is not None:
        assert math.prod(data.image_shape) == data.dimension


def test_digits_are_split_into_disjoint_parts_of_all_images():
    from sklearn.datasets import load_digits

    data = make_data("digits", CPU)
    assert len(data.held_out) == 400
    assert len(data.training) == 1397
    together = torch.cat([data.held_out, data.training])
    rows = sorted(map(tuple, ((together + 1) * 8).tolist()))
    assert rows == sorted(map(tuple, load_digits().data.tolist()))


def test_batches_of_digits_never_hold_a_held_out_image():
    data = make_data("digits", CPU)
    batch = data.batch(20000, torch.Generator().manual_seed(0))
    held = set(map(tuple, data.held_out.tolist()))
    drawn = set(map(tuple, batch.tolist()))
    assert not drawn & held
    assert len(drawn) == 1397  # with 20,000 draws one is missed with probability 1e-3


def test_ring_points_lie_around_eight_means():
    batch = make_data("ring", CPU).batch(8000, torch.Generator().manual_seed(5)).double()
    angle = torch.atan2(batch[:, 1], batch[:, 0])
    mode = torch.round(angle / (math.pi / 4)).long() % 8
    assert mode.bincount(minlength=8).min() > 850  # binomial(8000, 1/8): 5 deviations are 148
    centre = torch.stack([(mode * math.pi / 4).cos(), (mode * math.pi / 4).sin()], dim=1)
    residual = batch - centre
    # 16,000 residuals: the sum of squares is chi-square, its relative deviation sqrt(2/16000)
    assert residual.square().mean().sqrt().item() == pytest.approx(0.01, rel=0.03)


def test_an_unknown_name_is_refused():
    with pytest.raises(ConfigError, match="data must be one of digits, ring, .*, or a path; got 'mnist'"):
        make_data("mnist", CPU)

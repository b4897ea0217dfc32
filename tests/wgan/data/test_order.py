"""What comes next is a function of (seed, epoch, cursor), whatever happened before."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from wgan import RunError
from wgan.data.augment import View, unit
from wgan.data.finite import FiniteData
from wgan.data.order import Order, mix, scrambled, take_up
from wgan.data.split import keys, split

CPU = torch.device("cpu")


def data_of(n, placement="device", side=6, view=None):
    """Training images whose pixels tell their number, and one held out."""
    numbers = np.arange(n + 1, dtype=np.uint8)[:, None, None, None]
    images = np.ascontiguousarray(np.broadcast_to(numbers, (n + 1, 1, side, side)))
    rows = np.array([n]), np.arange(n)
    return FiniteData(images, keys(images), rows, CPU, view=view or View(side, side),
                      placement=placement)  # fmt: skip


def numbers_of(batch):
    return torch.round((batch[:, 0] + 1) * 127.5).int().tolist()


@given(n=st.integers(1, 40), batch=st.integers(1, 90), seed=st.integers(0, 2**63 - 1))
def test_every_epoch_has_every_sample_once_and_no_batch_is_short(n, batch, seed):
    order = Order(n, seed, CPU)
    taken = [order.take(batch) for _ in range(-(-3 * n // batch))]
    assert all(piece.shape == (batch,) for piece in taken)
    drawn = torch.cat(taken)
    epochs = [drawn[k * n : (k + 1) * n].tolist() for k in range(3)]
    assert all(sorted(epoch) == list(range(n)) for epoch in epochs)
    assert order.draw == len(drawn)
    if n > 20:
        assert len(set(map(tuple, epochs))) == 3


@given(n=st.integers(1, 30), batch=st.integers(1, 50), halt=st.integers(0, 9))
def test_a_stream_taken_up_goes_on_to_the_bit(n, batch, halt):
    varied = View(4, 4, random_crop=True, mirror=True)
    for placement in ("device", "stream"):
        straight = data_of(n, view=varied).stream(batch, seed=7)
        expected = [straight.next() for _ in range(halt + 4)]
        first = data_of(n, placement, view=varied).stream(batch, seed=7)
        for _ in range(halt):
            first.next()
        second = data_of(n, placement, view=varied).stream(batch, seed=7)
        second.next()  # whatever it did before
        second.load_state_dict(first.state_dict())
        assert second.state_dict() == first.state_dict()
        for after in expected[halt:]:
            assert torch.equal(second.next(), after)


def test_a_batch_may_be_larger_than_the_data_and_the_data_one_image():
    assert numbers_of(data_of(1).stream(5, 0).next()) == [0] * 5
    batch = numbers_of(data_of(3).stream(7, 0).next())
    assert sorted(batch[:3]) == sorted(batch[3:6]) == [0, 1, 2]


def test_the_order_is_the_same_for_every_batch_size_and_another_for_every_seed():
    def first(batch, seed):
        stream = data_of(30).stream(batch, seed)
        return [number for _ in range(60 // batch) for number in numbers_of(stream.next())]

    assert first(4, 1) == first(20, 1) == first(60, 1)
    assert first(4, 1) != first(4, 2)


def test_epochs_may_end_with_a_smaller_batch():
    stream = data_of(10).stream(4, 0, short_last=True)
    batches = [(len(stream.next()), stream.ended) for _ in range(6)]
    assert batches == [(4, False), (4, False), (2, True)] * 2
    assert stream.draws_left == 10
    again = data_of(10).stream(4, 0, short_last=True)
    again.load_state_dict(stream.state_dict())
    assert again.ended
    assert torch.equal(again.next(), stream.next())


def test_states_of_other_data_seeds_or_damaged_ones_are_refused():
    stream = data_of(9).stream(4, seed=1)
    state = stream.state_dict()
    for other, message in [
        (data_of(8).stream(4, 1), "contents differ"),
        (data_of(9).stream(4, 2), "seed 1, not of 2"),
    ]:
        with pytest.raises(RunError, match=message):
            other.load_state_dict(state)
    for change in ({"cursor": 9}, {"cursor": -1}, {"epoch": -1}):
        with pytest.raises(RunError, match="damaged"):
            stream.load_state_dict({**state, **change})
    with pytest.raises(RunError, match="not that of a stream"):
        stream.load_state_dict({"seed": 1})
    tensors = {name: torch.tensor(value) for name, value in state.items()}
    stream.load_state_dict(tensors)  # as a checkpoint keeps them
    with pytest.raises(ValueError, match="at least 1 sample; got 0"):
        data_of(9).stream(0, 1)


@given(st.lists(st.integers(0, 2**62), min_size=1, max_size=20))
def test_tensors_are_scrambled_as_integers_are(numbers):
    got = scrambled(torch.tensor(numbers)).tolist()
    assert [value % 2**64 for value in got] == [mix(number) for number in numbers]


def test_the_finaliser_is_the_published_one():
    """The first outputs of splitmix64 seeded with 0 (Steele, Lea, Flood 2014)."""
    step = 0x9E3779B97F4A7C15
    published = [0xE220A8397B1DCDAF, 0x6E789E6AA1B965F4, 0x06C45D188009454F]
    assert [mix(k * step % 2**64) for k in range(3)] == published


def test_crops_and_mirrors_are_everywhere_equally_often_and_the_right_pixels():
    view = View(3, 2, random_crop=True, mirror=True)
    image = torch.arange(5 * 4, dtype=torch.uint8).reshape(1, 1, 5, 4)
    n = 24_000
    crops = view(image.expand(n, -1, -1, -1), torch.arange(n))
    values = torch.round((crops + 1) * 127.5).int()
    seen = values.unique(dim=0, return_counts=True)
    expected = set()
    for top in range(3):
        for left in range(3):
            crop = image[0, 0, top : top + 3, left : left + 2]
            expected |= {tuple(crop.flatten().tolist()), tuple(crop.flip(1).flatten().tolist())}
    assert set(map(tuple, seen[0].tolist())) == expected
    # 18 cells, 17 degrees of freedom: the 1e-6 quantile of chi-square is 59
    assert ((seen[1] - n / 18) ** 2 / (n / 18)).sum() < 59


def test_without_draws_the_crop_is_central():
    view = View(2, 2, random_crop=True, mirror=True)
    image = torch.arange(16, dtype=torch.uint8).reshape(1, 1, 4, 4)
    assert torch.round((view(image) + 1) * 127.5).int().tolist() == [[5, 6, 9, 10]]
    centred = View(2, 2, mirror=True)(image.expand(40, -1, -1, -1), torch.arange(40))
    assert {tuple(row) for row in torch.round((centred + 1) * 127.5).int().tolist()} == {
        (5, 6, 9, 10), (6, 5, 10, 9)}  # fmt: skip


def test_independent_draws_vary_too():
    data = data_of(3, side=6, view=View(4, 4, random_crop=True, mirror=True))
    random = torch.Generator().manual_seed(0)
    assert set(numbers_of(data.batch(200, random))) == {0, 1, 2}


@given(st.lists(st.integers(0, 5), min_size=2, max_size=30), st.integers(1, 29))
def test_the_split_keeps_equal_samples_together_and_both_sides_filled(values, count):
    samples = np.array(values, dtype=np.uint8)[:, None]
    if len(set(values)) == 1:
        with pytest.raises(RunError, match="are equal"):
            split(keys(samples), None, "x")
        return
    if count >= len(values):
        with pytest.raises(RunError, match="can be held out"):
            split(keys(samples), count, "x")
        count = None
    held, training = split(keys(samples), count, "x")
    assert sorted([*held, *training]) == list(range(len(values)))
    assert len(held)
    assert len(training)
    assert not set(samples[held, 0]) & set(samples[training, 0])
    shuffled = np.random.default_rng(0).permutation(len(values))
    again, _ = split(keys(samples[shuffled]), count, "x")
    assert sorted(samples[shuffled][again, 0]) == sorted(samples[held, 0])


def test_a_tenth_is_held_out_and_at_most_2000():
    for n, expected in [(2, 1), (9, 1), (535, 53), (70_000, 2000)]:
        some = np.random.default_rng(0).integers(0, 2**63, n).astype(np.uint64)
        assert len(split(some, None, "x")[0]) == expected


@pytest.mark.parametrize("dtype", [torch.uint8, torch.float32, torch.float64])
@pytest.mark.parametrize(("low", "high"), [(0.0, 255.0), (-1.0, 1.0), (10.0, 250.0)])
def test_pixels_are_scaled_as_the_formula_says_and_stay_as_they_are_stored(dtype, low, high):
    stored = torch.arange(256).reshape(2, 2, 8, 8).to(dtype)
    before = stored.clone()
    expected = (stored.to(torch.float32) - low) / ((high - low) / 2) - 1
    assert torch.equal(unit(stored, low, high), expected)
    assert torch.equal(stored, before)


def test_a_stream_is_taken_up_where_it_was_and_begins_anew_from_a_state_of_another_device():
    def drawn(state):
        random = torch.Generator()
        take_up(random, state)
        return torch.rand(4, generator=random).tolist()

    random = torch.Generator().manual_seed(3)
    state = random.get_state()
    assert drawn(state) == torch.rand(4, generator=random).tolist()
    of_a_gpu = [torch.tensor([7, *[0] * 14, place], dtype=torch.uint8) for place in (0, 0, 1)]
    same, again, other = map(drawn, of_a_gpu)
    assert same == again != other
    with pytest.raises(TypeError):
        drawn(torch.zeros(16))

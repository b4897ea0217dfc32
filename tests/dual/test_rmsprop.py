"""Our RMSProp against torch's: the same parameters, and no subnormal averages."""

import pytest
import torch

from divergences.dual import RMSprop
from divergences.dual._rmsprop import FADE_EVERY
from wgan.optimizers import make_optimizer


def twins(shapes, kinds):
    random = torch.Generator().manual_seed(5)
    start = [torch.randn(shape, generator=random) for shape in shapes]
    return [[torch.nn.Parameter(w.clone()) for w in start] for _ in kinds], random


def give(groups, gradients):
    for group in groups:
        for w, gradient in zip(group, gradients, strict=True):
            w.grad = gradient.clone()


@pytest.mark.parametrize("layout", ["given", "swapped"])
def test_it_is_torch_s_to_an_ulp_and_their_states_are_exchangeable(layout):
    """Also where a gradient lies in another order of memory than its parameter."""
    shapes = [(5, 4), (3,), (), (2, 3, 2, 2), (300, 700)]
    (mine, theirs), random = twins(shapes, "ab")
    ours, torchs = RMSprop(mine, 1e-3), torch.optim.RMSprop(theirs, lr=1e-3)
    for k in range(200):
        scale = 10.0 ** (-(k % 9))
        gradients = [scale * torch.randn(s, generator=random) for s in shapes]
        give([mine, theirs], gradients)
        if layout == "swapped":
            for w in (mine[0], mine[4]):
                w.grad = w.grad.T.contiguous().T
        ours.step()
        torchs.step()
        for w, gradient in zip(mine, gradients, strict=True):
            assert torch.equal(w.grad, gradient)
        if k == 100:
            ours_state, torchs_state = ours.state_dict()["state"], torchs.state_dict()["state"]
            ours.load_state_dict({**ours.state_dict(), "state": torchs_state})
            torchs.load_state_dict({**torchs.state_dict(), "state": ours_state})
    for a, b in zip(mine, theirs, strict=True):
        torch.testing.assert_close(a, b, rtol=3e-7, atol=1e-7)


def test_averages_of_dead_units_become_zero_before_they_are_subnormal():
    (mine, theirs), _ = twins([(64,)], "ab")
    ours, torchs = RMSprop(mine, 1e-3), torch.optim.RMSprop(theirs, lr=1e-3)
    tiny = torch.finfo(torch.float32).tiny
    for k in range(9000):
        gradient = torch.zeros(64)
        if k < 3:
            gradient[::2] = 1e-3
        gradient[1] = 1e-2
        give([mine, theirs], [gradient])
        ours.step()
        torchs.step()
        if k % FADE_EVERY == 0:
            average = ours.state[mine[0]]["square_avg"]
            assert not bool(((average > 0) & (average < tiny)).any())
    lost = torchs.state[theirs[0]]["square_avg"]
    assert bool(((lost > 0) & (lost < tiny)).any()), "torch's have faded by now"
    torch.testing.assert_close(mine[0], theirs[0], rtol=2e-7, atol=0)


def test_a_nan_stays_and_a_missing_gradient_moves_nothing():
    (mine,), _ = twins([(4,), (2,)], "a")
    optimizer = RMSprop(mine, 1e-3)
    mine[0].grad = torch.tensor([float("nan"), 1.0, 1.0, 1.0])
    before = mine[1].detach().clone()
    for _ in range(FADE_EVERY + 1):
        optimizer.step()
    assert bool(mine[0][0].isnan())
    assert bool(optimizer.state[mine[0]]["square_avg"][0].isnan())
    assert torch.equal(mine[1], before)


def test_groups_types_and_closures_are_torch_s():
    """Two groups of unequal rates, parameters of two types in one of them, a loss by a closure."""
    random = torch.Generator().manual_seed(7)
    start = [torch.randn(6, 3, generator=random), torch.randn(4, generator=random).double(),
             torch.randn(5, generator=random)]  # fmt: skip
    results = []
    for kind in (RMSprop, torch.optim.RMSprop):
        weights = [torch.nn.Parameter(w.clone()) for w in start]
        optimizer = kind(weights[:2], 1e-3)
        optimizer.add_param_group({"params": weights[2:], "lr": 0.1})

        def loss(weights=weights, optimizer=optimizer):
            optimizer.zero_grad()
            value = sum((w.double() ** 2).sum() for w in weights)
            value.backward()
            return value

        values = [optimizer.step(loss).item() for _ in range(5)]
        assert values == sorted(values, reverse=True)
        results.append(weights)
    for ours, torchs in zip(*results, strict=True):
        torch.testing.assert_close(ours, torchs, rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize(
    ("rate", "error"),
    [(0.0, ValueError), (-1.0, ValueError), (float("nan"), ValueError), ("a", TypeError)],
)
def test_a_rate_that_is_none_is_refused(rate, error):
    with pytest.raises(error, match="RMSprop: learning_rate must be"):
        RMSprop([torch.nn.Parameter(torch.ones(2))], rate)


def test_adam_is_torch_s():
    optimizer = make_optimizer("adam", [torch.nn.Parameter(torch.ones(3))], 1e-4, (0.0, 0.9))
    assert isinstance(optimizer, torch.optim.Adam)
    assert optimizer.defaults["betas"] == (0.0, 0.9)
    assert optimizer.defaults["lr"] == 1e-4

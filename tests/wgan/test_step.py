"""A generator step against Algorithm 1 written out in plain torch."""

import copy

import pytest
import torch

from divergences.dual import WeightClipping
from wgan import TrainingConfig
from wgan.data import make_data
from wgan.state import TrainingState
from wgan.step import train_step

CPU = torch.device("cpu")


def algorithm_1(f, g, x_batches, z_batches, z_last, squares, alpha, c):
    """One round of the algorithm on lists of parameters; RMSProp as torch documents it."""

    def rmsprop(parameters, gradients, averages, sign):
        for w, gradient, average in zip(parameters, gradients, averages, strict=True):
            average.mul_(0.99).addcmul_(gradient, gradient, value=0.01)
            w.add_(sign * alpha * gradient / (average.sqrt() + 1e-8))

    w, theta = list(f.parameters()), list(g.parameters())
    for x, z in zip(x_batches, z_batches, strict=True):
        objective = f(x).mean() - f(g(z)).mean()
        gradients = torch.autograd.grad(objective, w)
        with torch.no_grad():
            rmsprop(w, gradients, squares["critic"], +1)
            for entry in w:
                entry.clamp_(-c, c)
    gradients = torch.autograd.grad(-f(g(z_last)).mean(), theta)
    with torch.no_grad():
        rmsprop(theta, gradients, squares["generator"], -1)
    return objective.item()


@pytest.mark.parametrize("data_name", ["ring", "digits"])
def test_steps_are_algorithm_1_to_the_last_digits(tmp_path, data_name):
    config = TrainingConfig(out=tmp_path, data=data_name, latent=5, seed=11,
                            generator_widths=(12, 10), critic_widths=(14, 9))  # fmt: skip
    data = make_data(data_name, CPU)
    state = TrainingState.fresh(config, data, CPU)
    f, g = copy.deepcopy(state.critic), copy.deepcopy(state.generator)
    squares = {"critic": [torch.zeros_like(w) for w in f.parameters()],
               "generator": [torch.zeros_like(w) for w in g.parameters()]}  # fmt: skip
    reals, noises = (torch.Generator() for _ in range(2))
    reals.set_state(state.data_random.get_state())
    noises.set_state(state.noise_random.get_state())
    for _ in range(4):
        estimate = train_step(state, data, WeightClipping(0.01), batch_size=64, critic_steps=5)
        x_batches = [data.batch(64, reals) for _ in range(5)]
        z_batches = [torch.randn(64, 5, generator=noises) for _ in range(5)]
        z_last = torch.randn(64, 5, generator=noises)
        expected = algorithm_1(f, g, x_batches, z_batches, z_last, squares, alpha=5e-5, c=0.01)
        assert estimate.item() == pytest.approx(expected, rel=1e-5, abs=1e-8)
    assert state.step == 4
    for ours, theirs in ((state.critic, f), (state.generator, g)):
        for mine, literal in zip(ours.parameters(), theirs.parameters(), strict=True):
            torch.testing.assert_close(mine, literal, rtol=2e-6, atol=2e-8)


def test_the_defaults_are_the_papers():
    config = TrainingConfig(out="unused")
    assert (config.learning_rate, config.clip) == (5e-5, 0.01)
    assert (config.batch_size, config.critic_steps) == (64, 5)


def test_every_batch_is_fresh(tmp_path):
    """Two critic steps and a generator step on one network see three different noises."""
    data = make_data("ring", CPU)
    state = TrainingState.fresh(TrainingConfig(out=tmp_path), data, CPU)
    seen = []
    state.generator.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    train_step(state, data, WeightClipping(), batch_size=4, critic_steps=2)
    train_step(state, data, WeightClipping(), batch_size=4, critic_steps=2)
    assert len(seen) == 6
    assert len({tuple(z.flatten().tolist()) for z in seen}) == 6


def test_the_critic_is_clipped_and_its_gradients_are_its_own(tmp_path):
    data = make_data("ring", CPU)
    state = TrainingState.fresh(TrainingConfig(out=tmp_path), data, CPU)
    train_step(state, data, WeightClipping(0.01), batch_size=4, critic_steps=1)
    assert max(w.abs().max().item() for w in state.critic.parameters()) <= 0.01
    before = [w.grad.clone() for w in state.critic.parameters()]
    frozen = [w.detach().clone() for w in state.critic.parameters()]
    y = state.generator(state.noise(4))
    torch.autograd.backward(-state.critic(y).mean(), inputs=list(state.generator.parameters()))
    for w, gradient, value in zip(state.critic.parameters(), before, frozen, strict=True):
        assert torch.equal(w.grad, gradient)
        assert torch.equal(w, value)

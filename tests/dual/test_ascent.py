import copy

import numpy as np
import pytest
import torch
from torch import nn

from divergences.dual import (
    CTransformPenalty,
    RMSprop,
    WeightClipping,
    adversarial_objective,
    ascent_step,
    dual_objective,
    js_lower_estimate,
)


@pytest.fixture
def problem():
    generator = torch.Generator().manual_seed(3)
    critic = nn.Sequential(nn.Linear(2, 8), nn.Tanh(), nn.Linear(8, 1)).double()
    with torch.no_grad():
        for parameter in critic.parameters():
            parameter.normal_(generator=generator)
    x = torch.randn(16, 2, dtype=torch.float64, generator=generator) + 1
    y = torch.randn(16, 2, dtype=torch.float64, generator=generator)
    return critic, x, y


def test_it_ascends_by_exactly_the_gradient(problem):
    critic, x, y = problem
    before = [parameter.detach().clone() for parameter in critic.parameters()]
    value = dual_objective(critic, x, y)
    gradients = torch.autograd.grad(value, list(critic.parameters()))
    returned = ascent_step(critic, torch.optim.SGD(critic.parameters(), lr=1e-3), x, y)
    assert returned.item() == value.item()
    assert not returned.requires_grad
    for parameter, start, gradient in zip(critic.parameters(), before, gradients, strict=True):
        torch.testing.assert_close(
            parameter.detach(), start + 1e-3 * gradient, rtol=1e-14, atol=1e-16
        )
    assert dual_objective(critic, x, y) > value


def test_parameters_are_clipped_after_the_step(problem):
    critic, x, y = problem
    ascent_step(
        critic, torch.optim.RMSprop(critic.parameters(), lr=1.0), x, y, WeightClipping(0.25)
    )
    assert max(parameter.abs().max().item() for parameter in critic.parameters()) == 0.25


def test_nothing_flows_into_the_batches(problem):
    critic, x, y = problem
    shift = torch.zeros(2, dtype=torch.float64, requires_grad=True)
    leaf = x.clone().requires_grad_()
    ascent_step(critic, torch.optim.SGD(critic.parameters(), lr=0.1), leaf, y + shift)
    assert shift.grad is None
    assert leaf.grad is None
    # not even where the optimizer holds what made the batch
    both = torch.optim.SGD([*critic.parameters(), shift], lr=0.1)
    ascent_step(critic, both, leaf, y + shift)
    assert shift.tolist() == [0.0, 0.0]


def test_only_the_parameters_of_the_optimizer_move(problem):
    critic, x, y = problem
    kept = [parameter.detach().clone() for parameter in critic[0].parameters()]
    ascent_step(critic, torch.optim.SGD(critic[2].parameters(), lr=0.1), x, y)
    assert all(parameter.grad is None for parameter in critic[0].parameters())
    for parameter, start in zip(critic[0].parameters(), kept, strict=True):
        assert torch.equal(parameter, start)


def test_gradients_do_not_accumulate_over_steps(problem):
    critic, x, y = problem
    optimizer = torch.optim.SGD(critic.parameters(), lr=0.0)
    ascent_step(critic, optimizer, x, y)
    first = [parameter.grad.clone() for parameter in critic.parameters()]
    ascent_step(critic, optimizer, x, y)
    for parameter, gradient in zip(critic.parameters(), first, strict=True):
        assert torch.equal(parameter.grad, gradient)


class Ridge:
    """A constraint with a penalty and no projection: half the squared norm of the parameters."""

    def penalty(self, critic, x, y):  # noqa: ARG002
        return sum(parameter.square().sum() for parameter in critic.parameters()) / 2

    def project(self, critic):
        pass

    def lipschitz_bound(self, critic):
        raise NotImplementedError


def test_a_penalty_is_subtracted_from_the_objective(problem):
    critic, x, y = problem
    before = [parameter.detach().clone() for parameter in critic.parameters()]
    value = dual_objective(critic, x, y)
    gradients = torch.autograd.grad(value, list(critic.parameters()))
    returned = ascent_step(critic, torch.optim.SGD(critic.parameters(), lr=0.5), x, y, Ridge())
    assert returned.item() == value.item()
    for parameter, start, gradient in zip(critic.parameters(), before, gradients, strict=True):
        torch.testing.assert_close(
            parameter.detach(), start + 0.5 * (gradient - start), rtol=1e-13, atol=1e-15
        )


def test_an_optimizer_that_maximizes_is_refused(problem):
    critic, x, y = problem
    optimizer = torch.optim.SGD(critic.parameters(), lr=0.1, maximize=True)
    with pytest.raises(ValueError, match="ascent_step: optimizer must minimise"):
        ascent_step(critic, optimizer, x, y)


def test_arrays_are_refused(problem):
    critic, x, _ = problem
    with pytest.raises(TypeError, match="y must be a floating torch tensor"):
        ascent_step(critic, torch.optim.SGD(critic.parameters(), lr=0.1), x, np.ones((2, 2)))


def test_weights_reach_the_objective(problem):
    critic, x, y = problem
    weights = torch.zeros(16, dtype=torch.float64)
    weights[3] = 1
    ascend = torch.optim.SGD(critic.parameters(), lr=1e-3)
    expected = dual_objective(critic, x[3:4], y).item()
    returned = ascent_step(critic, ascend, x, y, x_weights=weights)
    assert returned.item() == pytest.approx(expected, rel=1e-14)


@pytest.mark.parametrize("objective", [dual_objective, adversarial_objective, js_lower_estimate])
def test_both_batches_in_one_call_make_the_same_step_of_any_objective(problem, objective):
    critic, x, y = problem
    twin = copy.deepcopy(critic)
    calls = []
    twin.register_forward_pre_hook(lambda _, inputs: calls.append(len(inputs[0])))
    expected = objective(critic, x, y[:5]).item()
    for network, together in ((critic, False), (twin, True)):
        ascend = torch.optim.SGD(network.parameters(), lr=1e-2)
        returned = ascent_step(
            network, ascend, x, y[:5], WeightClipping(0.3), objective=objective, together=together
        )
        assert returned.item() == pytest.approx(expected, rel=1e-13)
    assert calls == [21]
    for a, b in zip(critic.parameters(), twin.parameters(), strict=True):
        torch.testing.assert_close(a, b, rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("constraint", [None, WeightClipping(0.3)])
@pytest.mark.parametrize(("shape", "inputs"), [((16, 3), 3), ((16,), 1), ((16, 2, 4, 4), 32)])
def test_a_critic_with_batch_norm_goes_back_before_it_sees_the_other_batch(
    shape, inputs, constraint
):
    """The same bits as from both batches at once."""
    layers = [nn.Flatten(), nn.Linear(inputs, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Linear(8, 1)]
    critic = nn.Sequential(*layers, nn.Flatten(0))
    twin, order = copy.deepcopy(critic), []

    def watch(_, inputs, values):
        order.append(len(inputs[0]))
        values.register_hook(lambda _: order.append("back"))

    critic.register_forward_hook(watch)
    x, y = torch.randn(shape) + 1, torch.randn(shape)[:5]
    for _ in range(3):
        value = ascent_step(critic, RMSprop(critic.parameters(), 1e-2), x, y, constraint)
        expected = ascent_step(
            twin, RMSprop(twin.parameters(), 1e-2), x, y, constraint,
            objective=lambda *parts: dual_objective(*parts),
        )  # fmt: skip
        assert value.item() == expected.item()
        assert not value.requires_grad
    assert order == [16, "back", 5, "back"] * 3
    for name, mine in critic.state_dict().items():
        assert torch.equal(mine, twin.state_dict()[name]), name


def test_gradients_with_hooks_are_those_of_both_batches():
    critic = nn.Sequential(nn.Linear(2, 4), nn.BatchNorm1d(4), nn.Linear(4, 1))
    seen = []
    critic[2].weight.register_hook(seen.append)
    x, y = torch.randn(2, 6, 2)
    ascent_step(critic, torch.optim.SGD(critic.parameters(), lr=0.1), x, y)
    assert len(seen) == 1


def test_a_critic_with_batch_norm_may_keep_the_weights_that_it_computes():
    weight_norm = nn.utils.parametrizations.weight_norm
    critic = nn.Sequential(weight_norm(nn.Linear(2, 4)), nn.BatchNorm1d(4), nn.Linear(4, 1))
    twin, (x, y) = copy.deepcopy(critic), torch.randn(2, 6, 2)
    expected = ascent_step(twin, torch.optim.SGD(twin.parameters(), lr=0.1), x, y)
    with nn.utils.parametrize.cached():
        value = ascent_step(critic, torch.optim.SGD(critic.parameters(), lr=0.1), x, y)
    assert value.item() == expected.item()
    torch.testing.assert_close(critic.state_dict(), twin.state_dict())


@pytest.mark.parametrize("together", [False, True])
def test_a_critic_may_be_a_function(together):
    weight = nn.Parameter(torch.ones(2))
    x, y = torch.ones(3, 2), torch.zeros(3, 2)
    ascend = torch.optim.SGD([weight], lr=0.5)
    assert ascent_step(lambda z: z @ weight, ascend, x, y, together=together).item() == 2
    assert weight.tolist() == [1.5, 1.5]


def test_together_or_not_numbers_on_a_line_are_columns():
    critic = torch.nn.Linear(1, 1, dtype=torch.float64)
    x, y = torch.ones(3, dtype=torch.float64), torch.zeros(2, dtype=torch.float64)
    ascend = torch.optim.SGD(critic.parameters(), lr=1e-2)
    expected = critic.weight.item()
    assert ascent_step(critic, ascend, x, y, together=True).item() == pytest.approx(expected)


@pytest.mark.parametrize("together", [False, True])
def test_a_penalty_on_pairs_takes_the_values_of_the_objective(problem, together):
    """One evaluation of either batch in a step, and the step of two evaluations."""
    critic, x, y = problem
    twin, calls, penalty = copy.deepcopy(critic), [], CTransformPenalty(3.0)
    twin.register_forward_hook(lambda _, inputs, __: calls.append(len(inputs[0])))
    ascend = torch.optim.SGD(critic.parameters(), lr=1e-2)
    (penalty.penalty(critic, x, y[:5]) - dual_objective(critic, x, y[:5])).backward()
    ascend.step()
    ascent_step(twin, torch.optim.SGD(twin.parameters(), lr=1e-2), x, y[:5], penalty,
                together=together)  # fmt: skip
    assert sum(calls) == len(x) + 5
    for a, b in zip(critic.parameters(), twin.parameters(), strict=True):
        torch.testing.assert_close(a, b, rtol=1e-12, atol=1e-15)

import pytest
import torch

from divergences import wasserstein1
from divergences.dual import RidgeCritic, dual_objective
from divergences.dual._ridge import fit_potential, ridge_directions


@pytest.mark.parametrize("seed", range(5))
def test_a_fitted_potential_attains_wasserstein_on_the_line(seed):
    generator = torch.Generator().manual_seed(seed)
    x = torch.randn(80, 1, dtype=torch.float64, generator=generator)
    y = 2 * torch.randn(60, 1, dtype=torch.float64, generator=generator) + 0.5
    critic = fit_potential(torch.ones(1), x, y)
    truth = wasserstein1(x, y)
    torch.testing.assert_close(dual_objective(critic, x, y), truth, rtol=1e-12, atol=0)


def test_many_points_are_thinned_and_stay_below():
    generator = torch.Generator().manual_seed(7)
    x = torch.randn(5000, 1, dtype=torch.float64, generator=generator)
    y = 2 * torch.randn(4000, 1, dtype=torch.float64, generator=generator)
    critic = fit_potential(torch.ones(1), x, y)
    value, truth = dual_objective(critic, x, y), wasserstein1(x, y)
    assert 0.999 * truth <= value <= truth * (1 + 1e-12)


@pytest.mark.parametrize("dimension", [1, 2, 9])
def test_the_certificate_holds_for_random_pairs(dimension):
    generator = torch.Generator().manual_seed(dimension)
    x, y, z, w = torch.randn(4, 500, dimension, dtype=torch.float64, generator=generator)
    critic = fit_potential(ridge_directions(x, y, generator)[0], x, 2 * y)
    bound = critic.lipschitz_bound()
    assert 1 <= bound <= 1 + 1e-12
    rise = (critic(3 * z) - critic(3 * w)).abs()
    assert (rise <= bound * torch.linalg.vector_norm(3 * z - 3 * w, dim=1) + 1e-13).all()


def test_one_point_each():
    critic = fit_potential(torch.tensor([1.0, 0]), torch.tensor([[2.0, 0]]), torch.zeros(1, 2))
    assert critic(torch.tensor([[2.0, 5.0]])) - critic(torch.zeros(1, 2)) == 2


def test_equal_means_still_give_directions_of_unit_length():
    x = torch.zeros(4, 3)
    directions = ridge_directions(x, x, torch.Generator())
    torch.testing.assert_close(torch.linalg.vector_norm(directions, dim=1), torch.ones(6))


def test_slopes_left_and_right_of_the_knots():
    critic = RidgeCritic(
        torch.tensor([2.0]), torch.tensor([0.0, 1.0]), torch.tensor([1.0, 0.5, -1])
    )
    at = torch.tensor([[-1.0], [0.0], [0.5], [1.0], [2.0]])
    assert critic(at).tolist() == [-1.0, 0.0, 0.25, 0.5, -0.5]

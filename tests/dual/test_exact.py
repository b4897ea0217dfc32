import numpy as np
import pytest
import torch

from divergences import Discrete, optimal_transport, wasserstein1
from divergences.dual import ExactCritic, dual_objective, lipschitz_bound, semidiscrete_critic

METRICS = ["euclidean", "cityblock", "chebyshev", ("minkowski", 3.0)]


def _clouds(seed=0, dimension=2):
    generator = torch.Generator().manual_seed(seed)
    x = torch.randn(30, dimension, dtype=torch.float64, generator=generator)
    return x, torch.randn(40, dimension, dtype=torch.float64, generator=generator) * 2 + 1


@pytest.mark.parametrize("metric", METRICS)
def test_it_attains_the_distance_and_keeps_its_bound(metric):
    x, y = _clouds()
    critic = ExactCritic(optimal_transport(x, y, metric=metric))
    truth = wasserstein1(x, y, metric=metric)
    torch.testing.assert_close(dual_objective(critic, x, y), truth, rtol=1e-12, atol=0)
    z = 3 * torch.randn(500, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    rise = (critic(z[:250]) - critic(z[250:])).abs()
    length = torch.linalg.vector_norm(z[:250] - z[250:], dim=1)
    assert (rise <= lipschitz_bound(critic) * length + 1e-12).all()


def test_a_result_in_numpy_and_a_metric_of_ones_own():
    x, y = _clouds()
    critic = ExactCritic(optimal_transport(x.numpy(), y.numpy()))
    assert critic(x.float()).dtype == torch.float32
    own = ExactCritic(optimal_transport(x, y, metric=torch.cdist))
    with pytest.raises(NotImplementedError, match="no Euclidean bound is known"):
        own.lipschitz_bound()


def test_a_metric_that_is_a_function_of_numpy_arrays():
    rng = np.random.default_rng(4)
    x, y = rng.normal(size=(9, 2)), rng.normal(1, size=(12, 2))
    result = optimal_transport(x, y, metric=lambda u, v: abs(u[:, None] - v[None]).sum(axis=-1))
    critic = ExactCritic(result)
    value = dual_objective(critic, torch.from_numpy(x), torch.from_numpy(y))
    assert float(value) == pytest.approx(wasserstein1(x, y, metric="cityblock"), rel=1e-12)
    for dtype in (torch.float32, torch.bfloat16):
        assert critic(torch.zeros(3, 2, dtype=dtype)).dtype == dtype
    points = torch.zeros(3, 2, requires_grad=True)
    with pytest.raises(TypeError, match="z must require no gradient, as the metric is a function"):
        critic(points)
    with torch.no_grad():
        assert critic(points).shape == (3,)


def test_refusals():
    with pytest.raises(TypeError, match="ExactCritic: result must be a TransportResult"):
        ExactCritic(3)
    with pytest.raises(ValueError, match="ExactCritic: result must be of points under a metric"):
        ExactCritic(optimal_transport(cost=[[1.0]]))
    critic = ExactCritic(optimal_transport([[0.0]], [[1.0]]))
    with pytest.raises(TypeError, match="ExactCritic: z must be a torch tensor"):
        critic(np.zeros((1, 1)))


def test_the_generators_gradient_comes_from_the_plan():
    # theorem 3: exact against central differences, where the critic's own autograd is not
    generator = torch.Generator().manual_seed(2)
    noise = torch.randn(25, 2, dtype=torch.float64, generator=generator)
    x = torch.randn(20, 2, dtype=torch.float64, generator=generator)
    theta = torch.tensor([0.7, -0.4, 0.3, 1.1], dtype=torch.float64, requires_grad=True)

    def model(at):
        return noise @ at.reshape(2, 2) + torch.sin(at[:2] * noise)

    (gradient,) = torch.autograd.grad(wasserstein1(x, model(theta)), theta)
    step = 1e-6
    for k in range(4):
        shift = step * torch.eye(4, dtype=torch.float64)[k]
        rise = wasserstein1(x, model(theta + shift)) - wasserstein1(x, model(theta - shift))
        assert gradient[k].item() == pytest.approx(rise.item() / (2 * step), rel=1e-6, abs=1e-8)
    samples = model(theta)
    critic = ExactCritic(optimal_transport(x, samples.detach()))
    (wrong,) = torch.autograd.grad(-critic(samples).mean(), theta)
    assert not torch.allclose(wrong, gradient, rtol=0.1)  # apexes lie at the model's points


def test_semidiscrete_reaches_the_distance_on_the_line():
    def uniform(count, generator):
        return torch.rand(count, 1, generator=generator)

    atoms, masses = np.array([[0.0], [0.5], [3.0]]), np.array([0.5, 0.25, 0.25])
    critic = semidiscrete_critic(uniform, Discrete(atoms, masses), steps=600)
    x = torch.linspace(0, 1, 20001, dtype=torch.float64)[:, None]
    truth = wasserstein1(x[:, 0].numpy(), atoms[:, 0], None, masses)
    value = dual_objective(critic, x, torch.from_numpy(atoms), None, torch.from_numpy(masses))
    assert 0.98 * truth <= value.item() <= truth * (1 + 1e-12)
    assert critic.lipschitz_bound() == 1.0


def test_semidiscrete_in_the_plane_is_a_certified_lower_bound():
    def disc(count, generator):
        radius, angle = torch.rand(2, count, generator=generator, dtype=torch.float64)
        return (radius.sqrt() * torch.stack([(6.28318530717958648 * angle).cos(),
                                             (6.28318530717958648 * angle).sin()])).T  # fmt: skip

    critic = semidiscrete_critic(disc, Discrete([[0.0, 0.0]]), steps=5)
    x = disc(4000, torch.Generator().manual_seed(1))
    at_centre = torch.zeros(1, 2, dtype=torch.float64)
    mean = torch.linalg.vector_norm(x, dim=1).mean()
    assert dual_objective(critic, x, at_centre).item() == pytest.approx(mean.item(), rel=1e-12)
    assert mean.item() == pytest.approx(2 / 3, rel=0.02)


@pytest.mark.parametrize(
    ("arguments", "error", "text"),
    [
        (([[1.0]], Discrete([0.0])), TypeError, "sampler must be a callable"),
        ((torch.rand, [[0.0]]), TypeError, "law must be a Discrete law"),
        ((lambda n: torch.zeros(n + 1), Discrete([0.0])), ValueError, "sampler must return"),
        ((lambda n: torch.full((n,), torch.nan), Discrete([0.0])), ValueError, "sampler"),
    ],
)
def test_semidiscrete_refusals(arguments, error, text):
    with pytest.raises(error, match=f"semidiscrete_critic: {text}"):
        semidiscrete_critic(*arguments)

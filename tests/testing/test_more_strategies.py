"""Spaces, kernels, couplings, functions, families, sequences, generators: valid, small, exact."""

import numpy as np
import pytest
import torch
from hypothesis import find, given
from hypothesis import strategies as st

from divergences import (
    Discrete,
    kl_divergence,
    optimal_transport,
    total_variation,
    wasserstein1,
)
from divergences.testing import strategies


@given(strategies.finite_metrics())
def test_finite_metrics_are_metrics(distances):
    count = len(distances)
    assert (distances == distances.T).all()
    assert (np.diag(distances) == 0).all()
    assert (distances[~np.eye(count, dtype=bool)] >= 1).all()
    through = distances[:, :, None] + distances[None, :, :]
    assert (distances[:, None, :] <= through).all()


@given(strategies.markov_kernels(), strategies.markov_kernels(inputs=3, outputs=2))
def test_kernels_are_stochastic(kernel, shaped):
    for row in kernel:
        assert total_variation(row, row) == 0.0
    assert shaped.shape == (3, 2)


@given(strategies.couplings())
def test_couplings_have_the_marginals_that_they_say(coupling):
    assert (coupling.plan >= 0).all()
    assert (coupling.plan.sum(axis=1) == coupling.a).all()
    assert (coupling.plan.sum(axis=0) == coupling.b).all()
    cost = np.ones(coupling.plan.shape)
    value = optimal_transport(x_weights=coupling.a, y_weights=coupling.b, cost=cost).value
    assert value == pytest.approx(1.0, rel=1e-14)


@given(st.data(), st.integers(1, 3), st.sampled_from([0.0, 1.0, 2.5]))
def test_functions_are_lipschitz(data, dimension, constant):
    function = data.draw(strategies.lipschitz_functions(dimension, constant=constant))
    coordinates = st.lists(strategies.lattice(), min_size=dimension, max_size=dimension)
    z = np.array(data.draw(st.lists(coordinates, min_size=2, max_size=5)))
    values = function(z)
    distances = np.linalg.norm(z[:, None] - z, axis=-1)
    assert (np.abs(values[:, None] - values) <= constant * distances + 1e-12).all()


@given(strategies.families(), strategies.normal_pairs())
def test_families_and_pairs_are_laws(law, pair):
    assert kl_divergence(law, law) == 0.0
    assert float(kl_divergence(pair.p, pair.q)) == pytest.approx(pair.kl, rel=1e-12, abs=1e-300)
    assert float(wasserstein1(pair.p, pair.q)) == pytest.approx(pair.wasserstein1, rel=1e-12)


@given(strategies.convex_gradients())
def test_convex_gradients_are_optimal(problem):
    cost = ((problem.x[:, None] - problem.y) ** 2).sum(axis=-1)
    result = optimal_transport(x_weights=problem.weights, y_weights=problem.weights, cost=cost)
    budget = 1e-9 * cost.max()
    assert result.value == pytest.approx(problem.squared_wasserstein2, rel=1e-12, abs=budget)


@pytest.mark.parametrize("topology", strategies.TOPOLOGIES)
@given(data=st.data(), n=st.integers(1, 10**6))
def test_sequences_converge_as_they_say(topology, data, n):
    sequence = data.draw(strategies.convergent_sequences(topology))
    assert sequence.topology == topology
    term, limit = sequence.term(n), sequence.limit
    variation, distance = sequence.total_variation(n), sequence.wasserstein1(n)
    assert total_variation(term, limit) == pytest.approx(variation, rel=1e-8)
    assert wasserstein1(term, limit) == pytest.approx(distance, rel=1e-8)
    late = sequence.term(10**9)
    divergences = kl_divergence(late, limit), kl_divergence(limit, late)
    assert (max(divergences) < 1e-6) == (topology == "kl")
    assert (total_variation(late, limit) < 1e-6) == (topology in {"kl", "total_variation"})
    assert (wasserstein1(late, limit) < 1e-6) == (topology != "weak")
    bounded = abs(float(np.tanh(late.points) @ np.ones(1) @ late.weights) - np.tanh(0.0))
    assert topology == "kl" or bounded < 1e-6


@given(st.data())
def test_generators_are_small_networks_and_leave_the_random_state(data):
    state = torch.random.get_rng_state()
    network = data.draw(strategies.generators(latent_dimension=2, dimension=3))
    assert (torch.random.get_rng_state() == state).all()
    z = torch.tensor([[0.0, 1.0], [-3.0, 2.0]], dtype=torch.float64)
    assert network(z).shape == (2, 3)
    assert network(z).isfinite().all()


def test_an_unknown_topology_is_refused():
    with pytest.raises(ValueError, match=r"convergent_sequences: topology must be one of"):
        strategies.convergent_sequences("strong")


def test_they_shrink_to_the_simplest():
    def spread(coupling):
        return (coupling.plan > 0).sum() >= 2

    assert find(strategies.couplings(), spread).plan.size == 2
    assert find(strategies.finite_metrics(), lambda d: len(d) >= 3).max() == 1.0
    assert find(strategies.markov_kernels(), lambda k: k.shape[1] > 1).tolist() == [[1.0, 0.0]]
    function = find(strategies.lipschitz_functions(), lambda f: len(f.centres) >= 2)
    assert function.centres.tolist() == [[0.0], [0.0]]
    network = find(strategies.generators(), lambda g: sum(p.numel() for p in g.parameters()) > 3)
    assert not any(p.any() for p in network.parameters())
    assert isinstance(find(strategies.convergent_sequences(), lambda _: True).limit, Discrete)

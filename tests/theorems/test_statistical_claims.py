"""Claims about chance fail as often as their level says, whatever the seed."""

import pytest

from divergences import theorems
from divergences.theorems import _binomial, _clipping, _likelihood

SEEDS, LEVEL = 120, 0.2
COUNTED = "gradients within .674/sqrt(n)"


def failing_cases(claim_id, name):
    """Over so many seeds, in how many a relation of this name fails."""
    return sum(
        any(
            r.name.startswith(name) and not r.holds
            for r in theorems.check_case(claim_id, 1, seed=s)
        )
        for s in range(SEEDS)
    )


def test_the_gradients_of_likelihood_and_divergence_differ_as_often_as_said(monkeypatch):
    monkeypatch.setattr(
        _likelihood, "count_range", lambda n, chance: _binomial.count_range(n, chance, LEVEL)
    )
    fewest, most = _binomial.count_range(_likelihood.DATA_SETS, 0.5, LEVEL)
    inside = sum(_chance(_likelihood.DATA_SETS, k) for k in range(fewest, most + 1))
    low, high = _binomial.count_range(SEEDS, 1.0 - inside, 1e-6)
    assert 0 < low <= failing_cases("maximum_likelihood", COUNTED) <= high


def test_markov_s_inequality_fails_no_more_often_than_said(monkeypatch):
    monkeypatch.setattr(
        _clipping, "count_range", lambda n, chance: _binomial.count_range(n, chance, LEVEL)
    )
    _, high = _binomial.count_range(SEEDS, LEVEL / 2, 1e-6)
    assert failing_cases("clipping_dilemma", "#(|grad f|^2") <= high


@pytest.mark.parametrize("claim", ["maximum_likelihood", "clipping_dilemma"])
def test_no_seed_fails_at_the_level_in_use(claim):
    for seed in range(SEEDS):
        for relation in theorems.check_case(claim, 1, seed=seed):
            assert relation.holds, (seed, relation)


def _chance(trials, k):
    from math import comb

    return comb(trials, k) * 0.5**trials

"""The claims hold, and the checks can tell: a false variant of every relation is refuted."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import divergences
from divergences import theorems
from divergences.testing import strategies
from divergences.theorems import (
    _counterexamples,
    _distances,
    _duality,
    _example_1,
    _figures,
    _theorem_1,
    _theorem_2,
    _theorem_3,
)
from divergences.theorems._registry import run

IDS = [claim.id for claim in theorems.ALL]
claims = pytest.mark.parametrize("claim", theorems.ALL, ids=IDS)


@claims
def test_a_claim_passes(claim):
    (result,) = theorems.check_all(claim.id, cases=4 if claim.requires else 15)
    assert result.verdict == "pass", result.worst_case
    assert result.worst_slack >= 0


@pytest.mark.long
@pytest.mark.parametrize("seed", range(1, 4))
@claims
def test_a_claim_passes_on_its_default_cases_at_other_seeds(claim, seed):
    (result,) = theorems.check_all(claim.id, seed=seed)
    assert (result.verdict, result.cases) == ("pass", claim.cases), result.worst_case


@claims
def test_the_false_variants_of_a_claim_are_refuted(claim):
    results = theorems.refute(claim.id, cases=100)
    assert len(results) == len(claim.false_variants) >= 1
    for result in results:
        assert result.verdict == "fail", result.statement
        found = result.worst_case.relation
        assert not found.name.startswith(("raised", "the case compared nothing"))
        assert not math.isnan(found.lhs + found.rhs) or math.inf in (found.lhs, -found.rhs)
        assert result.statement != claim.summary


@claims
@settings(max_examples=6 if settings.default.max_examples <= 100 else 200)
@given(data=st.data())
def test_a_claim_holds_on_cases_that_hypothesis_draws(claim, data):
    seed = data.draw(strategies.case_seeds())
    index = data.draw(st.integers(0, claim.cases - 1))
    for relation in theorems.check_case(claim.id, index, seed=seed):
        assert relation.holds, relation


FOUND = (
    # the estimate of the truncation vanished by chance
    ("arjovsky_bottou_2_5", 759, 20261129),
)
"""Cases that runs of many cases have found: a budget was wrong, not the claim."""


@pytest.mark.parametrize(("claim_id", "index", "seed"), FOUND)
def test_a_case_that_was_found_once_holds(claim_id, index, seed):
    for relation in theorems.check_case(claim_id, index, seed=seed):
        assert relation.slack >= 0.5 or relation.kind == "<=", relation
        assert relation.holds, relation


# By how much a bound may be tightened before a case contradicts it: 0.9 unless said here.
LOOSE = {
    ("theorem_1_2", "|W(t) - W(s)| <= E L(Z) |t - s|"): 0.6,
    ("theorem_2_2", "rho^2 <= W"): 0.6,
    ("theorem_2_2", "W <= (diam + 1) rho"): 0.6,
    ("corollary_1", "E|h_k| <= |W_k| E|h_k-1| + |b_k| + |sigma(0)|"): 0.6,
    ("corollary_1_torch", "E|h_k| <= |W_k| E|h_k-1| + |b_k| + |sigma(0)|"): 0.6,
    ("topology_order", "JS <= TV log 2"): 0.8,
    ("duality", "E_P f - E_Q f <= W, f 1-Lipschitz"): 0.8,
    ("weight_clipping", "critic gap <= prod |W_l| W"): 0.4,
    ("frozen_critic", "E_P f <= max f"): 0.6,
    ("frozen_critic", "re-optimised critic: a step h lowers W by h |grad| / 2"): 0.49,
    ("bounded_functions", "|E_P f - E_Q f| <= 2 TV, |f| <= 1"): 0.8,
    ("mean_discrepancy", "MMD <= sqrt(2) TV"): 0.8,
    ("erratum_6", "P(t/4 < Z < 3t/4)/(2 t) <= W(t)/t"): 0.4,
    ("erratum_6", "2 W(t)/t <= W(t/10)/(t/10)"): 0.4,
}
COARSE = {"theorem_2_rates": 0.5}  # to first order in 1/n
GUARDS = {
    ("theorem_1_2", "left and right slope agree at a random theta"),
    ("corollary_1_torch", "left and right slope = backward()"),
    ("theorem_3", "the finite difference resolves 1e-6"),
    ("frozen_critic", "the collapsed law has W > 0"),
    ("general_position", "generators: P(dist < e) falls with e"),
    ("clipping_dilemma", "#(|grad f|^2 >= 2 n_0 c^2 (n c^2/2)^(L-1)) by Markov"),
    ("maximum_likelihood", "gradients within .674/sqrt(n): at most by chance 1/2"),
    ("maximum_likelihood", "gradients within .674/sqrt(n): at least by chance 1/2"),
    ("noise_likelihood", "L(1e-4) < max L - 100"),
    ("noise_likelihood", "L(1000) < max L - d log 10"),
    ("arjovsky_bottou_2_5", "the finite difference resolves 1e-5"),
}
"""Their false variants change the problem, not the bound."""
RARE = {"theorem_1_1", "frozen_critic"}  # whose tightest cases are rare


def _falsified(relation, factor, change):
    if relation.kind == "<=":
        return replace(relation, rhs=factor * relation.rhs - (1e-3 if relation.rhs == 0 else 0.0))
    if math.isinf(relation.rhs):
        return replace(relation, rhs=1e300)
    return replace(relation, rhs=relation.rhs + change * max(1.0, abs(relation.rhs)))


@claims
def test_no_relation_of_a_claim_is_loose(claim):
    cases = 25 if claim.requires else 100 if claim.id in RARE else 60
    drawn = [theorems.check_case(claim.id, index) for index in range(cases)]
    change = COARSE.get(claim.id, 1e-6)
    for name in sorted({relation.name for relations in drawn for relation in relations}):
        if (claim.id, name) in GUARDS:
            continue
        factor = LOOSE.get((claim.id, name), 0.9)

        def false(rng, index, name=name, factor=factor):
            return tuple(
                _falsified(relation, factor, change) if relation.name == name else relation
                for relation in drawn[index]
            )

        result = run(replace(claim, check=false), cases=cases, seed=0)
        assert result.verdict == "fail", (name, factor)
        assert result.worst_case.relation.name == name


def test_the_finite_differences_of_theorem_3_resolve_far_more_than_they_must():
    for index in range(10):
        relations = {r.name: r for r in theorems.check_case("theorem_3", index)}
        assert relations["the finite difference resolves 1e-6"].lhs < 1e-7


def _scaled(function, factor):
    return lambda *arguments, **options: factor * function(*arguments, **options)


def _wrong_transport(*arguments, **options):
    """A plan that couples everything with everything: feasible, not optimal."""
    result = divergences.optimal_transport(*arguments, **options)
    plan = np.outer(result.plan.toarray().sum(1), result.plan.toarray().sum(0))

    class Independent:
        value, dual_value, gap = result.value, result.dual_value, result.gap
        tolerance, critic = result.tolerance, result.critic

    answer = Independent()
    answer.plan = divergences.optimal_transport(*arguments, **options).plan.__class__(plan)
    return answer


MISTAKES = [
    ("example_1", _example_1, "js_divergence", _scaled(divergences.js_divergence, 2)),
    ("example_1", _example_1, "wasserstein1", _scaled(divergences.wasserstein1, 1 + 1e-14)),
    ("example_1", _example_1, "total_variation", _scaled(divergences.total_variation, 2)),
    ("figure_1", _figures, "wasserstein1", lambda p, q: divergences.wasserstein1(p, q) ** 2),
    ("figure_2", _figures, "js_divergence", _scaled(divergences.js_divergence, 0.5)),
    ("figure_2", _figures, "saturation", lambda theta: theta / (1 + math.exp(theta))),
    ("theorem_1_3", _theorem_1, "js_divergence", _scaled(divergences.js_divergence, 0.9)),
    ("theorem_2_1", _theorem_2, "js_divergence", _scaled(divergences.js_divergence, 2)),
    ("theorem_2_1", _theorem_2, "js_divergence", divergences.js_distance),
    ("theorem_2_1", _theorem_2, "total_variation", _scaled(divergences.total_variation, 1.001)),
    ("theorem_2_3", _theorem_2, "kl_divergence", _scaled(divergences.kl_divergence, 0.99)),
    ("theorem_2_3", _theorem_2, "total_variation", _scaled(divergences.total_variation, 2)),
    ("theorem_2_4", _theorem_2, "total_variation", _scaled(divergences.total_variation, 0.999)),
    ("theorem_3", _theorem_3, "optimal_transport", _wrong_transport),
    ("optimal_critic", None, "optimal_transport", _wrong_transport),
    ("counterexample_2", _counterexamples, "wasserstein1", _scaled(divergences.wasserstein1, 1.1)),
    ("counterexample_7", _counterexamples, "js_distance", divergences.js_divergence),
]


@pytest.mark.parametrize(
    ("claim_id", "module", "name", "mistake"), MISTAKES, ids=[f"{m[0]}-{m[2]}" for m in MISTAKES]
)
def test_a_mistake_in_the_library_fails_a_claim(claim_id, module, name, mistake, monkeypatch):
    if module is None:
        from divergences.theorems import _critics as module
    monkeypatch.setattr(module, name, mistake)
    (result,) = theorems.check_all(claim_id, cases=100)
    assert result.verdict == "fail"
    assert "raised" not in result.worst_case.relation.name


@pytest.mark.parametrize("claim_id", ["theorem_1_1", "theorem_2_2", "theorem_2_4"])
def test_a_wrong_distance_fails_the_claims_about_it(claim_id, monkeypatch):
    def wrong(p, q):
        exact = _distances.distance(p, q)
        return replace(exact, value=exact.value**2)

    for module in (_theorem_1, _theorem_2):
        monkeypatch.setattr(module, "distance", wrong)
    assert theorems.check_all(claim_id, cases=60)[0].verdict == "fail"


def test_a_critic_with_slope_two_fails_duality(monkeypatch):
    class Steep:
        def __init__(self, result):
            self.result = result

        def __getattr__(self, name):
            return getattr(self.result, name)

        def critic(self, z):
            return 2 * self.result.critic(z)

    def steep(*arguments, **options):
        return Steep(divergences.optimal_transport(*arguments, **options))

    monkeypatch.setattr(_duality, "optimal_transport", steep)
    assert theorems.check_all("duality", cases=5)[0].verdict == "fail"

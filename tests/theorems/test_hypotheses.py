"""Each hypothesis of each claim is needed: a false variant drops it and is refuted."""

import pytest

from divergences import theorems

SETTING = "it says which problem the claim is about"
DROPPED = {
    "example_1": ["W = |theta| for independent heights on the two lines"],
    "figure_1": [SETTING],
    "figure_2": [SETTING],
    "theorem_1_1": ["g may jump", "g continuous in theta suffices on the whole line"],
    "theorem_1_2": ["a pointwise L(theta, Z) suffices"],
    "corollary_1": [
        "nonlinearities steeper than 1 may be counted as 1 (SELU)",
        "E min(norm(Z), 1) does instead of E norm(Z)",
    ],
    "corollary_1_torch": [
        "activations steeper than 1 may be counted as 1 (SELU)",
        "E min(norm(Z), 1) does instead of E norm(Z)",
    ],
    "theorem_2_2": ["W <= 2 rho whatever the diameter, on the whole line"],
    "theorem_2_4": ["TV -> 0 forces W -> 0 on the whole line"],
    "theorem_2_rates": ["R need not be dominated by P"],
    "topology_order": ["TV forces W on the whole line"],
    "duality": ["|E_P f - E_Q f| <= W for 4-Lipschitz f"],
    "theorem_3": ["the optimal plan need not be unique", "an x_i = y_j may carry mass"],
    "theorem_3_autograd": ["the optimal plan need not be unique"],
    "optimal_critic": ["the slope is 1 between points that are not coupled"],
    "weight_clipping": [
        "a convolution's constant is the norm of its reshaped kernel",
        "activations steeper than 1 may be counted as 1 (SELU)",
    ],
    "clipping_dilemma": [
        "the second moment holds with biases",
        "the second moment holds without independent signs",
        "it is how the count is judged: see test_statistical_claims.py",
    ],
    "clipping_steps": [
        "the gradient may change its sign",
        "RMSProp may have seen larger gradients",
    ],
    "frozen_critic": ["P_r may be a point mass", "y may be the median of P_r"],
    "general_position": ["supports may lie on one line", "both laws may have one generator"],
    "maximum_likelihood": ["it is how the counts are judged: see test_statistical_claims.py"],
    "noise_and_blur": ["noise on one of the two laws makes KL finite"],
    "noise_likelihood": ["centres may be among the points"],
    "f_divergences": ["f need not be convex", "f(1) need not be 0", "T needs no bound for TV"],
    "bounded_functions": ["functions bounded by 2 stay below 2 TV"],
    "mean_discrepancy": ["erratum_3: as written: MMD is the supremum over |f| <= 1"],
    "energy_distance": ["without it both sides are undefined or infinite"],
    "energy_based_gan": ["any discriminator attains it"],
    "arjovsky_bottou_2_4": ["the supports may overlap"],
    "arjovsky_bottou_2_5": ["D* may move with theta", "with JS not halved"],
}
"""For each hypothesis, in order: the false variant without it, or why it cannot be dropped."""
CLAIMS = {claim.id: claim for claim in theorems.ALL}
REFUTED = {(name, variant.statement) for name, c in CLAIMS.items() for variant in c.false_variants}


def test_every_hypothesis_is_accounted_for():
    assert {name: len(claim.hypotheses) for name, claim in CLAIMS.items() if claim.hypotheses} == {
        name: len(dropped) for name, dropped in DROPPED.items()
    }


@pytest.mark.parametrize("name", sorted(DROPPED))
def test_a_dropped_hypothesis_is_a_false_variant(name):
    for text in DROPPED[name]:
        other, _, statement = text.rpartition("_3: ")
        found = (f"{other}_3", statement) if other == "erratum" else (name, text)
        reasons = (SETTING, "it is how", "without it both sides")
        assert found in REFUTED or text.startswith(reasons), text

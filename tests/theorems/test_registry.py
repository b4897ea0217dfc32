"""The registry: what runs a claim cannot pass by accident."""

import math
from dataclasses import replace

import numpy as np
import pytest

from divergences import theorems
from divergences.theorems import Claim, Relation
from divergences.theorems._claim import at_most, equal
from divergences.theorems._registry import case_generator, run

IDS = [claim.id for claim in theorems.ALL]


def _claim(check, **changes):
    base = Claim("test", "t", "s", "summary", "i", "source", (), 3, check, "domain", ())
    return replace(base, **changes)


def _run(check, cases=3, **changes):
    return run(_claim(check, **changes), cases=cases, seed=0)


def test_ids_are_unique_and_those_of_the_slice_are_there():
    assert len(set(IDS)) == len(IDS)
    promised = {"example_1", "figure_1", "figure_2", "corollary_1", "duality", "theorem_3"}
    promised |= {f"theorem_1_{n}" for n in (1, 2, 3)} | {f"theorem_2_{n}" for n in (1, 2, 3, 4)}
    promised |= {"optimal_critic", "weight_clipping"}
    assert promised <= set(IDS)


@pytest.mark.parametrize("claim", theorems.ALL, ids=IDS)
def test_claims_say_what_they_are(claim):
    assert 0 < len(claim.summary) <= 50, "the table of the command line has 100 columns"
    assert claim.summary.isascii()
    for text in (claim.title, claim.statement, claim.inequality, claim.source, claim.domain):
        assert text.strip()
    assert claim.cases >= 50
    assert claim.false_variants


@pytest.mark.parametrize(
    ("relation", "slack"),
    [
        (at_most("", 1.0, 2.0), 0.5),
        (at_most("", 2.0, 1.0), -0.5),
        (at_most("", 1.0, 1.0), 0.0),
        (at_most("", 1.0, 1.0, 0.5), 0.5),
        (at_most("", 0.0, 0.0), 0.0),
        (at_most("", 1.0, math.inf), 1.0),
        (at_most("", math.inf, 1.0, 1.0), -1.0),
        (at_most("", math.inf, math.inf), 0.0),
        (at_most("", 1e308, -1e308), -2.0),
        (equal("", 1.0, 1.0), 1.0),
        (equal("", math.inf, math.inf), 1.0),
        (equal("", 1.0, 2.0, 4.0), 0.75),
        (equal("", 1.0, 2.0, 0.5), -1.0),
        (equal("", 1.0, 2.0), -math.inf),
        (equal("", math.inf, 2.0, 1.0), -math.inf),
    ],
)
def test_slack(relation, slack):
    assert relation.slack == slack
    assert relation.holds == (slack >= 0)


@pytest.mark.parametrize("kind", ["<=", "=="])
@pytest.mark.parametrize(
    ("lhs", "rhs", "budget"),
    [
        (math.nan, 1.0, 1.0),
        (1.0, math.nan, 1.0),
        (1.0, 1.0, math.nan),
        (1.0, 1.0, math.inf),
        (1.0, 1.0, -1.0),
    ],
)
def test_a_nan_and_a_budget_that_allows_everything_fail(kind, lhs, rhs, budget):
    relation = Relation("", lhs, rhs, budget, kind)
    assert math.isnan(relation.slack)
    assert not relation.holds
    result = _run(lambda rng, index: (equal("", 1.0, 1.0), relation, at_most("", 3.0, 1.0)))
    assert result.verdict == "fail"
    assert math.isnan(result.worst_slack)
    assert result.worst_case.relation is relation


def test_a_case_that_compares_nothing_fails():
    result = _run(lambda rng, index: () if index == 2 else (equal("", 1.0, 1.0),))
    assert result.verdict == "fail"
    assert result.worst_case.index == 2


def test_an_exception_fails_its_claim_and_is_named():
    def check(rng, index):
        message = "no certificate"
        raise ArithmeticError(message)

    result = _run(check)
    assert result.verdict == "fail"
    assert result.worst_case.relation.name == "raised ArithmeticError: no certificate"


def test_the_worst_of_all_cases_is_reported():
    result = _run(lambda rng, index: (at_most("a", 1.0, 2.0), at_most("b", float(index), 2.0)))
    assert result.verdict == "pass"
    assert (result.cases, result.worst_slack, result.worst_case.index) == (3, 0.0, 2)
    assert result.worst_case.relation.name == "b"


def test_a_claim_whose_library_is_missing_is_skipped_and_not_run():
    def check(rng, index):
        raise AssertionError

    result = _run(check, requires=("a_library_that_does_not_exist",))
    assert result.verdict == "skip"
    assert result.cases == 0
    assert math.isnan(result.worst_slack)
    assert result.worst_case is None


def test_a_case_depends_on_seed_id_and_index_alone():
    def draw(*key):
        return case_generator(*key).random()

    keys = [("a", 0, 0), ("a", 1, 0), ("a", 0, 1), ("b", 0, 0), ("a", 2**70, 2**70)]
    assert len({draw(*key) for key in keys}) == len(keys)
    assert draw("a", 3, 5) == draw("a", 3, 5)
    full = theorems.check_all(cases=4, seed=3, ids=["theorem_2_1", "theorem_1_2"])
    assert [result.id for result in full] == ["theorem_1_2", "theorem_2_1"]
    assert full == theorems.check_all(["theorem_1_2", "theorem_2_1"], cases=4, seed=3)
    worst = full[0].worst_case
    again = theorems.check_case("theorem_1_2", worst.index, seed=3)
    assert worst.relation in again


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"ids": ["nonsense"]}, ValueError, r"ids must be among example_1, .*; got 'nonsense'"),
        ({"ids": "duality_"}, ValueError, r"got 'duality_'"),
        ({"ids": []}, ValueError, "got none"),
        ({"cases": 0}, ValueError, "cases must be a positive integer; got 0"),
        ({"cases": 2.0}, TypeError, "cases must be a positive integer; got 2.0"),
        ({"cases": True}, TypeError, "cases must be a positive integer; got True"),
        ({"seed": -1}, ValueError, "seed must be a non-negative integer; got -1"),
        ({"seed": None}, TypeError, "seed must be a non-negative integer; got None"),
    ],
)
def test_bad_arguments_are_refused(arguments, error, message):
    with pytest.raises(error, match=message):
        theorems.check_all(**arguments)


def test_bad_cases_are_refused():
    with pytest.raises(ValueError, match="index must be a non-negative integer"):
        theorems.check_case("duality", -1)
    with pytest.raises(ValueError, match="check_case: ids must be among"):
        theorems.check_case("nonsense", 0)


def test_numpy_integers_count_as_integers():
    (result,) = theorems.check_all("theorem_2_3", cases=np.int64(2), seed=np.uint8(1))
    assert (result.cases, result.seed) == (2, 1)


def test_progress_is_a_bar_on_standard_error_and_changes_no_result(capsys):
    pytest.importorskip("tqdm")
    ids = ["theorem_2_3", "counterexample_3"]
    shown = theorems.check_all(ids, cases=4, progress=True)
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "counterexample_3" in captured.err
    assert "8/8" in captured.err
    assert shown == theorems.check_all(ids, cases=4)
    assert capsys.readouterr().err == ""
    with pytest.raises(TypeError, match="progress must be True or False"):
        theorems.check_all(ids, progress=1)


def test_refute_stops_at_the_first_case_that_fails():
    results = theorems.refute("theorem_2_4", cases=50)
    assert [result.statement for result in results] == [
        variant.statement for variant in theorems.ALL[IDS.index("theorem_2_4")].false_variants
    ]
    for result in results:
        assert result.verdict == "fail"
        assert result.cases == result.worst_case.index + 1 <= 50
    with pytest.raises(ValueError, match="refute: ids must be among"):
        theorems.refute("nonsense")
    with pytest.raises(ValueError, match="refute: cases must be a positive integer"):
        theorems.refute("duality", cases=0)


def test_every_row_of_the_paper_is_there():
    assert {f"erratum_{n}" for n in range(1, 8)} <= set(IDS)
    assert {f"counterexample_{n}" for n in range(1, 8)} <= set(IDS)
    others = "arjovsky_bottou_2_4 arjovsky_bottou_2_5 clipping_dilemma clipping_steps "
    others += "maximum_likelihood "
    others += "noise_and_blur noise_likelihood general_position bounded_functions "
    others += "mean_discrepancy energy_distance f_divergences topology_order energy_based_gan "
    others += "frozen_critic theorem_2_rates theorem_3_autograd corollary_1_torch"
    assert set(others.split()) <= set(IDS)


def test_algebraic_claims_draw_a_thousand_cases():
    drawn = {claim.id: claim.cases for claim in theorems.ALL}
    algebraic = ["example_1", "theorem_1_3", "theorem_2_1", "theorem_2_3", "topology_order"]
    algebraic += [f"erratum_{n}" for n in (1, 2, 3, 4, 7)]
    algebraic += [f"counterexample_{n}" for n in (1, 3, 4, 5, 6, 7)]
    algebraic += ["f_divergences", "bounded_functions", "energy_based_gan", "maximum_likelihood"]
    assert all(drawn[name] >= 1000 for name in algebraic)


def test_errata_explain_themselves():
    for claim in theorems.ALL:
        assert bool(claim.explanation) == claim.id.startswith("erratum_")

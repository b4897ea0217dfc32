"""Each rule as a pure function of records that are written down here."""

import math

import numpy as np
import pytest
from scipy.stats import binom, hypergeom

from wgan.doctor import RULES, Evidence, Finding, History
from wgan.doctor.critic import growth
from wgan.doctor.live import Doctor
from wgan.doctor.rules import announced, findings

from .gallery import config

HEALTH = {
    "critic_gradients": {"0 (Linear)": 1e-3, "2 (Linear)": 1e-3, "4 (Linear)": 1e-3},
    "generator_gradients": {"0 (Linear)": 1e-3, "2 (Linear)": 1e-3},
    "critic_signal": {"input": 1.0, "0 (Linear)": 1.0, "2 (Linear)": 1.0, "4 (Linear)": 1.0},
    "critic_size": 1e-4,
    "generator_size": 1e-4,
    "critic_spread": 0.1,
    "critic_scale": 1.0,
    "diversity": 0.9,
}
"""What a healthy network shows."""


def history(tmp_path, values, health=(), evaluations=5, excess=None, **changes):
    """A run of as many steps as ``values``, with evenly spaced evaluations."""
    every = max(1, len(values) // evaluations)
    rows = []
    for step, value in enumerate([0.0, *values]):
        row = {"step": step, "critic_estimates": [value]} if step else {"step": 0}
        if step % every == 0:
            place = step // every
            over = (1.0 - 0.1 * place) if excess is None else excess[place]
            row |= {
                "wasserstein1": 0.1 + over,
                "floor": 0.1,
                "excess": over,
                "critic_estimate_held_out": value,
                "health": {**HEALTH, **dict(health)},
            }
        rows.append(row)
    options = config(tmp_path, **{"steps": len(values), **changes})
    return History(options, tuple(rows))


def noise(count, deviation=1.0, seed=0):
    return list(np.random.default_rng(seed).normal(scale=deviation, size=count))


def names(of):
    return {finding.rule for finding in findings(of)}


def test_a_healthy_record_has_no_finding(tmp_path):
    values = [1 + entry for entry in noise(200, 0.05)]
    assert findings(history(tmp_path, values)) == ()
    assert findings(History(config(tmp_path), ())) == ()


@pytest.mark.parametrize(("level", "found"), [(-1.5, True), (-0.5, False), (0.5, False)])
def test_an_estimate_is_negative_beyond_the_noise_of_a_batch(tmp_path, level, found):
    deviation = HEALTH["critic_spread"] * math.sqrt(2 / 32)
    values = [level * deviation + entry for entry in noise(200, 0.3 * deviation)]
    assert ("negative estimate" in names(history(tmp_path, values))) == found


def test_networks_at_their_first_values_are_not_sick(tmp_path):
    """After 200 steps of 5e-5, five for the critic, it has moved .05 and the generator .01."""
    low = [-1.0] * 200
    assert "negative estimate" in names(history(tmp_path, low, {"critic_size": 0.02}))
    assert "negative estimate" not in names(history(tmp_path, low, {"critic_size": 0.045}))
    narrow = {"diversity": 0.1}
    still = [1.0, 1.1, 0.9, 1.1, 0.9, 1.1]
    for size, found in ((0.005, True), (0.011, False)):
        record = history(tmp_path, [1.0] * 200, {**narrow, "generator_size": size}, excess=still)
        assert ("mode loss" in names(record)) == found


def test_an_estimate_of_pure_noise_is_not_negative(tmp_path):
    """The docstring's bound: 25 of 50 at .159 with a probability of less than 1e-7."""
    assert binom.sf(24, 50, 0.1587) < 1e-7
    deviation = HEALTH["critic_spread"] * math.sqrt(2 / 32)
    for seed in range(200):
        assert "negative estimate" not in names(history(tmp_path, noise(60, deviation, seed)))


def test_a_sudden_drop_is_one_that_the_distance_does_not_share(tmp_path):
    values = [1 + entry for entry in noise(100, 0.02)] + [0.3 + entry for entry in noise(100, 0.02)]
    still, fallen = [1.0] * 6, [1.0, 1.0, 1.0, 0.3, 0.3, 0.3]
    assert "sudden drop" in names(history(tmp_path, values, excess=still))
    assert "sudden drop" not in names(history(tmp_path, values, excess=fallen))
    finding = RULES["sudden drop"](history(tmp_path, values, excess=still))
    assert finding.evidence[0].value == pytest.approx(1, abs=0.02)
    assert finding.evidence[1].value == pytest.approx(0.3, abs=0.02)
    assert 91 <= finding.evidence[1].step - 9 <= 101


@pytest.mark.parametrize(
    "curve",
    [
        lambda t: 1.0 - 0.0045 * t,  # steadily to a tenth
        lambda t: math.exp(-t / 40),  # quickly, then slowly
        lambda t: 1 / (1 + t / 10),
        lambda t: 1.0 if t < 100 else 0.6,  # a step, but not to half
        lambda t: -0.2 if t < 100 else -2.0,  # that was no estimate before
    ],
)
def test_other_falls_are_not_sudden_drops(tmp_path, curve):
    values = [curve(t) + entry for t, entry in enumerate(noise(200, 0.03))]
    assert "sudden drop" not in names(history(tmp_path, values, excess=[1.0] * 6))


def test_a_curve_is_flat_where_no_distance_moved(tmp_path):
    values = [1 + entry for entry in noise(200, 0.05)]
    assert "flat curve" in names(history(tmp_path, values, excess=[1.0, *[1.004, 0.998] * 2, 1.0]))
    assert "flat curve" not in names(
        history(tmp_path, values, excess=[1.0, 1.004, 0.95, 1, 1, 1.0])
    )
    short = values[:60]
    assert "flat curve" not in names(history(tmp_path, short, excess=[1.0] * 6))


@pytest.mark.parametrize(
    ("moved", "size", "found"),
    [
        (0.004, 1e-4, True),  # it could have moved by a hundred times its size
        (0.004, 0.1, False),  # by a tenth of it: a short run
        (0.0005, 0.1, True),
        (0.0005, 1e3, False),
        (0.00005, 1e3, True),  # by a hundred thousandth: the rate is nothing
        (0.0, None, True),  # its parameters are not finite
    ],
)
def test_a_short_run_has_not_to_have_moved_far(tmp_path, moved, size, found):
    """200 steps of 5e-5 move a generator by .01."""
    curve = [1.0, 1 + moved, 1 - moved, 1.0, 1 + moved, 1.0]
    record = history(tmp_path, [1.0] * 200, {"generator_size": size}, excess=curve)
    assert (RULES["flat curve"](record) is not None) == found


def test_a_js_estimate_is_flat_at_log_2(tmp_path):
    for level, found in ((0.9995, True), (0.9, False)):
        values = [level * math.log(2)] * 100
        assert ("flat curve" in names(history(tmp_path, values, algorithm="gan"))) == found


def test_growth_is_from_the_value_to_the_first_layer():
    signal = {"input": 7.0, "a": 64.0, "b": 16.0, "c": 4.0, "d": 1.0}
    total, rate, first = growth(signal)
    assert (total, first) == (64.0, "a")
    assert rate == pytest.approx(4.0)
    assert growth({"input": 3.0, "a": 1e9, "b": 1.0}) == (1.0, 1.0, "")


@pytest.mark.parametrize(
    ("signal", "rule"),
    [
        ([1e4, 1e2, 1.0], "exploding critic gradient"),
        ([1e-4, 1e-2, 1.0], "vanishing critic gradient"),
        ([500.0, 20.0, 1.0], None),
        ([2e-3, 1e-2, 1.0], None),
        ([1e4, None, 1.0], "exploding critic gradient"),
    ],
)
def test_gradients_that_grow_or_fade_from_layer_to_layer(tmp_path, signal, rule):
    named = dict(zip(("input", "0", "2", "4"), [1.0, *signal], strict=True))
    found = names(history(tmp_path, [1.0] * 200, {"critic_signal": named}))
    assert found == ({rule} if rule else set())


@pytest.mark.parametrize(
    ("signal", "place"),
    [
        ([0.0, 0.0, 0.0, 1.0], "the output of layer critic.2 (Linear)"),
        ([0.0, 0.5, 2.0, 1.0], "the critic's input"),
        ([1e-43, 3e-33, 1e-20, 1.0], None),
        ([0.0, 3e-33, 1e-20, 1.0], None),  # underflow: it vanished on the way
    ],
)
def test_a_critic_whose_units_are_all_off_is_dead_and_not_vanishing(tmp_path, signal, place):
    named = dict(zip(HEALTH["critic_signal"], signal, strict=True))
    gradients = dict(zip(HEALTH["critic_gradients"], signal[1:], strict=True))
    found = findings(
        history(tmp_path, [1.0] * 200, {"critic_signal": named, "critic_gradients": gradients})
    )
    rules = [finding.rule for finding in found]
    if place is None:
        assert rules == ["vanishing critic gradient"]
    else:
        assert rules == ["dead critic"]
        assert found[0].evidence[0].quantity == f"gradient of the value at {place}"


def test_a_layer_below_epsilon_has_vanished_and_is_named(tmp_path):
    gradients = {"0 (Linear)": 1e-3, "2 (Linear)": 3e-10, "4 (Linear)": 2e-8}
    found = findings(history(tmp_path, [1.0] * 200, {"critic_gradients": gradients}))
    assert [finding.rule for finding in found] == ["vanishing critic gradient"]
    assert found[0].evidence[0] == Evidence(
        "gradient of layer critic.2 (Linear)", 3e-10, "(root mean square over its parameters)", 200
    )
    generator = {"0 (Linear)": 1e-9, "2 (Linear)": 2e-9}
    assert names(history(tmp_path, [1.0] * 200, {"generator_gradients": generator})) == {
        "dead generator"
    }
    one_alive = {"0 (Linear)": 1e-9, "2 (Linear)": 2e-7}
    assert not names(history(tmp_path, [1.0] * 200, {"generator_gradients": one_alive}))


def test_a_slope_that_defies_its_penalty_explodes(tmp_path):
    """A constant critic has the objective -10; this one 1 - 10 * 1.2, or 1 - 10 * 1.0."""
    for excess, found in ((1.2, True), (1.0, False)):
        record = history(tmp_path, [1.0] * 200, {"slope_excess": excess}, algorithm="wgan-gp")
        assert ("exploding critic gradient" in names(record)) == found


@pytest.mark.parametrize(
    ("estimate", "excess", "exact", "found"),
    [
        (500.0, 4.1, 1.0, True),
        (500.0, 3.9, 1.0, False),
        (500.0, None, 1.0, False),
        (500.0, 4.1, 501.0, False),  # steep somewhere, and the estimate may be a distance
        (500.0, 4.1, None, True),  # many coordinates: no exact distance
        (3.0, 4.1, 1.0, False),  # a constant critic is better: that explodes
    ],
)
def test_a_slope_that_the_penalty_does_not_hold_is_steep(tmp_path, estimate, excess, exact, found):
    record = history(tmp_path, [estimate] * 200, {"slope_excess": excess}, algorithm="wgan-gp")
    for row in record.evaluations:
        if exact is None:
            row["sliced_wasserstein1"] = row.pop("wasserstein1")
        else:
            row["wasserstein1"] = exact
    assert ("steep critic" in names(record)) == found
    if found:
        record.trained[-2]["health"] = {**HEALTH, "slope_excess": 0.1}
        assert "steep critic" not in names(record)


def test_held_out_data_that_are_no_yardstick(tmp_path):
    """Three different points in all: those held out are unlike those trained on."""
    for excess, found in (([-0.01, *[0.1] * 5], True), ([0.0, *[0.1] * 5], False)):
        record = history(tmp_path, [1.0] * 200, excess=excess)
        assert ("no yardstick" in names(record)) == found
    sliced = {"sliced_wasserstein1": 0.2, "sliced_floor": 0.1}
    record = history(tmp_path, [1.0] * 200, excess=[-0.01, *[0.1] * 5])
    record.records[0].update(sliced)
    assert "no yardstick" not in names(record)


@pytest.mark.parametrize(
    ("share", "clip", "found"),
    [(0.96, 0.01, True), (0.9, 0.01, False), (0.6, 1e-4, True), (0.4, 1e-4, False)],
)
def test_clipping_is_saturated_where_only_signs_are_left(tmp_path, share, clip, found):
    record = history(tmp_path, [1.0] * 200, {"at_limit": share}, clip=clip)
    assert ("saturated clipping" in names(record)) == found


def test_samples_that_stay_are_dead_unless_the_rate_has_fallen(tmp_path):
    excess = [1.0, 0.5, 0.4, 0.3, 0.3, 0.3]
    assert "dead generator" in names(history(tmp_path, [1.0] * 200, excess=excess))
    moving = [1.0, 0.5, 0.4, 0.3, 0.3, 0.3000001]
    assert "dead generator" not in names(history(tmp_path, [1.0] * 200, excess=moving))
    fallen = history(tmp_path, [1.0] * 200, excess=excess, decay_steps=150)
    assert "dead generator" not in names(fallen)


def test_a_generator_that_the_noise_does_not_pass_is_dead(tmp_path):
    excess = [1.0, 0.9, 0.8, 0.7, 0.6, 0.5]  # the layers behind the dead one learn
    record = history(tmp_path, [1.0] * 200, excess=excess)
    for shares, found in (((0.9, 1e-5), False), ((0.0, 1e-8), True), ((0.0, None), False)):
        for row, share in zip(record.trained[-2:], shares, strict=True):
            row["health"]["diversity"] = share
        assert ("dead generator" in names(record)) == found


@pytest.mark.parametrize(
    ("excess", "found"),
    [
        ([1.0, 1.3, 1.3, 1.4, 1.3, 1.26], True),
        ([1.0, 2.0, 2.0, 2.0, 2.0, 0.9], False),  # it comes back
        ([1.0, 2.0, 0.9, 2.0, 2.0, 1.1], True),  # and goes away again
        ([1.0, 0.8, 0.8, 0.8, 0.8, 2.1], True),  # it ends far away
        ([1.0, 0.99, 1.2, 1.2, 0.99, 1.2], False),
        ([1.0, 0.1, 0.2, 1.2, 1.3, 1.2], False),  # it was near, and is hardly farther now
        ([1.0, 0.1, 0.2, 1.3, 1.3, 1.3], True),
        ([1.0, *[0.5] * 4, *[1.5] * 6], True),
        ([0.0, 1.0, 1.0, 1.0, 1.0, 1.0], False),  # it began at the floor
    ],
)
def test_samples_that_get_worse_than_untrained_ones_move_away(tmp_path, excess, found):
    record = history(tmp_path, [1.0] * 200, evaluations=len(excess) - 1, excess=excess)
    assert ("moving away" in names(record)) == found
    if found and min(excess[-4:]) < 1:
        assert RULES["moving away"](record).severity == "warning"
        assert RULES["moving away"](History(config(tmp_path, steps=10**6), record.records)) is None
    untrained = history(tmp_path, [1.0] * 200, {"generator_size": 1.0}, len(excess) - 1, excess)
    assert "moving away" not in names(untrained)


def test_a_generator_that_came_no_nearer_is_a_warning_at_the_end(tmp_path):
    excess = [1.0, 1.2, 1.1, 1.2, 1.0, 1.2]
    record = history(tmp_path, [1.0] * 200, excess=excess)
    assert RULES["moving away"](record).severity == "warning"
    assert RULES["moving away"](History(config(tmp_path, steps=10**6), record.records)) is None
    short = history(tmp_path, [1.0] * 200, {"generator_size": 0.006}, excess=excess)
    assert RULES["moving away"](short) is None  # it could move by its own size, not by twice that
    far = history(tmp_path, [1.0] * 200, {"generator_size": 1.0}, excess=[1.0, *[2.1] * 5])
    assert RULES["moving away"](far).severity == "error"


@pytest.mark.parametrize(("rate", "found"), [(1e-7, True), (5e-6, False), (None, False)])
def test_a_critic_that_cannot_have_moved_is_untrained(tmp_path, rate, found):
    """200 steps, five for the critic, of 1e-7 move it by 1e-4."""
    health = {"critic_size": 0.02}
    record = history(tmp_path, [1.0] * 200, health, critic_learning_rate=rate)
    assert ("untrained critic" in names(record)) == found
    short = history(tmp_path, [1.0] * 90, health, critic_learning_rate=rate)
    assert "untrained critic" not in names(short)


def with_modes(tmp_path, count, captured, quality):
    record = history(tmp_path, [1.0] * 200, {"modes_of_data": count})
    for row in record.records:
        if "floor" in row:
            row |= {"modes": captured, "high_quality": quality}
    return record


def test_modes_are_lost_beyond_chance_by_good_samples_only(tmp_path):
    assert names(with_modes(tmp_path, 8, 7, 0.9)) == {"mode loss"}
    assert not names(with_modes(tmp_path, 8, 8, 0.9))
    assert not names(with_modes(tmp_path, 8, 3, 0.1))  # not yet learned
    # of 1,000 modes, 2,500 samples of the law itself miss some 84
    chance = (1 - 0.98889 / 1000) ** 2500
    assert not names(with_modes(tmp_path, 1000, 1000 - round(1000 * chance), 0.98))
    assert names(with_modes(tmp_path, 1000, 800, 0.98)) == {"mode loss"}


@pytest.mark.parametrize(
    ("shares", "found"),
    [
        ([0.1, 0.8, 0.9, 0.85, 0.2, 0.1], True),  # it was there and is gone
        ([0.1, 0.8, 0.9, 0.85, 0.8, 0.1], False),  # for one evaluation: it may come back
        ([0.1, 0.2, 0.3, 0.4, 0.45, 0.49], False),  # on its way
        ([0.1, 0.2, 0.1, 0.2, 0.1, 0.1], True),
        ([0.1, 0.9, 0.95, 1.0, 0.9, 0.92], False),
    ],
)
def test_diversity_that_is_lost_or_never_comes(tmp_path, shares, found):
    record = history(tmp_path, [1.0] * 200, excess=[1.0, 0.9, 1.1, 1.0, 0.9, 1.2])
    rows = [row for row in record.records if "floor" in row]
    for row, share in zip(rows, shares, strict=True):
        row["health"]["diversity"] = share
    assert ("mode loss" in names(record)) == found
    unfinished = History(config(tmp_path, steps=10**6), record.records)
    assert ("mode loss" in names(unfinished)) == (found and max(shares) > 0.5)


def test_diversity_that_could_not_be_measured_is_left_out(tmp_path):
    """One sample is held out, or all that are held out are equal."""
    record = history(tmp_path, [1.0] * 200, {"diversity": None})
    assert "mode loss" not in names(record)
    for row, share in zip(record.trained, (0.9, None, 0.1, 0.1, 0.1), strict=True):
        row["health"]["diversity"] = share
    assert "mode loss" in names(record)


@pytest.mark.parametrize(
    ("training", "held_out", "found"),
    [(50, 0, True), (45, 5, True), (30, 20, False), (9, 0, False), (70, 40, False)],
)
def test_memorisation_is_an_exact_test_with_an_effect(tmp_path, training, held_out, found):
    nearest = {"training": training, "held_out": held_out, "among_training": 120,
               "among_held_out": 120}  # fmt: skip
    record = history(tmp_path, [1.0] * 200, {"nearest": nearest})
    assert ("memorisation" in names(record)) == found
    if found:
        chance = RULES["memorisation"](record).evidence[-1].value
        count = training + held_out
        assert chance == pytest.approx(
            sum(math.comb(120, k) * math.comb(120, count - k) for k in range(held_out + 1))
            / math.comb(240, count)
        )
        assert hypergeom.cdf(held_out, 240, 120, count) == pytest.approx(chance)


def test_a_finding_goes_to_json_and_back(tmp_path):
    found = RULES["saturated clipping"](history(tmp_path, [1.0] * 200, {"at_limit": 1.0}))
    assert Finding.from_json(found.to_json()) == found
    assert "saturated clipping: share of the critic's parameters at -c or c 1 at step" in (
        found.sentence()
    )


def test_the_doctor_speaks_once(tmp_path):
    record = history(tmp_path, [1.0] * 200, {"at_limit": 1.0})
    doctor, said = Doctor(record.config), []
    rows = []
    for row in record.records:
        new = doctor.see(row)
        said += [finding.rule for finding in new]
        rows.append({**row, "findings": [finding.to_json() for finding in new]})
    assert said == ["saturated clipping"]
    assert [finding.rule for finding in announced(rows)] == said
    again = Doctor(record.config, rows)  # a resumed run knows what was said
    assert again.see({**record.records[-1], "step": 201}) == ()


def test_what_the_live_doctor_keeps_is_enough(tmp_path):
    values = [1 + entry for entry in noise(3000, 0.02)]
    record = history(tmp_path, values, {"at_limit": 1.0}, evaluations=100, excess=[1.0] * 101)
    doctor, said = Doctor(record.config), set()
    for row in record.records:
        said |= {finding.rule for finding in doctor.see(row)}
    assert said == names(record)
    assert len(doctor.others) <= 400

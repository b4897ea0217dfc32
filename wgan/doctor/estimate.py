"""Rules about the curve: the critic's estimate beside the distance that is measured."""

import math
import statistics

import numpy as np

from ..units import estimate_of
from .finding import Evidence, Finding
from .history import History, Record, distance

WINDOW = 100
"""Newest estimates that are read."""
LEAST = 50
"""Estimates or generator steps before these rules speak."""
AFTER = 10
"""Estimates in which a sudden drop must have happened, and last."""
DEVIATIONS = 8.0
"""Robust standard deviations of a drop. A median of ten Gaussian numbers passes so many less than
once in 1e15 windows; the margin is for tails and for the trend's own error."""
LOG2 = math.log(2)


def unit_of(history: History) -> str:
    """Unit of the estimate, in a word or two."""
    if history.is_gan:
        return "nats"
    known = "unknown" not in estimate_of(history.config).unit
    return "(units of the data)" if known else "(no unit: the Lipschitz constant is unknown)"


def negative_estimate(history: History) -> Finding | None:
    r"""The median of the newest estimates lies below 0 by more than a batch's noise.

    The constant critic has the estimate 0, so an optimal one has at least 0, for the JS estimate
    too. A batch of m real and m generated samples adds noise of standard deviation
    :math:`s \sqrt{2/m}`, s the spread of the critic's values; for a JS estimate, half of it at
    most. Were the estimate 0 in truth, the median of 50 would lie one deviation below with a
    probability of 1e-8 (binomial, 25 of 50 at .159). What a critic near its optimum can do is less.
    Estimates of a critic that had no time to leave its first values do not count, here and for
    drops.
    """
    estimates = history.settled_estimates(WINDOW)
    health = history.trained[-1]["health"] if history.trained else {}
    spread = health.get("critic_spread")
    if len(estimates) < LEAST or spread is None:
        return None
    median = statistics.median(value for _, value in estimates)
    noise = spread * math.sqrt(2 / history.config.batch_size) / (2 if history.is_gan else 1)
    if median >= -noise:
        return None
    step, unit = estimates[-1][0], unit_of(history)
    return Finding(
        "negative estimate",
        "error",
        (
            Evidence(f"median of {len(estimates)} critic estimates", median, unit, step),
            Evidence("noise of an estimate from one batch", noise, unit, step),
        ),
        "The critic ranks samples above data: a constant one would do better, so it is not near "
        "its optimum and the generator follows a wrong direction.",
        "More critic steps a generator step, a smaller learning rate of the generator, no momentum "
        "in the critic (beta1 = 0); check that labels and signs are not exchanged.",
    )


def sudden_drop(history: History) -> Finding | None:
    """The estimate fell by more than half within ten steps and the measured distance did not.

    A straight line through 50 estimates says where the next ten should lie, and the median
    absolute residual, scaled to a standard deviation, how well it can say so. The drop is of more
    than ``DEVIATIONS`` of these below the line, counted down to 0, to below half of the level
    before, and the distance to held-out data between the evaluations around it fell by less than a
    quarter: the laws did not come nearer, the critic lost sight of their difference.
    """
    estimates = history.settled_estimates()
    if len(estimates) < LEAST + AFTER:
        return None
    values = np.array([value for _, value in estimates])
    times = np.arange(LEAST) - (LEAST - 1) / 2
    windows = np.lib.stride_tricks.sliding_window_view
    levels = np.median(windows(values[:-AFTER], LEAST), axis=1)
    lows = np.median(windows(values[LEAST:], AFTER), axis=1)
    for start in np.flatnonzero((levels > 0) & (lows < levels / 2)):
        before, level, low = values[start : start + LEAST], levels[start], lows[start]
        slope = float(times @ before / (times @ times))
        residuals = before - before.mean() - slope * times
        noise = 1.4826 * float(np.median(np.abs(residuals)))
        expected = float(before.mean()) + slope * float(np.arange(AFTER).mean() + times[-1] + 1)
        step = estimates[start + LEAST][0]
        if min(level, expected) - max(low, 0.0) > DEVIATIONS * noise and _no_nearer(history, step):
            around = estimates[start + LEAST - 1][0], step
            return _drop(history, around, (float(level), float(low)), noise)
    return None


def _no_nearer(history: History, step: int) -> bool:
    """Whether the distance fell by less than a quarter over the evaluations around ``step``."""
    before = [record for record in history.evaluations if record["step"] < step]
    after = [record for record in history.evaluations if record["step"] >= step]
    return bool(before and after) and distance(after[0]) > 0.75 * distance(before[-1])


def _drop(
    history: History, steps: tuple[int, int], levels: tuple[float, float], noise: float
) -> Finding:
    unit = unit_of(history)
    around = (
        [record for record in history.evaluations if record["step"] < steps[1]][-1],
        next(record for record in history.evaluations if record["step"] >= steps[1]),
    )
    return Finding(
        "sudden drop",
        "warning",
        (
            Evidence(f"median of {LEAST} critic estimates", levels[0], unit, steps[0]),
            Evidence(f"median of the next {AFTER}", levels[1], unit, steps[1] + AFTER - 1),
            Evidence("scatter about their trend", noise, unit, steps[0]),
            *(_distance_evidence(record) for record in around),
        ),
        "The estimate fell and the distance did not: the critic is no longer near its optimum, and "
        "a lower curve is no better generator here.",
        "More critic steps a generator step, a smaller learning rate, no momentum in the critic "
        "(RMSProp, or Adam with beta1 = 0); read the measured distance, not the estimate.",
    )


def flat_curve(history: History) -> Finding | None:
    """Nothing moves: the distance since the beginning, or a JS estimate at its ceiling log 2.

    After 100 generator steps and four evaluations no distance differs from the first by 1 % of
    its excess over the floor. Every evaluation has the same noise and the same held-out data, so
    a difference is the generator's alone. Of a generator that cannot have moved by its own size
    yet, see ``History.trained_from``, only that part of 1 % is demanded which it can have moved,
    though at least a hundredth: a short run is no illness, a learning rate of nothing is. A JS
    estimate is flat where the median of the newest is within 1 % of log 2, its largest value: the
    discriminator's mean loss is then below .007.
    """
    return still(history) or _at_ceiling(history)


def still(history: History) -> Finding | None:
    """The flat curve of a generator whose distance to the data stays that of the beginning."""
    evaluations = history.evaluations
    first = evaluations[0] if evaluations else {"step": 0, "excess": 0.0}
    later = [record for record in evaluations if record["step"] > first["step"]]
    if len(later) < 4 or later[-1]["step"] - first["step"] < WINDOW or first["excess"] <= 0:
        return None
    largest = max(abs(distance(record) - distance(first)) for record in later)
    step = later[-1]["step"]
    possible = step / history.trained_from("generator") if history.trained else 1.0
    if largest > 0.01 * min(1.0, max(0.01, possible)) * first["excess"]:
        return None
    return Finding(
        "flat curve",
        "error",
        (
            _distance_evidence(first),
            _distance_evidence(later[-1]),
            Evidence("largest difference in between", largest, "(units of the data)", step),
        ),
        "The generator has learned nothing: its distance to the data is that of the beginning.",
        "A larger learning rate, or look for a vanishing gradient; then more steps.",
    )


def _at_ceiling(history: History) -> Finding | None:
    estimates = history.estimates(WINDOW)
    if not history.is_gan or len(estimates) < LEAST:
        return None
    median = statistics.median(value for _, value in estimates)
    if median < 0.99 * LOG2:
        return None
    step = estimates[-1][0]
    return Finding(
        "flat curve",
        "warning",
        (
            Evidence(f"median of {len(estimates)} JS estimates", median, "nats", step),
            Evidence("largest possible value, log 2", LOG2, "nats", step),
        ),
        "The discriminator tells every sample from data: the curve cannot show progress, and "
        "log(1 - D) has no gradient left.",
        "A Wasserstein critic (--algorithm wgan-gp or wgan), or a weaker discriminator.",
    )


def no_yardstick(history: History) -> Finding | None:
    """Held-out data are farther from other real data than from an untrained generator's samples.

    The distance can then fall no further, whatever the generator learns. So it is where few
    different samples are held out (equal ones stay on one side of the split), or where they are of
    another law than those trained on. Exact distances of finite samples in many coordinates favour
    points near the middle of the data, so the sliced one decides where both were recorded.
    """
    if not history.trained or history.evaluations[0]["step"] > 0:
        return None
    first = history.evaluations[0]
    kind = "sliced" if "sliced_wasserstein1" in first else "exact"
    value, floor = distance(first), first["floor"]
    if kind == "sliced":
        value, floor = float(first["sliced_wasserstein1"]), first.get("sliced_floor", floor)
    if value >= floor:
        return None
    unit = "(units of the data)"
    return Finding(
        "no yardstick",
        "warning",
        (
            Evidence(f"{kind} W1 of an untrained generator to held-out data", value, unit, 0),
            Evidence("the floor: that of as many training data", floor, unit, 0),
        ),
        "Training data are farther from held-out data than noise is: the distance says nothing of "
        "progress. Few different samples are held out, or they are not like the others.",
        "More data, or more of them held out (held_out= of --data); look for copies among them.",
    )


def _distance_evidence(record: Record) -> Evidence:
    kind = "exact" if "wasserstein1" in record else "sliced"
    return Evidence(
        f"{kind} W1 to held-out data", distance(record), "(units of the data)", record["step"]
    )

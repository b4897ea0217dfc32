"""Rules about the generator: no motion, the wrong way, lost modes, copies of training data."""

import statistics

from .estimate import still
from .finding import Evidence, Finding
from .history import EPSILON, History, Record, distance

CHANCE = 1e-5
"""Probability with which one exact test accuses a generator that has done nothing, at most; a run
is looked at some hundred times."""
HALF = 0.5
QUALITY_OF_DATA = 0.98889
"""Share of a mixture of Gaussians in the plane within three deviations of a mode."""
COUNTED = 2500
"""Samples in which modes are counted, as published."""
UNIT = "(units of the data)"
FARTHER = 0.25
"""Part of the first excess by which samples must be farther than those of an untrained generator:
a convention."""
LEAST = 50
"""Generator steps before the distance is expected to fall."""
STILL = 2.0**-23
"""Relative change below which two numbers of single precision are one."""


def dead_generator(history: History) -> Finding | None:
    """All layers of the generator have gradients below epsilon, or its samples do not change.

    Where no layer's gradient reaches the optimiser's 1e-8 no parameter moves by half of the
    learning rate. Samples of fixed noise whose distance to held-out data is, at three evaluations
    running, the same number to single precision have not moved. And where all samples are one
    point to single precision, at two evaluations running, a layer is dead that the noise has to
    pass, whatever the layers behind it learn. Evaluations after the learning rate has fallen to 0
    do not count.
    """
    falls = history.config.decay_steps
    records = [record for record in history.trained if not falls or record["step"] < falls]
    if not records:
        return None
    last = records[-1]
    gradients = last["health"]["generator_gradients"]
    largest = max(gradients.values(), key=lambda value: float("inf") if value is None else value,
                  default=None)  # fmt: skip
    evidence: tuple[Evidence, ...]
    if largest is not None and largest < EPSILON:
        evidence = (
            Evidence("largest gradient of a layer of the generator", largest,
                     "(root mean square over its parameters)", last["step"]),
            Evidence("the optimiser's epsilon", EPSILON, "", last["step"]),
        )  # fmt: skip
    elif len(records) >= 3 and all(_same(record, last) for record in records[-3:]):
        evidence = tuple(
            Evidence("W1 to held-out data", distance(record), UNIT, record["step"])
            for record in records[-3:]
        )
    elif len(records) >= 2 and all(map(_one_point, records[-2:])):
        evidence = tuple(
            Evidence("distance between samples over that between data",
                     record["health"]["diversity"], "", record["step"])
            for record in records[-2:]
        )  # fmt: skip
    else:
        return None
    return Finding(
        "dead generator",
        "error",
        evidence,
        "No gradient reaches the generator, or it does not respond to any: its samples stay.",
        "A critic with slope where samples are (wgan-gp, wgan-orthogonal); not --saturating; units "
        "that are not all dead (smaller learning rate, other seed).",
    )


def _same(one: Record, other: Record) -> bool:
    return abs(distance(one) - distance(other)) <= STILL * abs(distance(other))


def _one_point(record: Record) -> bool:
    diversity = record["health"]["diversity"]
    return diversity is not None and diversity <= STILL


def moving_away(history: History) -> Finding | None:
    """The samples are farther from the data than those of the untrained generator were.

    At all of at least four evaluations, or the second half of more, the distance is above the
    first one by a quarter of its excess over the floor, and the generator could leave its first
    values; or by the whole excess, whatever it could. On its way a healthy generator may be farther
    for some steps, and comes back. It is a warning where a run ends so without being farther than
    by a quarter, though the generator could move by twice its size: it has come no nearer. And
    where a run ends farther than it began, after evaluations whose median is so by a quarter, or
    by the whole excess: it comes nearer now and then, and does not stay.
    """
    evaluations, trained = history.evaluations, history.trained
    if len(trained) < 4 or evaluations[0]["step"] > 0 or evaluations[0]["excess"] <= 0:
        return None
    first, late = evaluations[0], trained[-max(4, len(trained) // 2) :]
    nearest = min(late, key=distance)
    step, from_step = trained[-1]["step"], history.trained_from("generator")
    farther = (distance(nearest) - distance(first)) / first["excess"]
    away = farther > (FARTHER if step > from_step else 1.0)
    ends = history.ended and step > 2 * from_step and (farther >= 0 or _no_rest(first, late))
    if step < LEAST or not (away or ends):
        return None
    return Finding(
        "moving away",
        "error" if away else "warning",
        (
            Evidence("W1 to held-out data before training", distance(first), UNIT, 0),
            Evidence(f"least of the last {len(late)} evaluations", distance(nearest), UNIT,
                     nearest["step"]),
            Evidence("the newest", distance(trained[-1]), UNIT, step),
        ),
        "Training makes the samples no better than those of the first parameters: the generator "
        "does not follow the critic, or the critic is far from its optimum.",
        "A smaller learning rate, no momentum (beta1 = 0), more critic steps a generator step; a "
        "wider generator.",
    )  # fmt: skip


def _no_rest(first: Record, late: list[Record]) -> bool:
    """Whether the newest distance exceeds the first by its excess; or at all, and most by .25."""
    excess = float(first["excess"])
    over = [(distance(record) - distance(first)) / excess for record in late]
    return over[-1] > 1 or (over[-1] > 0 and statistics.median(over) > FARTHER)


def mode_loss(history: History) -> Finding | None:
    r"""Good samples that miss modes, or samples much nearer to each other than data are.

    For a law of k modes: at least half of the samples are of high quality, in two evaluations
    running, and more modes are missed than n independent samples of the law would miss with
    probability 1e-5, each with :math:`(1 - .989/k)^n`. For any data, by the mean distance between
    samples over that between held-out data: it was at least a half and fell below half of what it
    was and of the data's; or, at the end of a run of 100 steps or more in which the generator could
    leave its first values, its median over the second half of the evaluations is below a half, less
    than 10 % above that of the first half, and the excess of the distance fell by less than 5 %.
    """
    return _missed_modes(history) or _narrow(history)


def _missed_modes(history: History) -> Finding | None:
    from scipy.stats import binom

    recent = [record for record in history.trained if "modes" in record][-2:]
    if len(recent) < 2:
        return None
    for record in recent:
        count = record["health"]["modes_of_data"]
        alone = (1 - QUALITY_OF_DATA / count) ** COUNTED
        missed = count - record["modes"]
        chance = float(binom.sf(missed - 1, count, alone))
        if record["high_quality"] < HALF or chance > CHANCE:
            return None
    last = recent[-1]
    return _lost(
        Evidence("modes without a sample", missed, f"of {count}", last["step"]),
        Evidence("share of samples of high quality", last["high_quality"], "", last["step"]),
        Evidence("probability of so many under the law itself", chance, "", last["step"]),
    )


def _narrow(history: History) -> Finding | None:
    # none is measured where one sample is held out
    records = [record for record in history.trained if record["health"]["diversity"] is not None]
    if len(records) < 2:
        return None
    shares = [float(record["health"]["diversity"]) for record in records]
    peak = max(range(len(shares)), key=lambda index: min(shares[index], 1.0))
    last = Evidence(
        "distance between samples over that between data", shares[-1], "", records[-1]["step"]
    )
    if shares[peak] >= HALF and max(shares[-2:]) < HALF * min(shares[peak], 1.0):
        return _lost(Evidence("the same before", shares[peak], "", records[peak]["step"]), last)
    middle = len(records) // 2
    grown_up = records[-1]["step"] > history.trained_from("generator")
    if not history.ended or not grown_up or len(records) < 4 or records[-1]["step"] < 100:
        return None
    if still(history) or dead_generator(history):  # what does not move has not lost anything
        return None
    early, late = statistics.median(shares[:middle]), statistics.median(shares[middle:])
    excess = [record["excess"] for record in records]
    nearer = statistics.median(excess[middle:]) < 0.95 * statistics.median(excess[:middle])
    if late >= HALF or late > 1.1 * early or nearer:
        return None
    return _lost(
        Evidence("median of the same in the first half", early, "", records[middle - 1]["step"]),
        Evidence("median in the second half", late, "", records[-1]["step"]),
        last,
    )


def _lost(*evidence: Evidence) -> Finding:
    return Finding(
        "mode loss",
        "error",
        evidence,
        "The generator makes some kinds of the data only, however good each sample looks.",
        "More critic steps a generator step, a Wasserstein critic instead of a standard GAN's, "
        "larger batches, a smaller learning rate that falls to 0 (--decay-steps).",
    )


def memorisation(history: History) -> Finding | None:
    """The real points that samples lie next to are training data far more often than held-out.

    Each sample has a nearest point among training and held-out data. Of the points that are so
    most often, at most a quarter of all, some are held out. For a generator that knows nothing of
    which are, their number is hypergeometric, whatever else it does, blurred or narrow: an exact
    test, at 1e-5. It is a finding where moreover fewer than half as many are held out as expected,
    that is, where more than half of these neighbours are there because they were trained on.
    """
    from scipy.stats import hypergeom

    records = [record for record in history.trained if "nearest" in record["health"]]
    if not records:
        return None
    record = records[-1]
    counts = record["health"]["nearest"]
    total = counts["among_training"] + counts["among_held_out"]
    found = counts["training"] + counts["held_out"]
    expected = found * counts["among_held_out"] / total
    chance = float(hypergeom.cdf(counts["held_out"], total, counts["among_held_out"], found))
    if chance > CHANCE or counts["held_out"] >= HALF * expected:
        return None
    step = record["step"]
    return Finding(
        "memorisation",
        "error",
        (
            Evidence("held-out data among the points nearest to samples", counts["held_out"],
                     f"of {found}", step),
            Evidence("held-out data expected among them", expected, "", step),
            Evidence("probability if the generator knew no training data", chance, "", step),
        ),
        "More than half of the samples' neighbours are there because they were trained on: the "
        "generator repeats its training data.",
        "More data, a smaller generator, fewer steps: the checkpoint of the best evaluation (load "
        "with best=True, sample --best) may come from before.",
    )  # fmt: skip

"""Rules about the critic's networks: gradients by layer, slopes, clipping."""

import itertools
import math
from typing import Any

from .finding import Evidence, Finding
from .history import EPSILON, History

DECADES = 1e3
"""Factor between value and first layer from which a gradient has vanished or exploded."""
RATE = 2.0
"""And that from layer to layer, so that not one layer alone is to blame."""
AT_LIMIT = 0.95
"""Share of clipped parameters at the limit from which clipping is saturated."""
HALF = 0.5
"""The same where a parameter crosses between the limits within one generator step."""
STEPS = 100
"""Generator steps before a critic is expected to have moved."""
STEEP = 3.0
"""Slope from which a penalty that asks for 1 has not been heard: a convention."""
UNDERFLOW = 1e-30
"""Gradient below which the one before may be 0 by rounding: float32 ends at 1e-45."""
UNIT = "(root mean square over its parameters)"
UNIT_OF_DATA = "(units of the data)"


def untrained_critic(history: History) -> Finding | None:
    """The critic's learning rate has not let it move by a hundredth of its size in 100 steps.

    Both optimisers move a parameter by about the learning rate, whatever its gradient is. The
    critic's first values then decide what the generator is led to, and the estimate is theirs.
    """
    if not history.trained or history.trained[-1]["step"] < STEPS:
        return None
    step, from_step = history.trained[-1]["step"], history.trained_from("critic")
    if not math.isfinite(from_step) or step > from_step / 100:
        return None
    return Finding(
        "untrained critic",
        "error",
        (
            Evidence("generator steps in which the critic moves by its own size", from_step,
                     "steps", step),
            Evidence("learning rate of the critic", history.config.learning_rates[1], "", step),
        ),
        "The critic still has its first values: its estimate says nothing, and the generator "
        "follows chance.",
        "A larger --critic-learning-rate, or more critic steps a generator step.",
    )  # fmt: skip


def dead_critic(history: History) -> Finding | None:
    """The value's gradient is exactly 0 behind a layer, and not before it.

    All units there are off for all points. Underflow comes gradually, so the layer after it would
    have a gradient near the least positive number of single precision.
    """
    if not history.trained:
        return None
    record = history.trained[-1]
    signal = list(_numbers(record["health"]["critic_signal"]).items())
    dead = [
        name
        for (name, value), (_, after) in itertools.pairwise(signal)
        if value == 0 and after > UNDERFLOW
    ]
    if not dead:
        return None
    step, name = record["step"], dead[-1]
    place = _layer(name) if name == "input" else f"the output of {_layer(name)}"
    return Finding(
        "dead critic",
        "error",
        (Evidence(f"gradient of the value at {place}", 0.0, "", step),),
        "Its units are off for all data and samples: the critic is constant, and no gradient ever "
        "turns them on again.",
        "A smaller --critic-learning-rate, from an earlier checkpoint on (--resume-step) or with "
        "another --seed.",
    )


def vanishing_gradient(history: History) -> Finding | None:
    r"""A layer's gradient is below the optimiser's epsilon, or decays from layer to layer.

    RMSProp and Adam step by :math:`\alpha g / (\sqrt{v} + 10^{-8})`: where g is below 1e-8 a step
    is less than half of the learning rate, and proportional to g from there on. This is an error.
    A gradient of the value that shrinks by a factor of 2 and more at each layer, and of 1000 in
    all, is a warning: the paper's section 3 on small c, and Gulrajani et al. (2017), figure 1.
    """
    if not history.trained or dead_critic(history) is not None:
        return None
    record = history.trained[-1]
    gradients = _numbers(record["health"]["critic_gradients"])
    small = {name: value for name, value in gradients.items() if value < EPSILON}
    step = record["step"]
    if small:
        least = sorted(small.items(), key=lambda entry: entry[1])[:3]
        evidence = tuple(
            Evidence(f"gradient of {_layer(name)}", value, UNIT, step) for name, value in least
        )
        return Finding(
            "vanishing critic gradient",
            "error",
            (*evidence, Evidence("the optimiser's epsilon", EPSILON, "", step)),
            f"{len(small)} of {len(gradients)} layers of the critic move by less than half of the "
            "learning rate: the critic stands still.",
            _SHALLOWER,
        )
    total, rate, first = growth(record["health"]["critic_signal"])
    if total > 1 / DECADES or rate > 1 / RATE:
        return None
    return Finding(
        "vanishing critic gradient",
        "warning",
        _growth_evidence(total, rate, first, step),
        "What the value says of the first layers fades with depth: a deeper critic learns no more.",
        _SHALLOWER,
    )


_SHALLOWER = (
    "A larger --clip, fewer layers, batch normalisation, or another constraint (--algorithm "
    "wgan-gp, wgan-sn or wgan-orthogonal keep slopes near 1 at every depth)."
)


def exploding_gradient(history: History) -> Finding | None:
    r"""The gradient of the value grows from layer to layer, or the slope defies its penalty.

    Growth of a factor of 2 and more at each layer and of 1000 in all, values or gradients that
    overflowed, and, with a penalty of weight :math:`\lambda`, a mean squared excess
    :math:`E (\|\nabla f\| - 1)^2` above :math:`1 + \max(\hat W, 0) / \lambda`: the constant critic,
    whose penalty is at most :math:`\lambda`, has a better objective, so the critic was not led to
    its optimum but away from it.
    """
    if not history.trained:
        return None
    record = history.trained[-1]
    health, step = record["health"], record["step"]
    lost = [name for part in ("critic_gradients", "critic_signal")
            for name, value in health[part].items() if value is None]  # fmt: skip
    total, rate, first = growth(health["critic_signal"])
    excess, weight = health.get("slope_excess"), history.config.penalty
    evidence: tuple[Evidence, ...]
    if lost:
        evidence = (Evidence(f"gradient of {_layer(lost[0])}", None, "", step),)
    elif excess is not None and excess > 1 + max(record["critic_estimate_held_out"], 0) / weight:
        evidence = (
            Evidence("mean squared excess of the critic's slope over 1", excess, "", step),
            Evidence("critic estimate on held-out data", record["critic_estimate_held_out"],
                     UNIT_OF_DATA, step),
            Evidence("weight of the penalty", weight, "", step),
        )  # fmt: skip
    elif total >= DECADES and rate >= RATE:
        evidence = _growth_evidence(total, rate, first, step)
    else:
        return None
    return Finding(
        "exploding critic gradient",
        "error",
        evidence,
        "The critic is steep without use: its estimate jumps with every step and its scale says "
        "nothing.",
        "A smaller --clip or learning rate, fewer layers, a larger --penalty, or a constraint on "
        "each layer (--algorithm wgan-sn or wgan-orthogonal).",
    )


def steep_critic(history: History) -> Finding | None:
    r"""The slope that a penalty should hold at 1 is above 3, in two evaluations running.

    .. math:: E (\|\nabla f\| - 1)^2 > (3 - 1)^2

    (the positive part of the difference for a one-sided penalty), and the estimate exceeds the
    exact distance of the same samples, where that is known: only a slope above 1 can do so. The
    critic that is optimal under a penalty of weight :math:`\lambda` has slopes of some
    :math:`1 + W / (2 \lambda)`, so they are near 1 only for data whose distance is small beside the
    weight.
    """
    recent = history.trained[-2:]
    excesses = [record["health"].get("slope_excess") for record in recent]
    if len(recent) < 2 or any(excess is None or excess <= (STEEP - 1) ** 2 for excess in excesses):
        return None
    last = recent[-1]
    estimate, exact = last["critic_estimate_held_out"], last.get("wasserstein1")
    if exploding_gradient(history) or (exact is not None and estimate <= exact):
        return None
    step = last["step"]
    evidence = [
        *(Evidence("mean squared excess of the critic's slope over 1", excess, "", record["step"])
          for excess, record in zip(excesses, recent, strict=True)),
        Evidence("critic estimate on held-out data", estimate, UNIT_OF_DATA, step),
    ]  # fmt: skip
    if exact is not None:
        evidence.append(Evidence("exact W1 to held-out data", exact, UNIT_OF_DATA, step))
    return Finding(
        "steep critic",
        "warning",
        tuple(evidence),
        "The penalty does not hold the critic's slope near 1: its estimate is no distance, and is "
        "not in units of the data.",
        "Data scaled to some [-1, 1] and centred; a larger --penalty; or a critic whose slope is "
        "bounded by construction (--algorithm wgan-orthogonal).",
    )


def saturated_clipping(history: History) -> Finding | None:
    r"""Clipped parameters lie at their limit and have only signs left, in two evaluations running.

    RMSProp moves a parameter by about the learning rate, so that it crosses from -c to c in some
    :math:`2 c / \alpha` critic steps, 400 with the paper's numbers; some half of the parameters of
    a critic that learns are then at the limit. It is a finding where 95 % are; and where half are
    and a parameter can cross within the critic steps of one generator step, so that each of these
    may meet another set of signs.
    """
    recent = [record for record in history.trained if "at_limit" in record["health"]][-2:]
    steps = 2 * history.config.clip / history.config.learning_rates[1]
    crosses = steps <= int(history.config.critic_steps or 1)
    allowed = HALF if crosses else AT_LIMIT
    if len(recent) < 2 or min(record["health"]["at_limit"] for record in recent) < allowed:
        return None
    return Finding(
        "saturated clipping",
        "error",
        (
            *(Evidence("share of the critic's parameters at -c or c", record["health"]["at_limit"],
                       "", record["step"]) for record in recent),
            Evidence("critic steps from -c to c, 2 c / learning rate", steps, "steps",
                     recent[-1]["step"]),
        ),
        "The critic has only the signs of its parameters left: it is far from the best clipped "
        "critic, and its estimate depends on c more than on the data.",
        "A larger --clip or a smaller learning rate, so that crossing takes some hundred steps; or "
        "a penalty (--algorithm wgan-gp).",
    )  # fmt: skip


def growth(signal: dict[str, float | None]) -> tuple[float, float, str]:
    """Factor of the gradient from the value back to the first layer, in all and per layer.

    ``signal`` holds the norm of the value's gradient by the output of each layer, first to last;
    that by the last one, the value itself, is 1. With fewer than three layers both factors are 1.
    """
    layers = {name: value for name, value in signal.items() if name != "input"}
    numbers = [value for value in layers.values() if value is not None]
    if len(numbers) < 3 or len(numbers) < len(layers) or numbers[-1] <= 0:
        return 1.0, 1.0, ""
    total = numbers[0] / numbers[-1]
    return total, total ** (1 / (len(numbers) - 1)), next(iter(layers))


def _growth_evidence(total: float, rate: float, first: str, step: int) -> tuple[Evidence, ...]:
    return (
        Evidence(
            f"gradient by the output of {_layer(first)} over that by the value", total, "", step
        ),
        Evidence("factor per layer", rate, "", step),
    )


def _numbers(values: dict[str, Any]) -> dict[str, float]:
    return {name: value for name, value in values.items() if value is not None}


def _layer(name: str) -> str:
    return f"layer critic.{name}" if name != "input" else "the critic's input"

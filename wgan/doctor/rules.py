"""All rules, by name; each is a pure function of what a run recorded."""

from collections.abc import Callable, Iterable

from .critic import (
    dead_critic,
    exploding_gradient,
    saturated_clipping,
    steep_critic,
    untrained_critic,
    vanishing_gradient,
)
from .estimate import flat_curve, negative_estimate, no_yardstick, sudden_drop
from .finding import Evidence, Finding, errors_first
from .generator import dead_generator, memorisation, mode_loss, moving_away
from .history import History, Record


def not_finite(history: History) -> Finding | None:
    """Training left the finite numbers; the run's last line says where, if it could be found."""
    if not history.records or "diverged" not in history.records[-1]:
        return None
    record = history.records[-1]
    origin = record.get("origin")
    step = origin["step"] if origin else record["step"]
    place = f"the {origin['what']} of {origin['place']}" if origin else record["diverged"]
    return Finding(
        "not finite",
        "error",
        (Evidence(place, None, "", step),),
        "Everything after the first NaN or infinity is lost; the last checkpoint is from before.",
        "A smaller learning rate or --clip; float32 instead of bfloat16; look at the module named "
        "and at what goes into it.",
    )


RULES: dict[str, Callable[[History], Finding | None]] = {
    "not finite": not_finite,
    "negative estimate": negative_estimate,
    "sudden drop": sudden_drop,
    "flat curve": flat_curve,
    "no yardstick": no_yardstick,
    "untrained critic": untrained_critic,
    "dead critic": dead_critic,
    "vanishing critic gradient": vanishing_gradient,
    "exploding critic gradient": exploding_gradient,
    "steep critic": steep_critic,
    "saturated clipping": saturated_clipping,
    "dead generator": dead_generator,
    "moving away": moving_away,
    "mode loss": mode_loss,
    "memorisation": memorisation,
}
"""The rules by the name that their findings have."""


def findings(history: History) -> tuple[Finding, ...]:
    """What all rules find in a history, errors first."""
    results = (rule(history) for rule in RULES.values())
    return errors_first(finding for finding in results if finding is not None)


def announced(records: Iterable[Record]) -> tuple[Finding, ...]:
    """What was announced while the run trained, oldest first."""
    return tuple(
        Finding.from_json(entry) for record in records for entry in record.get("findings", ())
    )

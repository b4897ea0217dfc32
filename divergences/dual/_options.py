"""The options of the dual estimator: what may be given, and where it runs."""

from contextlib import nullcontext
from typing import Any

import torch
from torch import Tensor, nn

from divergences._validation import describe, progress_bar, real_number, refuse

from ._sources import FUNCTION

ENDLESS = 10**9  # steps, where only the clock ends training


def check_options(
    critic: Any, seconds: Any, steps: Any, diameter: Any, level: Any, generator: Any, bar: Any
) -> None:
    """TypeError or ValueError for an option that is not as documented."""
    if critic is not None and not isinstance(critic, nn.Module):
        refuse(FUNCTION, "critic", "be a torch Module", describe(critic), TypeError)
    for name, value in (("max_seconds", seconds), ("diameter", diameter)):
        if value is not None:
            real_number(value, name, FUNCTION, positive=True)
    if steps is not None:
        if isinstance(steps, bool) or not isinstance(steps, int):
            refuse(FUNCTION, "max_steps", "be a whole number", describe(steps), TypeError)
        real_number(steps, "max_steps", FUNCTION, positive=True)
    real_number(level, "level", FUNCTION)
    if not 0 < level < 1:
        refuse(FUNCTION, "level", "lie between 0 and 1", repr(level))
    if generator is not None and not isinstance(generator, torch.Generator):
        refuse(FUNCTION, "generator", "be a torch.Generator", describe(generator), TypeError)
    if generator is not None and generator.device.type != "cpu":
        refuse(FUNCTION, "generator", "be one of the CPU", f"one of {generator.device}")
    progress_bar(bar, FUNCTION)


def place(device: torch.device | str | None, x: Any, y: Any) -> torch.device:
    """The device that was asked for, or the one on which a tensor among the samples lives."""
    if device is not None:
        try:
            return torch.empty(0, device=device).device
        except (AssertionError, RuntimeError, TypeError) as error:
            reason = (str(error).splitlines() or [""])[0]
            refuse(FUNCTION, "device", "be one that torch can use", f"{device!r} ({reason})")
    for value in (x, y):
        if isinstance(value, Tensor):
            return value.device
    return torch.device("cpu")


def steps_bar(progress: bool, steps: int) -> Any:
    """A bar of steps, or a context of nothing."""
    if not progress:
        return nullcontext()
    from tqdm.auto import tqdm

    return tqdm(total=steps if steps < ENDLESS else None, desc=FUNCTION, unit="step")

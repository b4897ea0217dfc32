"""Where the first number that is not finite came from, found by doing the steps again."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from ..checkpoint import Checkpoint
from ..config import TrainingConfig
from ..data import Data
from ..procedure import Procedure
from ..state import TrainingState
from ..step import train_step
from .measure import layers


@dataclass(frozen=True)
class Origin:
    """The first place at which a run left the finite numbers."""

    place: str
    """The module or parameter, such as critic.4 (Linear)."""
    what: str
    """Which of its numbers: its output, its gradient, its parameters, its input."""
    step: int
    """The generator step, counted from 1, during which it happened."""

    def sentence(self) -> str:
        """The place in words."""
        return f"first in the {self.what} of {self.place}, during step {self.step}"


class _FoundError(Exception):
    """Ends a step at its first number that is not finite."""

    def __init__(self, place: str, what: str) -> None:
        self.place, self.what = place, what


def find_origin(
    config: TrainingConfig, data: Data, checkpoint: Checkpoint, until: int
) -> Origin | None:
    """Repeat the steps from a checkpoint to step ``until`` and watch every module.

    Parameters
    ----------
    config : TrainingConfig
    data : Data
        On the device of the run.
    checkpoint : Checkpoint
        The last state that was finite.
    until : int
        Generator steps after which to give up.

    Returns
    -------
    Origin or None
        None where all steps stay finite: on other versions, another device or number of threads
        the numbers may round otherwise.

    Notes
    -----
    Reads the device after every module, so that a step takes longer than in training. In a step
    the order is: batch, outputs module by module, gradients from the value backwards, parameters.
    """
    state = TrainingState.fresh(config, data, data.held_out.device)
    state.restore(checkpoint.tensors, checkpoint.step)
    procedure = Procedure.of(config, state.penalty_random)
    watch(state)
    with torch.enable_grad():
        while state.step < until:
            step = state.step + 1
            try:
                train_step(state, procedure)
                bad = state.not_finite()
            except _FoundError as found:
                return Origin(found.place, found.what, step)
            if bad is not None:
                return Origin(bad, "values", step)
    return None


def watch(state: TrainingState) -> None:
    """Let every module and parameter of both networks raise at its first bad number."""
    following = state.batches.next

    def next_batch() -> Tensor:
        batch = following()
        _demand(batch, "the data", "batch")
        return batch

    state.batches.next = next_batch  # type: ignore[method-assign]
    for part in ("generator", "critic"):
        network: nn.Module = getattr(state, part)
        for name, module in network.named_modules():
            if next(module.children(), None) is None:
                label = f"{part}.{name} ({type(module).__name__})"
                module.register_forward_pre_hook(_inputs(label))
                module.register_forward_hook(_outputs(label))
        for name, layer in layers(network):
            for parameter in layer.parameters(recurse=False):
                hook: Any = parameter.register_post_accumulate_grad_hook  # torch leaves it untyped
                hook(_gradients(f"{part}.{name}"))


def _inputs(label: str) -> Callable[..., None]:
    def hook(_module: nn.Module, inputs: tuple[Any, ...]) -> None:
        for entry in inputs:
            _demand(entry, label, "input")

    return hook


def _outputs(label: str) -> Callable[..., None]:
    def hook(module: nn.Module, _inputs: Any, output: Any) -> None:
        for parameter in module.parameters(recurse=False):
            _demand(parameter, label, "parameters")
        _demand(output, label, "output")

    return hook


def _gradients(label: str) -> Callable[[Tensor], None]:
    def hook(parameter: Tensor) -> None:
        _demand(parameter.grad, label, "gradient")

    return hook


def _demand(numbers: Any, place: str, what: str) -> None:
    if isinstance(numbers, Tensor) and not bool(numbers.isfinite().all()):
        raise _FoundError(place, what)

"""A torch module under test: a copy in float64, its inputs, and where it is evaluated."""

import copy
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from ..._validation import describe, refuse
from ._law import Example, LawFailure
from ._subject import FunctionRaisedError, UnfitAnswerError, called

if TYPE_CHECKING:
    import torch
    from torch import Tensor, nn

ROWS = 16
SIDES = (8, 16, 28, 32, 64)
WIDTHS = (1, 2, 3, 4, 8, 10, 16, 32, 64, 100, 128, 256, 512)
STEEP = {"GELU": 1.13, "SiLU": 1.10, "SELU": 1.76, "Mish": 1.09}
"""Activations of torch.nn that are not 1-Lipschitz, with their Lipschitz constants."""


class Probe:
    """A module copied in float64 (as it is where it cannot be), with seeded inputs.

    Attributes
    ----------
    module : the copy, in the mode (training or evaluation) of the original
    inputs : tensor, shape (16, ...), standard normal unless given
    generator : torch.Generator, for all that is drawn
    answers : str, the dtype of its answers
    exact : bool, whether that is float64
    """

    def __init__(self, module: Any, inputs: Any, seed: int, function: str) -> None:
        import torch

        self.generator, self.calls = torch.Generator().manual_seed(seed), 0
        self.module, copied = _double(module)
        self.dtype = torch.float64 if copied else torch.float32
        if inputs is not None:
            if not isinstance(inputs, torch.Tensor) or inputs.ndim < 2 or len(inputs) < 2:
                refuse(function, "inputs", "be a tensor of at least two inputs, shape (n, ...)",
                       describe(inputs))  # fmt: skip
            self.inputs = inputs.detach().to("cpu", self.dtype)
        else:
            self.inputs = self._guess(function)
        self.answers = str(self(self.inputs).dtype)
        self.exact = self.answers == "torch.float64"

    def draw(self, *shape: int) -> "Tensor":
        """Standard normal numbers."""
        import torch

        return torch.randn(*shape, generator=self.generator, dtype=torch.float64).to(self.dtype)

    def __call__(self, inputs: "Tensor") -> "Tensor":
        """The module's answer, the global random state being put back."""
        import torch

        self.calls += 1
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(self.calls)  # so that noise drawn inside differs from call to call
            answer = called(self.module, inputs)
        kind = type(answer).__name__
        if not called(isinstance, answer, torch.Tensor):
            raise FunctionRaisedError(TypeError(f"returned a {kind}, no tensor"))
        if not answer.is_floating_point() or answer.layout is not torch.strided or answer.is_meta:
            what = f"{answer.dtype}, {answer.layout}, on {answer.device}"
            message = f"returned a tensor ({what}) that does not hold real numbers densely"
            raise FunctionRaisedError(TypeError(message))
        return answer  # type: ignore[no-any-return]

    def _guess(self, function: str) -> "Tensor":
        """Inputs of the shape that the first layer with weights takes, else of the first width."""
        trouble: Exception | None = None
        for shape in _shapes(self.module):
            inputs = self.draw(ROWS, *shape)
            try:
                self(inputs)
            except FunctionRaisedError as error:
                trouble = trouble or error
                continue
            return inputs
        message = f"{trouble} (the shape of its inputs was guessed: give {function} inputs=)"
        raise UnfitAnswerError(message)

    def failure(self, law: str, statement: str, example: Example, lhs: Any, relation: str,
                rhs: Any, diagnosis: str = "") -> LawFailure:  # fmt: skip
        """A failure with its tensors as arrays."""
        shown = {name: _array(value) for name, value in example.items()}
        return LawFailure(law, shown, float(lhs), float(rhs), diagnosis, statement, relation)

    def layers(self, *names: str) -> list[str]:
        """Which of these classes of layers the module contains, by name."""
        kinds = (
            {type(layer).__name__ for layer in self.module.modules()}
            if _is_module(self.module)
            else set()
        )
        return sorted(kind for kind in kinds if kind.startswith(names))


@contextmanager
def moved(
    parameters: "list[nn.Parameter]", direction: "list[Tensor]", step: float
) -> Iterator[None]:
    """The parameters at theta + step * direction, and back to the bit."""
    import torch

    saved = [parameter.detach().clone() for parameter in parameters]
    try:
        with torch.no_grad():
            for parameter, value, way in zip(parameters, saved, direction, strict=True):
                parameter.copy_(value + step * way)
        yield
    finally:
        with torch.no_grad():
            for parameter, value in zip(parameters, saved, strict=True):
                parameter.copy_(value)


def _is_module(thing: Any) -> bool:
    from torch import nn

    return isinstance(thing, nn.Module)


def _double(module: Any) -> tuple[Any, bool]:
    if not _is_module(module):
        return module, True
    try:
        return copy.deepcopy(module).cpu().double(), True
    except Exception:  # what cannot be copied is judged in its own precision
        return module, False


def _shapes(module: Any) -> list[tuple[int, ...]]:
    layers = list(module.modules()) if _is_module(module) else []
    for layer in layers:
        kind = type(layer).__name__
        if hasattr(layer, "in_features"):
            return [(int(layer.in_features),)]
        axes = int(kind[-2]) if kind.startswith("Conv") and kind[-2:-1].isdigit() else 0
        if axes:
            if kind.startswith("ConvTranspose"):
                return [(int(layer.in_channels), *(1,) * axes)]
            sides = SIDES[::-1] if axes == 2 else SIDES  # images tend to fit one size only
            return [(int(layer.in_channels), *(side,) * axes) for side in sides]
    return [(width,) for width in WIDTHS]


def _array(value: Any) -> Any:
    return value.detach().cpu().numpy() if hasattr(value, "detach") else value


def random_direction(probe: Probe, parameters: "list[nn.Parameter]") -> "list[torch.Tensor]":
    """A direction in parameter space, of the parameters' own magnitude."""
    return [
        probe.draw(*parameter.shape).to(parameter.dtype)
        * (float(parameter.detach().abs().mean()) + 0.1)
        for parameter in parameters
    ]

"""What the dual estimator takes: samples, samplers, data loaders; and what it makes of them."""

import inspect
import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from divergences._array import is_tensor
from divergences._validation import describe, points, refuse, same_dimension, weights
from divergences.measures import Discrete

FUNCTION = "wasserstein1_dual"
LARGE = 1 << 14  # fresh points at which a sampler's estimate is evaluated
_LOADED = 1 << 20  # points that one pass over a loader may hold
_FEW = 16  # samples of fewer points are not split
_ROUNDING = 2.0**-40
_PASSES = 8  # batches that one call of a sampler provides


@dataclass(frozen=True)
class Points:
    """Points (n, d) of one sample, float64, with weights (n,) or None for equal ones."""

    at: Tensor
    weights: Tensor | None = None

    def take(self, index: Tensor) -> "Points":
        """Some of the points, of equal weights."""
        return Points(self.at[index])

    @property
    def carried(self) -> Tensor:
        """The points that have mass."""
        return self.at if self.weights is None else self.at[self.weights > 0]


Source = Points | Callable[[int], Tensor]


@dataclass(frozen=True)
class Parts:
    """The roles of one side's points: to train on, to choose by, to test on, to answer for."""

    training: Source
    start: Points
    validation: Points
    test: Points | None
    everything: Points
    drawn: bool  # whether the test points are an independent sample of the law


def read(value: Any, masses: Any, parameter: str, generator: torch.Generator) -> Source:
    """A sample as ``Points``; a sampler as a function of the count, checked at every call."""
    if isinstance(value, Discrete):
        if masses is not None:
            refuse(FUNCTION, f"{parameter}_weights", "be left out for a Discrete law",
                   describe(masses))  # fmt: skip
        return _sample(value.points, value.weights, parameter)
    if is_tensor(value) or isinstance(value, (np.ndarray, list, tuple)):
        return _sample(value, masses, parameter)
    if masses is not None:
        refuse(FUNCTION, f"{parameter}_weights", f"be left out unless {parameter} is an array",
               describe(masses))  # fmt: skip
    if callable(value) and not isinstance(value, Iterable):
        return sampler(value, parameter, generator)
    if not isinstance(value, Iterable):
        refuse(FUNCTION, parameter, "be samples, a callable n -> samples, or a DataLoader",
               describe(value), TypeError)  # fmt: skip
    return _loaded(value, parameter)


def _sample(value: Any, masses: Any, parameter: str) -> Points:
    array = points(value, parameter, FUNCTION)
    checked = None
    if masses is not None:
        given = weights(masses, f"{parameter}_weights", int(array.shape[0]), FUNCTION)
        checked = _tensor(given)
        checked = checked / checked.sum()
    return Points(_tensor(array), checked)


def _tensor(array: Any) -> Tensor:
    tensor = array.detach() if is_tensor(array) else torch.from_numpy(np.array(array, np.float64))
    return tensor.to("cpu", torch.float64)


def sampler(
    draws: Any, parameter: str, generator: torch.Generator, function: str = FUNCTION
) -> Callable[[int], Tensor]:
    """A sampler as a function of the count, whose answer is checked at every call."""
    keywords: dict[str, Any] = {}
    try:
        if "generator" in inspect.signature(draws).parameters:
            keywords["generator"] = generator
    except (TypeError, ValueError):  # builtins without a signature
        pass

    def draw(count: int) -> Tensor:
        sample = draws(count, **keywords)
        array = points(sample, f"{parameter}({count})", function)
        if array.shape[0] != count:
            refuse(function, parameter, f"return {count} points when asked for them",
                   describe(sample))  # fmt: skip
        return _tensor(array)

    return draw


def _loaded(loader: Iterable[Any], parameter: str) -> Points:
    batches: list[Tensor] = []
    count = 0
    for batch in loader:
        entry = batch[0] if isinstance(batch, (list, tuple)) else batch
        if not (is_tensor(entry) or isinstance(entry, np.ndarray)) or entry.ndim == 0:
            refuse(FUNCTION, parameter, "yield batches: tensors, or tuples that begin with one",
                   describe(entry), TypeError)  # fmt: skip
        rows = _tensor(entry).reshape(entry.shape[0], math.prod(entry.shape[1:]))
        if batches and rows.shape[1] != batches[0].shape[1]:
            refuse(FUNCTION, parameter, f"yield batches of points of {batches[0].shape[1]} "
                   "coordinates, as its first one", describe(entry))  # fmt: skip
        batches.append(rows)
        count += rows.shape[0]
        if count > _LOADED:
            refuse(FUNCTION, parameter, f"hold at most {_LOADED} points in one pass (give a "
                   "callable for an endless stream)", f"{count} and more")  # fmt: skip
    if not batches:
        refuse(FUNCTION, parameter, "yield at least one batch", "none")
    return _sample(torch.cat(batches), None, parameter)


def divide(source: Source, generator: torch.Generator) -> Parts:
    """Give every part its role.

    A plain sample is halved: one half to train on (a fifth of it to choose by), one to test on. A
    weighted one is a law that is known, and a tiny one cannot be spared: they play every role.
    """
    if not isinstance(source, Points):
        start, chosen, fresh = (Points(source(count)) for count in (LARGE, LARGE // 4, LARGE))
        return Parts(source, start, chosen, fresh, fresh, drawn=True)
    count = source.at.shape[0]
    if source.weights is not None:
        return Parts(source, source, source, source, source, drawn=False)
    if count < _FEW:
        return Parts(source, source, source, None, source, drawn=False)
    order = torch.randperm(count, generator=generator)
    half, fifth = order[: count // 2], count // 10
    training = source.take(half[fifth:])
    return Parts(training, training, source.take(half[:fifth]), source.take(order[count // 2 :]),
                 source, drawn=True)  # fmt: skip


class Batches:
    """Batches of one side, standardised by ``units``, on a device."""

    def __init__(
        self,
        source: Source,
        size: int,
        units: Callable[[Tensor], Tensor],
        generator: torch.Generator,
        device: torch.device,
        dtype: torch.dtype,
    ) -> None:
        self.dtype = dtype
        self.size, self.units, self.generator, self.device = size, units, generator, device
        self.source = source
        self.block: Tensor | None = None
        self.used = 0
        self.whole: tuple[Tensor, Tensor | None] | None = None
        if isinstance(source, Points):
            self.block = self._ready(source.at)
            masses = source.weights
            if source.at.shape[0] <= size:
                kept = None if masses is None else masses.to(self.block)
                self.whole = self.block, kept
            self.cumulative = None if masses is None else masses.cumsum(0)

    @property
    def endless(self) -> bool:
        """Whether every batch is fresh."""
        return not isinstance(self.source, Points)

    def _ready(self, points: Tensor) -> Tensor:
        return self.units(points).to(self.device, self.dtype)

    def __call__(self) -> tuple[Tensor, Tensor | None]:
        """Points and weights of the next batch: of a small sample always all of it."""
        if self.whole is not None:
            return self.whole
        if not isinstance(self.source, Points):
            if self.block is None or self.used == _PASSES:
                self.block, self.used = self._ready(self.source(self.size * _PASSES)), 0
            first = self.used * self.size
            self.used += 1
            return self.block[first : first + self.size], None
        return self.equal(self.size), None

    def equal(self, count: int) -> Tensor:
        """Independent draws from the sample, by its weights."""
        assert isinstance(self.source, Points)
        assert self.block is not None
        if self.cumulative is None:
            index = torch.randint(self.block.shape[0], (count,), generator=self.generator)
        else:
            uniform = torch.rand(count, generator=self.generator, dtype=torch.float64)
            index = torch.searchsorted(self.cumulative, uniform * self.cumulative[-1])
            index = index.clamp_max(self.block.shape[0] - 1)
        return self.block[index.to(self.device)]


def check_diameter(parts: tuple[Parts, Parts], diameter: float | None) -> None:
    """ValueError for a diameter that points deny, as far as two sweeps over them show."""
    if diameter is None:
        return
    points = torch.cat([side.everything.carried for side in parts])
    size = float(points.abs().max()) or 1.0
    points = points.double() / size

    def distances(row: int) -> Tensor:
        found: Tensor = torch.linalg.vector_norm(points - points[row], dim=1)
        return found

    longest = size * float(distances(int(distances(0).argmax())).max())
    if longest > float(diameter) * (1 + _ROUNDING):
        refuse(FUNCTION, "diameter", "be at least the distance of any two points",
               f"{float(diameter)!r} for points {longest!r} apart")  # fmt: skip


def check_dimensions(x: Points, y: Points) -> None:
    """Demand points of one dimension on both sides."""
    same_dimension(x.at, y.at, FUNCTION)

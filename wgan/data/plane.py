"""Laws in the plane, sampled afresh for every batch: ring, grid, swiss roll, parallel lines."""

import hashlib
import math
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from ..errors import RunError
from ..specification import demand
from .order import mix, take_up
from .protocol import RealSamples, State, Stream

SPLIT_SEED = 20170126
"""Seed of fixed splits and of the laws' evaluation samples; no option changes it."""
EVALUATED = 500
"""Points held out, and as many of reference."""


@dataclass(frozen=True)
class RingOptions:
    """Gaussians with means evenly spaced on a circle; the published protocol by default."""

    modes: int = 8
    """Number of Gaussians, of equal weight."""
    radius: float = 1.0
    """Radius of the circle of their means."""
    deviation: float = 0.01
    """Standard deviation of each coordinate."""

    def __post_init__(self) -> None:
        _positive(self, "modes", "radius", "deviation")

    def build(self, device: torch.device) -> "Law":
        """The law on ``device``."""
        angle = torch.arange(self.modes, dtype=torch.float64) * (2 * math.pi / self.modes)
        means = self.radius * torch.stack([angle.cos(), angle.sin()], dim=1)
        return GaussianMixture(means, self.deviation, repr(self), device)


@dataclass(frozen=True)
class GridOptions:
    """Gaussians with means on a square grid about 0; the published protocol by default."""

    side: int = 5
    """Means along a side; their number is its square."""
    spacing: float = 2.0
    """Distance of neighbouring means: -4, -2, 0, 2, 4 by default."""
    deviation: float = 0.05
    """Standard deviation of each coordinate."""

    def __post_init__(self) -> None:
        _positive(self, "side", "spacing", "deviation")
        demand(self.side <= 1000, "side", "be at most 1000", self.side)

    def build(self, device: torch.device) -> "Law":
        """The law on ``device``."""
        ticks = self.spacing * (torch.arange(self.side, dtype=torch.float64) - (self.side - 1) / 2)
        means = torch.cartesian_prod(ticks, ticks).reshape(-1, 2)
        return GaussianMixture(means, self.deviation, repr(self), device)


@dataclass(frozen=True)
class SwissRollOptions:
    """A noisy spiral (t cos t, t sin t), t uniform in [3 pi/2, 9 pi/2], scaled down by 7.5."""

    deviation: float = 0.25 / 7.5
    """Standard deviation of each coordinate about the spiral."""

    def __post_init__(self) -> None:
        _positive(self, "deviation")

    def build(self, device: torch.device) -> "Law":
        """The law on ``device``."""
        return SwissRoll(self.deviation, repr(self), device)


@dataclass(frozen=True)
class LinesOptions:
    """Parallel segments: (distance * K, Z) with K uniform in 0, ..., count - 1, Z in [0, 1].

    ``lines,count=1`` is the law of (0, Z) in the paper's Example 1.
    """

    count: int = 2
    """Number of segments."""
    distance: float = 1.0
    """Distance of neighbouring segments."""

    def __post_init__(self) -> None:
        _positive(self, "count", "distance")

    def build(self, device: torch.device) -> "Law":
        """The law on ``device``."""
        return ParallelLines(self.count, self.distance, repr(self), device)


class Law:
    """A law in the plane with its sampler.

    Attributes
    ----------
    modes : Tensor (k, 2), float32, or None
        Means of the Gaussians of a mixture; a sample is of high quality within three standard
        deviations of one of them.
    deviation : float
        Standard deviation of each coordinate about mode or curve; 0 where there is no noise.
    held_out, reference : Tensor (500, 2)
        Fixed samples.
    """

    dimension = 2
    sample_shape = (2,)
    image_shape = None
    bounded = False
    modes: Tensor | None = None
    deviation = 0.0

    def __init__(self, name: str, device: torch.device) -> None:
        self.device = device
        self.fingerprint = hashlib.sha256(name.encode()).hexdigest()
        random = torch.Generator().manual_seed(SPLIT_SEED)
        self.held_out = self.batch(EVALUATED, random)
        self.reference = self.batch(EVALUATED, random)

    def batch(self, count: int, random: torch.Generator) -> Tensor:
        """``count`` new points, drawn where ``random`` is."""
        return self.draw(count, random).to(self.device)

    def draw(self, count: int, random: torch.Generator) -> Tensor:
        """``count`` new points (count, 2), float32, on the device of ``random``."""
        raise NotImplementedError

    def real_samples(self, count: int) -> RealSamples:
        """Fixed points of the law."""
        random = torch.Generator().manual_seed(SPLIT_SEED)
        return RealSamples(*(self.draw(count, random) for _ in range(3)))

    def stream(self, batch_size: int, seed: int) -> Stream:
        """Batches of new points."""
        return LawStream(self, batch_size, seed)


class GaussianMixture(Law):
    """Equally weighted Gaussians of one deviation."""

    def __init__(self, means: Tensor, deviation: float, name: str, device: torch.device) -> None:
        self.modes = means.to(torch.float32)
        # A copy for each place of draws: one from pageable memory in every step would wait.
        self._modes = {place.type: self.modes.to(place) for place in (torch.device("cpu"), device)}
        self.deviation = deviation
        super().__init__(name, device)

    def draw(self, count: int, random: torch.Generator) -> Tensor:
        """A mode, then noise."""
        place = random.device
        modes = self._modes[place.type]
        mode = torch.randint(len(modes), (count,), generator=random, device=place)
        noise = _normal(count, random)
        return modes[mode] + self.deviation * noise


class SwissRoll(Law):
    """A spiral with noise."""

    def __init__(self, deviation: float, name: str, device: torch.device) -> None:
        self.deviation = deviation
        super().__init__(name, device)

    def draw(self, count: int, random: torch.Generator) -> Tensor:
        """A point of the curve, then noise."""
        t = (1.5 + 3 * _uniform(count, random)) * math.pi
        curve = torch.stack([t * t.cos(), t * t.sin()], dim=1) / 7.5
        return curve + self.deviation * _normal(count, random)


class ParallelLines(Law):
    """Segments of length 1 in the direction of the second axis."""

    def __init__(self, count: int, distance: float, name: str, device: torch.device) -> None:
        self.count, self.distance = count, distance
        super().__init__(name, device)

    def draw(self, count: int, random: torch.Generator) -> Tensor:
        """A segment, then a height."""
        segment = torch.randint(self.count, (count,), generator=random, device=random.device)
        first = self.distance * segment.to(torch.float32)
        return torch.stack([first, _uniform(count, random)], dim=1)


class Drawn(Protocol):
    """What a stream asks of a law."""

    device: torch.device

    def batch(self, count: int, random: torch.Generator) -> Tensor:
        """``count`` new samples."""


class LawStream:
    """Batches of a law from a random generator of its own, on the device of the law."""

    draws_left = None

    def __init__(self, law: Drawn, batch_size: int, seed: int) -> None:
        self._law, self._batch_size, self._seed = law, batch_size, seed
        self._random = torch.Generator(law.device).manual_seed(mix(seed, 2) >> 1)

    def next(self) -> Tensor:
        """New points."""
        return self._law.batch(self._batch_size, self._random)

    def state_dict(self) -> State:
        """The state of the random generator."""
        return {"seed": self._seed, "random": self._random.get_state()}

    def load_state_dict(self, state: State) -> None:
        """Take over a state of a stream of the same seed; see ``take_up`` for other devices."""
        random = state.get("random")
        if state.get("seed") != self._seed or not isinstance(random, Tensor):
            message = "the state is not that of a stream of this law and seed"
            raise RunError(message)
        take_up(self._random, random)


def _uniform(count: int, random: torch.Generator) -> Tensor:
    return torch.rand(count, generator=random, device=random.device, dtype=torch.float32)


def _normal(count: int, random: torch.Generator) -> Tensor:
    return torch.randn(count, 2, generator=random, device=random.device, dtype=torch.float32)


def _positive(options: object, *names: str) -> None:
    for name in names:
        value = getattr(options, name)
        demand(0 < value < 1e6, name, "be a positive number below a million", value)

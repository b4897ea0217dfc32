"""Wasserstein-1 from below, by training a critic whose Lipschitz constant is certified."""

import copy
import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from divergences._validation import refuse

from ._confidence import lower_confidence
from ._default_critic import Task, default_critic
from ._options import ENDLESS, check_options, place, steps_bar
from ._proof import mean_difference, proven, slack
from ._rescaled import RescaledCritic, natural_units, standardised
from ._sources import (
    FUNCTION,
    Batches,
    Parts,
    Points,
    check_diameter,
    check_dimensions,
    divide,
    read,
)
from ._training import Clock, Held, Log, Progress, Training, advance, demand_slope
from ._user_critic import bound_or_infinity, constraint_for, demand_pointwise, pace
from ._violation import PAIRS, violation

_STEPS = 1000
_BATCH = 1024
_CHOOSING = 2048
_BLOCK = 8192
_TRIED = 256  # points by which the time of the answer is estimated
_LEAST = 0.5  # of the seconds that are left go to training at least
_UNUSUAL = 64.0


@dataclass(frozen=True, eq=False)
class DualEstimate:
    r"""What :func:`wasserstein1_dual` found.

    Attributes
    ----------
    value : float
        Dual objective of the critic on all points given (of samplers: on fresh ones).
    lower_bound : float
        :math:`\max(0, \text{value} / K)` less rounding, with :math:`K` the certified constant:
        never above the exact Wasserstein-1 distance of the *points given*. Rounding inside the
        critic is measured, as the worst break of the Lipschitz condition over all pairs (up to
        :math:`2^{32}` of their coordinates; beyond that only that of values is allowed for). Of
        samplers it is a mean over 16,384 fresh draws of either law: it may exceed the distance of
        the laws by the noise of that mean, and ``confidence_lower`` is the statement about them.
    lipschitz_bound : float
        :math:`K`, certified; inf where none is known, and then ``lower_bound`` is 0.
    heldout_value : float
        The objective on points that took no part in training or choosing; ``value`` minus it is
        the generalisation gap. NaN where none could be kept (fewer than 16 points); of weighted
        points, which are a law that is known, the objective on all of them.
    confidence_lower : float
        With probability ``level`` at least, Wasserstein-1 of the *laws* is above it. 0, which is
        always true, where the data prove nothing.
    confidence_reason : str
        How ``confidence_lower`` came about.
    critic : Module
        The trained critic, maps (n, d) to (n,) in the units of the data.
    history : tuple of Progress
        Every look at a critic in training.
    seconds : float
        Time taken.
    """

    value: float
    lower_bound: float
    lipschitz_bound: float
    heldout_value: float
    confidence_lower: float
    critic: nn.Module
    history: tuple[Progress, ...]
    seconds: float
    confidence_reason: str


def wasserstein1_dual(
    x: Any,
    y: Any,
    x_weights: Any = None,
    y_weights: Any = None,
    *,
    critic: nn.Module | None = None,
    max_seconds: float | None = None,
    max_steps: int | None = None,
    diameter: float | None = None,
    level: float = 0.95,
    generator: torch.Generator | None = None,
    device: torch.device | str | None = None,
    progress: bool = False,
) -> DualEstimate:
    r"""Wasserstein-1 distance by its dual, for data too many or of too many coordinates to match.

    .. math:: W_1(P, Q) \ge \frac1K \bigl( E_P f - E_Q f \bigr), \qquad K \ge \mathrm{Lip}(f)

    A critic :math:`f` is trained to make the right side large. Its constant is certified, so that
    the number has the unit of the data and is a lower bound; how close it comes depends on the
    critic. Euclidean distance.

    Parameters
    ----------
    x, y : samples, samplers or loaders
        Arrays or tensors (n,) or (n, d); a ``Discrete`` law; a callable that returns (n, d) fresh
        points for n (and, if it has a parameter ``generator``, is given the torch Generator); or a
        DataLoader or other iterable of batches (tensors, or tuples that begin with one), of which
        one pass is read and each item flattened.
    x_weights, y_weights : arrays of shape (n,), optional
        Masses summing to 1. Weighted points are a law that is known, not a sample: nothing is
        held out from them.
    critic : Module, optional
        Maps (n, d) to (n,) or (n, 1); moved to ``device`` and trained there in place, by Adam. It
        sees the points as they are if mean and deviation of their coordinates are at most 64 and
        the latter at least 1/64; else *standardised* (centred, and divided by a power of two).
        While its Lipschitz bound is above 1 or unknown, a one-sided gradient penalty is added in
        training. One without trainable parameters is evaluated in the units of the data. By
        default several critics that are 1-Lipschitz by construction are tried (a ridge function,
        one cone, many cones) and the best on validation points is kept.
    max_seconds : float, optional
        Within which the answer comes, the time that it takes itself being estimated and set aside
        (at most half); the result then depends on the machine's speed.
    max_steps : int, optional
        Ascent steps; 1000 by default, or as many as fit into ``max_seconds``.
    diameter : float, optional
        Known bound of the diameter of both supports together; times the critic's constant it
        bounds the range of values in ``confidence_lower``. One that the points deny is refused.
    level : float
        Of ``confidence_lower``, in (0, 1).
    generator : torch.Generator, optional
        On the CPU; seeded with 0 by default. The same seed gives the same result.
    device : optional
        Where to train; by default where x (a tensor) is, else the CPU.
    progress : bool
        Show a bar (needs tqdm).

    Returns
    -------
    DualEstimate

    Raises
    ------
    TypeError, ValueError
        For input that is not as above.
    NonFiniteObjectiveError
        If training diverges (only a critic of yours can).
    CollapsedCriticError
        If a critic of yours ends up flat.

    Notes
    -----
    A plain sample is divided at random: one half to train on (a fifth of it to choose by), one to
    test on. Values are computed in float64, sums exactly rounded. O(steps * batch * critic).

    References
    ----------
    Arjovsky, Chintala, Bottou, Wasserstein GAN (2017), section 3.

    Examples
    --------
    >>> import torch
    >>> x = torch.randn(400, 2, generator=torch.Generator().manual_seed(1))
    >>> estimate = wasserstein1_dual(x, x + torch.tensor([3.0, 4.0]), max_steps=50)
    >>> 4.9 < estimate.lower_bound <= 5.0, estimate.lipschitz_bound < 1.000001
    (True, True)
    """
    begin = time.monotonic()
    check_options(critic, max_seconds, max_steps, diameter, level, generator, progress)
    generator = generator or torch.Generator().manual_seed(0)
    where = place(device, x, y)
    sources = read(x, x_weights, "x", generator), read(y, y_weights, "y", generator)
    if all(isinstance(source, Points) for source in sources):
        check_dimensions(sources[0], sources[1])  # type: ignore[arg-type]
    parts = divide(sources[0], generator), divide(sources[1], generator)
    check_dimensions(parts[0].start, parts[1].start)
    check_diameter(parts, diameter)
    steps = _STEPS if max_steps is None and max_seconds is None else max_steps or ENDLESS
    end = begin + (max_seconds or math.inf)
    with steps_bar(progress, steps) as bar:
        problem = _Problem(parts, generator, where, steps, end, Log(bar, begin), critic)
        trained = problem.default() if critic is None else problem.given(critic)
    return problem.answer(trained, diameter, level, collapses=critic is not None)


class _Problem:
    """Both sides standardised, and what is asked of them."""

    def __init__(
        self,
        parts: tuple[Parts, Parts],
        generator: torch.Generator,
        device: torch.device,
        steps: int,
        end: float,
        log: Log,
        critic: nn.Module | None,
    ) -> None:
        self.parts, self.generator, self.device = parts, generator, device
        self.steps, self.end, self.log = steps, end, log
        self.centre, self.scale = natural_units(*(side.start.at for side in parts))
        if critic is not None and _plain(critic, self.centre, self.scale):
            self.centre, self.scale = torch.zeros_like(self.centre), 1.0
        parameter = None if critic is None else next(critic.parameters(), None)
        self.dtype = torch.float32 if parameter is None else parameter.dtype
        self.log.scale = self.scale
        self.units: Callable[[Tensor], Tensor] = partial(
            standardised, centre=self.centre, scale=self.scale
        )
        self.x, self.y = (
            Batches(side.training, _BATCH, self.units, generator, device, self.dtype)
            for side in parts
        )
        self.held: Held = self._held(parts[0]), self._held(parts[1])

    def _held(self, side: Parts) -> tuple[Tensor, Tensor | None]:
        kept = side.validation
        if kept.weights is None:
            kept = Points(kept.at[:_CHOOSING])
        elif kept.weights.numel() > _CHOOSING:
            chosen = torch.multinomial(kept.weights, _CHOOSING, replacement=True,
                                       generator=self.generator)  # fmt: skip
            kept = kept.take(chosen)
        masses = None if kept.weights is None else kept.weights.to(self.device, self.dtype)
        return self.units(kept.at).to(self.device, self.dtype), masses

    def default(self) -> nn.Module:
        """The best of our own critics."""
        starts = [self.units(side.start.at).to(self.device, torch.float32) for side in self.parts]
        known = not self.parts[0].drawn, not self.parts[1].drawn
        task = Task(self.x, self.y, (starts[0], starts[1]), known, self.held, self.steps, self.end,
                    self._deadline, self.generator, self.log)  # fmt: skip
        return default_critic(task)[0]

    def given(self, critic: nn.Module) -> nn.Module:
        """The caller's critic, trained in place."""
        demand_pointwise(critic.to(self.device), self.held[0][0], FUNCTION)
        critic.train()
        if not any(parameter.requires_grad for parameter in critic.parameters()):
            return critic.eval()
        for name, side in zip("xy", self.parts, strict=True):
            if side.start.at.shape[0] == 1 and any(map(_normalises, critic.modules())):
                refuse(FUNCTION, name, "hold two points at least for a critic with batch "
                       "normalisation", "one")  # fmt: skip
        rule = partial(constraint_for, generator=self.generator)
        pooled = torch.cat([self.units(side.start.at).to(self.device) for side in self.parts])
        plan = pace(critic, rule(critic), pooled)
        training = Training(critic, plan, self.held, self.log, "critic", rule,
                            patient=self.x.endless or self.y.endless)  # fmt: skip
        clock = Clock(self.steps, self._deadline(critic) - time.monotonic())
        advance([training], (self.x, self.y), clock)
        training.finish()
        critic.eval()
        return critic

    def _deadline(self, critic: nn.Module) -> float:
        """When training must end, so that the answer comes in time: by a trial on few points."""
        if math.isinf(self.end):
            return self.end
        sample = self.held[0][0][:_TRIED].double().clone()  # layers may work in place
        probe = copy.deepcopy(critic).double().eval()
        begin = time.monotonic()
        _values(probe, Points(sample), self.device)
        roles = {id(role): role for side in self.parts
                 for role in (side.everything, side.test, side.validation) if role}  # fmt: skip
        looks = 2 * sum(points.shape[0] for points, _ in self.held)
        count = looks + sum(role.at.shape[0] for role in roles.values())
        seconds = (time.monotonic() - begin) / len(sample) * count
        if self._comparable():
            begin = time.monotonic()
            violation(sample, sample, sample[:, 0], sample[:, 0], 1.0)
            pairs = math.prod(side.everything.at.shape[0] for side in self.parts)
            seconds += (time.monotonic() - begin) / len(sample) ** 2 * pairs
        now = time.monotonic()
        return max(self.end - seconds, now + _LEAST * (self.end - now))

    def answer(
        self, trained: nn.Module, diameter: float | None, level: float, *, collapses: bool
    ) -> DualEstimate:
        """The result, in float64 and in the units of the data."""
        inner = copy.deepcopy(trained).double().eval().requires_grad_(requires_grad=False)
        critic = RescaledCritic(inner, self.centre.to(self.device), self.scale).eval()
        if collapses:
            demand_slope(inner, self.held[0][0].double())
        everything = [_values(critic, side.everything, self.device) for side in self.parts]
        value = mean_difference(everything, [side.everything.weights for side in self.parts])
        if not math.isfinite(value):
            self.log.look("the trained critic", self.steps, value)
        bound = bound_or_infinity(inner)
        tests = [side.test for side in self.parts]
        heldout, lower, reason = math.nan, 0.0, "0: fewer than 16 points leave none to test on"
        if tests[0] is not None and tests[1] is not None:
            tested = [
                values if side.test is side.everything else _values(critic, test, self.device)
                for side, values, test in zip(self.parts, everything, tests, strict=True)
                if test is not None
            ]
            heldout = mean_difference(tested, [test.weights for test in tests if test is not None])
            lower, reason = self._confidence(critic, tested, bound, diameter, level)
        lowest = proven(value, self._slack(everything, bound), bound)
        return DualEstimate(
            value, lowest, bound, heldout, lower, critic,
            tuple(self.log.entries), self.log.seconds(), reason,
        )  # fmt: skip

    def _comparable(self) -> bool:
        """Whether all pairs of points are few enough to be looked at; of drawn ones none need."""
        x, y = (side.everything.at.shape for side in self.parts)
        few = x[0] * y[0] * x[1] <= PAIRS
        return few and not (self.x.endless or self.y.endless)

    def _slack(self, values: list[Tensor], bound: float) -> float:
        """For rounding, in the units of the data; nothing is proved of drawn points by pairs."""
        x, y = (self.units(side.everything.at) for side in self.parts)
        inverse = 1 / self.scale
        at_x, at_y = (side * inverse for side in values)
        return self.scale * slack(x, y, at_x, at_y, bound, compare=self._comparable())

    def _confidence(
        self,
        critic: nn.Module,
        tested: list[Tensor],
        bound: float,
        diameter: float | None,
        level: float,
    ) -> tuple[float, str]:
        if not math.isfinite(bound):
            return 0.0, "0: no Lipschitz bound of the critic is known"
        chosen = [_values(critic, side.validation, self.device) for side in self.parts]
        drawn = self.parts[0].drawn, self.parts[1].drawn
        known = [None if side.validation.weights is None else side.validation.weights
                 for side in self.parts]  # fmt: skip
        widest = math.inf if diameter is None else bound * float(diameter)
        lower = lower_confidence((chosen[0], chosen[1]), (tested[0], tested[1]), drawn,
                                 (known[0], known[1]), level, widest)  # fmt: skip
        if lower <= 0:
            return 0.0, "0: the radius exceeds the difference on the points held out"
        return proven(lower, 0.0, bound), f"a clamped critic on points held out, level {level}"


def _plain(critic: nn.Module, centre: Tensor, scale: float) -> bool:
    """Whether a critic of the caller's gets the points as they are."""
    fixed = not any(parameter.requires_grad for parameter in critic.parameters())
    usual = 1 / _UNUSUAL <= scale <= _UNUSUAL and float(centre.abs().max()) <= _UNUSUAL
    return fixed or usual


def _normalises(layer: nn.Module) -> bool:
    """Whether a layer takes its statistics from the batch while it is trained."""
    return isinstance(layer, nn.modules.batchnorm._BatchNorm)


@torch.no_grad()
def _values(critic: nn.Module, sample: Points, device: torch.device) -> Tensor:
    """Values at all points, float64, on the host."""
    blocks = [critic(block.to(device)).cpu() for block in torch.split(sample.at, _BLOCK)]
    return torch.cat(blocks)

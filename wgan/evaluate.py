"""The curve with a unit: distances to held-out data, beside what the critic says of them."""

import copy
import math
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from divergences import sliced_wasserstein1, wasserstein1
from divergences.dual import certified_lower_bound

from .data import Data
from .metrics.modes import MODE_SAMPLES, count_modes
from .procedure import Procedure
from .units import rounded

EXACT_DIMENSIONS = 64
"""Coordinates up to which the exact distance of samples is reported; with more, the sliced one.

Exact transport between samples says little in many coordinates, however exactly it is solved.
"""
FEW_DIMENSIONS = 4
"""Coordinates up to which the exact distance of samples says enough; with more, the sliced one is
reported too. Of 400 held-out digits, in 64 coordinates, the mean of the others is 4.3 away, and
these others with noise of deviation .5 are 4.8: a blurred point would be the better generator.
Sliced it is .44 and .17, and between the two real samples .05.
"""
EVALUATED = 1000
"""Samples of each kind in an evaluation, at most."""
PROJECTIONS = 256
"""Directions of the sliced distance: the same ones in every evaluation."""
UNITS = {
    "critic_estimate": "positive tells data from samples; see the report for its unit",
    "critic_estimate_held_out": "on held-out data",
    "critic_estimate_training": "on training data",
    "wasserstein1": "exact, at least 0, Euclidean, units of the data",
    "sliced_wasserstein1": "at least 0, Euclidean, units of the data",
    "sliced_floor": "the same between two real samples",
    "floor": "the distance, exact where it is there, between two real samples",
    "excess": "distance minus floor, units of the data",
    "modes": "captured, by at least one sample of high quality",
    "high_quality": "share of samples within three standard deviations of a mode",
    "lower_bound": "certified lower bound of W1 of the held-out and generated samples",
    "lipschitz_bound": "certified, units of the critic per unit of the data",
}
"""What stands behind a name on a TensorBoard."""


@dataclass(frozen=True)
class Evaluation:
    """Distances between the held-out sample of the data and as many generated samples.

    All distances are Euclidean and in the units of the data (for images: of pixels in [-1, 1]).
    """

    wasserstein1: float | None
    """Exact Wasserstein-1 distance of the two samples, at least 0; None in many coordinates."""
    sliced_wasserstein1: float | None
    """Sliced Wasserstein-1 distance of the two samples, at least 0; None in four coordinates or
    fewer. It stands beside the exact one up to 64 coordinates, and alone in more."""
    floor: float
    """The distance of two disjoint real samples, exact where that of the generated ones is: what
    a perfect generator gets."""
    critic_estimate_held_out: float
    """The critic's objective on the held-out and the generated sample; see ``estimate_unit``."""
    critic_estimate_training: float
    """The same with real samples that training may have seen; the difference is the gap."""
    lipschitz_bound: float | None
    """Certified Lipschitz constant of the critic, or None where none is known."""
    no_bound: str
    """Why there is no certified bound; empty where there is one."""
    lower_bound: float | None
    """Held-out estimate, less rounding, over the bound: not above W1 of the two; at least 0."""
    estimate_unit: str
    """Unit of the critic's estimates, in words."""
    estimate_name: str
    """Their name in a line for people: that of a standard GAN's is "JS estimate"."""
    modes: int | None = None
    """Modes of the law that a sample of high quality lies at; None for data without modes."""
    high_quality: float | None = None
    """Share of samples within three standard deviations of a mode; 98.89 % of the data are."""
    sliced_floor: float | None = None
    """The sliced distance of the two real samples; None where no sliced one is measured."""

    @property
    def distance(self) -> float:
        """The exact distance, or where that is None the sliced one."""
        exact, sliced = self.wasserstein1, self.sliced_wasserstein1
        return float(sliced if exact is None else exact)  # type: ignore[arg-type]

    @property
    def excess(self) -> float:
        """Distance minus floor; may be slightly negative for a perfect generator."""
        return self.distance - self.floor

    @property
    def generalisation_gap(self) -> float:
        """Estimate on training data minus that on held-out data; large for an overfitted critic."""
        return self.critic_estimate_training - self.critic_estimate_held_out

    @property
    def score(self) -> float:
        """What the best checkpoint has least of: the distance."""
        return self.distance

    def to_json(self) -> dict[str, float]:
        """The numbers as they stand in metrics.jsonl; what is None is left out."""
        numbers = {
            "wasserstein1": self.wasserstein1,
            "sliced_wasserstein1": self.sliced_wasserstein1,
            "sliced_floor": self.sliced_floor,
            "floor": self.floor,
            "excess": self.excess,
            "critic_estimate_held_out": self.critic_estimate_held_out,
            "critic_estimate_training": self.critic_estimate_training,
            "generalisation_gap": self.generalisation_gap,
            "modes": self.modes,
            "high_quality": self.high_quality,
            "lipschitz_bound": self.lipschitz_bound,
            "lower_bound": self.lower_bound,
        }
        return {name: number for name, number in numbers.items() if number is not None}

    def not_finite(self) -> str | None:
        """The name and value of a number that is NaN or infinite, if there is one."""
        numbers = self.to_json().items()
        odd = (f"{name} is {number}" for name, number in numbers if not math.isfinite(number))
        return next(odd, None)

    def sentence(self) -> str:
        """The numbers as a line for people."""
        kind = "sliced" if self.wasserstein1 is None else "exact"
        modes = (
            ""
            if self.modes is None
            else (f"{self.modes} modes, {self.high_quality:.1%} of high quality; ")
        )
        return (
            f"{kind} W1 to held-out data {self.distance:.4g} "
            f"(floor {self.floor:.4g}, excess {self.excess:.4g}); {modes}"
            f"{self.estimate_name} {self.critic_estimate_held_out:.4g}, {self.estimate_unit}"
        )

    def certificate(self) -> str:
        """What the critic proves about the two samples, as a line for people."""
        if self.lower_bound is None or self.lipschitz_bound is None:
            return f"nothing is certified by this critic: {self.no_bound}"
        return (
            "certified by the critic on the same samples: "
            f"W1 >= {rounded(self.lower_bound, 4, up=False)} "
            f"(its Lipschitz constant is at most {rounded(self.lipschitz_bound, 4, up=True)})"
        )


def exact_distance(x: Tensor, y: Tensor) -> float:
    """Exact Wasserstein-1 distance of two samples (n, d) and (m, d), computed in float64."""
    return float(wasserstein1(x.detach().cpu().double().numpy(), y.detach().cpu().double().numpy()))


def sliced_distance(x: Tensor, y: Tensor) -> float:
    """Sliced Wasserstein-1 distance of two samples along ``PROJECTIONS`` fixed directions."""
    x, y = x.detach().cpu().double(), y.detach().cpu().double()
    rng = np.random.default_rng(0)
    return float(sliced_wasserstein1(x.numpy(), y.numpy(), projections=PROJECTIONS, rng=rng))


class Evaluator:
    """Compares generators with one data set; the floor is computed once.

    Parameters
    ----------
    data : Data
    procedure : Procedure
        Gives the critic's objective and its certified Lipschitz bound.
    """

    def __init__(self, data: Data, procedure: Procedure) -> None:
        self.held_out = data.held_out[:EVALUATED].cpu()
        self.reference = data.reference[:EVALUATED].cpu()
        self.procedure = procedure
        dimension = self.held_out[0].numel()
        self.exact, self.sliced = dimension <= EXACT_DIMENSIONS, dimension > FEW_DIMENSIONS
        exact, self.sliced_floor = self.distances(self.reference)
        floor = self.sliced_floor if exact is None else exact
        assert floor is not None
        self.floor = floor
        self.modes: Tensor | None = getattr(data, "modes", None)
        self.deviation = float(getattr(data, "deviation", 0.0))

    @property
    def wanted(self) -> int:
        """How many generated samples are compared: more than are held out, to count modes."""
        return max(len(self.held_out), 0 if self.modes is None else MODE_SAMPLES)

    def __call__(self, critic: nn.Module, samples: Tensor) -> Evaluation:
        """Compare ``samples`` (n, d), ideally :attr:`wanted`, with the held-out data.

        Modes are counted in all of them; distances are of as many as are held out.

        A critic with a certified bound is taken in float64, so that rounding cannot lift the
        lower bound above the exact distance, and projected on the constraint, without which there
        would be no bound: that changes only one that has not been trained yet, and that of
        wgan-2017, whose last step comes after its projection.
        """
        modes, high_quality = None, None
        if self.modes is not None:
            modes, high_quality = count_modes(samples, self.modes, self.deviation)
        samples = samples[: len(self.held_out)]
        precise = copy.deepcopy(critic).double()
        if self.procedure.constraint is not None:
            self.procedure.constraint.project(precise)
        bound, reason = self.procedure.lipschitz_bound(precise)
        judge = copy.deepcopy(critic) if bound is None else precise
        held_out = self.estimate(judge, self.held_out, samples)
        exact, sliced = self.distances(samples)
        words = self.procedure.words
        return Evaluation(
            wasserstein1=exact,
            sliced_wasserstein1=sliced,
            sliced_floor=self.sliced_floor,
            floor=self.floor,
            critic_estimate_held_out=held_out,
            critic_estimate_training=self.estimate(judge, self.reference, samples),
            lipschitz_bound=bound,
            no_bound=reason,
            lower_bound=None if bound is None else self.proven(precise, samples, bound),
            estimate_unit=words.unit,
            estimate_name=words.name,
            modes=modes,
            high_quality=high_quality,
        )

    def distances(self, samples: Tensor) -> tuple[float | None, float | None]:
        """The exact and the sliced distance to the held-out data; one may be None, never both."""
        return (
            exact_distance(self.held_out, samples) if self.exact else None,
            sliced_distance(self.held_out, samples) if self.sliced else None,
        )

    @torch.no_grad()
    def estimate(self, critic: nn.Module, x: Tensor, y: Tensor) -> float:
        """The critic's objective on two samples, in its own precision and on its device."""
        like = next(critic.parameters())
        return float(self.procedure.objective(critic, x.to(like), y.to(like)))

    def proven(self, critic: nn.Module, samples: Tensor, bound: float) -> float:
        """What the critic, in float64, proves of the held-out and the generated samples."""
        like = next(critic.parameters())
        return certified_lower_bound(
            critic, self.held_out.to(like), samples.to(like), constant=bound
        )

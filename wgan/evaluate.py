"""The exact distance of generated to held-out samples, beside what the critic says of them."""

import copy
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from divergences import wasserstein1
from divergences.dual import Constraint, dual_objective

from .data import Data

ESTIMATE_UNIT = "units of an unknown Lipschitz constant"
"""What a clipped critic's estimate is measured in."""


@dataclass(frozen=True)
class Evaluation:
    """Distances between the held-out sample of the data and as many generated samples.

    All distances are Euclidean and in the units of the data (for images: of pixels in [-1, 1]).
    """

    wasserstein1: float
    """Exact Wasserstein-1 distance of the two samples; at least 0."""
    floor: float
    """The same between two disjoint real samples of this size: what a perfect generator gets."""
    critic_estimate_held_out: float
    """Dual objective of the critic on the two samples; units of an unknown Lipschitz constant."""
    lower_bound: float
    """The estimate over the constraint's Lipschitz bound: not above wasserstein1, or 0."""

    @property
    def excess(self) -> float:
        """Exact distance minus floor; may be slightly negative for a perfect generator."""
        return self.wasserstein1 - self.floor

    def to_json(self) -> dict[str, float]:
        """The numbers as they stand in metrics.jsonl."""
        return {
            "wasserstein1": self.wasserstein1,
            "floor": self.floor,
            "excess": self.excess,
            "critic_estimate_held_out": self.critic_estimate_held_out,
            "lower_bound": self.lower_bound,
        }

    def sentence(self) -> str:
        """The numbers as a line for people."""
        return (
            f"exact W1 to held-out data {self.wasserstein1:.4g} "
            f"(floor {self.floor:.4g}, excess {self.excess:.4g}); "
            f"critic estimate {self.critic_estimate_held_out:.4g}, {ESTIMATE_UNIT}"
        )


def exact_distance(x: Tensor, y: Tensor) -> float:
    """Exact Wasserstein-1 distance of two samples (n, d) and (m, d), computed in float64."""
    return float(wasserstein1(x.detach().cpu().double().numpy(), y.detach().cpu().double().numpy()))


class Evaluator:
    """Compares generators with one data set; the floor is computed once.

    Parameters
    ----------
    data : Data
    constraint : Constraint
        Whose Lipschitz bound turns the critic's estimate into a lower bound.
    """

    def __init__(self, data: Data, constraint: Constraint) -> None:
        self.held_out = data.held_out.cpu()
        self.constraint = constraint
        self.floor = exact_distance(self.held_out, data.reference)

    def __call__(self, critic: nn.Module, samples: Tensor) -> Evaluation:
        """Compare ``samples`` (n, d), ideally as many as are held out, with the held-out data.

        The critic is taken in float64, so that rounding cannot lift the lower bound above the
        exact distance, and projected on the constraint, which changes only one that has not been
        trained yet: without it there would be no bound.
        """
        samples = samples.detach().cpu()
        precise = copy.deepcopy(critic).cpu().double()
        self.constraint.project(precise)
        with torch.no_grad():
            estimate = dual_objective(precise, self.held_out.double(), samples.double()).item()
        bound = self.constraint.lipschitz_bound(critic)
        return Evaluation(
            wasserstein1=exact_distance(self.held_out, samples),
            floor=self.floor,
            critic_estimate_held_out=estimate,
            lower_bound=max(0.0, estimate / bound) if bound > 0 else 0.0,
        )

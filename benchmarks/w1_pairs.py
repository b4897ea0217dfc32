"""Pairs of the continuous Wasserstein-1 benchmark of Korotin, Kolesov and Burnaev (2022).

The potential u(x) = min_n (norm(x - c_n) + b_n) is exact: x is y moved along its own transport ray
towards the start of its funnel, so W1 = E u(y) - E u(x), and the optimal critic is -u.
"""

import csv
import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

FOLDER = "DIVERGENCES_W1_BENCHMARK"  # the variable that names the folder of the funnels
_SIDE = 2.5
_POWER = 8
_BLOCK = 1024
_NEAR, _FAR = "donot_use_mm_for_euclid_dist", "use_mm_for_euclid_dist"
_FAR_FROM = 16  # coordinates, where uniform points are so far from all centres that products do


@dataclass(frozen=True)
class Pair:
    """Two laws on R^d with their potential."""

    centres: torch.Tensor
    heights: torch.Tensor

    def potential(self, x, mode=_NEAR):
        """u(x), the index of the funnel that attains it, and the distances from all centres."""
        distances = torch.cdist(x, self.centres, compute_mode=mode)
        lowest = (distances + self.heights).min(dim=1)
        return lowest.values, lowest.indices, distances

    def draw_y(self, count, generator):
        """Uniform points of the box, float64."""
        size = count, self.centres.shape[1]
        return _SIDE * (2 * torch.rand(size, generator=generator, dtype=torch.float64) - 1)

    def draw_x(self, count, generator):
        """Points of the box, each moved along its ray."""
        blocks = [
            self._moved(self.draw_y(min(_BLOCK, count - first), generator))
            for first in range(0, count, _BLOCK)
        ]
        return torch.cat(blocks)

    def _moved(self, y):
        u, own, distances = self.potential(y, _FAR if y.shape[1] >= _FAR_FROM else _NEAR)
        start = self.centres[own]
        length = distances.gather(1, own[:, None])[:, 0]
        direction = (y - start) / length[:, None]
        rest = u[:, None] - self.heights
        along = (direction * y).sum(1)[:, None] - direction @ self.centres.T
        reach = (distances**2 - rest**2) / (2 * (rest - along))
        other = (reach > 0) & (reach > -rest)
        other[torch.arange(y.shape[0]), own] = False
        reach = torch.where(other, reach, torch.inf).amin(dim=1)
        exits = (torch.copysign(torch.tensor(_SIDE).double(), direction) - y) / direction
        leaving = torch.where(direction == 0, torch.inf, exits).amin(dim=1)
        whole = length + torch.minimum(reach, leaving)
        return start + ((length / whole) ** _POWER * whole)[:, None] * direction


def load(dimension, funnels):
    """The pair of that dimension and number of funnels."""
    with np.load(_path(dimension, funnels)) as file:
        centres, heights = file["centers"], file["bias"].reshape(-1)
    return Pair(torch.from_numpy(centres).double(), torch.from_numpy(heights).double())


def fresh(dimension, funnels, seed):
    """A pair made as the published ones: centres uniform in the box, heights of deviation .1."""
    generator = torch.Generator().manual_seed(seed)
    centres = torch.rand(funnels, dimension, generator=generator, dtype=torch.float64)
    heights = 0.1 * torch.randn(funnels, generator=generator, dtype=torch.float64)
    return Pair(_SIDE * (2 * centres - 1), heights)


def present(dimension, funnels):
    """Whether the folder has that pair."""
    return _path(dimension, funnels).exists()


def _path(dimension, funnels):
    return Path(os.environ[FOLDER]) / f"funnels_D{dimension}_N{funnels}.npz"


def published(dimension, funnels):
    """Published cosines by solver, without the truth."""
    with (Path(os.environ[FOLDER]) / "published.csv").open() as file:
        rows = [row for row in csv.DictReader(file)
                if (int(row["D"]), int(row["N"])) == (dimension, funnels)]  # fmt: skip
    return {row["solver"]: float(row["cosine"]) for row in rows if row["solver"] != "true"}


def scores(pair, critic, seed=12345, count=4096):
    """Cosine, L2 of the gradient and W1 of a critic on fresh samples, beside the truth."""
    generator = torch.Generator().manual_seed(seed)
    x, y = pair.draw_x(count, generator), pair.draw_y(count, generator)
    at_x, own, distances = pair.potential(x)
    truth = (pair.potential(y)[0].mean() - at_x.mean()).item()
    apart = distances.gather(1, own[:, None])[:, 0] > 1e-12  # at a funnel's start no slope is right
    slope = torch.nn.functional.normalize(pair.centres[own] - x, dim=1)
    z = x.clone().requires_grad_()
    values = critic(z)
    (gradient,) = torch.autograd.grad(values.sum(), z)
    cosine = torch.cosine_similarity(gradient, slope, dim=1)[apart].mean().item()
    error = (gradient - slope).square().sum(1)[apart].mean().item()
    with torch.no_grad():
        value = (values.mean() - critic(y).mean()).item()
    return {"cosine": cosine, "L2": error, "W1 / truth": value / truth, "truth": truth}

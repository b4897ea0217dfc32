"""The semi-discrete dual: a law that can be sampled against finitely many atoms."""

import math
from collections.abc import Callable
from typing import Any

import torch

from divergences._validation import describe, refuse, same_dimension
from divergences.measures import Discrete

from ._cones import ConeCritic
from ._rescaled import RescaledCritic, natural_units, standardised
from ._sources import Points, read
from ._sources import sampler as checked

FUNCTION = "semidiscrete_critic"
_BATCH = 256
_START = 4096


def semidiscrete_critic(
    sampler: Callable[..., Any],
    law: Discrete,
    *,
    steps: int = 2000,
    generator: torch.Generator | None = None,
) -> RescaledCritic:
    r"""An optimal critic between a law that is sampled and one of finitely many atoms.

    .. math:: \max_{v} \; E_{x \sim P} \min_j \bigl( \lVert x - y_j \rVert - v_j \bigr)
              + \sum_j b_j v_j

    is the dual of Wasserstein-1 between :math:`P` and :math:`\sum_j b_j \delta_{y_j}`; it is
    concave in :math:`v`, so averaged stochastic gradient ascent finds its maximum: the gradient in
    :math:`v_j` is :math:`b_j` minus the mass of the points whose minimum is at j.

    Parameters
    ----------
    sampler : callable
        P: returns (n, d) fresh points for n (and is given ``generator`` if it takes one).
    law : Discrete
        The atoms and their masses.
    steps : int
        Of 256 fresh points each.
    generator : torch.Generator, optional
        Seeded with 0 by default.

    Returns
    -------
    Module
        1-Lipschitz, maps (n, d) to (n,); large on P, small on the atoms. Its
        :func:`dual_objective` on fresh points of P, with ``law.points`` and ``law.weights`` on the
        other side, is an unbiased estimate of a lower bound of the distance.

    Raises
    ------
    TypeError, ValueError
        For anything else.

    Notes
    -----
    O(steps * 256 * k * d). The suboptimality of the average falls like 1/sqrt(steps).

    References
    ----------
    Genevay, Cuturi, Peyre, Bach, Stochastic Optimization for Large-scale Optimal Transport (2016),
    algorithm 2.

    Examples
    --------
    >>> import torch
    >>> from divergences import Discrete
    >>> from divergences.dual import dual_objective
    >>> def uniform(count, generator):
    ...     return torch.rand(count, 1, generator=generator)
    >>> critic = semidiscrete_critic(uniform, Discrete([0.0, 1.0]), steps=200)
    >>> x, atoms = torch.linspace(0, 1, 1001)[:, None], torch.tensor([[0.0], [1.0]])
    >>> round(dual_objective(critic, x, atoms).item(), 2)  # all mass travels 1/4 on average
    0.25
    """
    _options(sampler, law, steps, generator)
    generator = generator or torch.Generator().manual_seed(0)
    atoms = read(law, None, "law", generator)
    assert isinstance(atoms, Points)
    draw = checked(sampler, "sampler", generator, FUNCTION)
    first = draw(_START)
    same_dimension(first, atoms.at, FUNCTION, "sampler and law")
    centre, scale = natural_units(first, atoms.at)
    anchors, masses = standardised(atoms.at, centre, scale), atoms.weights
    if masses is None:
        masses = torch.full((anchors.shape[0],), 1 / anchors.shape[0], dtype=torch.float64)
    heights = torch.zeros_like(masses)
    average = torch.zeros_like(masses)
    rate = float(torch.linalg.vector_norm(anchors - anchors.mean(dim=0), dim=1).mean()) or 1.0
    for step in range(steps):
        x = standardised(draw(_BATCH), centre, scale)
        taken = (torch.cdist(x, anchors) - heights).argmin(dim=1)
        share = torch.bincount(taken, minlength=masses.numel()) / _BATCH
        heights += rate / math.sqrt(1 + step) * (masses - share) / masses.max()
        weight = (step + 1.0) / (steps * (steps + 1) / 2)  # later iterates count more
        average += weight * heights
    critic = ConeCritic(anchors, average, kind="min").eval().requires_grad_(requires_grad=False)
    return RescaledCritic(critic, centre, scale)


def _options(sampler: Any, law: Any, steps: Any, generator: Any) -> None:
    if not callable(sampler):
        refuse(FUNCTION, "sampler", "be a callable n -> samples", describe(sampler), TypeError)
    if not isinstance(law, Discrete):
        refuse(FUNCTION, "law", "be a Discrete law", describe(law), TypeError)
    if isinstance(steps, bool) or not isinstance(steps, int):
        refuse(FUNCTION, "steps", "be a whole number", describe(steps), TypeError)
    if steps < 1:
        refuse(FUNCTION, "steps", "be at least 1", repr(steps))
    if generator is not None and not isinstance(generator, torch.Generator):
        refuse(FUNCTION, "generator", "be a torch.Generator", describe(generator), TypeError)

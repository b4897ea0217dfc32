r"""Paths between two inputs of a generator, and what it makes of them.

A standard normal z of dimension d has a length near :math:`\sqrt d`, and the middle of the straight
line between two of them one near :math:`\sqrt{d/2}`: in 100 dimensions no z of training was ever so
short, and a picture there says nothing of the generator. So the path of normal inputs turns from
one to the other at lengths between theirs. Uniform inputs fill a cube with every straight line
between two of its points, and there the straight line is the path.
"""

from typing import Literal, get_args

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from .run import Run
from .specification import demand_count

PathName = Literal["spherical", "linear"]
"""Ways from one input to another."""


def latent_path(start: Tensor, end: Tensor, count: int, path: PathName = "spherical") -> Tensor:
    r"""Inputs on the way from ``start`` to ``end``, both among them.

    .. math:: z_t = r_t\, \frac{\sin((1 - t) \Omega)\, u_0 + \sin(t \Omega)\, u_1}{\sin \Omega},
              \qquad r_t = (1 - t) |z_0| + t |z_1|,

    with the directions :math:`u_i = z_i / |z_i|` and the angle :math:`\Omega` between them, for the
    spherical path; :math:`(1 - t) z_0 + t z_1` for the linear one; t evenly spaced from 0 to 1.

    Parameters
    ----------
    start, end : Tensor (n, latent)
    count : int
        Inputs on each path, at least 2.
    path : {"spherical", "linear"}
        Spherical for normal inputs, linear for uniform ones.

    Returns
    -------
    Tensor (n, count, latent)

    Raises
    ------
    ValueError
        For another shape, count or name, and for a spherical path between opposite directions,
        where there is no shortest one; with a latent dimension of 1 there are no others.

    Notes
    -----
    Source: K. Shoemake, Animating rotation with quaternion curves (1985); T. White, Sampling
    generative networks, arXiv:1609.04468, who has its formula with vectors of any length.
    """
    _demand(start, end, count, path)
    t = torch.linspace(0, 1, count, dtype=torch.float64).reshape(1, -1, 1)
    first, last = start.double().unsqueeze(1), end.double().unsqueeze(1)
    if path == "linear":
        return ((1 - t) * first + t * last).to(start.dtype)
    lengths = [z.norm(dim=-1, keepdim=True) for z in (first, last)]
    u, v = first / lengths[0], last / lengths[1]
    # the angle by its tangent: the arc cosine loses half the digits of small ones
    angle = 2 * torch.atan2((u - v).norm(dim=-1, keepdim=True), (u + v).norm(dim=-1, keepdim=True))
    if bool((angle > 3.14159).any()):
        message = "latent_path: start and end must not be opposite; no shortest path joins them"
        raise ValueError(message)
    # sin(t angle) / sin(angle), which tends to t
    parts = [
        torch.sinc(s * angle / torch.pi) * s / torch.sinc(angle / torch.pi) for s in (1 - t, t)
    ]
    turned = parts[0] * u + parts[1] * v
    inputs: Tensor = ((1 - t) * lengths[0] + t * lengths[1]) * turned
    return inputs.to(start.dtype)


def interpolate(
    run: Run,
    paths: int = 8,
    count: int = 9,
    seed: int = 0,
    *,
    path: PathName = "spherical",
    averaged: bool = False,
) -> NDArray[np.float32]:
    """Samples on the paths between pairs of inputs, shape (paths, count, d).

    The ends are, in pairs, the samples of ``run.sample(2 * paths, seed)``. ValueError as there and
    in :func:`latent_path`.
    """
    demand_count("interpolate: paths", paths)
    noise = run.noise(2 * paths, seed)
    inputs = latent_path(noise[0::2], noise[1::2], count, path)
    samples = run.generate(inputs.flatten(0, 1), averaged=averaged)
    return samples.reshape(paths, count, -1)


def _demand(start: Tensor, end: Tensor, count: int, path: str) -> None:
    if start.ndim != 2 or start.shape != end.shape:
        message = (
            "latent_path: start and end must have one shape (n, latent); "
            f"got {tuple(start.shape)} and {tuple(end.shape)}"
        )
        raise ValueError(message)
    demand_count("latent_path: count", count, least=2)
    if path not in get_args(PathName):
        message = f"latent_path: path must be spherical or linear; got {path!r}"
        raise ValueError(message)
    if path == "spherical" and start.shape[1] < 2:
        message = "latent_path: a latent dimension of 1 has no spherical paths; take the linear one"
        raise ValueError(message)

"""Four maps from any tall matrix to one with orthonormal columns.

Each takes ``raw`` of shape (m, n) with m >= n and returns W of the same shape with W' W = I.
"""

from collections.abc import Callable

import torch
from torch import Tensor

BJORCK_STEPS = 24


def cayley(raw: Tensor) -> Tensor:
    r"""The Cayley transform, for tall matrices.

    .. math:: W = \begin{pmatrix} (I - A)(I + A)^{-1} \\ -2 V (I + A)^{-1} \end{pmatrix}, \qquad
              A = U - U^\top + V^\top V

    with U the upper square of ``raw`` and V the rest. The symmetric part of I + A is at least I,
    so the system is never singular. One solve, O(m n^2).

    References
    ----------
    Trockman, Kolter, Orthogonalizing convolutional layers with the Cayley transform (2021).
    """
    count = raw.shape[1]
    upper, lower = raw[:count], raw[count:]
    skew = upper - upper.mT + lower.mT @ lower
    identity = torch.eye(count, dtype=raw.dtype, device=raw.device)
    right = torch.cat([identity - skew, -2 * lower])
    return polish(torch.linalg.solve(identity + skew, right, left=False))


def householder(raw: Tensor) -> Tensor:
    r"""The first n columns of a product of n reflections.

    .. math:: W = \prod_{k=1}^{n} \Bigl(I - \frac{2 v_k v_k^\top}{\|v_k\|^2}\Bigr) I_{m \times n}

    :math:`v_k` is column k of ``raw`` below the diagonal, with 1 on it. Backward stable, O(m n^2);
    its derivative runs through the columns one by one.
    """
    vectors = raw.tril(-1)
    factors = 2 / (1 + vectors.square().sum(0))
    return polish(torch.linalg.householder_product(vectors, factors))


def exponential(raw: Tensor) -> Tensor:
    r"""The first n columns of the exponential of a skew matrix, O(m^3).

    .. math:: W = \exp(A) I_{m \times n}, \qquad
              A = \begin{pmatrix} U - U^\top & -V^\top \\ V & 0 \end{pmatrix}

    References
    ----------
    Lezcano-Casado, Martínez-Rubio, Cheap orthogonal constraints in neural networks (2019).
    """
    rows, count = raw.shape
    square = torch.nn.functional.pad(raw, (0, rows - count))
    return polish(torch.linalg.matrix_exp(square - square.mT)[:, :count])


def bjorck(raw: Tensor) -> Tensor:
    r"""The nearest orthogonal matrix, by the iteration of Björck and Bowie.

    .. math:: W \leftarrow W \bigl(\tfrac32 I - \tfrac12 W^\top W\bigr)

    from ``raw`` scaled to singular values of at most 1. Each step multiplies small ones by 3/2, so
    24 steps serve condition numbers up to some 2,000; where ``raw`` is worse conditioned some
    columns stay shorter than 1: the layer is then less than orthogonal, but still 1-Lipschitz.
    Matrix products alone, O(m n^2) a step.

    References
    ----------
    Björck, Bowie, An iterative algorithm for computing the best estimate of an orthogonal matrix
    (1971); Anil, Lucas, Grosse, Sorting out Lipschitz function approximation (2019).
    """
    with torch.no_grad():
        peak = raw.abs().amax()
        peak = torch.where(peak == 0, torch.ones_like(peak), peak)
        power = (raw / peak).mT @ (raw / peak)
        square = power @ power  # the fourth root of its norm is within n^(1/8) of raw's
        norm = torch.linalg.matrix_norm(square @ square) ** 0.125
        scale = peak * torch.where(norm == 0, torch.ones_like(norm), norm)
    weight = raw / scale
    for _ in range(BJORCK_STEPS):
        weight = polish(weight)
    return weight


def polish(weight: Tensor) -> Tensor:
    """One step of that iteration: squares the distance from orthogonality, then rounding."""
    identity = torch.eye(weight.shape[1], dtype=weight.dtype, device=weight.device)
    return weight @ (1.5 * identity - 0.5 * (weight.mT @ weight))


METHODS: dict[str, Callable[[Tensor], Tensor]] = {
    "cayley": cayley,
    "householder": householder,
    "exponential": exponential,
    "bjorck": bjorck,
}

"""Four maps from any tall matrix to one with orthonormal columns.

Each takes ``raw`` of shape (m, n) with m >= n and returns W of the same shape with W' W = I.
"""

import math
from collections.abc import Callable

import torch
from torch import Tensor

_SMALLEST = 2.0**-13  # singular value, beside a bound of the largest one, that Björck's steps reach
_BOLDEST = 1.5  # scale of a step: it takes 1 to .56, so that no direction is lost to rounding


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
    # solve_ex reads no error code back from the device
    return polish(torch.linalg.solve_ex(identity + skew, right, left=False).result)


def householder(raw: Tensor) -> Tensor:
    r"""The first n columns of a product of n reflections.

    .. math:: W = \prod_{k=1}^{n} \Bigl(I - \frac{2 v_k v_k^\top}{\|v_k\|^2}\Bigr) I_{m \times n}

    :math:`v_k` is column k of ``raw`` below the diagonal, with 1 on it. The product is accumulated
    at once, :math:`W = (I - V T V^\top) I_{m \times n}` with the triangular
    :math:`T^{-1} = \mathrm{triu}(V^\top V, 1) + \tfrac12 \mathrm{diag}(V^\top V)`: three products
    and one triangular solve, O(m n^2), and as many for its derivative.

    References
    ----------
    Joffrain, Low, Quintana-Ortí, van de Geijn, Van Zee, Accumulating Householder transformations,
    revisited (2006).
    """
    identity = torch.eye(*raw.shape, dtype=raw.dtype, device=raw.device)
    vectors = raw.tril(-1) + identity
    gram = vectors.mT @ vectors
    system = gram.triu(1) + torch.diag(gram.diagonal() / 2)
    inner = torch.linalg.solve_triangular(system, vectors[: raw.shape[1]].mT, upper=True)
    return polish(identity - vectors @ inner)


def exponential(raw: Tensor) -> Tensor:
    r"""The first n columns of the exponential of a skew matrix, O(m^3).

    torch chooses the number of squarings on the host, so a GPU is waited for.

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
    r"""The nearest orthogonal matrix, by the iteration of Björck and Bowie, with scaled steps.

    .. math:: W \leftarrow \alpha_k W \bigl(\tfrac32 I - \tfrac12 \alpha_k^2 W^\top W\bigr)

    from ``raw`` scaled to singular values of at most 1, which they remain, with
    :math:`\alpha_k` from 3/2 down to 1: small ones grow by 9/4 a step, and 16 steps serve
    condition numbers up to some 4,000 (24 plain ones did half of that); where ``raw`` is worse
    conditioned some columns stay shorter than 1: the layer is then less than orthogonal, but still
    1-Lipschitz. Matrix products alone, O(m n^2) a step.

    References
    ----------
    Björck, Bowie, An iterative algorithm for computing the best estimate of an orthogonal matrix
    (1971); Chen, Chow, A stable scaling of Newton-Schulz for improving the sign function
    computation of a Hermitian matrix (2014); Anil, Lucas, Grosse, Sorting out Lipschitz function
    approximation (2019).
    """
    with torch.no_grad():
        peak = raw.abs().amax()
        peak = torch.where(peak == 0, torch.ones_like(peak), peak)
        power = (raw / peak).mT @ (raw / peak)
        square = power @ power  # the fourth root of its norm is within n^(1/8) of raw's
        norm = torch.linalg.matrix_norm(square @ square) ** 0.125
        scale = peak * torch.where(norm == 0, torch.ones_like(norm), norm)
    weight = raw / scale
    for step in BJORCK_SCALES:
        weight = polish(weight, step)
    return weight


def _scales() -> list[float]:
    """Of each step the best for singular values between ``least`` and 1, if it is not too bold.

    The step takes s to t (3 - t^2) / 2 with t = scale s, which is at most 1 for t up to sqrt(3).
    The best scale takes both ends of the interval to one number.
    """
    least, scales = _SMALLEST, []
    while least < 1 - 2.0**-30:
        scale = min(_BOLDEST, math.sqrt(3 / (1 + least + least * least)))
        least = min(t * (3 - t * t) / 2 for t in (scale * least, scale))
        scales.append(scale)
    return [*scales, 1.0]


BJORCK_SCALES = _scales()


def polish(weight: Tensor, scale: float = 1.0) -> Tensor:
    """One step of that iteration: squares the distance from orthogonality, then rounding."""
    identity = torch.eye(weight.shape[1], dtype=weight.dtype, device=weight.device)
    return weight @ (1.5 * scale * identity - 0.5 * scale**3 * (weight.mT @ weight))


METHODS: dict[str, Callable[[Tensor], Tensor]] = {
    "cayley": cayley,
    "householder": householder,
    "exponential": exponential,
    "bjorck": bjorck,
}

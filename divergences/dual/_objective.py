"""The objective of the Kantorovich-Rubinstein dual; its sign is written here and nowhere else."""

from collections.abc import Callable
from typing import TypeAlias

import torch
from torch import Tensor

from divergences._validation import describe, refuse

from ._perceptron import quick_values
from ._shared_weights import shared_weights

Critic: TypeAlias = Callable[[Tensor], Tensor]
"""A map from samples of shape (n, ...) to values of shape (n,) or (n, 1); mostly a Module."""


def dual_objective(
    critic: Critic,
    x: Tensor,
    y: Tensor,
    x_weights: Tensor | None = None,
    y_weights: Tensor | None = None,
) -> Tensor:
    r"""Value of a critic in the dual problem of the Wasserstein-1 distance.

    .. math:: D(f) = \sum_i a_i f(x_i) - \sum_j b_j f(y_j)

    For a 1-Lipschitz critic it is at most :math:`W_1` of the two measures given, and the best
    critic attains it. For a K-Lipschitz critic it is at most :math:`K W_1`; where K is unknown
    the number has no unit.

    Parameters
    ----------
    critic : callable
        :math:`f`, maps (n, ...) to (n,) or (n, 1).
    x, y : floating tensors, shape (n, ...) and (m, ...)
        Samples along the first axis, further axes equal; a shape (n,) is n points on the line
        and reaches the critic as (n, 1).
    x_weights, y_weights : tensors of shape (n,) and (m,), optional
        :math:`a, b`, each summing to 1; by default all weights of a sample are equal.

    Returns
    -------
    Tensor, shape ()
        In the units of the critic, of its dtype and device, with its graph. Any real number:
        a bad critic makes it negative.

    Raises
    ------
    TypeError
        For an argument that is no floating tensor.
    ValueError
        For shapes or devices that do not fit. Entries are never read, so that the function never
        synchronises with a GPU: NaN or weights that do not sum to 1 go through.

    Notes
    -----
    Costs two calls of the critic: x and y are not concatenated, because layers that look at the
    whole batch (batch normalisation) would mix them.

    References
    ----------
    Villani, Optimal Transport: Old and New (2009), theorem 5.10 and remark 6.5.

    Examples
    --------
    >>> import torch
    >>> x, y = torch.tensor([[3.0], [5.0]]), torch.tensor([[1.0]])
    >>> dual_objective(lambda z: z[:, 0], x, y)
    tensor(3.)
    """
    x, y = two_samples(x, y, "dual_objective")
    with shared_weights():
        at_x = values_at(critic, x, "x", "dual_objective")
        at_y = values_at(critic, y, "y", "dual_objective")
    return average(at_x, x_weights, "x", "dual_objective") - average(
        at_y, y_weights, "y", "dual_objective"
    )


def model_term(critic: Critic, y: Tensor, y_weights: Tensor | None = None) -> Tensor:
    r"""Part of the dual objective that depends on the model: what its generator minimises.

    .. math:: -\sum_j b_j f(y_j)

    The first sum of :func:`dual_objective` does not contain the model's parameters, so for a
    fixed critic both have the same gradient with respect to them, and this one costs a single
    call of the critic (Arjovsky, Chintala, Bottou 2017, theorem 3 and line 10 of algorithm 1).

    Parameters
    ----------
    critic : callable
        :math:`f`, maps (m, ...) to (m,) or (m, 1).
    y : floating tensor, shape (m, ...)
        Samples of the model, with their graph.
    y_weights : tensor of shape (m,), optional
        :math:`b`, summing to 1; equal by default.

    Returns
    -------
    Tensor, shape ()
        Any real number, in the units of the critic.

    Raises
    ------
    TypeError, ValueError
        As :func:`dual_objective`.
    """
    values = values_at(critic, samples(y, "y", "model_term"), "y", "model_term")
    return -average(values, y_weights, "y", "model_term")


def two_samples(x: object, y: object, function: str) -> tuple[Tensor, Tensor]:
    """Both samples as tensors of at least two axes, checked against each other."""
    x, y = samples(x, "x", function), samples(y, "y", function)
    if x.shape[1:] != y.shape[1:] or x.device != y.device:
        refuse(function, "x and y", "hold points of one shape on one device",
               f"{describe(x)} on {x.device} and {describe(y)} on {y.device}")  # fmt: skip
    return x, y


def samples(value: object, parameter: str, function: str) -> Tensor:
    """One sample as a tensor; a shape (n,) becomes (n, 1)."""
    if not isinstance(value, Tensor) or not value.is_floating_point():
        refuse(function, parameter, "be a floating torch tensor", describe(value), TypeError)
    if value.ndim == 0 or value.shape[0] == 0:
        refuse(
            function, parameter, "hold at least one sample along its first axis", describe(value)
        )
    return value[:, None] if value.ndim == 1 else value


def values_at(
    critic: Critic, points: Tensor, parameter: str, function: str, name: str = "critic"
) -> Tensor:
    """Values of a critic at a sample, shape (n,)."""
    count = points.shape[0]
    values = quick_values(critic, points)
    fits = isinstance(values, Tensor) and tuple(values.shape) in ((count,), (count, 1))
    if not fits or not values.is_floating_point():
        refuse(function, name, f"map the {count} samples {parameter} to shape ({count},) "
               f"or ({count}, 1), floating", describe(values))  # fmt: skip
    return values if values.ndim == 1 else values.reshape(count)


def average(values: Tensor, weights: Tensor | None, parameter: str, function: str) -> Tensor:
    """Mean over one sample, or the sum with its weights; shape ()."""
    if weights is None:
        return values.mean()
    if not isinstance(weights, Tensor) or not weights.is_floating_point():
        refuse(function, f"{parameter}_weights", "be a floating torch tensor",
               describe(weights), TypeError)  # fmt: skip
    if weights.shape != values.shape or weights.device != values.device:
        count = values.shape[0]
        refuse(function, f"{parameter}_weights", f"have shape ({count},) on {values.device}",
               f"{describe(weights)} on {weights.device}")  # fmt: skip
    return torch.dot(weights.to(values.dtype), values)

"""The standard GAN's variational objective, whose optimum is the Jensen-Shannon divergence.

Discriminators are given by their *logits* ``l``: D = 1/(1 + exp(-l)) is never formed, so that a
saturated discriminator still has finite values and exact gradients.
"""

import math

from torch import Tensor
from torch.nn.functional import softplus

from ._objective import Critic, average, samples, two_samples, values_at


def adversarial_objective(
    discriminator: Critic,
    x: Tensor,
    y: Tensor,
    x_weights: Tensor | None = None,
    y_weights: Tensor | None = None,
) -> Tensor:
    r"""Objective that a standard GAN's discriminator maximises, as a mean of its two sums.

    .. math::
        V(D) = \tfrac12 \sum_i a_i \log D(x_i) + \tfrac12 \sum_j b_j \log(1 - D(y_j)), \qquad
        D = \frac{1}{1 + e^{-l}}

    For every discriminator :math:`\log 2 + V(D) \le \mathrm{JS}` of the two measures (the halved
    Jensen-Shannon divergence), with equality for :math:`D = p / (p + q)`.

    Parameters
    ----------
    discriminator : callable
        :math:`l`, the *logits*: maps (n, ...) to (n,) or (n, 1). No sigmoid at its end.
    x, y : floating tensors, shape (n, ...) and (m, ...)
        Samples of the data and of the model along the first axis, further axes equal.
    x_weights, y_weights : tensors of shape (n,) and (m,), optional
        :math:`a, b`, each summing to 1; by default all weights of a sample are equal.

    Returns
    -------
    Tensor, shape ()
        Nats, at most 0 (and at most -log 2 + JS), with its graph. Finite for finite logits.

    Raises
    ------
    TypeError, ValueError
        As :func:`dual_objective`.

    References
    ----------
    Goodfellow et al., Generative Adversarial Nets (2014), equation 1 and theorem 1.

    Examples
    --------
    >>> import torch
    >>> x, y = torch.tensor([[3.0], [5.0]]), torch.tensor([[-1.0]])
    >>> adversarial_objective(lambda z: 1000 * z[:, 0], x, y)
    tensor(-0.)
    """
    function = "adversarial_objective"
    x, y = two_samples(x, y, function)
    at_x = values_at(discriminator, x, "x", function, "discriminator")
    at_y = values_at(discriminator, y, "y", function, "discriminator")
    of_x = average(softplus(-at_x), x_weights, "x", function)
    of_y = average(softplus(at_y), y_weights, "y", function)
    return -(0.5 * of_x + 0.5 * of_y)


def js_lower_estimate(
    discriminator: Critic,
    x: Tensor,
    y: Tensor,
    x_weights: Tensor | None = None,
    y_weights: Tensor | None = None,
) -> Tensor:
    r"""Estimate of the Jensen-Shannon divergence by a discriminator, as in the paper's figure 4.

    .. math:: \log 2 + V(D)

    with :math:`V` the :func:`adversarial_objective`. At most the halved JS of the two measures
    given, for every discriminator; for the laws behind samples in expectation, and only on
    samples that the discriminator was not trained on. Negative for a bad discriminator.

    Parameters
    ----------
    discriminator, x, y, x_weights, y_weights
        As :func:`adversarial_objective`.

    Returns
    -------
    Tensor, shape ()
        Nats, at most log 2, with its graph.

    Raises
    ------
    TypeError, ValueError
        As :func:`dual_objective`.

    Examples
    --------
    >>> import torch
    >>> points = torch.tensor([[3.0], [5.0]])
    >>> js_lower_estimate(lambda z: 0 * z[:, 0], points, points)
    tensor(0.)
    """
    return math.log(2) + adversarial_objective(discriminator, x, y, x_weights, y_weights)


def saturating_generator_loss(
    discriminator: Critic, y: Tensor, y_weights: Tensor | None = None
) -> Tensor:
    r"""Loss of the original minimax game for the generator.

    .. math:: \sum_j b_j \log(1 - D(y_j))

    Twice the part of :func:`adversarial_objective` that depends on the model. Where the
    discriminator is sure, its gradient vanishes: the failure that the paper starts from.

    Parameters
    ----------
    discriminator : callable
        The logits, as in :func:`adversarial_objective`.
    y : floating tensor, shape (m, ...)
        Samples of the model, with their graph.
    y_weights : tensor of shape (m,), optional
        :math:`b`, summing to 1; equal by default.

    Returns
    -------
    Tensor, shape ()
        Nats, at most 0, to be minimised.

    Raises
    ------
    TypeError, ValueError
        As :func:`dual_objective`.

    References
    ----------
    Goodfellow et al., Generative Adversarial Nets (2014), equation 1.
    """
    function = "saturating_generator_loss"
    logits = values_at(discriminator, samples(y, "y", function), "y", function, "discriminator")
    return -average(softplus(logits), y_weights, "y", function)


def nonsaturating_generator_loss(
    discriminator: Critic, y: Tensor, y_weights: Tensor | None = None
) -> Tensor:
    r"""The :math:`-\log D` loss for the generator, which practice prefers.

    .. math:: -\sum_j b_j \log D(y_j)

    With the optimal discriminator frozen, its gradient is that of
    :math:`\mathrm{KL}(P_\theta, P_r) - 2\,\mathrm{JS}`.

    Parameters
    ----------
    discriminator, y, y_weights
        As :func:`saturating_generator_loss`.

    Returns
    -------
    Tensor, shape ()
        Nats, at least 0, to be minimised.

    Raises
    ------
    TypeError, ValueError
        As :func:`dual_objective`.

    References
    ----------
    Arjovsky and Bottou, Towards Principled Methods for Training Generative Adversarial Networks
    (2017), theorem 2.5.
    """
    function = "nonsaturating_generator_loss"
    logits = values_at(discriminator, samples(y, "y", function), "y", function, "discriminator")
    return average(softplus(-logits), y_weights, "y", function)

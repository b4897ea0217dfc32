"""One step of the critic: lines 5 to 7 of the paper's Algorithm 1."""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from divergences._array import detach
from divergences._validation import refuse

from ._constraint import Constraint
from ._objective import Critic, dual_objective


def ascent_step(
    critic: nn.Module,
    optimizer: torch.optim.Optimizer,
    x: Tensor,
    y: Tensor,
    constraint: Constraint | None = None,
    x_weights: Tensor | None = None,
    y_weights: Tensor | None = None,
    *,
    objective: Callable[..., Tensor] = dual_objective,
    together: bool = False,
) -> Tensor:
    r"""One gradient *ascent* step of the critic on the dual objective, then the projection.

    .. math::
        g_w \leftarrow \nabla_w \bigl[ D(f_w) - \text{penalty}(f_w) \bigr], \qquad
        w \leftarrow \text{project}(w + \alpha \cdot \text{Optimizer}(w, g_w))

    with :math:`D` the :func:`dual_objective` of the two batches.

    Parameters
    ----------
    critic : Module
        :math:`f_w`, maps (n, ...) to (n,) or (n, 1).
    optimizer : torch.optim.Optimizer
        Holds the parameters to be moved and minimises, as torch's do by default: the sign is
        turned here. Its learning rate is :math:`\alpha`.
    x, y : floating tensors, shape (n, ...) and (m, ...)
        A batch of the data and one of the model. No gradient flows into either, whether or not
        they carry a graph.
    constraint : Constraint, optional
        Such as :class:`WeightClipping`. Without one the objective is unbounded, unless the critic
        is 1-Lipschitz by construction.
    x_weights, y_weights : tensors of shape (n,) and (m,), optional
        As in :func:`dual_objective`. The penalty of a constraint does not see them.
    objective : callable, default dual_objective
        :math:`D` as a function of critic, samples and weights; :func:`adversarial_objective` and
        :func:`js_lower_estimate` make the step that of a standard GAN's discriminator.
    together : bool, default False
        Evaluate the critic on both batches in one call, which takes less time. To be set only
        for critics that treat samples one by one: batch normalisation would mix the two.

    Returns
    -------
    Tensor, shape ()
        The objective *before* the step, without graph and without the penalty. It is not read
        here, so nothing synchronises.

    Raises
    ------
    ValueError
        For an optimizer built with ``maximize=True``, which would descend.
    TypeError, ValueError
        As :func:`dual_objective`.

    Notes
    -----
    One backward pass, through the parameters that the optimizer holds: gradients of others, a
    generator's say, are neither computed nor cleared.

    References
    ----------
    Arjovsky, Chintala, Bottou, Wasserstein GAN (2017), algorithm 1, lines 5 to 7.
    """
    parameters = []
    for group in optimizer.param_groups:
        if group.get("maximize", False):
            refuse("ascent_step", "optimizer", "minimise (the sign is turned inside)",
                   "one with maximize=True")  # fmt: skip
        parameters += [parameter for parameter in group["params"] if parameter.requires_grad]
    x, y = detach(x), detach(y)
    evaluated = _at_both(critic, x, y) if together else critic
    value = objective(evaluated, x, y, detach(x_weights), detach(y_weights))
    penalty = None if constraint is None else constraint.penalty(critic, x, y)
    loss = -value if penalty is None else penalty - value
    optimizer.zero_grad()
    torch.autograd.backward(loss, inputs=parameters)
    optimizer.step()
    if constraint is not None:
        constraint.project(critic)
    return value.detach()


def _at_both(critic: nn.Module, x: Tensor, y: Tensor) -> Critic:
    """The critic as a function that knows its values at x and at y, from one call."""
    if x.ndim < 2 or y.ndim < 2 or x.shape[1:] != y.shape[1:] or x.device != y.device:
        return critic  # the objective sees to columns, or refuses
    values = critic(torch.cat([x, y]))
    at_x, at_y = values[: len(x)], values[len(x) :]
    return lambda points: at_x if points is x else at_y if points is y else critic(points)

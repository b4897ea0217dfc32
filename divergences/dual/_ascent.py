"""One step of the critic: lines 5 to 7 of the paper's Algorithm 1."""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from divergences._array import detach
from divergences._validation import refuse

from ._c_transform import CTransformPenalty
from ._constraint import Constraint
from ._objective import Critic, dual_objective, values_at


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
    together = together and _alike(x, y)  # else the objective sees to columns, or refuses
    reads_values = isinstance(constraint, CTransformPenalty)
    plain = objective is dual_objective and x_weights is None and y_weights is None
    evaluated: Critic = critic
    if together and plain and not reads_values:
        value = _in_one_sum(critic, x, y)
    else:
        if together or reads_values:
            evaluated = _remembering(critic, x, y, together=together)
        value = objective(evaluated, x, y, detach(x_weights), detach(y_weights))
    penalty = None
    if isinstance(constraint, CTransformPenalty) and not torch.is_autocast_enabled(x.device.type):
        penalty = constraint.penalty(evaluated, x, y)  # of the values that are known by now
    elif constraint is not None:
        penalty = constraint.penalty(critic, x, y)
    loss = -value if penalty is None else penalty - value
    optimizer.zero_grad()
    torch.autograd.backward(loss, inputs=parameters)
    optimizer.step()
    if constraint is not None:
        constraint.project(critic)
    return value.detach()


def _alike(x: Tensor, y: Tensor) -> bool:
    """Whether both are points of one shape, dtype and device, which one tensor can hold."""
    return (
        isinstance(x, Tensor) and isinstance(y, Tensor) and min(x.ndim, y.ndim) > 1
        and x.shape[1:] == y.shape[1:]
        and (x.device, x.dtype) == (y.device, y.dtype) and min(len(x), len(y)) > 0
    )  # fmt: skip


def _in_one_sum(critic: nn.Module, x: Tensor, y: Tensor) -> Tensor:
    """The dual objective of equal weights as one inner product, whose derivative is one too."""
    values = values_at(critic, torch.cat([x, y]), "x and y", "dual_objective")
    wide = values if values.dtype == torch.float64 else values.float()
    shares = [wide.new_full((len(x),), 1 / len(x)), wide.new_full((len(y),), -1 / len(y))]
    total: Tensor = torch.dot(torch.cat(shares), wide)
    return total.to(values.dtype)


def _remembering(critic: nn.Module, x: Tensor, y: Tensor, *, together: bool) -> Critic:
    """The critic as a function that computes its values at x and at y once, perhaps in one call."""
    known: list[tuple[Tensor, Tensor]] = []
    if together:
        both = critic(torch.cat([x, y]))
        known = [(x, both[: len(x)]), (y, both[len(x) :])]

    def evaluated(points: Tensor) -> Tensor:
        for seen, at in known:
            if seen is points:
                return at
        values: Tensor = critic(points)
        if points is x or points is y:
            known.append((points, values))
        return values

    return evaluated

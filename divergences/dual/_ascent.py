"""One step of the critic: lines 5 to 7 of the paper's Algorithm 1."""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from divergences._array import detach
from divergences._validation import refuse

from ._c_transform import CTransformPenalty
from ._clipping import WeightClipping
from ._constraint import Constraint
from ._objective import Critic, dual_objective, two_samples, values_at
from ._perceptron import consists_of, fill_gradients, layers_of, quick_values
from ._spectral import SpectralClipping, SpectralNormalization
from ._sphere import SphereProjection

_WITHOUT_PENALTY = (
    type(None), WeightClipping, SphereProjection, SpectralNormalization, SpectralClipping,
)  # fmt: skip


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
    Goes back through the parameters that the optimizer holds: gradients of others, a generator's
    say, are neither computed nor cleared. For a perceptron of ReLU layers on a CPU,
    with ``together`` and a constraint without a penalty, the pass is written out: gradients take
    the memory of the last ones, and units that are 0 on both batches are left out of the products.
    A critic with batch normalisation and no penalty goes forward and back on one batch, then on the
    other, which takes half of the memory.

    References
    ----------
    Arjovsky, Chintala, Bottou, Wasserstein GAN (2017), algorithm 1, lines 5 to 7.
    """
    parameters: list[nn.Parameter] = []
    for group in optimizer.param_groups:
        if group.get("maximize", False):
            refuse("ascent_step", "optimizer", "minimise (the sign is turned inside)",
                   "one with maximize=True")  # fmt: skip
        parameters += group["params"]
    x, y = detach(x), detach(y)
    together = together and _alike(x, y)  # else the objective sees to columns, or refuses
    linear = objective is dual_objective and x_weights is None and y_weights is None
    without_penalty = type(constraint) in _WITHOUT_PENALTY
    plain = linear and together
    layers = layers_of(critic, x) if plain and without_penalty else None
    if layers is not None and consists_of(layers, parameters):
        value = fill_gradients(layers, torch.cat([x, y]), _shares(x, y, x.dtype))
    elif linear and without_penalty and not together and _normalises(critic, parameters):
        value = _one_after_the_other(critic, x, y, optimizer, parameters)
    else:
        weights = detach(x_weights), detach(y_weights)
        if plain and not isinstance(constraint, CTransformPenalty):
            objective = _in_one_sum
        value, penalty = _with_graph(critic, x, y, weights, constraint, objective, together)
        optimizer.zero_grad()
        moved = [parameter for parameter in parameters if parameter.requires_grad]
        torch.autograd.backward(-value if penalty is None else penalty - value, inputs=moved)
    optimizer.step()
    if constraint is not None:
        constraint.project(critic)
    return value.detach()


def _with_graph(
    critic: nn.Module,
    x: Tensor,
    y: Tensor,
    weights: tuple[Tensor | None, Tensor | None],
    constraint: Constraint | None,
    objective: Callable[..., Tensor],
    together: bool,
) -> tuple[Tensor, Tensor | None]:
    """The objective, and the penalty if there is one."""
    reads_values = isinstance(constraint, CTransformPenalty)
    evaluated: Critic = critic
    if reads_values or (together and objective is not _in_one_sum):
        evaluated = _remembering(critic, x, y, together=together)
    value = objective(evaluated, x, y, *weights)
    if constraint is None:
        return value, None
    if isinstance(constraint, CTransformPenalty) and not torch.is_autocast_enabled(x.device.type):
        return value, constraint.penalty(evaluated, x, y)  # of the values that are known by now
    return value, constraint.penalty(critic, x, y)


def _normalises(critic: Critic, parameters: list[nn.Parameter]) -> bool:
    """Whether a critic has batch normalisation, and nobody hooked on a gradient.

    Nor keeps weights that it computes: their graph can go back but once.
    """
    batch_norm = nn.modules.batchnorm._BatchNorm
    if not isinstance(critic, nn.Module) or nn.utils.parametrize._cache_enabled:
        return False
    return any(isinstance(module, batch_norm) for module in critic.modules()) and not any(
        parameter._backward_hooks or parameter._post_accumulate_grad_hooks
        for parameter in parameters
    )


def _one_after_the_other(
    critic: nn.Module,
    x: Tensor,
    y: Tensor,
    optimizer: torch.optim.Optimizer,
    parameters: list[nn.Parameter],
) -> Tensor:
    """The objective, and gradients of minus it: a term and its way back, then the other's.

    The same numbers, in half of the memory.
    """
    x, y = two_samples(x, y, "dual_objective")
    moved = [parameter for parameter in parameters if parameter.requires_grad]
    optimizer.zero_grad()
    means: list[Tensor] = []
    for name, points in (("x", x), ("y", y)):
        mean = values_at(critic, points, name, "dual_objective").mean()
        torch.autograd.backward(mean if means else -mean, inputs=moved)
        means.append(mean.detach())
    return means[0] - means[1]


def _alike(x: Tensor, y: Tensor) -> bool:
    """Whether both are points of one shape, dtype and device, which one tensor can hold."""
    return (
        isinstance(x, Tensor) and isinstance(y, Tensor) and min(x.ndim, y.ndim) > 1
        and x.shape[1:] == y.shape[1:]
        and (x.device, x.dtype) == (y.device, y.dtype) and min(len(x), len(y)) > 0
    )  # fmt: skip


def _in_one_sum(critic: nn.Module, x: Tensor, y: Tensor, *_: None) -> Tensor:
    """The dual objective of equal weights as one inner product, whose derivative is one too."""
    values = values_at(critic, torch.cat([x, y]), "x and y", "dual_objective")
    wide = values if values.dtype == torch.float64 else values.float()
    total: Tensor = torch.dot(_shares(x, y, wide.dtype), wide)
    return total.to(values.dtype)


def _shares(x: Tensor, y: Tensor, dtype: torch.dtype) -> Tensor:
    """What multiplies the values of both batches in the dual objective."""
    shares = [x.new_full((len(x),), 1 / len(x), dtype=dtype)]
    return torch.cat([*shares, y.new_full((len(y),), -1 / len(y), dtype=dtype)])


def _remembering(critic: nn.Module, x: Tensor, y: Tensor, *, together: bool) -> Critic:
    """The critic as a function that computes its values at x and at y once, perhaps in one call."""
    known: list[tuple[Tensor, Tensor]] = []
    if together:
        both = quick_values(critic, torch.cat([x, y]))
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

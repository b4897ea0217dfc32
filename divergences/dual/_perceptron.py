r"""Values and gradients of ReLU perceptrons, without products that units make needless.

A clipped critic has many units that are 0 on a whole batch: its weights are so small beside its
biases that from the second layer on the bias of a unit decides its sign, at nearly all points
alike, and half of the units are silent. What they contribute to the layer after them, and every
gradient that would pass through them, is exactly 0. So for a batch of n, layers of k and m units
of which only k' and m' speak, and slopes g,

.. math:: h W^\top, \qquad g W, \qquad g^\top h

cost n k' m, n k' m' and n k m' multiplications, not n k m each. The sums have the same terms other
than zeros, perhaps in another order.

Most units that speak do so at all n points, and there ReLU is the identity: slopes of the layer are
those of the layer above times its weights, of whose rank they are. Kept as such a product, n by r
times r by k, with r - 1 no more than the units above that are 0 at some points and not at others,

.. math:: (L R) W = L (R W), \qquad (L R)^\top h = R^\top (L^\top h)

cost r k m and r (n + k) m. Far up r is 1 in the plane, whatever the batch. That is the distributive
law: the same numbers again, up to rounding.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.modules.module import _has_any_global_hook

SEARCHED = 128
"""Units that a layer must have for silent ones to be looked for."""
GATHERED = 32
"""Points at which a product with a weight takes as long as gathering it without silent units."""
BLOCK = 1024
"""Columns of a wide gradient that are computed at once: more do not stay in the cache."""

PAYS = 1 << 24
"""Multiplications after the first layer that values must cost for a function of our own to pay."""


class Layers(NamedTuple):
    """Parameters of dense layers with a ReLU between any two; the last has one unit."""

    weights: tuple[Tensor, ...]
    biases: tuple[Tensor | None, ...]


class Pass(NamedTuple):
    """What a pass forward leaves to the one back; a list has an entry for each layer."""

    inputs: list[Tensor]
    """Of the layers, silent units included."""
    gathered: list[Tensor]
    """Weights of the inputs that speak."""
    speaking: list[Tensor | None]
    """Numbers of the inputs that speak, where not all do."""


class Slopes(NamedTuple):
    """Slopes (n, k) of the values at some units: ``left`` (n, r) times ``right`` (r, k)."""

    left: Tensor
    right: Tensor | None
    """None where the left factor is all of them."""


def quick_values(critic: Any, points: Tensor) -> Tensor:
    """``critic(points)``, with fewer multiplications for a perceptron of ReLU on a CPU.

    Its derivatives of all orders are those of the critic.
    """
    layers = layers_of(critic, points)
    if layers is None or len(points) * sum(w.numel() for w in layers.weights[1:]) < PAYS:
        values: Tensor = critic(points)
        return values
    with torch.no_grad():
        values, trace = forward(points, layers)
    if torch.is_grad_enabled():
        if points.requires_grad:
            values = _OfPoints.apply(points, values, layers, trace)  # type: ignore[no-untyped-call]
        parameters = _flattened(layers)
        if any(parameter is not None and parameter.requires_grad for parameter in parameters):
            zeros = _OfParameters.apply((points,), layers, trace, *parameters)  # type: ignore[no-untyped-call]
            values = values + zeros
    return values.flatten() if type(critic[-1]) is nn.Flatten else values


def layers_of(critic: Any, points: Tensor) -> Layers | None:
    """The layers of a critic that is known through and through; None for any other.

    None also where something else than numbers is to be made of the computation: a trace, a
    transform, half precision.
    """
    if type(critic) is not nn.Sequential or not _is_plain(points) or _is_watched(critic):
        return None
    modules = list(critic)
    if modules and type(modules[-1]) is nn.Flatten and modules[-1].start_dim == 0:
        modules.pop()
    dense, between = modules[::2], modules[1::2]
    if not (
        len(dense) == len(between) + 1 > 1
        and all(type(layer) is nn.Linear for layer in dense)
        and all(type(layer) is nn.ReLU for layer in between)
        and dense[-1].out_features == 1
    ):
        return None
    parameters = [p for layer in dense for p in (layer.weight, layer.bias) if p is not None]
    if any(p.dtype != points.dtype or p.device != points.device for p in parameters):
        return None
    weights, biases = zip(*((layer.weight, layer.bias) for layer in dense), strict=True)
    return Layers(weights, biases)


def _is_plain(points: Tensor) -> bool:
    """Whether these are (n, d) on a CPU, and nothing but numbers is asked for."""
    return (
        type(points) in (Tensor, nn.Parameter) and points.ndim == 2 and len(points) > 0
        and points.device.type == "cpu" and points.dtype in (torch.float32, torch.float64)
        and not torch.is_autocast_enabled("cpu")
        and not torch.compiler.is_compiling() and torch._C._get_tracing_state() is None
        and torch._C._functorch.maybe_current_level() is None
        and torch.autograd.forward_ad._current_level < 0
    )  # fmt: skip


def _is_watched(critic: nn.Sequential) -> bool:
    """Whether somebody hooked on the calls of a critic or its layers, or replaced them."""
    return _has_any_global_hook() or any(  # type: ignore[no-untyped-call]
        module._forward_pre_hooks or module._forward_hooks or module._backward_pre_hooks
        or module._backward_hooks or "forward" in module.__dict__
        for module in (critic, *critic)
    )  # fmt: skip


def consists_of(layers: Layers, parameters: list[nn.Parameter]) -> bool:
    """Whether these are all of the layers' parameters and no others, each of them to be moved.

    And no layer is there twice, and nobody hooked on a gradient.
    """
    own = [id(tensor) for tensor in _flattened(layers) if tensor is not None]
    return sorted(own) == sorted({id(parameter) for parameter in parameters}) and all(
        parameter.requires_grad
        and not parameter._backward_hooks
        and not parameter._post_accumulate_grad_hooks
        for parameter in parameters
    )


@torch.no_grad()
def fill_gradients(layers: Layers, points: Tensor, shares: Tensor) -> Tensor:
    """The sum of the values at n points times ``shares`` (n,); gradients of *minus* it in ``grad``.

    They overwrite those of the last step, whose memory is taken, if there is one that fits.
    """
    values, trace = forward(points, layers)
    gradients = [
        (_memory(weight), None if bias is None else _memory(bias))
        for weight, bias in zip(*layers, strict=True)
    ]
    backward(trace, -shares[:, None], gradients, to_points=False)
    return torch.dot(shares, values[:, 0])


def _memory(parameter: Tensor) -> Tensor:
    """Where the gradient of a parameter goes."""
    last = parameter.grad
    if last is None or last.stride() != parameter.stride() or last.requires_grad:
        last = parameter.grad = torch.empty_like(parameter)
    return last


def forward(points: Tensor, layers: Layers) -> tuple[Tensor, Pass]:
    """Values (n, 1) at points (n, d)."""
    trace = Pass([], [], [])
    values, speaking = points, None
    for layer, (weight, bias) in enumerate(zip(*layers, strict=True)):
        if layer:
            values.relu_()
            speaking = _speaking(values)
        trace.inputs.append(values)
        trace.speaking.append(speaking)
        trace.gathered.append(_chosen(weight, 1, speaking))
        values = nn.functional.linear(_chosen(values, 1, speaking), trace.gathered[-1], bias)
    return values, trace


def backward(
    trace: Pass,
    slope: Tensor,
    gradients: Sequence[tuple[Tensor | None, Tensor | None]],
    to_points: bool,
) -> Tensor | None:
    """Fill gradients of weights and biases from slopes (n, 1) at the values.

    Those that are None are left out. Returns the gradient of the points, if that is asked for.
    """
    told: Tensor | None = None
    slopes = Slopes(slope, None)
    for layer in reversed(range(len(gradients))):
        of_weight, of_bias = gradients[layer]
        inputs = trace.inputs[layer]
        if of_weight is not None:
            _fill(of_weight, told, slopes, inputs)
        if of_bias is not None:
            _fill(of_bias, told, slopes)
        if layer == 0 and not to_points:
            break
        left, right = slopes
        weight = _chosen(trace.gathered[layer], 0, told)
        right = weight if right is None else right @ weight
        if layer == 0:
            return left @ right
        told = trace.speaking[layer]
        slopes = _before_relu(left, right, _chosen(inputs, 1, told))
    return None


def _before_relu(left: Tensor, right: Tensor, values: Tensor) -> Slopes:
    """Slopes before a ReLU whose values (n, k) these are, from those after it, ``left @ right``.

    Kept as a product where its rank is small: units that are 0 at some points have a column each.
    """
    count, units = values.shape
    if units >= SEARCHED and left.shape[1] < count:
        mixed = (values.amin(0) > 0).logical_not_().nonzero()[:, 0]
        rank = left.shape[1] + len(mixed)
        if not len(mixed):
            return Slopes(left, right)
        if 2 * rank * (count + 2 * units) < count * units:
            of_mixed = left @ right.index_select(1, mixed)
            of_mixed = torch.ops.aten.threshold_backward(of_mixed, _chosen(values, 1, mixed), 0)
            own = right.new_zeros(len(mixed), units).scatter_(1, mixed[:, None], 1.0)
            others = right.index_fill(1, mixed, 0.0)
            return Slopes(torch.cat([left, of_mixed], 1), torch.cat([others, own]))
    return Slopes(torch.ops.aten.threshold_backward(left @ right, values, 0), None)


def _speaking(values: Tensor) -> Tensor | None:
    """Numbers of the units that are not 0 at all points; None for all, if that takes less time."""
    units = values.shape[1]
    if units < SEARCHED:
        return None
    speaking = values.amax(0).nonzero()[:, 0]  # of NaN, a NaN, which is not 0
    silent = units - len(speaking)
    return speaking if silent * len(values) >= GATHERED * units else None


def _chosen(tensor: Tensor, axis: int, units: Tensor | None) -> Tensor:
    """The rows or columns of some units; all of them for None."""
    return tensor if units is None else tensor.index_select(axis, units)


def _fill(out: Tensor, rows: Tensor | None, slopes: Slopes, inputs: Tensor | None = None) -> None:
    """Write slopes times inputs, or their sum over the batch, in some rows of zeros, or in all."""
    left, right = slopes
    if rows is None and right is None and inputs is not None:
        for place in range(0, out.shape[1], BLOCK):
            columns = slice(place, place + BLOCK)
            torch.mm(left.T, inputs[:, columns], out=out[:, columns])
        return
    part = left.sum(0) if inputs is None else left.T @ inputs
    if right is not None:
        part = right.T @ part
    if rows is None:
        out.copy_(part)
    else:
        out.zero_().index_copy_(0, rows, part)


class _OfPoints(torch.autograd.Function):
    """Values of a pass as a function of the points alone."""

    @staticmethod
    def forward(ctx: Any, points: Tensor, values: Tensor, layers: Layers, trace: Pass) -> Tensor:
        """The values, which are known."""
        ctx.count = len(layers.weights)
        ctx.save_for_backward(points, *_flattened(layers), *_flattened(trace))
        return values.view_as(values)

    @staticmethod
    def backward(ctx: Any, slope: Tensor) -> tuple[Tensor | None, ...]:
        """The gradient of the points."""
        points, layers, trace = _restored(ctx)
        if torch.is_grad_enabled():  # its derivative may be asked for
            (gradient,) = torch.autograd.grad(
                _by_torch(points, layers), points, slope, create_graph=True
            )
            return gradient, None, None, None
        return backward(trace, slope, [(None, None)] * ctx.count, to_points=True), None, None, None


class _OfParameters(torch.autograd.Function):
    """Zeros whose gradients are those of a pass's values, as a function of the parameters alone.

    Apart from the points, so that a generator's step computes no gradients of the critic.
    """

    @staticmethod
    def forward(
        ctx: Any, given: tuple[Tensor], layers: Layers, trace: Pass, *parameters: Tensor | None
    ) -> Tensor:
        """Zeros (n, 1); the points are hidden in a tuple, lest they be asked for gradients."""
        (points,) = given
        ctx.count = len(layers.weights)
        ctx.save_for_backward(points, *parameters, *_flattened(trace))
        return points.new_zeros((len(points), 1))

    @staticmethod
    def backward(ctx: Any, slope: Tensor) -> tuple[Tensor | None, ...]:
        """Gradients of the parameters, of those that are asked for."""
        points, layers, trace = _restored(ctx)
        needed = ctx.needs_input_grad[3:]
        parameters = _flattened(layers)
        if torch.is_grad_enabled():
            asked = [p for p, ask in zip(parameters, needed, strict=True) if ask and p is not None]
            given = iter(torch.autograd.grad(
                _by_torch(points, layers), asked, slope, create_graph=True
            ))  # fmt: skip
            return None, None, None, *(next(given) if ask else None for ask in needed)
        filled = [
            torch.empty_like(parameter) if ask and parameter is not None else None
            for parameter, ask in zip(parameters, needed, strict=True)
        ]
        pairs = list(zip(filled[: ctx.count], filled[ctx.count :], strict=True))
        backward(trace, slope, pairs, to_points=False)
        return None, None, None, *filled


def _flattened(parts: Layers | Pass) -> list[Tensor | None]:
    """All tensors of a pass or of layers."""
    return [tensor for part in parts for tensor in part]


def _restored(ctx: Any) -> tuple[Tensor, Layers, Pass]:
    """What was saved."""
    points, *saved = ctx.saved_tensors
    parts = [saved[place : place + ctx.count] for place in range(0, len(saved), ctx.count)]
    return points, Layers(*map(tuple, parts[:2])), Pass(*parts[2:])


def _by_torch(points: Tensor, layers: Layers) -> Tensor:
    """Values of which torch knows all derivatives."""
    values = points
    for layer, (weight, bias) in enumerate(zip(*layers, strict=True)):
        values = nn.functional.linear(values.relu() if layer else values, weight, bias)
    return values

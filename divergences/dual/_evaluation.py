"""What evaluation in float64 does to a critic's values: how large the numbers on the way are."""

import copy
import math
from typing import Any

import torch
from torch import Tensor, nn

from divergences._validation import refuse

from ._certificate import known_type, lipschitz_bound
from ._combinations import CriticMaximum, CriticSum
from ._rounding import product_up

_SOME = 4


@torch.no_grad()
def evaluation_size(critic: nn.Module, points: Tensor) -> float:
    r"""A number beside which rounding of one part in :math:`2^{40}` covers that of the values.

    .. math:: \max_z \sum_l \bigl( \|h_l(z)\| + L_l \|h_{l-1}(z)\| \bigr) \prod_{k > l} L_k

    over the layers of a Sequential: terms that cancel later on (a bias of 1e17, taken off by the
    next layer) leave their rounding behind, however small the values are. Of a module that states
    its own bound the size of its tensors stands for what happens inside. inf where no bound is
    known.
    """
    if isinstance(critic, (CriticSum, CriticMaximum)):
        sizes = [evaluation_size(one, points) for one in critic.critics]
        if isinstance(critic, CriticMaximum):
            return max(sizes)
        shares: list[float] = critic.weights.abs().tolist()
        return math.fsum(share * size for share, size in zip(shares, sizes, strict=True))
    total, tail = 0.0, 1.0
    stages: list[tuple[nn.Module, Tensor, Tensor]] = []
    at = points
    for layer in _layers(critic):
        after = layer(at.clone())
        stages.append((layer, at, after))
        at = after
    for layer, before, after in reversed(stages):
        bound = _bound(layer)
        total += tail * (_norm(after) + bound * _norm(before) + _inside(layer, before, bound))
        tail = product_up(tail, bound)
    return total


@torch.no_grad()
def demand_pointwise(critic: nn.Module, points: Tensor, function: str) -> None:
    """ValueError for a critic that does not map (n, d) to (n,), each point by itself.

    A convolution of as many channels as there are points, or a padding of the first axis, mixes
    them: such a critic is no function on the space, whatever the bound of its layers.
    """
    try:
        probe = copy.deepcopy(critic).double().eval()
    except RuntimeError:  # hooks of old have weights that cannot be copied, and no bound either
        return
    rows = points[:_SOME].detach().double()
    count, requirement = len(rows), "map points (n, d) to (n,) or (n, 1), each by itself"
    try:
        together = probe(rows.clone())
        alone = [probe(row[None].clone()) for row in rows]
    except (RuntimeError, IndexError, ValueError) as error:
        reason = (str(error).splitlines() or [""])[0]
        message = f"an error for points of shape {tuple(rows.shape)}: {reason}"
        refuse(function, "critic", requirement, message)
    shape = tuple(together.shape) if isinstance(together, Tensor) else type(together).__name__
    if shape not in ((count,), (count, 1)) or any(value.numel() != 1 for value in alone):
        refuse(function, "critic", requirement, f"{shape} from {tuple(rows.shape)}")
    one_by_one = torch.stack([value.reshape(()) for value in alone])
    apart = float((together.reshape(count) - one_by_one).abs().max())
    if apart > 1e-6 * (1 + float(one_by_one.abs().max())):
        refuse(function, "critic", requirement,
               f"values that depend on the other points: {apart:.3g} apart")  # fmt: skip


def _layers(critic: Any) -> list[nn.Module]:
    if known_type(critic) is not nn.Sequential:
        return [critic]
    return [layer for child in critic for layer in _layers(child)]


def _bound(layer: nn.Module) -> float:
    try:
        return lipschitz_bound(layer)
    except NotImplementedError:
        return math.inf


def _norm(values: Tensor) -> float:
    return float(torch.linalg.vector_norm(values.reshape(len(values), -1), dim=1).max())


def _inside(layer: nn.Module, before: Tensor, bound: float) -> float:
    """Size of the tensors of a module whose inside is not known: the anchors of cones, say."""
    if not callable(getattr(layer, "lipschitz_bound", None)):
        return 0.0
    tensors = [t for t in layer.state_dict().values() if isinstance(t, Tensor) and t.numel()]
    largest = max((float(t.double().abs().max()) for t in tensors), default=0.0)
    return largest * (1 + bound * math.sqrt(before[0].numel()))

"""Bounds that hold for every critic of an architecture, whatever its parameters."""

import math
from collections.abc import Callable
from typing import Any

from torch import nn

from ._activations import ONE_LIPSCHITZ
from ._certificate import demand_plain


def architecture_bound(
    critic: nn.Module, dense: Callable[[nn.Linear], float], function: str
) -> float:
    """Product of ``dense(layer)`` over the dense layers and of the activations' constants.

    Only layers with a bound that needs no parameters; others raise NotImplementedError under the
    name ``function``.
    """
    demand_plain(critic, function)
    layer: Any = critic
    if type(layer) is nn.Sequential:
        return math.prod(architecture_bound(child, dense, function) for child in layer)
    if type(layer) is nn.Linear:
        return dense(layer)
    if type(layer) in ONE_LIPSCHITZ:
        return 1.0
    if type(layer) is nn.LeakyReLU:
        return max(1.0, abs(layer.negative_slope))
    if type(layer) is nn.ELU:
        return max(1.0, abs(layer.alpha))
    if type(layer) is nn.CELU and layer.alpha > 0:
        return 1.0
    message = (
        f"{function}: no bound is known for a {type(layer).__name__}; "
        "it takes Sequential, Linear and 1-Lipschitz activations such as ReLU or Tanh"
    )
    raise NotImplementedError(message)

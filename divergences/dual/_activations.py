"""Lipschitz constants of activations and of layers that only move or drop entries."""

import math
from collections.abc import Callable
from typing import Any

from torch import nn

ONE_LIPSCHITZ = (
    nn.Identity,
    nn.Flatten,
    nn.ReLU,
    nn.ReLU6,
    nn.Hardtanh,
    nn.Tanh,
    nn.Sigmoid,
    nn.LogSigmoid,
    nn.Softsign,
)
"""Layers whose Lipschitz constant is at most 1 for every choice of their options.

GELU, SiLU, Mish and SELU are steeper than 1, torch's Softplus jumps where it becomes linear, and
batch normalisation and dropout rescale: none of them belongs here.
"""

# suprema of the slope, rounded up; each at the zero of the second derivative (mpmath, 30 digits)
GELU = 1.1289041451851549
GELU_TANH = 1.1289930686588
SILU = 1.0998393201288670
MISH = 1.0884981612517280
SELU = 1.7580993408473770  # scale times alpha, at 0 from the left


def works_in_place(critic: nn.Module) -> bool:
    """Whether a layer of the critic overwrites what it is given, perhaps the points themselves."""
    return any(getattr(layer, "inplace", False) for layer in critic.modules())


def _leaky(layer: Any) -> float:
    return max(1.0, abs(float(layer.negative_slope)))


def _celu(layer: Any) -> float | None:
    return 1.0 if layer.alpha > 0 else None  # alpha below 0 grows exponentially


def _softplus(layer: Any) -> float | None:
    """1 where the jump at the threshold is below the rounding of float64, else none."""
    if layer.beta == 0 or layer.threshold <= 0:
        return None
    jump = math.log1p(math.exp(-layer.threshold))
    return 1.0 if jump < layer.threshold * 2.0**-53 else None


def _prelu(layer: Any) -> float:
    steepest = float(layer.weight.detach().double().abs().max())
    return steepest if not steepest <= 1.0 else 1.0  # NaN stays NaN


def _in_evaluation(layer: Any) -> float | None:
    return None if layer.training and layer.p > 0 else 1.0


def _rrelu(layer: Any) -> float | None:
    return None if layer.training else max(1.0, abs(layer.lower), abs(layer.upper))


def _threshold(layer: Any) -> float | None:
    return 1.0 if layer.value == layer.threshold else None  # else it jumps


def _gelu(layer: Any) -> float:
    return GELU if layer.approximate == "none" else GELU_TANH


CONSTANTS: dict[type[nn.Module], float | Callable[[Any], float | None]] = {
    **dict.fromkeys(ONE_LIPSCHITZ, 1.0),
    nn.Sigmoid: 0.25,
    nn.Hardsigmoid: 0.166666672,  # torch's derivative is 1/6 in float32
    nn.Hardswish: 1.5,
    nn.Tanhshrink: 1.0,
    nn.Softshrink: 1.0,
    nn.GELU: _gelu,
    nn.SiLU: SILU,
    nn.Mish: MISH,
    nn.SELU: SELU,
    nn.LeakyReLU: _leaky,
    nn.ELU: lambda layer: max(1.0, abs(float(layer.alpha))),
    nn.CELU: _celu,
    nn.Softplus: _softplus,
    nn.PReLU: _prelu,
    nn.RReLU: _rrelu,
    nn.Threshold: _threshold,
    nn.Dropout: _in_evaluation,
    nn.Dropout1d: _in_evaluation,
    nn.Dropout2d: _in_evaluation,
    nn.Dropout3d: _in_evaluation,
    nn.AlphaDropout: _in_evaluation,
    nn.FeatureAlphaDropout: _in_evaluation,
    nn.Unflatten: 1.0,
    nn.PixelShuffle: 1.0,
    nn.PixelUnshuffle: 1.0,
    nn.ChannelShuffle: 1.0,
}
"""Constant of a layer, or a function of it that gives None where there is none."""

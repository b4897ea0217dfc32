"""First values of parameters, always drawn from a generator that is given.

A network is built on torch's meta device, where the layers' own initialisation neither computes
nor draws on the global random state; then it gets memory, and one rule for its values.
"""

import math
from collections.abc import Callable
from typing import TypeAlias

import torch
from torch import nn

Rule: TypeAlias = Callable[[nn.Module, torch.Generator], None]
"""Fills the parameters of one layer."""


def initialised(network: nn.Sequential, rule: Rule, random: torch.Generator) -> nn.Sequential:
    """``network`` from the meta device as float32 on the CPU, its layers filled by ``rule``."""
    network = network.to(torch.float32).to_empty(device="cpu")
    with torch.no_grad():
        for layer in network.modules():
            if isinstance(layer, nn.BatchNorm2d):
                layer.reset_running_stats()
            if next(layer.parameters(recurse=False), None) is not None:
                rule(layer, random)
    return network


def uniform_by_inputs(layer: nn.Module, random: torch.Generator) -> None:
    r"""Dense layers: weights and biases uniform in :math:`\pm 1/\sqrt{n_{l-1}}`, torch's law."""
    if not isinstance(layer, nn.Linear):
        raise _unknown(layer)
    bound = 1 / math.sqrt(layer.in_features)
    for parameter in layer.parameters():
        nn.init.uniform_(parameter, -bound, bound, generator=random)


def normal_of_dcgan(layer: nn.Module, random: torch.Generator) -> None:
    """Convolutions N(0, .02^2); batch norm's scale N(1, .02^2), its shift 0.

    Source: Radford, Metz, Chintala (2016), and the program of the paper's authors.
    """
    if isinstance(layer, (nn.Conv2d, nn.ConvTranspose2d)):
        nn.init.normal_(layer.weight, 0.0, 0.02, generator=random)
    elif isinstance(layer, nn.BatchNorm2d):
        nn.init.normal_(layer.weight, 1.0, 0.02, generator=random)
    else:
        raise _unknown(layer)
    if layer.bias is not None:
        nn.init.zeros_(layer.bias)


def uniform_of_he(layer: nn.Module, random: torch.Generator) -> None:
    r"""Layers before a ReLU: uniform of variance 4 / (fan in + fan out); biases 0, scales 1.

    Others (dense layers, 1x1 shortcuts and first layers, marked by ``gain_of_relu = False``) have
    half that variance. A strided convolution's fan out is divided by the square of its stride.

    Source: Gulrajani et al. (2017), their program.
    """
    if isinstance(layer, nn.GroupNorm | nn.BatchNorm2d):
        nn.init.ones_(layer.weight)
    elif isinstance(layer, nn.Conv2d | nn.ConvTranspose2d | nn.Linear):
        before_relu = getattr(layer, "gain_of_relu", not isinstance(layer, nn.Linear))
        fans = sum(_fans(layer))
        deviation = math.sqrt((4 if before_relu else 2) / fans)
        bound = deviation * math.sqrt(3)
        nn.init.uniform_(layer.weight, -bound, bound, generator=random)
    else:
        raise _unknown(layer)
    if layer.bias is not None:
        nn.init.zeros_(layer.bias)


def _fans(layer: nn.Conv2d | nn.ConvTranspose2d | nn.Linear) -> tuple[float, float]:
    if isinstance(layer, nn.Linear):
        return layer.in_features, layer.out_features
    window = layer.kernel_size[0] * layer.kernel_size[1]
    stride = layer.stride[0] * layer.stride[1]
    if isinstance(layer, nn.ConvTranspose2d):
        return layer.in_channels * window / stride, layer.out_channels * window
    return layer.in_channels * window, layer.out_channels * window / stride


def _unknown(layer: nn.Module) -> TypeError:
    return TypeError(f"no rule for the first values of a {type(layer).__name__}")

"""Initial values of layers."""

import torch
from torch import Tensor


def normal(
    shape: tuple[int, ...],
    generator: torch.Generator | None,
    device: torch.device | str | None,
    dtype: torch.dtype | None,
) -> Tensor:
    """Standard normal numbers, drawn in float32 where the generator lives (the CPU without one)."""
    source = "cpu" if generator is None else generator.device
    draws = torch.randn(shape, generator=generator, device=source, dtype=torch.float32)
    home = torch.get_default_device() if device is None else device
    return draws.to(device=home, dtype=dtype or torch.get_default_dtype())


@torch.no_grad()
def uniform(parameter: Tensor, limit: float, generator: torch.Generator | None) -> Tensor:
    """Fill with numbers between -limit and limit, from a generator of any device."""
    where = parameter.device if generator is None else generator.device
    drawn = torch.rand(parameter.shape, generator=generator, device=where, dtype=torch.float64)
    return parameter.copy_((2 * drawn - 1) * limit)

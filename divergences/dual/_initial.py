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

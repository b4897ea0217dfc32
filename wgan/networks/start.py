"""Critics that start at samples of the data: their cones, or the kinks of their units."""

from collections.abc import Callable
from typing import Literal

import torch
from torch import Tensor, nn

Part = Literal["cones", "kinks"]
"""What starts at the data: the places of a layer of cones, or where units of ReLU turn on."""


def starts_at_data(critic: nn.Sequential, part: Part) -> None:
    """Have a part of the critic start at samples of the data as soon as there are some."""
    critic.starts_at_data = part  # type: ignore[assignment]


@torch.no_grad()
def start_at_data(critic: nn.Sequential, draw: Callable[[int], Tensor]) -> None:
    """Move what asks for it to samples of the data, ``draw(count)`` of shape (count, d)."""
    part = getattr(critic, "starts_at_data", None)
    if part == "cones":
        anchors: Tensor = critic[-1].anchors  # type: ignore[assignment]
        anchors.copy_(critic[:-1](draw(len(anchors)).to(anchors)))
    elif part == "kinks":
        first = critic[0]
        assert isinstance(first, nn.Linear)
        x = draw(first.out_features).to(first.weight)
        first.bias.copy_(-(first.weight * x).sum(dim=1))

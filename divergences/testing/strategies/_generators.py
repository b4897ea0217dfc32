"""Generators: small neural networks in torch."""

from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy
    from torch import nn

ACTIVATIONS = ("ReLU", "Tanh", "Softplus", "LeakyReLU", "Sigmoid")
"""Names in ``torch.nn``; all are 1-Lipschitz."""


def generators(
    latent_dimension: int | None = None, dimension: int | None = None, *, max_width: int = 4
) -> "SearchStrategy[nn.Module]":
    """Feed-forward generators from R^k to R^d in float64, with 1-Lipschitz activations.

    Every entry of the parameters is a multiple of 1/8 in [-2, 2], drawn, so that a failing network
    shrinks towards zeros; the global random state of torch is left as it was.

    Parameters
    ----------
    latent_dimension, dimension : int, optional
        k and d; 1 to ``max_width``, drawn, if not given.
    max_width : int, default 4
        The largest width of the one or two hidden layers.

    Returns
    -------
    strategy of torch.nn.Sequential
        Takes (n, k) to (n, d).
    """
    from .._hypothesis import strategies as st

    width = st.integers(1, max_width)

    @st.composite
    def networks(draw: Any) -> "nn.Module":
        first = latent_dimension or draw(width)
        hidden = draw(st.lists(width, min_size=1, max_size=2))
        sizes = [first, *hidden, dimension or draw(width)]
        activation = draw(st.sampled_from(ACTIVATIONS))
        count = sum((m + 1) * n for m, n in pairwise(sizes))
        steps = draw(st.lists(st.integers(-16, 16), min_size=count, max_size=count))
        return _network(sizes, activation, np.array(steps) / 8.0)

    return networks()


def _network(sizes: list[int], activation: str, parameters: Any) -> "nn.Module":
    import torch
    from torch import nn

    layers: list[nn.Module] = []
    for inputs, outputs in pairwise(sizes):
        # on the meta device nothing is initialised, so no random number is drawn
        layer = nn.Linear(inputs, outputs, dtype=torch.float64, device="meta")
        layer.to_empty(device="cpu")
        layers += [layer, getattr(nn, activation)()]
    network = nn.Sequential(*layers[:-1])
    with torch.no_grad():
        nn.utils.vector_to_parameters(torch.from_numpy(parameters), network.parameters())
    return network

"""One computation of a constrained weight for several calls of the same critic."""

import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

import torch
from torch import Tensor, nn


class _Store(threading.local):
    weights: dict[tuple[int, bool, bool], tuple[nn.Module, Tensor]] | None = None


_STORE = _Store()


def shared_weights() -> AbstractContextManager[Any]:
    """Within this context each orthogonal layer computes its weight once, in this thread.

    For calls between which no parameter changes: a critic on x and on y. Under torch.compile it
    does nothing, for the compiler merges equal computations itself.
    """
    return nullcontext() if torch.compiler.is_compiling() else _sharing()


@contextmanager
def _sharing() -> Iterator[None]:
    outer = _STORE.weights
    _STORE.weights = {} if outer is None else outer
    try:
        yield
    finally:
        _STORE.weights = outer


def shared(layer: nn.Module, compute: Callable[[], Tensor]) -> Tensor:
    """``compute()``, or what it gave before in the same context with the same graph mode."""
    if torch.compiler.is_compiling() or _STORE.weights is None:
        return compute()
    key = (id(layer), torch.is_grad_enabled(), torch.is_inference_mode_enabled())
    if key not in _STORE.weights:
        _STORE.weights[key] = (layer, compute())  # the layer, so that its id stays taken
    return _STORE.weights[key][1]

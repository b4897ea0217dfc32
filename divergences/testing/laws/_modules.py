"""``check_critic`` and ``check_generator``, for torch modules."""

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from ..._array import is_tensor
from ..._validation import describe, refuse
from . import _critic, _generator
from ._law import LawFailure, LawReport
from ._probe import Probe
from ._subject import FunctionRaisedError, UnfitAnswerError, name_of


def check_critic(
    f: Callable[..., Any], K: float = 1.0, *, inputs: Any = None, seed: int = 0
) -> LawReport:
    r"""Check that a critic is a K-Lipschitz function, row by row.

    .. math:: |f(a) - f(b)| \le K \, \lVert a - b \rVert_2

    Pairs of points are drawn at scales from 0.01 to 10, near and far, and along the gradients of
    f. A pass is no proof; a failure is a counterexample, the pair ``a, b``.

    Parameters
    ----------
    f : torch.nn.Module, or callable on tensors or NumPy arrays
        Takes (n, ...) to (n,) or (n, 1). A module is copied (in float64) and left alone.
    K : float, default 1
        The Lipschitz constant for the Euclidean norm, positive.
    inputs : tensor, shape (n, ...), optional
        Typical inputs, at least two; standard normal ones of the first layer's shape by default.
    seed : int, default 0

    Returns
    -------
    LawReport
        Its laws: one number a row; is a function (no randomness); rows are separate (no batch
        norm in training mode); K-Lipschitz.

    Raises
    ------
    TypeError, ValueError
        If K is no positive number or inputs no such tensor.
    ModuleNotFoundError
        If torch is missing.

    Examples
    --------
    >>> import torch
    >>> from divergences.testing import laws
    >>> steep = torch.nn.Linear(1, 1)
    >>> _ = torch.nn.init.constant_(steep.weight, 3.0)
    >>> laws.check_critic(steep, 3.0).ok, laws.check_critic(steep, 1.0).ok
    (True, False)
    """
    number = isinstance(K, (int, float, np.number)) and not isinstance(K, bool)
    if not number or not 0 < K < np.inf:
        refuse("check_critic", "K", "be a positive number", describe(K))
    return _run(f, inputs, seed, "critic", _critic.checks(float(K)), 3)


def check_generator(g: Callable[..., Any], *, inputs: Any = None, seed: int = 0) -> LawReport:
    """Check what the paper's Theorems 1 and 3 ask of a generator.

    Parameters
    ----------
    g : torch.nn.Module
        Takes latent vectors (n, ...) to (n, ...). It is copied (in float64) and left alone; it is
        judged in the mode it is in, training or evaluation.
    inputs : tensor, shape (n, ...), optional
        Typical latent vectors, at least two; standard normal ones of the first layer's shape by
        default.
    seed : int, default 0

    Returns
    -------
    LawReport
        Its laws: one finite output a row; is a function (all randomness comes in as input); rows
        are separate; then, if these hold, continuous in the parameters (Theorem 1: no jump along a
        segment); autograd differentiates g; the gradient of the exact Wasserstein-1 distance to
        data, taken from the plan, is its derivative (Theorem 3).

    Raises
    ------
    TypeError, ValueError
        If g cannot be called or inputs are no such tensor.
    ModuleNotFoundError
        If torch is missing.

    Examples
    --------
    >>> import torch
    >>> from divergences.testing import laws
    >>> g = torch.nn.Sequential(torch.nn.Linear(2, 8), torch.nn.ReLU(), torch.nn.Linear(8, 3))
    >>> laws.check_generator(g).ok
    True
    """
    from torch import nn

    if not callable(g):
        refuse("check_generator", "g", "be a torch.nn.Module", describe(g), TypeError)
    if not isinstance(g, nn.Module):
        text = "a generator is a torch.nn.Module: half of its laws are about its parameters"
        return _unfit(g, "is a module", text, "generator", seed)
    return _run(g, inputs, seed, "generator", _generator.CHECKS, 3)


def _run(function: Any, inputs: Any, seed: int, kind: str, checks: Any, needs: int) -> LawReport:
    import torch

    name, original = name_of(function), function
    if not isinstance(function, torch.nn.Module):
        function = _on_tensors(function)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            probe = Probe(function, inputs, seed, f"check_{kind}")
        except (FunctionRaisedError, UnfitAnswerError) as error:
            return _unfit(original, "can be called", str(error), kind, seed)
        return _generator.run(probe, checks, name, kind, seed, needs)


def _unfit(function: Any, law: str, diagnosis: str, kind: str, seed: int) -> LawReport:
    """The report of what cannot be judged by the other laws."""
    nan = float("nan")
    failure = LawFailure(law, {}, nan, nan, diagnosis, f"the {kind} {law}")
    return LawReport(name_of(function), kind, (law,), (failure,), (), 1, seed)


def _on_tensors(function: Callable[..., Any]) -> Callable[..., Any]:
    """A function of tensors that hands NumPy arrays over where tensors are refused."""
    import torch

    def call(inputs: torch.Tensor) -> torch.Tensor:
        try:
            answer = function(inputs)
        except Exception:  # perhaps it knows NumPy only; what that raises is reported
            answer = function(inputs.numpy())
        return answer if is_tensor(answer) else torch.from_numpy(np.asarray(answer, dtype=float))

    return call

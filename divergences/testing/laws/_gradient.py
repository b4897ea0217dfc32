"""The law of gradients of functions of tensors: no NaN, also where a probability is zero."""

import sys

import numpy as np

from . import _f_divergence
from ._law import Comparison, Example, Law
from ._subject import FunctionRaisedError, Subject, as_number


def _no_nan(d: Subject, e: Example) -> Comparison | None:
    """Whether gradients in p and q are free of NaN; says nothing about functions without one."""
    torch = sys.modules.get("torch")
    if torch is None:
        return None
    p, q = (torch.tensor(e[name], requires_grad=True) for name in ("p", "q"))
    try:
        value = d.function(*((p[None], q[None]) if d.batched else (p, q)))
        if getattr(value, "grad_fn", None) is None or not np.isfinite(as_number(value)[0]):
            return None
        gradients = torch.autograd.grad(value.sum(), (p, q), allow_unused=True)
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        if d.library == "numpy":  # it need not know tensors
            return None
        raise FunctionRaisedError(error) from error
    bad = sum(int(gradient.isnan().sum()) for gradient in gradients if gradient is not None)
    return Comparison(float(bad), "==", 0.0)


def gradient_law() -> Law:
    """No NaN in the gradients of a finite value."""
    return Law("gradients are no NaN", "backward() of a finite value has no NaN (shown: how many)",
               _f_divergence.pairs, _no_nan, _f_divergence.CORNERS)  # fmt: skip

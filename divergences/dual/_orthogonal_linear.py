"""Dense layers that are orthogonal whatever the optimiser does."""

import torch
from torch import Tensor, nn

from divergences._validation import describe, one_of, refuse

from ._matrix_norm import spectral_norm_bound
from ._orthogonalize import METHODS
from ._shared_weights import shared


class OrthogonalLinear(nn.Module):
    r"""Dense layer whose weight has orthonormal rows or columns, 1-Lipschitz by construction.

    .. math:: z \mapsto W z + b, \qquad W^\top W = I \;\text{or}\; W W^\top = I

    (the first where there are at least as many outputs as inputs). It keeps the norm of gradients
    that pass through it, which scaled weights (spectral normalisation) do not: their other
    singular values are below 1.

    Parameters
    ----------
    in_features, out_features : int
        At least 1.
    bias : bool, default True
    method : "cayley", "householder", "exponential" or "bjorck", default "cayley"
        How the weight is made of the free parameter ``raw``. Cayley is one linear solve. The
        reflections give matrices of one fixed determinant sign, the exponential costs O(max^3),
        Björck needs matrix products only.
    generator : torch.Generator, optional
        Of the initial parameters, on the CPU; torch's global state without one.
    device, dtype : optional
        Of the parameters, as torch's layers.

    Raises
    ------
    TypeError, ValueError
        For features that are no positive integers, or an unknown method.

    Notes
    -----
    The free parameter has the shape of the weight, so any optimiser of torch trains it and
    ``state_dict`` holds it. The weight is computed at every call, in at least float32 also under
    autocast, O(m n^2) with m >= n the two numbers of features; calls within ``dual_objective``
    share it. A last Newton step brings W' W to I up to a few units of rounding, and
    :meth:`lipschitz_bound` measures what is left, so the certificate assumes nothing.

    References
    ----------
    Anil, Lucas, Grosse, Sorting out Lipschitz function approximation (2019); for the methods see
    the functions in ``_orthogonalize.py``.

    Examples
    --------
    >>> layer = OrthogonalLinear(3, 5, generator=torch.Generator().manual_seed(0))
    >>> bool(torch.allclose(layer.weight.T @ layer.weight, torch.eye(3), atol=1e-6))
    True
    """

    def __init__(
        self,
        in_features: int,
        out_features: int,
        bias: bool = True,
        *,
        method: str = "cayley",
        generator: torch.Generator | None = None,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        super().__init__()
        for name, count in (("in_features", in_features), ("out_features", out_features)):
            positive_count(count, name, "OrthogonalLinear")
        self.method = one_of(method, "method", tuple(METHODS), "OrthogonalLinear")
        self.in_features, self.out_features = in_features, out_features
        shape = max(in_features, out_features), min(in_features, out_features)
        start = torch.randn(shape, generator=generator) / shape[0] ** 0.5
        if method == "bjorck":  # whose steps are few if it starts well conditioned
            start = torch.linalg.qr(start).Q
        self.raw = nn.Parameter(start.to(device=device, dtype=dtype or torch.get_default_dtype()))
        self.bias = nn.Parameter(self.raw.new_zeros(out_features)) if bias else None

    @property
    def weight(self) -> Tensor:
        """The orthogonal matrix, shape (out_features, in_features), with its graph."""
        return shared(self, self._weight)

    def _weight(self) -> Tensor:
        with torch.autocast(self.raw.device.type, enabled=False):
            half = self.raw.dtype in (torch.float16, torch.bfloat16)
            tall = METHODS[self.method](self.raw.float() if half else self.raw)
            tall = tall.to(self.raw.dtype)
        return tall if self.out_features >= self.in_features else tall.mT

    def forward(self, points: Tensor) -> Tensor:
        """Map (..., in_features) to (..., out_features)."""
        return nn.functional.linear(points, self.weight, self.bias)

    def lipschitz_bound(self) -> float:
        """The proven spectral norm of the weight as it is; about 1."""
        with torch.no_grad():
            return spectral_norm_bound(self._weight())

    def extra_repr(self) -> str:
        """What ``print`` shows of the options."""
        return f"{self.in_features}, {self.out_features}, method={self.method!r}"


def positive_count(value: object, parameter: str, function: str) -> None:
    """Demand an integer of at least 1."""
    if isinstance(value, bool) or not isinstance(value, int):
        refuse(function, parameter, "be a positive integer", describe(value), TypeError)
    if value < 1:
        refuse(function, parameter, "be a positive integer", repr(value))

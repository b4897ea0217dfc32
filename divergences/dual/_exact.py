"""The exact critic of two discrete laws, as a torch module."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from divergences import TransportResult
from divergences._transport_result import no_critic
from divergences._validation import describe, refuse


class ExactCritic(nn.Module):
    r"""An optimal critic of the dual, from an exact solution.

    .. math:: f(z) = \min_j \bigl( d(z, y_j) - v_j \bigr)

    with the potentials :math:`v` of a :class:`~divergences.TransportResult`. It is 1-Lipschitz
    under the metric of the result, and its dual objective at the measures that were solved *is*
    their Wasserstein-1 distance (theorem 3 of the paper).

    **Its gradient at the data is undefined.** At every :math:`y_j` there is the apex of a cone, and
    where the optimal potentials are not unique there are ties at the :math:`x_i` as well; autograd
    returns a subgradient that may be 0 or wrong by a factor. A generator's exact gradient comes
    from the *plan*: differentiate ``wasserstein1(x, y)``, or the ``value`` of the result, not the
    mean of this critic over the generator's own samples. Elsewhere the gradient is that of the
    nearest cone, of length 1 almost everywhere.

    Parameters
    ----------
    result : TransportResult
        Of points under a metric (not of ``cost=``), solved with NumPy or torch.

    Raises
    ------
    TypeError, ValueError
        For anything else; when called, for points that require a gradient where the metric is a
        function of NumPy arrays, through which none flows.

    Notes
    -----
    It has no parameters: there is nothing left to train. ``forward`` maps (n, d) to (n,) in the
    dtype of its argument, computed in float64 on the host; O(n m d).

    References
    ----------
    Villani, Optimal Transport: Old and New (2009), theorem 5.10; McShane, Extension of range of
    functions (1934).

    Examples
    --------
    >>> import torch
    >>> from divergences import optimal_transport
    >>> from divergences.dual import dual_objective
    >>> x, y = torch.tensor([[0.0], [1.0]]), torch.tensor([[2.0], [4.0]])
    >>> critic = ExactCritic(optimal_transport(x, y))
    >>> dual_objective(critic, x, y)
    tensor(2.5000)
    """

    def __init__(self, result: TransportResult) -> None:
        super().__init__()
        if not isinstance(result, TransportResult):
            refuse("ExactCritic", "result", "be a TransportResult", describe(result), TypeError)
        if result._critic is no_critic:
            refuse("ExactCritic", "result", "be of points under a metric", "one of cost=")
        self._function: Callable[[Any], Any] = result.critic
        self._metric = getattr(result._critic, "metric", None)
        given = getattr(result._critic, "y", None)  # of a metric that is a callable
        self._of_arrays = given is not None and not isinstance(given, Tensor)
        anchors = getattr(result._critic, "anchors", None)
        self._dimension = 0 if anchors is None else int(anchors.shape[1])

    def forward(self, z: Tensor) -> Tensor:
        """Values at the points (n, d), shape (n,)."""
        if not isinstance(z, Tensor):
            refuse("ExactCritic", "z", "be a torch tensor", describe(z), TypeError)
        if not self._of_arrays:
            values = self._function(z)
            assert isinstance(values, Tensor)
            return values
        if z.requires_grad and torch.is_grad_enabled():
            needed = "require no gradient, as the metric is a function of NumPy arrays"
            refuse("ExactCritic", "z", needed, describe(z), TypeError)
        return torch.from_numpy(self._function(z.detach().double().cpu().numpy())).to(z)

    def lipschitz_bound(self) -> float:
        """Of the function in the Euclidean norm: 1, or what the norm of the result makes of it.

        A norm of order p below 2 exceeds the Euclidean one up to the factor d^(1/p - 1/2).

        Raises
        ------
        NotImplementedError
            For the angular metric, and for one given as a callable.
        """
        if self._metric is None or not self._metric.is_norm:
            message = "ExactCritic.lipschitz_bound: no Euclidean bound is known for this metric"
            raise NotImplementedError(message)
        excess = max(0.0, 1 / self._metric.order - 0.5)
        bound: float = self._dimension**excess
        return bound * (1 + 2.0**-48) if excess > 0 else 1.0

"""The cone critic: 1-Lipschitz whatever its parameters are."""

import torch
from torch import Tensor, nn

from divergences._validation import describe, one_of, real_number, refuse

from ._cone_envelope import smooth_maximum, squared_distances

KINDS = ("max", "min")


class ConeCritic(nn.Module):
    r"""The largest of many cones, a critic that is 1-Lipschitz by construction.

    .. math::
        f(x) = \max_k \bigl( b_k - \lVert x - a_k \rVert \bigr)
        \qquad\text{or}\qquad
        f(x) = \min_k \bigl( \lVert x - a_k \rVert - b_k \bigr)

    with a *temperature* :math:`\tau > 0` the maximum is the smooth one,
    :math:`\tau \log \sum_k \exp((b_k - \lVert x - a_k \rVert)/\tau)`, whose gradient is an average
    of those of the cones: the constant 1 stays, and every cone learns.

    An optimal critic of two discrete laws has this form, with cones at the atoms of either one, so
    with enough cones every Wasserstein-1 distance is reached. Few cones are well specified where
    transport rays meet in few points; a linear critic (two laws that differ by a translation) is
    one cone infinitely far away, which training approaches slowly.

    Parameters
    ----------
    anchors : floating tensor, shape (k, d)
        :math:`a_k`, where the cones start from; copied.
    heights : floating tensor of shape (k,), optional
        :math:`b_k`; zero by default.
    kind : "max" or "min"
        Cones that point up (the data are the more concentrated ones), or down.
    temperature : float, default 0
        :math:`\tau`, at least 0, in the units of the points.

    Raises
    ------
    TypeError, ValueError
        For anything else.

    Notes
    -----
    ``forward`` maps (n, d) to (n,) in O(n k d). At an apex the gradient is 0 (a subgradient), never
    NaN. In evaluation mode distances come from coordinate differences; in training mode, from
    five coordinates on, from inner products of centred points, which is several times faster and
    off by up to :math:`\sqrt\epsilon` of their size near an apex: fine for a gradient step, so
    call ``eval()`` before numbers are to be trusted. With a temperature, training mode has a
    backward pass of its own (one matrix product for each gradient); second derivatives, ``vmap``
    and ``torch.func`` work through it.

    References
    ----------
    Korotin, Kolesov, Burnaev, Kantorovich Strikes Back! (2022), section 4, whose benchmark laws
    have such functions (with k = 4 to 256) as optimal critics: there this critic has an advantage
    that no other network has.

    Examples
    --------
    >>> import torch
    >>> critic = ConeCritic(torch.tensor([[0.0, 0.0], [4.0, 0.0]])).eval()
    >>> critic(torch.tensor([[0.0, 3.0], [4.0, 1.0]]))
    tensor([-3., -1.], grad_fn=<AmaxBackward0>)
    >>> critic.lipschitz_bound()
    1.0
    """

    def __init__(
        self,
        anchors: Tensor,
        heights: Tensor | None = None,
        *,
        kind: str = "max",
        temperature: float = 0.0,
    ) -> None:
        super().__init__()
        name = "ConeCritic"
        if not isinstance(anchors, Tensor) or not anchors.is_floating_point():
            refuse(name, "anchors", "be a floating torch tensor", describe(anchors), TypeError)
        if anchors.ndim != 2 or 0 in anchors.shape:
            refuse(name, "anchors", "have shape (k, d)", describe(anchors))
        if heights is None:
            heights = anchors.new_zeros(anchors.shape[0])
        if not isinstance(heights, Tensor) or heights.shape != anchors.shape[:1]:
            refuse(name, "heights", f"have shape ({anchors.shape[0]},)", describe(heights))
        real_number(temperature, "temperature", name)
        if temperature < 0:
            refuse(name, "temperature", "be at least 0", repr(temperature))
        self.anchors = nn.Parameter(anchors.detach().clone())
        self.heights = nn.Parameter(heights.detach().to(anchors).clone())
        self.kind = one_of(kind, "kind", KINDS, name)
        self.temperature = float(temperature)

    def forward(self, x: Tensor) -> Tensor:
        """Values at the points (n, d), shape (n,)."""
        dimension = self.anchors.shape[1]
        if x.ndim != 2 or x.shape[1] != dimension:  # torch would repeat a single coordinate
            refuse("ConeCritic", "x", f"have shape (n, {dimension})", describe(x))
        top = self._smooth(x) if self.temperature > 0 else (self.heights - self._far(x)).amax(dim=1)
        return top if self.kind == "max" else -top

    def _smooth(self, x: Tensor) -> Tensor:
        if self.training:
            return smooth_maximum(x, self.anchors, self.heights, self.temperature)
        levels = self.heights - self._far(x)
        return self.temperature * torch.logsumexp(levels / self.temperature, dim=1)

    def _far(self, x: Tensor) -> Tensor:
        if self.training:
            return squared_distances(x, self.anchors).sqrt()
        return torch.cdist(x, self.anchors, compute_mode="donot_use_mm_for_euclid_dist")

    def lipschitz_bound(self) -> float:
        """1, exactly: of the function that the parameters define, in the Euclidean norm."""
        return 1.0

    def get_extra_state(self) -> Tensor:
        """The temperature, which belongs to the function but is no parameter."""
        return torch.tensor(self.temperature, dtype=torch.float64)

    def set_extra_state(self, state: Tensor) -> None:
        """Take the temperature from a ``state_dict``."""
        self.temperature = float(state)

    def extra_repr(self) -> str:
        """Numbers that describe the critic, for ``repr``."""
        count, dimension = self.anchors.shape
        return f"{count} cones in R^{dimension}, kind={self.kind!r}, temperature={self.temperature}"

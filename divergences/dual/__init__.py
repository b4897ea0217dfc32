"""The Kantorovich-Rubinstein dual in torch: objective, Lipschitz constraints, the ascent step.

Everything here has one sign: a critic ``f`` is large on ``x`` (the data) and small on ``y`` (the
model), and the dual objective ``E_x f - E_y f`` is to be *maximised* over 1-Lipschitz ``f``.

`wasserstein1_dual` trains a critic and returns certified lower bounds; `lipschitz_bound` proves an
upper bound of a critic's slope; `ascent_step` with a constraint such as `WeightClipping` is one
step of the paper's critic.
"""

from ._active_cones import ActiveCones
from ._adversarial import (
    adversarial_objective,
    js_lower_estimate,
    nonsaturating_generator_loss,
    saturating_generator_loss,
)
from ._aol import AOLConv2d
from ._ascent import ascent_step
from ._builders import orthogonal_mlp, penalised_mlp
from ._c_transform import CTransformPenalty
from ._certificate import lipschitz_bound
from ._clipping import WeightClipping
from ._combinations import CriticMaximum, CriticSum, Residual
from ._cones import ConeCritic
from ._constraint import Constraint
from ._empirical import empirical_lipschitz
from ._estimate import DualEstimate, wasserstein1_dual
from ._exact import ExactCritic
from ._gradient_penalty import GradientPenalty, OneSidedGradientPenalty
from ._group_sort import GroupSort, MaxMin
from ._maxout import MaxoutCritic
from ._objective import dual_objective, model_term
from ._orthogonal_linear import OrthogonalLinear
from ._proof import certified_lower_bound
from ._ridge import RidgeCritic
from ._rmsprop import RMSprop
from ._semidiscrete import semidiscrete_critic
from ._skew_convolution import SkewOrthogonalConv2d
from ._sll import SLLConv2d, SLLLinear
from ._spectral import SpectralClipping, SpectralNormalization
from ._sphere import SphereProjection
from ._training import CollapsedCriticError, NonFiniteObjectiveError, Progress
from ._zero_centered_penalty import ZeroCenteredGradientPenalty

__all__ = [
    "AOLConv2d",
    "ActiveCones",
    "CTransformPenalty",
    "CollapsedCriticError",
    "ConeCritic",
    "Constraint",
    "CriticMaximum",
    "CriticSum",
    "DualEstimate",
    "ExactCritic",
    "GradientPenalty",
    "GroupSort",
    "MaxMin",
    "MaxoutCritic",
    "NonFiniteObjectiveError",
    "OneSidedGradientPenalty",
    "OrthogonalLinear",
    "Progress",
    "RMSprop",
    "Residual",
    "RidgeCritic",
    "SLLConv2d",
    "SLLLinear",
    "SkewOrthogonalConv2d",
    "SpectralClipping",
    "SpectralNormalization",
    "SphereProjection",
    "WeightClipping",
    "ZeroCenteredGradientPenalty",
    "adversarial_objective",
    "ascent_step",
    "certified_lower_bound",
    "dual_objective",
    "empirical_lipschitz",
    "js_lower_estimate",
    "lipschitz_bound",
    "model_term",
    "nonsaturating_generator_loss",
    "orthogonal_mlp",
    "penalised_mlp",
    "saturating_generator_loss",
    "semidiscrete_critic",
    "wasserstein1_dual",
]

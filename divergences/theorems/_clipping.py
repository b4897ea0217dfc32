r"""Section 3 on clipping: a small limit lets gradients vanish with depth, a large one grow."""

import math

import numpy as np

from .._typing import Float64Array
from . import _necessity
from ._binomial import count_range
from ._claim import ULP, Claim, FalseVariant, Relation, at_most, equal
from ._distances import norm
from ._variants import rewritten, times

NETWORKS = 40
MULTIPLE = 2.0


def input_gradient(weights: list[Float64Array], x: Float64Array) -> Float64Array:
    """The gradient at ``x`` of a ReLU network without biases, of one output."""
    masks, h = [], x
    for weight in weights[:-1]:
        affine = weight @ h
        masks.append(affine > 0)
        h = affine * masks[-1]
    back = weights[-1][0]
    for weight, mask in zip(reversed(weights[:-1]), reversed(masks), strict=True):
        back = (back * mask) @ weight
    return np.asarray(back)


def signs(rng: np.random.Generator, widths: tuple[int, ...], c: float) -> list[Float64Array]:
    """Weights that are all c or -c, as clipping leaves most of them."""
    shapes = zip(widths[1:], widths, strict=False)
    return [c * rng.choice([-1.0, 1.0], size=shape) for shape in shapes]


def check_dilemma(rng: np.random.Generator, index: int) -> tuple[Relation, ...]:
    r"""The bound on the gradient, its exact second moment over random signs, its extreme value.

    Over independent signs E|grad f|^2 = n_0 c^2 (n c^2/2)^(L-1): turning all signs of a row turns
    its unit on or off, so each of n units passes half of the time, independently of the squares.
    """
    _ = index
    depth, width, inputs = (
        int(rng.integers(1, 6)),
        int(rng.integers(4, 65)),
        int(rng.integers(1, 9)),
    )
    c = 10.0 ** rng.uniform(-2, 0)
    widths = (inputs, *(width,) * (depth - 1), 1)
    bound = math.prod(c * math.sqrt(n * m) for n, m in zip(widths[1:], widths, strict=False))
    x = rng.normal(size=inputs)
    draws = [signs(rng, widths, c) for _ in range(NETWORKS)]
    sizes = np.array([float(norm(input_gradient(weights, x))) for weights in draws])
    moment = inputs * c * c * (width * c * c / 2.0) ** (depth - 1)
    many = int((sizes**2 >= MULTIPLE * moment * (1 + 1e-9)).sum())
    _, most = count_range(NETWORKS, 1.0 / MULTIPLE)
    positive = [np.full((n, m), c) for n, m in zip(widths[1:], widths, strict=False)]
    extreme = float(norm(input_gradient(positive, np.abs(x) + 0.1)))
    return (
        at_most("|grad f| <= prod c sqrt(n_l n_l-1)", sizes.max(), bound, 64 * ULP * bound),
        equal("all entries c: |grad f| = prod c sqrt(n_l n_l-1)", extreme, bound,
              256 * ULP * bound),
        at_most("#(|grad f|^2 >= 2 n_0 c^2 (n c^2/2)^(L-1)) by Markov", float(many), float(most)),
    )  # fmt: skip


def _biased_signs(rng: np.random.Generator, index: int) -> tuple[Relation, ...]:
    """All entries c: the second moment over fair signs says nothing about them."""
    _ = index
    depth, width = int(rng.integers(3, 6)), int(rng.integers(16, 65))
    widths = (4, *(width,) * (depth - 1), 1)
    weights = [np.full((n, m), 0.1) for n, m in zip(widths[1:], widths, strict=False)]
    size = float(norm(input_gradient(weights, np.ones(4))))
    moment = 4 * 0.01 * (width * 0.01 / 2.0) ** (depth - 1)
    many = float(NETWORKS * (size**2 >= MULTIPLE * moment))
    return (at_most("#(|grad f|^2 >= 2 E|grad f|^2) by Markov", many,
                    float(count_range(NETWORKS, 1.0 / MULTIPLE)[1])),)  # fmt: skip


CLAIMS = (
    Claim(
        id="clipping_dilemma",
        title="Small limits lose the gradient, large ones blow it up",
        statement=r"\text{clipping to } [-c, c]: \quad "
        r"c \text{ small: vanishing gradients with depth}",
        summary="|grad f| <= prod c sqrt(n n'); its second moment",
        inequality=r"\Vert \nabla_x f \Vert \le \prod_l c \sqrt{n_l n_{l-1}}, \quad "
        r"E \Vert \nabla_x f \Vert^2 = n_0 c^2 (n c^2/2)^{L-1} \text{ over signs}",
        source="section 3, the paragraph on clipping",
        hypotheses=(
            "ReLU layers without bias",
            "entries all c or -c with independent signs, for the second moment",
            "the count of exceedances is within an exact binomial bound of level 1e-9",
        ),
        cases=60,
        check=check_dilemma,
        domain="1 to 5 layers, widths 4 to 64, c from 0.01 to 1; 40 networks a case",
        false_variants=(
            rewritten("all entries c: half of the bound", check_dilemma, "all entries c",
                      times(0.5)),
            FalseVariant("the second moment holds without independent signs", _biased_signs),
            FalseVariant("the second moment holds with biases", _necessity.open_units),
        ),
    ),
)  # fmt: skip

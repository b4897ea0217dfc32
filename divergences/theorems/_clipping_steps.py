r"""Section 3 on clipping: how many steps a critic's weights take until they all sit at the limit.

RMSProp divides a steady gradient by its own size. From rest, with decay a, step k moves a weight by
rate / sqrt(1 - a^k), so n steps move it by rate S_n, S_n = sum_{k<=n} 1/sqrt(1 - a^k), and

.. math:: n \le S_n \le n + \int_0^\infty \Bigl(\frac{1}{\sqrt{1 - a^u}} - 1\Bigr) du
          = n + \frac{2 \log 2}{\log(1/a)}.
"""

import math
from typing import Any

import numpy as np

from .._typing import Float64Array
from . import _necessity
from ._claim import ULP, Claim, FalseVariant, Relation, at_most, equal
from ._variants import rewritten, times


def moved(steps: int, decay: float) -> float:
    """S_n, in units of the rate."""
    return math.fsum(1.0 / math.sqrt(1.0 - decay**k) for k in range(1, steps + 1))


def until_saturation(
    optimizer: Any, critic: Any, x: Float64Array, y: Float64Array, c: float, most: int
) -> int:
    """Steps of the library's ascent with clipping until all weights are c in magnitude."""
    import torch

    from ..dual import WeightClipping, ascent_step

    data, model = torch.tensor(x), torch.tensor(y)
    for step in range(1, most + 1):
        ascent_step(critic, optimizer, data, model, WeightClipping(c))
        if bool((critic.weight.detach().abs() == c).all()):
            return step
    return most + 1


def linear_critic(dimension: int) -> Any:
    """f(x) = w . x with w = 0, in double precision; no random number is drawn."""
    import torch
    from torch import nn

    layer = nn.Linear(dimension, 1, bias=False, dtype=torch.float64, device="meta")
    layer.to_empty(device="cpu")
    nn.init.zeros_(layer.weight)
    return layer


def _laws(rng: np.random.Generator) -> tuple[Float64Array, Float64Array]:
    """Points and a translate of them: the gradient in w is the shift, at every w."""
    dimension, size = int(rng.integers(1, 6)), int(rng.integers(1, 9))
    shift = rng.choice([-1.0, 1.0], size=dimension) * rng.uniform(0.1, 2.0, size=dimension)
    y = rng.normal(size=(size, dimension))
    return y + shift, y


def check_steps(rng: np.random.Generator, index: int) -> tuple[Relation, ...]:
    """The steps of one linear critic, counted and computed."""
    import torch

    x, y = _laws(rng)
    steps, decay = 2 + index % 40, rng.uniform(0.5, 0.99)
    rate = 10.0 ** rng.uniform(-5, -2)
    before, after = moved(steps - 1, decay), moved(steps, decay)
    c = rate * (before + rng.uniform(0.1, 0.9) * (after - before))  # reached at step `steps`
    critic = linear_critic(x.shape[1])
    optimizer = torch.optim.RMSprop(critic.parameters(), lr=rate, alpha=decay)
    counted = until_saturation(optimizer, critic, x, y, c, 2 * steps + 2)
    excess = 2.0 * math.log(2.0) / -math.log(decay)
    gap = float((critic(torch.tensor(x)).mean() - critic(torch.tensor(y)).mean()).detach())
    bound = c * float(np.abs((x - y)[0]).sum())
    size = float(np.abs(x).max()) + float(np.abs(y).max())
    return (
        equal("steps until saturation = min{n: rate S_n >= c}", float(counted), float(steps)),
        at_most("steps until saturation <= c/rate + 1", float(counted), c / rate + 1.0),
        at_most("c/rate - 2 log 2/log(1/a) <= steps until saturation", c / rate - excess,
                float(counted)),
        equal("saturated: E_P f - E_Q f = c |shift|_1", gap, bound,
              64 * ULP * c * size * x.size),
    )  # fmt: skip


def _plain_ascent(rng: np.random.Generator, index: int) -> tuple[Relation, ...]:
    """Without RMSProp's division a small gradient takes as many more steps as it is small."""
    import torch

    _ = index
    _, y = _laws(rng)
    x, critic = y + 0.1, linear_critic(y.shape[1])
    rate, steps = 1e-3, 20
    optimizer = torch.optim.SGD(critic.parameters(), lr=rate)
    counted = until_saturation(optimizer, critic, x, y, rate * (steps - 0.5), 2 * steps)
    return (at_most("steps until saturation <= c/rate + 1", float(counted), steps + 0.5),)


CLAIMS = (
    Claim(
        id="clipping_steps",
        title="A large clipping limit is slow to reach",
        statement=r"\text{clipping to } [-c, c]: \quad c \text{ large: it takes long for any "
        r"weights to reach their limit}",
        summary="RMSProp: a steady gradient takes c/rate steps",
        inequality=r"n = \min\{n: \eta S_n \ge c\}, \quad S_n = \sum_{k \le n} "
        r"\frac{1}{\sqrt{1 - a^k}}, \quad "
        r"\frac{c}{\eta} - \frac{2 \log 2}{\log(1/a)} \le n \le \frac{c}{\eta} + 1",
        source="section 3, the paragraph on clipping",
        hypotheses=("a steady gradient: a linear critic on fixed samples", "RMSProp from rest"),
        cases=80,
        check=check_steps,
        domain="linear critics on R^1 to R^5; decays from .5 to .99, 2 to 41 steps, by ascent_step",
        false_variants=(
            rewritten("half of c/rate steps suffice", check_steps,
                      "steps until saturation <=", times(0.5)),
            FalseVariant("plain gradient ascent is as fast", _plain_ascent),
            FalseVariant("the gradient may change its sign", _necessity.restless_gradient),
            FalseVariant("RMSProp may have seen larger gradients", _necessity.warm_start),
        ),
        requires=("torch",),
    ),
)  # fmt: skip

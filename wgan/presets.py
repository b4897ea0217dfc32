"""Options of runs by name: the paper's experiments, and small ones to begin with.

The paper's runs want ``--data``: bedrooms of 64 by 64 pixels in the paper, any packed set here.
"""

from typing import Any

_PAPER: dict[str, Any] = {
    "latent": 100,
    "batch_size": 64,
    "steps": 200_000,
    "log_every": 100,
    "eval_every": 1000,
    "checkpoint_every": 1000,
}
_WGAN = {**_PAPER, "algorithm": "wgan-2017"}
_RING: dict[str, Any] = {
    "data": "ring",
    "generator": "mlp,widths=64x64x64x64",
    "latent": 2,
    "batch_size": 256,
    "beta1": 0.5,
    "beta2": 0.9,
    "critic_steps": 3,
    "steps": 3500,
    "decay_steps": 3500,
    "decay": "cosine",
    "average_decay": 0.995,
    "log_every": 50,
    "eval_every": 500,
    "checkpoint_every": 1000,
}
_GRID: dict[str, Any] = {
    **_RING,
    "data": "grid",
    "generator": "mlp,widths=128x128x128x128,skip=3",
    "steps": 6000,
    "decay_steps": 6000,
}
_CERTIFIED: dict[str, Any] = {
    "algorithm": "wgan-orthogonal",
    "beta1": 0.0,
    "steps": 7000,
    "decay_steps": 7000,
    "average_decay": 0.998,
    "learning_rate": 2.5e-3,
    "critic_learning_rate": 7e-3,
}

PRESETS: dict[str, dict[str, Any]] = {
    "digits": {"data": "digits"},
    "ring-gp": {
        **_RING,
        "algorithm": "wgan-gp",
        "critic": "mlp,widths=64x64x64",
        "penalty": 0.1,
        "learning_rate": 3e-3,
    },
    "ring-orthogonal": {
        **_RING,
        **_CERTIFIED,
        "critic": "orthogonal,widths=16,cones=256",
    },
    "ring-gan": {
        **_RING,
        "algorithm": "gan",
        "critic": "mlp,widths=64x64x64",
        "critic_steps": 1,
        "learning_rate": 1e-3,
    },
    "grid-gp": {
        **_GRID,
        "algorithm": "wgan-gp",
        "critic": "mlp,widths=128x128x128,kinks=data,negative_slope=0.1",
        "critic_steps": 5,
        "penalty": 0.1,
        "learning_rate": 4e-3,
        "critic_learning_rate": 8e-3,
        "beta2": 0.99,
        "steps": 14_000,
        "decay_steps": 14_000,
        "average_decay": 0.999,
    },
    "grid-orthogonal": {
        **_GRID,
        **_CERTIFIED,
        "critic": "orthogonal,widths=,cones=256,start=data,anchor_rate=0.1,temperature=0.05",
        "critic_learning_rate": 1e-2,
        "critic_decays": False,
        "beta2": 0.99,
        "steps": 10_000,
        "decay_steps": 10_000,
    },
    "grid-gan": {
        **_GRID,
        "algorithm": "gan",
        "critic": "mlp,widths=128x128x128,kinks=data,negative_slope=0.1",
        "critic_steps": 1,
        "learning_rate": 1e-3,
    },
    "paper-dcgan": {**_WGAN, "generator": "dcgan", "critic": "dcgan"},
    "paper-plain": {**_WGAN, "generator": "dcgan-plain", "critic": "dcgan"},
    "paper-mlp": {**_WGAN, "generator": "mlp,tanh=no", "critic": "dcgan"},
}
"""Options by the name that ``--preset`` takes; what a preset leaves out has its default.

ring-gp and ring-orthogonal resolve eight narrow Gaussians in the plane; grid-gp and grid-orthogonal
are for the grid of 25; ring-gan and grid-gan are the standard GAN on the networks of ring-gp and
grid-gp. paper-dcgan, paper-plain and paper-mlp are the WGANs of Figures 5 to 7: the authors'
program with a DCGAN, a DCGAN without batch normalisation and with a constant number of filters, and
a perceptron of four layers of 512 as generator, each against a DCGAN as critic.
"""

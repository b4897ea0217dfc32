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

PRESETS: dict[str, dict[str, Any]] = {
    "digits": {"data": "digits"},
    "paper-dcgan": {**_WGAN, "generator": "dcgan", "critic": "dcgan"},
    "paper-plain": {**_WGAN, "generator": "dcgan-plain", "critic": "dcgan"},
    "paper-mlp": {**_WGAN, "generator": "mlp,tanh=no", "critic": "dcgan"},
}
"""Options by the name that ``--preset`` takes; what a preset leaves out has its default.

paper-dcgan, paper-plain and paper-mlp are the WGANs of Figures 5 to 7: the authors' program with a
DCGAN, a DCGAN without batch normalisation and with a constant number of filters, and a perceptron
of four layers of 512 as generator, each against a DCGAN as critic.
"""

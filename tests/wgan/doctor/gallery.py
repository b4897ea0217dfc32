"""Runs that are sick on purpose, each with the rule meant for it; and healthy ones."""

from wgan import TrainingConfig
from wgan.presets import PRESETS

SMALL = {
    "data": "ring",
    "generator": "mlp,widths=32x32",
    "critic": "mlp,widths=32x32",
    "latent": 4,
    "batch_size": 32,
    "steps": 200,
    "eval_every": 50,
    "checkpoint_every": 200,
    "log_every": 10,
    "device": "cpu",
}
"""What a run of the gallery has where it says nothing else: about two seconds."""

DEEP = "mlp,widths=32x32x32x32x32x32x32x32"

SICK = {
    "learning rate of nothing": ("flat curve", {"learning_rate": 1e-9}),
    "discriminator too good": (
        "flat curve",
        {
            "algorithm": "gan",
            "data": "digits",
            "critic_steps": 10,
            "learning_rate": 5e-3,
            "saturating": True,
            "steps": 400,
            "eval_every": 100,
        },
    ),
    "deep and clipped": (
        "vanishing critic gradient",
        {"critic": DEEP},
    ),
    "deep and clipped, generator": (
        "dead generator",
        {"critic": DEEP},
    ),
    "a critic's rate hundreds of times too high": (
        "dead critic",
        {"algorithm": "wgan-gp", "critic_learning_rate": 0.3, "learning_rate": 1e-3},
    ),
    "steep and deep": (
        "exploding critic gradient",
        {"critic": "mlp,widths=64x64x64x64x64x64", "clip": 1.0, "learning_rate": 0.02},
    ),
    "clip below the step": ("saturated clipping", {"clip": 1e-4, "critic": "mlp,widths=64"}),
    "momentum in the critic": (
        "negative estimate",
        {"algorithm": "wgan-gp", "learning_rate": 0.01, "beta1": 0.95, "critic_steps": 1},
    ),
    "a rate thousands of times too high": (
        "moving away",
        {
            "algorithm": "wgan-gp",
            "data": "digits",
            "critic": "mlp,widths=64x64",
            "generator": "mlp,widths=64x64",
            "learning_rate": 0.3,
        },
    ),
    "one critic step, narrow discriminator": (
        "mode loss",
        {
            "algorithm": "gan",
            "learning_rate": 1e-3,
            "latent": 2,
            "generator": "mlp,widths=128x128",
            "critic": "mlp,widths=16",
            "steps": 1000,
            "eval_every": 100,
        },
    ),
}
"""(rule, options) by the name of a sick run."""


DIGITS = {"data": "digits", "generator": "small", "critic": "small", "latent": 64, "batch_size": 64}
WIDE = {"generator": "mlp,widths=64x64", "critic": "mlp,widths=64x64"}

OTHER_SICK = {
    "digits, learning rate of nothing": ("flat curve", {**DIGITS, "learning_rate": 1e-10}),
    "digits, deep and clipped": (
        "vanishing critic gradient",
        {**DIGITS, "clip": 0.005, "critic": "mlp,widths=64x64x64x64x64x64"},
    ),
    "grid, small clip": (
        "dead generator",
        {"data": "grid", "clip": 0.001, "critic": "mlp,widths=48x48x48x48"},
    ),
    "digits, steep and deep": (
        "exploding critic gradient",
        {**DIGITS, "clip": 0.5, "learning_rate": 0.01, "critic": "mlp,widths=128x128x128x128x128"},
    ),
    "swiss roll, clip below the step": (
        "saturated clipping",
        {"data": "swiss-roll", "clip": 5e-5, "critic": "mlp,widths=128"},
    ),
    "a rate far too high for the penalty": (
        "moving away",
        {
            "algorithm": "wgan-gp",
            "critic_steps": 1,
            "learning_rate": 0.05,
            "steps": 300,
            "latent": 64,
            "batch_size": 64,
        },
    ),
    "swiss roll, momentum": (
        "dead generator",  # all samples become one point before the estimate can be negative
        {
            "data": "swiss-roll",
            "algorithm": "wgan-lp",
            "learning_rate": 0.02,
            "beta1": 0.9,
            "critic_steps": 1,
        },
    ),
    "grid, momentum in a standard GAN": (
        "mode loss",
        {
            "data": "grid,side=3,spacing=1",
            "algorithm": "gan",
            "learning_rate": 2e-3,
            "beta1": 0.9,
            "latent": 2,
            "steps": 800,
            "eval_every": 100,
        },
    ),
}
"""Other data and settings than those that the rules were tried on."""

HEALTHY = {
    "clipping, digits": DIGITS,
    "the authors' program, digits": {
        **DIGITS,
        "algorithm": "wgan-2017",
        "steps": 40,
        "eval_every": 10,
    },
    "clipping, swiss roll": {"data": "swiss-roll", "seed": 1, "learning_rate": 2e-4},
    "penalty, digits": {**DIGITS, "algorithm": "wgan-gp", "seed": 2},
    "penalty, lines": {**WIDE, "algorithm": "wgan-gp", "data": "lines", "seed": 3},
    "one-sided penalty, grid": {**WIDE, "algorithm": "wgan-lp", "data": "grid", "seed": 4},
    "spectral, ring": {**WIDE, "algorithm": "wgan-sn", "learning_rate": 1e-3, "seed": 5},
    "orthogonal, ring": {
        **WIDE,
        "algorithm": "wgan-orthogonal",
        "critic": "orthogonal,widths=32x32",
        "learning_rate": 1e-3,
        "seed": 6,
    },
    "sphere, digits": {**DIGITS, "algorithm": "wgan-sphere", "seed": 7},
    "standard GAN, lines": {**WIDE, "algorithm": "gan", "data": "lines", "seed": 8},
}
"""Options of healthy runs by name."""

LONG_HEALTHY = {
    "digits": ("digits", {}),
    "ring, penalty": ("ring-gp", {"steps": 1500, "decay_steps": 1500, "eval_every": 100}),
    "ring, orthogonal": (
        "ring-orthogonal",
        {"steps": 1500, "decay_steps": 1500, "eval_every": 100, "seed": 1},
    ),
    "digits, penalty": ("digits", {"algorithm": "wgan-gp", "steps": 1000, "seed": 2}),
    "digits, spectral": ("digits", {"algorithm": "wgan-sn", "steps": 1000, "seed": 3}),
}
"""(preset, options) of longer ones: minutes each."""


def config(out, **changes):
    """Options of a run of the gallery."""
    return TrainingConfig(out=out, **{**SMALL, **changes})


def preset(out, name, **changes):
    """Options of a run by a preset."""
    return TrainingConfig(out=out, **{**PRESETS[name], "log_every": 10, "device": "cpu", **changes})

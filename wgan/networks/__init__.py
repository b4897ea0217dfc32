"""Generators and critics by name, initialised from an explicit random generator.

All of them are flat outside: samples are (n, d) and values (n,), whatever shape they have within.
"""

from .perceptron import make_critic, make_generator, perceptron
from .registry import (
    NETWORKS,
    architecture,
    build_critic,
    build_generator,
    has_cones_of_the_data,
    is_certified,
    is_chain,
    mixes_samples,
    unread_options,
)

__all__ = [
    "NETWORKS",
    "architecture",
    "build_critic",
    "build_generator",
    "has_cones_of_the_data",
    "is_certified",
    "is_chain",
    "make_critic",
    "make_generator",
    "mixes_samples",
    "perceptron",
    "unread_options",
]

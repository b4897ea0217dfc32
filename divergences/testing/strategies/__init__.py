"""Hypothesis strategies: probability vectors, laws, kernels, couplings, problems with answers.

Everything drawn is valid input: nothing is filtered, and no draw is rejected. Weights come from
integers, so that a failing example shrinks towards few atoms and simple masses; where a problem is
drawn by a seeded generator of `divergences.problems`, its size and its parameters are Hypothesis's
own choice and shrink, the seed only settles the rest.

Needs Hypothesis (``pip install "divergences[testing]"``), loaded when a function is called.
"""

from ._generators import generators
from ._measures import discrete_measures, families, measure_pairs
from ._problems import (
    QuadraticProblem,
    case_seeds,
    convex_gradients,
    normal_pairs,
    parallel_lines,
    solved_transport_problems,
)
from ._sequences import TOPOLOGIES, ConvergentSequence, convergent_sequences
from ._spaces import (
    Coupling,
    LipschitzFunction,
    couplings,
    finite_metrics,
    lattice,
    lipschitz_functions,
    markov_kernels,
)
from ._vectors import simplex_vectors, vector_pairs

__all__ = [
    "TOPOLOGIES",
    "ConvergentSequence",
    "Coupling",
    "LipschitzFunction",
    "QuadraticProblem",
    "case_seeds",
    "convergent_sequences",
    "convex_gradients",
    "couplings",
    "discrete_measures",
    "families",
    "finite_metrics",
    "generators",
    "lattice",
    "lipschitz_functions",
    "markov_kernels",
    "measure_pairs",
    "normal_pairs",
    "parallel_lines",
    "simplex_vectors",
    "solved_transport_problems",
    "vector_pairs",
]

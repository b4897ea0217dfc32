"""Seeded problems together with their answers.

Every function draws one problem from a NumPy generator and returns it with what theory says the
answer is: by construction (a translation costs the norm of its shift), or by arithmetic of 80 and
more decimal digits on the very floats of the problem, so that an answer is right to the last bit.
The theorems, the Hypothesis strategies, the tests and the benchmarks draw from here.

References: M. Arjovsky, S. Chintala, L. Bottou, Wasserstein GAN, arXiv:1701.07875, Example 1.
"""

from ._answers import SAME, SINGULAR, Answers, exact_answers
from ._laws import FiniteSpace, NormalPair, finite_space, normal_pair, random_measures
from ._measures import (
    MeasurePair,
    diracs,
    line,
    measure_pair,
    outward_rays,
    parallel_lines,
    permutation,
    translation,
)
from ._vectors import RELATIONS, VectorPair, simplex_vector, vector_pair

__all__ = [
    "RELATIONS",
    "SAME",
    "SINGULAR",
    "Answers",
    "FiniteSpace",
    "MeasurePair",
    "NormalPair",
    "VectorPair",
    "diracs",
    "exact_answers",
    "finite_space",
    "line",
    "measure_pair",
    "normal_pair",
    "outward_rays",
    "parallel_lines",
    "permutation",
    "random_measures",
    "simplex_vector",
    "translation",
    "vector_pair",
]

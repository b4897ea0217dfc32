"""Exact binomial bounds for what is random: a good method fails them once in a million."""

from scipy.stats import binom

RISK = 1e-6


def least_hits(trials, level):
    """Fewer hits than this refute that each has probability ``level`` at least."""
    return int(binom.ppf(RISK, trials, level))

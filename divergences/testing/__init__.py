"""Property testing: Hypothesis strategies for probability vectors, laws and solved problems.

Importing this needs no Hypothesis: it is loaded when a strategy is asked for.
"""

from . import strategies

__all__ = ["strategies"]

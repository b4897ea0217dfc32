"""Property testing: Hypothesis strategies, and the laws that your own functions should obey.

>>> from divergences.testing import laws
>>> laws.check(lambda p, q: abs(p - q).sum() / 2, kind="f-divergence", max_examples=20).ok
True

Importing this needs no Hypothesis: it is loaded when a strategy is asked for or a check runs. With
pytest, the fixture and marker ``laws`` of `divergences.testing.plugin` run a check in one line.
"""

from . import laws, strategies

__all__ = ["laws", "strategies"]

"""A pytest plugin: the laws of `divergences.testing.laws` in one line of a test file.

.. code-block:: python

    @pytest.mark.laws(my_divergence, kind="f-divergence")
    def test_my_divergence(): ...

    def test_the_same(laws):
        laws.assert_holds(my_divergence, kind="f-divergence")

Installed with the library (entry point ``divergences.testing.plugin``), so nothing has to be
switched on; ``-p divergences.testing.plugin`` does no harm. A run that uses neither marker nor
fixture sees no option, no output and no import beyond NumPy.
"""

from types import ModuleType

import pytest


def pytest_configure(config: pytest.Config) -> None:
    """Make the marker known, also under ``--strict-markers``."""
    config.addinivalue_line(
        "markers",
        "laws(fn, *, kind, reference=None, ...): before the test, check fn against the laws of its"
        " kind (arguments as of divergences.testing.laws.check)",
    )


@pytest.fixture
def laws() -> ModuleType:
    """The module `divergences.testing.laws`: ``laws.assert_holds(fn, kind=...)``."""
    from . import laws as module

    return module


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_call(item: pytest.Item) -> None:
    """Fail a marked test whose function breaks a law; the report is the message."""
    for marker in item.iter_markers("laws"):
        from . import laws as module

        report = module.check(*marker.args, **marker.kwargs)
        if not report:
            pytest.fail(str(report), pytrace=False)

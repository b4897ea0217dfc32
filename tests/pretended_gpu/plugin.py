"""A pytest plugin: every test runs on the pretended device."""

import pytest

from tests.pretended_gpu import pretended


@pytest.fixture(autouse=True)
def _gpu():
    with pretended.gpu():
        yield

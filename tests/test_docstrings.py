"""Docstrings of the public names: numpydoc's sections, complete."""

import importlib
import inspect

import pytest
from numpydoc.validate import validate

from .test_house import PUBLIC

FUNCTION_CHECKS = {"GL08", "SS01", "SS03", "PR01", "PR02", "PR03", "RT01"}
CLASS_CHECKS = {"GL08", "SS01", "SS03"}


def _names():
    for module in PUBLIC:
        for name in importlib.import_module(module).__all__:
            thing = getattr(importlib.import_module(module), name)
            if inspect.isfunction(thing) or inspect.isclass(thing):
                yield f"{module}.{name}"


@pytest.mark.parametrize("name", list(_names()))
def test_docstring_is_complete(name):
    module, _, attribute = name.rpartition(".")
    thing = getattr(importlib.import_module(module), attribute)
    checks = FUNCTION_CHECKS if inspect.isfunction(thing) else CLASS_CHECKS
    complaints = [f"{code}: {text}" for code, text in validate(name)["errors"] if code in checks]
    assert not complaints
    if inspect.isfunction(thing):
        assert "Raises" in thing.__doc__, "the docstring names its errors"

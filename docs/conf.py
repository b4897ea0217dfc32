"""Sphinx configuration. Warnings are errors (``make docs``); the figures are computed here."""

import sys
from pathlib import Path

import divergences

sys.path.insert(0, str(Path(__file__).parent))

project = "divergences"
author = "the divergences developers"
copyright = "2026, the divergences developers"
release = "0.1.0"

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.mathjax",
    "numpydoc",
    "generate",
]
myst_enable_extensions = ["dollarmath", "colon_fence", "deflist"]
exclude_patterns = ["_build", "_generated"]
templates_path: list[str] = []
html_theme = "alabaster"
html_theme_options = {"description": divergences.__doc__.splitlines()[0], "page_width": "64rem"}
autodoc_typehints = "none"
numpydoc_show_class_members = False
numpydoc_class_members_toctree = False
numpydoc_validation_checks = {"GL08", "PR02"}  # tests/test_docstrings.py demands more
numpydoc_validation_exclude = {r"\._", r"__\w+__", "add_note", "with_traceback"}

"""Collection: the documentation's own code is not a doctest."""

collect_ignore_glob = ["docs/*.py", "docs/_build/*", "docs/_generated/*"]

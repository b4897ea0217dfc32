"""Places where a change alters no answer, each with its reason: see ``mutation.py``."""

import functools

# Source lines (a part of the line is enough) by file.
EQUIVALENT: dict[str, dict[str, str]] = {}


@functools.cache
def _lines(path):
    return path.read_text().splitlines()


def reason(name, line, path):
    """Why mutants of this line are equivalent; None if they are not."""
    text = _lines(path)[line - 1]
    found = (why for part, why in EQUIVALENT.get(name, {}).items() if part in text)
    return next(found, None)

"""Places where a change alters no answer, each with its reason: see ``mutation.py``."""

import functools

# Source lines (a part of the line is enough) by file.
EQUIVALENT: dict[str, dict[str, str]] = {
    "_vector_terms.py": {
        "SERIES_RADIUS = ": "series and logarithms agree on both sides",
        "FARTHEST = ": "quotient and difference of logarithms agree on both sides",
        "LEAST_DIFFERENCE = ": "exact integers give what doubled precision gives above it",
    },
    "_vector_series.py": {"SQUARES = ": "a few more or fewer entries take one term more"},
    "closed_forms/_normal.py": {
        "REACH = ": "the density is below the least float there",
        "PANEL = ": "panels are finer than the rule needs",
    },
    "closed_forms/_normal_space.py": {
        "TOLERANCE = ": "the checks ask for ten times as much",
        "FIRST, GROWTH = ": "panels that are too long are halved",
        "SMALL = ": "series and logarithm agree on both sides",
        "SMALL_EXCESS = ": "both forms agree on both sides",
    },
}


@functools.cache
def _lines(path):
    return path.read_text().splitlines()


def reason(name, line, path):
    """Why mutants of this line are equivalent; None if they are not."""
    text = _lines(path)[line - 1]
    found = (why for part, why in EQUIVALENT.get(name, {}).items() if part in text)
    return next(found, None)

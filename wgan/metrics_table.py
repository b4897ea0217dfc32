"""The numbers of evaluation.json as rows of a table, whatever metrics it holds."""

import math
from collections.abc import Iterator, Sequence
from typing import Any

from .runlog import RunLog

_ESTIMATES = ("estimate", "value", "mean")


def metrics_rows(logs: Sequence[RunLog]) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    """A column for every run and a row for every number that one of them has."""
    found = [dict(entries(log.metrics or {})) for log in logs]
    names = list(dict.fromkeys(name for numbers in found for name in numbers))
    rows = [(name, *(numbers.get(name, "not measured") for numbers in found)) for name in names]
    return ("metric", *(log.name for log in logs)), rows


def entries(content: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    """Names and values of the numbers and short texts in nested mappings.

    A mapping with an estimate and its ends is one entry.

    >>> dict(entries({"kid": {"estimate": 0.25, "lower": 0.2, "upper": 0.3}, "n": {"data": 500}}))
    {'kid': '0.25 [0.2, 0.3]', 'n, data': '500'}
    """
    for key, value in content.items():
        name = f"{prefix}{key}".replace("_", " ")
        if isinstance(value, dict):
            interval = _interval(value)
            if interval is not None:
                yield name, interval
            else:
                yield from entries(value, f"{name}, ")
        elif isinstance(value, (int, float, str)):
            yield name, _shown(value)


def _interval(value: dict[str, Any]) -> str | None:
    """An estimate with its ends, its unit and the score of real data, as far as they are there."""
    middle = [value[key] for key in _ESTIMATES if key in value]
    if not middle or not {"lower", "upper"} <= set(value):
        return None
    lower, upper = (
        infinite if value[end] is None else _shown(value[end])  # JSON has no infinities
        for end, infinite in (("lower", "-inf"), ("upper", "inf"))
    )
    unit = f" {value['unit']}" if value.get("unit") else ""
    real = "" if value.get("real") is None else f"; real data {_shown(value['real'])}"
    return f"{_shown(middle[0])} [{lower}, {upper}]{unit}{real}"


def _shown(value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, float):
        return str(value)
    return f"{value:.4g}" if math.isfinite(value) else str(value)

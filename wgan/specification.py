"""Names with options in one string: what ``data``, ``generator`` and ``critic`` are given.

The string is a name, then ``option=value`` pairs, all parted by commas: ``dcgan,filters=64`` or
``photographs.npz,size=64,mirror=yes``. What options a name has is a frozen dataclass, whose
docstrings are their documentation.
"""

import dataclasses
import re
import types
import typing
from typing import Any, TypeVar

from .errors import ConfigError

Options = TypeVar("Options")

MOST = 2**31 - 1
"""Largest count that is taken."""
_PAIR = re.compile(r"[a-z][a-z0-9_]*=")
_BOOLEANS = {"yes": True, "true": True, "no": False, "false": False}


def split(text: str) -> tuple[str, dict[str, str]]:
    """The name and the options of a string; a comma within the name stays (paths have some).

    >>> split("a,b.npz,size=64,mirror=yes")
    ('a,b.npz', {'size': '64', 'mirror': 'yes'})
    """
    pieces = text.split(",")
    pairs: dict[str, str] = {}
    while len(pieces) > 1 and _PAIR.match(pieces[-1]):
        key, _, value = pieces.pop().partition("=")
        if key in pairs:
            message = f"{text!r} gives the option {key} twice"
            raise ConfigError(message)
        pairs[key] = value
    return ",".join(pieces), dict(reversed(pairs.items()))


def read_options(kind: type[Options], pairs: dict[str, str], what: str) -> Options:
    """The options dataclass ``kind`` from its pairs; ConfigError if they do not fit."""
    types_of = typing.get_type_hints(kind)
    names = [field.name for field in dataclasses.fields(kind)]  # type: ignore[arg-type]
    values = {}
    for key, value in pairs.items():
        if key not in names:
            known = f"its options are {', '.join(names)}" if names else "it has no options"
            message = f"{what} has no option {key}; {known}"
            raise ConfigError(message)
        values[key] = _value(value, types_of[key], f"option {key} of {what}")
    return kind(**values)


def _value(text: str, kind: Any, what: str) -> Any:
    """``text`` as a value of the annotation ``kind``."""
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if origin in (typing.Union, types.UnionType):  # X | None: None is the default, never written
        (kind,) = (argument for argument in arguments if argument is not types.NoneType)
        return _value(text, kind, what)
    if origin is typing.Literal:
        if text not in arguments:
            _refuse(what, f"be one of {', '.join(arguments)}", text)
        return text
    if origin is tuple:
        return tuple(_value(piece, arguments[0], what) for piece in text.split("x") if text)
    if kind is bool:
        if text not in _BOOLEANS:
            _refuse(what, "be yes or no", text)
        return _BOOLEANS[text]
    names = {int: "an integer", float: "a number", str: "a text"}
    try:
        value = kind(text)
    except ValueError:
        return _refuse(what, f"be {names[kind]}", text)
    if kind is int and abs(value) > MOST:
        _refuse(what, f"be an integer from {-MOST} to {MOST}", text)
    return value


def demand_count(what: str, value: object, least: int = 1, most: int = MOST) -> None:
    """ConfigError, a ValueError too, unless ``value`` is an integer from ``least`` to ``most``."""
    whole = isinstance(value, int) and not isinstance(value, bool)
    if not whole or not least <= value <= most:  # type: ignore[operator]
        _refuse(what, f"be an integer from {least} to {most}", value)


def demand(condition: bool, option: str, requirement: str, value: object) -> None:
    """ConfigError unless ``condition``; for the checks of an options dataclass."""
    if not condition:
        _refuse(f"option {option}", requirement, value)


def _refuse(what: str, requirement: str, value: object) -> None:
    message = f"{what} must {requirement}; got {value!r}"
    raise ConfigError(message)

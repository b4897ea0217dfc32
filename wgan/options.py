"""Options in YAML and JSON files."""

import json
import re
from pathlib import Path
from typing import Any

from .algorithms import unread
from .errors import ConfigError

OF_RUN_JSON = ("config", "versions", "machine", "date")
"""What a run.json holds."""


def write_options(path: Path, values: dict[str, Any]) -> None:
    """Write a mapping as YAML, or as JSON where the name ends in .json; whole or not at all.

    RunError where that is not possible, or the file is one of a run's own.
    """
    from .checkpoint import write_atomically
    from .folder import demand_foreign

    demand_foreign(path)
    plain = {name: list(v) if isinstance(v, tuple) else v for name, v in values.items()}
    text = json.dumps(plain, indent=2) + "\n" if path.suffix == ".json" else _yaml_text(plain)
    write_atomically(path, lambda file: file.write(text.encode()))


def over(base: dict[str, Any], later: dict[str, Any]) -> dict[str, Any]:
    """The options of ``base`` under the later ones, which go before them.

    Where these name another algorithm than ``base`` does, what ``base`` says about options that
    this one does not read falls away: it was said about the other one.

    >>> over({"algorithm": "wgan-gp", "penalty": 0.1, "steps": 9}, {"algorithm": "wgan-sn"})
    {'algorithm': 'wgan-sn', 'steps': 9}
    """
    merged = {**base, **later}
    if merged.get("algorithm") == base.get("algorithm", merged.get("algorithm")):
        return merged
    fallen = unread(merged["algorithm"], merged.get("optimizer")) - set(later)
    return {name: value for name, value in merged.items() if name not in fallen}


def read_options(path: Path) -> dict[str, Any]:
    """The mapping in a YAML or JSON file; of a run's run.json, its options.

    Raises
    ------
    ConfigError
        In one line, for a file that cannot be read, holds no mapping of names, or a name twice.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        message = f"{path}: cannot be read ({getattr(error, 'strerror', None) or 'no UTF-8 text'})"
        raise ConfigError(message) from None
    values = _json_values(path, text) if path.suffix == ".json" else _yaml_values(path, text)
    if isinstance(values, dict) and isinstance(values.get("config"), dict):
        odd = next((name for name in values if name not in OF_RUN_JSON), None)
        if odd is not None:
            message = f"{path}: {odd!r} stands beside 'config', where no option is read"
            raise ConfigError(message)
        values = values["config"]
    if not isinstance(values, dict) or not all(isinstance(name, str) for name in values):
        message = f"{path}: holds no mapping of options to values"
        raise ConfigError(message)
    return values


def _json_values(path: Path, text: str) -> Any:
    def distinct(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        _demand_distinct(path, [name for name, _ in pairs])
        return dict(pairs)

    try:
        return json.loads(text, object_pairs_hook=distinct)
    except ConfigError:
        raise
    except (ValueError, RecursionError) as error:
        message = f"{path}: is no JSON ({error})"
        raise ConfigError(message) from None


def _demand_distinct(path: Path, names: list[Any]) -> None:
    """ConfigError where a name stands twice: which of its values is meant is not guessed."""
    twice = next((name for place, name in enumerate(names) if name in names[:place]), None)
    if twice is not None:
        message = f"{path}: {twice!r} stands there twice"
        raise ConfigError(message)


def _yaml_text(values: dict[str, Any]) -> str:
    import yaml

    Dumper = _with_decimal_numbers(yaml.SafeDumper)
    return str(yaml.dump(values, Dumper=Dumper, sort_keys=False, default_flow_style=None))


def _yaml_values(path: Path, text: str) -> Any:
    import yaml

    class Loader(_with_decimal_numbers(yaml.SafeLoader)):  # type: ignore[misc]
        """Names once."""

        def construct_mapping(self, node: Any, deep: bool = False) -> dict[Any, Any]:
            _demand_distinct(path, [key.value for key, _ in node.value])
            values: dict[Any, Any] = super().construct_mapping(node, deep)
            return values

    try:
        return yaml.load(text, Loader)
    except (yaml.YAMLError, RecursionError) as error:
        message = f"{path}: is no YAML ({error})".replace("\n", " ")
        raise ConfigError(message) from None


def _with_decimal_numbers(kind: Any) -> Any:
    """A loader or dumper of YAML to which 5e-5 is a number, and 010, 1_000 and 12:30 are texts.

    In YAML 1.1 these are 8, 1000 and 750, and 5e-5 is a text.
    """
    integer, number = "tag:yaml.org,2002:int", "tag:yaml.org,2002:float"

    class Kind(kind):  # type: ignore[misc]
        yaml_implicit_resolvers = {  # noqa: RUF012
            first: [pair for pair in pairs if pair[0] not in (integer, number)]
            for first, pairs in kind.yaml_implicit_resolvers.items()
        }

    decimal = (
        r"^[-+]?((\d+\.\d*|\.\d+)([eE][-+]?\d+)?|\d+[eE][-+]?\d+|\.(inf|Inf|INF))$|^\.(nan|NaN)$"
    )
    Kind.add_implicit_resolver(integer, re.compile(r"^[-+]?(0|[1-9]\d*)$"), list("-+0123456789"))
    Kind.add_implicit_resolver(number, re.compile(decimal), list("-+.0123456789"))
    return Kind

"""Where a benchmark's figures go: ``results/NAME.json`` with machine, versions and date."""

import contextlib
import datetime
import fcntl
import importlib.metadata
import json
import os
import platform
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).parent / "results"
PACKAGES = ("numpy", "scipy", "pot", "numba", "torch")


def machine() -> dict[str, Any]:
    """Processor, cores, system and versions: what a figure depends on."""
    versions = {name: _version(name) for name in PACKAGES}
    return {
        "processor": _processor(),
        "cores": len(os.sched_getaffinity(0))
        if hasattr(os, "sched_getaffinity")
        else os.cpu_count(),
        "system": f"{platform.system()} {platform.machine()}",
        "python": sys.version.split()[0],
        **{name: version for name, version in versions.items() if version},
    }


@contextlib.contextmanager
def alone() -> Iterator[None]:
    """No other process is here: what is read of a result may be written back with more in it."""
    RESULTS.mkdir(exist_ok=True)
    folder = os.open(RESULTS, os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        yield
    finally:
        os.close(folder)


def record(name: str, figures: Any) -> Path:
    """Write ``figures`` (JSON values) to ``results/name.json`` and return the path."""
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"{name}.json"
    today = datetime.datetime.now(datetime.UTC).date().isoformat()
    content = {"benchmark": name, "date": today, "machine": machine(), "figures": figures}
    path.write_text(json.dumps(content, indent=2) + "\n")
    return path


def record_part(name: str, part: str, figures: Any) -> Path:
    """Write ``figures`` as one part of a benchmark; its other parts stay as they were recorded."""
    path = RESULTS / f"{name}.json"
    parts = json.loads(path.read_text())["figures"] if path.is_file() else {}
    return record(name, {**parts, part: figures})


def record_row(name: str, keys: tuple[str, ...], row: dict[str, Any]) -> Path:
    """Write a row of a table; rows that differ from it in ``keys`` stay as they were recorded."""
    path = RESULTS / f"{name}.json"
    rows = json.loads(path.read_text())["figures"] if path.is_file() else []
    same = [place for place, other in enumerate(rows) if all(other[k] == row[k] for k in keys)]
    if same:
        rows[same[0]] = row
    else:
        rows.append(row)
    return record(name, rows)


def _processor() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor() or "unknown"


def _version(name: str) -> str | None:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None

"""What ``from divergences import wasserstein1`` costs above ``import numpy``.

Fresh processes, alternating; wall time and resident memory of the interpreter at the end.
"""

import statistics
import subprocess
import sys

from .record import record

ROUNDS = 21
PROBE = """
import time
start = time.perf_counter()
{statement}
seconds = time.perf_counter() - start
with open("/proc/self/status") as status:  # ru_maxrss would count the parent before exec
    resident = next(int(line.split()[1]) for line in status if line.startswith("VmRSS"))
print(seconds, resident / 1024)
"""
STATEMENTS = {
    "numpy": "import numpy",
    "divergences": "import numpy; from divergences import wasserstein1",
}


def _probe(statement: str) -> tuple[float, float]:
    code = PROBE.format(statement=statement)
    output = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, check=True, text=True
    )
    seconds, mebibytes = map(float, output.stdout.split())
    return seconds, mebibytes


def test_import():
    runs = {name: [] for name in STATEMENTS}
    for _ in range(ROUNDS):
        for name, statement in STATEMENTS.items():
            runs[name].append(_probe(statement))
    medians = {
        name: [statistics.median(column) for column in zip(*probes, strict=True)]
        for name, probes in runs.items()
    }
    seconds, mebibytes = (
        b - a for a, b in zip(medians["numpy"], medians["divergences"], strict=True)
    )
    record(
        "import",
        {
            "seconds above numpy (median)": round(seconds, 4),
            "MiB above numpy (median)": round(mebibytes, 1),
            "seconds of import numpy (median)": round(medians["numpy"][0], 4),
            "rounds": ROUNDS,
        },
    )

"""Compiling: what the first call of each family of kernels takes where none is on disk.

Each call is made in a fresh process, with a new cache folder and one thread, and timed in seconds
of the processor; numba and SciPy are loaded before. A second call of the same problem is taken off:
what is left is compiling, and keeping on disk. One round.
"""

import os
import subprocess
import sys
import tempfile

from .record import record

FAMILIES = {
    "plane and space, multiscale": "w((5000, 2), (4900, 2))",
    "many coordinates, dense": "w((2500, 32), (2400, 32))",
    "matrix of costs": "dv.optimal_transport(cost=rng.random((700, 700)))",
    "matrix of costs, weighted": "dv.optimal_transport(None, None, p(600), p(600),"
    " cost=rng.random((600, 600)))",
    "grid, cityblock": "dv.wasserstein1_grid(*p((2, 4096)).reshape(2, 64, 64))",
    "batch": "w((64, 64, 2), (64, 64, 2))",
    "batch, weighted": "dv.wasserstein1(rng.random((64, 32, 2)), rng.random((64, 32, 2)),"
    " p((64, 32)), p((64, 32)))",
    "line, weighted": "dv.wasserstein1(rng.random(400000), rng.random(300000), p(400000))",
    "line, uniform": "w(400000, 300000)",
    "vectors": "dv.js_divergence(p((2, 4000000))[0], p((2, 4000000))[1])",
}
PROGRAM = """
import time
import numba, ot, scipy.sparse, scipy.spatial.distance
import numpy as np
import divergences as dv
rng = np.random.default_rng(0)
w = lambda one, other: dv.wasserstein1(rng.random(one), rng.random(other))
def p(shape):
    masses = rng.random(shape)
    return masses / masses.sum(axis=-1, keepdims=True)
seconds = []
for _ in range(2):
    rng = np.random.default_rng(0)
    start = time.process_time()
    {call}
    seconds.append(time.process_time() - start)
print(seconds[0] - seconds[1])
"""


def seconds_to_compile(call: str) -> float:
    """Processor seconds that the first call takes longer than the second."""
    with tempfile.TemporaryDirectory() as folder:
        output = subprocess.run(
            [sys.executable, "-c", PROGRAM.format(call=call)],
            env={**os.environ, "NUMBA_CACHE_DIR": folder, "DIVERGENCES_NUM_THREADS": "1"},
            capture_output=True,
            check=True,
            text=True,
        )
    return float(output.stdout)


def test_cold():
    taken = {name: round(seconds_to_compile(call), 2) for name, call in FAMILIES.items()}
    record("cold", taken)

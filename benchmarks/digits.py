"""Handwritten digits for the benchmarks: MNIST where it is at hand, else scikit-learn's."""

import gzip
import os
from pathlib import Path

import numpy as np

FOLDER = "DIVERGENCES_MNIST"  # the variable that names the folder of the MNIST files


def images(part="t10k"):
    """Images (count, side, side), floats from 0; ``part`` is t10k or train."""
    folder = os.environ.get(FOLDER)
    if not folder:
        from sklearn.datasets import load_digits

        return load_digits().images
    packed = (Path(folder) / f"{part}-images-idx3-ubyte.gz").read_bytes()
    return np.frombuffer(gzip.decompress(packed), np.uint8, offset=16).reshape(-1, 28, 28) / 255


def labels(part="t10k"):
    """The digit that each of ``images(part)`` shows."""
    folder = os.environ.get(FOLDER)
    if not folder:
        from sklearn.datasets import load_digits

        return load_digits().target
    packed = (Path(folder) / f"{part}-labels-idx1-ubyte.gz").read_bytes()
    return np.frombuffer(gzip.decompress(packed), np.uint8, offset=8)

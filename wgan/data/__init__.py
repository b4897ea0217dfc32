"""Data sets: fresh batches for training, and two disjoint real samples for evaluation."""

from .plane import SPLIT_SEED
from .protocol import Data, State, Stream
from .registry import DATA, make_data

__all__ = [
    "DATA",
    "SPLIT_SEED",
    "Data",
    "State",
    "Stream",
    "make_data",
]

"""What a server of processes does once, so that none of those it forks does it again.

Importing this trains a step: that loads matplotlib with its fonts, the compiled kernels of exact W1
and the optimisers, which together take seconds. No thread may be left behind: a fork loses it.
"""

import tempfile
import threading
from pathlib import Path

import torch
from tqdm import tqdm

from wgan import TrainingConfig, train

SMALL = {"data": "ring", "generator": "mlp,widths=8", "critic": "mlp,widths=8", "batch_size": 8}

torch.set_num_threads(1)
tqdm.monitor_interval = 0  # its monitor is a thread
with tempfile.TemporaryDirectory() as folder:
    for name in ("wgan", "wgan-gp"):  # RMSProp, and Adam
        out = Path(folder) / name
        train(TrainingConfig(out=out, algorithm=name, steps=1, device="cpu", **SMALL), quiet=True)
assert threading.active_count() == 1, threading.enumerate()

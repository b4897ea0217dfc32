"""The handwritten digits that come with scikit-learn."""

import numpy as np
import torch

from .augment import View
from .finite import FiniteData
from .plane import SPLIT_SEED
from .split import keys

HELD_OUT = 400


class Digits(FiniteData):
    """1,797 images of 8x8 grey values in [-1, 1].

    400 images, chosen once and for all, are held out, the other 1,397 are for training.

    Source: E. Alpaydin, C. Kaynak, Optical Recognition of Handwritten Digits (UCI, 1998), its
    test part.
    """

    def __init__(self, device: torch.device) -> None:
        from sklearn.datasets import load_digits

        grey, _ = load_digits(return_X_y=True)  # 0 to 16
        images = grey.astype(np.uint8).reshape(-1, 1, 8, 8)
        random = torch.Generator().manual_seed(SPLIT_SEED)
        order = torch.randperm(len(images), generator=random).numpy()
        rows = order[:HELD_OUT], order[HELD_OUT:]
        super().__init__(images, keys(images), rows, device, view=View(8, 8, high=16.0))

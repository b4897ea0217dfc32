"""From stored samples to what networks see, on the device: crop, mirror, [-1, 1], flat."""

from dataclasses import dataclass

import torch
from torch import Tensor

from .order import scrambled


@dataclass(frozen=True)
class View:
    """How stored images (n, channels, R, C) are seen; all shapes are static, nothing is read back.

    Attributes
    ----------
    rows, columns : int
        Size of the crop, at most that of the images.
    random_crop : bool
        Crop at a random place instead of the centre.
    mirror : bool
        Exchange left and right in half of the draws.
    low, high : float
        Stored values that become -1 and 1.
    """

    rows: int
    columns: int
    random_crop: bool = False
    mirror: bool = False
    low: float = 0.0
    high: float = 255.0

    @property
    def varies(self) -> bool:
        """Whether random numbers are needed."""
        return self.random_crop or self.mirror

    def __call__(self, images: Tensor, draws: Tensor | None = None) -> Tensor:
        """Flat samples (n, d) in [-1, 1], float32.

        ``draws`` are int64 numbers (n,) that alone decide about crop and mirror; without them the
        crop is central and nothing is mirrored.
        """
        if draws is not None and self.varies:
            images = self._crop(images, scrambled(draws))
        else:
            images = self._centre(images)
        return unit(images, self.low, self.high).flatten(1)

    def _crop(self, images: Tensor, bits: Tensor) -> Tensor:
        """Crops whose places are read from 64 random bits each."""
        if self.random_crop:  # 20 bits a coordinate: no place is preferred by more than 1e-4
            top, left = images.shape[2] - self.rows, images.shape[3] - self.columns
            tops = ((bits & 0xFFFFF) * (top + 1)) >> 20
            lefts = (((bits >> 20) & 0xFFFFF) * (left + 1)) >> 20
            # a view of all crops, of which one an image is copied, row by row
            crops = images.unfold(2, self.rows, 1).unfold(3, self.columns, 1)
            images = crops[torch.arange(len(images), device=images.device), :, tops, lefts]
        else:
            images = self._centre(images)
        if self.mirror:
            mirrored = ((bits >> 40) & 1).bool()[:, None, None, None]
            images = torch.where(mirrored, images.flip(3), images)
        return images

    def _centre(self, images: Tensor) -> Tensor:
        top = (images.shape[2] - self.rows) // 2
        left = (images.shape[3] - self.columns) // 2
        return images[:, :, top : top + self.rows, left : left + self.columns]


def unit(values: Tensor, low: float, high: float) -> Tensor:
    """Values from [low, high] in [-1, 1], float32; both ends are met exactly."""
    half = (high - low) / 2
    return values.to(torch.float32, copy=True).sub_(low).div_(half).sub_(1)

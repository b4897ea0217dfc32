"""Samples as PNG pictures: a grid of images, or a scatter plot of points in the plane."""

import io
import math
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from .checkpoint import write_atomically

SCALE = 6
"""Pixels of a grid for a pixel of a sample, at most."""
LEGIBLE = 64
"""Pixels of a side up to which small images are enlarged."""
SHOWN = 64
"""Images in a grid."""


def image_grid(
    samples: NDArray[np.float32], shape: tuple[int, int, int], across: int | None = None
) -> NDArray[np.uint8]:
    """Images in [-1, 1], (n, channels * rows * columns), as one picture (height, width, channels).

    The grid is as square as n admits, or has ``across`` images in a row; -1 is black and 1 white.
    Small images are enlarged.
    """
    channels, rows, columns = shape
    across = across or math.ceil(math.sqrt(len(samples)))
    down = math.ceil(len(samples) / across)
    values = np.round((1 + np.clip(samples, -1, 1)) * 127.5).astype(np.uint8)
    size = (down * (rows + 1) + 1, across * (columns + 1) + 1, channels)
    grid = np.full(size, 225, dtype=np.uint8)
    for index, image in enumerate(values.reshape(-1, *shape).transpose(0, 2, 3, 1)):
        top, left = 1 + (index // across) * (rows + 1), 1 + (index % across) * (columns + 1)
        grid[top : top + rows, left : left + columns] = image
    scale = magnification(rows, columns)
    return grid.repeat(scale, axis=0).repeat(scale, axis=1)


def magnification(rows: int, columns: int) -> int:
    """Pixels of a grid for a pixel of a sample: up to SCALE, less for larger images."""
    return max(1, min(SCALE, LEGIBLE // max(rows, columns)))


def scatter(samples: NDArray[np.float32], real: NDArray[np.float32]) -> bytes:
    """Generated points over real points, first two coordinates; a PNG file.

    The frame is that of the real points; generated ones outside it are crosses at its edge.
    """
    import matplotlib as mpl
    from matplotlib.figure import Figure

    stream, real = io.BytesIO(), in_the_plane(real)
    with mpl.rc_context({"font.size": 16}):  # shown at half its size
        figure = Figure(figsize=(6.4, 7.2), layout="constrained")
        axes = figure.add_subplot()
        axes.scatter(real[:, 0], real[:, 1], s=40, color="0.75", label="held-out data")
        reach = 1.25 * (float(np.abs(real).max()) or 1.0)
        inside, outside = split_by_frame(in_the_plane(samples), reach)
        axes.scatter(inside[:, 0], inside[:, 1], s=12, color="#0b5fa5", label="generated")
        if len(outside):
            label = f"{len(outside)} generated outside"
            axes.scatter(outside[:, 0], outside[:, 1], s=36, color="#b3261e", marker="x",
                         clip_on=False, label=label)  # fmt: skip
        axes.set(xlim=(-reach, reach), ylim=(-reach, reach), aspect="equal")
        axes.set(xlabel="first coordinate", ylabel="second coordinate")
        axes.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=2, frameon=False)
        figure.savefig(stream, format="png", dpi=100)
    return stream.getvalue()


def in_the_plane(points: NDArray[np.float32]) -> NDArray[np.float32]:
    """The first two coordinates of points (n, d); those on a line lie at the height of 0."""
    plane = np.zeros((len(points), 2), dtype=np.float32)
    plane[:, : points.shape[1]] = points[:, :2]
    return plane


def split_by_frame(
    points: NDArray[np.float32], reach: float
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Points within ``reach`` of 0 in all coordinates, and the others, moved to the edge."""
    outside = np.abs(points).max(axis=1) > reach
    return points[~outside], np.clip(points[outside], -reach, reach)


def picture(
    samples: NDArray[np.float32],
    real: NDArray[np.float32],
    shape: tuple[int, int, int] | None,
    across: int | None = None,
) -> bytes:
    """A PNG file of samples: images in a grid if they have a ``shape``, else a scatter plot."""
    if shape is None:
        return scatter(samples, real)
    from PIL import Image

    stream = io.BytesIO()
    grid = image_grid(samples, shape, across)
    Image.fromarray(grid[:, :, 0] if shape[0] == 1 else grid).save(stream, format="PNG")
    return stream.getvalue()


def write_picture(path: Path, content: bytes) -> None:
    """Write a PNG file whole or not at all; RunError where that is not possible."""
    write_atomically(path, lambda file: file.write(content))

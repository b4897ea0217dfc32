import io

import numpy as np
from PIL import Image

from wgan.pictures import SCALE, image_grid, picture


def test_a_grid_holds_every_image_in_order():
    """Each image one grey value: the centre of its tile shows it, -1 white and 1 black."""
    values = np.linspace(-1, 1, 7, dtype=np.float32)
    samples = np.repeat(values[:, None], 12, axis=1)  # 3 rows, 4 columns
    grid = image_grid(samples, (3, 4))[::SCALE, ::SCALE]
    assert grid.shape == (3 * 4 + 1, 3 * 5 + 1)  # three tiles a row, and a last row begun
    for index, value in enumerate(values):
        top, left = 1 + 4 * (index // 3), 1 + 5 * (index % 3)
        tile = grid[top : top + 3, left : left + 4]
        assert (tile == round((1 - float(value)) * 127.5)).all()


def test_values_outside_the_range_are_clipped_not_wrapped():
    grid = image_grid(np.array([[-3.0], [3.0]], dtype=np.float32), (1, 1))[::SCALE, ::SCALE]
    assert (grid[1, 1], grid[1, 3]) == (255, 0)


def test_pictures_are_png_files():
    points = np.random.default_rng(0).normal(size=(30, 2)).astype(np.float32)
    for content in (picture(points, points, None), picture(points[:, :1], points, (1, 1))):
        with Image.open(io.BytesIO(content)) as image:
            image.verify()
            assert image.format == "PNG"

import io

import numpy as np
from PIL import Image

from wgan.pictures import SCALE, image_grid, picture, scatter, split_by_frame


def test_a_grid_holds_every_image_in_order():
    """Each image one grey value: the centre of its tile shows it, -1 black and 1 white."""
    values = np.linspace(-1, 1, 7, dtype=np.float32)
    samples = np.repeat(values[:, None], 12, axis=1)  # 3 rows, 4 columns
    grid = image_grid(samples, (1, 3, 4))[::SCALE, ::SCALE, 0]
    assert grid.shape == (3 * 4 + 1, 3 * 5 + 1)  # three tiles a row, and a last row begun
    for index, value in enumerate(values):
        top, left = 1 + 4 * (index // 3), 1 + 5 * (index % 3)
        tile = grid[top : top + 3, left : left + 4]
        assert (tile == round((1 + float(value)) * 127.5)).all()


def test_values_outside_the_range_are_clipped_not_wrapped():
    grid = image_grid(np.array([[-3.0], [3.0]], dtype=np.float32), (1, 1, 1))[::SCALE, ::SCALE, 0]
    assert (grid[1, 1], grid[1, 3]) == (0, 255)


def test_pictures_are_png_files():
    points = np.random.default_rng(0).normal(size=(30, 2)).astype(np.float32)
    for content in (
        picture(points, points, None),
        picture(points[:, :1], points, (1, 1, 1)),
        picture(np.zeros((2, 3 * 64 * 64), np.float32), points, (3, 64, 64)),
    ):
        with Image.open(io.BytesIO(content)) as image:
            image.verify()
            assert image.format == "PNG"


def test_photographs_keep_their_colours_and_their_size():
    samples = np.full((1, 3, 64, 64), -1, dtype=np.float32)
    samples[0, 0] = 1  # red
    grid = image_grid(samples.reshape(1, -1), (3, 64, 64))
    assert grid.shape == (66, 66, 3)
    assert (grid[1:65, 1:65] == (255, 0, 0)).all()


def test_points_outside_the_frame_are_seen_at_its_edge():
    points = np.array([[0.5, -0.5], [4, 0.25], [-9, 3], [1, 1]], dtype=np.float32)
    inside, outside = split_by_frame(points, 1.0)
    assert inside.tolist() == [[0.5, -0.5], [1, 1]]
    assert outside.tolist() == [[1, 0.25], [-1, 1]]


def reds(content):
    with Image.open(io.BytesIO(content)) as image:
        red, green, blue = (np.asarray(image.convert("RGB"), int)[..., k] for k in range(3))
    return int(((red > 150) & (green < 60) & (blue < 60)).sum())


def test_a_scatter_plot_marks_what_is_outside():
    real = np.random.default_rng(0).normal(size=(50, 2)).astype(np.float32)
    assert reds(scatter(real, real)) == 0
    assert reds(scatter(40 * real, real)) > 100


def test_points_on_a_line_and_points_at_0_have_a_picture():
    line = np.random.default_rng(0).normal(size=(50, 1)).astype(np.float32)
    for samples, real in ((line, line), (line, 0 * line)):
        with Image.open(io.BytesIO(picture(samples, real, None))) as image:
            image.verify()

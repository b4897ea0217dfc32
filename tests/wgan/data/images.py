"""Tiny images of every kind, made where they are needed."""

import io

import numpy as np
from PIL import Image


def noise(size=(12, 10), channels=3, seed=0):
    """Random pixels as a picture of ``size`` (width, height)."""
    shape = (size[1], size[0], channels) if channels > 1 else (size[1], size[0])
    pixels = np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)
    return Image.fromarray(pixels)


def encoded(image, kind="PNG", **options):
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


def folder_of(path, count, size=(12, 10)):
    """A folder of ``count`` images in two sub-folders, an unreadable one and another file."""
    for index in range(count):
        below = path / f"part{index % 2}"
        below.mkdir(parents=True, exist_ok=True)
        (below / f"{index:03d}.png").write_bytes(encoded(noise(size, seed=index)))
    (path / "broken.jpg").write_bytes(b"no image")
    (path / "notes.txt").write_text("other")
    return path

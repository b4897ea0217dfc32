"""Pairs of images like those of the DOTmark collection, generated; and enlarged digits."""

import numpy as np

from .digits import images as handwritten

KINDS = ("smooth", "rough", "noise", "shapes", "digits")


def pair(kind, size, seed=0):
    """Two histograms (size, size) of sum 1."""
    rng = np.random.default_rng([seed, size])
    images = [MAKERS[kind](rng, size) for _ in range(2)]
    return [image / image.sum() for image in images]


def random_field(rng, size, width):
    """The exponential of a Gaussian field, smooth over ``width`` of the image."""
    frequency = np.fft.fftfreq(size, 1 / size)
    damping = np.exp(-((width * frequency[:, None]) ** 2) - (width * frequency[None]) ** 2)
    field = np.fft.ifft2(np.fft.fft2(rng.normal(size=(size, size))) * damping).real
    return np.exp(1.5 * field / field.std())


def shapes(rng, size):
    """A few discs, the rest empty."""
    rows, columns = np.indices((size, size)) / size
    image = np.zeros((size, size))
    for _ in range(4):
        (row, column), radius = rng.random(2), 0.05 + 0.15 * rng.random()
        image += (rows - row) ** 2 + (columns - column) ** 2 < radius**2
    return image + (image.sum() == 0)


def digits(rng, size):
    """A digit, enlarged."""
    images = handwritten()
    image = images[rng.integers(len(images))]
    place = np.arange(size) * image.shape[0] // size
    return image[np.ix_(place, place)]


MAKERS = {
    "smooth": lambda rng, size: random_field(rng, size, 0.4),
    "rough": lambda rng, size: random_field(rng, size, 0.1),
    "noise": lambda rng, size: rng.random((size, size)),
    "shapes": shapes,
    "digits": digits,
}

"""What convolutional networks ask of the shape of images."""

from ..errors import ConfigError


def demand_square(network: str, shape: tuple[int, ...], sizes: tuple[int, ...]) -> None:
    """ConfigError unless ``shape`` is (channels, s, s) with s one of ``sizes``."""
    if len(shape) != 3 or shape[1] != shape[2] or shape[1] not in sizes:
        listed = ", ".join(map(str, sizes))
        if len(shape) == 3:
            got = f"images of {shape[1]}x{shape[2]} pixels"
        else:
            got = f"points with {shape[0]} coordinates"
        message = f"network {network} is for square images of {listed} pixels; got {got}"
        raise ConfigError(message)

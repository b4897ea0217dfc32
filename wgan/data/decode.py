"""One encoded image to bytes of a fixed shape, or a reason why not."""

import io
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from ..specification import demand

if TYPE_CHECKING:
    from PIL import Image

DRAFT = 3
"""A JPEG is decoded at a reduced size if that is at least so many times the size wanted."""


class UnreadableImageError(Exception):
    """Why an image cannot be used."""


@dataclass(frozen=True)
class DecodeOptions:
    """What becomes of an image of any size, mode and orientation."""

    size: int
    """Pixels of a side of the square result."""
    crop: Literal["center", "squash", "exact"] = "center"
    """center: the largest central square, resized; squash: all of it, whatever its proportions;
    exact: only images that have the size already."""
    channels: Literal[1, 3] = 3
    """3 for RGB, 1 for grey; images of other modes are converted."""
    alpha: Literal["white", "black", "refuse"] = "white"
    """What stands behind transparent images, or that they count as unreadable."""

    def __post_init__(self) -> None:
        demand(1 <= self.size <= 4096, "size", "be from 1 to 4096 pixels", self.size)


def decode(content: bytes, options: DecodeOptions) -> tuple[NDArray[np.uint8], bool]:
    """The image as (channels, size, size), and whether it had to be enlarged.

    The orientation that a camera notes is applied, colour profiles are ignored, 16-bit grey keeps
    its scale (65535 is white). UnreadableImageError, with the reason, for a file that is damaged,
    cut off, no image, too large to be one, or holds several frames.
    """
    from PIL import Image, ImageOps

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(io.BytesIO(content)) as image:
                _demand_one_frame(image)
                original = min(image.size)
                if options.crop != "exact":
                    image.draft(image.mode, (DRAFT * options.size, DRAFT * options.size))
                image.load()
                upright = ImageOps.exif_transpose(image)
        plain = _plain(upright, options)
        return _fitted(plain, options), original < options.size
    except UnreadableImageError:
        raise
    except MemoryError:
        raise
    except Exception as error:  # Pillow's plugins raise anything on damaged files
        reason = " ".join(str(error).split()) or type(error).__name__
        if "BytesIO object at" in reason:
            reason = "no image, or of an unknown format"
        raise UnreadableImageError(reason) from None


def _demand_one_frame(image: "Image.Image") -> None:
    """Several frames are refused; a camera's MPO holds a photograph and its previews."""
    frames = getattr(image, "n_frames", 1)
    if frames > 1 and image.format != "MPO":
        message = f"holds {frames} frames (an animation or several pages)"
        raise UnreadableImageError(message)


def _plain(image: "Image.Image", options: DecodeOptions) -> "Image.Image":
    """RGB or L."""
    from PIL import Image

    mode = "RGB" if options.channels == 3 else "L"
    if image.mode.startswith("I;16") or (image.mode == "I" and image.format == "PNG"):
        grey = np.asarray(image).astype(np.float64)
        image = Image.fromarray(np.rint(grey * (255 / 65535)).astype(np.uint8))
    if image.mode in ("I", "F"):
        message = f"pixels of mode {image.mode} have no known range"
        raise UnreadableImageError(message)
    if image.has_transparency_data:
        if options.alpha == "refuse":
            message = "has transparent pixels"
            raise UnreadableImageError(message)
        over = image.convert("RGBA")
        behind = Image.new("RGBA", over.size, options.alpha)
        image = Image.alpha_composite(behind, over)
    return image if image.mode == mode else image.convert("RGB").convert(mode)


def _fitted(image: "Image.Image", options: DecodeOptions) -> NDArray[np.uint8]:
    """Cropped and resized, channels first."""
    from PIL import Image

    size, (width, height) = options.size, image.size
    if (width, height) != (size, size):
        if options.crop == "exact":
            message = f"is {width}x{height} pixels, not {size}x{size}"
            raise UnreadableImageError(message)
        side = min(width, height)
        left, top = (width - side) / 2, (height - side) / 2
        box = (left, top, left + side, top + side)
        whole = (0.0, 0.0, float(width), float(height))
        chosen = box if options.crop == "center" else whole
        image = image.resize((size, size), Image.Resampling.LANCZOS, chosen)
    pixels = np.asarray(image, dtype=np.uint8).reshape(size, size, options.channels)
    return np.ascontiguousarray(np.moveaxis(pixels, 2, 0))

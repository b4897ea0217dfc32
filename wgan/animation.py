"""Pictures in time: the samples of a run over its steps, or along a path of inputs."""

import io
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from .checkpoint import write_atomically
from .errors import RunError
from .report import spread
from .runlog import RunLog

if TYPE_CHECKING:
    from PIL.Image import Image

FORMATS = {".gif": "GIF", ".png": "PNG"}
"""Formats by the end of a name; a PNG is an animated one, without GIF's 256 colours."""
HOLD = 8
"""Frames for which the last one stays."""
CAPTION = 26
"""Pixels of the line below a picture."""


def animate_run(log: RunLog, out: Path, *, frames: int = 120, rate: float = 8.0) -> int:
    """Write the pictures of a run's evaluations, the same noise in all, as one moving picture.

    Parameters
    ----------
    log : RunLog
    out : Path
        A name in .gif or .png.
    frames : int
        Most pictures shown; of more, evenly spaced ones with the first and the last.
    rate : float
        Pictures a second; the last one stays for ``HOLD`` times as long.

    Returns
    -------
    int
        The number of pictures.

    Raises
    ------
    RunError
        For another name, a run without two pictures, or pictures that cannot be read.
    """
    pictures = spread(log.pictures, frames)
    if len(pictures) < 2:
        message = f"{log.path}: a moving picture takes two evaluations or more"
        raise RunError(message)
    steps = len(str(pictures[-1][0]))
    shown = [captioned(_read(file), f"generator step {step:>{steps}}") for step, file in pictures]
    write_animation(out, shown, rate)
    return len(shown)


def write_animation(out: Path, frames: "Sequence[Image]", rate: float) -> None:
    """Write pictures of one size as a GIF or an animated PNG, which begins anew at its end."""
    content = io.BytesIO()
    milliseconds = max(20, round(1000 / rate))
    frames[0].save(
        content,
        format=animation_format(out),
        save_all=True,
        append_images=list(frames[1:]),
        duration=[milliseconds] * (len(frames) - 1) + [HOLD * milliseconds],
        loop=0,
    )
    write_atomically(out, lambda file: file.write(content.getvalue()))


def animation_format(out: Path) -> str:
    """The format of a name; RunError if it is none of ``FORMATS``."""
    if out.suffix not in FORMATS:
        message = f"option out must end in {' or '.join(FORMATS)}; got {out.name!r}"
        raise RunError(message)
    return FORMATS[out.suffix]


def captioned(picture: "Image", text: str) -> "Image":
    """The picture with a line of text below it."""
    from PIL import Image, ImageDraw, ImageFont

    mode = "L" if picture.mode in ("L", "1") else "RGB"
    frame = Image.new(mode, (picture.width, picture.height + CAPTION), "white")
    frame.paste(picture.convert(mode))
    size = 15 if picture.width >= 160 else 9
    font = ImageFont.load_default(size)
    ImageDraw.Draw(frame).text((4, picture.height + 4), text, fill="black", font=font)
    return frame


def opened(content: bytes) -> "Image":
    """The picture in the bytes of a file; OSError if there is none."""
    from PIL import Image

    with Image.open(io.BytesIO(content)) as picture:
        picture.load()
        return picture.copy()


def _read(path: Path) -> "Image":
    try:
        return opened(path.read_bytes())
    except OSError:
        message = f"{path}: is no picture that can be read"
        raise RunError(message) from None

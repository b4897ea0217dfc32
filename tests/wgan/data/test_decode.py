import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from wgan import ConfigError
from wgan.data.decode import DecodeOptions, UnreadableImageError, decode

from .images import encoded, noise

RGB, GREY = DecodeOptions(8, crop="exact"), DecodeOptions(8, crop="exact", channels=1)


def flat(mode, colour):
    return Image.new(mode, (8, 8), colour)


@pytest.mark.parametrize(
    ("image", "kind", "rgb", "grey"),
    [
        (flat("RGB", (10, 20, 30)), "PNG", (10, 20, 30), 18),
        (flat("L", 77), "PNG", (77, 77, 77), 77),
        (flat("1", 1), "PNG", (255, 255, 255), 255),
        (flat("P", 0), "PNG", (0, 0, 0), 0),
        (flat("RGBA", (10, 20, 30, 255)), "PNG", (10, 20, 30), 18),
        (flat("RGBA", (10, 20, 30, 0)), "PNG", (255, 255, 255), 255),
        (flat("LA", (50, 0)), "PNG", (255, 255, 255), 255),
        (flat("CMYK", (0, 0, 0, 255)), "TIFF", (0, 0, 0), 0),
        (flat("CMYK", (0, 255, 0, 0)), "TIFF", (255, 0, 255), 105),
        (flat("L", 200), "BMP", (200, 200, 200), 200),
        (flat("RGB", (9, 8, 7)), "PPM", (9, 8, 7), 8),
    ],
    ids=lambda value: value.mode if isinstance(value, Image.Image) else str(value),
)
def test_every_mode_becomes_rgb_and_grey(image, kind, rgb, grey):
    content = encoded(image, kind)
    got, enlarged = decode(content, RGB)
    assert not enlarged
    assert got.shape == (3, 8, 8)
    assert (got == np.array(rgb)[:, None, None]).all()
    got, _ = decode(content, GREY)
    assert got.shape == (1, 8, 8)
    assert (got == grey).all()


def test_a_palette_with_a_transparent_colour_stands_on_the_background():
    image = flat("P", 0)
    image.putpalette([255, 0, 0] + [0] * 765)
    content = encoded(image, "PNG", transparency=0)
    assert (decode(content, RGB)[0] == 255).all()
    black = DecodeOptions(8, alpha="black")
    assert (decode(content, black)[0] == 0).all()
    with pytest.raises(UnreadableImageError, match="transparent pixels"):
        decode(content, DecodeOptions(8, alpha="refuse"))
    half = encoded(flat("RGBA", (0, 0, 0, 128)), "PNG")
    assert abs(int(decode(half, RGB)[0][0, 0, 0]) - 127) <= 1


def test_sixteen_bits_keep_their_scale():
    values = np.array([[0, 257, 32768, 65535]] * 4, dtype=np.uint16).repeat(2, 0).repeat(2, 1)
    for kind in ("PNG", "TIFF"):
        got, _ = decode(encoded(Image.fromarray(values), kind), GREY)
        assert got[0, 0, ::2].tolist() == [0, 1, 128, 255]
    colour = _png_of_16_bit_colour(0x80FF)
    assert (decode(colour, RGB)[0] == 0x80).all()
    for mode in ("I", "F"):
        with pytest.raises(UnreadableImageError, match=f"mode {mode} have no known range"):
            decode(encoded(flat(mode, 5), "TIFF"), RGB)


def _png_of_16_bit_colour(value):
    def chunk(name, body):
        checked = name + body
        return struct.pack(">I", len(body)) + checked + struct.pack(">I", zlib.crc32(checked))

    row = b"\0" + struct.pack(">H", value) * 24
    header = struct.pack(">IIBBBBB", 8, 8, 16, 2, 0, 0, 0)
    parts = [chunk(b"IHDR", header), chunk(b"IDAT", zlib.compress(row * 8)), chunk(b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_the_orientation_of_a_camera_is_applied(orientation):
    """All eight are told apart by a picture with one white corner block and one grey edge."""
    upright = np.zeros((8, 8), np.uint8)
    upright[:4, :4], upright[:4, 4:] = 255, 128
    undo = {1: lambda a: a, 2: np.fliplr, 3: lambda a: np.rot90(a, 2), 4: np.flipud,
            5: np.transpose, 6: lambda a: np.rot90(a, 1), 7: lambda a: np.rot90(a, 2).T,
            8: lambda a: np.rot90(a, -1)}  # fmt: skip
    exif = Image.Exif()
    exif[0x0112] = orientation
    stored = Image.fromarray(np.ascontiguousarray(undo[orientation](upright)))
    got, _ = decode(encoded(stored, "PNG", exif=exif), GREY)
    np.testing.assert_array_equal(got[0], upright)


def test_crops_are_central_and_the_whole_is_squashed():
    wide = np.zeros((8, 24), np.uint8)
    wide[:, 8:16] = 200
    content = encoded(Image.fromarray(wide), "PNG")
    centre, enlarged = decode(content, DecodeOptions(8, channels=1))
    assert (centre == 200).all()
    assert not enlarged
    squashed, _ = decode(content, DecodeOptions(8, crop="squash", channels=1))
    assert squashed[0, :, 0].max() < 60 < squashed[0, :, 4].min()
    with pytest.raises(UnreadableImageError, match="is 24x8 pixels, not 8x8"):
        decode(content, DecodeOptions(8, crop="exact"))
    big = encoded(noise((400, 400)), "JPEG")
    with pytest.raises(UnreadableImageError, match="is 400x400 pixels, not 8x8"):
        decode(big, DecodeOptions(8, crop="exact"))
    assert decode(content, DecodeOptions(9))[1]  # it says that it enlarged


def test_a_large_jpeg_is_close_to_its_full_decoding():
    ramp = np.linspace(0, 255, 400)[None, :].repeat(400, 0).astype(np.uint8)
    content = encoded(Image.fromarray(ramp), "JPEG", quality=95)
    got, _ = decode(content, DecodeOptions(16, channels=1))
    whole = Image.open(io.BytesIO(content)).resize((16, 16), Image.Resampling.LANCZOS)
    assert np.abs(got[0].astype(int) - np.asarray(whole).astype(int)).max() <= 2


def test_animations_and_pages_are_refused_and_single_frames_are_not():
    frames = [noise(seed=k) for k in range(3)]
    for kind in ("GIF", "WEBP", "TIFF", "PNG"):
        content = encoded(frames[0], kind, save_all=True, append_images=frames[1:])
        with pytest.raises(UnreadableImageError, match="holds 3 frames"):
            decode(content, DecodeOptions(8))
        assert decode(encoded(frames[0], kind), DecodeOptions(8))[0].shape == (3, 8, 8)
    photograph = encoded(frames[0], "MPO", save_all=True, append_images=frames[1:])
    assert decode(photograph, DecodeOptions(8))[0].shape == (3, 8, 8)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF"])
def test_cut_and_spoilt_files_are_unreadable_or_decoded_and_never_anything_else(kind):
    whole = encoded(noise((40, 40)), kind)
    for keep in (0, 1, 3, 10, 20, len(whole) // 4, len(whole) // 2, 3 * len(whole) // 4):
        with pytest.raises(UnreadableImageError) as caught:
            decode(whole[:keep], DecodeOptions(8))
        assert str(caught.value)
        assert "\n" not in str(caught.value)
    dice = np.random.default_rng(0)
    for _ in range(60):
        spoilt = bytearray(whole)
        for place in dice.integers(0, len(whole), 4):
            spoilt[place] = dice.integers(256)
        try:
            assert decode(bytes(spoilt), DecodeOptions(8))[0].shape == (3, 8, 8)
        except UnreadableImageError:
            continue


def test_pictures_too_large_to_be_one_are_refused(monkeypatch):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100)
    for size in ((12, 10), (40, 40)):
        with pytest.raises(UnreadableImageError, match="exceed"):
            decode(encoded(noise(size)), DecodeOptions(8))


@pytest.mark.parametrize("size", [0, -3, 5000])
def test_sizes_that_are_none_are_refused(size):
    with pytest.raises(ConfigError, match="size must be from 1 to 4096 pixels"):
        DecodeOptions(size)


def test_formats_that_run_programs_are_not_even_opened():
    content = encoded(noise((20, 20)), "EPS")
    with pytest.raises(UnreadableImageError, match="no image, or of an unknown format"):
        decode(content, DecodeOptions(8))

import gzip

import numpy as np
import pytest

from wgan import RunError
from wgan.data.idx import TYPES, read_idx


def content(kind, array):
    lengths = np.array(array.shape, ">u4").tobytes()
    return bytes([0, 0, kind, array.ndim]) + lengths + array.astype(TYPES[kind]).tobytes()


@pytest.mark.parametrize("kind", TYPES)
@pytest.mark.parametrize("shape", [(3,), (2, 3), (2, 1, 4), (0, 28, 28)])
def test_every_type_and_shape_is_read(tmp_path, kind, shape):
    array = (np.random.default_rng(0).normal(size=shape) * 60).astype(TYPES[kind])
    for name, packed in [
        ("a", content(kind, array)),
        ("a.gz", gzip.compress(content(kind, array), mtime=0)),
    ]:
        (tmp_path / name).write_bytes(packed)
        got = read_idx(tmp_path / name)
        assert got.dtype == np.dtype(TYPES[kind]).newbyteorder("=")
        assert got.dtype.isnative
        np.testing.assert_array_equal(got, array)


WHOLE = content(0x08, np.zeros((2, 3, 3), np.uint8))
ZIPPED = gzip.compress(WHOLE, mtime=0)  # without the time, the tests' names are the same


@pytest.mark.parametrize(
    ("file", "message"),
    [
        (b"", "no IDX file .its first bytes are missing"),
        (b"\0\0\x08", "no IDX file"),
        (b"\0\1" + WHOLE[2:], "no IDX file .its first bytes are 00 01 08 03"),
        (b"\0\0\x07" + WHOLE[3:], "no IDX file"),
        (b"\0\0\x08\0", "no IDX file"),
        (WHOLE[:9], "ends within its header"),
        (WHOLE[:-1], "promises 18 bytes of shape .2, 3, 3. and 17 follow"),
        (WHOLE + b"x", "promises 18 bytes .* and 19 follow"),
        (b"\0\0\x0e\x04" + b"\xff" * 16 + b"x", "damaged"),
        (ZIPPED[:-6], "cannot be decompressed"),
        (b"\x1f\x8b" + b"x" * 30, "cannot be decompressed"),
        (
            ZIPPED[:20] + b"\xff\xff" + ZIPPED[22:],
            "decompressed|damaged",
        ),
    ],
)
def test_what_is_no_whole_idx_file_is_refused_in_one_line(tmp_path, file, message):
    path = tmp_path / "a-idx3-ubyte"
    path.write_bytes(file)
    with pytest.raises(RunError, match=message) as caught:
        read_idx(path)
    assert "\n" not in str(caught.value)


def test_a_file_that_is_not_there_is_one_line(tmp_path):
    with pytest.raises(RunError, match="cannot be read"):
        read_idx(tmp_path / "none")

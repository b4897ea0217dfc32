import contextlib
import gzip
import io
import math
import os
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch

from wgan import ConfigError, RunError, TrainingConfig, train
from wgan.data import DATA, make_data

from .images import encoded, folder_of, noise

CPU = torch.device("cpu")


def pixels(n, *shape, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (n, *shape), dtype=np.uint8)


def saved(path, array):
    np.save(path, array)
    return str(path)


def idx(path, array, kind=0x08):
    header = bytes([0, 0, kind, array.ndim]) + np.array(array.shape, ">u4").tobytes()
    path.write_bytes(header + array.tobytes())
    return path


def sets(folder):
    """One data set of every kind, with its shape."""
    np.savez(folder / "two.npz", a=pixels(20, 6, 5, 3), b=np.zeros(3))
    idx(folder / "x-idx3-ubyte", pixels(20, 8, 8))
    floats = np.random.default_rng(1).random((20, 3, 9, 9))
    return {
        **dict.fromkeys(DATA),
        "ring,modes=3,radius=2,deviation=0.1": (2,),
        "grid,side=3": (2,),
        "lines,count=1": (2,),
        f"{folder}/two.npz,key=a": (3, 6, 5),
        f"{folder}/two.npz,key=a,size=4,crop=random,mirror=yes": (3, 4, 4),
        f"{folder}/x-idx3-ubyte,pad=4": (1, 16, 16),
        saved(folder / "floats.npy", floats) + ",range=0..1": (3, 9, 9),
        saved(folder / "points.npy", np.random.default_rng(2).normal(size=(20, 7))): (7,),
        saved(folder / "grey.npy", pixels(20, 4, 4)) + ",place=stream,mirror=yes": (1, 4, 4),
    }


def test_every_data_set_is_what_training_asks_for(tmp_path):
    for name, shape in sets(tmp_path).items():
        data, again = make_data(name, CPU), make_data(name, CPU)
        assert data.fingerprint == again.fingerprint
        assert shape in (None, data.sample_shape), name
        assert math.prod(data.sample_shape) == data.dimension
        assert data.image_shape == (data.sample_shape if len(data.sample_shape) == 3 else None)
        assert torch.equal(data.held_out, again.held_out)
        assert data.held_out.shape == data.reference.shape
        assert len(data.held_out)
        first = data.batch(7, torch.Generator().manual_seed(1))
        assert first.shape == (7, data.dimension)
        assert first.dtype == data.held_out.dtype == torch.float32
        assert torch.equal(first, again.batch(7, torch.Generator().manual_seed(1)))
        assert not torch.equal(first, data.batch(7, torch.Generator().manual_seed(2)))
        streams = [source.stream(5, seed=3) for source in (data, again)]
        for _ in range(9):
            one, two = (stream.next() for stream in streams)
            assert one.shape == (5, data.dimension)
            assert torch.equal(one, two)
            if data.bounded:
                assert one.abs().max() <= 1
        streams[0].next()
        streams[1].load_state_dict(streams[0].state_dict())
        assert torch.equal(streams[0].next(), streams[1].next())


def test_digits_are_split_into_disjoint_parts_of_all_images():
    from sklearn.datasets import load_digits

    data = make_data("digits", CPU)
    assert len(data.held_out) == 400
    assert len(data.training) == 1397
    together = torch.cat([data.held_out, data.training])
    rows = sorted(map(tuple, ((together + 1) * 8).tolist()))
    assert rows == sorted(map(tuple, load_digits().data.tolist()))


@pytest.mark.parametrize("how", ["independent", "epochs"])
def test_batches_never_hold_a_held_out_image(how):
    data = make_data("digits", CPU)
    if how == "independent":
        batch = data.batch(20000, torch.Generator().manual_seed(0))
    else:
        batch = data.stream(1397, seed=0).next()
    held = set(map(tuple, data.held_out.tolist()))
    drawn = set(map(tuple, batch.tolist()))
    assert not drawn & held
    assert len(drawn) == 1397  # with 20,000 draws one is missed with probability 1e-3


def test_arrays_come_back_as_they_are_in_the_range_from_minus_1_to_1(tmp_path):
    images = pixels(10, 5, 4, 3)
    data = make_data(saved(tmp_path / "a.npy", images), CPU)
    expected = images.transpose(0, 3, 1, 2).reshape(10, -1) / 127.5 - 1
    got = torch.cat([data.held_out, data.training]).numpy()
    np.testing.assert_allclose(got[np.lexsort(got.T)], expected[np.lexsort(expected.T)], atol=1e-6)
    assert make_data(saved(tmp_path / "b.npy", images.transpose(0, 3, 1, 2)), CPU).image_shape == (
        3, 5, 4)  # fmt: skip


def test_points_with_a_range_are_bounded_and_no_images(tmp_path):
    points = np.array([[0, 4], [2, 1], [4, 3]])
    data = make_data(saved(tmp_path / "a.npy", points) + ",range=0..4", CPU)
    assert (data.sample_shape, data.image_shape, data.bounded) == ((2,), None, True)
    together = torch.cat([data.held_out, data.training])
    assert sorted(together.tolist()) == [[-1, 1], [0, -0.5], [1, 0.5]]


def test_the_ends_of_a_range_are_met_exactly(tmp_path):
    image = np.zeros((4, 2, 2), np.float64)
    image[:, 0], image[0, 1, 1], image[1, 1, 1], image[2, 1, 1] = 1, 0.25, 0.5, 0.75
    data = make_data(saved(tmp_path / "a.npy", image) + ",range=0..1", CPU)
    values = torch.cat([data.training, data.held_out]).unique().tolist()
    assert values == [-1, -0.5, 0, 0.5, 1]
    bits = np.array([0, 255] * 8, np.uint8).reshape(4, 2, 2)
    bits[0, 0, 0] = 255
    data = make_data(saved(tmp_path / "b.npy", bits), CPU)
    assert data.training.unique().tolist() == [-1, 1]


def test_split_and_order_do_not_depend_on_the_order_of_the_file(tmp_path):
    images = pixels(30, 4, 4)
    one = make_data(saved(tmp_path / "a.npy", images), CPU)
    two = make_data(saved(tmp_path / "b.npy", images[::-1]), CPU)
    assert torch.equal(one.held_out, two.held_out)
    assert torch.equal(one.stream(8, 0).next(), two.stream(8, 0).next())


def test_a_folder_of_images_is_data(tmp_path, capsys):
    folder = folder_of(tmp_path / "photographs, mine", 11)
    with pytest.raises(ConfigError, match=r"broken\.jpg: no image, .*; on_corrupt=skip leaves"):
        make_data(f"{folder},size=8", CPU)
    data = make_data(f"{folder},size=8,on_corrupt=skip", CPU)
    assert "broken.jpg: left out: no image" in capsys.readouterr().err
    assert data.image_shape == (3, 8, 8)
    assert (data.count, len(data.held_out)) == (10, 1)


def test_mnist_is_read_where_it_is_at_hand():
    folder = os.environ.get("DIVERGENCES_MNIST")
    if not folder:
        pytest.skip("DIVERGENCES_MNIST does not name a folder of MNIST's files")
    path = Path(folder) / "t10k-images-idx3-ubyte.gz"
    data = make_data(f"{path},pad=2", CPU)
    assert data.image_shape == (1, 32, 32)
    assert data.count == 9000
    raw = np.frombuffer(gzip.decompress(path.read_bytes()), np.uint8, offset=16)
    stored = data.storage.take(torch.arange(10_000))
    assert stored.shape == (10_000, 1, 32, 32)
    np.testing.assert_array_equal(stored[:, 0, 2:-2, 2:-2].numpy(), raw.reshape(-1, 28, 28))
    assert stored.sum() == raw.sum(dtype=np.int64)


@pytest.mark.parametrize(
    ("array", "options", "message"),
    [
        (np.zeros((4, 5, 5)), "", "images of float64 need their range"),
        (np.zeros((4, 5, 5), np.int16), "", "images of int16 need their range"),
        (np.full((4, 5, 5), 2.0), "range=0..1", r"from 2 to 2 are not in the range 0\.\.1"),
        (np.full((4, 5, 5), np.nan), "range=0..1", "from nan to nan are not in the range"),
        (np.zeros((4, 5, 5)), "range=1..0", "two ascending numbers"),
        (np.zeros((4, 5, 5)), "range=a", "two ascending numbers"),
        (np.full((4, 5), np.inf), "", "NaN or infinite"),
        (pixels(4, 5), "", "points of uint8 need their range"),
        (np.zeros((4, 5)), "mirror=yes", "option mirror has no meaning for points"),
        (pixels(4, 5, 5), "channels=1", "option channels has no meaning for an array"),
        (np.zeros(4), "", r"the shape \(4,\)"),
        (np.zeros((4, 3, 5, 3), np.uint8), "", "say layout=nhwc or layout=nchw"),
        (np.zeros((4, 5, 5, 4), np.uint8), "", "images have 1 or 3 channels, on the last or"),
        (np.zeros((4, 5, 5, 4), np.uint8), "layout=nhwc", "1 or 3 channels, on the last or"),
        (np.zeros((4, 5, 5), bool), "", "integers or floats; they are bool"),
        (np.zeros((4, 5, 5), complex), "", "they are complex128"),
        (np.array([None] * 4), "", "cannot be read as an array"),
        (pixels(4, 5, 5), "size=6", "5x5 pixels cannot be seen at size=6"),
        (pixels(4, 5, 5), "crop=random", "crop=random needs a size below"),
        (pixels(4, 5, 5), "held_out=4", "1 to 3 can be held out; got 4"),
        (pixels(1, 5, 5), "", "holds 1 of the 2 samples"),
        (pixels(0, 5, 5), "", r"holds no entries, its shape is \(0, 5, 5\)"),
        (np.zeros((4, 0, 5)), "range=0..1", "holds no entries"),
        (np.zeros((4, 0)), "", "holds no entries"),
        (pixels(4, 5, 5), "layout=nhwc", "option layout has no meaning for images without"),
        (np.array([[1.0, 1e39]] * 4), "", r"the largest entry is 1e\+39, and training computes"),
        (np.array([[0.0, 1e-300]] * 4), "", "the largest entry is 1e-300"),
        (np.zeros((9, 5, 5), np.uint8), "", "all 9 samples are equal"),
        (pixels(4, 5, 5), "key=a", "it has no key 'a'"),
        (pixels(4, 5, 5), "mirror=maybe", "must be yes or no"),
        (pixels(4, 5, 5), "colour=yes", "has no option colour"),
    ],
)
def test_what_is_in_doubt_is_refused_in_one_line(tmp_path, array, options, message):
    path = saved(tmp_path / "a.npy", array)
    with pytest.raises(RunError, match=message) as caught:
        make_data(f"{path},{options}" if options else path, CPU)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("kind", ["f8", ">f8", "i4", ">i8"])
@pytest.mark.parametrize("shape", [(20, 4, 4), (20, 16)])
def test_a_range_far_from_zero_keeps_its_digits(tmp_path, kind, shape):
    steps = np.random.default_rng(3).integers(0, 101, shape)
    steps.flat[:2] = 0, 100
    path = saved(tmp_path / "far.npy", (100_000_000 + steps).astype(kind))
    near = saved(tmp_path / "near.npy", steps.astype(kind))
    far = make_data(f"{path},range=100000000..100000100", CPU)
    expected = make_data(f"{near},range=0..100", CPU)
    found, rows = (torch.cat([data.held_out, data.reference]) for data in (far, expected))
    assert torch.equal(found, rows)
    assert found.abs().max() == 1


def test_equal_samples_lie_on_one_side_whatever_the_sign_of_zero(tmp_path):
    points = np.array([[0.0, 1.0]] * 10 + [[-0.0, 1.0]] * 10)
    with pytest.raises(RunError, match="all 20 samples are equal"):
        make_data(saved(tmp_path / "zeros.npy", points), CPU)


def test_a_path_that_no_system_takes_is_one_line():
    with pytest.raises(ConfigError, match=r"option data: aaa.* cannot be read"):
        make_data("a" * 5000, CPU)


def test_a_header_that_promises_other_bytes_than_follow_is_refused(tmp_path):
    np.save(tmp_path / "a.npy", pixels(40, 8, 8))
    whole = (tmp_path / "a.npy").read_bytes()
    for content, message in [
        (whole + b"x", "promises 2560 bytes of shape .40, 8, 8. and 2561 follow"),
        (whole.replace(b"(40,", b"(20,"), "promises 1280 bytes of shape .20, 8, 8. and 2560"),
        (whole.replace(b"(40,", b"(-4,"), "cannot be read as an array"),
    ]:
        (tmp_path / "b.npy").write_bytes(content)
        with pytest.raises(RunError, match=message):
            make_data(str(tmp_path / "b.npy"), CPU)


def test_damaged_and_strange_files_are_refused_in_one_line(tmp_path):
    whole = tmp_path / "whole.npz"
    np.savez(whole, a=pixels(9, 4, 4), b=pixels(9, 4, 4))
    (tmp_path / "cut.npz").write_bytes(whole.read_bytes()[:-40])
    np.save(tmp_path / "whole.npy", pixels(9, 40, 40))
    (tmp_path / "cut.npy").write_bytes((tmp_path / "whole.npy").read_bytes()[:-40])
    (tmp_path / "empty.npy").write_bytes(b"")
    (tmp_path / "text.npy").write_text("text")
    (tmp_path / "a.mp4").write_bytes(b"film")
    (tmp_path / "none").mkdir()
    (tmp_path / "lsun").mkdir()
    (tmp_path / "lsun" / "data.mdb").write_bytes(b"")
    for name, message in {
        "whole.npz": "holds the arrays a, b; choose one by key=",
        "whole.npz,key=c": "there is no 'c' among them",
        "cut.npz": "cannot be read as an array",
        "cut.npy": "cannot be read as an array",
        "empty.npy": "cannot be read as an array",
        "text.npy": "cannot be read as an array .no numbers in NumPy's format",
        "a.mp4": "no packed set and no folder of images",
        "none": "needs the size that they are resized to",
        "none,size=8": "holds no images",
        "lsun": "an lmdb is packed first",
        "mnist": "data must be one of digits, ring, .* or a path; got",
    }.items():
        with pytest.raises(RunError, match=message) as caught:
            make_data(f"{tmp_path}/{name}", CPU)
        assert "\n" not in str(caught.value)
    with pytest.raises(ConfigError, match="or a path; got ''"):
        make_data("", CPU)


def test_what_an_array_of_a_npz_does_not_promise_is_noticed(tmp_path):
    """NumPy stops at the end of the array, before the checksum of the member is compared."""
    stream = io.BytesIO()
    np.save(stream, pixels(9, 4, 4))
    whole, path = stream.getvalue(), tmp_path / "a.npz"
    for content in (whole + b"more", whole.replace(b"(9,", b"(8,")):
        with zipfile.ZipFile(path, "w") as file:
            file.writestr("a.npy", content)
        with pytest.raises(RunError, match="array a is damaged, more than the"):
            make_data(str(path), CPU)
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("a.npy", whole)
    assert make_data(str(path), CPU).count == 8


def test_a_npz_is_all_of_its_file(tmp_path):
    """zipfile passes over what stands before the last zip file, and over what follows it."""
    path = tmp_path / "a.npz"
    np.savez(path, pixels(9, 4, 4))
    one = path.read_bytes()
    np.savez(path, pixels(9, 4, 4, seed=1))
    for content, where in ((one + path.read_bytes(), "before"), (one + b"x" * 30, "after")):
        path.write_bytes(content)
        with pytest.raises(RunError, match=f"damaged, it holds bytes {where} the zip file"):
            make_data(str(path), CPU)
    for place in range(len(one) - 64, len(one)):  # whatever a byte of the directory becomes
        path.write_bytes(one[:place] + b"\xff" + one[place + 1 :])
        with contextlib.suppress(RunError):
            make_data(str(path), CPU)
    path.write_bytes(one)
    with zipfile.ZipFile(path, "a") as file:
        file.comment = b"of a camera"
    assert make_data(str(path), CPU).count == 8


def test_a_run_on_images_of_a_file(tmp_path):
    path = saved(tmp_path / "a.npy", pixels(40, 6, 6, 3))
    config = TrainingConfig(
        out=tmp_path / "run", data=f"{path},size=4,crop=random,mirror=yes", steps=2, device="cpu",
        generator="mlp,widths=8", critic="mlp,widths=8", batch_size=8, latent=3,
    )  # fmt: skip
    run = train(config, quiet=True)
    assert run.sample(5).shape == (5, 48)
    assert np.abs(run.sample(5)).max() <= 1


def test_grey_and_colour_of_a_folder(tmp_path):
    for index in range(4):
        (tmp_path / f"{index}.png").write_bytes(encoded(noise(seed=index)))
    assert make_data(f"{tmp_path},size=4,channels=1", CPU).image_shape == (1, 4, 4)
    assert make_data(f"{tmp_path},size=4", CPU).image_shape == (3, 4, 4)
    for size in (1, 3):  # as many pixels as channels: which is which is known of a folder
        assert make_data(f"{tmp_path},size={size}", CPU).image_shape == (3, size, size)

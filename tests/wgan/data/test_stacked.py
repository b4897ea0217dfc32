import gzip

import numpy as np
import pytest
import torch

from wgan import ConfigError, RunError
from wgan.data import make_data
from wgan.data.stacked import FILES

CPU = torch.device("cpu")


def write_idx(path, array):
    header = bytes([0, 0, 8, array.ndim]) + b"".join(n.to_bytes(4, "big") for n in array.shape)
    content = header + array.astype(np.uint8).tobytes()
    path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)


@pytest.fixture
def folder(tmp_path):
    """Sixty images of 6x5 pixels of three classes, each of one grey value: 60 values in all."""
    values = np.arange(60) * 4
    write_idx(tmp_path / FILES[0], np.broadcast_to(values[:, None, None], (60, 6, 5)))
    write_idx(tmp_path / f"{FILES[1]}.gz", np.arange(60) % 3)
    return tmp_path


def greys(samples, shape):
    """The byte behind each channel of a stack."""
    images = samples.reshape(-1, *shape).double()
    assert (images.amax(dim=(2, 3)) == images.amin(dim=(2, 3))).all(), "a channel is one image"
    return torch.round((images[:, :, 0, 0] + 1) * 127.5).long()


def test_channels_are_independent_images_of_training(folder):
    data = make_data(f"stacked,folder={folder}", CPU)
    assert (data.image_shape, data.dimension, data.classes) == ((3, 6, 5), 90, 3)
    found = greys(data.batch(6000, torch.Generator().manual_seed(0)), (3, 6, 5))
    held_out = greys(data.real_samples(4000).held_out, (3, 6, 5))
    training = set(found.flatten().tolist())
    assert len(training) == 54
    assert len(set(held_out.flatten().tolist())) == 6
    assert not training & set(held_out.flatten().tolist())
    # each of 54 images in each channel about 6000/54 = 111 times: within 6 deviations
    for channel in found.T:
        counts = channel.bincount()[sorted(training)]
        assert counts.min() > 48
        assert counts.max() < 174
    # channels agree as often as independent ones: 6000/54 times
    for first, second in ((0, 1), (0, 2), (1, 2)):
        assert 48 < int((found[:, first] == found[:, second]).sum()) < 174


def test_images_keep_their_labels(folder):
    data = make_data(f"stacked,folder={folder}", CPU)
    for part in (data.training_digits, data.held_out_digits):
        assert (part.images[:, 0, 0] // 4 % 3 == part.labels).all()
    images, labels = data.training_digits.tensors
    assert images.shape == (54, 1, 6, 5)
    assert labels.shape == (54,)


def test_padding_is_black(folder):
    data = make_data(f"stacked,folder={folder},pad=2", CPU)
    images = data.held_out.reshape(-1, 3, 10, 9)
    assert data.image_shape == (3, 10, 9)
    assert (images[:, :, :2] == -1).all()
    assert (images[:, :, :, -2:] == -1).all()


def test_a_stream_can_be_taken_up_and_samples_are_fixed(folder):
    data = make_data(f"stacked,folder={folder}", CPU)
    stream = data.stream(8, seed=3)
    stream.next()
    state, coming = stream.state_dict(), stream.next()
    again = make_data(f"stacked,folder={folder}", CPU)
    other = again.stream(8, seed=3)
    other.load_state_dict(state)
    assert torch.equal(other.next(), coming)
    assert torch.equal(data.held_out, again.held_out)
    assert data.fingerprint == again.fingerprint
    for first, second in zip(data.real_samples(20), again.real_samples(20), strict=True):
        assert torch.equal(first, second)


def test_the_digits_of_scikit_learn_need_no_file():
    data = make_data("stacked", CPU)
    assert (data.image_shape, data.classes) == ((3, 8, 8), 10)
    assert data.held_out.min() == -1
    assert data.held_out.max() == 1


def test_folders_that_hold_no_digits_are_refused(folder):
    def complaint():
        with pytest.raises(RunError) as caught:
            make_data(f"stacked,folder={folder}", CPU)
        return str(caught.value)

    write_idx(folder / f"{FILES[1]}.gz", np.arange(59) % 3)
    assert "with a label each; got shapes (60, 6, 5) and (59,)" in complaint()
    write_idx(folder / f"{FILES[1]}.gz", np.arange(60) % 3 + 1)
    assert "the labels must be 0, 1, ..., each of them met" in complaint()
    (folder / f"{FILES[1]}.gz").unlink()
    assert f"need the file {FILES[1]}, or {FILES[1]}.gz" in complaint()
    with pytest.raises(ConfigError, match="pad must be from 0"):
        make_data("stacked,pad=-1", CPU)

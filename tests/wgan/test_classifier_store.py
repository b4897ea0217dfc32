"""A classifier that is read again is the one that was trained, or another one is trained."""

import threading

import pytest
import safetensors.torch
import torch

from wgan import classifier_store
from wgan.classifier_store import known_classifier
from wgan.data import make_data
from wgan.metrics import train_classifier


@pytest.fixture(scope="module")
def digits():
    data = make_data("stacked", torch.device("cpu"))
    return *data.training_digits.tensors, *data.held_out_digits.tensors


@pytest.fixture
def trainings(monkeypatch):
    """How many steps were trained for, each time."""
    calls = []

    def counted(*digits, steps, seed):
        calls.append(steps)
        return train_classifier(*digits, steps=steps, seed=seed)

    monkeypatch.setattr(classifier_store, "train_classifier", counted)
    return calls


def same(one, other):
    weights = (found.network.state_dict() for found in (one, other))
    pairs = zip(*(found.values() for found in weights), strict=True)
    return all(torch.equal(a, b) for a, b in pairs)


def test_what_is_read_is_what_was_trained(digits, trainings, tmp_path, capsys):
    first, again = (known_classifier(*digits, steps=30, folder=tmp_path) for _ in range(2))
    assert trainings == [30]
    assert same(first, again)
    assert same(first, train_classifier(*digits, steps=30))
    assert str(first) == str(again)
    assert (first.classes, first.accuracy, first.tested) == (
        again.classes, again.accuracy, again.tested
    )  # fmt: skip
    assert again.accuracy > 0.4
    assert capsys.readouterr().err == ""
    assert [path.suffix for path in tmp_path.iterdir()] == [".safetensors"]


def other_label(images, labels, held_out_images, held_out_labels):
    changed = labels.clone()
    changed[5] = (changed[5] + 1) % 10
    return images, changed, held_out_images, held_out_labels


def other_pixel(images, labels, held_out_images, held_out_labels):
    changed = images.clone()
    changed[7, 0, 3, 3] += 0.125
    return changed, labels, held_out_images, held_out_labels


def fewer_held_out(images, labels, held_out_images, held_out_labels):
    return images, labels, held_out_images[1:], held_out_labels[1:]


@pytest.mark.parametrize("change", [other_label, other_pixel, fewer_held_out])
def test_other_digits_have_another_classifier(digits, trainings, tmp_path, change):
    known_classifier(*digits, steps=1, folder=tmp_path)
    known_classifier(*change(*digits), steps=1, folder=tmp_path)
    assert trainings == [1, 1]
    assert len(list(tmp_path.iterdir())) == 2


def test_steps_seed_version_and_procedure_are_in_the_key(digits, trainings, tmp_path, monkeypatch):
    known_classifier(*digits, steps=1, folder=tmp_path)
    known_classifier(*digits, steps=2, folder=tmp_path)
    known_classifier(*digits, steps=1, seed=1, folder=tmp_path)
    monkeypatch.setattr(classifier_store.torch, "__version__", "9.9")
    known_classifier(*digits, steps=1, folder=tmp_path)
    monkeypatch.undo()
    source = tmp_path / "source.py"
    source.write_text("RATE = 1.0")
    monkeypatch.setattr(classifier_store.classifier, "__file__", str(source))
    known_classifier(*digits, steps=1, folder=tmp_path)
    assert len(list(tmp_path.glob("*.safetensors"))) == 5


def cut(content):
    return content[: len(content) // 2]


def emptied(_):
    return b""


def flipped(content):
    return content[:-100] + bytes([content[-100] ^ 1]) + content[-99:]


def of_another_network(_):
    tensors = {"0.weight": torch.zeros(3)}
    header = {"format": "wgan-classifier-1", "key": "?", "sha256": "?"}
    return safetensors.torch.save(tensors, header)


@pytest.mark.parametrize("spoil", [cut, emptied, flipped, of_another_network])
def test_a_spoilt_file_is_named_and_replaced(digits, trainings, tmp_path, capsys, spoil):
    first = known_classifier(*digits, steps=3, folder=tmp_path)
    (path,) = tmp_path.iterdir()
    path.write_bytes(spoil(path.read_bytes()))
    again = known_classifier(*digits, steps=3, folder=tmp_path)
    assert trainings == [3, 3]
    assert same(first, again)
    message = capsys.readouterr().err
    assert message.startswith(f"wgan: {path}: damaged")
    assert message.endswith("; the classifier is trained anew\n")
    known_classifier(*digits, steps=3, folder=tmp_path)
    assert trainings == [3, 3]
    assert capsys.readouterr().err == ""


def test_the_file_of_another_key_is_not_taken(digits, tmp_path, capsys):
    known_classifier(*digits, steps=1, folder=tmp_path)
    (first,) = tmp_path.iterdir()
    known_classifier(*digits, steps=2, folder=tmp_path)
    (second,) = (path for path in tmp_path.iterdir() if path != first)
    second.write_bytes(first.read_bytes())
    again = known_classifier(*digits, steps=2, folder=tmp_path)
    assert same(again, train_classifier(*digits, steps=2))
    assert "key does not match" in capsys.readouterr().err


def test_a_folder_that_cannot_be_written_is_said(digits, tmp_path, capsys):
    blocked = tmp_path / "file"
    blocked.write_text("no folder")
    found = known_classifier(*digits, steps=1, folder=blocked / "below")
    assert same(found, train_classifier(*digits, steps=1))
    assert "wgan: the classifier is not kept: " in capsys.readouterr().err


def test_several_at_once_leave_one_whole_file(digits, tmp_path, capsys):
    threads = [
        threading.Thread(target=known_classifier, args=digits,
                         kwargs={"steps": 1, "folder": tmp_path})
        for _ in range(3)
    ]  # fmt: skip
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    known_classifier(*digits, steps=1, folder=tmp_path)
    assert capsys.readouterr().err == ""
    assert len(list(tmp_path.iterdir())) == 1


def test_the_folder_is_that_of_the_users_cache(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert classifier_store._folder() == tmp_path / "divergences" / "classifiers"
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    assert classifier_store._folder() == tmp_path / ".cache" / "divergences" / "classifiers"

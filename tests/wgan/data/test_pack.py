"""wgan pack: whole or not at all, equal to the bit after kills, nothing left out in silence."""

import errno
import hashlib
import json
import os
import shlex
import signal
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from wgan import InterruptedRunError, RunError
from wgan._cli import main
from wgan.data import make_data
from wgan.data import pack as module
from wgan.data.decode import DecodeOptions
from wgan.data.growing import GrowingArray
from wgan.data.pack import pack
from wgan.data.packed import read_manifest, read_packed, verify_packed
from wgan.data.sources import LmdbSource, open_source
from wgan.folder import Lock, RunFolder

from ..conftest import contents, start, wait_for
from .images import encoded, folder_of, noise

SMALL = DecodeOptions(8)


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def entries(folder):
    return [json.loads(line) for line in (folder / "entries.jsonl").read_text().splitlines()]


def test_a_packed_folder_is_its_images_in_order(tmp_path):
    source = folder_of(tmp_path / "in", 7, size=(8, 8))
    manifest = pack(source, tmp_path / "out", SMALL, quiet=True)
    images, keys = read_packed(tmp_path / "out")
    assert images.shape == (7, 3, 8, 8)
    assert keys.shape == (7,)
    lines = entries(tmp_path / "out")
    assert lines[0] == {"name": "broken.jpg", "skipped": "no image, or of an unknown format"}
    for line in lines[1:]:
        index = int(line["name"][6:9])
        expected = np.moveaxis(np.asarray(noise((8, 8), seed=index)), 2, 0)
        np.testing.assert_array_equal(images[line["row"]], expected)
    assert [line["name"] for line in lines[1:]] == sorted(line["name"] for line in lines[1:])
    counts = {name: manifest[name] for name in ("count", "skipped", "passed_over", "enlarged")}
    assert counts == {"count": 7, "skipped": 1, "passed_over": 1, "enlarged": 0}
    assert manifest["sha256"] == hashlib.sha256(images.tobytes()).hexdigest()
    assert manifest["sha256"] == verify_packed(tmp_path / "out")
    assert names(tmp_path / "out") == [
        ".lock", "entries.jsonl", "images.npy", "keys.npy", "manifest.json"]  # fmt: skip
    np.testing.assert_array_equal(np.load(tmp_path / "out" / "images.npy"), images)


def test_a_packed_set_is_data(tmp_path):
    pack(folder_of(tmp_path / "in", 20), tmp_path / "out", SMALL, quiet=True)
    for placement in ("auto", "device", "stream"):
        data = make_data(f"{tmp_path}/out,place={placement},verify=yes", torch.device("cpu"))
        assert data.image_shape == (3, 8, 8)
        assert (data.count, len(data.held_out)) == (18, 2)
        assert data.stream(5, 0).next().shape == (5, 192)
    direct = make_data(f"{tmp_path}/in,size=8,on_corrupt=skip", torch.device("cpu"))
    assert direct.fingerprint == data.fingerprint
    assert torch.equal(direct.held_out, data.held_out)


def test_an_lmdb_is_packed_in_the_order_of_its_keys(tmp_path):
    lmdb = pytest.importorskip("lmdb")
    (tmp_path / "lsun").mkdir()
    kinds = [(b"c", "WEBP"), (b"a", "JPEG"), (b"\xff\0", "PNG"), (b"b", None)]
    with (
        lmdb.open(str(tmp_path / "lsun"), map_size=1 << 24) as database,
        database.begin(write=True) as transaction,
    ):
        for index, (key, kind) in enumerate(kinds):
            content = encoded(noise(seed=index), kind) if kind else b"spoilt"
            transaction.put(key, content)
    manifest = pack(tmp_path / "lsun", tmp_path / "out", SMALL, quiet=True)
    assert (manifest["count"], manifest["skipped"]) == (3, 1)
    lines = entries(tmp_path / "out")
    assert [line["name"] for line in lines] == ["a", "b", "c", "ff00"]
    single = pack(tmp_path / "lsun" / "data.mdb", tmp_path / "two", SMALL, quiet=True)
    assert single["sha256"] == manifest["sha256"]
    try:
        odd = Path(os.fsdecode(os.fsencode(tmp_path) + b"/no \xff text"))
        (tmp_path / "lsun").rename(odd)
    except (OSError, UnicodeError):  # a system whose names are text
        return
    assert pack(odd, tmp_path / "three", SMALL, quiet=True)["sha256"] == manifest["sha256"]


def test_lmdbs_that_are_none_are_one_line(tmp_path, monkeypatch):
    lmdb = pytest.importorskip("lmdb")
    (tmp_path / "bad").mkdir()
    (tmp_path / "bad" / "data.mdb").write_bytes(b"spoilt" * 5000)
    with pytest.raises(RunError, match="cannot be read as an lmdb"):
        pack(tmp_path / "bad", tmp_path / "out", SMALL, quiet=True)
    with (
        lmdb.open(str(tmp_path / "cut"), map_size=1 << 24) as database,
        database.begin(write=True) as transaction,
    ):
        for index in range(200):
            transaction.put(b"%03d" % index, bytes(3000))
    whole = (tmp_path / "cut" / "data.mdb").read_bytes()
    (tmp_path / "cut" / "data.mdb").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(RunError, match=r"cut off, \d+ of \d+ bytes of the lmdb are there"):
        pack(tmp_path / "cut", tmp_path / "out", SMALL, quiet=True)  # mapped, it kills the process
    (tmp_path / "empty").mkdir()
    lmdb.open(str(tmp_path / "empty")).close()
    with pytest.raises(RunError, match="holds no entries"):
        pack(tmp_path / "empty", tmp_path / "out", SMALL, quiet=True)
    monkeypatch.setitem(sys.modules, "lmdb", None)
    with pytest.raises(RunError, match="the package lmdb, which is missing"):
        LmdbSource(tmp_path / "empty")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("at", [0, 1, 2, 13, 29])
def test_a_pass_that_dies_anywhere_ends_equal(tmp_path, monkeypatch, at):
    source = folder_of(tmp_path / "in", 30)
    pack(source, tmp_path / "straight", SMALL, quiet=True)
    monkeypatch.setattr(module, "SAVE_SECONDS", -1.0 if at % 2 else 1e9)
    done = []
    original = module._Session.append

    def dies(self, entry):
        if len(done) == at:
            raise KeyboardInterrupt
        done.append(entry)
        original(self, entry)

    with monkeypatch.context() as patch:
        patch.setattr(module._Session, "append", dies)
        with pytest.raises(KeyboardInterrupt):
            pack(source, tmp_path / "out", SMALL, quiet=True)
    with pytest.raises(RunError, match=r"no packed set lies here|has not come to its end"):
        read_packed(tmp_path / "out")
    pack(source, tmp_path / "out", SMALL, quiet=True)
    for name in names(tmp_path / "straight"):
        one, two = (tmp_path / run / name for run in ("straight", "out"))
        assert one.read_bytes() == two.read_bytes()


@pytest.mark.parametrize("step", ["images.npy", "keys.npy", "entries.jsonl", "manifest.json"])
def test_a_kill_between_the_last_steps_ends_equal(tmp_path, monkeypatch, step):
    source = folder_of(tmp_path / "in", 9)
    pack(source, tmp_path / "straight", SMALL, quiet=True)
    original = os.replace

    def dies(self, target):
        if Path(target).name == step:
            raise KeyboardInterrupt
        return original(self, target)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", dies)
        with pytest.raises(KeyboardInterrupt):
            pack(source, tmp_path / "out", SMALL, quiet=True)
    with pytest.raises(RunError, match="has not come to its end"):
        make_data(str(tmp_path / "out"), torch.device("cpu"))
    pack(source, tmp_path / "out", SMALL, quiet=True)
    one, two = (read_packed(tmp_path / run)[0] for run in ("straight", "out"))
    np.testing.assert_array_equal(one, two)
    assert names(tmp_path / "out") == names(tmp_path / "straight")
    assert verify_packed(tmp_path / "out") == read_manifest(tmp_path / "straight")["sha256"]


@pytest.mark.skipif(os.name == "nt", reason="no SIGKILL on this system")
def test_a_killed_process_leaves_a_pass_that_ends_equal(tmp_path):
    source = folder_of(tmp_path / "in", 60, size=(400, 400))
    pack(source, tmp_path / "straight", DecodeOptions(32), quiet=True)
    out = tmp_path / "out"
    process = start(["pack", str(source), str(out), "--size", "32"])
    part = out / "images.npy.part"
    wait_for(lambda: part.exists() and part.stat().st_size > 0)  # a buffer of several images
    process.kill()
    process.communicate()
    pack(source, out, DecodeOptions(32), quiet=True)
    for name in ("images.npy", "keys.npy", "entries.jsonl", "manifest.json"):
        assert (out / name).read_bytes() == (tmp_path / "straight" / name).read_bytes()


def test_a_signal_ends_the_pass_with_a_line_that_says_how_to_go_on(tmp_path, monkeypatch):
    source = folder_of(tmp_path / "in", 12)
    original = module._Session.append

    def interrupted(self, entry):
        original(self, entry)
        if self.entries == 5:
            signal.raise_signal(signal.SIGINT)

    with monkeypatch.context() as patch:
        patch.setattr(module._Session, "append", interrupted)
        with pytest.raises(InterruptedRunError, match="stopped at entry 5 of 13; the same command"):
            pack(source, tmp_path / "out", SMALL, quiet=True)
    assert pack(source, tmp_path / "out", SMALL, quiet=True)["count"] == 12


def test_two_passes_into_one_folder_are_refused(tmp_path):
    source, out = folder_of(tmp_path / "in", 3), tmp_path / "out"
    out.mkdir()
    with Lock(RunFolder(out), "packing"), pytest.raises(RunError, match=r"process \d+ is packing"):
        pack(source, out, SMALL, quiet=True)
    assert pack(source, out, SMALL, quiet=True)["count"] == 3


def test_other_options_and_a_changed_source_are_refused_and_the_same_ones_are_not(tmp_path):
    source, out = folder_of(tmp_path / "in", 3), tmp_path / "out"
    manifest = pack(source, out, SMALL, quiet=True)
    before = contents(out)
    assert pack(source, out, SMALL, quiet=True) == manifest
    with pytest.raises(RunError, match=r"other options \(size: 8 -> 9\); use a new folder"):
        pack(source, out, DecodeOptions(9), quiet=True)
    (source / "new.png").write_bytes(encoded(noise()))
    with pytest.raises(RunError, match="the source has changed since"):
        pack(source, out, SMALL, quiet=True)
    assert contents(out) == before


def test_unreadable_images_end_a_strict_pass_and_stay_for_a_lenient_one(tmp_path):
    source, out = folder_of(tmp_path / "in", 3), tmp_path / "out"
    (source / "part0" / "zzz.png").write_bytes(encoded(noise())[:-30])
    with pytest.raises(RunError, match=r'"broken.jpg": no image.*; with --on-corrupt skip'):
        pack(source, out, SMALL, on_corrupt="fail", quiet=True)
    manifest = pack(source, out, SMALL, on_corrupt="skip", quiet=True)
    assert (manifest["count"], manifest["skipped"]) == (3, 2)


def test_a_full_disk_is_one_line_and_what_is_packed_stays(tmp_path, monkeypatch):
    source, out = folder_of(tmp_path / "in", 30), tmp_path / "out"
    monkeypatch.setattr(module, "SAVE_SECONDS", -1.0)
    original, rows = GrowingArray.append, []

    class Full:
        def __init__(self, file):
            self._file = file

        def __getattr__(self, name):
            return getattr(self._file, name)

        def write(self, _):
            raise OSError(errno.ENOSPC, "No space left on device")

    def fills(self, row):
        rows.append(row)
        if len(rows) == 21:
            self._file = Full(self._file)
        original(self, row)

    with monkeypatch.context() as patch:
        patch.setattr(GrowingArray, "append", fills)
        with pytest.raises(RunError, match=r"cannot be written \(No space left on device\); what"):
            pack(source, out, SMALL, quiet=True)
    assert json.loads((out / ".progress.json").read_text())["count"] >= 9
    assert pack(source, out, SMALL, quiet=True)["count"] == 30


def test_a_disk_that_is_too_small_is_refused_before_the_first_image(tmp_path, monkeypatch):
    source = folder_of(tmp_path / "in", 3)
    usage = type("Usage", (), {"free": 100})
    monkeypatch.setattr("shutil.disk_usage", lambda _: usage)
    with pytest.raises(RunError, match=r"0\.0 MB are needed and 0\.0 are free"):
        pack(source, tmp_path / "out", SMALL, quiet=True)


def test_what_cannot_be_packed_is_one_line(tmp_path):
    source = folder_of(tmp_path / "in", 2)
    (tmp_path / "none").mkdir()
    (tmp_path / "bad").mkdir()
    (tmp_path / "bad" / "a.png").write_bytes(b"")
    (tmp_path / "file").write_text("x")
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "thesis.tex").write_text("x")
    for folder, out, message in [
        ("missing", "out", "no such folder or file"),
        ("none", "out", "holds no images"),
        ("file", "out", "neither a folder of images nor an lmdb"),
        ("bad", "out", r'none of 1 entries is a usable image .*"a.png": no image'),
        ("in", "in", "a folder outside its source"),
        ("in", "in/out", "a folder outside its source"),
        ("in", "file", "is a file, not a folder"),
        ("in", "full", "this one has 'thesis.tex'"),
    ]:
        with pytest.raises(RunError, match=message) as caught:
            pack(tmp_path / folder, tmp_path / out, SMALL, quiet=True)
        assert "\n" not in str(caught.value)
    assert pack(source, tmp_path / "out", SMALL, quiet=True)["count"] == 2


def test_damaged_packed_sets_are_one_line(tmp_path):
    out = tmp_path / "out"
    pack(folder_of(tmp_path / "in", 4), out, SMALL, quiet=True)
    manifest, images = (out / "manifest.json").read_text(), (out / "images.npy").read_bytes()

    def refused(message):
        with pytest.raises(RunError, match=message) as caught:
            make_data(f"{out},verify=yes", torch.device("cpu"))
        assert "\n" not in str(caught.value)

    (out / "images.npy").write_bytes(images[:-1] + bytes([images[-1] ^ 1]))
    refused("its SHA-256 is not that of the manifest")
    (out / "images.npy").write_bytes(images[:-1])
    refused(r"images.npy: cannot be read \(damaged or cut off\)")
    (out / "images.npy").unlink()
    refused("images.npy: cannot be read")
    (out / "images.npy").write_bytes(images + b"x")
    refused("images.npy: damaged, its header promises 768 bytes")
    for header in (b"(4, ", b"(((4"), (b"{'descr", b"{{{{{{{"):
        (out / "images.npy").write_bytes(images.replace(*header))
        refused(r"images.npy: cannot be read \(damaged or cut off\)")
    (out / "images.npy").write_bytes(images)
    (out / "manifest.json").write_text(manifest.replace('"count": 4', '"count": 5'))
    refused("its manifest says uint8 .5, 3, 8, 8.")
    for damaged in ("{}", "[]", manifest.replace("skipped", "s"), manifest.replace(": 4", ": 0")):
        (out / "manifest.json").write_text(damaged)
        refused("does not describe a packed set")
    (out / "manifest.json").write_text(manifest.replace("source_sha256", "source"))
    with pytest.raises(RunError, match="holds another source"):
        pack(tmp_path / "in", out, SMALL, quiet=True)
    (out / "manifest.json").write_text(manifest.replace("packed-1", "packed-9"))
    refused("another version of wgan")


def test_a_pass_whose_saved_state_is_damaged_is_one_line(tmp_path, monkeypatch):
    source = folder_of(tmp_path / "in", 6)
    monkeypatch.setattr(module, "SAVE_SECONDS", -1.0)  # after every image
    (source / "broken.jpg").unlink()
    (source / "part1" / "broken.png").write_bytes(b"")  # the last entry
    with pytest.raises(RunError, match=r"broken\.png"):
        pack(source, tmp_path / "out", SMALL, on_corrupt="fail", quiet=True)
    for name, content, message in [
        ("entries.jsonl.part", b"{", "entries.jsonl.part: is shorter than it was"),
        ("keys.npy.part", b"", "keys.npy.part: is shorter than it was"),
        (".progress.json", b"[]", "progress.json: damaged; remove the folder"),
    ]:
        whole = (tmp_path / "out" / name).read_bytes()
        (tmp_path / "out" / name).write_bytes(content)
        with pytest.raises(RunError, match=message):
            pack(source, tmp_path / "out", SMALL, quiet=True)
        (tmp_path / "out" / name).write_bytes(whole)
    progress = tmp_path / "out" / ".progress.json"
    whole = json.loads(progress.read_text())
    for name in ("entries", "count", "enlarged", "entries_bytes", "first_reason"):
        for value in ("gone", -1, None, "x", 1.5, True, [], 10**30):
            damaged = {key: entry for key, entry in whole.items() if key != name}
            progress.write_text(
                json.dumps(damaged if value == "gone" else {**damaged, name: value})
            )
            if (name, value) == ("first_reason", "x"):
                continue
            with pytest.raises(RunError, match=r"progress.json: damaged|is shorter than it was"):
                pack(source, tmp_path / "out", SMALL, quiet=True)
    progress.write_text(json.dumps(whole))
    assert pack(source, tmp_path / "out", SMALL, quiet=True)["count"] == 6


def test_verification_takes_nothing_else(tmp_path, capsys):
    pack(folder_of(tmp_path / "in", 4), tmp_path / "out", SMALL, quiet=True)
    given = ["--size 8", "--crop squash", "--channels 1", "--alpha black", "--on-corrupt fail"]
    for more in ([str(tmp_path / "in")], *map(str.split, given)):
        assert main(["pack", "--verify", str(tmp_path / "out"), *more]) == 2
        assert (
            capsys.readouterr().err == "wgan: pack --verify takes a packed set and nothing else\n"
        )
    assert main(["pack", "--verify", str(tmp_path / "out")]) == 0


def test_sources_are_read_in_an_order_without_accidents(tmp_path):
    for name in ("b/2.png", "a.png", "b/1.JPG", ".hidden/x.png", "B.webp", "b/.x.png", "b/c/0.gif"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"x")
    with open_source(tmp_path) as source:
        found = [name for name, _ in source.entries(0)]
        assert found == ["B.webp", "a.png", "b/1.JPG", "b/2.png", "b/c/0.gif"]
        assert source.count == 5
        assert source.passed_over == 1
        assert [name for name, _ in source.entries(3)] == found[3:]


@pytest.mark.skipif(not hasattr(os, "symlink"), reason="no links on this system")
def test_links_neither_loop_nor_break(tmp_path):
    (tmp_path / "real.png").write_bytes(encoded(noise()))
    (tmp_path / "link.png").symlink_to(tmp_path / "real.png")
    (tmp_path / "loop").symlink_to(tmp_path)
    (tmp_path / "broken.png").symlink_to(tmp_path / "nothing.png")
    (tmp_path / "self.png").symlink_to(tmp_path / "self.png")
    with open_source(tmp_path) as source:
        assert [name for name, _ in source.entries(0)] == ["link.png", "real.png"]


def test_the_command_says_what_it_left_out(tmp_path, capsys):
    source, out = str(folder_of(tmp_path / "in", 3)), str(tmp_path / "out")
    assert main(["pack", source, out, "--size", "16", "--channels", "1"]) == 0
    said = capsys.readouterr().out
    assert "3 grey images of 16x16" in said
    assert "unusable and left out: 1, listed in" in said
    assert "1 other files" in said
    assert "3 images are smaller than 16 pixels: enlarged" in said
    assert main(["pack", out, "--verify"]) == 0
    assert "intact, SHA-256" in capsys.readouterr().out
    assert main(["pack", source, out]) == 2
    assert "needs a source, a folder for the packed set, and --size" in capsys.readouterr().err
    assert main(["pack", source, out, "--size", "0"]) == 2
    assert "size must be from 1 to 4096 pixels; got 0" in capsys.readouterr().err
    assert main(["pack", source, "--verify"]) == 2
    assert "no packed set lies here" in capsys.readouterr().err


def test_the_command_for_a_packed_set_is_one_for_the_shell(tmp_path, capsys):
    source = folder_of(tmp_path / "source", 3)
    out = tmp_path / "pakéte von heute"
    assert main(["pack", str(source), str(out), "--size", "8"]) == 0
    words = shlex.split(capsys.readouterr().out.splitlines()[-1].partition("wgan train ")[2])
    assert words == ["--data", str(out)]
    assert make_data(words[1], torch.device("cpu")).image_shape == (3, 8, 8)

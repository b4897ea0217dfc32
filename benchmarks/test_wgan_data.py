"""What packing costs, and what it saves: start-up with 100,000 images of 64 pixels.

Start-up is that of a fresh process, with and without its imports, to the first batch in [-1, 1].
The packed set is written by the code that packs, from random pixels; the rate of packing is that
of photographs-sized JPEGs (256 pixels), and its memory is looked at after few and many of them.
"""

import json
import subprocess
import sys
import time

import numpy as np
import pytest
from PIL import Image

from wgan.data.growing import GrowingArray
from wgan.data.packed import FORMAT, read_packed
from wgan.data.split import key

from .record import record

IMAGES = 100_000
PROBE = """
import time
start = time.perf_counter()
import torch
from wgan.data import make_data
torch.set_num_threads(1)
imported = time.perf_counter()
data = make_data({spec!r}, torch.device("cpu"))
stream = data.stream(64, seed=0)
first = stream.next()
ready = time.perf_counter()
for _ in range(50):
    stream.next()
batches = time.perf_counter()
print(imported - start, ready - imported, (batches - ready) / 50)
"""
PACK = """
import resource, sys
from pathlib import Path
from wgan.data.decode import DecodeOptions
from wgan.data.pack import pack
import time
start = time.perf_counter()
pack(Path(sys.argv[1]), Path(sys.argv[2]), DecodeOptions(64), quiet=True)
print(time.perf_counter() - start, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
"""


def packed_set(folder, count):
    """A packed set of random images, as ``wgan pack`` leaves it."""
    folder.mkdir()
    images = GrowingArray(folder / "images.npy", np.dtype(np.uint8), (3, 64, 64))
    keys = GrowingArray(folder / "keys.npy", np.dtype("<u8"), ())
    images.cut(0)
    keys.cut(0)
    rng = np.random.default_rng(0)
    for _ in range(count):
        row = rng.bytes(3 * 64 * 64)
        images.append(row)
        keys.append(key(row).to_bytes(8, "little"))
    digest = images.finish(count)
    keys.finish(count)
    manifest = {"format": FORMAT, "count": count, "channels": 3, "size": 64, "sha256": digest}
    (folder / "manifest.json").write_text(json.dumps(manifest))
    assert len(read_packed(folder)[0]) == count


def jpegs(folder, count):
    """Smooth random pictures of 256 pixels."""
    folder.mkdir()
    rng = np.random.default_rng(0)
    for index in range(count):
        small = Image.fromarray(rng.integers(0, 256, (16, 16, 3), dtype=np.uint8))
        small.resize((256, 256), Image.Resampling.BICUBIC).save(folder / f"{index}.jpg", quality=90)


def probe(code, *arguments):
    output = subprocess.run(
        [sys.executable, "-c", code, *arguments], capture_output=True, check=True, text=True
    )
    return [float(word) for word in output.stdout.split()]


@pytest.mark.skipif(sys.platform == "win32", reason="resource is not there")
def test_wgan_data(tmp_path):
    start = time.perf_counter()
    packed_set(tmp_path / "packed", IMAGES)
    figures = {"images": IMAGES, "writing (s)": round(time.perf_counter() - start, 1)}
    for name, options in (("plain", ""), ("crop and mirror", ",size=56,crop=random,mirror=yes")):
        runs = [probe(PROBE.format(spec=f"{tmp_path}/packed{options}")) for _ in range(5)]
        imports, start_up, batch = np.median(runs, axis=0)
        figures[name] = {
            "imports (s)": round(imports, 2),
            "start-up to the first batch (s)": round(start_up, 2),
            "batch of 64 (ms)": round(batch * 1e3, 2),
        }
    for count in (250, 4000):
        jpegs(tmp_path / f"in{count}", count)
        seconds, mebibytes = probe(PACK, str(tmp_path / f"in{count}"), str(tmp_path / f"o{count}"))
        figures[f"packing {count} JPEGs of 256 pixels"] = {
            "images a second": round(count / seconds),
            "peak memory (MiB)": round(mebibytes),
        }
    record("wgan-data", figures)

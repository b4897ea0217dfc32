"""Exported generators: what loads them, what refuses, and the card beside them."""

import re

import numpy as np
import pytest
import safetensors.torch
import torch
from torch import nn

import wgan.export
from wgan import RunError, load, load_generator, train
from wgan._cli import main
from wgan.export import BATCHES, deviation, export, onnx_bytes
from wgan.model_card import card_path
from wgan.networks import build_generator

from .conftest import contents, small_config

NETWORKS = {
    "small": (1, 8, 8),
    "mlp,widths=16x8,tanh=no": (5,),
    "digits,filters=4": (1, 28, 28),
    "dcgan,filters=2": (1, 32, 32),
    "dcgan-plain,filters=4": (3, 16, 16),
    "dcgan,filters=2,extra_layers=1": (3, 16, 16),
    "resnet,filters=4": (3, 32, 32),
    "resnet,filters=2": (3, 64, 64),
}


@pytest.fixture(scope="module")
def images(tmp_path_factory):
    """An array of 40 images 16x16 with colours."""
    path = tmp_path_factory.mktemp("images") / "images.npy"
    rng = np.random.default_rng(0)
    np.save(path, rng.integers(0, 256, (40, 16, 16, 3), dtype=np.uint8))
    return path


@pytest.fixture(scope="module", params=["dcgan,filters=2", "mlp,widths=16"])
def run(request, images, tmp_path_factory):
    config = small_config(
        tmp_path_factory.mktemp("run") / "run", data=str(images), generator=request.param, steps=4,
        eval_every=2, checkpoint_every=2,
    )  # fmt: skip
    return train(config, quiet=True)


def snippet(card):
    """The Python in a card."""
    return re.search(r"```python\n(.*?)```", card.read_text(), re.DOTALL).group(1)


@pytest.mark.parametrize("averaged", [False, True])
def test_safetensors_load_back_by_us_and_by_the_card_alone(run, averaged, tmp_path, monkeypatch):
    out = tmp_path / "generator.safetensors"
    check = export(run, "safetensors", out, averaged=averaged)
    assert check.deviation == 0
    z = torch.randn(9, run.config.latent)
    expected = run.generate(z, averaged=averaged)
    loaded = load_generator(out)
    assert not loaded.training
    assert (loaded.latent, loaded.sample_shape) == (4, (3, 16, 16))
    with torch.no_grad():
        assert np.array_equal(loaded(z).numpy(), expected)
    code = snippet(card_path(out))
    monkeypatch.chdir(tmp_path)
    names = {}
    exec(code, names)
    assert all(
        type(layer).__module__.startswith("torch.") for layer in names["generator"].modules()
    )
    assert names["images"].shape == (16, 3, 16, 16)
    with torch.no_grad():
        assert np.array_equal(names["generator"](z).numpy(), expected)


@pytest.mark.parametrize("network", NETWORKS)
def test_the_card_builds_every_network_without_us(network, finished, tmp_path, monkeypatch):
    from wgan.model_card import plain_code

    random = torch.Generator().manual_seed(1)
    generator = build_generator(network, 4, NETWORKS[network], random).eval()
    safetensors.torch.save_file(generator.state_dict(), tmp_path / "g.safetensors")
    monkeypatch.chdir(tmp_path)
    names = {}
    code = plain_code(finished, generator, "g.safetensors")
    assert "wgan" not in code.split("# or:")[0]
    exec(code, names)
    z = torch.randn(5, 4)
    with torch.no_grad():
        assert torch.equal(names["generator"](z), generator(z))


@pytest.mark.parametrize("network", NETWORKS)
def test_onnx_computes_the_same_at_every_batch_size(network):
    pytest.importorskip("onnxscript")
    onnxruntime = pytest.importorskip("onnxruntime")
    random = torch.Generator().manual_seed(1)
    generator = build_generator(network, 4, NETWORKS[network], random).eval()
    for layer in generator.modules():
        if isinstance(layer, nn.BatchNorm2d):  # statistics that are not those of a new network
            layer.running_mean.normal_(generator=random)
            layer.running_var.uniform_(0.5, 2, generator=random)
    session = onnxruntime.InferenceSession(
        onnx_bytes(generator, 4, {"generator": network}), providers=["CPUExecutionProvider"]
    )
    assert session.get_modelmeta().custom_metadata_map["generator"] == network
    for count in (1, 3, 130):
        z = torch.randn(count, 4, generator=random)
        with torch.no_grad():
            expected = generator(z).numpy()
        (got,) = session.run(["samples"], {"z": z.numpy()})
        assert np.abs(got - expected).max() <= 1e-5 * (expected.max() - expected.min())


def test_onnx_with_its_card(run, tmp_path, monkeypatch, capfd):
    onnxruntime = pytest.importorskip("onnxruntime")
    pytest.importorskip("onnxscript")
    out = tmp_path / "generator.onnx"
    check = export(run, "onnx", out, averaged=True)
    assert 0 <= check.deviation <= 1e-5
    assert check.batches == BATCHES
    assert capfd.readouterr().err == ""
    monkeypatch.chdir(tmp_path)
    names = {}
    exec(snippet(card_path(out)), names)
    assert names["images"].shape == (16, 3, 16, 16)
    expected = run.generate(torch.from_numpy(names["z"]), averaged=True)
    assert np.abs(names["samples"] - expected).max() <= 1e-5 * np.ptp(expected)
    assert onnxruntime.__version__ in card_path(out).read_text()


def test_a_file_that_computes_something_else_is_not_written(run, tmp_path, monkeypatch):
    """A fault planted: the file is made of a generator whose last parameters are a little off."""
    write = wgan.export.safetensors_bytes

    def spoilt(generator, description):
        with torch.no_grad():
            next(generator.parameters()).mul_(1 + 1e-4)
        content = write(generator, description)
        with torch.no_grad():
            next(generator.parameters()).div_(1 + 1e-4)
        return content

    monkeypatch.setattr(wgan.export, "safetensors_bytes", spoilt)
    with pytest.raises(RunError, match="not written"):
        export(run, "safetensors", tmp_path / "g.safetensors")
    assert contents(tmp_path) == {}


@pytest.mark.parametrize(("to", "name"), [("safetensors", "g.onnx"), ("onnx", "g.safetensors")])
def test_a_name_that_says_the_other_format_is_refused(run, tmp_path, to, name):
    with pytest.raises(RunError, match=f"must not end in .* where --to is {to}; got '{name}'"):
        export(run, to, tmp_path / name)
    assert contents(tmp_path) == {}


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_a_generator_that_is_not_finite_is_not_written(run, tmp_path, bad):
    parameter = next(run.generator.parameters())
    former = parameter.detach().clone()
    try:
        with torch.no_grad():
            parameter.view(-1)[0] = bad
        with pytest.raises(RunError, match="not written"):
            export(run, "safetensors", tmp_path / "g.safetensors")
    finally:
        with torch.no_grad():
            parameter.copy_(former)
    assert contents(tmp_path) == {}


def test_deviation_is_in_parts_of_the_range():
    layer = nn.Linear(2, 3)
    with torch.no_grad():
        largest = max(
            float(layer(z).max()) for z in _noises(2)
        ) - min(float(layer(z).min()) for z in _noises(2))  # fmt: skip
    got = deviation(layer, lambda z: layer(z).detach().numpy() + np.float32(0.5), 2)
    assert got == pytest.approx(0.5 / largest, rel=1e-5)
    assert deviation(layer, lambda z: layer(z[:1]).detach().numpy(), 2) == float("inf")
    with torch.no_grad():
        layer.weight.zero_()
        layer.bias.fill_(4.0)
    assert deviation(layer, lambda z: layer(z).detach().numpy() + 1, 2) == 0.25


def _noises(latent):
    from wgan.state import random_stream

    random = random_stream(0, "export")
    return [torch.randn(count, latent, generator=random) for count in BATCHES]


def test_the_card_says_what_it_is(run, tmp_path):
    out = tmp_path / "g.safetensors"
    export(run, "safetensors", out)
    text = card_path(out).read_text()
    evaluation = run.evaluate(0)
    for words in (
        run.data.fingerprint,
        "after 4 generator steps",
        "| data | images.npy |",
        f"| sliced wasserstein1 | {evaluation.sliced_wasserstein1:.5g} |",
        f"| torch | {torch.__version__} |",
        '| algorithm | "wgan" |',
        "units of an unknown Lipschitz constant",
    ):
        assert words in text
    assert str(tmp_path) not in text
    assert str(run.folder.path.parent) not in text
    assert run.config.data not in text  # the folder of the data


def test_missing_packages_are_named(run, tmp_path, monkeypatch):
    import importlib.util

    found = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name == "onnxruntime" else found(name)
    )
    with pytest.raises(RunError, match=r"needs .*onnxruntime.*divergences\[export\]"):
        export(run, "onnx", tmp_path / "g.onnx")
    assert contents(tmp_path) == {}


def test_export_from_the_command_line(finished, tmp_path, capsys):
    run, out = str(finished.folder.path), tmp_path / "g.safetensors"
    assert main(["export", run, "--out", str(out), "--best"]) == 0
    printed = capsys.readouterr().out.splitlines()
    assert printed[-1] == f"model card: {card_path(out)}"
    best = load(run, best=True)
    with torch.no_grad():
        z = torch.randn(3, 4)
        assert np.array_equal(load_generator(out)(z).numpy(), best.generate(z))
    assert main(["export", str(tmp_path), "--out", str(tmp_path / "h")]) == 2
    assert len(capsys.readouterr().err.splitlines()) == 1


@pytest.mark.parametrize("spoil", ["cut", "other", "text", "missing", "checkpoint", "tensor"])
def test_what_is_no_generator_is_refused(spoil, finished, tmp_path):
    out = tmp_path / "g.safetensors"
    export(finished, "safetensors", out)
    content = out.read_bytes()
    if spoil == "cut":
        out.write_bytes(content[:-5])
    elif spoil == "other":
        out.write_bytes(content.replace(b"wgan-generator-1", b"wgan-generator-9"))
    elif spoil == "text":
        out.write_bytes(b"hello")
    elif spoil == "missing":
        out.unlink()
    elif spoil == "checkpoint":
        out = next(finished.folder.checkpoints.glob("0*.safetensors"))
    else:
        out.write_bytes(content.replace(b"mlp,widths=16", b"mlp,widths=15"))
    with pytest.raises(RunError) as caught:
        load_generator(out)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("averaged", [False, True])
def test_a_run_in_another_memory_order_is_exported(images, tmp_path, averaged):
    config = small_config(
        tmp_path / "run", data=str(images), generator="dcgan,filters=4", steps=2, latent=64,
        channels_last=True, device="cpu",
    )  # fmt: skip
    run = train(config, quiet=True)
    out = tmp_path / "generator.safetensors"
    assert export(run, "safetensors", out, averaged=averaged).deviation == 0
    z = torch.randn(9, config.latent)
    with torch.no_grad():
        theirs = load_generator(out)(z).numpy()
    np.testing.assert_allclose(run.generate(z, averaged=averaged), theirs, rtol=0, atol=1e-6)


def test_a_run_without_an_average_says_so(tmp_path):
    run = train(small_config(tmp_path / "run", steps=1, average_decay=0.0), quiet=True)
    with pytest.raises(RunError, match="keeps none"):
        export(run, "safetensors", tmp_path / "g", averaged=True)


def test_the_manual_shows_the_card_of_the_digits():
    from pathlib import Path
    from types import SimpleNamespace

    from wgan.model_card import plain_code

    generator = build_generator("small", 64, (1, 8, 8), torch.Generator())
    run = SimpleNamespace(
        config=SimpleNamespace(latent=64), data=SimpleNamespace(image_shape=(1, 8, 8))
    )
    code = plain_code(run, generator, "generator.safetensors").partition("# or:")[0]
    assert code in (Path(__file__).parents[2] / "docs" / "show.md").read_text()

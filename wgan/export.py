"""The generator of a run as one file that others load: safetensors, or ONNX checked against torch.

A file is checked before it takes its name, so that none is there that computes something else.
"""

import contextlib
import copy
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from .checkpoint import write_atomically
from .errors import RunError
from .folder import demand_foreign
from .model_card import card_path, model_card
from .networks import build_generator
from .run import Run
from .runlog import displayed
from .state import random_stream

FORMAT = "wgan-generator-1"
BATCHES = (1, 2, 7, 64)
"""Sizes of the batches in which a file is compared with the generator."""
TOLERANCE = 1e-5
"""Largest deviation of an ONNX file, as a part of the range of the generator's values."""

Target = Literal["safetensors", "onnx"]
"""What ``--to`` takes."""


@dataclass(frozen=True)
class Check:
    """How far a file is from the generator that it was made of."""

    deviation: float
    """Largest difference of a value, as a part of the range of the generator's values."""
    batches: tuple[int, ...]
    """Sizes of the batches that were compared."""
    program: str
    """What computed the values of the file."""


def export(run: Run, to: Target, out: Path, *, averaged: bool = False) -> Check:
    """Write the generator of a run, and its model card beside it.

    Parameters
    ----------
    run : Run
    to : {"safetensors", "onnx"}
        Parameters with a description of the network, or a program for onnxruntime and others whose
        batch size is free.
    out : Path
        File to write; the card is called as it is, and ``.md``.
    averaged : bool
        The averaged generator and not the last one.

    Returns
    -------
    Check
        For safetensors a deviation of exactly 0, for onnx at most ``TOLERANCE``.

    Raises
    ------
    RunError
        Where the name of the file ends like one of the other format or is that of a file of a run's
        own, a package is missing, the run keeps no average, a parameter is not finite, the file
        computes something else, or cannot be written. Nothing is written then.
    """
    _demand_suffix(to, out)
    demand_foreign(out)
    demand_foreign(card_path(out))
    if to == "onnx":
        _demand_onnx()
    try:
        generator = copy.deepcopy(run.chosen(averaged=averaged))
    except ValueError as error:
        raise RunError(str(error)) from None
    # files keep no memory order, and convolutions of another one round differently
    generator.to(memory_format=torch.contiguous_format)  # type: ignore[call-overload]
    for name, values in generator.state_dict().items():
        if not bool(values.isfinite().all()):
            message = f"{out}: not written, since {name} of the generator is not finite"
            raise RunError(message)
    description = describe(run, averaged=averaged)
    if to == "onnx":
        content = onnx_bytes(generator, run.config.latent, description)
        evaluate, program = _onnx_evaluator(content)
    else:
        content = safetensors_bytes(generator, description)
        evaluate, program = _torch_evaluator(content, out)
    check = Check(deviation(generator, evaluate, run.config.latent), BATCHES, program)
    limit = TOLERANCE if to == "onnx" else 0.0
    if not check.deviation <= limit:
        message = (
            f"{out}: not written, since {program} computes values that differ from torch's by "
            f"{check.deviation:.2g} of their range, more than {limit:.0e}"
        )
        raise RunError(message)
    card = model_card(run, generator, to, out, check, averaged=averaged)
    write_atomically(out, lambda file: file.write(content))
    write_atomically(card_path(out), lambda file: file.write(card.encode()))
    return check


def _demand_suffix(to: str, out: Path) -> None:
    """RunError for a name that says the other format."""
    if out.suffix in (".safetensors", ".onnx") and out.suffix != f".{to}":
        message = f"option out must not end in {out.suffix} where --to is {to}; got {out.name!r}"
        raise RunError(message)


def load_generator(path: str | Path) -> nn.Sequential:
    """The generator in a safetensors file that ``wgan export`` wrote.

    Parameters
    ----------
    path : path

    Returns
    -------
    Sequential
        Maps noise (n, latent) to samples (n, d), in evaluation mode, on the CPU, in float32. Its
        ``latent`` and ``sample_shape`` are those of noise and samples.

    Raises
    ------
    RunError
        In one line, for a file that is none.
    """
    path = Path(path)
    try:
        return _parse(path.read_bytes(), path)
    except OSError as error:
        message = f"{path}: cannot be read ({error.strerror})"
        raise RunError(message) from None


def describe(run: Run, *, averaged: bool) -> dict[str, str]:
    """What a file says of its generator: texts by name."""
    options = {**run.config.to_json(), "data": displayed(run.config.data)}
    return {
        "format": FORMAT,
        "generator": run.config.generator,
        "latent": str(run.config.latent),
        "sample_shape": "x".join(map(str, run.data.sample_shape)),
        "bounded": "yes" if run.data.bounded else "no",
        "averaged": "yes" if averaged else "no",
        "step": str(run.step),
        "data": displayed(run.config.data),
        "data_sha256": run.data.fingerprint,
        "config": json.dumps(options),
    }


def safetensors_bytes(generator: nn.Module, description: dict[str, str]) -> bytes:
    """The parameters and buffers of a generator, with its description."""
    import safetensors.torch

    tensors = {name: value.contiguous() for name, value in generator.state_dict().items()}
    return bytes(safetensors.torch.save(tensors, description))


def onnx_bytes(generator: nn.Module, latent: int, description: dict[str, str]) -> bytes:
    """The generator as an ONNX program from ``z`` (batch, latent) to ``samples`` (batch, d)."""
    batch = torch.export.Dim("batch")
    with _silent_exporter():
        program: Any = torch.onnx.export(
            generator, (torch.zeros(2, latent),), dynamo=True, dynamic_shapes=({0: batch},),
            input_names=["z"], output_names=["samples"], external_data=False, verbose=False,
        )  # fmt: skip
        proto = program.model_proto
    for name, text in description.items():
        entry = proto.metadata_props.add()
        entry.key, entry.value = name, text
    return bytes(proto.SerializeToString())


@contextlib.contextmanager
def _silent_exporter() -> Iterator[None]:
    """Without what torch and onnxscript say of each other and of packages that are not needed."""
    import logging
    import warnings

    logger = logging.getLogger("torch.onnx._internal.exporter._registration")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)


def deviation(
    generator: nn.Module,
    evaluate: Callable[[Tensor], NDArray[np.float32]],
    latent: int,
    batches: Sequence[int] = BATCHES,
) -> float:
    """Largest difference of a value over several batches, as a part of the range of values.

    Where all values are equal, their magnitude stands for the range, or 1 if that is 0. NaN where
    values are not finite.
    """
    random = random_stream(0, "export")
    noise = [torch.randn(count, latent, generator=random) for count in batches]
    with torch.no_grad():
        own = [generator(z).numpy() for z in noise]
    theirs = [evaluate(z) for z in noise]
    if any(a.shape != b.shape for a, b in zip(own, theirs, strict=True)):
        return float("inf")
    values, others = np.concatenate(own), np.concatenate(theirs)
    unit = float(values.max() - values.min()) or float(np.abs(values).max()) or 1.0
    return float(np.abs(values.astype(np.float64) - others).max()) / unit


def _torch_evaluator(
    content: bytes, path: Path
) -> tuple[Callable[[Tensor], NDArray[np.float32]], str]:
    network = _parse(content, path)

    @torch.no_grad()
    def evaluate(z: Tensor) -> NDArray[np.float32]:
        samples: NDArray[np.float32] = network(z).numpy()
        return samples

    return evaluate, f"torch {torch.__version__}"


def _onnx_evaluator(content: bytes) -> tuple[Callable[[Tensor], NDArray[np.float32]], str]:
    import onnxruntime

    session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])

    def evaluate(z: Tensor) -> NDArray[np.float32]:
        samples: NDArray[np.float32] = session.run(["samples"], {"z": z.numpy()})[0]
        return samples

    return evaluate, f"onnxruntime {onnxruntime.__version__}"


def _demand_onnx() -> None:
    import importlib.util

    packages = ("onnx", "onnxscript", "onnxruntime")
    missing = [name for name in packages if importlib.util.find_spec(name) is None]
    if missing:
        message = (
            f"an export to onnx needs {', '.join(missing)}: pip install 'divergences[export]'; "
            "--to safetensors needs neither"
        )
        raise RunError(message)


def _parse(content: bytes, path: Path) -> nn.Sequential:
    import safetensors
    import safetensors.torch

    try:
        tensors = safetensors.torch.load(content)
        length = int.from_bytes(content[:8], "little")
        about = json.loads(content[8 : 8 + length])["__metadata__"]
        if about["format"] != FORMAT:
            raise KeyError(about["format"])
        shape = tuple(int(side) for side in about["sample_shape"].split("x"))
        network = build_generator(
            about["generator"], int(about["latent"]), shape, torch.Generator(),
            bounded=about["bounded"] == "yes",
        )  # fmt: skip
        network.load_state_dict(tensors)
    except (safetensors.SafetensorError, ValueError, KeyError, RuntimeError):
        message = f"{path}: is no generator that this version of wgan export wrote, or is damaged"
        raise RunError(message) from None
    network.latent, network.sample_shape = int(about["latent"]), shape  # type: ignore[assignment]
    return network.eval()

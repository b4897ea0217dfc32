"""Classifiers of stacked digits that were trained before, kept in the user's cache folder.

A file is named by a hash of all that decides how a classifier comes out: the digits with their
labels, the network, the procedure and its source, the seed, the versions. So a file is never out
of date, and removing it costs no more than the training.
"""

import hashlib
import importlib.metadata
import json
import os
import sys
import tempfile
import threading
from pathlib import Path

import torch
from torch import Tensor, nn

from .checkpoint import write_atomically
from .errors import RunError
from .metrics import Classifier, classifier, train_classifier
from .state import digest

FORMAT = "wgan-classifier-1"
"""Of the files."""


def known_classifier(
    images: Tensor,
    labels: Tensor,
    held_out_images: Tensor,
    held_out_labels: Tensor,
    *,
    steps: int = classifier.STEPS,
    seed: int = 0,
    folder: Path | None = None,
) -> Classifier:
    """The classifier that `train_classifier` gives: read if it lies in the cache, else trained.

    Parameters
    ----------
    images, labels, held_out_images, held_out_labels, steps, seed
        Those of `metrics.train_classifier`.
    folder : Path, optional
        Where the files lie; by default ``divergences/classifiers`` in ``$XDG_CACHE_HOME``, or
        else in ``~/.cache``.

    Returns
    -------
    Classifier
        Its accuracy is measured anew on the held-out images, also where it was read.

    Raises
    ------
    ValueError
        As `metrics.train_classifier`.

    Notes
    -----
    A file that is damaged is named on standard error and replaced, and where none can be written,
    that is said and nothing is kept. Files hold tensors and text (safetensors): nothing in them is
    run.
    """
    digits = (images, labels, held_out_images, held_out_labels)
    network = classifier.untrained(*digits, torch.Generator())
    key = _key(network, digits, steps, seed)
    path = (_folder() if folder is None else folder) / f"{key}.safetensors"
    if path.exists():
        fault = _read(path, key, network)
        if not fault:
            return classifier.assessed(network, held_out_images, held_out_labels)
        _say(f"{path}: {fault}; the classifier is trained anew")
    trained = train_classifier(*digits, steps=steps, seed=seed)
    _write(path, key, trained.network)
    return trained


def _key(network: nn.Module, digits: tuple[Tensor, ...], steps: int, seed: int) -> str:
    """SHA-256, hexadecimal, of what a classifier is a function of."""
    data = digest({str(place): tensor for place, tensor in enumerate(digits)})
    source = hashlib.sha256(Path(classifier.__file__).read_bytes()).hexdigest()
    versions = importlib.metadata.version("divergences"), torch.__version__
    shapes = {name: tuple(tensor.shape) for name, tensor in network.state_dict().items()}
    whole = (FORMAT, versions, source, repr(network), shapes, data, steps, seed)
    return hashlib.sha256(repr(whole).encode()).hexdigest()


def _read(path: Path, key: str, network: nn.Module) -> str:
    """Give ``network`` the weights of a file; returns why that cannot be, or nothing."""
    import safetensors
    import safetensors.torch

    try:
        content = path.read_bytes()
        tensors = safetensors.torch.load(content)
        length = int.from_bytes(content[:8], "little")
        header = json.loads(content[8 : 8 + length])["__metadata__"]
        said = header["format"], header["key"], header["sha256"]
    except OSError as error:
        return f"cannot be read ({error.strerror})"
    except (safetensors.SafetensorError, ValueError, KeyError) as error:
        return f"damaged or cut off ({error})".replace("\n", " ")
    if said != (FORMAT, key, digest(tensors)):
        return "damaged (its checksum or its key does not match)"
    try:
        network.load_state_dict(tensors)
    except RuntimeError:
        return "damaged (its tensors are not those of the network)"
    return ""


def _write(path: Path, key: str, network: nn.Module) -> None:
    """Keep a network; two processes that write at once leave one whole file."""
    import safetensors.torch

    tensors = {name: tensor.contiguous() for name, tensor in network.state_dict().items()}
    header = {"format": FORMAT, "key": key, "sha256": digest(tensors)}
    content = safetensors.torch.save(tensors, header)
    own = path.with_name(f".{path.name}.{os.getpid()}-{threading.get_ident()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(own, lambda file: file.write(content))
        own.replace(path)
    except (OSError, RunError) as error:
        _say(f"the classifier is not kept: {error}")


def _folder() -> Path:
    """The folder of the user's cache; a temporary one for a user without a home."""
    chosen = os.environ.get("XDG_CACHE_HOME")
    try:
        root = Path(chosen) if chosen else Path.home() / ".cache"
    except RuntimeError:
        root = Path(tempfile.gettempdir())
    return root / "divergences" / "classifiers"


def _say(message: str) -> None:
    print(f"wgan: {message}", file=sys.stderr)

"""The model card of an exported generator: what it is, how good, and the code that loads it."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from torch import nn

from .algorithms import algorithm
from .environment import describe_environment
from .evaluate import Evaluation
from .metrics_table import entries
from .networks.resnet import ResidualBlock
from .run import Run
from .runlog import displayed, read_log

if TYPE_CHECKING:
    from .export import Check

_BLOCK = """
class Block(nn.Module):
    def __init__(self, main, shortcut):
        super().__init__()
        self.main, self.shortcut = main, shortcut

    def forward(self, x):
        return self.main(x) + self.shortcut(x)

"""


def card_path(out: Path) -> Path:
    """Where the card of the file ``out`` lies."""
    return out.with_name(out.name + ".md")


def model_card(
    run: Run, generator: nn.Module, to: str, out: Path, check: "Check", *, averaged: bool
) -> str:
    """The card as Markdown; no names of folders, users or machines are in it."""
    options = {**run.config.to_json(), "data": displayed(run.config.data)}
    code = _onnx_code(run, out.name) if to == "onnx" else plain_code(run, generator, out.name)
    data = [
        ("data", displayed(run.config.data)),
        ("SHA-256 of all samples", run.data.fingerprint),
        ("shape of a sample", "x".join(map(str, run.data.sample_shape))),
    ]
    sections = {
        "How to load it": [f"```python\n{code}```"],
        "Data": _table("", "", data),
        "Metrics": _metrics(run, run.evaluate(0, averaged=averaged)),
        "Options": _table("option", "value", [(k, json.dumps(v)) for k, v in options.items()]),
        "Versions": _versions(run),
    }
    lines = [f"# {out.name}: a generator of {displayed(run.config.data)}", ""]
    lines += [*_words(run, generator, check, averaged=averaged), ""]
    for title, body in sections.items():
        lines += [f"## {title}", "", *body, ""]
    return "\n".join(lines)


def _words(run: Run, generator: nn.Module, check: "Check", *, averaged: bool) -> list[str]:
    """What the file holds, and how it was checked."""
    which = "averaged" if averaged else "last"
    parameters = sum(parameter.numel() for parameter in generator.parameters())
    what = (
        f"The {which} generator after {run.step} generator steps: {parameters:,} parameters, from "
        f"standard normal noise (n, {run.config.latent}) to samples (n, {run.data.dimension})"
        f"{_image_words(run)}, trained by `wgan`: {algorithm(run.config.algorithm).summary}."
    )
    checked = (
        f"Checked with {check.program} in batches of {', '.join(map(str, check.batches))}: its "
        f"values differ from those of the generator in torch by {check.deviation:.2g} of their "
        "range."
    )
    return [what, "", checked]


def _versions(run: Run) -> list[str]:
    now = describe_environment()
    begun = run.folder.read_description()
    words = (
        f"Training began at {begun.get('date', 'an unknown time')} with torch "
        f"{begun.get('versions', {}).get('torch', 'of an unknown version')}."
    )
    rows = now["versions"].items()
    return [*_table("", f"at the export, {now['date']}", rows), "", words]


def plain_code(run: Run, generator: nn.Module, file: str) -> str:
    """Python that builds the network of torch's own modules and loads the file into it."""
    needs_block = any(isinstance(module, ResidualBlock) for module in generator.modules())
    imports = "import torch\nfrom safetensors.torch import load_file\nfrom torch import nn\n"
    return (
        f"{imports}{chr(10) + _BLOCK if needs_block else ''}\n"
        f"generator = {_code(generator)}\n"
        f'generator.load_state_dict(load_file("{file}"))\n'
        "generator.eval()\n"
        f"with torch.no_grad():\n    samples = generator(torch.randn(16, {run.config.latent}))\n"
        f"{_reshape(run)}"
        f'# or: import wgan; generator = wgan.load_generator("{file}")\n'
    )


def _onnx_code(run: Run, file: str) -> str:
    return (
        "import numpy as np\nimport onnxruntime\n\n"
        f'session = onnxruntime.InferenceSession("{file}")\n'
        f"z = np.random.default_rng().standard_normal((16, {run.config.latent}), np.float32)\n"
        '(samples,) = session.run(["samples"], {"z": z})\n'
        f"{_reshape(run)}"
    )


def _reshape(run: Run) -> str:
    shape = run.data.image_shape
    if shape is None:
        return ""
    return f"images = samples.reshape(-1, {', '.join(map(str, shape))})  # pixels in [-1, 1]\n"


def _image_words(run: Run) -> str:
    shape = run.data.image_shape
    if shape is None:
        return ""
    return f", flattened images of {shape[0]} x {shape[1]} x {shape[2]} pixels in [-1, 1]"


def _code(module: nn.Module, depth: int = 0) -> str:
    """An expression that makes a module of the same shape, with other parameters."""
    if isinstance(module, nn.Sequential | ResidualBlock):
        name = "nn.Sequential" if isinstance(module, nn.Sequential) else "Block"
        margin = "    " * (depth + 1)
        parts = "".join(f"{margin}{_code(part, depth + 1)},\n" for part in module.children())
        return f"{name}(\n{parts}{'    ' * depth})"
    return f"nn.{module!r}"


def _metrics(run: Run, evaluation: Evaluation) -> list[str]:
    """What is known of the exported generator, and what ``wgan evaluate`` found of the run."""
    lines = [
        "Of this generator, on samples of seed 0. Distances are Euclidean, in the units of the "
        "data; the critic's estimate is in " + evaluation.estimate_unit + ".",
        "",
        *_table("", "", [(k.replace("_", " "), f"{v:.5g}") for k, v in
                         evaluation.to_json().items()]),
    ]  # fmt: skip
    metrics = read_log(run.folder.path).metrics
    if metrics is not None:
        lines += ["", "Measured by `wgan evaluate` of the run:", ""]
        lines += _table("", "", list(entries(metrics)))
    return lines


def _table(first: str, second: str, rows: Iterable[tuple[str, str]]) -> list[str]:
    cells = [(first, second), ("---", "---"), *rows]
    return [f"| {_cell(a)} | {_cell(b)} |" for a, b in cells]


def _cell(text: str) -> str:
    return str(text).replace("|", "\\|").replace("\n", " ")

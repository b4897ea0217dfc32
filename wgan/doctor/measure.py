"""What an evaluation measures of networks and samples for the rules; on the device until read."""

import copy
import math
from typing import Any

import torch
from torch import Tensor, nn

from ..algorithms import algorithm
from ..config import TrainingConfig
from ..data import Data
from ..state import TrainingState, random_stream

NUMBERS = 1 << 23
"""Coordinates of training data that samples are compared with, at most: 32 MB."""
POINTS = 20_000
"""And points: the distances to all samples take 80 MB."""
NEIGHBOURS = 1000
"""Samples whose nearest real points are looked for."""

Health = dict[str, Any]
"""The field ``health`` of a line of metrics.jsonl."""


class Examiner:
    """Measures one run; nothing of its state changes, no random number is drawn.

    Parameters
    ----------
    config : TrainingConfig
    data : Data
    held_out : Tensor (n, d)
        The real samples of the evaluation, on the CPU.
    """

    def __init__(self, config: TrainingConfig, data: Data, held_out: Tensor) -> None:
        self.config, self.held_out = config, held_out
        self.constraint = algorithm(config.algorithm).constraint
        self.width = _mean_distance(held_out) or math.nan  # 0 where all of them are equal
        self.modes: Tensor | None = getattr(data, "modes", None)
        some = getattr(data, "some_training", None)
        random = random_stream(config.seed, "neighbours")
        self.noise = torch.randn(NEIGHBOURS, config.latent, generator=random, dtype=torch.float32)
        most = min(POINTS, max(1, NUMBERS // held_out[0].numel()))
        self.training = None if some is None else some(most).cpu()

    def __call__(self, state: TrainingState, samples: Tensor) -> Health:
        """What the rules read of ``state`` and of its ``samples`` (n, d).

        To be called under no_grad. Gradients are those that the last step left behind; before the
        first there are none.
        """
        samples = samples.detach()[: len(self.held_out)]
        health: Health = {
            "critic_gradients": gradients_by_layer(state.critic),
            "generator_gradients": gradients_by_layer(state.generator),
            "critic_size": size(state.critic),
            "generator_size": size(state.generator),
            **self.critic(state.critic, samples),
            "diversity": finite(_mean_distance(samples.cpu()) / self.width),
        }
        if self.constraint == "clipping":
            health["at_limit"] = share_at_limit(state.critic, self.config.clip)
        if self.modes is not None:
            health["modes_of_data"] = len(self.modes)
        if self.training is not None and state.step > 0:
            more = state.generator.eval()(self.noise.to(state.device))
            state.generator.train()
            health["nearest"] = nearest_real(more.cpu(), self.training, self.held_out)
        return health

    def critic(self, critic: nn.Module, samples: Tensor) -> Health:
        """Norms of the value's gradient by the output of every layer, and the values' scale."""
        critic = copy.deepcopy(critic).requires_grad_(False)  # batch norm would count the points
        points = torch.cat([self.held_out.to(samples), samples]).requires_grad_()
        names, outputs = ["input"], [points]

        def keep(name: str) -> Any:
            def hook(_module: nn.Module, _inputs: Any, output: Tensor) -> None:
                names.append(name)
                outputs.append(output)

            return hook

        for name, layer in layers(critic):
            layer.register_forward_hook(keep(name))
        with torch.enable_grad():
            values = critic(points)
            gradients = torch.autograd.grad(values.sum(), outputs, allow_unused=True)
        signal = {
            name: None if gradient is None else _root_mean_square(gradient)
            for name, gradient in zip(names, gradients, strict=True)
        }
        count, values = len(self.held_out), values.detach().double()
        variances = [part.var(correction=0) for part in (values[:count], values[count:])]
        health: Health = {
            "critic_signal": signal,
            "critic_spread": finite(float(torch.stack(variances).mean().sqrt())),
            "critic_scale": finite(float(values.square().mean().sqrt())),
        }
        if "penalty" in self.constraint:
            assert gradients[0] is not None
            slopes = gradients[0].double().flatten(1).norm(dim=1)
            excess = slopes - 1 if self.constraint == "penalty" else (slopes - 1).clamp(min=0)
            health["slope_excess"] = finite(float(excess.square().mean()))
        return health


def layers(network: nn.Module) -> list[tuple[str, nn.Module]]:
    """The modules with parameters of their own, by their names."""
    return [
        (f"{name} ({type(layer).__name__})", layer)
        for name, layer in network.named_modules()
        if next(layer.parameters(recurse=False), None) is not None
    ]


def gradients_by_layer(network: nn.Module) -> dict[str, float | None]:
    """Root mean square of the gradient over the parameters of each layer; None where infinite."""
    found: dict[str, tuple[Tensor, int]] = {}
    for name, layer in layers(network):
        gradients = [entry.grad for entry in layer.parameters(recurse=False)]
        known = [entry for entry in gradients if entry is not None]
        if known:
            norms = [torch.linalg.vector_norm(entry, dtype=torch.float64) for entry in known]
            found[name] = torch.stack(norms).norm(), sum(entry.numel() for entry in known)
    if not found:
        return {}
    norms_read = torch.stack([norm for norm, _ in found.values()]).tolist()  # one wait
    return {
        name: finite(norm / math.sqrt(count))
        for norm, (name, (_, count)) in zip(norms_read, found.items(), strict=True)
    }


def size(network: nn.Module) -> float | None:
    """Root mean square of a network's parameters."""
    flat = torch.cat([parameter.detach().flatten() for parameter in network.parameters()])
    return finite(float(torch.linalg.vector_norm(flat, dtype=torch.float64)) / len(flat) ** 0.5)


def share_at_limit(critic: nn.Module, limit: float) -> float:
    """Share of the parameters of a clipped critic that lie at the limit, up to rounding."""
    flat = torch.cat([parameter.detach().abs().flatten() for parameter in critic.parameters()])
    return float((flat >= limit * (1 - 1e-6)).double().mean())


def nearest_real(samples: Tensor, training: Tensor, held_out: Tensor) -> dict[str, int]:
    """How many training and held-out points most samples are nearest to, and among how many.

    All are rows (n, d). Counted are the points with most such samples, at most a quarter of all,
    for samples enough have everything as a neighbour. Ties go to held-out points.
    """
    real = torch.cat([held_out, training])
    centre = real.double().mean(dim=0).to(real.dtype)  # far from 0 the products of cdist cancel
    hits = torch.cdist(samples - centre, real - centre).argmin(dim=1).bincount(minlength=len(real))
    count = min(int((hits > 0).sum()), len(real) // 4)
    most = hits.argsort(descending=True, stable=True)[:count]
    of_held_out = int((most < len(held_out)).sum())
    return {
        "training": count - of_held_out,
        "held_out": of_held_out,
        "among_training": len(training),
        "among_held_out": len(held_out),
    }


def finite(number: float) -> float | None:
    """The number, or None for a NaN or an infinity, which JSON has not."""
    return number if math.isfinite(number) else None


def _mean_distance(points: Tensor) -> float:
    """Mean Euclidean distance between two different rows of (n, d)."""
    return float(torch.pdist(points.double()).mean()) if len(points) > 1 else math.nan


def _root_mean_square(gradient: Tensor) -> float | None:
    """Root of the mean squared norm of a gradient's rows."""
    squares = gradient.double().square()
    return finite(float((squares.sum() / len(squares)).sqrt()))

"""Everything that a training run carries from one step to the next."""

import copy
import hashlib
import math
import zlib
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from .algorithms import algorithm
from .config import TrainingConfig
from .data import Data, Stream
from .data.finite import FiniteData
from .data.order import take_up
from .errors import ConfigError
from .networks import build_critic, build_generator, is_certified
from .optimizers import make_optimizer, moments_of, parameters_of, set_learning_rate


@dataclass
class TrainingState:
    """Networks, optimisers, data order and random streams of a run, and how far it is."""

    generator: nn.Module
    critic: nn.Module
    averaged: nn.Module | None
    """Exponential moving average of the generator over its steps."""
    generator_optimizer: torch.optim.Optimizer
    critic_optimizer: torch.optim.Optimizer
    batches: Stream
    """Order of the real data."""
    noise_random: torch.Generator
    """Stream of the generator's input during training, on the device."""
    penalty_random: torch.Generator
    """Stream of the places where a gradient penalty looks, on the device."""
    latent: int
    device: torch.device
    average_decay: float
    learning_rate: float
    """Of the generator, before it falls."""
    critic_learning_rate: float
    """Of the critic, likewise."""
    decay_steps: int = 0
    """Generator steps in which they fall to 0; with 0 they stay."""
    decay: str = "linear"
    """How they fall: linear or cosine."""
    critic_decays: bool = True
    """Whether the critic's does."""
    step: int = 0
    """Generator steps done."""
    estimates: list[Tensor] = field(default_factory=list)
    """The critic's estimates since the last line of the log; on the device, not read."""
    best: tuple[float, int] = (math.inf, -1)
    """The least distance of an evaluation, and its step."""

    @classmethod
    def fresh(cls, config: TrainingConfig, data: Data, device: torch.device) -> "TrainingState":
        """The state before the first step: a function of the options alone."""
        random = random_stream(config.seed, "weights")
        shape = data.sample_shape
        generator = build_generator(
            config.generator, config.latent, shape, random, bounded=data.bounded
        ).to(device)
        critic = build_critic(
            str(config.critic), shape, random, lambda count: data.batch(count, random)
        ).to(device)
        if config.channels_last:
            for network in (generator, critic):
                network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

        rates = config.learning_rates

        def optimizer(network: nn.Module, rate: float) -> torch.optim.Optimizer:
            betas = float(config.beta1 or 0.0), float(config.beta2 or 0.0)
            return make_optimizer(str(config.optimizer), network.parameters(), rate, betas)

        return cls(
            generator=generator,
            critic=critic,
            averaged=averaged_copy(generator) if config.average_decay else None,
            generator_optimizer=optimizer(generator, rates[0]),
            critic_optimizer=optimizer(critic, rates[1]),
            batches=_stream(data, config),
            noise_random=random_stream(config.seed, "noise", device),
            penalty_random=random_stream(config.seed, "penalty", device),
            latent=config.latent,
            device=device,
            average_decay=config.average_decay,
            learning_rate=rates[0],
            critic_learning_rate=rates[1],
            decay_steps=config.decay_steps,
            decay=config.decay,
            critic_decays=config.critic_decays,
        )

    def noise(self, count: int) -> Tensor:
        """A fresh batch of z, shape (count, latent), drawn on the device."""
        return torch.randn(
            count,
            self.latent,
            generator=self.noise_random,
            dtype=torch.float32,
            device=self.device,
        )

    def schedule(self) -> None:
        """Set the learning rates of this step; without a decay nothing is touched."""
        if self.decay_steps:
            left = max(0.0, 1 - self.step / self.decay_steps)
            if self.decay == "cosine":
                left = (1 - math.cos(math.pi * left)) / 2
            set_learning_rate(self.generator_optimizer, self.learning_rate * left)
            if self.critic_decays:
                set_learning_rate(self.critic_optimizer, self.critic_learning_rate * left)

    @torch.no_grad()
    def average(self) -> None:
        """Move the averaged generator towards the generator; buffers are copied."""
        if self.averaged is None:
            return
        averages: list[Tensor] = list(self.averaged.parameters())
        parameters: list[Tensor] = list(self.generator.parameters())
        torch._foreach_lerp_(averages, parameters, 1 - self.average_decay)
        for mine, theirs in zip(self.averaged.buffers(), self.generator.buffers(), strict=True):
            mine.copy_(theirs)

    def tensors(self) -> dict[str, Tensor]:
        """All of the state but the step, by name, on the CPU."""
        return {name: tensor.cpu().contiguous() for name, tensor in self._named().items()}

    def _named(self) -> dict[str, Tensor]:
        """The same where it lies."""
        named: dict[str, Tensor] = {}
        for part in ("generator", "critic", "averaged"):
            network = getattr(self, part)
            if network is not None:
                named |= _prefixed(part, network.state_dict())
        for part in ("generator_optimizer", "critic_optimizer"):
            for index, entries in getattr(self, part).state_dict()["state"].items():
                named |= _prefixed(f"{part}.{index}", entries)
        place = self.batches.state_dict()
        named |= {f"batches.{name}": torch.as_tensor(entry) for name, entry in place.items()}
        for part in ("noise_random", "penalty_random"):
            named[part] = getattr(self, part).get_state()
        named["estimates"] = torch.stack(self.estimates) if self.estimates else torch.empty(0)
        named["best"] = torch.tensor(self.best, dtype=torch.float64)
        return {name: tensor.detach() for name, tensor in named.items()}

    def restore(self, named: dict[str, Tensor], step: int) -> None:
        """Take over what :meth:`tensors` gave; KeyError or RuntimeError where it does not fit."""
        self.restore_networks(named, step)
        for part in ("generator_optimizer", "critic_optimizer"):
            optimizer = getattr(self, part)
            parameters = parameters_of(optimizer)
            moments: dict[int, dict[str, Tensor]] = {}
            for key, tensor in _under(named, f"{part}.").items():
                index, _, name = key.partition(".")
                moments.setdefault(int(index), {})[name] = _laid_out(tensor, parameters[int(index)])
            if any(set(entries) != moments_of(optimizer) for entries in moments.values()):
                message = f"{part}: these moments are another optimiser's"
                raise KeyError(message)
            groups = optimizer.state_dict()["param_groups"]
            optimizer.load_state_dict({"state": moments, "param_groups": groups})
        place = _under(named, "batches.")
        self.batches.load_state_dict(
            {name: entry if entry.ndim else int(entry) for name, entry in place.items()}
        )
        for part in ("noise_random", "penalty_random"):
            take_up(getattr(self, part), named[part])
        self.estimates = list(named["estimates"].to(self.device))
        self.best = (float(named["best"][0]), int(named["best"][1]))

    def restore_networks(self, named: dict[str, Tensor], step: int) -> None:
        """Take over the networks alone, as sampling asks, on any device."""
        for part in ("generator", "critic", "averaged"):
            network = getattr(self, part)
            if network is not None:
                network.load_state_dict(_under(named, f"{part}."))
        self.step = step

    def not_finite(self) -> str | None:
        """The name of a parameter or moment with a NaN or an infinity, if there is one.

        One number for each is read, and all of them at once.
        """
        numbers = {
            name: tensor
            for name, tensor in self._named().items()
            if tensor.is_floating_point() and name not in ("best", "estimates")
        }
        finite = [tensor.isfinite().all() for tensor in numbers.values()]
        read = torch.stack([flag.to(self.device, non_blocking=True) for flag in finite]).tolist()
        return next((name for name, flag in zip(numbers, read, strict=True) if not flag), None)


def _stream(data: Data, config: TrainingConfig) -> Stream:
    """The order in which a run sees its data."""
    if not algorithm(config.algorithm).epochs:
        return data.stream(config.batch_size, config.seed)
    if not isinstance(data, FiniteData):
        message = (
            f"option algorithm: {config.algorithm} goes through its data in epochs, "
            f"and {config.data} is drawn without end"
        )
        raise ConfigError(message)
    return data.stream(config.batch_size, config.seed, short_last=True)


def demand_certified(config: TrainingConfig) -> None:
    """ConfigError for wgan-orthogonal with a critic that is not 1-Lipschitz by construction."""
    orthogonal = algorithm(config.algorithm).constraint == "orthogonal"
    if orthogonal and not is_certified(str(config.critic)):
        message = (
            f"option critic: {config.algorithm} wants one that is 1-Lipschitz by construction, "
            f"such as orthogonal,widths=128x128; got {config.critic!r}"
        )
        raise ConfigError(message)


def averaged_copy(network: nn.Module) -> nn.Module:
    """A copy that no gradient reaches."""
    return copy.deepcopy(network).requires_grad_(False)


def random_stream(seed: int, purpose: str, device: torch.device | str = "cpu") -> torch.Generator:
    """A torch Generator; streams of one seed for different purposes are independent."""
    sequence = np.random.SeedSequence([seed, zlib.crc32(purpose.encode())])
    number = int(sequence.generate_state(1, np.uint64)[0] >> 1)
    return torch.Generator(device).manual_seed(number)


def digest(named: dict[str, Tensor]) -> str:
    """SHA-256 over (name, dtype, shape, bytes) of all tensors, sorted by name."""
    total = hashlib.sha256()
    for name in sorted(named):
        tensor = named[name].cpu().contiguous()
        total.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}\n".encode())
        total.update(tensor.reshape(-1).view(torch.uint8).numpy().tobytes())
    return total.hexdigest()


def _laid_out(moment: Tensor, parameter: Tensor) -> Tensor:
    """A moment in the memory order of its parameter, which fused optimisers take for granted."""
    if moment.shape != parameter.shape:
        return moment
    return torch.empty_like(parameter, dtype=moment.dtype).copy_(moment)


def _prefixed(prefix: str, entries: dict[str, Any]) -> dict[str, Tensor]:
    return {f"{prefix}.{name}": tensor for name, tensor in entries.items()}


def _under(named: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {name[len(prefix) :]: value for name, value in named.items() if name.startswith(prefix)}

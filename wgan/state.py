"""Everything that a training run carries from one step to the next."""

import hashlib
import zlib
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from .config import TrainingConfig
from .data import Data
from .networks import make_critic, make_generator


@dataclass
class TrainingState:
    """Networks, optimisers and random streams of a run, and how far it is.

    Random numbers are always drawn on the CPU, so that they do not depend on the device.
    """

    generator: nn.Sequential
    critic: nn.Sequential
    generator_optimizer: torch.optim.RMSprop
    critic_optimizer: torch.optim.RMSprop
    data_random: torch.Generator
    """Stream of the batches of real data."""
    noise_random: torch.Generator
    """Stream of the generator's input during training."""
    latent: int
    device: torch.device
    step: int = 0
    """Generator steps done."""

    @classmethod
    def fresh(cls, config: TrainingConfig, data: Data, device: torch.device) -> "TrainingState":
        """The state before the first step: a function of the options alone."""
        random = random_stream(config.seed, "weights")
        generator = make_generator(
            config.latent, config.generator_widths, data.dimension, data.bounded, random
        ).to(device)
        critic = make_critic(data.dimension, config.critic_widths, random).to(device)
        rate = config.learning_rate
        return cls(
            generator=generator,
            critic=critic,
            generator_optimizer=torch.optim.RMSprop(generator.parameters(), lr=rate),
            critic_optimizer=torch.optim.RMSprop(critic.parameters(), lr=rate),
            data_random=random_stream(config.seed, "data"),
            noise_random=random_stream(config.seed, "noise"),
            latent=config.latent,
            device=device,
        )

    def noise(self, count: int) -> Tensor:
        """A fresh batch of z, shape (count, latent)."""
        return torch.randn(count, self.latent, generator=self.noise_random, dtype=torch.float32).to(
            self.device
        )

    def tensors(self) -> dict[str, Tensor]:
        """All of the state but the step, by name, on the CPU."""
        named: dict[str, Tensor] = {}
        for part in ("generator", "critic"):
            for name, tensor in getattr(self, part).state_dict().items():
                named[f"{part}.{name}"] = tensor
            moments = getattr(self, f"{part}_optimizer").state_dict()["state"]
            for index, entries in moments.items():
                for name, tensor in entries.items():
                    named[f"{part}_optimizer.{index}.{name}"] = tensor
        named["data_random"] = self.data_random.get_state()
        named["noise_random"] = self.noise_random.get_state()
        return {name: tensor.detach().cpu().contiguous() for name, tensor in named.items()}

    def restore(self, named: dict[str, Tensor], step: int) -> None:
        """Take over what :meth:`tensors` gave; KeyError or RuntimeError where it does not fit."""
        for part in ("generator", "critic"):
            getattr(self, part).load_state_dict(_under(named, f"{part}."))
            optimizer = getattr(self, f"{part}_optimizer")
            moments: dict[int, dict[str, Tensor]] = {}
            for key, tensor in _under(named, f"{part}_optimizer.").items():
                index, _, name = key.partition(".")
                moments.setdefault(int(index), {})[name] = tensor
            groups = optimizer.state_dict()["param_groups"]
            optimizer.load_state_dict({"state": moments, "param_groups": groups})
        self.data_random.set_state(named["data_random"])
        self.noise_random.set_state(named["noise_random"])
        self.step = step

    def not_finite(self) -> str | None:
        """The name of a parameter or moment with a NaN or an infinity, if there is one."""
        for name, tensor in self.tensors().items():
            if tensor.is_floating_point() and not bool(tensor.isfinite().all()):
                return name
        return None


def random_stream(seed: int, purpose: str) -> torch.Generator:
    """A torch Generator on the CPU; streams of one seed for different purposes are independent."""
    sequence = np.random.SeedSequence([seed, zlib.crc32(purpose.encode())])
    return torch.Generator().manual_seed(int(sequence.generate_state(1, np.uint64)[0] >> 1))


def digest(named: dict[str, Tensor]) -> str:
    """SHA-256 over (name, dtype, shape, bytes) of all tensors, sorted by name."""
    total = hashlib.sha256()
    for name in sorted(named):
        tensor = named[name].cpu().contiguous()
        total.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}\n".encode())
        total.update(tensor.numpy().tobytes())
    return total.hexdigest()


def _under(named: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {name[len(prefix) :]: value for name, value in named.items() if name.startswith(prefix)}

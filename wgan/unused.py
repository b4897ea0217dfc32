"""Options that a run would not read: a new run with one is refused, since it would be ignored.

A run that is there already was made without them, whatever its run.json says: it is read and
continued as it is. An option at its default, or at an algorithm's own number, is not given.
"""

import dataclasses
from collections.abc import Callable, Iterator

from torch import nn

from .algorithms import ALGORITHMS, OF_ADAM, READ_BY, Algorithm, algorithm
from .config import TrainingConfig
from .errors import ConfigError
from .networks import unread_options

OF_A_DECAY = ("decay", "critic_decays")


def demand_read(config: TrainingConfig) -> None:
    """ConfigError for an option that is given and that a run of these options would not read.

    The message says the option, with what it does nothing, with what it does something, the value
    under which it is not given, and its value.
    """
    for name, default, here, elsewhere in _conditions(config):
        value = getattr(config, name)
        if value != default:
            message = (
                f"option {name} does nothing with {here}, only with {elsewhere}; "
                f"leave it out, or at {default}; got {value}"
            )
            raise ConfigError(message)
    for role in ("generator", "critic"):
        text = str(getattr(config, role))
        for option in unread_options(text, role):
            message = f"option {role}: {option} does nothing in this {role}; got {text!r}"
            raise ConfigError(message)


def demand_convolutions(config: TrainingConfig, *networks: nn.Module) -> None:
    """ConfigError for ``channels_last`` where none of the networks has a convolution."""
    orders = {parameter.ndim for network in networks for parameter in network.parameters()}
    if config.channels_last and 4 not in orders:
        message = (
            "option channels_last does nothing with networks that have no convolutions; got the "
            f"generator {config.generator!r} and the critic {config.critic!r}"
        )
        raise ConfigError(message)


def _conditions(config: TrainingConfig) -> Iterator[tuple[str, object, str, str]]:
    """Options that this run does not read: name, default, what does not read it, what does."""
    own = algorithm(config.algorithm)
    defaults = {field.name: field.default for field in dataclasses.fields(config)}
    for name, reads in READ_BY.items():
        if not reads(own):
            others = _names(reads)
            yield name, defaults[name], f"algorithm {config.algorithm}", others
    if config.optimizer != "adam":
        here = f"the optimizer {config.optimizer} of algorithm {config.algorithm}"
        others = f"adam, that of {_names(lambda one: one.optimizer == 'adam')}"
        for name in OF_ADAM:
            yield name, getattr(own, name), here, others
    if not config.decay_steps:
        for name in OF_A_DECAY:
            yield name, defaults[name], "a learning rate that stays", "decay_steps above 0"


def _names(chosen: Callable[[Algorithm], bool]) -> str:
    """The algorithms that are chosen, in one phrase."""
    *others, last = [name for name, one in ALGORITHMS.items() if chosen(one)]
    return f"{', '.join(others)} and {last}" if others else last

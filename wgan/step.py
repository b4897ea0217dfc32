"""One generator step of Algorithm 1 (Arjovsky, Chintala, Bottou 2017)."""

import torch
from torch import Tensor

from divergences.dual import Constraint, ascent_step, model_term

from .data import Data
from .state import TrainingState


def train_step(
    state: TrainingState, data: Data, constraint: Constraint, batch_size: int, critic_steps: int
) -> Tensor:
    """Lines 2 to 11 of Algorithm 1: critic steps, then one generator step, each on new batches.

    Parameters
    ----------
    state : TrainingState
        Moved by one step, in place.
    data : Data
    constraint : Constraint
        The paper's is weight clipping.
    batch_size : int
        The paper's m.
    critic_steps : int
        The paper's n_critic, at least 1.

    Returns
    -------
    Tensor, shape ()
        The critic's estimate, the dual objective on the last of the critic's batches before its
        last step; on the device, not read.
    """
    for _ in range(critic_steps):  # line 2
        x = data.batch(batch_size, state.data_random)  # line 3
        with torch.no_grad():
            y = state.generator(state.noise(batch_size))  # line 4
        estimate = ascent_step(state.critic, state.critic_optimizer, x, y, constraint)  # 5 to 7
    y = state.generator(state.noise(batch_size))  # line 9
    state.generator_optimizer.zero_grad()
    loss = model_term(state.critic, y)  # line 10
    torch.autograd.backward(loss, inputs=list(state.generator.parameters()))
    state.generator_optimizer.step()  # line 11
    state.step += 1
    return estimate

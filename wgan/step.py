"""One generator step of Algorithm 1 (Arjovsky, Chintala, Bottou 2017)."""

import torch
from torch import Tensor

from .procedure import Procedure
from .state import TrainingState


def train_step(state: TrainingState, procedure: Procedure) -> Tensor:
    """Lines 2 to 11 of Algorithm 1: critic steps, then one generator step, each on new batches.

    Parameters
    ----------
    state : TrainingState
        Moved by one step, in place. Nothing is read from its device.
    procedure : Procedure
        What the algorithms differ in.

    Returns
    -------
    Tensor, shape ()
        The critic's estimate, the dual objective on the last of the critic's batches before its
        last step; on the device, not read.
    """
    generator, critic, size = state.generator, state.critic, procedure.batch_size
    state.schedule()
    steps = procedure.critic_steps_before(state.step)
    for y in procedure.generate_for_critic(generator, state.noise, steps):  # lines 2 and 4
        x = state.batches.next()  # line 3
        estimate = procedure.critic_step(critic, state.critic_optimizer, x, y)  # lines 5 to 7
        if procedure.phase_ends(state.batches):
            break
    y = procedure.generate(generator, state.noise(size))  # line 9
    state.generator_optimizer.zero_grad()
    loss = procedure.generator_loss(critic, y)  # line 10
    torch.autograd.backward(loss, inputs=list(generator.parameters()))
    state.generator_optimizer.step()  # line 11
    state.average()
    state.step += 1
    return estimate

"""Steps of several processes against steps of one, in seconds and in processor time.

``torchrun --standalone --nproc-per-node 2 -m benchmarks.several_processes [steps]`` prints a line
for each pair of networks: one process (the first alone, the others wait), then all together.
"""

import sys
import time

import torch

from wgan import TrainingConfig
from wgan.data import make_data
from wgan.parallel import Workers
from wgan.parallel.launch import working_together
from wgan.procedure import Procedure
from wgan.state import TrainingState
from wgan.step import train_step

DIGITS = {"data": "digits", "latent": 64, "device": "cpu"}
RUNS = {
    "3x128, plane, batch 256": {
        "data": "ring", "latent": 2, "batch_size": 256, "algorithm": "wgan-gp", "device": "cpu",
        "generator": "mlp,widths=128x128x128", "critic": "mlp,widths=128x128x128",
    },
    "4x512, digits, batch 64": {**DIGITS, "generator": "mlp", "critic": "mlp"},
    "4x512, digits, batch 1024": {
        **DIGITS, "generator": "mlp", "critic": "mlp", "batch_size": 1024,
    },
    "convolutions, digits, batch 256": {
        **DIGITS, "generator": "digits", "critic": "digits", "batch_size": 256,
    },
}  # fmt: skip
CPU = torch.device("cpu")


def measured(config, workers, steps):
    """Seconds and processor seconds of a generator step; of all processes, the latter."""
    data = make_data(config.data, CPU)
    state = TrainingState.fresh(config, data, CPU)
    share = workers.share(config.batch_size)
    workers.join(state, share)
    procedure = Procedure.of(config, state.penalty_random, share)
    with workers.stepping():
        train_step(state, procedure)
        workers.lap(0, 0.0)  # what the first step waited for
        wall, processor = time.perf_counter(), time.process_time()
        for _ in range(steps):
            train_step(state, procedure)
        wall, processor = time.perf_counter() - wall, time.process_time() - processor
    lap = workers.lap(steps, wall)
    total = float(workers.sum(torch.tensor(processor, dtype=torch.float64)))
    return wall / steps, total / steps, lap.get("communication", 0.0)


def main(steps):
    torch.set_num_threads(1)
    with working_together("cpu", 600.0) as workers:
        for name, options in RUNS.items():
            config = TrainingConfig(out="unused", **options)
            with workers.agreement():
                alone = measured(config, Workers(), steps) if workers.first else None
            wall, processor, waits = measured(config, workers, steps)
            if alone is not None:
                print(
                    f"{name}: one process {1e3 * alone[0]:.0f} ms ({1e3 * alone[1]:.0f} ms of "
                    f"processor); {workers.count} processes {1e3 * wall:.0f} ms "
                    f"({1e3 * processor:.0f} ms), {waits:.0%} of it in communication",
                    flush=True,
                )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 20)

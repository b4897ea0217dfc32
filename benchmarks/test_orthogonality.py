"""Orthogonality that a thousand steps leave, at width 512, in float64: nothing drifts.

``DIVERGENCES_ORTHOGONAL`` chooses rows ("cayley-float32;bjorck-float64"),
``DIVERGENCES_ORTHOGONAL_STEPS`` their number of steps. A row is recorded at
every hundredth step, so that a run which is cut short says how far it came. Seconds are those of
one processor.
"""

import os
import time

import pytest
import torch

from divergences.dual import OrthogonalLinear, lipschitz_bound

from .record import record_row

WIDTH, EVERY = 512, 100
STEPS = int(os.environ.get("DIVERGENCES_ORTHOGONAL_STEPS", "1000"))
RATE = 1e-2
LIMITS = {"float32": 1e-5, "float64": 1e-12}
ALL = [f"{method}-{dtype}" for dtype in LIMITS
       for method in ("cayley", "householder", "bjorck", "exponential")]  # fmt: skip
CHOSEN = os.environ.get("DIVERGENCES_ORTHOGONAL", ";".join(ALL)).split(";")


def _defect(weight):
    """Spectral norm of W' W - I in float64."""
    wide = weight.detach().double()
    identity = torch.eye(wide.shape[1], dtype=torch.float64)
    return torch.linalg.matrix_norm(wide.T @ wide - identity, 2).item()


@pytest.mark.parametrize("row", CHOSEN)
def test_orthogonality(row):
    method, name = row.split("-")
    dtype = getattr(torch, name)
    generator = torch.Generator().manual_seed(1)
    layer = OrthogonalLinear(WIDTH, WIDTH, method=method, generator=generator, dtype=dtype)
    target = torch.randn(WIDTH, WIDTH, generator=generator).to(dtype)
    optimizer = torch.optim.Adam(layer.parameters(), lr=RATE)
    first, worst = layer.weight.detach().clone(), _defect(layer.weight)
    seconds = 0.0
    for step in range(1, STEPS + 1):
        begin = time.process_time()
        optimizer.zero_grad()
        (layer.weight * target).sum().backward()
        optimizer.step()
        seconds += time.process_time() - begin
        if step % EVERY == 0:
            now = _defect(layer.weight)
            worst = max(worst, now)
            figures = {
                "method": method, "dtype": name, "width": WIDTH, "steps": step, "defect": now,
                "worst of every hundredth step": worst, "limit": LIMITS[name],
                "certified norm - 1": lipschitz_bound(layer) - 1,
                "moved": round((layer.weight.detach() - first).norm().item(), 2),
                "ms per step": round(1e3 * seconds / step, 1),
            }  # fmt: skip
            record_row("orthogonality", ("method", "dtype"), figures)
    print(figures, flush=True)
    assert worst <= LIMITS[name]
    # the proof's own room for rounding is 2e-11 at this width
    assert abs(figures["certified norm - 1"]) <= LIMITS[name] + 1e-10

"""Mode collapse on stacked digits: classes that are met among a thousand, by a classifier."""

from collections.abc import Sequence
from typing import Any

import torch

from ..data.stacked import Stacked
from ..errors import RunError
from ..material import classifier_of, stacked_coverage
from ..metrics import Classifier
from ..metrics.modes import STACKED_SAMPLES
from ..page import Section, table
from ..run import load
from .cases import Case, Finding, Outcome, ScaleName, networks
from .pages import sections_of_runs

LEVEL = 0.95
"""Of the intervals."""


SHORT_RUN = {"learning_rate": 5e-4, "beta1": 0.5}
"""Of the penalised convolutions at reduced scale: the algorithm's 1e-4 is for many more steps."""


def stacked_cases(data: Stacked, scale: ScaleName) -> list[Case]:
    """The GAN of perceptrons, and GAN and penalised Wasserstein GAN of one pair of convolutions.

    At full scale the Wasserstein GANs of perceptrons too: on two cores a step of theirs takes five
    times that of the GAN, and the minutes go further without them. The convolutional critic has no
    batch normalisation: a penalty is of one sample's gradient.
    """
    own, reduced = networks(data, scale), scale == "reduced"
    perceptrons = {"generator": own.perceptron, "critic": own.perceptron_critic}
    cases = [
        Case(f"{name}-seed-0", {"algorithm": name, **perceptrons})
        for name in (("gan",) if reduced else ("gan", "wgan", "wgan-gp"))
    ]
    if own.convolutional is not None:
        critic = f"digits,filters={16 if reduced else 64}"
        pair = {"generator": own.convolutional, "critic": critic}
        penalised = {"algorithm": "wgan-gp", **pair, **(SHORT_RUN if reduced else {})}
        cases += [
            Case("gan-convolutional-seed-0", {"algorithm": "gan", **pair}),
            Case("wgan-gp-convolutional-seed-0", penalised),
        ]
    return cases


def stacked_collapse(outcomes: Sequence[Outcome]) -> Finding:
    """Classes that the generators meet at the end, and how evenly."""
    classifier: Classifier | None = None
    figures: dict[str, Any] = {}
    for one in outcomes:
        try:
            run = load(one.log.path)
        except RunError:
            if one.failure is None:
                raise
            # it ended before its first checkpoint
            figures[one.case.name] = {"modes": None, "failure": one.failure}
            continue
        assert isinstance(run.data, Stacked)
        classifier = classifier or classifier_of(run.data)
        generated = torch.from_numpy(run.sample(STACKED_SAMPLES))
        modes, evenness = stacked_coverage(generated, run.data, classifier, LEVEL)
        figures[one.case.name] = {
            "modes": int(modes.estimate), "of": int(modes.upper),
            "kl_to_uniform": evenness.estimate, "lower": evenness.lower, "upper": evenness.upper,
            "real_kl_to_uniform": evenness.real, "samples": STACKED_SAMPLES, "steps": run.step,
            "failure": one.failure,
        }  # fmt: skip
    counted = {name: numbers for name, numbers in figures.items() if numbers["modes"] is not None}
    return Finding(figures, _sentences(figures, classifier), _sections(counted, outcomes))


def _sentences(figures: dict[str, Any], classifier: Classifier | None) -> list[str]:
    sentences = []
    real = None
    for name, numbers in figures.items():
        algorithm, ended = name.partition("-seed-")[0], ""
        if numbers["failure"]:
            ended = f" It ended early: {numbers['failure']}."
        if numbers["modes"] is None:
            sentences.append(f"{algorithm}: nothing was counted.{ended}")
            continue
        real = numbers["real_kl_to_uniform"]
        sentences.append(
            f"{algorithm}: {numbers['modes']} of {numbers['of']} modes after {numbers['steps']} "
            f"generator steps, KL to the uniform law {numbers['kl_to_uniform']:.3f} "
            f"[{numbers['lower']:.3f}, {numbers['upper']:.3f}] nats.{ended}"
        )
    if classifier is not None and real is not None:
        sentences.append(
            f"Counted in {STACKED_SAMPLES} samples by {classifier}; stacks of held-out digits have "
            f"a KL of {real:.3f} nats."
        )
    return sentences


def _sections(counted: dict[str, Any], outcomes: Sequence[Outcome]) -> list[Section]:
    rows = [
        (
            name, str(numbers["modes"]), f"{numbers['kl_to_uniform']:.4f}",
            f"[{numbers['lower']:.4f}, {numbers['upper']:.4f}]",
            f"{numbers['real_kl_to_uniform']:.4f}",
        )
        for name, numbers in counted.items()
    ]  # fmt: skip
    columns = ("run", "modes", "KL to uniform, nats", f"{LEVEL:.0%} interval", "real stacks")
    return [
        Section("Counted at the end", table(columns, rows, " rrrr")),
        *sections_of_runs(outcomes),
    ]

"""What the metrics of a run are computed from, each made once and only if it is needed."""

import copy
import dataclasses
from functools import cached_property

import torch
from torch import Tensor

from . import metrics
from .classifier_store import known_classifier
from .data.protocol import RealSamples
from .data.stacked import Stacked
from .errors import RunError
from .features import Extractor
from .metrics import Classifier, Measurement
from .metrics.measurement import Float64Array
from .metrics.modes import MODE_SAMPLES, STACKED_SAMPLES
from .metrics.neighbours import Neighbourhoods
from .procedure import Procedure
from .run import SAMPLED, Run
from .units import estimate_of


class Material:
    """Real and generated samples of a run, their features, and metrics of these.

    Parameters
    ----------
    run : Run
    real : RealSamples
    extractor : Extractor
    samples : int or None
        Generated samples in which modes are counted; None for the published number.
    seed : int
    level : float
    averaged : bool
        Whether the averaged generator is meant.
    """

    def __init__(
        self,
        run: Run,
        real: RealSamples,
        extractor: Extractor,
        samples: int | None,
        seed: int,
        level: float,
        *,
        averaged: bool,
    ) -> None:
        self.run, self.data, self.real, self.extractor = run, run.data, real, extractor
        self.samples, self.seed, self.level, self.averaged = samples, seed, level, averaged
        self.labels = ""

    @cached_property
    def generated(self) -> Tensor:
        """As many generated samples as real ones are held out."""
        return self._generated(len(self.real.held_out))

    @cached_property
    def features(self) -> tuple[Float64Array, Float64Array, Float64Array]:
        """Features of held-out, generated and other real samples, equally many."""
        held_out, generated, reference = (
            self.extractor(samples)
            for samples in (self.real.held_out, self.generated, self.real.reference)
        )
        return held_out, generated, reference

    @cached_property
    def neighbourhoods(self) -> Neighbourhoods:
        """The distances behind precision, recall, density and coverage."""
        return Neighbourhoods("evaluate", *self.features)

    @cached_property
    def coverage(self) -> tuple[Measurement, Measurement]:
        """Modes, and high quality or evenness."""
        if isinstance(self.data, Stacked):
            return self._stacked_coverage(self.data)
        generated = self._generated(self.samples or MODE_SAMPLES)
        modes = self.data.modes  # type: ignore[attr-defined]
        deviation = self.data.deviation  # type: ignore[attr-defined]
        return metrics.mode_coverage(generated, modes, deviation, level=self.level)

    def kid(self) -> Measurement:
        """KID of the features."""
        return metrics.kid(*self.features, level=self.level)

    def sliced_wasserstein1(self) -> Measurement:
        """Sliced distance of the samples themselves."""
        return metrics.sliced_wasserstein1(
            self.real.held_out, self.generated, self.real.reference, level=self.level
        )

    def wasserstein1(self) -> Measurement:
        """Exact distance of the features."""
        diameter = self.extractor.diameter
        return metrics.wasserstein1(*self.features, diameter=diameter, level=self.level)

    def wasserstein1_gap(self) -> Measurement:
        """How much nearer the features of training data are."""
        held_out, generated, reference = self.features
        return metrics.wasserstein1_gap(held_out, reference, generated, level=self.level)

    def critic_gap(self) -> Measurement:
        """How much more the critic sees on training data."""
        procedure = Procedure.of(self.run.config)

        def objective(x: Float64Array, y: Float64Array) -> float:
            return float(procedure.objective(_itself, torch.from_numpy(x), torch.from_numpy(y)))

        values = [
            self._critic_values(samples)
            for samples in (self.real.held_out, self.real.reference, self.generated)
        ]
        found = metrics.critic_gap(objective, *values, level=self.level)
        unit = estimate_of(self.run.config).unit
        return dataclasses.replace(found, unit=unit)

    def fid(self) -> Measurement:
        """FID of the user's features."""
        self._demand_own("fid")
        return metrics.fid(*self.features, level=self.level)

    def kid_subsets(self) -> Measurement:
        """KID of the user's features, by its published protocol."""
        self._demand_own("kid_subsets")
        held_out, generated, _ = self.features
        return metrics.kid_subsets(held_out, generated, seed=self.seed)

    def _generated(self, count: int) -> Tensor:
        samples = self.run.sample(count, self.seed, averaged=self.averaged)
        return torch.from_numpy(samples)

    def _stacked_coverage(self, data: Stacked) -> tuple[Measurement, Measurement]:
        classifier = classifier_of(data)
        self.labels = str(classifier)
        generated = self._generated(self.samples or STACKED_SAMPLES)
        return stacked_coverage(generated, data, classifier, self.level)

    @torch.no_grad()
    def _critic_values(self, samples: Tensor) -> Tensor:
        critic = copy.deepcopy(self.run.critic)  # batch normalisation changes when it is called
        like = next(critic.parameters())
        parts = [critic(part.to(like)) for part in torch.split(samples, SAMPLED)]
        return torch.cat(parts).reshape(-1).double()

    def _demand_own(self, name: str) -> None:
        if not self.extractor.own:
            message = (
                f"option metrics: {name} needs features of your own, --features module:callable: "
                "published values are of a network that is not downloaded here"
            )
            raise RunError(message)


def classifier_of(data: Stacked) -> Classifier:
    """The classifier of the digits that are stacked, trained on those of training."""
    return known_classifier(*data.training_digits.tensors, *data.held_out_digits.tensors)


def stacked_coverage(
    generated: Tensor, data: Stacked, classifier: Classifier, level: float
) -> tuple[Measurement, Measurement]:
    """Modes of stacked digits and evenness, beside those of as many stacks of held-out digits."""
    found, real = (
        classifier.stacked_labels(samples.reshape(-1, *data.image_shape))
        for samples in (generated, data.real_samples(len(generated)).held_out)
    )
    classes = classifier.classes ** data.image_shape[0]
    return metrics.class_coverage(found, classes, real, level=level)


def _itself(values: Tensor) -> Tensor:
    """The critic on its own values."""
    return values.reshape(-1)

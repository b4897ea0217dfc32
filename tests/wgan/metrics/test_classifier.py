import os

import pytest
import torch

from wgan.data import make_data
from wgan.metrics import class_coverage, train_classifier
from wgan.metrics.modes import STACKED_SAMPLES


@pytest.fixture(scope="module")
def digits():
    return make_data("stacked", torch.device("cpu"))


@pytest.fixture(scope="module")
def classifier(digits):
    return train_classifier(
        *digits.training_digits.tensors, *digits.held_out_digits.tensors, steps=150
    )


def test_it_recognises_digits_that_it_has_not_seen(digits, classifier):
    """Accuracy by counting; guessing has a tenth."""
    images, labels = digits.held_out_digits.tensors
    right = sum(
        int(classifier.labels(image[None])[0]) == int(label)
        for image, label in zip(images, labels, strict=True)
    )
    assert classifier.accuracy == right / len(labels)
    assert classifier.lower > 0.85
    assert classifier.lower < classifier.accuracy < classifier.upper
    assert f"{classifier.accuracy:.2%} of {len(labels)} held-out" in str(classifier)


def test_the_label_of_a_stack_is_its_digits_in_base_ten(digits, classifier):
    images, _ = digits.training_digits.tensors
    by_label = dict(zip(classifier.labels(images).tolist(), images, strict=True))
    numbers = (4, 0, 7), (1, 2, 3)
    stacks = torch.stack([torch.cat([by_label[digit] for digit in number]) for number in numbers])
    assert classifier.stacked_labels(stacks).tolist() == [407, 123]


def test_equal_seeds_give_equal_classifiers(digits):
    images, labels = digits.held_out_digits.tensors
    before = torch.get_rng_state()
    first, again, other = (
        train_classifier(images, labels, images, labels, steps=2, seed=seed) for seed in (0, 0, 1)
    )
    weights = [one.network[0].weight for one in (first, again, other)]
    assert torch.equal(weights[0], weights[1])
    assert not torch.equal(weights[0], weights[2])
    assert torch.equal(torch.get_rng_state(), before)


def test_images_and_labels_have_to_fit():
    images, labels = torch.zeros(6, 1, 4, 4), torch.tensor([0, 1, 2, 0, 1, 2])
    for given, complaint in (
        ((images[:, 0], labels, images, labels), "images must have the shape"),
        ((images, labels[:5], images, labels), "images must have a label each"),
        ((images, labels * 2, images, labels), "labels must be 0, 1, ..., each of them met"),
        ((images, labels * 0, images, labels), "labels must be 0, 1, ..., each of them met"),
        ((images, labels, images, labels + 1), "held_out_labels must be from 0 to 2"),
    ):
        with pytest.raises(ValueError, match=complaint):
            train_classifier(*given)


def test_a_thousand_modes_of_mnist_are_recognised_where_it_is_at_hand():
    """A perfect sampler of its digits: all modes, a KL little above that of even classes."""
    folder = os.environ.get("DIVERGENCES_MNIST")
    if not folder:
        pytest.skip("DIVERGENCES_MNIST does not name a folder of MNIST's files")
    data = make_data(f"stacked,folder={folder}", torch.device("cpu"))
    digits = *data.training_digits.tensors, *data.held_out_digits.tensors
    classifier = train_classifier(*digits, steps=500)
    assert classifier.lower > 0.95
    stacks = data.real_samples(STACKED_SAMPLES).held_out.reshape(-1, 3, 28, 28)
    modes, evenness = class_coverage(classifier.stacked_labels(stacks), 1000)
    assert modes.estimate == 1000
    assert 0.019 < evenness.estimate < 0.04

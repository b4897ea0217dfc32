"""Bad input: the right error, naming function, parameter, requirement and what arrived."""

import numpy as np
import pytest
import torch

from divergences import (
    Discrete,
    Normal,
    js_distance,
    js_divergence,
    kl_divergence,
    optimal_transport,
    total_variation,
    wasserstein1,
)

DIVERGENCES = (total_variation, kl_divergence, js_divergence, js_distance)
GOOD = [0.5, 0.5]

ARRAY = "must be an array, tensor or list of real numbers"
BAD_VECTORS = {
    "nan": ([0.5, np.nan], ValueError, r"p must be finite; got nan at index \(1,\)"),
    "inf": ([np.inf, 0.5], ValueError, r"p must be finite; got inf at index \(0,\)"),
    "negative": ([1.5, -0.5], ValueError, r"p must be non-negative; got -0.5 at index \(1,\)"),
    "sum": ([0.5, 0.6], ValueError, r"p must sum to 1 within 3\S+ .*; got a sum of 1\.1"),
    "sum a little off": ([0.5, 0.5 + 1e-12], ValueError, r"p must sum to 1 .* got a sum of 1\."),
    "empty": ([], ValueError, r"p must have at least one entry; got .* shape \(0,\)"),
    "scalar": (1.0, ValueError, r"p must be a probability vector .*; got a scalar"),
    "string": ("abc", TypeError, f"p {ARRAY}; got str 'abc'"),
    "strings": (["a", "b"], TypeError, f"p {ARRAY} .*; got list with entries of dtype <U1"),
    "none": (None, TypeError, f"p {ARRAY}; got None"),
    "ragged": ([[0.5, 0.5], [1.0]], ValueError, "p must be a rectangular array .*; got a ragged"),
    "complex": ([0.5 + 0j, 0.5], TypeError, f"p {ARRAY} .*; got list .* dtype complex128"),
    "object": ([{}, {}], TypeError, f"p {ARRAY} .* dtype object"),
    "dict": ({"a": 1.0}, TypeError, f"p {ARRAY}; got dict"),
    "longer": ([0.25] * 4, ValueError, "p and q must have the same length .*; got 4 and 2"),
    "torch": (
        torch.tensor(GOOD),
        TypeError,
        r"p and q must share .*; got p in torch \(cpu\), q in N",
    ),
    "tensors": ([torch.tensor(0.5)] * 2, TypeError, r"p .*torch.stack.*; got a list of torch"),
    "masked": (np.ma.array(GOOD, mask=[True, False]), TypeError, f"p {ARRAY} .*; got a masked"),
}


@pytest.mark.parametrize("function", DIVERGENCES)
@pytest.mark.parametrize("case", BAD_VECTORS)
def test_bad_vectors_are_refused_by_name(function, case):
    value, error, message = BAD_VECTORS[case]
    with pytest.raises(error, match=f"^{function.__name__}: {message}"):
        function(value, GOOD)
    if not message.startswith("p and q"):
        with pytest.raises(error, match=f"^{function.__name__}: q{message.removeprefix('p')}"):
            function(GOOD, value)


def test_bad_axes_and_batches():
    batch = np.full((3, 2), 0.5)
    with pytest.raises(ValueError, match="axis must be an axis of p; got 2 for shape"):
        total_variation(batch, batch, axis=2)
    with pytest.raises(TypeError, match="axis must be an integer; got float"):
        total_variation(batch, batch, axis=0.0)
    with pytest.raises(TypeError, match="axis must be an integer; got bool"):
        total_variation(batch, batch, axis=True)
    with pytest.raises(ValueError, match="axis must be negative where p and q differ"):
        total_variation(batch, [0.5, 0.5], axis=0)
    with pytest.raises(ValueError, match="batch axes that broadcast"):
        total_variation(batch, np.full((4, 2), 0.5))
    with pytest.raises(
        ValueError, match=r"p must sum to 1 .*; got a sum of 0\.9 at batch index \(1,\)"
    ):
        total_variation([[0.5, 0.5], [0.5, 0.4]], [0.5, 0.5])


def test_rounding_of_a_long_float32_vector_is_not_an_error():
    weights = np.random.default_rng(0).random(100_000).astype(np.float32)
    weights /= weights.sum()
    assert total_variation(weights, weights[::-1].copy()) > 0
    with pytest.raises(ValueError, match="sum to 1"):
        total_variation(weights.astype(np.float64), weights[::-1].astype(np.float64))


def test_tensors_are_checked_and_sparse_ones_refused():
    with pytest.raises(ValueError, match="kl_divergence: q must be finite"):
        kl_divergence(torch.tensor([0.5, 0.5]), torch.tensor([0.5, float("nan")]))
    with pytest.raises(TypeError, match="must be a dense tensor"):
        kl_divergence(torch.tensor([0.5, 0.5]).to_sparse(), torch.tensor([0.5, 0.5]))


BAD_ATOMS = {
    "nan": (([np.nan],), ValueError, "points must be finite"),
    "empty": (([],), ValueError, "points must hold at least one point"),
    "three axes": ((np.zeros((2, 2, 2)),), ValueError, r"points must have shape \(n,\) or"),
    "scalar": ((1.0,), ValueError, "points must have shape"),
    "strings": ((["a", "b"],), TypeError, "points must be an array"),
    "weights length": (([1.0, 2.0], [1.0]), ValueError, r"weights must have shape \(2,\)"),
    "weights sum": (([1.0, 2.0], [3.0, 1.0]), ValueError, "weights must sum to 1 .* 4.0"),
    "weights sign": (([1.0, 2.0], [1.5, -0.5]), ValueError, "weights must be non-negative"),
    "mixed": ((torch.zeros(2, 1), [0.5, 0.5]), TypeError, "points and weights must share"),
}  # fmt: skip


@pytest.mark.parametrize("case", BAD_ATOMS)
def test_bad_atoms(case):
    arguments, error, message = BAD_ATOMS[case]
    with pytest.raises(error, match=f"^Discrete: {message}"):
        Discrete(*arguments)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ((0.0, 0.0), ValueError, "std must be a positive finite number; got 0.0"),
        ((0.0, -1.0), ValueError, "std must be a positive finite number; got -1.0"),
        ((np.nan, 1.0), ValueError, "mean must be a finite number; got nan"),
        ((0.0, np.inf), ValueError, "std must be a positive finite number; got inf"),
        (("0", 1.0), TypeError, "mean must be a finite number; got str '0'"),
        (([0.0, 1.0], 1.0), TypeError, "mean must be a finite number; got list"),
        (
            (torch.zeros(3), 1.0),
            TypeError,
            "mean must be a finite number; got a torch tensor of shape",
        ),
        ((True, 1.0), TypeError, "mean must be a finite number; got bool True"),
    ],
)
def test_bad_normals(arguments, error, message):
    with pytest.raises(error, match=f"^Normal: {message}"):
        Normal(*arguments)


def test_libraries_and_masks_are_seen_however_deep_they_lie():
    with pytest.raises(TypeError, match=r"wasserstein1: x must .* got a list of torch tensors"):
        wasserstein1([[torch.tensor(0.0), torch.tensor(1.0)]], [[0.0, 0.0]])
    masked = np.ma.array([0.0, 9.0], mask=[False, True])
    with pytest.raises(TypeError, match=r"x must .* got a list with masked entries"):
        wasserstein1([masked], [[0.0, 0.0]])
    with pytest.raises(TypeError, match="wasserstein1: p and q must share one array library"):
        wasserstein1(Discrete([0.0]), Normal(torch.tensor(0.0), 1.0))
    with pytest.raises(TypeError, match="optimal_transport: x and cost must share one array lib"):
        optimal_transport(torch.tensor([0.0, 1.0]), cost=np.eye(2))
    with pytest.raises(ValueError, match="Normal: mean must be a finite number; got inf"):
        Normal(10**400, 1)


@pytest.mark.parametrize("axis", [False, True, -1.0, 0.0, None, (0,)])
def test_only_integers_are_axes_of_plain_vectors(axis):
    half = np.array([0.5, 0.5])
    with pytest.raises(TypeError, match="js_divergence: axis must be an integer; got"):
        js_divergence(half, half, axis=axis)


def test_tensors_of_eight_bits_are_refused():
    with pytest.raises(TypeError, match="p must be a dense tensor of real numbers"):
        js_divergence(torch.ones(1).to(torch.float8_e4m3fn), torch.ones(1))


def test_an_array_is_no_metric():
    with pytest.raises(TypeError, match="wasserstein1: metric must be one of"):
        wasserstein1([0.0], [1.0], metric=np.array(["euclidean", "cityblock"]))


def test_weights_with_more_axes_than_their_points_are_told_the_right_shape():
    x, two = np.zeros((2, 3, 2)), np.full((2, 4), 0.25)
    with pytest.raises(ValueError, match=r"y_weights must have shape \(4,\), one weight for"):
        wasserstein1(x, np.zeros((4, 2)), y_weights=two)
    with pytest.raises(ValueError, match=r"shape \(..., 4\), .* no more leading axes than the poi"):
        wasserstein1(x, np.zeros((2, 4, 2)), y_weights=two[None])

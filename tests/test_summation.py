"""Error-free transformations against exact rational arithmetic."""

import math
from fractions import Fraction

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from divergences._summation import divide, exact_sum, two_product, two_sum

numbers = st.floats(-1e100, 1e100).filter(lambda value: value == 0 or abs(value) > 1e-100)


@given(numbers, numbers)
def test_sum_and_product_are_error_free(a, b):
    high, low = two_sum(a, b)
    assert high == a + b
    assert Fraction(high) + Fraction(low) == Fraction(a) + Fraction(b)
    high, low = two_product(np.float64(a), np.float64(b))
    assert high == a * b
    assert Fraction(float(high)) + Fraction(float(low)) == Fraction(a) * Fraction(b)


@given(st.lists(numbers, min_size=1, max_size=40))
def test_exact_sum_rounds_once(values):
    high, _ = exact_sum(np, np.array(values))
    scale = math.fsum(map(abs, values))
    assert abs(high - math.fsum(values)) <= max(np.spacing(abs(high)), 1e-30 * scale)


def test_exact_sum_of_cancelling_values_and_batches():
    values = np.array([[1.0, 1e-20, -1.0], [1e16, 1.0, -1e16]])
    high, low = exact_sum(np, values)
    np.testing.assert_array_equal(high + low, [1e-20, 1.0])


@given(numbers, numbers.filter(bool))
def test_quotients_of_pairs(a, b):
    high, low = divide((np.float64(a), a * 2.0**-60), (np.float64(b), b * 2.0**-58))
    top = Fraction(a) + Fraction(a * 2.0**-60)
    exact = top / (Fraction(b) + Fraction(b * 2.0**-58))
    assert (
        abs(Fraction(float(high)) + Fraction(float(low)) - exact) <= abs(exact) * Fraction(2) ** -98
    )

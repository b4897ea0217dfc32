r"""Two vectors normalised in exact arithmetic: for those that then agree to some 30 digits.

Floats are integers times a power of two, so :math:`p_i S_q - q_i S_p` is computed without error:
it tells proportional vectors, whose divergences are 0, from others, which no fixed precision does.
O(k) operations on integers of about 2000 bits.
"""

import numpy as np

from ._typing import Float64Array

_EXPONENT = 1074  # 2**-1074 divides every double


def exact_difference(
    p: Float64Array, q: Float64Array, scale_exponent: int
) -> tuple[Float64Array, Float64Array, Float64Array]:
    """The normalised p and q and their difference, times 2**scale_exponent, rounded once."""
    first, second = (_integers(vector) for vector in (p, q))
    p_mass, q_mass = sum(first), sum(second)
    unit = p_mass * q_mass
    return (
        np.array([(a << scale_exponent) / p_mass for a in first]),
        np.array([(b << scale_exponent) / q_mass for b in second]),
        np.array(
            [
                ((a * q_mass - b * p_mass) << scale_exponent) / unit
                for a, b in zip(first, second, strict=True)
            ]
        ),
    )


def _integers(vector: Float64Array) -> list[int]:
    ratios = (float(value).as_integer_ratio() for value in vector)
    return [top << (_EXPONENT - bottom.bit_length() + 1) for top, bottom in ratios]

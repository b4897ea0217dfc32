"""Places where a change alters no answer, each with its reason: see ``mutation.py``."""

import functools

# Source lines (a part of the line is enough) by file; " => " limits a reason to one mutant.
EQUIVALENT: dict[str, dict[str, str]] = {
    "_vector_terms.py": {
        "SERIES_RADIUS = ": "series and logarithms agree on both sides",
        "FARTHEST = ": "quotient and difference of logarithms agree on both sides",
        "LEAST_DIFFERENCE = ": "exact integers give what doubled precision gives above it",
    },
    "_vectors.py": {
        "LARGEST_SLOPE = ": "beyond it a derivative is cut; 1 % more is as good",
        "LARGEST_SINGLE_SLOPE = ": "beyond it a derivative is cut; 1 % more is as good",
        "xp.where(aligned, 1.0, p) => 1.01": "any equal laws stand in, and they are normalised",
        "xp.where(aligned, 1.0, q) => 1.01": "any equal laws stand in, and they are normalised",
        "xp.where(aligned, 1.0, first) => 1.01": "any equal laws stand in",
        "pair.p, 0.0), axis=-1) => 1.0": "masses are in units of 1/SCALE: 1 is nothing",
        "divergence, 1.0)) => 1.01": "stands in for a value that is not used",
        "p.size == q.size > 0 => 1.0": "one entry then takes the general way",
        "p.size == q.size > 0 and => p.size != q.size > 0": "equal sizes take the general way",
        "vector.ndim == 1 => 1.01": "all vectors then take the general way",
        "axis in (-1, 0) => -1.01": "the axis -1 then takes the general way",
        "axis in (-1, 0) => 1.01": "the axis -1 then takes the general way",
        "unit == 1.0 else value / unit => 1.01": "dividing by 1 is as good",
        "unit: float = 1.0 => 1.01": "a default that every caller of this way replaces",
        "(p == 0) | (q == 0), axis=-1) => (p == 0) & (q == 0)": "sums round to the caps themselves",
    },
    "_log_space.py": {
        "xp.exp(high) * (1.0 + low) => 1.01": "weights are divided by their sum",
        "both = ~p_empty & ~q_empty => "
        "~p_empty | ~q_empty": "what it lets in is masked again where it is used",
        "pair.p_empty | pair.q_empty, axis=-1) => "
        "pair.p_empty & pair.q_empty": "sums give the caps",
        "middle = xp.where(both => xp.where(both, xp.logaddexp(a, b), "
        "xp.where(empty[0], b, a)) + LOG_2": "adds a constant times the mass: no derivative",
        "similar = both & (xp.abs(w) <= 1.0) => 1.01": "both forms agree there",
        "xp.where(middle > 0, middle, 1.0) => 1.01": "stands in for a value that is not used",
        "near = xp.abs(quotient) <= 1.0 => 1.01": "both forms agree there",
        "near = both & (xp.abs(quotient) <= 1.0) => 1.01": "both forms agree there",
        "close = xp.abs(ratio) < 0.5 => 0.505": "both forms agree there",
        "xp.where(singular[..., None], 0.0, terms)) => 1.0": "an infinite value replaces the sum",
        "math.inf, high + low) => high - low": "the low part is below an ulp of the high one",
    },
    "_vector_series.py": {
        "SQUARES = ": "a few more or fewer entries take one term more",
        "largest < SERIES_RADIUS**2 => 2.02": "the general way takes the same series there",
    },
    "_neighbour_formulas.py": {
        "near = square < 0.5 => 0.505": "both forms agree there",
        "xp.where(infinite[..., None], 0.0, terms))[0] => 1.0": "an infinity replaces the sum",
        "xp.where(finite, p, 1.0), xp.where(finite, q, 1.0)) => 1.01": "equal laws stand in",
        "xp.where(positive, square, 1.0)), 0.0) => 1.01": "stands in for a value not used",
        "xp.where(empty, 1.0, affinity) => 1.01": "stands in for a value not used",
        "xp.where(carried, q, 1.0) => 1.01": "stands in for a value not used",
    },
    "_vector_blocks.py": {
        **dict.fromkeys(
            (
                "BLOCK = ",
                "LONG = ",
                "PROBE = ",
                "SHORT = ",
                "PROBED_DISTANCE = ",
                "FEW = ",
                "LEAST_DIRECT = ",
                "LARGEST_DEFECT = ",
                "LEAST_VALUE = ",
            ),
            "a threshold between two ways that agree about it",
        ),
        "UNSEEN = ": "below it a change is less than half a last digit, whether it is made or not",
        "p.shape[1] > LONG => p.shape[-1] > LONG": "rows have two axes here",
        "*_sum(rows, axis=-1).tolist() => +1": "rows have two axes here",
        "self.least >= 0.0 and => 1.0": "entries and masses are then checked once more",
        "and p_mass > 0.5 => 0.505": "masses are near 1, or entries are negative",
        "np.abs(p - q), axis=-1) >= PROBED_DISTANCE => p + q": "whether logarithms are tried first",
        "p.size <= SHORT => 1.01": "whether a way that saves time is taken",
        "near = square < SERIES_RADIUS**2 => 2.02": "series and logarithms agree on both sides",
        "largest * largest < 0.5 * threshold": "whether a way that saves time is taken",
        "move = (q_mass - p_mass) / p_mass => "
        "(q_mass - p_mass) * p_mass": "masses are near 1, and their difference nearer 0",
        "ratio = p / q => p * q": "a negative value, at which the general way is taken",
        "ratio = pair / middle => pair * middle": "the same",
    },
    "_vector_compiled.py": {
        "LARGE = 1 << 20": "no value rests on who computes it",
        "if p.size < LARGE and q.size < LARGE:": "no value rests on who computes it",
        "-1.0 if negative else 0.0), lost => 1.0": "any number that is not negative tells the same",
        "-1.0 if negative else 0.0), lost => 1.01": "any negative number tells the same",
        "(1 / 6 - x / 7)))) => 1 / 6 + x / 7": "below half a last digit at the largest defects",
        "(1 / 6 - x / 7)))) => 6.0600000000000005": "below a last digit at the largest defects",
        "bool(signs < 0) => 1.0": "the masses are then checked once more",
        "-p.shape[-1] // BLOCK => +1": "a row has two axes here",
        "(1 / 6 - x / 7)))) => 7.07": "below half a last digit at the largest defects",
    },
    "closed_forms/_normal.py": {
        "REACH = ": "the density is below the least float there",
        "PANEL = ": "panels are finer than the rule needs",
        "nodes = (edges[:-1, None] + half) + half * x => "
        "edges[:-1, None] + half - half * x": "the rule is symmetric",
        "own = np.arange(-REACH, REACH + PANEL, PANEL) => "
        "REACH - PANEL": "the density is below the least float there",
        "distance = abs(_number(m1) / 2": "a threshold far beyond what counts",
        "min(first, second) < 1e-18 * max(first, second)": "a threshold far beyond what counts",
        "np.minimum(below, above) / (below + above), 0.5) => np.minimum(below, above) "
        "* (below + above)": "the weights sum to 1",
        "constant / sum_ if sum_ else 0.0] => 1.0": "laws for which it is 0 are equal",
        **{
            f"return {cap} + 0.0 * m1 => {mutant}": "adds 0, for the graph"
            for cap in ("1.0", "LOG_2")
            for mutant in (
                "0.0 / m1",
                "0.0 / s1",
                "0.0 / m2",
                "0.0 / s2",
                f"{cap} - 0.0 * m1",
                f"{cap} + 0.0 * m1 - 0.0 * s1",
                f"{cap} + 0.0 * m1 + 0.0 * s1 - 0.0 * m2",
                f"{cap} + 0.0 * m1 + 0.0 * s1 + 0.0 * m2 - 0.0 * s2",
            )
        },
    },
    "closed_forms/_normal_plane.py": {
        "own = np.arange(-REACH, REACH + STEP, STEP) => "
        "REACH - STEP": "the density is below the least float there",
        "GRADES = ": "finer or coarser grades towards a root are as good",
        "STEP = ": "panels are finer than the rule needs",
        "+ half) + half * x => places[:-1, None] + half - half * x": "the rule is symmetric",
    },
    "closed_forms/_several.py": {
        "ROUNDING = ": "a threshold between rounding and what is meant",
        "LEAST_IN_A_PLANE = ": "both integrals are good about it",
        "if differing.size > 2: => 2.02": "sizes are integers",
        **dict.fromkeys(
            (
                "kept = values > ROUNDING * p.dimension * largest => ROUNDING / p.dimension",
                "ROUNDING * size * p.dimension => ROUNDING * size / p.dimension",
                "excess <= -1.0 + ROUNDING * p.dimension) => ROUNDING / p.dimension",
                "if rest > 1e-15:",
            ),
            "a threshold between rounding and what is meant",
        ),
        "ROUNDING * law.dimension * values[-1] => "
        "ROUNDING / law.dimension": "a threshold between rounding and what is meant",
    },
    "closed_forms/_one_family.py": {
        "safe = xp.where(mixed, spread, 1.0) => 1.01": "stands in for a value that is not used",
        "safe = xp.where(size > 0, size, 1.0) => 1.01": "stands in for a value that is not used",
        "small = xp.where(near, u, 0.0) => 1.0": "stands in for a value that is not used",
        "quotient = xp.where(mixed, shift, 0.0) / safe => 1.0": "stands in for a value not used",
        "*q.tensors()]), np.float64(0.0)) => 1.0": "only the library of the number counts",
        "if r < 1e300 else 0.0 => 1.0100000000000001e+300": "the quotient is below 1e-297 there",
        "share = xp.where(same, 0.0 * low => 1.0": "stands in for a share that is not used",
    },
    "closed_forms/_normal_space.py": {
        "+ half) + half * x => low[:, None] + half - half * x": "the rule is symmetric",
        "FIRST * (last / FIRST) ** (np.arange => "
        "last / FIRST * (np.arange(count + 1) / count)": "panels that are too long are halved",
        "u = 2.0 ** np.arange(-1.0, 120.0, 0.25)": "another grid of places at which to stop",
        "least = -0.5 * math.expm1 => 0.505": "a tolerance of 1 % more",
        "TOLERANCE = ": "the checks ask for ten times as much",
        "FIRST, GROWTH = ": "panels that are too long are halved",
        "SMALL = ": "series and logarithm agree on both sides",
        "SMALL_EXCESS = ": "both forms agree on both sides",
    },
}


@functools.cache
def _lines(path):
    return path.read_text().splitlines()


def reason(name, line, path, mutant):
    """Why this mutant of this line is equivalent; None if it is not."""
    text = _lines(path)[line - 1]
    for part, why in EQUIVALENT.get(name, {}).items():
        source, _, only = part.partition(" => ")
        if source in text and only in ("", mutant):
            return why
    return None

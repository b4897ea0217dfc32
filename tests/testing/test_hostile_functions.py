"""Whatever a function does, a check answers with a report: it never raises about the function."""

import asyncio
import decimal
import fractions
import functools
import warnings

import numpy as np
import pytest
import torch
from scipy.special import rel_entr
from torch import nn

import divergences as dv
from divergences.testing import laws

FUNCTION_KINDS = [kind for kind in laws.KINDS if kind != "generator"]


class BaseError(BaseException):
    """Derives from BaseException, as the outcomes of pytest do."""


class UnreadableError(Exception):
    def __str__(self):
        raise ValueError

    __repr__ = __str__


class NoTextError(Exception):
    def __str__(self):
        return 5  # noqa: PLE0307


class Raising:
    """An answer that cannot even be looked at."""

    def __array__(self, *_, **__):
        raise SystemExit(2)

    def __getattr__(self, name):
        message = f"no {name}"
        raise RuntimeError(message)


class Classless:
    __class__ = property(lambda _: 1 / 0)


class Nameless:
    __name__ = property(lambda _: 1 / 0)
    __signature__ = property(lambda _: 1 / 0)

    def __call__(self, *_):
        return 1j


def raising(error):
    def raises(*_):
        raise error

    return raises


def endless(*arguments):
    return endless(*arguments)


def mutating(p, *others):
    p[...] = np.nan
    for other in others:
        if isinstance(other, np.ndarray):
            other[...] = np.nan


def only_by_name(*, p, q):
    return rel_entr(p, q).sum()


async def coroutine(*_):
    return 1.0


def warned(*_):
    warnings.warn("noise", stacklevel=1)
    return "a word"


def returning(answer, *_):
    return answer


ANSWERS = {
    "nothing": None,
    "a word": "1.0",
    "a complex number": 1j,
    "a complex tensor": torch.tensor(1j),
    "a meta tensor": torch.empty((), device="meta"),
    "a sparse tensor": torch.zeros(1).to_sparse(),
    "an array": np.ones(3),
    "nothing in an array": np.array([]),
    "lists of different lengths": [[1.0], [1.0, 2.0]],
    "a date": np.datetime64("2020"),
    "a record": np.zeros((), dtype=[("a", float)]),
    "a large integer": 10**400,
    "a large number": 1e308,
    "NaN": float("nan"),
    "infinity": float("inf"),
    "minus infinity": -float("inf"),
    "a fraction": fractions.Fraction(1, 3),
    "a decimal": decimal.Decimal("0.1"),
    "an object": object(),
    "raising": Raising(),
    "without a class": Classless(),
    "a type": int,
}
HOSTILE = {name: functools.partial(returning, answer) for name, answer in ANSWERS.items()} | {
    "SystemExit": raising(SystemExit(1)),
    "BaseException": raising(BaseError()),
    "GeneratorExit": raising(GeneratorExit()),
    "StopIteration": raising(StopIteration()),
    "AssertionError": raising(AssertionError()),
    "an unreadable error": raising(UnreadableError()),
    "an error without text": raising(NoTextError()),
    "pytest.skip": lambda *_: pytest.skip("not today"),
    "endless recursion": endless,
    "mutating": mutating,
    "by name only": only_by_name,
    "a partial that does not fit": functools.partial(only_by_name, p=np.ones(1)),
    "no arguments": lambda: 0.0,
    "a generator": lambda *_: (yield 1.0),
    "a warning": warned,
    "without a name": Nameless(),
    "a class": Nameless,
    "a builtin": max,
    "a ufunc": np.maximum,
    "a module of losses": nn.KLDivLoss(),
    "a module": nn.Linear(2, 3),
}


FINE = {("an array", "interval"), ("a module of losses", "estimator")}
"""A pair of equal ends; half the mean squared distance of paired points."""
QUICK = [
    (name, FUNCTION_KINDS[(index + shift) % len(FUNCTION_KINDS)])
    for index, name in enumerate(HOSTILE)
    for shift in (0, 3)
]


@pytest.mark.long
@pytest.mark.parametrize("kind", FUNCTION_KINDS)
@pytest.mark.parametrize("name", HOSTILE)
def test_a_check_of_anything_is_a_report_whatever_its_kind(name, kind):
    test_a_check_of_anything_is_a_report(name, kind)


@pytest.mark.parametrize(("name", "kind"), QUICK)
def test_a_check_of_anything_is_a_report(name, kind):
    try:
        report = laws.check(HOSTILE[name], kind=kind, max_examples=2)
    except pytest.skip.Exception:  # else this test would count as skipped
        pytest.fail("the check let the function's skip through")
    assert report.ok == ((name, kind) in FINE), str(report)
    assert str(report)
    assert all(isinstance(failure.diagnosis, str) for failure in report.failures)


def test_a_coroutine_is_no_number():
    answers = []

    def function(p, q):
        answers.append(coroutine())
        return answers[-1]

    assert not laws.check(function, kind="metric", max_examples=2)
    asyncio.run(answers[0])
    for answer in answers[1:]:
        answer.close()


def test_only_ctrl_c_ends_a_check():
    with pytest.raises(KeyboardInterrupt):
        laws.check(raising(KeyboardInterrupt()), kind="metric", max_examples=2)
    with pytest.raises(KeyboardInterrupt):
        laws.check(raising(KeyboardInterrupt()), kind="critic")


class WithParts:
    """A good function as a callable object."""

    def __call__(self, p, q):
        return dv.kl_divergence(p, q)


def restless(p, q):
    value = rel_entr(p, q).sum()
    p[...] = q[...] = np.nan
    p.flags.writeable = False
    return value


def lazily_torch(p, q):
    import torch

    support = p > 0
    return (p[support] * torch.log(p[support] / q[support])).sum()


GOOD = {
    "an object": WithParts(),
    "a partial": functools.partial(dv.kl_divergence, base=None),
    "a lambda with defaults": lambda p, q, eps=1e-12, *a, **k: rel_entr(p, q).sum(),
    "mutates its arguments": restless,
    "a tensor from arrays": lambda p, q: torch.tensor(rel_entr(p, q).sum()),
    "a tensor of one entry": lambda p, q: torch.tensor([rel_entr(p, q).sum()]),
    "in brackets": lambda p, q: [[rel_entr(p, q).sum()]],
    "half precision, declared": lambda p, q: np.float32(rel_entr(p, q).sum()),
    "long double": lambda p, q: np.longdouble(rel_entr(p, q).sum()),
    "loads torch itself": lazily_torch,
    "warns": lambda p, q: (warnings.warn("x", stacklevel=1), rel_entr(p, q).sum())[1],
}


@pytest.mark.parametrize("name", GOOD)
def test_a_good_function_may_be_any_callable(name):
    report = laws.check(GOOD[name], kind="f-divergence", reference="kl_divergence", max_examples=20)
    assert report.ok, str(report)


def test_a_compiled_function_is_a_function():
    import numba

    @numba.njit
    def kl(p, q):
        total = 0.0
        for i in range(p.size):
            if p[i] > 0:
                total += p[i] * np.log(p[i] / q[i]) if q[i] > 0 else np.inf
        return total

    assert laws.check(kl, kind="f-divergence", reference="kl_divergence", max_examples=20).ok


def test_a_reference_that_has_no_answer_is_the_caller_s_mistake():
    for reference in (raising(OSError("gone")), lambda p, q: "a word"):
        with pytest.raises(ValueError, match="check: reference must answer with one real number"):
            laws.check(dv.kl_divergence, kind="f-divergence", reference=reference, max_examples=2)


def module(forward, layer=None):
    class Mod(nn.Module):
        def __init__(self):
            super().__init__()
            self.layer = layer or nn.Linear(3, 2)

        def forward(self, z):
            return forward(self.layer, z)

    return Mod()


class Unconvertible(nn.Module):
    """Computes in single precision, whatever it is told."""

    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(3, 2)

    def double(self):
        return self

    def forward(self, z):
        return self.layer(z.float())


BAD_MODULES = {
    "a sum": module(lambda g, z: g(z).sum()),
    "no coordinates": module(lambda g, z: g(z)[:, :0]),
    "integers": module(lambda g, z: g(z).long()),
    "complex numbers": module(lambda g, z: g(z) + 1j),
    "sparse": module(lambda g, z: g(z).to_sparse()),
    "meta": module(lambda g, z: torch.empty(len(z), 2, device="meta")),
    "NaN": module(lambda g, z: g(z) * float("nan")),
    "a tuple": module(lambda g, z: (g(z),)),
    "nothing": module(lambda g, z: None),
    "an error": module(lambda g, z: 1 / 0),
    "an exit": module(lambda g, z: raising(SystemExit(1))()),
    "BaseException": module(lambda g, z: raising(BaseError())()),
    "a recurrent network": nn.LSTM(3, 2),
    "an embedding": nn.Embedding(4, 2),
    "two inputs": nn.Bilinear(2, 2, 2),
    "no module": lambda z: z,
    "a constant": module(lambda g, z: torch.zeros(len(z), 2)),
}


@pytest.mark.parametrize("name", BAD_MODULES)
def test_a_bad_generator_is_reported(name):
    report = laws.check(BAD_MODULES[name], kind="generator")
    assert not report.ok, str(report)
    assert report.failures[0].diagnosis


GOOD_MODULES = {
    "answers of shape (n,)": module(lambda g, z: g(z)[:, 0]),
    "half precision": module(lambda g, z: g(z).half()),
    "brain floats": module(lambda g, z: g(z).bfloat16()),
    "single precision inside": Unconvertible(),
    "single precision hidden": module(lambda g, z: g(z.double()).float().double()),
    "huge": module(lambda g, z: g(z) * 1e300),
    "tiny": module(lambda g, z: g(z) * 1e-300),
    "one axis": module(lambda g, z: g(z), nn.Conv1d(2, 3, 3)),
    "three axes": module(lambda g, z: g(z), nn.Conv3d(1, 1, 3)),
    "upwards": module(lambda g, z: g(z), nn.ConvTranspose1d(2, 1, 3)),
    "weight normalised": nn.utils.parametrizations.weight_norm(nn.Linear(3, 2)),
    "lazy": module(lambda g, z: g(z), nn.LazyLinear(2)),
    "without parameters": nn.Flatten(),
    "frozen": nn.Linear(3, 2).requires_grad_(False),
}


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("name", GOOD_MODULES)
def test_a_good_generator_passes_in_any_precision_and_shape(name, seed):
    report = laws.check_generator(GOOD_MODULES[name], seed=seed)
    assert report.ok, str(report)


@pytest.mark.parametrize("size", [0.03, 0.5])
def test_a_jump_of_a_generator_beside_its_own_slope_is_found(size):
    """Halving the segment where the output moves more lost jumps smaller than its own change."""

    class Jumps(torch.nn.Linear):
        def forward(self, z):
            outputs = super().forward(z)
            return outputs + size * (outputs > 0)

    torch.manual_seed(1)
    module = Jumps(4, 2)
    for seed in range(5):
        report = laws.check_generator(module, seed=seed)
        assert "continuous in the parameters" in [failure.law for failure in report.failures]

"""Mutants of the formulas for vectors and logits, and whether checks against mpmath kill them.

``python -m benchmarks.mutation [FILE ...]`` changes one operator, comparison, constant, sign or
branch at a time in a module of ``divergences``, imports the package anew with it (no file is
written) and looks for an answer that is wrong by more than 8 eps. It prints what survived and
records killed and total for each file. Constants that only choose a way or the size of a block,
and comparisons at their edge, are equivalent mutants; they count as survivors here.
"""

import ast
import copy
import importlib
import importlib.machinery
import math
import sys
import warnings
from pathlib import Path

import mpmath as mp
import numpy as np
import torch

from .record import record

ROOT = Path(__file__).parent.parent / "divergences"
FILES = (
    "_vector_terms.py", "_vector_series.py", "_vector_blocks.py", "_vector_rationals.py",
    "_vectors.py", "_log_space.py", "_neighbour_formulas.py",
)  # fmt: skip
OPERATORS = {
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult, ast.Pow: ast.Mult,
    ast.BitAnd: ast.BitOr, ast.BitOr: ast.BitAnd, ast.LShift: ast.RShift,
}  # fmt: skip
COMPARISONS = {
    ast.Lt: ast.GtE, ast.LtE: ast.Gt, ast.Gt: ast.LtE, ast.GtE: ast.Lt, ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
}  # fmt: skip
ALLOWED = 8 * 2.0**-52


def _mutations(node):
    """Changes of one node, as functions that act on a copy of it."""
    if isinstance(node, ast.BinOp) and type(node.op) in OPERATORS:
        yield lambda n: setattr(n, "op", OPERATORS[type(n.op)]())
    if isinstance(node, ast.Compare) and type(node.ops[0]) in COMPARISONS:
        yield lambda n: setattr(n, "ops", [COMPARISONS[type(n.ops[0])](), *n.ops[1:]])
    if isinstance(node, ast.Constant) and type(node.value) in (int, float):
        yield lambda n: setattr(n, "value", n.value * 1.01 + (n.value == 0))
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        yield lambda n: setattr(n, "op", ast.UAdd())
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Invert):
        yield lambda n: setattr(n, "op", ast.UAdd())
    if isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "where":
        yield lambda n: setattr(n, "args", [n.args[0], n.args[2], n.args[1]])


def mutants(tree):
    """The mutated trees, each with its line."""
    for index, node in enumerate(ast.walk(tree)):
        for change in _mutations(node):
            other = copy.deepcopy(tree)
            target = list(ast.walk(other))[index]
            change(target)
            yield (
                getattr(node, "lineno", 0),
                ast.unparse(target)[:70],
                ast.fix_missing_locations(other),
            )


class _Package:
    """``divergences`` imported anew with one module's tree in place of its file."""

    def __init__(self, path, tree):
        self.path, self.tree = str(path), tree

    def __enter__(self):
        self.kept = {n: m for n, m in sys.modules.items() if n.split(".")[0] == "divergences"}
        self.get_code = importlib.machinery.SourceFileLoader.get_code
        mutated, path, original = self.tree, self.path, self.get_code

        def get_code(loader, name):
            same = getattr(loader, "path", None) == path
            return compile(mutated, path, "exec") if same else original(loader, name)

        for name in self.kept:
            del sys.modules[name]
        importlib.machinery.SourceFileLoader.get_code = get_code
        try:
            return importlib.import_module("divergences")
        except BaseException:
            self.__exit__()  # ``with`` leaves only what it has entered
            raise

    def __exit__(self, *_):
        importlib.machinery.SourceFileLoader.get_code = self.get_code
        for name in [n for n in sys.modules if n.split(".")[0] == "divergences"]:
            del sys.modules[name]
        sys.modules.update(self.kept)


def _truths(p, q):
    """TV, KL, JS, Hellinger, Bhattacharyya, chi-squared of mpf vectors of mass 1."""
    pairs = list(zip(p, q, strict=True))
    singular = any(a and not b for a, b in pairs)
    square = mp.fsum((mp.sqrt(a) - mp.sqrt(b)) ** 2 for a, b in pairs) / 2
    halves = [
        (a * mp.log(2 * a / (a + b)) if a else 0) + (b * mp.log(2 * b / (a + b)) if b else 0)
        for a, b in pairs
    ]
    return (
        mp.fsum(abs(a - b) for a, b in pairs) / 2,
        mp.inf if singular else mp.fsum(a * mp.log(a / b) for a, b in pairs if a),
        mp.fsum(halves) / 2,
        mp.sqrt(square),
        mp.inf if square == 1 else -mp.log1p(-square),
        mp.inf if singular else mp.fsum((a - b) ** 2 / b for a, b in pairs if b),
    )


NAMES = (
    "total_variation", "kl_divergence", "js_divergence", "hellinger_distance",
    "bhattacharyya_distance", "chi_squared_divergence",
)  # fmt: skip


def _vector_cases():
    rng = np.random.default_rng(0)
    for size in (0, 1e-15, 1e-9, 0.05, 0.3, 0.7, 1.5, 6.0, 40.0):
        for count in (1, 2, 5, 40, 1100) if size in {0.7, 1e-9} else (2, 5, 40):
            p = rng.dirichlet(np.ones(count)) + 1e-20
            if count == 5:
                p[0] = 0.0
            q = p * np.exp(size * rng.normal(size=count))
            if count == 40 and size > 1:
                q[:3], p[:3] = [0.0, 5e-324, 1e-310], [0.0, 0.0, 1e-200]
            if count == 5 and size > 5:
                q[1] = 0.0
            yield p / p.sum(), q / q.sum()
    yield np.array([1.0, 0.0, 0.0]), np.array([0.0, 0.25, 0.75])
    yield np.array([0.98, 0.02, 0.0]), np.array([0.98, 0.0, 0.02])
    yield np.array([1e-300, 0.25, 0.75]), np.array([0.25, 1e-300, 0.75])
    third = np.full(3, 1 / 3)
    yield third, third * (1 + 2.0**-51)
    tiny = np.array([0.5, 0.5, 1e-20])
    other = tiny * (1 + 2.0**-51)
    other[2] = np.nextafter(other[2], 1)
    yield tiny, other


def _logit_cases():
    rng = np.random.default_rng(1)
    for size in (1e-12, 0.01, 0.6, 3.0, 30.0):
        x = 3 * rng.normal(size=4) - 1000.0
        yield x, x + size * rng.normal(size=4) + 7.0
    yield np.array([0.0, -np.inf, 2.0]), np.array([1.0, 0.5, -1.0])
    yield np.array([0.0, 1.0, 2.0]), np.array([1.0, -np.inf, -1.0])
    yield np.zeros(9), np.array([0.0, *[-50.0] * 8])
    yield np.array([0.0, -np.inf]), np.array([-np.inf, 0.0])
    yield np.array([1e4, -1e4]), np.array([-1e4, 1e4])


def _cases():
    cases = []
    for p, q in _vector_cases():
        with mp.workdps(50 if p.size > 100 else 400):  # subnormal atoms take 400 digits
            exact = ([mp.mpf(float(v)) for v in vector] for vector in (p, q))
            truth = _truths(*([v / mp.fsum(vector) for v in vector] for vector in exact))
            cases.append((NAMES, p, q, truth))
    with mp.workdps(400):
        logit_names = tuple(f"{name}_from_logits" for name in NAMES[:3])
        for x, y in _logit_cases():
            exact = ([mp.exp(mp.mpf(float(v))) for v in logits] for logits in (x, y))
            truth = _truths(*([v / mp.fsum(weights) for v in weights] for weights in exact))
            cases.append((logit_names, x, y, truth[:3]))
    return cases


def _right(value, truth):
    value = float(value)
    if mp.isinf(truth) or not math.isfinite(value):
        return bool(mp.isinf(truth)) and value == math.inf
    return abs(mp.mpf(value) - truth) <= ALLOWED * truth + mp.mpf(2) ** -1074


def _killed(package, cases):
    for names, p, q, truths in cases:
        for name, truth in zip(names, truths, strict=True):
            function = getattr(package, name)
            if not _right(function(p, q), truth):
                return True
            rows = np.stack([p, p[::-1]]), np.stack([q, q[::-1]])
            if p.size < 50 and not _right(function(*rows)[0], truth):
                return True
    return _gradients_are_wrong(package) or _bad_input_passes(package)


def _gradients_are_wrong(package):
    generator = torch.Generator().manual_seed(0)
    x, y = torch.randn(2, 4, generator=generator, dtype=torch.float64)
    x[0], step = 4.0, 1e-6
    for name in (*NAMES, *(f"{name}_from_logits" for name in NAMES[:3]), "js_distance"):
        function = getattr(package, name)
        to = (lambda v: v) if name.endswith("logits") else (lambda v: v.softmax(-1))
        a, b = x.clone().requires_grad_(), y.clone().requires_grad_()
        for leaf, gradient in zip(
            (a, b), torch.autograd.grad(function(to(a), to(b)), (a, b)), strict=True
        ):
            for index in range(4):
                moved = leaf.detach().clone(), leaf.detach().clone()
                moved[0][index] += step
                moved[1][index] -= step
                pairs = [(to(m), to(b)) if leaf is a else (to(a), to(m)) for m in moved]
                up, down = (float(function(*pair).detach()) for pair in pairs)
                if not abs((up - down) / (2 * step) - float(gradient[index])) < 1e-7:
                    return True
        zeros = torch.tensor([0.0, 0.5, 0.5, 0.0], dtype=torch.float64)
        other = torch.tensor([0.25, 0.75, 0.0, 0.0], dtype=torch.float64)
        if name.endswith("logits"):
            zeros, other = zeros.log(), other.log()
        for pair in ((zeros, other), (other, zeros), (zeros, zeros)):
            leaves = [v.clone().requires_grad_() for v in pair]
            if not all(
                bool(g.isfinite().all()) for g in torch.autograd.grad(function(*leaves), leaves)
            ):
                return True
    return False


def _bad_input_passes(package):
    bad = ([-0.5, 1.5], [0.5, 0.6], [math.nan, 1.0])
    for name in NAMES:
        for vector in bad:
            for pair in ((vector, [0.5, 0.5]), ([0.5, 0.5], vector)):
                try:
                    getattr(package, name)(*(np.array(v) for v in pair))
                except ValueError:
                    continue
                return True
    return False


def main(files):
    """Try all mutants of ``files``; print survivors."""
    warnings.simplefilter("ignore")
    cases = _cases()
    figures = {}
    for name in files:
        path = ROOT / name
        tree = ast.parse(path.read_text())
        with _Package(path, tree) as package:
            assert not _killed(package, cases), "the checks must pass unmutated"
        killed = total = 0
        for line, text, mutant in mutants(tree):
            compile(mutant, str(path), "exec")  # an invalid mutant is a fault of this program
            total += 1
            try:
                with _Package(path, mutant) as package, np.errstate(all="ignore"):
                    dead = _killed(package, cases)
            except Exception:  # a mutant that raises is dead
                dead = True
            killed += dead
            if not dead:
                print(f"{name}:{line}: {text}", flush=True)
        figures[name] = {"killed": killed, "total": total}
        print(name, f"{killed}/{total}", flush=True)
    record("mutation", figures)


if __name__ == "__main__":
    main(sys.argv[1:] or FILES)

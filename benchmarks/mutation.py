"""Mutants of the formulas for vectors, logits and laws, and whether checks kill them.

``NUMBA_DISABLE_JIT=1 python -m benchmarks.mutation [FILE ...] [--every N]`` changes one operator,
comparison, constant, sign or branch at a time in a module of ``divergences``, imports the package
anew with it (no file is written) and looks for an answer that is wrong by more than 8 eps against
mpmath, for a wrong gradient, or for a bad input that passes. It prints what survived and records
killed, equivalent and total for each file. ``mutation_equivalents.py`` lists, each with its reason,
the places where a change alters no answer: thresholds between two ways that agree, sizes of blocks,
values that stand in for entries which are not used.
"""

import argparse
import ast
import copy
import functools
import importlib
import importlib.machinery
import itertools
import json
import math
import sys
import warnings
from pathlib import Path

import mpmath as mp
import numpy as np
import torch

from .mutation_contract import bad_input_passes, compiled_is_wrong, contract_is_broken
from .mutation_equivalents import reason
from .mutation_laws import law_is_wrong
from .mutation_vectors import NAMES, cases_of_vectors
from .record import RESULTS, record

ROOT = Path(__file__).parent.parent / "divergences"
FILES = (
    "_vector_terms.py", "_vector_series.py", "_vector_blocks.py", "_vector_rationals.py",
    "_vector_kernels.py", "_vector_compiled.py", "_vectors.py", "_log_space.py",
    "_neighbour_formulas.py", "closed_forms/_normal.py", "closed_forms/_normal_plane.py",
    "closed_forms/_normal_space.py", "closed_forms/_one_family.py",
    "closed_forms/_two_families.py", "closed_forms/_several.py",
)  # fmt: skip
ROWS = FILES[:6]  # of the values of vectors
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


def _right(value, truth, more=1):
    value = float(value)
    if mp.isinf(truth) or not math.isfinite(value):
        return bool(mp.isinf(truth)) and value == math.inf
    return abs(mp.mpf(value) - truth) <= more * ALLOWED * truth + mp.mpf(2) ** -1074


def _killed(package, cases, name):
    """Whether something is wrong that the file decides."""
    if name.startswith("closed_forms"):
        return law_is_wrong(package)
    if name == "_log_space.py":
        cases = cases[::-1]  # logits come last
    return (
        (name in ROWS and compiled_is_wrong(package))
        or _values_are_wrong(package, cases)
        or _ends_are_wrong(package)
        or bad_input_passes(package, NAMES)
        or _gradients_are_wrong(package)
        or contract_is_broken(package)
    )


def _values_are_wrong(package, cases):
    compiled = sys.modules["divergences._vector_compiled"]
    for names, p, q, truths in cases:
        for name, truth in zip(names, truths, strict=True):
            function = getattr(package, name)
            if not _right(function(p, q), truth):
                return True
            rows = np.stack([p, p[::-1]]), np.stack([q, q[::-1]])
            if p.size < 50 and not _right(function(*rows)[0], truth):
                return True
            if p.size < 50 and _ways_are_wrong(function, name, rows, truth):
                return True
            if name in NAMES[:3] and p.size < 50:
                compiled.LARGE, compiled.BLOCK = 0, 16
                wrong = not _right(function(p, q), truth) or not _right(function(*rows)[1], truth)
                wrong |= bool(function(p, p))
                compiled.LARGE, compiled.BLOCK = 1 << 20, 1 << 16
                if wrong:
                    return True
    return False


def _ways_are_wrong(function, name, rows, truth):
    """The same under vmap, on tensors, in bits, and in twice the working precision."""
    tensors = [torch.from_numpy(np.ascontiguousarray(v)) for v in rows]
    if not _right(torch.vmap(function)(*tensors)[0], truth):
        return True
    if name in {"js_divergence", "kl_divergence"} and not _right(
        function(*rows, base=2)[0], truth / mp.log(2), 2
    ):
        return True
    if name in NAMES[:3]:
        accurate = sys.modules["divergences._vector_terms"].accurate
        alone = accurate(np, name, *(v[0] for v in rows))
        both = accurate(np, name, *rows)[0]
        return not (_right(min(alone, _cap(name)), truth) and _right(min(both, _cap(name)), truth))
    return False


def _cap(name):
    return {"total_variation": 1.0, "js_divergence": math.log(2.0)}.get(name, math.inf)


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


def _ends_are_wrong(package):
    """Gradients at zeros and infinities, by their definition; caps; single precision; roots."""
    tensor = functools.partial(torch.tensor, dtype=torch.float64)
    p, q = tensor([[0.0, 0.5, 0.5], [0.2, 0.3, 0.5]]), tensor([[0.25, 0.5, 0.25], [1.0, 0.0, 0.0]])
    of_p = torch.where(p > 0, (p / q).log(), 0.0)[0]
    expected = {
        "kl_divergence": (
            torch.where(p[0] > 0, of_p - (p[0] * of_p).sum(), 0.0),
            1.0 - p[0] / q[0],
        ),
        "total_variation": _variation_slopes(p[0], q[0]),
        "js_divergence": _js_slopes(p[0], q[0]),
    }
    for name, slopes in expected.items():
        function = getattr(package, name)
        leaves = p.clone().requires_grad_(), q.clone().requires_grad_()
        found = torch.autograd.grad(function(*leaves).nan_to_num(posinf=0.0).sum(), leaves)
        for one, slope in zip(found, slopes, strict=True):
            if not torch.allclose(one[0], slope, rtol=1e-12, atol=1e-14):
                return True
        if name == "kl_divergence" and any(bool(one[1].any()) for one in found):
            return True
    steep = tensor([1.0 - 1e-3, 1e-3, 0.0]), tensor([1.0 - 5e-324, 5e-324, 0.0])
    leaves = [v.clone().requires_grad_() for v in steep]
    found = torch.autograd.grad(package.kl_divergence(*leaves), leaves)
    if found[1][1] != 0.0 or abs(float(found[1][0]) - 1e-3) > 1e-15:
        return True
    half = np.array([0.5, 0.5, 0.0]), np.array([0.25, 0.25, 0.5])
    root = float(package.js_distance(*half)) ** 2
    if abs(root - float(package.js_divergence(*half))) > 1e-16:
        return True
    single = package.kl_divergence(*(v.astype(np.float32) for v in half))
    alone = np.array([1.0, 0.0]), np.array([0.0, 1.0])
    caps = [float(getattr(package, name)(*alone)) for name in (*NAMES, "js_distance")]
    batch = [np.stack([v, v]) for v in alone]
    torch_batch = [torch.from_numpy(v) for v in batch]
    for name in (*NAMES, "js_distance"):
        values = torch.vmap(getattr(package, name))(*torch_batch).tolist()
        caps += [values[0]] if values[0] == values[1] else [math.nan]
    log_2 = math.log(2.0)
    limits = [1.0, math.inf, log_2, 1.0, math.inf, math.inf, math.sqrt(log_2)] * 2
    kinds = single.dtype == np.float32 and abs(float(single) - log_2) < 1e-7
    return not (kinds and caps == limits)


def _variation_slopes(p, q):
    sign = torch.sign(p - q)
    return tuple(0.5 * (s - (s * v).sum()) for s, v in ((sign, p), (-sign, q)))


def _js_slopes(p, q):
    middle, slopes = 0.5 * (p + q), []
    for v in (p, q):
        logarithm = torch.where(v > 0, (v / middle).log(), 0.0)
        slopes.append(torch.where(v > 0, 0.5 * (logarithm - (v * logarithm).sum()), 0.0))
    return slopes


def main(files, every=1):
    """Try the mutants of ``files``, or every so many-th of them; print survivors."""
    warnings.simplefilter("ignore")
    cases = cases_of_vectors()
    figures = {}
    for name in files:
        path = ROOT / name
        tree = ast.parse(path.read_text())
        with _Package(path, tree) as package:
            assert not _killed(package, cases, name), "the checks must pass unmutated"
        killed = equivalent = total = 0
        for line, text, mutant in itertools.islice(mutants(tree), 0, None, every):
            compile(mutant, str(path), "exec")  # an invalid mutant is a fault of this program
            total += 1
            if reason(name, line, path, text) is not None:
                equivalent += 1
                continue
            try:
                with _Package(path, mutant) as package, np.errstate(all="ignore"):
                    dead = _killed(package, cases, name)
            except Exception:  # a mutant that raises is dead
                dead = True
            killed += dead
            if not dead:
                print(f"{name}:{line}: {text}", flush=True)
        figures[name] = {"killed": killed, "equivalent": equivalent, "total": total}
        if every > 1:
            figures[name]["one mutant in"] = every
        print(name, f"{killed}/{total - equivalent} ({equivalent} equivalent)", flush=True)
        record("mutation", _kept() | figures)


def _kept():
    """The figures of files that this run leaves alone."""
    path = RESULTS / "mutation.json"
    return json.loads(path.read_text())["figures"] if path.exists() else {}


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Mutants of the formulas, killed and left.")
    parser.add_argument("files", nargs="*", default=FILES, help="below divergences/; all of them")
    parser.add_argument("--every", type=int, default=1, help="try one mutant in so many")
    arguments = parser.parse_args()
    main(arguments.files, arguments.every)

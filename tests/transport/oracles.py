"""Exact optimal transport of tiny problems, by enumeration in rational arithmetic."""

from fractions import Fraction
from functools import cache
from itertools import combinations

import mpmath as mp


def exact_masses(weights, count):
    """The weights as rationals of sum 1."""
    if weights is None:
        return [Fraction(1, count)] * count
    entries = [Fraction(float(weight)) for weight in weights]
    return [entry / sum(entries) for entry in entries]


@cache
def spanning_trees(n, m):
    """All spanning trees of the complete bipartite graph, as lists (leaf, other, i, j) to strip."""
    edges = [(i, n + j) for i in range(n) for j in range(m)]
    orders = (_stripping_order(chosen, n) for chosen in combinations(edges, n + m - 1))
    return [order for order in orders if order is not None]


def _stripping_order(chosen, n):
    left = list(chosen)
    order = []
    while left:
        ends = [node for edge in left for node in edge]
        for edge in left:
            leaf = next((node for node in edge if ends.count(node) == 1), None)
            if leaf is not None:
                break
        else:
            return None
        order.append((leaf, sum(edge) - leaf, edge[0], edge[1] - n))
        left.remove(edge)
    nodes = {node for step in order for node in step[:2]}
    return order if len(nodes) == len(chosen) + 1 else None


def exact_transport(cost, a, b):
    """The least cost of a plan over all vertices of the transportation polytope.

    ``cost`` is a matrix of numbers that multiply with Fractions turned into mpf; a, b Fractions.
    """
    n, m = len(a), len(b)
    best = mp.inf
    for tree in spanning_trees(n, m):
        left = [*a, *b]
        terms = []
        for leaf, other, i, j in tree:
            flow = left[leaf]
            if flow < 0:
                break
            left[other] -= flow
            left[leaf] = Fraction(0)
            terms.append((flow, cost[i][j]))
        else:
            if all(rest == 0 for rest in left):
                value = mp.fsum(mp.mpf(f.numerator) / f.denominator * c for f, c in terms)
                best = min(best, value)
    return best


def exact_distances(x, y, metric):
    """Distances of the rows of x and y in the working precision of mpmath."""
    order = {"euclidean": 2, "cityblock": 1, "chebyshev": mp.inf}.get(metric)
    if isinstance(metric, tuple):
        order = metric[1]
    return [[_distance(p, q, order) for q in y] for p in x]


def exact_norm(vector, order):
    """The norm in the working precision of mpmath (whose own takes integer orders only)."""
    sizes = [abs(entry) for entry in vector]
    if mp.isinf(order):
        return max(sizes)
    order = mp.mpf(order)
    return mp.fsum(size**order for size in sizes) ** (1 / order)


def _distance(p, q, order):
    p, q = ([mp.mpf(float(c)) for c in point] for point in (p, q))
    if order is not None:
        return exact_norm([a - b for a, b in zip(p, q, strict=True)], order)
    p, q = ([c / mp.norm(v) for c in v] for v in (p, q))
    chord, mean = (mp.norm([a + sign * b for a, b in zip(p, q, strict=True)]) for sign in (-1, 1))
    return 2 * mp.atan2(chord, mean)

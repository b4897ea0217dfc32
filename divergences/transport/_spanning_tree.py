r"""The spanning tree of a network simplex on a bipartite graph, and the pivot that changes it.

Nodes are sources, sinks and one root. The basis is a tree: each node but the root stores the flow
and the cost of the arc between itself and its parent, and which of the two is the source says which
way it runs, so arcs need no numbers. A component of the flow's forest hangs from the root by a
source, on an arc without flow that can leave the basis and never returns.

Potentials make tree arcs tight, :math:`f_i = c_{ij} + g_j`. The tree is kept *strongly feasible*
(Cunningham 1976): an arc without flow points towards the root, that is, its child is a source. The
leaving arc is chosen accordingly, which rules out cycling. Finding the join by subtree sizes is as
in LEMON (Kovacs 2015).

Costs and potentials are integers, multiples of 1 / ``UNITS``: along any path they add up without an
error, so the reduced cost of an arc is the sum of the costs round its cycle, whatever the
potentials say. A pivot uses that: it moves the potentials of small subtrees at once and leaves
those of large ones, outdated, to the next ``renumber``.
"""

from typing import NamedTuple

import numpy as np

from .._typing import Float64Array, IntArray
from ._jit import jit, variable
from ._masses import Flow

UNITS = 2.0**54  # costs of about 1, and 512 times that as a potential, fit int64
NONE = -1
# Columns of a node: eight integers, one line of the cache.
PARENT, CHILD, NEXT, PREVIOUS, SIZE, ORIGIN, FLOW, COST = range(8)
POINTERS = 4  # of these, the first that are labels
_MOST = np.iinfo(np.int64).max


class SpanningTree(NamedTuple):
    """A basis of n sources and m sinks; its nodes are 0 to n + m - 1, and n + m the root.

    Rows of ``nodes`` (n + m + 1, 8) are labels, which :func:`renumber` puts in preorder: labels of
    the parent, of the first child, of the next and the previous sibling, the size of the subtree,
    the node that the label stands for, and flow and cost of the arc to the parent. ``potential``
    and ``label`` are listed by node. Kernels take the arrays one by one (see ``_pricing``).
    """

    nodes: IntArray
    potential: IntArray
    label: IntArray


def in_units(costs: Float64Array) -> IntArray:
    """Costs as integers."""
    return np.rint(costs * UNITS).astype(np.int64)


def _detach(nodes: IntArray, u: int) -> None:
    """Take a node out of its parent's list of children."""
    before, after = nodes[u, PREVIOUS], nodes[u, NEXT]
    if before == NONE:
        nodes[nodes[u, PARENT], CHILD] = after
    else:
        nodes[before, NEXT] = after
    if after != NONE:
        nodes[after, PREVIOUS] = before


detach = jit(_detach, once=True)


def _attach(nodes: IntArray, u: int, parent: int) -> None:
    """Make a node the first child of ``parent``."""
    after = nodes[parent, CHILD]
    nodes[u, PARENT] = parent
    nodes[u, PREVIOUS] = NONE
    nodes[u, NEXT] = after
    nodes[parent, CHILD] = u
    if after != NONE:
        nodes[after, PREVIOUS] = u


attach = jit(_attach, inline=True)


def _cycle(nodes: IntArray, n: int, source: int, sink: int) -> tuple[int, int, int, int, bool]:
    """The cycle that source -> sink closes: where it joins, what it costs, and what blocks it.

    Returns the lowest common ancestor of the two labels (the one with the smaller subtree is never
    it); the potential of the source minus that of the sink, along the tree; the flow and the node
    of the leaving arc, and whether that is on the source's side. New flow runs source -> sink ->
    top -> source; of the arcs that block it, the last on this way from the top leaves: on the
    source's side the lowest (<), on the sink's the highest (<=).
    """
    u, v = source, sink
    rise = 0
    least_u, cut_u, least_v, cut_v = _MOST, NONE, _MOST, NONE
    while u != v:
        if nodes[u, SIZE] < nodes[v, SIZE]:
            if nodes[u, ORIGIN] < n:
                rise += nodes[u, COST]
                if nodes[u, FLOW] < least_u:
                    least_u, cut_u = nodes[u, FLOW], u
            else:
                rise -= nodes[u, COST]
            u = nodes[u, PARENT]
        else:
            if nodes[v, ORIGIN] < n:
                rise -= nodes[v, COST]
            else:
                rise += nodes[v, COST]
                if nodes[v, FLOW] <= least_v:
                    least_v, cut_v = nodes[v, FLOW], v
            v = nodes[v, PARENT]
    if least_v <= least_u:
        return u, rise, least_v, cut_v, False
    return u, rise, least_u, cut_u, True


cycle = jit(_cycle, once=True)


def _augment(nodes: IntArray, n: int, source: int, sink: int, top: int, mass: int) -> None:
    """Send ``mass`` round the cycle that source -> sink closes."""
    u = source
    while u != top:
        nodes[u, FLOW] += -mass if nodes[u, ORIGIN] < n else mass
        u = nodes[u, PARENT]
    u = sink
    while u != top:
        nodes[u, FLOW] += mass if nodes[u, ORIGIN] < n else -mass
        u = nodes[u, PARENT]


augment = jit(_augment, once=True)


def _rehang(nodes: IntArray, cut: int, u: int, parent: int, top: int, mass: int, cost: int) -> None:
    """Cut the subtree of ``cut`` off and hang it from ``parent`` by its node u, on a new arc.

    The way from u up to ``cut`` is turned round; sizes change up to the join ``top``.
    """
    moved = nodes[cut, SIZE]
    v = nodes[cut, PARENT]
    while v != top:
        nodes[v, SIZE] -= moved
        v = nodes[v, PARENT]
    v = parent
    while v != top:
        nodes[v, SIZE] += moved
        v = nodes[v, PARENT]
    below = 0
    while True:
        above, old_mass, old_cost = nodes[u, PARENT], nodes[u, FLOW], nodes[u, COST]
        old_size = nodes[u, SIZE]
        detach(nodes, u)
        attach(nodes, u, parent)
        nodes[u, FLOW], nodes[u, COST], nodes[u, SIZE] = mass, cost, moved - below
        if u == cut:
            return
        parent, u, mass, cost, below = u, above, old_mass, old_cost, old_size


rehang = jit(_rehang, once=True)


def _shift(nodes: IntArray, potential: IntArray, top: int, avoided: int, amount: int) -> None:
    """Add to the potentials of the subtree of ``top`` without the subtree of ``avoided``."""
    u = top
    while True:
        descends = u != avoided
        if descends:
            potential[nodes[u, ORIGIN]] += amount
            descends = nodes[u, CHILD] != NONE
        if descends:
            u = nodes[u, CHILD]
            continue
        while u != top and nodes[u, NEXT] == NONE:
            u = nodes[u, PARENT]
        if u == top:
            return
        u = nodes[u, NEXT]


shift = jit(_shift, inline=True)

REFUSED, DONE, OUTDATED = range(3)


def _pivot(
    nodes: IntArray, potential: IntArray, n: int, source: int, sink: int, cost: int,
    tolerance: int, at_once: int,
) -> int:  # fmt: skip
    """Bring source -> sink (labels) into the basis if its reduced cost is below -tolerance.

    Returns REFUSED, DONE, or OUTDATED: done, with potentials left as they were. O(length of the
    cycle). The root has label 0.
    """
    top, rise, mass, cut, beside_source = cycle(nodes, n, source, sink)
    reduced = cost - rise
    if reduced >= -tolerance:
        return REFUSED
    if mass:
        augment(nodes, n, source, sink, top, mass)
    if beside_source:
        u, parent, amount = source, sink, reduced
    else:
        u, parent, amount = sink, source, -reduced
    rehang(nodes, cut, u, parent, top, mass, cost)
    moved = nodes[u, SIZE]
    if moved <= at_once:
        shift(nodes, potential, u, variable(NONE), amount)
    elif nodes[0, SIZE] - moved <= at_once:
        shift(nodes, potential, variable(0), u, -amount)
    else:
        return OUTDATED
    return DONE


pivot = jit(_pivot, once=True)


def _renumber(
    nodes: IntArray, potential: IntArray, label: IntArray, n: int, root: int, fresh: IntArray
) -> None:
    """Write the nodes to ``fresh`` with labels in preorder, and make potentials exact; O(n + m).

    Subtrees then lie together in memory, and the root (a label) becomes 0, of potential 0.
    """
    new = np.empty(potential.size, dtype=np.int64)
    u = root
    for position in range(new.size):
        for column in range(nodes.shape[1]):  # a loop: assigning rows takes a second to compile
            fresh[position, column] = nodes[u, column]
        new[u] = position
        if nodes[u, CHILD] != NONE:
            u = nodes[u, CHILD]
            continue
        while u != root and nodes[u, NEXT] == NONE:
            u = nodes[u, PARENT]
        u = nodes[u, NEXT]
    for u in range(new.size):
        origin = fresh[u, ORIGIN]
        label[origin] = u
        for column in range(POINTERS):
            if fresh[u, column] != NONE:
                fresh[u, column] = new[fresh[u, column]]
        if u == 0:
            potential[origin] = 0
            continue
        cost = fresh[u, COST]
        above = potential[fresh[fresh[u, PARENT], ORIGIN]]
        potential[origin] = above + cost if origin < n else above - cost


renumber = jit(_renumber)


def _adjacency(source: IntArray, target: IntArray, n: int, m: int) -> tuple[IntArray, IntArray]:
    """Arcs at each node: arc numbers, and where each node's begin."""
    begin = np.zeros(n + m + 2, dtype=np.int64)
    for k in range(source.size):
        begin[source[k] + 2] += 1
        begin[n + target[k] + 2] += 1
    for node in range(1, begin.size):
        begin[node] += begin[node - 1]
    arcs = np.empty(2 * source.size, dtype=np.int64)
    for k in range(source.size):
        for node in (source[k], n + target[k]):
            arcs[begin[node + 1]] = k
            begin[node + 1] += 1
    return arcs, begin


adjacency = jit(_adjacency, once=True)


def _grow(
    source: IntArray, target: IntArray, mass: IntArray, cost: IntArray, m: int,
    guidance: IntArray,
) -> IntArray:  # fmt: skip
    """The nodes of a flow whose support is a forest; components hang at potential ``guidance``.

    ``mass`` and ``cost`` are those of the arcs source -> target, ``guidance`` (n,) potentials of
    sources. Labels are those of the nodes themselves.
    """
    n = guidance.size
    root = n + m
    arcs, begin = adjacency(source, target, n, m)
    nodes = np.full((root + 1, 8), NONE, dtype=np.int64)
    for u in range(root + 1):
        nodes[u, SIZE], nodes[u, ORIGIN], nodes[u, FLOW], nodes[u, COST] = 1, u, 0, 0
    order = np.empty(root, dtype=np.int64)
    found = 0
    for top in range(n):
        if nodes[top, PARENT] != NONE:
            continue
        attach(nodes, top, root)
        nodes[top, COST] = guidance[top]
        order[found] = top
        reached = found
        found += 1
        while reached < found:
            u = order[reached]
            reached += 1
            for position in range(begin[u], begin[u + 1]):
                k = arcs[position]
                v = n + target[k] if u < n else source[k]
                if v != nodes[u, PARENT]:
                    attach(nodes, v, u)
                    nodes[v, FLOW], nodes[v, COST] = mass[k], cost[k]
                    order[found] = v
                    found += 1
    for position in range(found - 1, -1, -1):
        nodes[nodes[order[position], PARENT], SIZE] += nodes[order[position], SIZE]
    return nodes


grow = jit(_grow)


def in_preorder(nodes: IntArray, n: int, root: int) -> SpanningTree:
    """A tree from nodes of any labels."""
    count = nodes.shape[0]
    tree = SpanningTree(
        np.empty_like(nodes), np.empty(count, dtype=np.int64), np.empty(count, dtype=np.int64)
    )
    renumber(nodes, tree.potential, tree.label, n, root, tree.nodes)
    return tree


def flow_of(tree: SpanningTree, n: int) -> Flow:
    """The arcs of the tree that carry mass."""
    used = np.nonzero(tree.nodes[:, FLOW])[0]
    child, parent = tree.nodes[used, ORIGIN], tree.nodes[tree.nodes[used, PARENT], ORIGIN]
    return Flow(
        np.minimum(child, parent), np.maximum(child, parent) - n, tree.nodes[used, FLOW].copy()
    )

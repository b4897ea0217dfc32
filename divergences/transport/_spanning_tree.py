r"""The spanning tree of a network simplex on a bipartite graph, and its three operations.

Nodes are sources, sinks and one root. The basis is a tree: each node but the root stores the flow
between itself and its parent, and which of the two is the source says which way it runs, so arcs
need no numbers. A component of the flow's forest hangs from the root by a source, on an arc without
flow that can leave the basis and never returns.

Potentials make tree arcs tight, :math:`f_i = d_{ij} + f_j`. The tree is kept *strongly feasible*
(Cunningham 1976): an arc without flow points towards the root, that is, its child is a source. The
leaving arc is chosen accordingly, which rules out cycling. Finding the join by subtree sizes is as
in LEMON (Kovacs 2015).
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .._typing import Float64Array, IntArray
from ._jit import jit
from ._norms import distance

Labels = NDArray[np.int32]
NONE = -1


class SpanningTree(NamedTuple):
    """Arrays over node labels, shape (n + m + 1,); ``origin`` is i, n + j, or n + m (the root)."""

    parent: Labels
    first_child: Labels
    next_sibling: Labels
    previous_sibling: Labels
    size: Labels
    is_source: NDArray[np.bool_]
    origin: Labels
    flow: NDArray[np.int64]
    potential: Float64Array


def _detach(tree: SpanningTree, node: int) -> None:
    """Take a node out of its parent's list of children."""
    before, after = tree.previous_sibling[node], tree.next_sibling[node]
    if before == NONE:
        tree.first_child[tree.parent[node]] = after
    else:
        tree.next_sibling[before] = after
    if after != NONE:
        tree.previous_sibling[after] = before


detach = jit(_detach, inline=True)


def _attach(tree: SpanningTree, node: int, parent: int) -> None:
    """Make a node the first child of ``parent``."""
    after = tree.first_child[parent]
    tree.parent[node] = parent
    tree.previous_sibling[node] = NONE
    tree.next_sibling[node] = after
    tree.first_child[parent] = node
    if after != NONE:
        tree.previous_sibling[after] = node


attach = jit(_attach, inline=True)


def _join(tree: SpanningTree, u: int, v: int) -> int:
    """The lowest common ancestor: the one with the smaller subtree is never it."""
    while u != v:
        if tree.size[u] < tree.size[v]:
            u = tree.parent[u]
        else:
            v = tree.parent[v]
    return u


join = jit(_join, inline=True)


def _leaving(tree: SpanningTree, source: int, sink: int, top: int) -> tuple[int, int, bool]:
    """The node whose arc to its parent leaves, its flow, and whether it is on the source's side.

    New flow runs source -> sink -> top -> source. Of the arcs that block it, the last on this way
    from the top leaves: on the source's side the lowest (<), on the sink's the highest (<=).
    """
    least, node, beside_source = np.iinfo(np.int64).max, NONE, True
    u = source
    while u != top:
        if tree.is_source[u] and tree.flow[u] < least:
            least, node = tree.flow[u], u
        u = tree.parent[u]
    u = sink
    while u != top:
        if not tree.is_source[u] and tree.flow[u] <= least:
            least, node, beside_source = tree.flow[u], u, False
        u = tree.parent[u]
    return node, least, beside_source


leaving = jit(_leaving, inline=True)


def _augment(tree: SpanningTree, source: int, sink: int, top: int, mass: int) -> None:
    """Send ``mass`` round the cycle that source -> sink closes."""
    u = source
    while u != top:
        tree.flow[u] += -mass if tree.is_source[u] else mass
        u = tree.parent[u]
    u = sink
    while u != top:
        tree.flow[u] += mass if tree.is_source[u] else -mass
        u = tree.parent[u]


augment = jit(_augment, inline=True)


def _rehang(tree: SpanningTree, cut: int, node: int, parent: int, top: int, flow: int) -> None:
    """Cut the subtree of ``cut`` off and hang it from ``parent`` by its ``node``, with ``flow``.

    The way from ``node`` up to ``cut`` is turned round; sizes change up to the join ``top``.
    """
    moved = tree.size[cut]
    u = tree.parent[cut]
    while u != top:
        tree.size[u] -= moved
        u = tree.parent[u]
    u = parent
    while u != top:
        tree.size[u] += moved
        u = tree.parent[u]
    below = 0
    while True:
        above, old_flow, old_size = tree.parent[node], tree.flow[node], tree.size[node]
        detach(tree, node)
        attach(tree, node, parent)
        tree.flow[node], tree.size[node] = flow, moved - below
        if node == cut:
            return
        parent, node, flow, below = node, above, old_flow, old_size


rehang = jit(_rehang, inline=True)


def _shift(tree: SpanningTree, top: int, avoided: int, amount: float) -> None:
    """Add to the potentials of the subtree of ``top`` without the subtree of ``avoided``."""
    u = top
    while True:
        descends = u != avoided
        if descends:
            tree.potential[u] += amount
            descends = tree.first_child[u] != NONE
        if descends:
            u = tree.first_child[u]
            continue
        while u != top and tree.next_sibling[u] == NONE:
            u = tree.parent[u]
        if u == top:
            return
        u = tree.next_sibling[u]


shift = jit(_shift, inline=True)


def _pivot(tree: SpanningTree, root: int, source: int, sink: int, reduced: float) -> None:
    """Bring source -> sink, of negative reduced cost, into the basis."""
    top = join(tree, source, sink)
    cut, mass, beside_source = leaving(tree, source, sink, top)
    if mass:
        augment(tree, source, sink, top, mass)
    end, other = (source, sink) if beside_source else (sink, source)
    rehang(tree, cut, end, other, top, mass)
    amount = reduced if beside_source else -reduced
    if 2 * tree.size[end] <= tree.size[root]:
        shift(tree, end, NONE, amount)
    else:
        shift(tree, root, end, -amount)


pivot = jit(_pivot, inline=True)


def _preorder(tree: SpanningTree, root: int) -> Labels:
    """Labels in preorder; O(n + m)."""
    order = np.empty(tree.parent.size, dtype=np.int32)
    u = root
    for position in range(order.size):
        order[position] = u
        if tree.first_child[u] != NONE:
            u = tree.first_child[u]
            continue
        while u != root and tree.next_sibling[u] == NONE:
            u = tree.parent[u]
        u = tree.next_sibling[u]
    return order


preorder = jit(_preorder)


def _renumber(tree: SpanningTree, order: Labels) -> tuple[SpanningTree, Labels]:
    """The tree with labels in the given order (so that subtrees lie together), and new labels."""
    label = np.empty(order.size + 1, dtype=np.int32)  # label[-1] stands for NONE
    label[order.size] = NONE
    for position in range(order.size):
        label[order[position]] = position
    renumbered = SpanningTree(
        label[tree.parent[order]],
        label[tree.first_child[order]],
        label[tree.next_sibling[order]],
        label[tree.previous_sibling[order]],
        tree.size[order],
        tree.is_source[order],
        tree.origin[order],
        tree.flow[order],
        tree.potential[order],
    )
    return renumbered, label


renumber = jit(_renumber)


def _refresh(tree: SpanningTree, x: Float64Array, y: Float64Array, order: float) -> None:
    """Recompute potentials from the distances; labels are in preorder, the root is 0."""
    n = x.shape[0]
    shift_of_root = tree.potential[0]
    for u in range(tree.parent.size):
        parent = tree.parent[u]
        if parent <= 0:  # the root, or a component's top: its cost was only guidance
            tree.potential[u] -= shift_of_root
        elif tree.is_source[u]:
            length = distance(x, tree.origin[u], y, tree.origin[parent] - n, x.shape[1], order)
            tree.potential[u] = tree.potential[parent] + length
        else:
            length = distance(x, tree.origin[parent], y, tree.origin[u] - n, x.shape[1], order)
            tree.potential[u] = tree.potential[parent] - length


refresh = jit(_refresh)


def _adjacency(source: IntArray, target: IntArray, n: int, m: int) -> tuple[IntArray, IntArray]:
    """Arcs at each node: arc numbers, and where each node's begin."""
    begin = np.zeros(n + m + 2, dtype=np.int64)
    for k in range(source.size):
        begin[source[k] + 2] += 1
        begin[n + target[k] + 2] += 1
    begin = np.cumsum(begin)
    arcs = np.empty(2 * source.size, dtype=np.int64)
    for k in range(source.size):
        for node in (source[k], n + target[k]):
            arcs[begin[node + 1]] = k
            begin[node + 1] += 1
    return arcs, begin


adjacency = jit(_adjacency)


def _grow(
    source: IntArray, target: IntArray, mass: IntArray, counts: tuple[int, int],
    guidance: Float64Array,
) -> SpanningTree:  # fmt: skip
    """The tree of a flow whose support is a forest; components hang at potential ``guidance``.

    Labels are those of the nodes themselves, and only the tops' potentials are set: renumber, then
    refresh.
    """
    n, m = counts
    root = n + m
    arcs, begin = adjacency(source, target, n, m)
    links = np.full((4, root + 1), NONE, dtype=np.int32)
    tree = SpanningTree(
        links[0], links[1], links[2], links[3], np.ones(root + 1, dtype=np.int32),
        np.arange(root + 1) < n, np.arange(root + 1).astype(np.int32),
        np.zeros(root + 1, dtype=np.int64), np.zeros(root + 1),
    )  # fmt: skip
    order = np.empty(root, dtype=np.int64)
    found = 0
    for top in range(n):
        if tree.parent[top] != NONE:
            continue
        attach(tree, top, root)
        tree.potential[top] = guidance[top]
        order[found] = top
        reached = found
        found += 1
        while reached < found:
            u = order[reached]
            reached += 1
            for position in range(begin[u], begin[u + 1]):
                k = arcs[position]
                v = n + target[k] if u < n else source[k]
                if v != tree.parent[u]:
                    attach(tree, v, u)
                    tree.flow[v] = mass[k]
                    order[found] = v
                    found += 1
    for position in range(found - 1, -1, -1):
        tree.size[tree.parent[order[position]]] += tree.size[order[position]]
    return tree


grow = jit(_grow)

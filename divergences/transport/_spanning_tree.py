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


Links = NDArray[np.int32]
PARENT, CHILD, NEXT, PREVIOUS, SIZE, IS_SOURCE, ORIGIN = range(7)
POINTERS, COLUMNS = 4, 8  # eight columns fill half a cache line


class SpanningTree(NamedTuple):
    """A basis: arrays over labels of nodes, n + m + 1 of them.

    The columns of ``links`` are parent, first child, next and previous sibling, the size of the
    subtree, whether the node is a source, and its origin: i, n + j, or n + m for the root. ``flow``
    is that of the arc to the parent. Kernels take the arrays one by one (see ``_pricing``).
    """

    links: Links
    flow: NDArray[np.int64]
    potential: Float64Array

    @property
    def origin(self) -> Labels:
        """The node that a label stands for."""
        return self.links[:, ORIGIN]

    @property
    def parent(self) -> Labels:
        """Labels of parents."""
        return self.links[:, PARENT]


def _detach(links: Links, node: int) -> None:
    """Take a node out of its parent's list of children."""
    before, after = links[node, PREVIOUS], links[node, NEXT]
    if before == NONE:
        links[links[node, PARENT], CHILD] = after
    else:
        links[before, NEXT] = after
    if after != NONE:
        links[after, PREVIOUS] = before


detach = jit(_detach, inline=True)


def _attach(links: Links, node: int, parent: int) -> None:
    """Make a node the first child of ``parent``."""
    after = links[parent, CHILD]
    links[node, PARENT] = parent
    links[node, PREVIOUS] = NONE
    links[node, NEXT] = after
    links[parent, CHILD] = node
    if after != NONE:
        links[after, PREVIOUS] = node


attach = jit(_attach, inline=True)


def _join(links: Links, u: int, v: int) -> int:
    """The lowest common ancestor: the one with the smaller subtree is never it."""
    while u != v:
        if links[u, SIZE] < links[v, SIZE]:
            u = links[u, PARENT]
        else:
            v = links[v, PARENT]
    return u


join = jit(_join, inline=True)


def _leaving(
    links: Links, flow: IntArray, source: int, sink: int, top: int
) -> tuple[int, int, bool]:
    """The node whose arc to its parent leaves, its flow, and whether it is on the source's side.

    New flow runs source -> sink -> top -> source. Of the arcs that block it, the last on this way
    from the top leaves: on the source's side the lowest (<), on the sink's the highest (<=).
    """
    least, node, beside_source = np.iinfo(np.int64).max, NONE, True
    u = source
    while u != top:
        if links[u, IS_SOURCE] and flow[u] < least:
            least, node = flow[u], u
        u = links[u, PARENT]
    u = sink
    while u != top:
        if not links[u, IS_SOURCE] and flow[u] <= least:
            least, node, beside_source = flow[u], u, False
        u = links[u, PARENT]
    return node, least, beside_source


leaving = jit(_leaving, inline=True)


def _augment(links: Links, flow: IntArray, source: int, sink: int, top: int, mass: int) -> None:
    """Send ``mass`` round the cycle that source -> sink closes."""
    u = source
    while u != top:
        flow[u] += -mass if links[u, IS_SOURCE] else mass
        u = links[u, PARENT]
    u = sink
    while u != top:
        flow[u] += mass if links[u, IS_SOURCE] else -mass
        u = links[u, PARENT]


augment = jit(_augment, inline=True)


def _rehang(
    links: Links, flow: IntArray, cut: int, node: int, parent: int, top: int, mass: int
) -> None:
    """Cut the subtree of ``cut`` off and hang it from ``parent`` by its ``node``, with flow mass.

    The way from ``node`` up to ``cut`` is turned round; sizes change up to the join ``top``.
    """
    moved = links[cut, SIZE]
    u = links[cut, PARENT]
    while u != top:
        links[u, SIZE] -= moved
        u = links[u, PARENT]
    u = parent
    while u != top:
        links[u, SIZE] += moved
        u = links[u, PARENT]
    below = 0
    while True:
        above, old_flow, old_size = links[node, PARENT], flow[node], links[node, SIZE]
        detach(links, node)
        attach(links, node, parent)
        flow[node], links[node, SIZE] = mass, moved - below
        if node == cut:
            return
        parent, node, mass, below = node, above, old_flow, old_size


rehang = jit(_rehang, inline=True)


def _shift(links: Links, potential: Float64Array, top: int, avoided: int, amount: float) -> None:
    """Add to the potentials of the subtree of ``top`` without the subtree of ``avoided``."""
    u = top
    while True:
        descends = u != avoided
        if descends:
            potential[u] += amount
            descends = links[u, CHILD] != NONE
        if descends:
            u = links[u, CHILD]
            continue
        while u != top and links[u, NEXT] == NONE:
            u = links[u, PARENT]
        if u == top:
            return
        u = links[u, NEXT]


shift = jit(_shift, inline=True)


def _pivot(
    links: Links, flow: IntArray, potential: Float64Array, root: int, source: int, sink: int,
    reduced: float,
) -> None:  # fmt: skip
    """Bring source -> sink, of negative reduced cost, into the basis."""
    top = join(links, source, sink)
    cut, mass, beside_source = leaving(links, flow, source, sink, top)
    if mass:
        augment(links, flow, source, sink, top, mass)
    end, other = (source, sink) if beside_source else (sink, source)
    rehang(links, flow, cut, end, other, top, mass)
    amount = reduced if beside_source else -reduced
    if 2 * links[end, SIZE] <= links[root, SIZE]:
        shift(links, potential, end, NONE, amount)
    else:
        shift(links, potential, root, end, -amount)


pivot = jit(_pivot, inline=True)


def _preorder(links: Links, root: int) -> Labels:
    """Labels in preorder; O(n + m)."""
    order = np.empty(links.shape[0], dtype=np.int32)
    u = root
    for position in range(order.size):
        order[position] = u
        if links[u, CHILD] != NONE:
            u = links[u, CHILD]
            continue
        while u != root and links[u, NEXT] == NONE:
            u = links[u, PARENT]
        u = links[u, NEXT]
    return order


preorder = jit(_preorder)


def renumber(tree: SpanningTree, order: Labels) -> tuple[SpanningTree, Labels]:
    """The tree with labels in the given order, so that subtrees lie together; new labels."""
    label = np.empty(order.size + 1, dtype=np.int32)
    label[order] = np.arange(order.size)
    label[NONE] = NONE  # the entry after the last
    links = tree.links[order]
    links[:, :POINTERS] = label[links[:, :POINTERS]]
    return SpanningTree(links, tree.flow[order], tree.potential[order]), label


def _refresh(
    links: Links, potential: Float64Array, x: Float64Array, y: Float64Array, order: float
) -> None:
    """Recompute potentials from the distances; labels are in preorder, the root is 0."""
    n, dimension = x.shape
    height = potential[0]
    for u in range(potential.size):
        parent = links[u, PARENT]
        if parent <= 0:  # the root, or a component's top: its cost was only guidance
            potential[u] -= height
        elif links[u, IS_SOURCE]:
            j = links[parent, ORIGIN] - n
            length = distance(x, links[u, ORIGIN], y, j, dimension, order)
            potential[u] = potential[parent] + length
        else:
            j = links[u, ORIGIN] - n
            length = distance(x, links[parent, ORIGIN], y, j, dimension, order)
            potential[u] = potential[parent] - length


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
) -> tuple[Links, IntArray, Float64Array]:  # fmt: skip
    """The tree of a flow whose support is a forest; components hang at potential ``guidance``.

    Labels are those of the nodes themselves, and only the tops' potentials are set: renumber, then
    refresh.
    """
    n, m = counts
    root = n + m
    arcs, begin = adjacency(source, target, n, m)
    links = np.full((root + 1, COLUMNS), NONE, dtype=np.int32)
    links[:, SIZE] = 1
    links[:, ORIGIN] = np.arange(root + 1)
    links[:, IS_SOURCE] = np.arange(root + 1) < n
    flow, potential = np.zeros(root + 1, dtype=np.int64), np.zeros(root + 1)
    order = np.empty(root, dtype=np.int64)
    found = 0
    for top in range(n):
        if links[top, PARENT] != NONE:
            continue
        attach(links, top, root)
        potential[top] = guidance[top]
        order[found] = top
        reached = found
        found += 1
        while reached < found:
            u = order[reached]
            reached += 1
            for position in range(begin[u], begin[u + 1]):
                k = arcs[position]
                v = n + target[k] if u < n else source[k]
                if v != links[u, PARENT]:
                    attach(links, v, u)
                    flow[v] = mass[k]
                    order[found] = v
                    found += 1
    for position in range(found - 1, -1, -1):
        links[links[order[position], PARENT], SIZE] += links[order[position], SIZE]
    return links, flow, potential


grow = jit(_grow)

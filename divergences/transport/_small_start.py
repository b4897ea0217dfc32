r"""The first tree of the simplex of small dense problems, for the interpreter and the compiler.

Many equal masses are assigned by auctions; their prices are the first potentials. Others go
greedily, the arcs of reduced cost 0 first. Components of the plan hang from the root by a source,
on arcs that never carry flow. All is integers; see ``_small_simplex`` for arguments and tree.
"""

from typing import Any

from ._jit import jit

NONE = -1
MOST = 2**63 - 1

# Auctions: steps in margins and in mean costs, each so many times finer, and bids of a source.
_MARGINS, _PART_OF_MARGIN, _PART_OF_MEAN, _FINER, _BIDS = 16, 8, 256, 4, 6
FEWEST = 200  # sources for which auctions pay: of fewer they take as long as the pivots they save


def _plan(
    cost: Any, n: int, m: int, supply: Any, demand: Any, source: Any, target: Any, mass: Any,
    open_sinks: Any,
) -> int:  # fmt: skip
    """Write a plan whose support is a forest, free arcs first; how many pairs it has.

    Each pair exhausts its source or its sink. ``supply`` and ``demand`` end as zeros; the sinks
    still open are listed in the last argument.
    """
    for j in range(m):
        open_sinks[j] = j
    count, width = 0, m
    for i in range(n):
        kept = 0
        for k in range(width):
            j = open_sinks[k]
            if supply[i] > 0 and cost[i * m + j] == 0:
                moved = min(supply[i], demand[j])
                source[count], target[count], mass[count] = i, j, moved
                supply[i] -= moved
                demand[j] -= moved
                count += 1
            if demand[j] > 0:
                open_sinks[kept] = j
                kept += 1
        width = kept
    for i in range(n):
        while supply[i] > 0:
            best, column, place = MOST, NONE, 0
            for k in range(width):
                j = open_sinks[k]
                if cost[i * m + j] < best:
                    best, column, place = cost[i * m + j], j, k
            moved = min(supply[i], demand[column])
            source[count], target[count], mass[count] = i, column, moved
            supply[i] -= moved
            demand[column] -= moved
            count += 1
            if demand[column] == 0:
                width -= 1
                for k in range(place, width):
                    open_sinks[k] = open_sinks[k + 1]
    return count


def _are_alike(n: int, m: int, supply: Any, demand: Any) -> bool:
    """Whether all masses are equal, so that a plan can be an assignment."""
    alike = n == m
    for i in range(n if alike else 0):
        alike = alike and supply[i] == supply[0] == demand[i]
    return alike


def _choice(row: Any, prices: Any) -> tuple[int, int]:
    """The sink of the least cost and price, and by how much any other is dearer.

    Each loop keeps one number, so that the compiler makes vector instructions of it.
    """
    best, second, j = MOST, MOST, 0
    for k in range(len(row)):
        level = row[k] + prices[k]
        best = level if level < best else best
    while row[j] + prices[j] != best:
        j += 1
    for k in range(len(row)):
        level = row[k] + prices[k]
        level = level if k != j else MOST
        second = level if level < second else second
    return j, second - best


def _steps(cost: Any, n: int, prices: Any) -> tuple[int, int]:
    """By how much bids shall outdo the second choice, in the first auction and in the last.

    A few margins between the first and the second choice of a source, at no price; at most and at
    least a part of the mean cost, where margins say little: ties have none.
    """
    mean, margin = 0, 0
    for i in range(n):
        mean += cost[i * n + (7 * i + 3) % n] // n
        margin += _choice(cost[i * n : i * n + n], prices)[1] // n
    first, last = min(mean // 4, _MARGINS * margin), margin // _PART_OF_MARGIN
    least = mean // _PART_OF_MEAN + 1
    return max(first, least), max(last, least)


def _auction(
    cost: Any, n: int, step: int, queue: Any, prices: Any, owner: Any, column: Any
) -> int:  # fmt: skip
    """Raise prices by bids until every source has a sink; how many have none after so many bids."""
    for i in range(n):
        queue[i], owner[i], column[i] = i, NONE, NONE
    front, waiting = 0, n
    for _ in range(_BIDS * n):
        if waiting == 0:
            break
        i = queue[front]
        front = front + 1 if front + 1 < n else 0
        waiting -= 1
        j, margin = _choice(cost[i * n : i * n + n], prices)
        prices[j] += margin + step
        loser = owner[j]
        owner[j], column[i] = i, j
        if loser != NONE:
            column[loser] = NONE
            queue[(front + waiting) % n] = loser
            waiting += 1
    return waiting


def _match(
    cost: Any, n: int, each: int, source: Any, target: Any, mass: Any, queue: Any, owner: Any,
    prices: Any, column: Any, height: Any,
) -> int:  # fmt: skip
    """Write an assignment that is nearly optimal, and the heights of the sources; its n pairs.

    Auctions of smaller and smaller steps, each from the prices of the one before (Bertsekas, *The
    auction algorithm*, Annals of Operations Research 14, 1988): pivots are a fourth to two thirds
    of those from a greedy plan. Prices stay below ten of the largest costs, since while sources
    wait some sink has the price it began with.
    """
    for j in range(n):
        prices[j] = 0
    step, last = _steps(cost, n, prices)
    while _auction(cost, n, step, queue, prices, owner, column) == 0 and step // _FINER >= last:
        step //= _FINER
    for i in range(n):
        if column[i] == NONE:
            j = NONE
            for k in range(n):
                if owner[k] == NONE and (
                    j == NONE or cost[i * n + k] + prices[k] < cost[i * n + j] + prices[j]
                ):
                    j = k
            owner[j], column[i] = i, j
        source[i], target[i], mass[i] = i, column[i], each
        height[i] = cost[i * n + column[i]] + prices[column[i]]
    return n


def _arcs_at_nodes(count: int, source: Any, target: Any, n: int, first: Any, other: Any) -> None:
    """Lists of arc ends: 2k at the source of arc k, 2k + 1 at its sink; each names the next."""
    for k in range(count):
        i, j = source[k], n + target[k]
        other[2 * k], first[i] = first[i], 2 * k
        other[2 * k + 1], first[j] = first[j], 2 * k + 1


def _hang(
    cost: Any, n: int, m: int, count: int, source: Any, target: Any, mass: Any, stack: Any,
    first: Any, other: Any, parent: Any, following: Any, previous: Any, size: Any, flow: Any,
    height: Any,
) -> None:  # fmt: skip
    """Write the tree of a plan; ``stack``, ``first``, ``other`` are space, the last two NONE.

    The source by which a component hangs keeps the ``height`` that it has.
    """
    root = n + m
    for u in range(root + 1):
        parent[u], size[u], flow[u] = NONE, 1, 0
    height[root] = 0
    _arcs_at_nodes(count, source, target, n, first, other)
    last = root
    for top in range(n):
        waiting = 0
        if parent[top] == NONE:
            parent[top], stack[0], waiting = root, top, 1
        while waiting > 0:
            waiting -= 1
            u = stack[waiting]
            following[last], previous[u], last = u, last, u
            end = first[u]
            while end != NONE:
                i, j = source[end // 2], target[end // 2]
                v = n + j if u == i else i
                if v != parent[u]:
                    length = cost[i * m + j]
                    parent[v], flow[v] = u, mass[end // 2]
                    height[v] = height[u] - length if u == i else height[u] + length
                    stack[waiting] = v
                    waiting += 1
                end = other[end]
    following[last], previous[root] = root, last
    while last != root:
        size[parent[last]] += size[last]
        last = previous[last]


def begin(
    cost: Any, n: int, m: int, supply: Any, demand: Any, source: Any, target: Any, mass: Any,
    stack: Any, first: Any, other: Any, parent: Any, following: Any, previous: Any, size: Any,
    flow: Any, height: Any,
) -> None:  # fmt: skip
    """Write a first tree of n sources and m sinks; arguments as of ``_small_simplex.optimise``."""
    if n >= FEWEST and _are_alike(n, m, supply, demand):
        count = _match(
            cost, n, supply[0], source, target, mass, stack, parent, following, previous, height
        )
    else:
        for i in range(n):
            height[i] = 0
        count = _plan(cost, n, m, supply, demand, source, target, mass, stack)
    _hang(cost, n, m, count, source, target, mass, stack, first, other, parent, following, previous,
          size, flow, height)  # fmt: skip


HELPERS = (_plan, _are_alike, _choice, _steps, _auction, _match, _arcs_at_nodes, _hang)


def compiled() -> Any:
    """The kernel of ``begin``; loads the compiler."""
    return jit(begin, helpers=HELPERS)

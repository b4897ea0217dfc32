"""Distances to the k-th nearest neighbour, exact."""

import numpy as np

from .._typing import Float64Array

_FEW_COORDINATES = 12  # up to here a kd-tree is faster than all distances
_BLOCK = 1 << 21


def kth_distances(
    points: Float64Array, asked: Float64Array, ranks: tuple[int, ...]
) -> Float64Array:
    """Euclidean distances from each of ``asked`` (k, d) to its neighbours of these ranks.

    Shape (k, len(ranks)), ranks counted from 1. O(k log n) in few coordinates, else O(k n d).
    """
    from scipy.spatial import cKDTree
    from scipy.spatial.distance import cdist

    if points.shape[1] <= _FEW_COORDINATES:
        return np.asarray(cKDTree(points).query(asked, k=list(ranks))[0])
    answer = np.empty((len(asked), len(ranks)))
    step = max(1, _BLOCK // len(points))
    places = [rank - 1 for rank in ranks]
    for start in range(0, len(asked), step):
        distances = cdist(asked[start : start + step], points)
        answer[start : start + step] = np.partition(distances, places, axis=1)[:, places]
    return answer

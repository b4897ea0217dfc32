"""Array aliases of the annotations.

``Array`` stands for a NumPy array or a torch tensor; ``ArrayLike`` for what a caller may pass
(lists and scalars count as NumPy); ``Namespace`` for the module of functions that acts on an
``Array``. They are names for readers: numpy and torch share no static array type.
"""

from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Array: TypeAlias = Any
ArrayLike: TypeAlias = Any
Namespace: TypeAlias = Any
Float64Array: TypeAlias = NDArray[np.float64]
IntArray: TypeAlias = NDArray[np.int64]

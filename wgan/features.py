"""What metrics of neighbours, kernels and transport look at: pixels, their PCA, or one's own."""

import importlib
import math
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from .data import Data
from .errors import ConfigError

COMPONENTS = 64
"""Principal components by default; data of no more coordinates are taken as they are."""
AT_ONCE = 256
"""Samples that a user's extractor is given at once."""
Features = NDArray[np.float64]


@dataclass(frozen=True)
class Extractor:
    """A map from samples to features.

    Attributes
    ----------
    name : str
        The option that it comes from.
    description : str
        What the features are, in words.
    diameter : float or None
        The farthest apart that two values can lie, if that is known.
    own : bool
        Whether it is the user's.
    """

    name: str
    description: str
    diameter: float | None
    own: bool
    _map: Callable[[Tensor], Features]

    def __call__(self, samples: Tensor) -> Features:
        """Features (n, f) of samples (n, d)."""
        return self._map(samples)


def make_extractor(name: str | None, data: Data, apart: Tensor) -> Extractor:
    """The features that an option asks for.

    Parameters
    ----------
    name : str or None
        ``samples``: the coordinates or pixels themselves. ``pca``, or ``pca,components=32``:
        principal components of training data. ``module:callable``: the user's function, imported
        from the working directory or an installed package, from images (n, channels, rows,
        columns) in [-1, 1], or points (n, d), float32 tensors, to features (n, f). None: points
        and images of at most 64 pixels as they are, ``pca`` for others.
    data : Data
    apart : Tensor (n, d)
        Training samples to fit on, that are used for nothing else.

    Returns
    -------
    Extractor

    Raises
    ------
    ConfigError
        For a name that is none of these, too few samples to fit on, or a function that cannot be
        imported. What a function returns is checked when it is called.
    """
    reach = 2 * math.sqrt(data.dimension) if data.bounded else None
    if name is None:
        few = data.dimension <= COMPONENTS or data.image_shape is None or len(apart) < 2
        name = "samples" if few else f"pca,components={min(COMPONENTS, len(apart) - 1)}"
    if name == "samples":
        what = "pixels in [-1, 1]" if data.image_shape else "coordinates of the data"
        return Extractor(name, what, reach, False, _as_they_are)
    if name == "pca" or name.startswith("pca,"):
        return _principal(name, apart, reach)
    if ":" in name:
        shape = data.image_shape or (data.dimension,)
        function = _imported(name)
        what = f"{name}, on {'images' if data.image_shape else 'points'} of shape {shape}"
        return Extractor(name, what, None, True, lambda s: _by_user(name, function, s, shape))
    message = (
        f"option features must be samples, pca, pca,components=32 or module:callable; got {name!r}"
    )
    raise ConfigError(message)


def _as_they_are(samples: Tensor) -> Features:
    return samples.double().numpy()


def _principal(name: str, apart: Tensor, reach: float | None) -> Extractor:
    """Projection on principal components: distances are at most those of the samples."""
    from sklearn.decomposition import PCA

    count = _components(name)
    most = min(len(apart) - 1, apart.shape[1])
    if count > most:
        message = (
            f"option features: {count} components need as many coordinates and more training "
            f"samples apart from those compared; there are {apart.shape[1]} and {len(apart)}"
        )
        raise ConfigError(message)
    fitted = PCA(count, random_state=0).fit(apart.double().numpy())
    share = float(fitted.explained_variance_ratio_.sum())
    what = (
        f"{count} principal components of the samples, fitted on {len(apart)} training samples "
        f"that are used for nothing else; they hold {share:.1%} of the variance"
    )
    return Extractor(name, what, reach, False, lambda s: fitted.transform(s.double().numpy()))


def _components(name: str) -> int:
    _, _, text = name.partition(",components=")
    if name == "pca":
        return COMPONENTS
    if not text.isdecimal() or int(text) < 1:
        message = f"option features: pca takes components=N, N at least 1; got {name!r}"
        raise ConfigError(message)
    return int(text)


def _imported(name: str) -> Callable[[Tensor], Any]:
    """The object ``module:attribute``, looked for in the working directory too."""
    module_name, _, attribute = name.partition(":")
    here = str(Path.cwd())
    sys.path.append(here)
    try:
        found: Any = importlib.import_module(module_name)
        for part in attribute.split("."):
            found = getattr(found, part)
    except Exception as error:  # whatever the user's module does
        message = f"option features: {name!r} cannot be imported ({_line(error)})"
        raise ConfigError(message) from error
    finally:
        sys.path.remove(here)
    if not callable(found):
        message = f"option features: {name!r} is no function; it is {type(found).__name__}"
        raise ConfigError(message)
    return found  # type: ignore[no-any-return]


def _by_user(
    name: str, function: Callable[[Tensor], Any], samples: Tensor, shape: tuple[int, ...]
) -> Features:
    import torch

    parts = []
    with torch.no_grad():
        for part in torch.split(samples, AT_ONCE):
            try:
                given = function(part.reshape(-1, *shape))
            except Exception as error:  # whatever the user's function does
                message = f"option features: {name} failed ({_line(error)})"
                raise ConfigError(message) from error
            parts.append(_checked(name, given, len(part)))
    if len({part.shape[1] for part in parts}) > 1:
        message = f"option features: {name} gives different numbers of features"
        raise ConfigError(message)
    return np.concatenate(parts)


def _checked(name: str, given: Any, count: int) -> Features:
    array = np.asarray(given.detach().cpu() if isinstance(given, Tensor) else given)
    if array.ndim != 2 or len(array) != count or array.dtype.kind not in "fiub":
        message = (
            f"option features: {name} must give numbers of shape ({count}, f) for {count} samples; "
            f"got shape {array.shape}, type {array.dtype}"
        )
        raise ConfigError(message)
    array = array.astype(np.float64)
    if not np.isfinite(array).all():
        message = f"option features: {name} gives features that are NaN or infinite"
        raise ConfigError(message)
    return array


def _line(error: Exception) -> str:
    return f"{type(error).__name__}: {' '.join(str(error).split())}"

"""Several processes that train one run together, or the one that does it alone."""

from .share import Share
from .workers import Workers

__all__ = ["Share", "Workers"]

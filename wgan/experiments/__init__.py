"""The paper's figures and claims about training, run on data of one's own."""

from .catalogue import EXPERIMENTS
from .study import Settings, reproduce

__all__ = ["EXPERIMENTS", "Settings", "reproduce"]

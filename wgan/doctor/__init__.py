"""What is wrong with a run: rules from the field's own diagnoses, with evidence and remedy."""

from .diagnosis import Diagnosis, diagnose
from .finding import Evidence, Finding
from .history import History
from .rules import RULES

__all__ = ["RULES", "Diagnosis", "Evidence", "Finding", "History", "diagnose"]

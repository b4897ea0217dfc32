"""Hypothesis, which everything here loads when it is first called, or a word on how to get it."""

try:
    import hypothesis
    from hypothesis import strategies
except ModuleNotFoundError as error:
    message = 'divergences.testing needs Hypothesis: pip install "divergences[testing]"'
    raise ModuleNotFoundError(message, name=error.name) from error

__all__ = ["hypothesis", "strategies"]

"""What neighbour estimators refuse: samples in which values repeat."""


class TiesError(ValueError):
    """The sample has repeated values, so its law seems to have atoms or to have been rounded.

    A nearest-neighbour distance of 0 has no logarithm, and one that is a rounding step says nothing
    of a density.
    """

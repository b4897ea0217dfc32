r"""Sums of products that stay in registers: the innermost part of a matrix product.

The sums of four rows and of the columns that three registers hold are taken side by side: a step
reads three registers of one cloud and four numbers of the other for twelve multiplications and
additions, and writes nothing (Goto and van de Geijn, *Anatomy of High-Performance Matrix
Multiplication*, ACM TOMS 2008). The loops that numba compiles keep such sums in memory, at half the
speed; so the instructions are written here.
"""

from typing import Any

import numba.core.cgutils
import numba.extending
import numpy as np
from numba import types
from numpy.typing import NDArray

from ._jit import jit

FloatArray = NDArray[np.floating[Any]]
_llvm: Any = numba.core.cgutils  # without types of its own

ROWS = 4
_REGISTER, _REGISTERS = 32, 3  # bytes; of sixteen registers twelve hold sums


def width(precision: Any) -> int:
    """How many columns are summed side by side."""
    return _REGISTERS * _REGISTER // int(np.dtype(precision).itemsize)


class _Instructions:
    """Writes instructions for registers full of numbers of one type."""

    def __init__(self, context: Any, builder: Any, number: Any) -> None:
        self.builder, self.size = builder, number.bitwidth // 8
        self.lanes = _REGISTER // self.size
        self.type = _llvm.ir.VectorType(context.get_data_type(number), self.lanes)

    def zeros(self) -> list[Any]:
        """A row of registers full of zeros."""
        zero = self.type([0.0] * self.lanes)
        return [_llvm.alloca_once_value(self.builder, zero) for _ in range(_REGISTERS)]

    def places(self, data: Any, row: Any, size: Any, first: Any) -> list[Any]:
        """Where the registers lie in memory that begin in a ``row`` at the number ``first``."""
        integer, builder = _llvm.intp_t, self.builder
        start = builder.add(builder.mul(row, size), first)
        offsets = (builder.add(start, integer(k * self.lanes)) for k in range(_REGISTERS))
        pointers = (builder.gep(data, [offset]) for offset in offsets)
        return [builder.bitcast(pointer, self.type.as_pointer()) for pointer in pointers]

    def load(self, place: Any) -> Any:
        """A register from memory, which is aligned to a number only."""
        loaded = self.builder.load(place)
        loaded.align = self.size
        return loaded

    def spread(self, number: Any) -> Any:
        """A register full of one number."""
        nothing, integer = self.type(_llvm.ir.Undefined), _llvm.int32_t
        first = self.builder.insert_element(nothing, number, integer(0))
        zeros = _llvm.ir.VectorType(integer, self.lanes)([0] * self.lanes)
        return self.builder.shuffle_vector(first, nothing, zeros)

    def add_product(self, total: Any, a: Any, b: Any) -> None:
        """Add a b to a total: one instruction where the processor has one."""
        product = self.builder.fmul(a, b, flags=["contract"])
        old = self.builder.load(total)
        self.builder.store(self.builder.fadd(old, product, flags=["contract"]), total)

    def add(self, place: Any, total: Any) -> None:
        """Add a total to the numbers in memory."""
        new = self.builder.fadd(self.load(place), self.builder.load(total))
        self.builder.store(new, place).align = self.size


def _tile(_typing: Any, x: Any, _i: Any, y: Any, _panel: Any, _begin: Any, _end: Any,
          sums: Any, _row: Any, _first: Any) -> Any:  # fmt: skip
    """``add_products``; all arrays are contiguous and of one type, indices of the largest."""

    def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        points, panels, totals = (
            context.make_array(signature.args[k])(context, builder, values[k]) for k in (0, 2, 6)
        )
        _, i, _, panel, begin, end, _, row, first = values
        instructions = _Instructions(context, builder, signature.args[0].dtype)
        (_, coordinates), (_, columns) = (
            _llvm.unpack_tuple(builder, array.shape) for array in (points, totals)
        )
        integer = _llvm.intp_t
        across = integer(instructions.lanes * _REGISTERS)
        ours = [builder.mul(builder.add(i, integer(r)), coordinates) for r in range(ROWS)]
        theirs = builder.mul(panel, coordinates)
        kept = [instructions.zeros() for _ in range(ROWS)]
        with _llvm.for_range_slice(builder, begin, end, integer(1)) as (k, _):
            places = instructions.places(panels.data, builder.add(theirs, k), across, integer(0))
            numbers = [instructions.load(place) for place in places]
            for mine, of_row in zip(ours, kept, strict=True):
                number = builder.load(builder.gep(points.data, [builder.add(mine, k)]))
                everywhere = instructions.spread(number)
                for total, others in zip(of_row, numbers, strict=True):
                    instructions.add_product(total, everywhere, others)
        for r, of_row in enumerate(kept):
            places = instructions.places(totals.data, builder.add(row, integer(r)), columns, first)
            for place, total in zip(places, of_row, strict=True):
                instructions.add(place, total)
        return context.get_dummy_value()

    whole = types.intp
    return types.void(x, whole, y, whole, whole, whole, sums, whole, whole), generate


_tiles: Any = numba.extending.intrinsic(_tile)


def _add_products(
    x: FloatArray, i: int, y: FloatArray, panel: int, begin: int, end: int, sums: FloatArray,
    row: int, first: int,
) -> None:  # fmt: skip
    """Add the products of the coordinates ``begin`` to ``end``, in this order, to ``sums``.

    Of the rows i to i + 3 of x (n, d) and the columns of ``y[panel]`` (d, width), to the rows
    from ``row`` and the columns from ``first`` of ``sums``.
    """
    _tiles(x, i, y, panel, begin, end, sums, row, first)


add_products = jit(_add_products, inline=True)

"""Functions compiled to machine code by numba, and what numba lacks for them.

Compiled code is kept beside the source, or where `NUMBA_CACHE_DIR` says.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba
import numpy as np
from llvmlite import ir  # type: ignore[import-untyped]
from numba.core import cgutils, types
from numba.extending import intrinsic
from numpy.typing import NDArray

_Function = TypeVar("_Function", bound=Callable[..., Any])

LANES = 8
"""Words of 64 bits in a cache line."""
_PREFETCH = "llvm.prefetch.p0"


def compiled(function: _Function) -> _Function:
    """Compile a function of arrays and numbers at its first call; it runs without the GIL."""
    made = numba.njit(function, nogil=True, cache=True, error_model="numpy")
    return cast(_Function, made)


def fast(function: _Function) -> _Function:
    """Compile like `compiled` and let sums of floats be taken in any order."""
    sums = {"reassoc", "contract"}
    made = numba.njit(function, nogil=True, cache=True, error_model="numpy", fastmath=sums)
    return cast(_Function, made)


def _from_half(_: Any, bits: types.Type) -> Any:
    def generate(context: Any, builder: ir.IRBuilder, signature: Any, args: Any) -> Any:
        return builder.fpext(builder.bitcast(args[0], ir.HalfType()), ir.FloatType())

    return types.float32(types.uint16), generate


def _prefetch(_: Any, array: types.Array, at: types.Integer) -> Any:
    def generate(context: Any, builder: ir.IRBuilder, signature: Any, args: Any) -> Any:
        struct = context.make_array(signature.args[0])(context, builder, args[0])
        address = builder.bitcast(builder.gep(struct.data, [args[1]]), cgutils.voidptr_t)
        number = ir.IntType(32)
        kind = ir.FunctionType(ir.VoidType(), [cgutils.voidptr_t, number, number, number])
        function: Any = cgutils.get_or_insert_function(  # type: ignore[no-untyped-call]
            builder.module, kind, _PREFETCH
        )
        is_read, is_wanted_long, is_data = number(0), number(3), number(1)
        builder.call(function, [address, is_read, is_wanted_long, is_data])
        return context.get_dummy_value()

    return types.void(array, types.intp), generate


def _weighed(_: Any, words: types.Array, places: types.UniTuple, planes: Any, first: Any) -> Any:
    def generate(context: Any, builder: ir.IRBuilder, signature: Any, args: Any) -> Any:
        word = ir.IntType(64)
        line = ir.VectorType(word, LANES)

        def loaded(which: int, at: Any) -> Any:
            struct = context.make_array(signature.args[which])(context, builder, args[which])
            address = builder.bitcast(builder.gep(struct.data, [at]), line.as_pointer())
            return builder.load(address, align=8)

        def called(name: str, kind: ir.FunctionType, value: Any) -> Any:
            function: Any = cgutils.get_or_insert_function(  # type: ignore[no-untyped-call]
                builder.module, kind, f"llvm.{name}.v{LANES}i64"
            )
            return builder.call(function, [value])

        def counted(bits: Any) -> Any:
            total = ir.Constant(line, None)
            for plane in range(3, -1, -1):
                mine = loaded(2, builder.add(args[3], word(LANES * plane)))
                ones = called("ctpop", ir.FunctionType(line, [line]), builder.and_(bits, mine))
                total = (
                    builder.sub(total, ones)
                    if plane == 3
                    else builder.add(builder.add(total, total), ones)
                )
            return total

        each = cgutils.unpack_tuple(builder, args[1])  # type: ignore[no-untyped-call]
        width = ir.Constant(line, [64 // len(each) % 64] * LANES)
        total = ir.Constant(line, None)
        for at in reversed(each):
            total = builder.add(builder.shl(total, width), counted(loaded(0, at)))
        return called("vector.reduce.add", ir.FunctionType(word, [line]), total)

    return types.int64(words, places, planes, types.intp), generate


def _first_one(_: Any, word: types.Type) -> Any:
    def generate(context: Any, builder: ir.IRBuilder, signature: Any, args: Any) -> Any:
        return builder.cttz(args[0], ir.IntType(1)(1))

    return types.int64(types.uint64), generate


from_half = cast(Callable[[np.uint16], np.float32], intrinsic(_from_half))
"""The number whose IEEE 754 binary16 bits a uint16 holds."""

prefetch = cast(Callable[[NDArray[Any], int], None], intrinsic(_prefetch))
"""Asks for the cache line that holds an element of a flat array, ahead of its use."""

first_one = cast(Callable[[np.uint64], int], intrinsic(_first_one))
"""The position of the lowest bit that is set in a word, which must not be zero."""

weighed = cast(
    Callable[[NDArray[np.uint64], tuple[int, ...], NDArray[np.uint64], int], int],
    intrinsic(_weighed),
)
"""Counts bits that lines of words have in common with each of four planes, times 1, 2, 4 and -8.

Counts of two or four lines at once are in as many parts of a word, those of the first line the
lowest; what is below zero in one part is missing in the next.
"""

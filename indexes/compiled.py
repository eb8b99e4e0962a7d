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


from_half = cast(Callable[[np.uint16], np.float32], intrinsic(_from_half))
"""The number whose IEEE 754 binary16 bits a uint16 holds."""

prefetch = cast(Callable[[NDArray[Any], int], None], intrinsic(_prefetch))
"""Asks for the cache line that holds an element of a flat array, ahead of its use."""

"""What values of compiled code that fill vector registers have in common."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba import types


class VectorType(types.Type):  # type: ignore[misc]
    """A numba type that lives in vector registers."""


def emit(returns: Any, build: Callable[..., Any], *arguments: Any) -> Any:
    """Let `build` write the code of an intrinsic that takes `arguments`."""

    def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        return build(context, builder, signature, *values)

    return returns(*arguments), generate


def spread_over(builder: Any, scalar: Any, vector: Any) -> Any:
    """Fill all lanes of a vector of LLVM type `vector` with one value."""
    one = builder.insert_element(ir.Constant(vector, ir.Undefined), scalar, ir.IntType(32)(0))
    zeros = ir.Constant(ir.VectorType(ir.IntType(32), vector.count), [0] * vector.count)
    return builder.shuffle_vector(one, ir.Constant(vector, ir.Undefined), zeros)


def pointer_to(builder: Any, address: Any, index: Any, of: Any) -> Any:
    """Point at item `index` of the array of LLVM type `of` at `address`."""
    return builder.gep(builder.inttoptr(address, of.as_pointer()), [index])

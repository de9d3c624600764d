"""Runs of sixteen float32 voxels as values of compiled code.

The hot loops of GrowCut handle runs that start anywhere in a row. Written as loops over
slices, LLVM guards each with overlap checks and a scalar remainder that cost more than
the arithmetic. Here a run is one vector value; LLVM splits it over whatever registers
the processor has. Every lane follows IEEE float32 without contraction, as scalar code
does.

Arrays are passed as addresses: numba counts references to arrays at every call, and that
costs more than the work on a run. The caller keeps the arrays alive.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic, models, register_model

from .lanes import VectorType, emit, pointer_to, spread_over

RUN = 16

_FLOAT = ir.FloatType()
_LANES = ir.VectorType(_FLOAT, RUN)
_CODES = ir.VectorType(ir.IntType(8), RUN)


class _FloatRun(VectorType):
    def __init__(self) -> None:
        super().__init__("FloatRun")


class _CodeRun(VectorType):
    def __init__(self) -> None:
        super().__init__("CodeRun")


_floats = _FloatRun()
_codes = _CodeRun()


@register_model(_FloatRun)
class _FloatRunModel(models.PrimitiveModel):  # type: ignore[misc]
    def __init__(self, manager: Any, of_type: Any) -> None:
        super().__init__(manager, of_type, _LANES)


@register_model(_CodeRun)
class _CodeRunModel(models.PrimitiveModel):  # type: ignore[misc]
    def __init__(self, manager: Any, of_type: Any) -> None:
        super().__init__(manager, of_type, _CODES)


@intrinsic
def load(typing: Any, address: Any, index: Any) -> Any:
    """The run of float32 from position `index` of the array at `address`."""

    def build(context: Any, builder: Any, signature: Any, address: Any, index: Any) -> Any:
        at = pointer_to(builder, address, index, _FLOAT)
        return builder.load(builder.bitcast(at, _LANES.as_pointer()), align=4)

    return emit(_floats, build, types.intp, types.intp)


@intrinsic
def store(typing: Any, address: Any, index: Any, run: Any) -> Any:
    """Write a run of float32 to position `index` of the array at `address`."""

    def build(
        context: Any, builder: Any, signature: Any, address: Any, index: Any, run: Any
    ) -> Any:
        at = pointer_to(builder, address, index, _FLOAT)
        builder.store(run, builder.bitcast(at, _LANES.as_pointer()), align=4)
        return context.get_dummy_value()

    return emit(types.void, build, types.intp, types.intp, _floats)


@intrinsic
def store_codes(typing: Any, address: Any, index: Any, run: Any) -> Any:
    """Write a run of codes to position `index` of the uint8 array at `address`."""

    def build(
        context: Any, builder: Any, signature: Any, address: Any, index: Any, run: Any
    ) -> Any:
        at = pointer_to(builder, address, index, ir.IntType(8))
        builder.store(run, builder.bitcast(at, _CODES.as_pointer()), align=1)
        return context.get_dummy_value()

    return emit(types.void, build, types.intp, types.intp, _codes)


@intrinsic
def get(typing: Any, address: Any, index: Any) -> Any:
    """The float32 at position `index` of the array at `address`."""

    def build(context: Any, builder: Any, signature: Any, address: Any, index: Any) -> Any:
        return builder.load(pointer_to(builder, address, index, _FLOAT), align=4)

    return emit(types.float32, build, types.intp, types.intp)


@intrinsic
def tabulated(typing: Any, address: Any, x: Any) -> Any:
    """Table value at each lane of `x`, linearly interpolated; NaN stays NaN.

    `x` counts nodes of the float32 table at `address` and lies between 0 and its end.
    """

    def build(context: Any, builder: Any, signature: Any, address: Any, x: Any) -> Any:
        result = ir.Constant(_LANES, ir.Undefined)
        whole = ir.IntType(64)
        for i in range(RUN):
            at = ir.IntType(32)(i)
            value = builder.extract_element(x, at)
            known = builder.fcmp_ordered("ord", value, value)
            index = builder.fptosi(builder.select(known, value, _FLOAT(0.0)), whole)
            low = builder.load(pointer_to(builder, address, index, _FLOAT), align=4)
            after = builder.add(index, whole(1))
            high = builder.load(pointer_to(builder, address, after, _FLOAT), align=4)
            rest = builder.fsub(value, builder.sitofp(index, _FLOAT))
            mixed = builder.fadd(low, builder.fmul(rest, builder.fsub(high, low)))
            result = builder.insert_element(result, mixed, at)
        return result

    return emit(_floats, build, types.intp, _floats)


@intrinsic
def spread(typing: Any, scalar: Any) -> Any:
    """A run of sixteen times the same float."""

    def build(context: Any, builder: Any, signature: Any, scalar: Any) -> Any:
        return spread_over(builder, scalar, _LANES)

    return emit(_floats, build, types.float32)


@intrinsic
def spread_code(typing: Any, code: Any) -> Any:
    """A run of sixteen times the same code."""

    def build(context: Any, builder: Any, signature: Any, code: Any) -> Any:
        return spread_over(builder, code, _CODES)

    return emit(_codes, build, types.uint8)


def _binary(operation: str) -> Any:
    @intrinsic
    def function(typing: Any, a: Any, b: Any) -> Any:
        def build(context: Any, builder: Any, signature: Any, a: Any, b: Any) -> Any:
            return getattr(builder, operation)(a, b)

        return emit(_floats, build, _floats, _floats)

    return function


subtract, add, multiply = _binary("fsub"), _binary("fadd"), _binary("fmul")


def _unary(name: str) -> Any:
    @intrinsic
    def function(typing: Any, a: Any) -> Any:
        def build(context: Any, builder: Any, signature: Any, a: Any) -> Any:
            callee = cgutils.get_or_insert_function(
                builder.module, ir.FunctionType(_LANES, [_LANES]), f"llvm.{name}.v{RUN}f32"
            )
            return builder.call(callee, [a])

        return emit(_floats, build, _floats)

    return function


absolute, square_root = _unary("fabs"), _unary("sqrt")


@intrinsic
def larger(typing: Any, a: Any, b: Any) -> Any:
    """Lane by lane `a` where a > b, else `b` (also where either is NaN)."""

    def build(context: Any, builder: Any, signature: Any, a: Any, b: Any) -> Any:
        return builder.select(builder.fcmp_ordered(">", a, b), a, b)

    return emit(_floats, build, _floats, _floats)


@intrinsic
def smaller(typing: Any, a: Any, b: Any) -> Any:
    """Lane by lane `a` where a < b, else `b` (also where either is NaN)."""

    def build(context: Any, builder: Any, signature: Any, a: Any, b: Any) -> Any:
        return builder.select(builder.fcmp_ordered("<", a, b), a, b)

    return emit(_floats, build, _floats, _floats)


@intrinsic
def which_larger(typing: Any, a: Any, b: Any) -> Any:
    """Bit i is set where lane i has a > b."""

    def build(context: Any, builder: Any, signature: Any, a: Any, b: Any) -> Any:
        lanes = builder.bitcast(builder.fcmp_ordered(">", a, b), ir.IntType(RUN))
        return builder.zext(lanes, ir.IntType(64))

    return emit(types.int64, build, _floats, _floats)


@intrinsic
def code_where_equal(typing: Any, codes: Any, code: Any, a: Any, b: Any) -> Any:
    """Replace the codes of the lanes in which a == b."""

    def build(
        context: Any, builder: Any, signature: Any, codes: Any, code: Any, a: Any, b: Any
    ) -> Any:
        equal = builder.fcmp_ordered("==", a, b)
        return builder.select(equal, spread_over(builder, code, _CODES), codes)

    return emit(_codes, build, _codes, types.uint8, _floats, _floats)


def _shift(order: list[int]) -> Any:
    @intrinsic
    def function(typing: Any, run: Any, edge: Any) -> Any:
        def build(context: Any, builder: Any, signature: Any, run: Any, edge: Any) -> Any:
            index = ir.Constant(ir.VectorType(ir.IntType(32), RUN), order)
            return builder.shuffle_vector(run, spread_over(builder, edge, _LANES), index)

        return emit(_floats, build, _floats, types.float32)

    return function


# Every lane gets the value of the lane before it (after it); the one without, `edge`.
from_before = _shift([RUN, *range(RUN - 1)])
from_after = _shift([*range(1, RUN), RUN])

"""Runs of sixteen float32 voxels as values of compiled code.

The hot loops of GrowCut handle runs that start anywhere in a row. Written as loops over
slices, LLVM guards each with overlap checks and a scalar remainder that cost more than
the arithmetic. Here a run is one vector value; LLVM splits it over whatever registers
the processor has. Every lane follows IEEE float32 without contraction, as scalar code does.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic, models, register_model

RUN = 16

_FLOAT = ir.FloatType()
_LANES = ir.VectorType(_FLOAT, RUN)
_CODES = ir.VectorType(ir.IntType(8), RUN)


class _Vector(types.Type):
    """A numba type that lives in vector registers."""


class _FloatRun(_Vector):
    def __init__(self) -> None:
        super().__init__("FloatRun")


class _CodeRun(_Vector):
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


def _emit(returns: Any, build: Callable[..., Any], *arguments: Any) -> Any:
    def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        return build(context, builder, signature, *values)

    return returns(*arguments), generate


def _splat(builder: Any, scalar: Any, vector: Any = _LANES) -> Any:
    one = builder.insert_element(ir.Constant(vector, ir.Undefined), scalar, ir.IntType(32)(0))
    zeros = ir.Constant(ir.VectorType(ir.IntType(32), RUN), [0] * RUN)
    return builder.shuffle_vector(one, ir.Constant(vector, ir.Undefined), zeros)


def _address(context: Any, builder: Any, signature: Any, array: Any, index: Any, lane: Any) -> Any:
    data = context.make_array(signature.args[0])(context, builder, array).data
    return builder.bitcast(builder.gep(data, [index]), lane.as_pointer())


@intrinsic  # type: ignore[untyped-decorator]
def load(typing: Any, array: Any, index: Any) -> Any:
    """The run of a contiguous 1-D array that starts at `index`."""

    def build(context: Any, builder: Any, signature: Any, array: Any, index: Any) -> Any:
        pointer = _address(context, builder, signature, array, index, _LANES)
        return builder.load(pointer, align=4)

    return _emit(_floats, build, array, types.intp)


@intrinsic  # type: ignore[untyped-decorator]
def store(typing: Any, array: Any, index: Any, run: Any) -> Any:
    """Write a run of floats or codes to a contiguous 1-D array."""

    def build(context: Any, builder: Any, signature: Any, array: Any, index: Any, run: Any) -> Any:
        pointer = _address(context, builder, signature, array, index, run.type)
        builder.store(run, pointer, align=1 if run.type is _CODES else 4)
        return context.get_dummy_value()

    return _emit(types.void, build, array, types.intp, run)


@intrinsic  # type: ignore[untyped-decorator]
def spread(typing: Any, scalar: Any) -> Any:
    """A run of sixteen times the same float."""

    def build(context: Any, builder: Any, signature: Any, scalar: Any) -> Any:
        return _splat(builder, scalar)

    return _emit(_floats, build, types.float32)


@intrinsic  # type: ignore[untyped-decorator]
def spread_code(typing: Any, code: Any) -> Any:
    """A run of sixteen times the same code."""

    def build(context: Any, builder: Any, signature: Any, code: Any) -> Any:
        return _splat(builder, code, _CODES)

    return _emit(_codes, build, types.uint8)


def _binary(operation: str) -> Any:
    @intrinsic  # type: ignore[untyped-decorator]
    def function(typing: Any, a: Any, b: Any) -> Any:
        def build(context: Any, builder: Any, signature: Any, a: Any, b: Any) -> Any:
            return getattr(builder, operation)(a, b)

        return _emit(_floats, build, _floats, _floats)

    return function


subtract, add, multiply = _binary("fsub"), _binary("fadd"), _binary("fmul")


def _unary(name: str) -> Any:
    @intrinsic  # type: ignore[untyped-decorator]
    def function(typing: Any, a: Any) -> Any:
        def build(context: Any, builder: Any, signature: Any, a: Any) -> Any:
            callee = cgutils.get_or_insert_function(
                builder.module, ir.FunctionType(_LANES, [_LANES]), f"llvm.{name}.v{RUN}f32"
            )
            return builder.call(callee, [a])

        return _emit(_floats, build, _floats)

    return function


absolute, square_root = _unary("fabs"), _unary("sqrt")


@intrinsic  # type: ignore[untyped-decorator]
def larger(typing: Any, a: Any, b: Any) -> Any:
    """Lane by lane `a` where a > b, else `b` (also where either is NaN)."""

    def build(context: Any, builder: Any, signature: Any, a: Any, b: Any) -> Any:
        return builder.select(builder.fcmp_ordered(">", a, b), a, b)

    return _emit(_floats, build, _floats, _floats)


@intrinsic  # type: ignore[untyped-decorator]
def smaller(typing: Any, a: Any, b: Any) -> Any:
    """Lane by lane `a` where a < b, else `b` (also where either is NaN)."""

    def build(context: Any, builder: Any, signature: Any, a: Any, b: Any) -> Any:
        return builder.select(builder.fcmp_ordered("<", a, b), a, b)

    return _emit(_floats, build, _floats, _floats)


@intrinsic  # type: ignore[untyped-decorator]
def which_larger(typing: Any, a: Any, b: Any) -> Any:
    """Bit i is set where lane i has a > b."""

    def build(context: Any, builder: Any, signature: Any, a: Any, b: Any) -> Any:
        lanes = builder.bitcast(builder.fcmp_ordered(">", a, b), ir.IntType(RUN))
        return builder.zext(lanes, ir.IntType(64))

    return _emit(types.int64, build, _floats, _floats)


@intrinsic  # type: ignore[untyped-decorator]
def code_where_equal(typing: Any, codes: Any, code: Any, a: Any, b: Any) -> Any:
    """Replace the codes of the lanes in which a == b."""

    def build(
        context: Any, builder: Any, signature: Any, codes: Any, code: Any, a: Any, b: Any
    ) -> Any:
        equal = builder.fcmp_ordered("==", a, b)
        return builder.select(equal, _splat(builder, code, _CODES), codes)

    return _emit(_codes, build, _codes, types.uint8, _floats, _floats)


def _shift(order: list[int]) -> Any:
    @intrinsic  # type: ignore[untyped-decorator]
    def function(typing: Any, run: Any, edge: Any) -> Any:
        def build(context: Any, builder: Any, signature: Any, run: Any, edge: Any) -> Any:
            index = ir.Constant(ir.VectorType(ir.IntType(32), RUN), order)
            return builder.shuffle_vector(run, _splat(builder, edge), index)

        return _emit(_floats, build, _floats, types.float32)

    return function


# Every lane gets the value of the lane before it (after it); the one without, `edge`.
from_before = _shift([RUN, *range(RUN - 1)])
from_after = _shift([*range(1, RUN), RUN])

"""Sets of voxels as bits, one for each lane of a run of bytes, in compiled code.

A comparison of 512 bytes at a time costs what sixteen lookups would. Arrays are passed as
addresses, as in `growcut_lanes`; the caller keeps them alive.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic, models, register_model

from .lanes import VectorType, emit, pointer_to, spread_over

RUN = 512
BYTES_PER_SET = RUN // 8

_BYTE, _WORD, _SET = ir.IntType(8), ir.IntType(16), ir.IntType(RUN)
_BYTES, _WORDS = ir.VectorType(_BYTE, RUN), ir.VectorType(_WORD, RUN)
_BITS = ir.VectorType(ir.IntType(1), RUN)


class _LaneSet(VectorType):
    def __init__(self) -> None:
        super().__init__("LaneSet")


_lanes = _LaneSet()


@register_model(_LaneSet)
class _LaneSetModel(models.PrimitiveModel):  # type: ignore[misc]
    def __init__(self, manager: Any, of_type: Any) -> None:
        super().__init__(manager, of_type, _SET)


@intrinsic
def all_lanes(typing: Any) -> Any:
    """Every lane of a run."""

    def build(context: Any, builder: Any, signature: Any) -> Any:
        return _SET(-1)

    return emit(_lanes, build)


@intrinsic
def lanes_above(typing: Any, address: Any, index: Any, threshold: Any) -> Any:
    """The lanes of the run of uint8 from position `index` that are > `threshold`."""

    def build(
        context: Any, builder: Any, signature: Any, address: Any, index: Any, threshold: Any
    ) -> Any:
        at = builder.bitcast(pointer_to(builder, address, index, _BYTE), _BYTES.as_pointer())
        run = builder.load(at, align=1)
        above = builder.icmp_unsigned(">", run, spread_over(builder, threshold, _BYTES))
        return builder.bitcast(above, _SET)

    return emit(_lanes, build, types.intp, types.intp, types.uint8)


@intrinsic
def common(typing: Any, a: Any, b: Any) -> Any:
    """The lanes in both sets."""

    def build(context: Any, builder: Any, signature: Any, a: Any, b: Any) -> Any:
        return builder.and_(a, b)

    return emit(_lanes, build, _lanes, _lanes)


@intrinsic
def without(typing: Any, a: Any, b: Any) -> Any:
    """The lanes of `a` that are not in `b`."""

    def build(context: Any, builder: Any, signature: Any, a: Any, b: Any) -> Any:
        return builder.and_(a, builder.not_(b))

    return emit(_lanes, build, _lanes, _lanes)


@intrinsic
def has_any(typing: Any, a: Any) -> Any:
    """Whether a set is not empty."""

    def build(context: Any, builder: Any, signature: Any, a: Any) -> Any:
        return builder.icmp_unsigned("!=", a, _SET(0))

    return emit(types.boolean, build, _lanes)


@intrinsic
def load_set(typing: Any, address: Any, index: Any) -> Any:
    """The set at place `index` of the sets at `address`."""

    def build(context: Any, builder: Any, signature: Any, address: Any, index: Any) -> Any:
        return builder.load(pointer_to(builder, address, index, _SET), align=8)

    return emit(_lanes, build, types.intp, types.intp)


@intrinsic
def store_set(typing: Any, address: Any, index: Any, a: Any) -> Any:
    """Write a set to place `index` of the sets at `address`."""

    def build(context: Any, builder: Any, signature: Any, address: Any, index: Any, a: Any) -> Any:
        builder.store(a, pointer_to(builder, address, index, _SET), align=8)
        return context.get_dummy_value()

    return emit(types.void, build, types.intp, types.intp, _lanes)


@intrinsic
def add_in(typing: Any, address: Any, index: Any, amount: Any, a: Any) -> Any:
    """Add to those of the run of uint16 from position `index` whose lanes are in `a`."""

    def build(
        context: Any, builder: Any, signature: Any, address: Any, index: Any, amount: Any, a: Any
    ) -> Any:
        at = builder.bitcast(pointer_to(builder, address, index, _WORD), _WORDS.as_pointer())
        amounts = spread_over(builder, amount, _WORDS)
        zeros = ir.Constant(_WORDS, [0] * RUN)
        added = builder.select(builder.bitcast(a, _BITS), amounts, zeros)
        builder.store(builder.add(builder.load(at, align=2), added), at, align=2)
        return context.get_dummy_value()

    return emit(types.void, build, types.intp, types.intp, types.uint16, _lanes)

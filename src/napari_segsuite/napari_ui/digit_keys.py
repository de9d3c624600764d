"""Digits as shortcuts of layers, for a while."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from napari.layers import Layer

_DIGITS = range(1, 10)


class DigitKeys:
    """Keys 1 to 9 of layers, taken over until they are given back.

    They are bound to the layers, not to the window: what is typed into a form stays there,
    and other layers keep their keys.

    Parameters
    ----------
    act : callable
        Gets the digit.
    """

    def __init__(self, act: Callable[[int], None]) -> None:
        self._act = act
        self._replaced: list[tuple[Layer, str, Any]] = []

    def bind(self, layers: Iterable[Layer]) -> None:
        """Take over the digits of these layers, and of no others."""
        self.unbind()
        for layer in layers:
            for digit in _DIGITS:
                before = layer.bind_key(str(digit), self._action(digit), overwrite=True)
                self._replaced.append((layer, str(digit), before))

    def unbind(self, *_: object) -> None:
        """Give all keys back."""
        for layer, key, before in self._replaced:
            layer.bind_key(key, before, overwrite=True)
        self._replaced = []

    def _action(self, digit: int) -> Callable[[Layer], None]:
        return lambda _layer: self._act(digit)

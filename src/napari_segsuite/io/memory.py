"""Whether what a file declares fits into memory, asked before anything is allocated."""

from __future__ import annotations

from ..device import available_memory
from ..errors import FormatError


def require_memory(needed: int, name: str) -> None:
    """Refuse a file whose values need more than the memory that is free.

    Parameters
    ----------
    needed : int
        Bytes.
    name : str
        File name for the message.

    Raises
    ------
    FormatError
        If less than `needed` bytes are free.
    """
    free = available_memory()
    if needed > free:
        raise FormatError(
            f"{name}: the header declares {needed / 1e9:.1f} GB of values, but only "
            f"{free / 1e9:.1f} GB of memory are free; close other programs, crop the image, "
            "or check whether the header is damaged"
        )

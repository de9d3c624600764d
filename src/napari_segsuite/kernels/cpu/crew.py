"""Threads that compiled code runs in."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np


class Crew:
    """Threads that share the pieces of a job.

    Plain threads around kernels that release the GIL, not numba's parallel loops: those
    share a pool that aborts the process when two threads of an application enter it at
    once and neither OpenMP nor TBB is installed.
    """

    def __init__(self, threads: int) -> None:
        self.threads = threads
        self.stop = np.zeros(1, dtype=np.bool_)
        self._pool = ThreadPoolExecutor(threads) if threads > 1 else None

    def __enter__(self) -> Crew:
        return self

    def __exit__(self, *error: object) -> None:
        self.stop[0] = True
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)

    def run(
        self,
        job: Callable[..., None],
        pieces: Sequence[tuple[Any, ...]],
        done: Callable[[], None] = lambda: None,
    ) -> None:
        """Call ``job(*piece)`` for all pieces; `done` is called in this thread after each."""
        if self._pool is None or len(pieces) == 1:
            for piece in pieces:
                job(*piece)
                done()
            return
        for future in [self._pool.submit(job, *piece) for piece in pieces]:
            future.result()
            done()

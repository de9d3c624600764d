"""Tasks shared out among processes."""

from __future__ import annotations

import os
import signal
import sys
import time
import warnings
from collections import deque
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager, suppress
from multiprocessing import connection, get_context
from typing import Any, TypeVar

from .terminal import show_warning

Task = TypeVar("Task")
Answer = TypeVar("Answer")

# Seconds that a process which is told to leave has for removing its scratch files, and
# after which it is told again.
_GRACE = 10.0
_PATIENCE = 1.0


def share_out(
    perform: Callable[[Task], Answer], tasks: Sequence[Task], n_processes: int
) -> Generator[tuple[int, Answer | None]]:
    """Perform tasks in several processes at once.

    Each process has its share of the cores. A process that dies takes only its task along.
    Close the generator to end all processes, whatever they are doing.

    Parameters
    ----------
    perform : callable
        Function of a module that is cheap to import; called with a task, in the process.
    tasks : sequence
        What can be pickled, as can the answers.
    n_processes : int
        At most this many, and no more than there are tasks.

    Yields
    ------
    (int, answer or None)
        Number of a task that is through and its answer, None where its process died.
    """
    n_processes = min(n_processes, len(tasks))
    waiting = deque(enumerate(tasks))
    idle: list[_Worker] = []
    busy: dict[Any, tuple[_Worker, int]] = {}
    threads = _threads_each(n_processes)
    try:
        while waiting or busy:
            while waiting and len(busy) < n_processes:
                index, task = waiting.popleft()
                worker = idle.pop() if idle else _Worker(perform, threads)
                busy[worker.pipe] = worker, index
                worker.ask(task)
            for pipe in connection.wait(list(busy)):
                worker, index = busy.pop(pipe)
                try:
                    answer = worker.pipe.recv()
                    idle.append(worker)
                except (EOFError, OSError):
                    answer = None
                    worker.end()
                yield index, answer
    finally:
        workers = [*idle, *(worker for worker, _ in busy.values())]
        for worker in workers:
            worker.tell_to_leave()
        for worker in workers:
            worker.end()


class _Worker:
    """A process that performs one task after the other."""

    def __init__(self, perform: Callable[[Any], Any], threads: int) -> None:
        # Forked processes would share locks that other threads hold.
        context = get_context("spawn")
        self.pipe, theirs = context.Pipe()
        self._process = context.Process(target=_serve, args=(theirs, perform, threads), daemon=True)
        with _uninterrupted():
            self._process.start()
        theirs.close()

    def ask(self, task: object) -> None:
        # A process that is gone is found out when its answer is waited for.
        with suppress(OSError):
            self.pipe.send(task)

    def tell_to_leave(self) -> None:
        self._process.terminate()

    def end(self) -> None:
        self.pipe.close()
        deadline = time.monotonic() + _GRACE
        # Some libraries swallow the exception that a signal raises while they are imported.
        while self._process.is_alive() and time.monotonic() < deadline:
            self._process.join(_PATIENCE)
            self._process.terminate()
        self._process.kill()
        self._process.join()
        self._process.close()


def _serve(pipe: connection.Connection, perform: Callable[[Any], Any], threads: int) -> None:
    """Perform tasks until the other end of the pipe is closed, or its process gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's affair
    signal.signal(signal.SIGTERM, _leave)
    warnings.showwarning = show_warning
    # Read by numba when it is imported, which perform's module does not do.
    os.environ["NUMBA_NUM_THREADS"] = str(threads)
    with suppress(EOFError, OSError):
        while True:
            pipe.send(perform(pipe.recv()))


def _leave(*_: object) -> None:
    """End the process by an exception, so that scratch files are removed on the way out."""
    sys.exit()


@contextmanager
def _uninterrupted() -> Generator[None]:
    """Start a process that does not hear of Ctrl-C before it can deal with it."""
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _threads_each(n_processes: int) -> int:
    from numba import config

    return max(1, int(config.NUMBA_NUM_THREADS) // n_processes)

"""The compute process itself; `compute` is the side of those who use it.

Commands come in on standard input and are answered on standard output, one JSON object a
line: run → progress … → result, block → done; or error; or, after cancel, cancelled.
"""

from __future__ import annotations

import faulthandler
import gc
import importlib
import json
import os
import queue
import signal
import sys
import threading
import time
import traceback
from collections.abc import Iterator, Mapping
from typing import Any, TextIO

from numpy.typing import NDArray

from . import errors, exchange
from .compute import JobRequest
from .device import is_out_of_memory
from .errors import Cancelled, JobFailedError, OutOfMemoryError, SegSuiteError
from .image import Image, Segmentation

_REPORTS_PER_SECOND = 20.0
_REPORTS_AT_ONCE = 5.0


class _Worker:
    """Answers the commands that come in on one pipe through another."""

    def __init__(self, commands: TextIO, replies: TextIO) -> None:
        self._replies = replies
        self._writing = threading.Lock()
        self._inbox: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()
        self._cancelled_job = 0
        self._job = 0
        self._allowance = _REPORTS_AT_ONCE
        self._last_report = 0.0
        threading.Thread(target=self._listen, args=(commands,), daemon=True).start()

    def serve(self, idle_seconds: float) -> None:
        """Perform jobs until none has come for `idle_seconds`."""
        while True:
            try:
                command = self._inbox.get(timeout=idle_seconds)
            except queue.Empty:
                return
            if command["type"] == "run":
                self._perform(command)
                _give_memory_back()

    def _listen(self, commands: TextIO) -> None:
        for line in commands:
            command = json.loads(line)
            if command["type"] == "cancel":
                self._cancelled_job = command["job"]
            self._inbox.put(command)
        os._exit(0)  # the parent is gone, and nobody waits for the job

    def _perform(self, command: Mapping[str, Any]) -> None:
        self._job = command["job"]
        try:
            with exchange.attached_block(command["block"]) as block:
                reply = self._attempt(command, exchange.views(block, command["layout"]))
                gc.collect()  # the block cannot be unmapped while arrays refer to it
        except (SegSuiteError, OSError, MemoryError) as error:
            reply = _describe(error)
        self._reply(**reply)

    def _attempt(self, command: Mapping[str, Any], arrays: list[NDArray[Any]]) -> dict[str, Any]:
        try:
            importlib.import_module(command["module"])
            parts = {k: exchange.unpack(v, arrays) for k, v in command["request"].items()}
            self._hand_over(JobRequest(**parts).run(self._report))
        except Cancelled:
            return {"type": "cancelled"}
        except Exception as error:  # noqa: BLE001 - the parent raises it again
            return _describe(error)
        return {"type": "done"}

    def _hand_over(self, result: Segmentation | Image) -> None:
        arrays: list[NDArray[Any]] = []
        packed = exchange.pack(result, arrays)
        layout = exchange.layout_of(arrays)
        self._reply(type="result", result=packed, layout=layout)
        command = self._inbox.get()
        if command["type"] == "cancel":
            raise Cancelled
        with exchange.attached_block(command["block"]) as block:
            exchange.fill(block, layout, arrays)

    def _report(self, fraction: float, message: str = "") -> None:
        if self._cancelled_job == self._job:
            raise Cancelled
        # A few may follow each other at once: what is said before a long step must get out.
        now = time.monotonic()
        earned = (now - self._last_report) * _REPORTS_PER_SECOND
        self._allowance = min(self._allowance + earned, _REPORTS_AT_ONCE)
        self._last_report = now
        if self._allowance >= 1:
            self._allowance -= 1
            self._reply(type="progress", fraction=float(fraction), message=str(message))

    def _reply(self, **reply: Any) -> None:
        with self._writing:
            self._replies.write(json.dumps(reply) + "\n")
            self._replies.flush()


def _describe(error: BaseException) -> dict[str, Any]:
    """What the parent needs to raise `error` again."""
    exhausted = any(is_out_of_memory(cause) for cause in _causes(error))
    known = next((c for c in type(error).__mro__ if c.__module__ == errors.__name__), None)
    text = str(error)
    if exhausted and known is None:
        known, text = OutOfMemoryError, "The compute process ran out of memory; crop the image."
    elif known is None:
        known, text = JobFailedError, f"The job failed: {type(error).__name__}: {error}"
    return {
        "type": "error",
        "class": known.__name__,
        "text": text,
        "name": getattr(error, "name", None) or "",
        "exhausted": exhausted,
        "traceback": "".join(traceback.format_exception(error)),
    }


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__


def _give_memory_back() -> None:
    gc.collect()
    torch = sys.modules.get("torch")
    if torch is not None and torch.cuda.is_initialized():
        torch.cuda.empty_cache()


def main() -> None:
    """Serve the parent process over standard input and output."""
    faulthandler.enable()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's affair
    commands = os.fdopen(os.dup(0), "r", encoding="utf-8")
    replies = os.fdopen(os.dup(1), "w", encoding="utf-8")
    # From here on what a library prints goes to standard error, and it reads nothing.
    os.dup2(2, 1)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    _Worker(commands, replies).serve(float(sys.argv[1]))


if __name__ == "__main__":
    main()

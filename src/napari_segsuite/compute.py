"""The compute process: jobs that need torch, away from the viewer.

This is the side of the caller; `compute_worker` is the process itself. Commands (run,
block, cancel) and answers (progress, result, done, error, cancelled) are JSON, one object
a line, on its standard input and output. Arrays go through shared memory.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import queue
import signal
import subprocess
import sys
import threading
import time
import weakref
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import IO, Any

from numpy.typing import NDArray

from . import errors, exchange
from .device import is_plausible
from .errors import Cancelled, JobFailedError, OutOfMemoryError, SegSuiteError
from .image import Image, Segmentation
from .job_frames import Frames
from .method import Method
from .progress import SILENT, Progress
from .registry import get_method

IDLE_SECONDS = 600.0
CANCEL_GRACE = 5.0

_HEARTBEAT = 0.1


@dataclass(frozen=True, eq=False)
class JobRequest:
    """One run of a method: what `jobs.run` is called with.

    Attributes
    ----------
    method : str
        Method id.
    image : Image or Segmentation
        A segmentation where the method works on labels.
    inputs : mapping of str to Segmentation or Image
        Further image-like inputs: "seeds", "labels", "mask", "reference".
    settings : mapping
    extras : tuple of str
        Further outputs to keep.
    device : str
    memory_limit : int or None
        Bytes the job may use.
    rng : int
    frames : {"each", "together", "channels"}
        How the time points of a series are taken.
    """

    method: str
    image: Image | Segmentation
    inputs: Mapping[str, Segmentation | Image] = field(default_factory=dict)
    settings: Mapping[str, Any] = field(default_factory=dict)
    extras: tuple[str, ...] = ()
    device: str = "auto"
    memory_limit: int | None = None
    rng: int = 0
    frames: Frames = "each"

    def run(self, progress: Progress = SILENT) -> Segmentation | Image:
        """Run the method here and now; see `jobs.run`."""
        from . import jobs

        return jobs.run(
            self.method,
            self.image,
            extras=self.extras,
            device=self.device,
            memory_limit=self.memory_limit,
            rng=self.rng,
            frames=self.frames,
            progress=progress,
            **self.inputs,  # type: ignore[arg-type]
            **self.settings,
        )


def needs_torch(method: Method, device: str) -> bool:
    """Whether the job would load torch, found out without loading it."""
    if "torch" in method.requires:
        return True
    gpus = [kind for kind in method.devices if kind != "cpu"]
    if device == "auto":
        return any(is_plausible(kind) for kind in gpus)
    return device.partition(":")[0] in gpus


def child_environment() -> dict[str, str]:
    """Environment in which a child process finds what this one can import."""
    search_path = os.pathsep.join(os.path.abspath(entry) for entry in sys.path)
    return {**os.environ, "PYTHONPATH": search_path}


class _ProcessGoneError(Exception):
    """The other side of the pipe is no more."""


class _JobEndedError(Exception):
    """The process answered that the job failed or was cancelled."""

    def __init__(self, reply: Mapping[str, Any]) -> None:
        super().__init__()
        self.reply = reply


class _Process:
    """One process that was started, and the thread that reads its answers."""

    def __init__(self, idle_seconds: float) -> None:
        self.popen: subprocess.Popen[str] = subprocess.Popen(
            # -P: a torch.py in the current folder is not the library.
            [sys.executable, "-P", "-m", f"{__package__}.compute_worker", str(idle_seconds)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=None if sys.stderr is not None else subprocess.DEVNULL,
            env=child_environment(),
            encoding="utf-8",
            creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
        )
        self.replies: queue.SimpleQueue[dict[str, Any] | None] = queue.SimpleQueue()
        self.stopped = False
        # A pipe cannot be waited on with a timeout on Windows; a thread can.
        self._reader = threading.Thread(
            target=_read_lines, args=(self.popen.stdout, self.replies), daemon=True
        )
        self._reader.start()

    @property
    def is_alive(self) -> bool:
        return not self.stopped and self.popen.poll() is None

    def send(self, **command: Any) -> None:
        assert self.popen.stdin is not None
        try:
            self.popen.stdin.write(json.dumps(command) + "\n")
            self.popen.stdin.flush()
        except (OSError, ValueError) as error:
            raise _ProcessGoneError from error

    def receive(self, timeout: float) -> dict[str, Any] | None:
        """The next answer, None if there is none in time."""
        try:
            reply = self.replies.get(timeout=timeout)
        except queue.Empty:
            if self.popen.poll() is not None and self.replies.empty():
                raise _ProcessGoneError from None
            return None
        if reply is None:
            raise _ProcessGoneError
        return reply

    def stop(self) -> None:
        """End the process at once; whatever waits for its answers wakes up."""
        self.stopped = True
        self.popen.kill()
        self.popen.wait()
        assert self.popen.stdin is not None
        assert self.popen.stdout is not None
        with contextlib.suppress(OSError):
            self.popen.stdin.close()
        # Processes that a job forked may hold the pipe open: closing it would wait for them.
        self._reader.join(timeout=1)
        if not self._reader.is_alive():
            self.popen.stdout.close()


def _read_lines(pipe: IO[str], replies: queue.SimpleQueue[dict[str, Any] | None]) -> None:
    with contextlib.suppress(ValueError, OSError):
        for line in pipe:
            replies.put(json.loads(line))
    replies.put(None)


class ComputeProcess:
    """Runs jobs one at a time in another process, started when first needed.

    A crash there ends the job with an error and nothing else: the next job starts a fresh
    process. After `idle_seconds` without a job the process ends and gives its memory back.

    Examples
    --------
    >>> import numpy as np
    >>> compute = ComputeProcess()
    >>> image = Image.from_array(np.array([[0, 0, 9, 9]], dtype=np.uint8))
    >>> settings = {"algorithm": "manual", "value": 5}
    >>> compute.run(JobRequest("global_threshold", image, settings=settings)).labels
    array([[0, 0, 1, 1]], dtype=uint8)
    >>> compute.close()
    """

    def __init__(
        self, idle_seconds: float = IDLE_SECONDS, cancel_grace: float = CANCEL_GRACE
    ) -> None:
        self._idle_seconds = idle_seconds
        self._cancel_grace = cancel_grace
        self._process: _Process | None = None
        self._finalizer: Callable[[], object] = lambda: None
        self._turn = threading.Lock()
        self._job_ids = itertools.count(1)
        self._last_used = 0.0
        self._reported = (0.0, "")

    @property
    def process_id(self) -> int | None:
        """Id of the process, None while there is none."""
        process = self._process
        return process.popen.pid if process is not None and process.is_alive else None

    def run(self, request: JobRequest, progress: Progress = SILENT) -> Segmentation:
        """Run a job and wait for its result.

        Parameters
        ----------
        request : JobRequest
        progress : callable
            Called with (fraction, message), and again with the same values while the process
            is silent; raises `Cancelled` to stop the job.

        Returns
        -------
        Segmentation

        Raises
        ------
        SegSuiteError
            Whatever `jobs.run` raised there; `JobFailedError` after a crash, and
            `OutOfMemoryError` where memory ran out.
        Cancelled
            If `progress` raised it, or `close` was called.
        """
        while not self._turn.acquire(timeout=_HEARTBEAT):
            progress(0.0, "waiting for another job …")
        try:
            starting = self.process_id is None
            self._reported = (0.0, "starting the compute process …" if starting else "")
            progress(*self._reported)
            process = self._started()
            try:
                return self._converse(process, request, progress)
            except _ProcessGoneError:
                raise self._obituary(process) from None
            except _JobEndedError as end:
                raise self._as_error(process, end.reply) from None
        finally:
            self._last_used = time.monotonic()
            self._turn.release()

    def close(self) -> None:
        """End the process, and with it a job that is under way; `run` starts another."""
        process = self._process
        if process is not None:
            process.stop()

    def _started(self) -> _Process:
        process = self._process
        # Near the end of its idle time it might end between this look and the request.
        margin = min(5.0, self._idle_seconds / 2)
        expired = time.monotonic() - self._last_used > self._idle_seconds - margin
        if process is not None and (expired or not process.is_alive):
            self._finalizer()
            process = None
        if process is None:
            process = self._process = _Process(self._idle_seconds)
            self._finalizer = weakref.finalize(self, process.stop)
        return process

    def _converse(self, process: _Process, request: JobRequest, progress: Progress) -> Segmentation:
        job = next(self._job_ids)
        arrays: list[NDArray[Any]] = []
        packed = _packed_request(request, arrays)
        layout = exchange.layout_of(arrays)
        module = _module_of(get_method(request.method))
        with exchange.new_block(layout) as inputs:
            exchange.fill(inputs, layout, arrays)
            try:
                process.send(
                    type="run",
                    job=job,
                    module=module,
                    request=packed,
                    layout=layout,
                    block=inputs.name,
                )
                reply = self._answer(process, progress)
                with exchange.new_block(reply["layout"]) as outputs:
                    process.send(type="block", job=job, block=outputs.name)
                    self._answer(process, progress)
                    copies = [view.copy() for view in exchange.views(outputs, reply["layout"])]
                result: Segmentation = exchange.unpack(reply["result"], copies)
                return replace(result, metadata=request.image.metadata)
            except (_ProcessGoneError, _JobEndedError):
                raise
            except BaseException:
                self._stop_job(process, job)
                raise

    def _answer(self, process: _Process, progress: Progress) -> dict[str, Any]:
        """The next answer that is not a report of progress."""
        while True:
            reply = process.receive(_HEARTBEAT)
            if reply is None or reply["type"] == "progress":
                if reply is not None:
                    self._reported = (reply["fraction"], reply["message"])
                progress(*self._reported)
            elif reply["type"] in ("error", "cancelled"):
                raise _JobEndedError(reply)
            else:
                return reply

    def _stop_job(self, process: _Process, job: int) -> None:
        deadline = time.monotonic() + self._cancel_grace
        try:
            process.send(type="cancel", job=job)
            while (left := deadline - time.monotonic()) > 0:
                reply = process.receive(left)
                if reply is not None and reply["type"] in ("done", "error", "cancelled"):
                    return
        except _ProcessGoneError:
            pass
        process.stop()

    def _as_error(self, process: _Process, reply: Mapping[str, Any]) -> Exception:
        if reply["type"] == "cancelled":
            return Cancelled()
        if reply["exhausted"]:
            # What filled the memory may still be held there.
            process.stop()
        kind: type[SegSuiteError] = getattr(errors, reply["class"])
        named = {"name": reply["name"]} if kind is errors.ParameterError else {}
        error = kind(reply["text"], **named)
        error.add_note(f"In the compute process:\n{reply['traceback']}")
        return error

    def _obituary(self, process: _Process) -> Exception:
        """Why the process ended in the middle of a job."""
        if process.stopped:
            return Cancelled()
        try:
            code = process.popen.wait(timeout=1)
        except subprocess.TimeoutExpired:
            code = 0
        process.stop()
        if code == -getattr(signal, "SIGKILL", 9):
            return OutOfMemoryError(
                "The system ended the compute process, most likely because memory ran out. Crop "
                "or downsample the image or close other programs, and try again: the process "
                "starts anew with the next job."
            )
        reason = f"signal {-code}" if code < 0 else f"exit code {code}"
        return JobFailedError(
            f"The compute process stopped unexpectedly ({reason}). It starts anew with the next "
            f"job: try again, and if it happens once more, report it with the image's shape and "
            f"the settings."
        )


def _module_of(method: Method) -> str:
    """The module to import where the method is to run."""
    module = method.function.__module__
    if module == "__main__":
        raise JobFailedError(
            f"{method.title} is declared in a script or console, where the compute process "
            f"cannot find it; move it to a module that can be imported."
        )
    return module


def _packed_request(request: JobRequest, arrays: list[NDArray[Any]]) -> dict[str, Any]:
    # What a file said beyond geometry is not used by any method, and may be anything.
    inputs = {name: replace(value, metadata={}) for name, value in request.inputs.items()}
    parts = {**vars(request), "image": replace(request.image, metadata={}), "inputs": inputs}
    return {name: exchange.pack(value, arrays) for name, value in parts.items()}

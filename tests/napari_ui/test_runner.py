"""Jobs in a real viewer: outcome, cancelling, crashes, and windows that go away meanwhile."""

from __future__ import annotations

import importlib
import os
import re
import subprocess
import sys
import threading
import time
from types import SimpleNamespace

import numpy as np
import pytest
from napari._qt.widgets.qt_progress_bar import QtLabeledProgressBar
from qtpy.compat import isalive
from qtpy.QtCore import QEvent, QObject, QThread, QTimer
from qtpy.QtWidgets import QApplication, QWidget

from napari_segsuite.compute import JobRequest
from napari_segsuite.image import Image
from napari_segsuite.napari_ui import runner as runner_module
from napari_segsuite.napari_ui.runner import runner_for


@pytest.fixture(autouse=True)
def _methods(scratch_registry, monkeypatch):
    monkeypatch.delitem(sys.modules, "compute_methods", raising=False)
    importlib.import_module("compute_methods")


@pytest.fixture
def viewer(make_napari_viewer):
    return make_napari_viewer()


@pytest.fixture
def runner(viewer):
    return runner_for(viewer)


@pytest.fixture
def image():
    return Image.from_array(np.linspace(0, 1, 60, dtype=np.float32).reshape(3, 4, 5))


def request_for(image, method, **settings):
    return JobRequest(method, image, settings=settings)


def watch(job):
    """Record all signals of a job, and the thread they come on."""
    seen = SimpleNamespace(names=[], reports=[], result=None, text=None, threads=set())

    def record(name, **values):
        seen.names.append(name)
        seen.threads.add(QThread.currentThread())
        vars(seen).update(values)

    job.progressed.connect(lambda *report: seen.reports.append((*report, time.monotonic())))
    job.finished.connect(lambda result: record("finished", result=result))
    job.failed.connect(lambda text: record("failed", text=text))
    job.cancelled.connect(lambda: record("cancelled"))
    job.ended.connect(lambda: record("ended"))
    return seen


def wait(qtbot, seen, timeout=60_000):
    qtbot.waitUntil(lambda: "ended" in seen.names, timeout=timeout)
    qtbot.wait(50)
    assert seen.names[-1] == "ended"
    assert len(seen.names) == 2
    assert seen.threads == {QApplication.instance().thread()}


def wait_for_report(qtbot, seen, start):
    qtbot.waitUntil(lambda: any(r[1].startswith(start) for r in seen.reports), timeout=60_000)


@pytest.mark.parametrize("method", ["patient", "remote_patient"])
def test_job_finishes(qtbot, runner, image, method):
    job = runner.submit(request_for(image, method, seconds=1.5))
    seen = watch(job)
    assert job.is_running
    wait(qtbot, seen)
    assert seen.names == ["finished", "ended"]
    assert seen.result.labels.all()
    assert seen.result.provenance.method == method
    assert not job.is_running
    assert 1.5 <= job.elapsed < 30
    fractions = [report[0] for report in seen.reports]
    assert fractions == sorted(fractions)
    # Reports leave at least 0.05 s apart; on a busy machine they arrive bunched.
    assert 1 < len(seen.reports) <= 1 + job.elapsed / 0.05
    assert seen.reports[0][2] == -1
    left = [report[2] for report in seen.reports if 0.6 < report[0] < 0.9]
    assert left
    assert all(0.05 < seconds < 5 for seconds in left)


@pytest.mark.parametrize("method", ["patient", "remote_patient"])
def test_cancel(qtbot, runner, image, method):
    job = runner.submit(request_for(image, method, seconds=60.0))
    seen = watch(job)
    wait_for_report(qtbot, seen, "slept")
    job.cancel()
    wait(qtbot, seen, timeout=5000)
    assert seen.names == ["cancelled", "ended"]


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
@pytest.mark.parametrize(
    ("how", "sentence"),
    [
        ("segfault", r"The compute process stopped unexpectedly \(signal 11\)"),
        ("exit", r"The compute process stopped unexpectedly \(exit code 3\)"),
        ("memory", "Misbehaving ran out of memory; crop or downsample the image"),
        ("kill", "most likely because memory ran out"),
        ("input", "expected two classes, got one; paint another."),
    ],
)
def test_failure_leaves_the_viewer_and_the_next_job_alone(qtbot, runner, image, how, sentence):
    seen = watch(runner.submit(request_for(image, "misbehaving", how=how)))
    wait(qtbot, seen)
    assert seen.names == ["failed", "ended"]
    assert re.search(sentence, seen.text)
    assert "\n" not in seen.text
    again = watch(runner.submit(request_for(image, "remote_patient", seconds=0.0)))
    wait(qtbot, again)
    assert again.names == ["finished", "ended"]


@pytest.mark.parametrize("method", ["patient", "remote_patient"])
def test_newest_wins(qtbot, runner, image, method):
    older = runner.submit(request_for(image, method, seconds=60.0))
    seen_older = watch(older)
    wait_for_report(qtbot, seen_older, "slept")
    newer = runner.submit(request_for(image, method, seconds=0.1), supersedes=older)
    seen_newer = watch(newer)
    wait(qtbot, seen_newer)
    wait(qtbot, seen_older)
    assert seen_older.names == ["cancelled", "ended"]
    assert seen_newer.names == ["finished", "ended"]


def test_cancelled_result_is_dropped_even_if_it_came(qtbot, runner, image):
    job = runner.submit(request_for(image, "patient", seconds=0.0))
    seen = watch(job)
    time.sleep(0.3)  # done, and not delivered: no event has been processed
    job.cancel()
    wait(qtbot, seen)
    assert seen.names == ["cancelled", "ended"]


def test_jobs_in_threads_take_turns(qtbot, runner, image):
    jobs = [runner.submit(request_for(image, "patient", seconds=0.4)) for _ in range(2)]
    seen = [watch(job) for job in jobs]
    for one in seen:
        wait(qtbot, one)
    assert any(r[1] == "waiting for another job …" for one in seen for r in one.reports)


@pytest.mark.parametrize("method", ["patient", "remote_patient"])
def test_closing_the_viewer_cancels(qtbot, viewer, image, method):
    runner = runner_for(viewer)
    before = set(threading.enumerate())
    job = runner.submit(request_for(image, method, seconds=60.0))
    seen = watch(job)
    wait_for_report(qtbot, seen, "slept")
    viewer.close()
    process_deletions()
    assert not isalive(runner)
    qtbot.waitUntil(lambda: set(threading.enumerate()) <= before, timeout=5000)
    qtbot.wait(100)
    assert seen.names == []


def test_closing_the_viewer_from_a_slot(qtbot, viewer, image):
    runner = runner_for(viewer)
    seen = watch(runner.submit(request_for(image, "patient", seconds=0.0)))
    other = runner.submit(request_for(image, "patient", seconds=60.0))
    other.progressed.connect(lambda *_: viewer.close())
    qtbot.waitUntil(lambda: not isalive(runner), timeout=5000)
    qtbot.wait(50)
    assert seen.names in ([], ["finished", "ended"])


def test_deleting_the_parent_cancels(qtbot, viewer, runner, image):
    widget = QWidget()
    seen = watch(runner.submit(request_for(image, "patient", seconds=60.0), parent=widget))
    wait_for_report(qtbot, seen, "slept")
    qtbot.waitUntil(lambda: bool(activity_bars(viewer)), timeout=5000)
    widget.deleteLater()
    process_deletions()
    qtbot.waitUntil(lambda: not runner._running, timeout=5000)
    process_deletions()
    assert seen.names == []
    assert not activity_bars(viewer)


def test_receiver_may_be_gone(qtbot, runner, image):
    class Receiver(QObject):
        def take(self, result):
            raise AssertionError("called after its end")

    receiver = Receiver()
    job = runner.submit(request_for(image, "patient", seconds=0.2))
    job.finished.connect(receiver.take)
    seen = watch(job)
    receiver.deleteLater()
    process_deletions()
    wait(qtbot, seen)


def test_job_outlives_its_parent_when_over(qtbot, runner, image):
    widget = QWidget()
    job = runner.submit(request_for(image, "patient", seconds=0.0), parent=widget)
    wait(qtbot, watch(job))
    widget.deleteLater()
    process_deletions()
    assert not job.is_running


def test_background_work(qtbot, runner):
    seen = watch(runner.run_in_background(lambda progress: 6 * 7, "Counting"))
    wait(qtbot, seen)
    assert seen.result == 42


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (MemoryError(), "Counting ran out of memory; use a smaller image or close other programs."),
        (RuntimeError("odd"), "Counting failed (RuntimeError: odd); please report this."),
    ],
)
def test_background_failure(qtbot, runner, error, text):
    def work(progress):
        raise error

    seen = watch(runner.run_in_background(work, "Counting"))
    wait(qtbot, seen)
    assert seen.text == text


def test_one_runner_a_viewer(make_napari_viewer):
    first, second = make_napari_viewer(), make_napari_viewer()
    assert runner_for(first) is runner_for(first)
    assert runner_for(first) is not runner_for(second)


def test_proxied_viewer_has_the_same_runner(make_napari_viewer_proxy):
    proxy = make_napari_viewer_proxy()
    assert runner_for(proxy) is runner_for(proxy.__wrapped__)


def test_activity_dock_shows_long_jobs(qtbot, viewer, runner, image):
    seen = watch(runner.submit(request_for(image, "patient", seconds=1.2)))

    def is_shown() -> bool:
        texts = [bar.description_label.text() for bar in activity_bars(viewer)]
        return any(text.startswith("Patient") for text in texts)

    qtbot.waitUntil(is_shown, timeout=5000)

    def is_far() -> bool:
        return any(bar.qt_progress_bar.value() > 60 for bar in activity_bars(viewer))

    qtbot.waitUntil(is_far, timeout=5000)
    wait(qtbot, seen)
    process_deletions()
    assert not activity_bars(viewer)


def test_close_ends_everything(qtbot, runner, image):
    job = runner.submit(request_for(image, "remote_patient", seconds=60.0))
    seen = watch(job)
    wait_for_report(qtbot, seen, "slept")
    runner.close()
    assert runner._compute.process_id is None
    qtbot.wait(100)
    assert seen.names == []


def test_event_loop_stays_responsive(qtbot, runner, image):
    # The bound is on the 95th percentile: on a loaded machine a single beat may come late for
    # reasons that are not ours, while a job that holds the event loop up delays many.
    beats = []
    timer = QTimer()
    timer.setInterval(5)
    timer.timeout.connect(lambda: beats.append(time.perf_counter()))
    timer.start()
    for method, settings in [("busy", {"rounds": 150}), ("remote_patient", {"seconds": 0.5})]:
        wait(qtbot, watch(runner.submit(request_for(image, method, **settings))))
    timer.stop()
    gaps = np.diff(beats)
    assert len(gaps) > 50
    assert np.percentile(gaps, 95) < 0.05


def test_first_use_is_prepared_in_another_process(qtbot, runner, image, monkeypatch):
    prepared = []

    def prepare(request, progress):
        prepared.append(threading.current_thread())
        progress(0.0, "preparing (first time only) …")
        time.sleep(0.2)

    monkeypatch.setattr(runner_module, "prepare", prepare)
    seen = watch(runner.submit(request_for(image, "patient", seconds=0.1)))
    wait(qtbot, seen)
    assert prepared
    assert prepared[0] is not threading.main_thread()
    assert seen.reports[0][1] == "preparing (first time only) …"


PREAMBLE = """
import importlib, sys
import napari, numpy as np
from qtpy.QtCore import QTimer
from qtpy.QtWidgets import QApplication
from napari_segsuite.compute import JobRequest
from napari_segsuite.image import Image
from napari_segsuite.napari_ui.runner import runner_for
importlib.import_module("compute_methods")
image = Image.from_array(np.ones((8, 8)))
"""


def run_program(code):
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    return subprocess.run(
        [sys.executable, "-c", PREAMBLE + code],
        env=environment,
        timeout=120,
        capture_output=True,
        text=True,
        check=False,
    )


def test_viewer_never_loads_torch():
    done = run_program("""
viewer = napari.Viewer(show=False)
results = []
for name in ("torch_threshold", "patient"):
    job = runner_for(viewer).submit(JobRequest(name, image))
    job.finished.connect(results.append)
    job.ended.connect(lambda: QApplication.quit() if len(results) == 2 else None)
napari.run(force=True)
viewer.close()
assert len(results) == 2
assert "torch" not in sys.modules
""")
    assert done.returncode == 0, done.stderr


def test_quitting_with_jobs_under_way():
    done = run_program("""
import time
viewer = napari.Viewer()
quit_at = []
def quit_soon(fraction, message, left):
    if message.startswith("slept") and not quit_at:
        quit_at.append(time.monotonic())
        QTimer.singleShot(100, lambda: viewer.window._qt_window.close(quit_app=True))
for name in ("patient", "remote_patient"):
    job = runner_for(viewer).submit(JobRequest(name, image, settings={"seconds": 60.0}))
job.progressed.connect(quit_soon)
napari.run()
assert time.monotonic() - quit_at[0] < 10
print("left the event loop")
""")
    assert done.returncode == 0, done.stderr
    assert "left the event loop" in done.stdout
    assert "Traceback" not in done.stderr


def activity_bars(viewer):
    return viewer.window._qt_window._activity_dialog.findChildren(QtLabeledProgressBar)


def process_deletions():
    QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    QApplication.processEvents()

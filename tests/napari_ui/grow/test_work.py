"""Saving a session, by hand and by itself, going on with it, and settings that are remembered."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import dask.array as da
import numpy as np
import pytest
from napari.layers import Labels
from qtpy.QtCore import QEvent, QObject

from grow_docks import SHAPE, blobs, pump, settle, shown, start, strokes, wait_for
from napari_segsuite.families.seeded.guided_session import GuidedSession
from napari_segsuite.growing import remembered
from napari_segsuite.growing.work_file import load_work
from napari_segsuite.napari_ui.adapters import METADATA_KEY
from napari_segsuite.napari_ui.grow import work_panel
from napari_segsuite.napari_ui.grow.dock import GrowDock
from napari_segsuite.napari_ui.runner import Runner, runner_for

GEOMETRY = {"scale": (3.0, 0.5, 0.5), "translate": (1.0, 2.0, 3.0), "units": ("mm",) * 3}


def idle(dock: GrowDock) -> None:
    """Wait for all jobs."""
    pump(0.05)
    wait_for(lambda: not runner_for(dock._viewer)._running)


def save(dock: GrowDock, path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Save a session by hand."""
    monkeypatch.setattr(work_panel, "getsavefilename", lambda *_: (str(path), ""))
    dock.work.panel.save_button.click()
    idle(dock)
    return path


def autosave(dock: GrowDock, tmp_path: Path) -> list[Path]:
    """Have the clock of the autosave strike; what there is saved then."""
    dock.work.panel._clock.timeout.emit()
    idle(dock)
    return sorted(tmp_path.rglob("autosave/*.segsuite.zip"))


def open_file(dock: GrowDock, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(work_panel, "getopenfilename", lambda *_: (str(path), ""))
    dock.work.panel.open_button.click()
    idle(dock)


@pytest.fixture
def session(viewer: Any, dock: GrowDock) -> Any:
    """A session with a result and settings that are not the defaults."""
    viewer.add_image(blobs(), name="brain", **GEOMETRY)
    seeds = viewer.add_labels(strokes(), name="seeds", **GEOMETRY)
    start(dock)
    dock.classes._table.edit(2, name="lesion", colour=(0.2, 0.4, 0.6, 1.0))
    dock.desk.apply()
    wait_for(lambda: not dock.controller.is_on)
    dock.engine.set_values({"method": "growcut", "settings": {"connectivity": 1}})
    dock.limits.set_range(40.0, 240.0)
    dock.applying.rule.value = "unlabelled"
    dock.applying.smoothing.value = 1.5
    idle(dock)
    return seeds


def again(dock: GrowDock) -> None:
    """Close what is open, and open the image anew."""
    dock._viewer.layers.clear()
    idle(dock)
    dock.limits.set_values({})
    dock.applying.set_values({"rule": "replace"})
    dock.engine.set_values({"method": "growcut", "settings": {"connectivity": 3}})
    dock._viewer.add_image(blobs(), name="brain", **GEOMETRY)
    idle(dock)


# --- saving and going on --------------------------------------------------------------
def test_all_of_a_session_comes_back(
    dock: GrowDock, session: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    result = dock.applying.target.value
    labels, record = result.data.copy(), dict(result.metadata[METADATA_KEY])
    path = save(dock, tmp_path / "mine.segsuite.zip", monkeypatch)
    assert "mine.segsuite.zip" in dock.message
    again(dock)
    open_file(dock, path, monkeypatch)
    assert dock.message == "The session on 'brain' is back; press Preview to go on."
    seeds, result = dock.inputs.seeds.value, dock.applying.target.value
    np.testing.assert_array_equal(seeds.data, strokes())
    np.testing.assert_array_equal(result.data, labels)
    assert result.metadata[METADATA_KEY] == record
    for layer in (seeds, result):
        assert "lesion" in list(layer.features["name"])
        np.testing.assert_allclose(layer.get_color(2), (0.2, 0.4, 0.6, 1.0), atol=1e-2)
    assert dock.engine.settings()["connectivity"] == 1
    assert dock.limits.value_range == (40.0, 240.0)
    assert dock.applying.values()["rule"] == "unlabelled"
    assert dock.applying.smoothing.value == 1.5
    assert dock._viewer.layers.selection.active is seeds
    dock.preview()
    settle(dock)
    assert set(np.unique(shown(dock))) >= {1, 2}


def test_ending_is_added(
    dock: GrowDock, session: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save(dock, tmp_path / "mine", monkeypatch)
    assert load_work(tmp_path / "mine.segsuite.zip").image.name == "brain"


def test_autosave_is_offered_when_the_image_is_opened_again(
    dock: GrowDock, session: Any, tmp_path: Path
) -> None:
    button = dock.work.panel.resume_button
    assert not button.isVisibleTo(dock)
    (path,) = autosave(dock, tmp_path)
    dock.inputs.changed.emit()
    idle(dock)
    assert not button.isVisibleTo(dock)  # nobody wants back what is there
    again(dock)
    assert button.isVisibleTo(dock)
    assert str(path) in button.toolTip()
    button.click()
    idle(dock)
    assert not button.isVisibleTo(dock)
    np.testing.assert_array_equal(dock.inputs.seeds.value.data, strokes())
    dock._viewer.layers.clear()
    dock._viewer.add_image(blobs() + 1, name="brain")
    idle(dock)
    assert not button.isVisibleTo(dock)


def test_autosave_saves_what_is_new(
    viewer: Any, dock: GrowDock, image: Any, seeds: Any, tmp_path: Path
) -> None:
    assert autosave(dock, tmp_path) == []
    seeds.paint((2, 4, 4), 2)
    (path,) = autosave(dock, tmp_path)
    assert load_work(path).seeds[2, 4, 4] == 2
    first = path.stat().st_mtime_ns
    assert autosave(dock, tmp_path)[0].stat().st_mtime_ns == first
    start(dock)
    autosave(dock, tmp_path)
    assert path.stat().st_mtime_ns > first


def test_autosave_ends_with_the_window(qapp: Any) -> None:
    window = QObject()
    runner = Runner(window)
    panel = work_panel.WorkPanel(runner, lambda: None, lambda: None)
    assert panel._clock.isActive()
    runner.deleteLater()
    qapp.sendPostedEvents(runner, QEvent.Type.DeferredDelete)
    assert not panel._clock.isActive()


def test_saving_that_failed_is_tried_again(
    dock: GrowDock, image: Any, seeds: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seeds.paint((2, 4, 4), 2)
    with monkeypatch.context() as patch:
        patch.setattr(work_panel, "autosave_path", lambda *_: tmp_path / "nowhere" / "a.zip")
        assert autosave(dock, tmp_path) == []
    assert "nowhere" in dock.message
    assert len(autosave(dock, tmp_path)) == 1


def test_saving_waits_for_nothing_and_holds_nothing_up(
    dock: GrowDock, session: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from napari_segsuite.napari_ui import runner

    threads = []
    save_work = work_panel.save_work

    def noted(*arguments: Any) -> None:
        threads.append(threading.current_thread())
        save_work(*arguments)

    monkeypatch.setattr(work_panel, "save_work", noted)
    with runner._kernels:  # as while a method runs
        save(dock, tmp_path / "mine.segsuite.zip", monkeypatch)
        open_file(dock, tmp_path / "mine.segsuite.zip", monkeypatch)
    assert dock.message.startswith("The session on")
    assert threads
    assert threading.main_thread() not in threads


@pytest.mark.parametrize("content", [b"no zip at all", b""])
def test_a_damaged_file_is_said(
    dock: GrowDock, session: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: bytes
) -> None:
    path = tmp_path / "mine.segsuite.zip"
    path.write_bytes(content)
    before = list(dock._viewer.layers)
    open_file(dock, path, monkeypatch)
    assert "mine.segsuite.zip: expected work saved by napari-segsuite" in dock.message.lower()
    assert list(dock._viewer.layers) == before


def test_session_of_another_grid_is_refused(
    dock: GrowDock, session: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = save(dock, tmp_path / "mine.segsuite.zip", monkeypatch)
    for shape, geometry in (((3, 4, 5), GEOMETRY), (SHAPE, {})):
        dock._viewer.layers.clear()
        dock._viewer.add_image(blobs(shape), name="other", **geometry)
        idle(dock)
        open_file(dock, path, monkeypatch)
        assert "open that image first" in dock.message
        assert not any(
            isinstance(layer, Labels) and layer.editable for layer in dock._viewer.layers
        )
    dock._viewer.layers.clear()
    open_file(dock, path, monkeypatch)
    assert "Open an image" in dock.message


def test_session_of_other_values_on_the_same_grid_is_told_of(
    dock: GrowDock, session: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = save(dock, tmp_path / "mine.segsuite.zip", monkeypatch)
    dock._viewer.layers.clear()
    dock._viewer.add_image(blobs() + 1, name="filtered", **GEOMETRY)
    idle(dock)
    open_file(dock, path, monkeypatch)
    assert "another image, 'brain'" in dock.message
    np.testing.assert_array_equal(dock.inputs.seeds.value.data, strokes())


def test_nothing_to_save_is_said(
    dock: GrowDock, image: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save(dock, tmp_path / "mine.segsuite.zip", monkeypatch)
    assert "nothing to save" in dock.message
    assert not list(tmp_path.glob("*.zip"))


def test_lazy_and_multiscale_images_keep_their_sessions(
    viewer: Any, dock: GrowDock, tmp_path: Path
) -> None:
    lazy = da.from_array(blobs(), chunks=(2, 11, 13))
    levels = [blobs(), blobs()[:, ::2, ::2]]
    for data, level in ((lazy, 0), (levels, 1)):
        viewer.layers.clear()
        layer = viewer.add_image(data, name="large", multiscale=level > 0)
        dock.inputs.level.value = level
        dock.inputs.new_seeds()
        seeds = dock.inputs.seeds.value
        seeds.paint((2, 4, 4), 2)
        before = seeds.data.copy()
        path = autosave(dock, tmp_path)[-1]
        viewer.layers.clear()
        idle(dock)
        layer = viewer.add_image(data, name="large again", multiscale=level > 0)
        idle(dock)
        assert dock.inputs.image.value is layer
        assert dock.work.panel.resume_button.isVisibleTo(dock)
        dock.work.panel.resume_button.click()
        idle(dock)
        np.testing.assert_array_equal(dock.inputs.seeds.value.data, before)
        assert dock.inputs.level.value == level
        path.unlink()


def test_guide_is_saved_where_there_is_one(
    dock: GrowDock, session: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Guide:
        def save(self, path: Path) -> None:
            path.write_text("learned")

    monkeypatch.setattr(work_panel, "getsavefilename", lambda *_: (str(tmp_path / "mine"), ""))
    button = dock.work.panel.guide_button
    button.click()
    assert "Nothing is learned yet" in dock.message
    monkeypatch.setattr(GuidedSession, "classifier", property(lambda _session: Guide()))
    start(dock)
    button.click()
    idle(dock)
    assert dock.message == "The guide is saved in mine.guide.npz."
    assert (tmp_path / "mine.guide.npz").read_text() == "learned"


# --- settings -------------------------------------------------------------------------
def test_settings_are_kept_when_another_image_follows_at_once(viewer: Any, dock: GrowDock) -> None:
    first = viewer.add_image(blobs(), name="first")
    second = viewer.add_image(blobs(), name="second")
    dock.inputs.image.value = first
    idle(dock)
    dock.applying.smoothing.value = 2.5
    dock.inputs.image.value = second
    idle(dock)
    dock.applying.smoothing.value = 0.5
    dock.inputs.image.value = first
    idle(dock)
    assert dock.applying.values()["smoothing"] == 2.5


def test_settings_are_remembered_for_each_image(viewer: Any, dock: GrowDock) -> None:
    first = viewer.add_image(blobs(), name="first")
    second = viewer.add_image(blobs(), name="second")
    dock.inputs.image.value = first
    idle(dock)
    dock.applying.smoothing.value = 2.5
    dock.limits.set_range(40.0, 200.0)
    dock.engine.set_values({"method": "watershed"})
    kept(dock)
    dock.inputs.image.value = second
    idle(dock)
    dock.applying.rule.value = "unlabelled"
    dock.applying.smoothing.value = 0.5
    dock.engine.set_values({"method": "growcut", "settings": {"connectivity": 2}})
    kept(dock)
    dock.inputs.image.value = first
    idle(dock)
    assert dock.applying.values()["smoothing"] == 2.5
    assert dock.applying.rule.value == "replace"
    assert dock.limits.value_range == (40.0, 200.0)
    assert dock.engine.method_id == "watershed"
    dock.inputs.image.value = second
    idle(dock)
    assert dock.applying.values()["smoothing"] == 0.5
    assert dock.applying.rule.value == "unlabelled"
    assert dock.engine.settings()["connectivity"] == 2


def kept(dock: GrowDock) -> None:
    """Wait until settings have been written."""
    wait_for(lambda: not dock.work.memory._rest.isActive())
    idle(dock)


def test_settings_that_make_no_sense_are_passed_over(viewer: Any, dock: GrowDock) -> None:
    remembered.remember(
        "brain",
        SHAPE,
        {
            "engine": {"method": "no such", "settings": 3},
            "limits": {"margin": "far", "value_range": 7, "region": []},
            "applying": [1],
        },
    )
    viewer.add_image(blobs(), name="brain")
    idle(dock)
    assert dock.engine.method_id == "growcut"
    assert dock.limits.value_range is None
    assert dock.limits.region.value == "whole"

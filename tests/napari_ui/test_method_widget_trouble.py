"""The form of a method in a real viewer: what cannot work, and what goes away meanwhile."""

from __future__ import annotations

import os
import sys
import time

import numpy as np
import pytest
from qtpy.compat import isalive

from method_forms import GEOMETRY, SHAPE, brightness, finish, painted, reason, results
from napari_segsuite.napari_ui import widgets
from napari_segsuite.napari_ui.method_widget import MethodWidget

pytestmark = pytest.mark.skipif(
    sys.platform == "linux" and not {"DISPLAY", "WAYLAND_DISPLAY"} & set(os.environ),
    reason="needs a display; .ci/test brings one",
)


# --- what cannot work -----------------------------------------------------------------


def test_what_is_missing_is_said_before_a_run(viewer, form):
    assert reason(form) == "Open an image to start."
    viewer.add_image(brightness(), name="brain")
    assert "seeds layer" in reason(form)
    viewer.add_labels(painted())
    assert form._panel.run_button.isEnabled()
    assert form.message == ""


WRONG = {
    "lazy": lambda: {"image": _dask(brightness())},
    "multiscale": lambda: {"image": [brightness(), brightness((3, 4, 5))], "multiscale": True},
    "several channels": lambda: {"image": np.zeros((*SHAPE, 3), np.uint8), "rgb": True},
    "five axes": lambda: {"image": brightness((2, 2, *SHAPE)), "shape": (2, 2, *SHAPE)},
    "other place": lambda: {"image": brightness(), "scale": (5, 1, 1)},
    "other shape": lambda: {"image": brightness(), "shape": (6, 8, 9)},
    "empty": lambda: {"image": np.zeros((0, 8, 10), np.uint8)},
}
SENTENCES = {
    "lazy": "compute it into memory first",
    "multiscale": "one resolution",
    "several channels": "takes one channel",
    "five axes": "expected a 2D or 3D image",
    "other place": "different places in the world",
    "other shape": "got shape (6, 8, 9)",
    "empty": "empty shape (0, 8, 10)",
}


def _dask(array):
    return pytest.importorskip("dask.array").from_array(array)


@pytest.mark.parametrize("case", WRONG)
@pytest.mark.filterwarnings("ignore:invalid value.*:RuntimeWarning")  # napari, of the empty one
def test_known_bad_layers_disable_the_run_with_one_sentence(viewer, form, case):
    options = WRONG[case]()
    shape = options.pop("shape", SHAPE)
    viewer.add_image(options.pop("image"), **options)
    viewer.add_labels(painted(shape))
    assert SENTENCES[case] in reason(form)
    assert len(viewer.layers) == 2


def test_run_is_possible_again_once_the_layer_is_mended(viewer, form):
    image = viewer.add_image(brightness(), scale=(5, 1, 1))
    viewer.add_labels(painted())
    assert reason(form)
    image.scale = (1, 1, 1)
    assert form._panel.run_button.isEnabled()


BAD_VALUES = {
    "nothing painted": (brightness(), painted(classes=()), "two classes"),
    "one class": (brightness(), painted(classes=(1,)), "two classes"),
    "nan": (np.full(SHAPE, np.nan, np.float32), painted(), "finite"),
}


@pytest.mark.parametrize("case", BAD_VALUES)
@pytest.mark.filterwarnings("ignore:(All-NaN|invalid value|Mean of empty).*:RuntimeWarning")
def test_what_a_method_refuses_is_one_sentence(qtbot, viewer, form, case):
    image, seeds, words = BAD_VALUES[case]
    viewer.add_image(image, contrast_limits=(0, 1))
    viewer.add_labels(seeds)
    before = [layer.data.copy() for layer in viewer.layers]
    finish(qtbot, form)
    assert words in form.message
    assert "Traceback" not in form.message
    assert form._panel.run_button.isEnabled()
    for layer, data in zip(viewer.layers, before, strict=True):
        np.testing.assert_array_equal(layer.data, data)


NO_IMAGE = {
    "empty": np.zeros((0, 8, 10), np.uint8),
    "nan": np.full((8, 10), np.nan, np.float32),
    "five axes": np.zeros((2, 2, 3, 8, 10), np.uint8),
}


@pytest.mark.parametrize("case", NO_IMAGE)
@pytest.mark.filterwarnings("ignore:(All-NaN|invalid value).*:RuntimeWarning")
def test_a_real_method_says_what_is_wrong_with_the_image(qtbot, viewer, case):
    image = NO_IMAGE[case]
    viewer.add_image(image, contrast_limits=(0, 1))
    form = widgets.global_threshold(viewer)
    viewer.window.add_dock_widget(form)
    if form._panel.run_button.isEnabled():
        finish(qtbot, form)
    assert form.message.endswith(".")
    assert len(form.message.splitlines()) == 1
    assert viewer.layers[0].data is image
    assert len(viewer.layers) == 1


def test_sentence_about_a_mended_problem_goes_away(qtbot, viewer, form):
    viewer.add_image(brightness())
    seeds = viewer.add_labels(painted(classes=(1,)))
    finish(qtbot, form)
    assert form.message
    seeds.data = painted()
    assert form.message == ""


# --- layers and windows that go away --------------------------------------------------


def test_image_removed_while_running(qtbot, viewer, form, layers):
    form.settings.set_values({"seconds": 0.3})
    form.run()
    for layer in layers:
        viewer.layers.remove(layer)
    qtbot.waitUntil(lambda: form.job is None, timeout=5000)
    (result,) = results(viewer)
    np.testing.assert_allclose(result.scale, GEOMETRY["scale"])
    assert "is gone" in form.message


def test_what_came_in_the_way_while_running_is_said_afterwards(qtbot, viewer, form, layers):
    form.settings.set_values({"seconds": 0.3})
    form.run()
    layers[0].scale = (9, 1, 1)
    qtbot.waitUntil(lambda: form.job is None, timeout=5000)
    assert form.message.startswith("Done in")
    assert "different places" in reason(form)
    layers[0].scale = GEOMETRY["scale"]
    assert form.message == ""


def test_result_layer_removed_while_running(qtbot, viewer, form, layers):
    finish(qtbot, form)
    form.settings.set_values({"seconds": 0.3})
    form.run()
    viewer.layers.remove(results(viewer)[0])
    qtbot.waitUntil(lambda: form.job is None, timeout=5000)
    assert len(results(viewer)) == 1


def test_viewer_closed_while_running(qtbot, make_napari_viewer, split):
    viewer = make_napari_viewer()
    form = MethodWidget(viewer, split)
    viewer.window.add_dock_widget(form, name="Split")
    viewer.add_image(brightness())
    viewer.add_labels(painted())
    form.settings.set_values({"seconds": 60.0})
    form.run()
    qtbot.wait(50)
    started = time.monotonic()
    viewer.close()
    assert time.monotonic() - started < 5


def test_dock_closed_while_running(qtbot, viewer, form, layers):
    form.settings.set_values({"seconds": 0.3})
    form.run()
    count = len(viewer.layers)
    viewer.window.remove_dock_widget(form)
    form.deleteLater()
    qtbot.waitUntil(lambda: not isalive(form), timeout=2000)
    qtbot.wait(500)
    assert len(viewer.layers) == count
    viewer.add_labels(painted())
    layers[0].scale = (1, 1, 1)


def test_closing_the_dock_stops_the_run(qtbot, viewer, form, layers):
    form.settings.set_values({"seconds": 60.0})
    form.run()
    form.parent().destroyOnClose()
    qtbot.waitUntil(lambda: form.job is None, timeout=5000)
    assert not results(viewer)

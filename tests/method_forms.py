"""What tests of a method's form share: small layers, and how a run is awaited."""

from __future__ import annotations

import numpy as np

from napari_segsuite.napari_ui.adapters import METADATA_KEY

SHAPE = (6, 8, 10)
GEOMETRY = {
    "scale": (3.0, 0.5, 0.5),
    "translate": (1.0, 2.0, 3.0),
    "units": ("mm",) * 3,
    "axis_labels": ("z", "y", "x"),
}


def brightness(shape=SHAPE):
    image = np.zeros(shape, np.uint8)
    image[..., shape[-1] // 2 :] = 200
    return image


def painted(shape=SHAPE, classes=(1, 2)):
    seeds = np.zeros(shape, np.uint8)
    for index, label in enumerate(classes):
        seeds[..., -index] = label
    return seeds


def finish(qtbot, form):
    form.run()
    assert form.job is not None, form.message
    qtbot.waitUntil(lambda: form.job is None, timeout=20_000)


def results(viewer):
    return [layer for layer in viewer.layers if METADATA_KEY in layer.metadata]


def reason(form):
    """Why the form does not run."""
    assert not form._panel.run_button.isEnabled()
    return form.message

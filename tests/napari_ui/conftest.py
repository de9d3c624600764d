"""Fixtures of the forms: a viewer, a method to run in it, its form and layers."""

from __future__ import annotations

import time
from typing import Annotated

import numpy as np
import pytest
from annotated_types import Ge

import napari_segsuite as nss
from method_forms import GEOMETRY, brightness, painted
from napari_segsuite.errors import InputError
from napari_segsuite.method import Extras, method
from napari_segsuite.napari_ui.method_widget import MethodWidget
from napari_segsuite.progress import SILENT, Progress
from napari_segsuite.typing import ImageArray, LabelArray


@pytest.fixture
def split(scratch_registry):
    """A method of seeds that waits as long as it is told to."""

    @method(
        title="Split", family="seeded", channels="single", extras=("strength",), bytes_per_voxel=1
    )
    def split(
        image: ImageArray,
        seeds: LabelArray,
        mask: LabelArray | None = None,
        *,
        seconds: Annotated[float, Ge(0)] = 0.0,
        extras: Extras | None = None,
        progress: Progress = SILENT,
    ) -> LabelArray:
        """Give the bright half to the highest class painted.

        Parameters
        ----------
        image : (M, N[, P]) array
            Intensities.
        seeds : (M, N[, P]) array
            Painted classes.
        mask : (M, N[, P]) array, optional
            Ignored.
        seconds : float
            How long to take.
        """
        if len(np.unique(seeds[seeds > 0])) < 2:
            raise InputError("Split: expected seeds of two classes; paint another.")
        if not np.isfinite(image).all():
            raise InputError("Split: expected finite intensities.")
        if image.shape != seeds.shape:
            raise InputError("Split: expected seeds of the image's shape.")
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            progress(0.5, "waiting …")
            time.sleep(0.01)
        if extras is not None and "strength" in extras.wanted:
            extras["strength"] = np.ones(image.shape, np.float32)
        return np.where(image > image.mean(), seeds.max(), seeds[seeds > 0].min()).astype(np.uint8)

    return nss.get_method("split")


@pytest.fixture
def viewer(make_napari_viewer):
    return make_napari_viewer()


@pytest.fixture
def form(viewer, split):
    widget = MethodWidget(viewer, split)
    viewer.window.add_dock_widget(widget, name="Split")
    return widget


@pytest.fixture
def layers(viewer, form):
    image = viewer.add_image(brightness(), name="brain", **GEOMETRY)
    names = {"index": [0, 1, 2], "name": ["background", "outside", "inside"]}
    seeds = viewer.add_labels(painted(), name="brain seeds", features=names, **GEOMETRY)
    return image, seeds

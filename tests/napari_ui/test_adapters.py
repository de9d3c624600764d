"""Layers and values: nothing of geometry, classes or history is lost on the way."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from napari.layers import Image as ImageLayer
from napari.layers import Labels, Layer
from napari.utils.colormaps import DirectLabelColormap

from napari_segsuite.errors import InputError
from napari_segsuite.image import Image, LabelClass, Segmentation
from napari_segsuite.napari_ui.adapters import (
    extra_data,
    image_from_layer,
    layer_data,
    segmentation_from_layer,
    space_of,
)
from napari_segsuite.provenance import Provenance
from napari_segsuite.space import Axis, Space

SHAPE = (3, 4, 5)
ROTATION = np.array([[1.0, 0.0, 0.0], [0.0, 0.8, -0.6], [0.0, 0.6, 0.8]])
# napari says so of every oblique volume that it draws.
OBLIQUE = pytest.mark.filterwarnings("ignore:Non-orthogonal slicing:UserWarning")
GEOMETRIES = {
    "scale": {"scale": (3.0, 0.7, 0.7), "units": ("mm",) * 3},
    "translate": {"translate": (1.0, -2.0, 3.5)},
    "rotate": {"rotate": ROTATION, "scale": (2.0, 1.0, 1.0)},
    "shear": {"shear": (0.1, 0.2, 0.3)},
    "affine": {"affine": np.diag([2.0, -1.0, 1.0, 1.0]), "units": ("um",) * 3},
    "all": {
        "scale": (3.0, 0.7, 0.5),
        "translate": (1.0, 2.0, 3.0),
        "rotate": ROTATION,
        "shear": (0.1, 0.0, 0.3),
        "affine": np.array([[1, 0.1, 0, 5], [0, 1, 0, 6], [0, 0, 1, 7], [0, 0, 0, 1.0]]),
        "units": ("mm",) * 3,
        "axis_labels": ("z", "y", "x"),
    },
}


@OBLIQUE
@pytest.mark.parametrize("geometry", GEOMETRIES.values(), ids=GEOMETRIES)
def test_geometry_survives_the_round_trip(geometry):
    source = ImageLayer(np.zeros(SHAPE), **geometry)
    image = image_from_layer(source)
    labels = Segmentation(np.zeros(SHAPE, np.uint8), image.space)
    for value in (image, labels):
        layer = Layer.create(*layer_data(value))
        corners = np.array([[0, 0, 0], [2, 3, 4], [1, 0, 4]])
        for corner in corners:
            np.testing.assert_allclose(layer.data_to_world(corner), source.data_to_world(corner))
        assert layer.units == source.units
        assert space_of(layer) == image.space


@OBLIQUE
def test_space_agrees_with_napari_about_the_world():
    source = ImageLayer(np.zeros(SHAPE), **GEOMETRIES["all"])
    matrix = space_of(source).matrix
    for corner in ([0, 0, 0], [2, 3, 4]):
        np.testing.assert_allclose((matrix @ [*corner, 1])[:3], source.data_to_world(corner))


numbers = st.floats(-10, 10, allow_nan=False).map(lambda value: round(value, 3))
positive = st.floats(0.1, 10).map(lambda value: round(value, 3))


@OBLIQUE
@settings(max_examples=30, deadline=None)
@given(
    scale=st.tuples(positive, positive, positive),
    translate=st.tuples(numbers, numbers, numbers),
    shear=st.tuples(numbers, numbers, numbers),
    angle=st.floats(-180, 180),
    unit=st.sampled_from([None, "mm", "um"]),
)
def test_any_geometry_survives(scale, translate, shear, angle, unit):
    cosine, sine = np.cos(np.radians(angle)), np.sin(np.radians(angle))
    rotate = ((1.0, 0.0, 0.0), (0.0, cosine, -sine), (0.0, sine, cosine))
    axes = tuple(
        Axis(name, "space", *entry, unit)
        for name, *entry in zip("zyx", scale, translate, strict=True)
    )
    space = Space(axes, rotate=rotate, shear=shear)
    layer = Layer.create(*layer_data(Image(np.zeros((2, 2, 2)), space)))
    returned = space_of(layer)
    assert returned.is_close(space)
    assert returned.unit == unit


def test_image_is_the_layers_own_array():
    data = np.zeros(SHAPE)
    assert image_from_layer(ImageLayer(data)).data is data


def test_rgb_becomes_channels():
    image = image_from_layer(ImageLayer(np.zeros((4, 5, 3), np.uint8), rgb=True))
    assert image.space.channel_axis == 2
    assert image.spatial_shape == (4, 5)
    assert Layer.create(*layer_data(image)).rgb


def test_channels_first_become_a_stack():
    image = Image.from_array(np.zeros((5, 6, 7)), channel_axis=0, spacing=(2.0, 3.0))
    layer = Layer.create(*layer_data(image))
    np.testing.assert_allclose(layer.scale, (1, 2, 3))


def test_seeds_are_copied_so_that_painting_on_changes_nothing():
    layer = Labels(np.zeros(SHAPE, np.uint8))
    taken = segmentation_from_layer(layer)
    layer.data[0, 0, 0] = 1
    assert not taken.labels.any()
    assert segmentation_from_layer(layer, snapshot=False).labels is layer.data


def test_classes_survive_the_round_trip():
    classes = (LabelClass(1, "grey", (1.0, 0.0, 0.0, 1.0)), LabelClass(5, "white", (0, 1, 0, 1)))
    source = Segmentation(np.ones(SHAPE, np.uint8), Space.regular(3), classes)
    layer = Layer.create(*layer_data(source))
    assert segmentation_from_layer(layer).classes == classes


def test_a_class_painted_later_is_visible_too():
    classes = (LabelClass(1, "grey", (1.0, 0.0, 0.0, 1.0)),)
    layer = Layer.create(
        *layer_data(Segmentation(np.ones(SHAPE, np.uint8), Space.regular(3), classes))
    )
    for label in (2, 7, 200):
        assert layer.get_color(label)[3] == 1
    assert layer.colormap.map(0)[3] == 0


def test_colours_of_a_direct_colormap_are_classes():
    colours = {None: "gray", 0: "transparent", 3: "red"}
    layer = Labels(np.zeros(SHAPE, np.uint8), colormap=DirectLabelColormap(color_dict=colours))
    assert segmentation_from_layer(layer).classes == (LabelClass(3, "class 3", (1, 0, 0, 1)),)


def test_history_and_names_go_into_the_layer():
    provenance = Provenance("growcut", {"connectivity": 1})
    source = Segmentation(
        np.zeros(SHAPE, np.uint8), Space.regular(3), provenance=provenance, name="result"
    )
    layer = Layer.create(*layer_data(source))
    assert layer.name == "result"
    assert Provenance.from_dict(layer.metadata["napari_segsuite"]) == provenance


def test_further_outputs_become_images_on_the_same_grid():
    space = Space.regular(3, (3.0, 1.0, 1.0), "mm")
    extras = {"strength": np.ones(SHAPE, np.float32), "probability": np.ones((2, *SHAPE))}
    result = Segmentation(np.zeros(SHAPE, np.uint8), space, extras=extras, name="r")
    strength = Layer.create(*extra_data(result, "strength"))
    assert isinstance(strength, ImageLayer)
    assert strength.name == "r strength"
    assert space_of(strength) == space
    stacked = Layer.create(*extra_data(result, "probability"))
    np.testing.assert_allclose(stacked.scale, (1, 3, 1, 1))


def test_what_cannot_be_used_is_refused_in_words():
    dask_array = pytest.importorskip("dask.array")
    lazy = ImageLayer(dask_array.zeros(SHAPE, chunks=2))
    with pytest.raises(InputError, match=r"lazy \(dask\).*compute it into memory"):
        image_from_layer(lazy)
    pyramid = ImageLayer([np.zeros((8, 8)), np.zeros((4, 4))], multiscale=True)
    with pytest.raises(InputError, match=r"multiscale.*2 levels"):
        image_from_layer(pyramid)
    with pytest.raises(InputError, match=r"integer labels.*float64"):
        segmentation_from_layer(ImageLayer(np.zeros(SHAPE)))

"""Files in and out of the viewer keep values, place, classes and history."""

from __future__ import annotations

import gzip

import numpy as np
import pytest
from napari.layers import Image as ImageLayer
from napari.layers import Labels, Layer

import napari_segsuite as nss
from napari_segsuite.errors import InputError
from napari_segsuite.napari_ui.adapters import layer_data, segmentation_from_layer, space_of
from napari_segsuite.napari_ui.reader import get_reader
from napari_segsuite.napari_ui.settings import Preferences, preferences
from napari_segsuite.napari_ui.writer import write_image, write_labels

SHAPE = (3, 4, 5)
GRID = nss.Space.regular(3, (3.0, 0.5, 0.7), "mm")
ROTATION = np.array([[1.0, 0.0, 0.0], [0.0, 0.8, -0.6], [0.0, 0.6, 0.8]])


def values(dtype=np.float32):
    return np.arange(60, dtype=dtype).reshape(SHAPE)


def read_one(path):
    reader = get_reader(str(path))
    assert reader is not None
    (data,) = reader(str(path))
    return Layer.create(*data)


@pytest.mark.parametrize("name", ["a.nii", "a.nii.gz", "A.NII.GZ"])
def test_reader_takes_nifti(tmp_path, name):
    path = tmp_path / name
    nss.write(path, nss.Image(values(), GRID))
    layer = read_one(path)
    np.testing.assert_array_equal(layer.data, values())
    assert space_of(layer).is_close(GRID)
    assert space_of(layer).unit == "mm"


def test_reader_turns_axes_along_the_world(tmp_path):
    flipped = nss.Space.from_matrix(np.diag([1.0, -1.0, 1.0, 1.0]), "mm")
    nss.write(tmp_path / "a.nii", nss.Image(values(), flipped))
    layer = read_one(tmp_path / "a.nii")
    np.testing.assert_array_equal(layer.data, values()[:, ::-1])
    assert (layer.scale > 0).all()


def test_reader_takes_several_files(tmp_path):
    paths = [str(tmp_path / f"{name}.nii") for name in "ab"]
    for path in paths:
        nss.write(path, nss.Image(values(), GRID))
    reader = get_reader(paths)
    assert reader is not None
    assert len(reader(paths)) == 2


@pytest.mark.parametrize(
    "content",
    [b"", b"\x1f", b"\x1f\x8b", b"\x1f\x8b\x08not gzip at all", b"text", gzip.compress(b"text")],
)
@pytest.mark.parametrize("name", ["a.nii", "a.nii.gz"])
def test_reader_leaves_other_content_alone(tmp_path, name, content):
    path = tmp_path / name
    path.write_bytes(content)
    assert get_reader(str(path)) is None


def test_reader_leaves_other_names_and_folders_alone(tmp_path):
    (tmp_path / "folder.nii").mkdir()
    (tmp_path / "a.tif").write_bytes(b"II*\x00")
    for path in ("folder.nii", "a.tif", "missing.nii.gz"):
        assert get_reader(str(tmp_path / path)) is None
    assert get_reader([]) is None


@pytest.mark.filterwarnings("ignore:Non-orthogonal slicing:UserWarning")
def test_image_is_written_where_the_viewer_shows_it(tmp_path):
    layer = ImageLayer(
        values(),
        scale=(2.0, 1.0, 1.0),
        translate=(5.0, 6.0, 7.0),
        rotate=ROTATION,
        affine=np.array([[1, 0, 0, 1], [0, 1, 0, 2], [0, 0, 1, 3], [0, 0, 0, 1.0]]),
        units=("mm",) * 3,
    )
    path = str(tmp_path / "a.nii.gz")
    data, meta, _ = layer.as_layer_data_tuple()
    assert write_image(path, data, meta) == [path]
    written = nss.read(path)
    order = np.argsort(written.data.ravel())
    indices = np.stack(np.unravel_index(order, written.data.shape), axis=1)
    matrix = written.space.matrix
    places = indices @ matrix[:3, :3].T + matrix[:3, 3]
    expected = [layer.data_to_world(index) for index in np.ndindex(SHAPE)]
    np.testing.assert_allclose(places, expected, atol=1e-4)


def test_labels_keep_classes_and_place(tmp_path):
    classes = (
        nss.LabelClass(1, "grey", (1.0, 0.0, 0.0, 1.0)),
        nss.LabelClass(4, "white", (0.0, 0.0, 1.0, 1.0)),
    )
    labels = np.zeros(SHAPE, np.uint8)
    labels[0], labels[2] = 1, 4
    layer = Layer.create(*layer_data(nss.Segmentation(labels, GRID, classes)))
    path = str(tmp_path / "a.nii.gz")
    data, meta, _ = layer.as_layer_data_tuple()
    assert write_labels(path, data, meta) == [path]
    returned = read_one(path)
    assert isinstance(returned, Labels)
    np.testing.assert_array_equal(returned.data, labels)
    assert segmentation_from_layer(returned).classes == classes
    assert space_of(returned).is_close(GRID)


def test_a_labels_layer_without_names_is_written(tmp_path):
    layer = Labels(np.ones(SHAPE, np.int64))
    path = str(tmp_path / "a.nii")
    data, meta, _ = layer.as_layer_data_tuple()
    write_labels(path, data, meta)
    np.testing.assert_array_equal(nss.read(path, kind="labels").labels, layer.data)


def test_a_pyramid_is_not_written(tmp_path):
    layer = ImageLayer([np.zeros((8, 8)), np.zeros((4, 4))], multiscale=True)
    data, meta, _ = layer.as_layer_data_tuple()
    with pytest.raises(InputError, match="one resolution"):
        write_image(str(tmp_path / "a.nii"), data, meta)
    assert not list(tmp_path.iterdir())


def test_preferences_have_defaults_without_the_page():
    assert preferences() == Preferences()

"""Reorientation keeps every voxel at its place in the world and copies nothing."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from napari_segsuite.image import Image, Segmentation
from napari_segsuite.orientation import closest_canonical, turned_to
from napari_segsuite.space import Axis, Space

DATA = np.arange(3 * 4 * 5).reshape(3, 4, 5)


def matrices():
    rng = np.random.default_rng(0)
    small, _r = np.linalg.qr(np.eye(3) + rng.normal(0, 0.1, (3, 3)))
    small *= np.sign(np.diag(small))
    for turn in (np.eye(3), small):
        for order in itertools.permutations(range(3)):
            for signs in itertools.product((1, -1), repeat=3):
                matrix = np.eye(4)
                matrix[:3, :3] = (turn @ np.eye(3)[list(order)]) * signs * (3, 0.7, 1.1)
                matrix[:3, 3] = (-20, 7, 0.3)
                yield matrix


def world_of(data, matrix):
    """Value → world position of its voxel."""
    index = np.argwhere(np.ones(data.shape, bool))
    position = index @ matrix[:-1, :-1].T + matrix[:-1, -1]
    return position[np.argsort(data.ravel())]


@pytest.mark.parametrize("matrix", list(matrices()))
def test_every_voxel_stays_where_it_is(matrix):
    image = Image(DATA, Space.from_matrix(matrix, "mm"), "a", {"kept": 1})
    turned = closest_canonical(image)
    linear = turned.space.matrix[:3, :3]
    assert (np.abs(linear / np.linalg.norm(linear, axis=0)).argmax(axis=0) == range(3)).all()
    assert (np.diag(linear) > 0).all()
    before, after = world_of(DATA, image.space.matrix), world_of(turned.data, turned.space.matrix)
    assert np.abs(before - after).max() <= 1e-9 * np.abs(before).max()
    assert np.shares_memory(turned.data, DATA)
    assert (turned.name, turned.metadata, turned.space.unit) == ("a", {"kept": 1}, "mm")
    assert closest_canonical(turned) is turned
    back = turned_to(turned, image.space)
    assert np.array_equal(back.data, DATA)
    assert back.space.is_close(image.space)
    assert turned_to(image, image.space) is image


def test_lazy_labels_are_turned_lazily():
    dask = pytest.importorskip("dask.array")
    flipped = Space.from_matrix(np.diag([3.0, -1, 1, 1]))
    lazy = Segmentation(dask.from_array(DATA, chunks=2), Space.regular(3, (3, 1, 1)))
    turned = turned_to(lazy, flipped)
    assert isinstance(turned.labels, dask.Array)
    assert np.array_equal(np.asarray(turned.labels), DATA[:, ::-1])


def test_time_and_channels_stay_where_they_are():
    flip = Space.from_matrix(np.diag([1.0, 1.0, -2.0, 1.0]), "mm")
    space = flip.with_leading(Axis("t", "time", 0.5, unit="s"))
    space = Space((*space.axes, Axis("c", "channel")), affine=space.affine)
    data = np.arange(2 * 60 * 3).reshape(2, 3, 4, 5, 3)
    turned = closest_canonical(Image(data, space))
    assert np.array_equal(turned.data, data[:, :, :, ::-1])
    assert turned.space.axes[0] == space.axes[0]
    assert turned.space.channel_axis == 4
    assert turned.space.matrix[3].tolist() == [0, 0, 0, 2, -8]


def test_extras_turn_with_the_labels():
    space = Space.from_matrix(np.diag([-1.0, 1.0, 1.0, 1.0]))
    labels = (DATA % 7).astype(np.uint8)
    extras = {"strength": DATA / 2, "probabilities": np.stack([DATA, -DATA]), "table": np.eye(2)}
    turned = closest_canonical(Segmentation(labels, space, extras=extras))
    assert np.array_equal(turned.labels, labels[::-1])
    assert np.array_equal(turned.extras["strength"], extras["strength"][::-1])
    assert np.array_equal(turned.extras["probabilities"], extras["probabilities"][:, ::-1])
    assert turned.extras["table"] is extras["table"]


def test_planes():
    space = Space((Axis("y", scale=-2, translate=4), Axis("x")))
    turned = closest_canonical(Image(np.arange(6).reshape(3, 2), space))
    assert turned.data.tolist() == [[4, 5], [2, 3], [0, 1]]
    assert turned.space.matrix.tolist() == [[2, 0, 0], [0, 1, 0], [0, 0, 1]]

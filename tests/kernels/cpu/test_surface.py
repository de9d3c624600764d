"""Kernels of surface metrics against naive ways."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from scipy import ndimage
from scipy.spatial.distance import cdist

from napari_segsuite.errors import Cancelled
from napari_segsuite.kernels.cpu import surface_search
from napari_segsuite.kernels.cpu.surface_bands import count_bands
from napari_segsuite.kernels.cpu.surface_boxes import label_boxes
from napari_segsuite.kernels.cpu.surface_elements import border_voxels, neighbour_codes

SPACING = (3.0, 0.7, 0.5)


def blobs(shape, seed, sigma=1.5):
    noise = np.random.default_rng(seed).standard_normal(shape)
    return (ndimage.gaussian_filter(noise, sigma) > 0.05).astype(np.uint8)


@pytest.mark.parametrize("dtype", ["u1", "u2", "u4", "u8", ">u2"])
def test_boxes_are_those_that_scipy_finds(dtype):
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 200, (5, 7, 9)).astype(dtype) * (rng.random((5, 7, 9)) < 0.3)
    labels = labels.astype(dtype)
    classes = tuple(range(250, 0, -1))
    begin, end = label_boxes(labels, classes)
    found = ndimage.find_objects(labels.astype(np.int32), max_label=250)
    for label, low, high in zip(classes, begin, end, strict=True):
        box = found[label - 1]
        if box is None:
            assert low.tolist() == [5, 7, 9]
            assert high.tolist() == [0, 0, 0]
        else:
            assert (low.tolist(), high.tolist()) == ([s.start for s in box], [s.stop for s in box])
    turned = label_boxes(np.asfortranarray(labels), classes)
    assert np.array_equal(turned, (begin, end))


def test_boxes_of_huge_labels():
    labels = np.array([[[0, 2**63 + 1, 2**63]]], np.uint64)
    begin, end = label_boxes(labels, (2**63, 2**63 + 1))
    assert (begin[:, 2].tolist(), end[:, 2].tolist()) == ([2, 1], [3, 2])


@pytest.mark.parametrize("width", [1, 7, 8, 70])
def test_codes_hold_the_eight_voxels_around_each_point(width):
    mask = np.pad(blobs((3, 5, width), 1), 1)
    codes = neighbour_codes(mask)
    expected = np.zeros(codes.shape, int)
    for bit, (z, y, x) in enumerate(product((0, 1), repeat=3)):
        corner = mask[z : z + 4, y : y + 6, x : x + width + 1].astype(int)
        expected += corner << bit
    expected[expected == 255] = 0
    assert np.array_equal(codes, expected)


def test_borders_are_what_erosion_takes_away():
    for shape in ((1, 1, 1), (4, 6, 70), (3, 1, 5)):
        mask = blobs(shape, 2) | (np.arange(shape[2]) % 3 > 0).astype(np.uint8)
        expected = mask & ~ndimage.binary_erosion(mask)
        assert np.array_equal(border_voxels(np.pad(mask, 1)), expected)
        flat = mask[:1]
        inner = ndimage.binary_erosion(flat[0])[None]
        framed = np.pad(flat, ((0, 0), (1, 1), (1, 1)))
        assert np.array_equal(border_voxels(framed), flat & ~inner)


@pytest.mark.parametrize("by_map", [False, True])
@pytest.mark.parametrize("shape", [(6, 11, 13), (1, 20, 30), (9, 1, 1), (2, 3, 140)])
def test_distances_are_those_to_the_nearest_of_all(monkeypatch, shape, by_map):
    if by_map:
        monkeypatch.setattr(surface_search, "_MANY_ROWS", 0)
    rng = np.random.default_rng(0)
    first, second = (rng.integers(1, 256, shape) * (rng.random(shape) < 0.1) for _ in range(2))
    first[0, 0, 0] = second[-1, -1, -1] = 7
    first, second = first.astype(np.uint8), second.astype(np.uint8)
    weights = rng.random(256)
    found = surface_search.distances_both_ways(first, second, weights, SPACING)
    for (distances, areas), (a, b) in zip(found, ((first, second), (second, first)), strict=True):
        expected = cdist(np.argwhere(a) * SPACING, np.argwhere(b) * SPACING).min(axis=1)
        np.testing.assert_allclose(distances, expected, rtol=1e-6, atol=0)
        assert np.array_equal(areas, weights[a[a != 0]])


def cubes_far_apart():
    first, second = np.zeros((2, 60, 60, 60), np.uint8)
    first[:20, :20, :20] = second[-20:, -20:, -20:] = 1
    return first, second, np.ones(256), SPACING


def test_surfaces_far_apart_are_measured_by_a_map(monkeypatch):
    mapped = surface_search.distances_both_ways(*cubes_far_apart())
    monkeypatch.setattr(surface_search, "_far_distances", None)
    with pytest.raises(TypeError):
        surface_search.distances_both_ways(*cubes_far_apart())
    monkeypatch.setattr(surface_search, "_MANY_ROWS", 10**6)
    searched = surface_search.distances_both_ways(*cubes_far_apart())
    for (distances, _), (others, _) in zip(mapped, searched, strict=True):
        np.testing.assert_allclose(distances, others, rtol=1e-6)


def test_one_voxel_far_from_another_needs_no_map(monkeypatch):
    monkeypatch.setattr(surface_search, "_far_distances", None)
    first, second = np.zeros((2, 60, 60, 60), np.uint8)
    first[0, 0, 0] = second[-1, -1, -1] = 1
    (there, _), _ = surface_search.distances_both_ways(first, second, np.ones(256), SPACING)
    np.testing.assert_allclose(there, [59 * np.linalg.norm(SPACING)], rtol=1e-6)


def test_surfaces_far_apart_can_be_stopped_on_the_way():
    calls = []

    def stop_later():
        calls.append(1)
        if len(calls) == 4:
            raise Cancelled

    with pytest.raises(Cancelled):
        surface_search.distances_both_ways(*cubes_far_apart(), stop_later)


def test_rows_longer_than_16_bits_count():
    first, second = np.zeros((2, 1, 1, 70_000), np.uint8)
    first[..., 0] = second[..., -1] = 1
    (there, _), _ = surface_search.distances_both_ways(first, second, np.ones(256), (1, 1, 0.5))
    assert there.tolist() == [69_999 / 2]


@pytest.mark.parametrize("width", [0.5, 1.0, 2.1, 3.0, 5.0, 100.0])
@pytest.mark.parametrize("shape", [(7, 12, 15), (1, 9, 9), (5, 3, 140)])
def test_bands_are_as_wide_as_the_distance_to_the_outside(shape, width):
    first, second = (blobs(shape, seed, 2.5) for seed in (1, 2))
    first[:, 1:-1, 1:-1] = 1

    def bands(frame):
        away = [
            ndimage.distance_transform_edt(np.pad(mask, frame), SPACING) for mask in (first, second)
        ]
        one, other = ((a > 0) & (a <= width * (1 + 1e-6)) for a in away)
        return one.sum(), other.sum(), (one & other).sum()

    framed = [np.pad(mask, 1) for mask in (first, second)]
    assert count_bands(*framed, SPACING, width) == bands(1)
    if shape[0] == 1:
        frame = ((0, 0), (1, 1), (1, 1))
        flat = [np.pad(mask, frame) for mask in (first, second)]
        assert count_bands(*flat, SPACING, width) == bands(frame)

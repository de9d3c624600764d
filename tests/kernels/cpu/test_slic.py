"""SLIC's iterations, seeds and colours against slow or independent ways to the same."""

from __future__ import annotations

import math

import numpy as np
import pytest
from skimage.color import rgb2lab

from napari_segsuite.kernels.cpu import slic as slic_module
from napari_segsuite.kernels.cpu.slic import Metric, cluster
from napari_segsuite.kernels.cpu.slic_lab import to_lab
from napari_segsuite.kernels.cpu.slic_seeds import Seeds, seed_cells

SHAPES = [(1, 23, 41), (11, 14, 19)]


def noise(shape: tuple[int, ...], n_channels: int = 2) -> np.ndarray:
    return np.random.default_rng(3).random((n_channels, *shape)).astype(np.float32) * 30


def naive_iteration(
    features: np.ndarray, usable: np.ndarray, labels: np.ndarray, step: float, metric: Metric
) -> np.ndarray:
    """One move of the centres and one assignment, with every voxel measured to every centre."""
    places = np.stack(np.indices(labels.shape)).reshape(3, -1).T * np.array(metric.spacing)
    colours, flat = features.reshape(len(features), -1).T, labels.reshape(-1)
    least, nearest = np.full(flat.size, np.inf), np.full(flat.size, -1)
    for k in range(labels.max() + 1):
        place, colour = places[flat == k].mean(axis=0), colours[flat == k].mean(axis=0)
        away = np.abs(places - place)
        distance = ((colours - colour) ** 2).sum(axis=1) / metric.compactness**2
        distance += (away**2).sum(axis=1) / step**2
        closer = (distance < least) & (away <= step).all(axis=1) & usable.reshape(-1)
        least[closer], nearest[closer] = distance[closer], k
    return nearest.reshape(labels.shape)


@pytest.mark.parametrize("compactness", [1.0, 30.0])
@pytest.mark.parametrize("shape", SHAPES)
def test_iterations_are_those_of_the_definition(shape: tuple[int, ...], compactness: float) -> None:
    features, usable = noise(shape), np.random.default_rng(0).random(shape) > 0.1
    metric = Metric((2.0, 1.0, 1.3), compactness, False)
    seeds = seed_cells(usable, 20, metric.spacing)
    expected = seeds.labels
    for _ in range(2):
        expected = naive_iteration(features, usable, expected, seeds.step, metric)
    cluster(features, usable, seeds, metric, 2)
    # Where two centres are equally near but for rounding, either is right.
    assert (seeds.labels == expected).mean() > 0.998
    assert (seeds.labels >= 0).mean() > 0.8


@pytest.mark.parametrize("adaptive", [False, True])
def test_number_of_threads_does_not_matter(adaptive: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(slic_module, "_VOXELS_PER_PIECE", 200)
    features, usable = noise(SHAPES[1]), np.ones(SHAPES[1], dtype=bool)
    found = []
    for threads in (1, 2, 5):
        seeds = seed_cells(usable, 30, (1.0, 1.0, 1.0))
        metric = Metric((1.0, 1.0, 1.0), 5.0, adaptive)
        cluster(features, usable, seeds, metric, 4, threads=threads)
        found.append(seeds.labels)
    np.testing.assert_array_equal(found[0], found[1])
    np.testing.assert_array_equal(found[0], found[2])


def test_centres_at_rest_end_the_iterations() -> None:
    usable = np.ones((1, 40, 40), dtype=bool)
    seeds = seed_cells(usable, 16, (1.0, 1.0, 1.0))
    pieces: list[None] = []
    flat = np.zeros((1, *usable.shape), dtype=np.float32)
    metric = Metric((1.0, 1.0, 1.0), 10.0, False)
    cluster(flat, usable, seeds, metric, 1000, lambda: pieces.append(None))
    assert 1 <= len(pieces) < 10


@pytest.mark.parametrize("wanted", [1, 2, 7, 64, 500])
@pytest.mark.parametrize(
    ("shape", "spacing"),
    [((1, 64, 48), (1.0, 1.0, 1.0)), ((20, 30, 40), (1.0, 1.0, 1.0)), ((9, 60, 60), (5, 1, 1))],
)
def test_a_full_grid_has_about_as_many_cells_as_wanted(
    shape: tuple[int, ...], spacing: tuple[float, float, float], wanted: int
) -> None:
    seeds = seed_cells(np.ones(shape, dtype=bool), wanted, spacing)
    assert seeds.labels.min() == 0
    assert seeds.labels.max() == seeds.number - 1
    assert wanted / 1.35 <= seeds.number <= wanted * 1.35
    assert np.bincount(seeds.labels.ravel()).min() > 0


def test_cells_are_cubes_in_physical_space() -> None:
    seeds = seed_cells(np.ones((8, 64, 64), dtype=bool), 64, (8.0, 1.0, 1.0))
    first = np.argwhere(seeds.labels == 0)
    assert (first.max(axis=0) + 1).tolist() == [2, 16, 16]
    assert seeds.step == pytest.approx(16.0, rel=0.01)


@pytest.mark.parametrize("wanted", [10, 100])
def test_in_a_mask_cells_lie_inside_and_are_about_as_many(wanted: int) -> None:
    z, y, x = np.indices((30, 40, 50))
    ball = (z - 15) ** 2 + (y - 20) ** 2 + (x - 25) ** 2 < 13**2
    thread = (np.abs(z - x * 0.6) < 1) & (np.abs(y - x * 0.8) < 1)
    for usable in (ball, thread, ball | thread):
        seeds = seed_cells(usable, wanted, (1.0, 1.0, 1.0))
        assert not (seeds.labels[~usable] >= 0).any()
        assert set(np.unique(seeds.labels)) >= set(range(seeds.number))
        assert math.isclose(seeds.number, wanted, rel_tol=0.4)


def test_a_single_voxel_is_a_cell() -> None:
    usable = np.zeros((3, 4, 5), dtype=bool)
    usable[1, 2, 3] = True
    assert isinstance(seeds := seed_cells(usable, 10, (1.0, 1.0, 1.0)), Seeds)
    assert np.argwhere(seeds.labels == 0).tolist() == [[1, 2, 3]]


def test_colours_are_those_of_scikit_image() -> None:
    rgb = np.random.default_rng(0).random((3, 2, 30, 40)).astype(np.float32)
    rgb[:, 0, 0] = np.linspace(0, 0.05, 40)
    expected = rgb2lab(rgb.astype(np.float64), channel_axis=0)
    to_lab(rgb)
    np.testing.assert_allclose(rgb, expected, atol=0.02)

"""GrowCut as a user calls it; its kernels have tests of their own."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import napari_segsuite as nss
from napari_segsuite.errors import InputError, ParameterError


def row(values: list[float], dtype: Any = np.uint8) -> np.ndarray:
    return np.array([values], dtype=dtype)


def ends(n: int, first: int = 1, last: int = 2) -> np.ndarray:
    seeds = np.zeros((1, n), dtype=np.uint16)
    seeds[0, 0], seeds[0, -1] = first, last
    return seeds


def test_strength_is_the_product_of_what_each_step_leaves() -> None:
    # Contrast 100: steps of 10, 30, 60 leave 0.9, 0.7 and 0.4.
    image = row([0, 10, 40, 100])
    result = nss.run("growcut", image, seeds=ends(4), extras=("strength",))
    np.testing.assert_array_equal(result.labels, [[1, 1, 1, 2]])
    np.testing.assert_allclose(result.extras["strength"], [[1, 0.9, 0.63, 1]], rtol=1e-6)


def test_slicer_cost_sums_contrast() -> None:
    image = row([0, 10, 40, 100])
    result = nss.run("growcut", image, seeds=ends(4), cost="slicer", extras=("strength",))
    np.testing.assert_allclose(
        result.extras["strength"], [[1, np.exp(-0.1), np.exp(-0.4), 1]], rtol=1e-6
    )


def test_longer_steps_cost_more_under_anisotropic_spacing() -> None:
    image = np.array([[0, 50], [50, 100]], dtype=np.float32)
    seeds = np.array([[1, 0], [0, 2]], dtype=np.uint8)
    strength = nss.run(
        "growcut", image, seeds=seeds, spacing=(3.0, 1.0), extras=("strength",)
    ).extras["strength"]
    # Along the short axis a contrast of 0.5 leaves 0.5, along the long one 0.5 ** 3; the
    # voxel below seed 1 is reached from seed 2 along the short axis.
    np.testing.assert_allclose(strength, [[1, 0.5], [0.5, 1]], rtol=1e-6)
    labels = nss.growcut(image, seeds, spacing=(3.0, 1.0))
    np.testing.assert_array_equal(labels, [[1, 1], [2, 2]])
    np.testing.assert_array_equal(nss.growcut(image, seeds, spacing=(1.0, 3.0)), [[1, 2], [1, 2]])


def test_locality_holds_classes_near_their_seeds() -> None:
    image = row([0] * 9 + [5, 100])
    seeds = row([1, 0, 0, 0, 0, 0, 0, 0, 0, 2, 0])
    np.testing.assert_array_equal(nss.growcut(image, seeds), row([1] * 9 + [2, 2]))
    near = nss.growcut(image, seeds, locality=1.0)
    np.testing.assert_array_equal(near, row([1] * 5 + [2] * 6))


def test_evolution_starts_at_the_seeds_and_ends_at_the_result() -> None:
    rng = np.random.default_rng(0)
    image = rng.integers(0, 255, (9, 11, 10), dtype=np.uint8)
    seeds = np.zeros(image.shape, dtype=np.uint8)
    seeds[0, 0, 0], seeds[-1, -1, -1], seeds[4, 5, 5] = 1, 2, 3
    frames = nss.growcut(image, seeds, evolution=(0, 1, 500))
    np.testing.assert_array_equal(frames[0], seeds)
    assert np.count_nonzero(frames[1]) == 3 + 3 + 3 + 6
    assert frames[2].all()
    agree = np.mean(frames[2] == nss.growcut(image, seeds))
    assert agree > 0.99, "only ties may differ"


def test_evolution_has_no_strength() -> None:
    with pytest.raises(ParameterError, match="ask for one of the two"):
        nss.run("growcut", row([0, 9]), seeds=ends(2), evolution=(1,), extras=("strength",))


def test_connectivity_beyond_the_image_counts_as_all_neighbours() -> None:
    image = np.random.default_rng(0).integers(0, 255, (12, 13), dtype=np.uint8)
    seeds = np.zeros(image.shape, dtype=np.uint8)
    seeds[0, 0], seeds[-1, -1] = 1, 2
    np.testing.assert_array_equal(
        nss.growcut(image, seeds, connectivity=3), nss.growcut(image, seeds, connectivity=2)
    )


def test_channels_count_by_euclidean_distance() -> None:
    image = np.array([[[0, 0], [30, 40], [60, 80]]], dtype=np.int16)
    strength = nss.run(
        "growcut", image, seeds=ends(3), channel_axis=2, extras=("strength",)
    ).extras["strength"]
    np.testing.assert_allclose(strength, [[1, 0.5, 1]], rtol=1e-6)


def test_classes_beyond_a_byte_and_the_smallest_type_for_them() -> None:
    image = row([0, 0, 9, 9])
    assert nss.growcut(image, ends(4)).dtype == np.uint8
    labels = nss.growcut(image, ends(4, 7, 40_000))
    np.testing.assert_array_equal(labels, [[7, 7, 40_000, 40_000]])
    assert labels.dtype == np.uint16


def test_a_wall_of_nan_and_a_mask_stop_growth_alike() -> None:
    image = np.zeros((3, 5), dtype=np.float32)
    image[0, 0] = 1
    seeds = np.zeros((3, 5), dtype=np.uint8)
    seeds[0, 0], seeds[2, 0] = 1, 2
    walled, mask = image.copy(), np.ones(image.shape, dtype=bool)
    walled[:, 2], mask[:, 2] = np.nan, False
    expected = nss.growcut(walled, seeds)
    assert not expected[:, 2:].any()
    assert expected[:, :2].all()
    np.testing.assert_array_equal(nss.growcut(image, seeds, mask), expected)


@pytest.mark.parametrize(
    ("seeds", "message"),
    [
        (np.zeros((6, 7), np.uint8), "no seeds are painted"),
        (np.eye(6, 7, dtype=np.uint8), "only class 1 is painted"),
        (np.eye(6, 7), "whole numbers as seeds, got float64"),
        (np.eye(6, 7, dtype=np.int8) * -3, "got -3"),
        (np.zeros((7, 6), np.uint8), r"shape \(6, 7\), got shape \(7, 6\)"),
    ],
)
def test_unusable_seeds_are_refused_in_words(seeds: np.ndarray, message: str) -> None:
    with pytest.raises(InputError, match=message):
        nss.growcut(np.zeros((6, 7), dtype=np.uint8), seeds)


def test_brain_tissue_is_found_from_half_a_percent_of_seeds(test_data: Any) -> None:
    image = nss.read(test_data / "brain_mni152" / "t1_2mm.nii.gz")
    truth = nss.read(test_data / "brain_mni152" / "tissue_2mm.nii.gz", kind="labels").labels + 1
    painted = np.random.default_rng(0).random(truth.shape) < 0.005
    result = nss.run("growcut", image, seeds=np.where(painted, truth, 0).astype(np.uint8))
    report = nss.evaluate(result.labels, truth)
    assert result.labels.all()
    assert report.per_class["dice"][1] > 0.97  # background
    assert min(report.per_class["dice"][tissue] for tissue in (3, 4)) > 0.75

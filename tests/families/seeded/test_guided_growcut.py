"""Guided growth always gives a sane result, and a better one where it can."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import napari_segsuite as nss
from lesion import dice, some_strokes, textured


def halves(shape: tuple[int, ...]) -> tuple[np.ndarray, np.ndarray]:
    image = np.zeros(shape, np.float32)
    image[..., shape[-1] // 2 :] = 100
    seeds = np.zeros(shape, np.uint8)
    seeds[..., 0], seeds[..., -1] = 1, 2
    return image, seeds


@pytest.mark.parametrize("guide", ["learned", "auto"])
def test_corrections_count_where_intensity_tells_nothing(guide: Any) -> None:
    image, truth = textured()
    seeds = some_strokes(truth)
    plain = dice(nss.growcut(image, seeds, connectivity=3), truth)
    guided = dice(nss.growcut(image, seeds, connectivity=3, guide=guide), truth)
    assert guided > plain + 0.1


@pytest.mark.parametrize("shape", [(12, 16), (5, 12, 16), (1, 12, 16), (12, 1, 16), (3, 4)])
@pytest.mark.parametrize("guide", ["learned", "auto"])
def test_a_plain_edge_is_kept(shape: tuple[int, ...], guide: Any) -> None:
    image, seeds = halves(shape)
    expected = np.where(image > 0, 2, 1)
    np.testing.assert_array_equal(nss.growcut(image, seeds, guide=guide), expected)


@pytest.mark.parametrize("spacing", [None, (9.0, 1.0, 1.0), (1.0, 1.0, 30.0)])
def test_one_voxel_a_class_is_enough(spacing: Any) -> None:
    image, seeds = halves((6, 12, 16))
    single = np.zeros_like(seeds)
    single[3, 6, 2], single[3, 6, 13] = 1, 2
    found = nss.growcut(image, single, guide="auto", spacing=spacing)
    np.testing.assert_array_equal(found, np.where(image > 0, 2, 1))


def test_a_constant_image_is_shared_out() -> None:
    _, seeds = halves((5, 10, 12))
    found = nss.growcut(np.full(seeds.shape, 7, np.int16), seeds, guide="auto")
    assert found.all()
    assert (found[..., :3] == 1).all()
    assert (found[..., -3:] == 2).all()


def test_many_classes_are_told_apart() -> None:
    levels = np.arange(20).repeat(8)
    image = np.tile(levels * 10, (6, 1)).astype(np.int16)
    seeds = np.zeros(image.shape, np.uint16)
    seeds[2:4, 3::8] = np.arange(300, 320)
    found = nss.growcut(image, seeds, guide="auto")
    assert (found == levels + 300).mean() > 0.95
    assert found.dtype == np.uint16


def test_nan_and_mask_stay_empty_and_strokes_there_teach_nothing() -> None:
    image, seeds = halves((5, 12, 16))
    image[2, 3:6, 4:7] = np.nan
    mask = np.ones(image.shape, dtype=bool)
    mask[0] = False
    spoiled = seeds.copy()
    spoiled[0] = 2
    spoiled[2, 4, 5] = 2
    found = nss.growcut(image, spoiled, mask, guide="auto")
    assert not found[0].any()
    assert not found[2, 3:6, 4:7].any()
    np.testing.assert_array_equal(found, nss.growcut(image, seeds, mask, guide="auto"))


def test_seeds_where_no_intensity_is_leave_growth_plain() -> None:
    image, seeds = halves((5, 12, 16))
    image[..., 0] = np.nan
    found = nss.growcut(image, seeds, guide="auto")
    assert not found[..., 0].any()
    assert (found[..., 8:] == 2).all()


def test_margin_is_what_the_next_class_lacks() -> None:
    image = np.array([[0, 0, 10, 10, 10]], dtype=np.uint8)
    seeds = np.array([[1, 0, 0, 0, 2]], dtype=np.uint8)
    image[0, 2] = 5
    result = nss.run("growcut", image, seeds=seeds, extras=("strength", "margin"))
    np.testing.assert_allclose(result.extras["strength"][0], [1, 1, 0.5, 1, 1], atol=1e-5)
    assert result.extras["margin"][0, 0] == pytest.approx(0.75, abs=1e-5)
    assert result.extras["margin"][0, 2] == pytest.approx(0, abs=1e-5)


def test_margin_is_the_strength_where_no_other_class_reaches() -> None:
    image, seeds = halves((4, 16))
    mask = np.ones(image.shape, dtype=bool)
    mask[:, 8] = False
    result = nss.run("growcut", image, seeds=seeds, mask=mask, extras=("strength", "margin"))
    np.testing.assert_array_equal(result.extras["margin"], result.extras["strength"])


def test_the_same_whatever_the_number_of_threads_but_not_the_seed_of_the_forest(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from numba import config

    image, truth = textured()
    found = []
    for threads, rng in ((1, 0), (3, 0), (1, 1)):
        monkeypatch.setattr(config, "NUMBA_NUM_THREADS", threads)
        found.append(nss.growcut(image, some_strokes(truth), guide="auto", rng=rng))
    np.testing.assert_array_equal(found[0], found[1])
    assert (found[0] != found[2]).any()


def test_repeated_channels_change_nothing() -> None:
    image, truth = textured()
    seeds = some_strokes(truth)
    grey = np.stack([image] * 3)
    np.testing.assert_array_equal(
        nss.growcut(grey, seeds, guide="auto", channel_axis=0),
        nss.growcut(image, seeds, guide="auto"),
    )

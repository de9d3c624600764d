"""Hills of landscapes whose summits are known otherwise."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage
from skimage.morphology import local_maxima

from napari_segsuite.kernels.cpu.basins import Rule, hills

SHAPES = [(13, 17), (6, 7, 9)]


def terraces(shape: tuple[int, ...], seed: int) -> np.ndarray:
    """Few distinct heights, so that there are plateaus, and holes of nothing."""
    height = ndimage.uniform_filter(np.random.default_rng(seed).random(shape), 3)
    return np.clip((height * 20).astype(np.float32) - 8, 0, None)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("shape", SHAPES)
def test_with_the_strictest_rule_every_regional_maximum_is_a_summit(
    shape: tuple[int, ...], seed: int
) -> None:
    height = terraces(shape, seed)
    found = hills(height, Rule(1.0, 0.0, 0.0), (1.0,) * len(shape))
    summits, n_summits = ndimage.label(
        local_maxima(height) & (height > 0), np.ones((3,) * len(shape))
    )
    assert n_summits > 3
    assert found.max() == n_summits
    pairs = set(zip(summits[summits > 0], found[summits > 0], strict=True))
    assert len(pairs) == n_summits, "one summit a hill"


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("shape", SHAPES)
def test_with_the_laxest_rule_hills_are_connected_components(
    shape: tuple[int, ...], seed: int
) -> None:
    height = terraces(shape, seed)
    found = hills(height, Rule(0.0, 0.0, 0.0), (1.0,) * len(shape))
    np.testing.assert_array_equal(found, ndimage.label(height > 0, np.ones((3,) * len(shape)))[0])


def row(*heights: float) -> np.ndarray:
    return np.array([heights], dtype=np.float32)


@pytest.mark.parametrize(
    ("rule", "n_hills"),
    [
        (Rule(0.75, 0.0, 0.0), 1),
        (Rule(0.76, 0.0, 0.0), 2),
        (Rule(1.0, 1.1, 0.0), 1),
        (Rule(1.0, 1.0, 0.0), 2),
        (Rule(1.0, 0.0, 8.1), 1),
        (Rule(1.0, 0.0, 8.0), 2),
    ],
    ids=lambda value: str(value),
)
def test_each_clause_of_the_rule_counts(rule: Rule, n_hills: int) -> None:
    assert hills(row(2, 4, 3, 3, 3, 5, 2), rule, (1.0, 2.0)).max() == n_hills


def test_hills_are_numbered_in_scan_order_and_meet_in_the_valley() -> None:
    found = hills(row(1, 3, 1, 0, 2, 9, 4, 3, 6, 2), Rule(0.7, 0.0, 0.0), (1.0, 1.0))
    assert found.tolist() == [[1, 1, 1, 0, 2, 2, 2, 3, 3, 3]]

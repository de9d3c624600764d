"""Small GrowCut problems drawn by hypothesis, shared by the tests of every solver."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from hypothesis import strategies as st
from numpy.typing import NDArray

from napari_segsuite.kernels.growcut_cost import Steps, build_steps

IMAGE_DTYPES = ("uint8", "uint16", "int16", "float32")
SEED_DTYPES = ("uint8", "uint16", "uint32")


@dataclass(frozen=True)
class Problem:
    """Arguments of `grow`: ``grow(*problem.arguments, mask=problem.mask)``."""

    features: NDArray[Any]
    seeds: NDArray[Any]
    steps: Steps
    mask: NDArray[np.bool_] | None

    @property
    def arguments(self) -> tuple[NDArray[Any], NDArray[Any], Steps]:
        return self.features, self.seeds, self.steps


def _features(rng, shape, dtype: str, n_levels: int, n_not_finite: int):
    low, high = (-9e3, 9e3) if dtype == "float32" else (np.iinfo(dtype).min, np.iinfo(dtype).max)
    levels = rng.uniform(low, high, n_levels)
    features = rng.choice(levels, shape).astype(dtype)
    if dtype == "float32":
        spoilt = rng.integers(features.size, size=n_not_finite)
        features.ravel()[spoilt] = rng.choice([np.nan, np.inf, -np.inf], n_not_finite)
    return features


def _seeds(rng, shape, dtype: str, n_seeds: int, n_classes: int):
    seeds = np.zeros(shape, dtype)
    classes = rng.integers(1, np.iinfo(dtype).max, n_classes, endpoint=True)
    classes[0] = np.iinfo(dtype).max
    seeds.ravel()[rng.integers(seeds.size, size=n_seeds)] = rng.choice(classes, n_seeds)
    return seeds


@st.composite
def growcut_problems(draw, max_side: int = 6) -> Problem:
    """Few distinct values make ties, saturated and zero differences common.

    Some shapes have one long axis: kernels work in runs and blocks of a fixed length.
    """
    ndim = draw(st.integers(2, 3))
    sides = draw(st.lists(st.integers(1, max_side), min_size=ndim, max_size=ndim))
    sides[draw(st.integers(0, ndim - 1))] += draw(st.sampled_from([0, 0, 0, 15, 40]))
    shape = tuple(sides)
    n_channels = draw(st.integers(1, 3))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    features = _features(
        rng,
        (n_channels, *shape),
        draw(st.sampled_from(IMAGE_DTYPES)),
        n_levels=draw(st.sampled_from([1, 2, 3, 200])),
        n_not_finite=draw(st.sampled_from([0, 0, 3])),
    )
    finite = features[np.isfinite(features)].astype(np.float64)
    spread = float(np.ptp(finite)) if finite.size else 0.0
    spacing = draw(st.sampled_from([None, (0.5,) * 3, (2.5, 1.0, 0.8), (1.0, 2.0, 1.0)]))
    steps = build_steps(
        ndim,
        draw(st.integers(1, ndim)),
        spread * draw(st.sampled_from([1.0, 1.0, 0.5, 3.0, 0.0])),
        cost=draw(st.sampled_from(["growcut", "slicer"])),
        spacing=spacing if spacing is None else spacing[:ndim],
        locality=draw(st.sampled_from([0.0, 0.0, 0.1, 20.0])),
    )
    seeds = _seeds(
        rng,
        shape,
        draw(st.sampled_from(SEED_DTYPES)),
        n_seeds=draw(st.sampled_from([8, 3, 1, 0])),
        n_classes=draw(st.sampled_from([8, 2, 1])),
    )
    mask = rng.random(shape) < 0.8 if draw(st.booleans()) else None
    return Problem(features, seeds, steps, mask)


def fading_problem(seed_dtype: str = "uint8") -> Problem:
    """A 1 x 120 row whose strengths fall through the floor before its end."""
    features = np.tile(np.array([0, 255], np.uint8), 60)[None, None]
    seeds = np.zeros((1, 120), seed_dtype)
    seeds[0, 0] = 7
    return Problem(features, seeds, build_steps(2, 1, 255.0, cost="slicer"), None)


def overflowing_problem() -> Problem:
    """Differences beyond float32 at a contrast of zero: their force is not a number."""
    features = np.array([[[3e38, 3e38, -3e38, -3e38, 3e38]]], np.float32)
    seeds = np.array([[1, 0, 0, 0, 2]], np.uint8)
    return Problem(features, seeds, build_steps(2, 1, 0.0), None)


def serpentine_problem() -> Problem:
    """A corridor winding through a 15 x 15 mask: fronts meet after some sixty hops."""
    mask = np.ones((15, 15), bool)
    mask[1::4, :-1] = False
    mask[3::4, 1:] = False
    seeds = np.zeros((15, 15), np.uint16)
    seeds[0, 0], seeds[-1, 0] = 300, 5
    features = (np.arange(225, dtype=np.uint16).reshape(1, 15, 15) * 37) % 101
    return Problem(features, seeds, build_steps(2, 1, 1000.0), mask)

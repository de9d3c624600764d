"""Watershed against images whose ridges are known."""

from __future__ import annotations

import numpy as np
import pytest

import napari_segsuite as nss
from napari_segsuite.errors import InputError
from napari_segsuite.families.seeded.watershed import gradient_magnitude


def step_volume(depth: int, edge: int) -> tuple[np.ndarray, np.ndarray]:
    """Dark up to plane `edge`, bright from there; one seed in each end plane."""
    image = np.zeros((depth, 7, 7), dtype=np.uint16)
    image[edge:] = 1000
    seeds = np.zeros(image.shape, dtype=np.uint16)
    seeds[0, 3, 3], seeds[-1, 3, 3] = 1, 300
    return image, seeds


@pytest.mark.parametrize("edge", [3, 5, 8])
def test_the_border_falls_on_the_step_wherever_it_is(edge: int) -> None:
    image, seeds = step_volume(12, edge)
    labels = nss.watershed(image, seeds)
    assert labels.dtype == np.uint16
    # The gradient of the step spans the two planes beside it: those may go either way.
    assert (labels[: edge - 1] == 1).all()
    assert (labels[edge + 1 :] == 300).all()


def test_gradient_is_per_physical_unit() -> None:
    z, _, x = np.meshgrid(np.arange(6), np.arange(7), np.arange(8), indexing="ij")
    ramp = (3.0 * (2.0 * z) + 4.0 * (0.5 * x)).astype(np.float32)
    magnitude = gradient_magnitude((ramp,), 0.0, (2.0, 1.0, 0.5), None)
    np.testing.assert_allclose(magnitude, 5.0, rtol=1e-5)
    pair = gradient_magnitude((ramp, ramp), 0.0, (2.0, 1.0, 0.5), None)
    np.testing.assert_allclose(pair, 5.0 * np.sqrt(2), rtol=1e-5)


def test_scale_is_physical() -> None:
    rng = np.random.default_rng(1)
    image = rng.normal(size=(16, 16, 16)).astype(np.float32)
    fine = gradient_magnitude((image,), 2.0, (1.0, 1.0, 1.0), None)
    same = gradient_magnitude((image,), 20.0, (10.0, 10.0, 10.0), None)
    np.testing.assert_allclose(same * 10, fine, rtol=1e-4)


def test_noise_is_overcome_by_the_scale() -> None:
    rng = np.random.default_rng(0)
    image, seeds = step_volume(20, 10)
    noisy = image + rng.normal(0, 150, image.shape)
    truth = np.where(np.arange(20) < 10, 1, 300)[:, None, None]
    rough = (nss.watershed(noisy, seeds) == truth).mean()
    smooth = (nss.watershed(noisy, seeds, scale=1.5) == truth).mean()
    assert smooth > 0.97
    assert smooth > rough


def test_compactness_pulls_the_border_to_the_middle() -> None:
    image, seeds = step_volume(12, 3)
    labels = nss.watershed(image, seeds, compactness=1e6)
    assert (labels[:5, 3, 3] == 1).all()
    assert (labels[7:, 3, 3] == 300).all()


def test_mask_holds_the_flood_and_seeds_outside_do_not_count() -> None:
    image, seeds = step_volume(12, 6)
    mask = np.ones(image.shape, dtype=bool)
    mask[:, :, 5:] = False
    labels = nss.watershed(image, seeds, mask)
    assert not labels[~mask].any()
    assert labels[mask].all()
    mask[-1] = False
    with pytest.raises(InputError, match="only class 1 is painted"):
        nss.watershed(image, seeds, mask)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda s: s * 0, "no seeds are painted; paint a stroke"),
        (lambda s: (s > 1).astype(np.uint8), "only class 1 is painted"),
        (lambda s: s.astype(np.float32), "expected whole numbers as seeds, got float32"),
        (lambda s: -s.astype(np.int32), "expected seeds >= 0, got -300"),
    ],
)
def test_unusable_seeds_are_refused_in_words(change: object, message: str) -> None:
    image, seeds = step_volume(8, 4)
    with pytest.raises(InputError, match=message):
        nss.watershed(image, change(seeds))  # type: ignore[operator]

"""Surface metrics of other programs: where they agree, and who is right where they do not."""

from __future__ import annotations

import math
import warnings

import numpy as np
import pytest
from scipy import ndimage

from napari_segsuite.metrics.surfaces.surface_metrics import (
    assd,
    hausdorff,
    hd95,
    masd,
    nsd,
    surface_distances,
)

SPACINGS = [(1.0, 1.0, 1.0), (3.0, 0.7, 0.5)]
TOLERANCES = (0.0, 1.3, 3.0)


def imported(name):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return pytest.importorskip(name)


def blobs(shape, seed):
    return ndimage.gaussian_filter(np.random.default_rng(seed).standard_normal(shape), 2) > 0.03


def box(low, high, size=64):
    mask = np.zeros((size,) * 3, bool)
    mask[tuple(slice(a, b) for a, b in zip(low, high, strict=True))] = True
    return mask


def shell():
    mask = box((10,) * 3, (40,) * 3)
    mask[12:38, 12:38, 12:38] = False
    return mask


PAIRS = {
    "blobs": (blobs((14, 20, 25), 1), blobs((14, 20, 25), 2)),
    "shifted boxes": (box((20,) * 3, (40,) * 3), box((22, 20, 24), (42, 40, 44))),
    "boxes around each other": (box((20,) * 3, (40,) * 3), box((17,) * 3, (43,) * 3)),
    "boxes at the border": (box((0,) * 3, (10, 20, 20)), box((0,) * 3, (14, 20, 20))),
    "single voxels": (box((5,) * 3, (6,) * 3), box((7, 8, 5), (8, 9, 6))),
}
BOXES = [name for name in PAIRS if "boxes" in name]


def brains(test_data):
    nibabel = pytest.importorskip("nibabel")
    path = test_data / "brain_mni152" / "tissue_2mm.nii.gz"
    labels = np.asarray(nibabel.load(path).dataobj)
    mask = labels == labels.max()
    return mask, ndimage.shift(mask, (1, 2, 0), order=0) ^ (ndimage.gaussian_filter(
        np.random.default_rng(0).standard_normal(mask.shape), 2) > 0.3) & mask  # fmt: skip


# --- surface-distance ---------------------------------------------------------------------
def check_against_surface_distance(prediction, reference, spacing):
    peer = imported("surface_distance")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = peer.compute_surface_distances(reference, prediction, spacing)
        means = peer.compute_average_surface_distance(theirs)
    ours = surface_distances(prediction, reference, spacing)
    close = {"rtol": 1e-6, "atol": 1e-6}
    np.testing.assert_allclose(np.sort(ours.to_reference), theirs["distances_pred_to_gt"], **close)
    np.testing.assert_allclose(np.sort(ours.to_prediction), theirs["distances_gt_to_pred"], **close)
    assert ours.areas_prediction.sum() == pytest.approx(theirs["surfel_areas_pred"].sum())
    assert ours.areas_reference.sum() == pytest.approx(theirs["surfel_areas_gt"].sum())
    assert hausdorff(ours) == pytest.approx(peer.compute_robust_hausdorff(theirs, 100), abs=1e-6)
    assert hd95(ours) == pytest.approx(peer.compute_robust_hausdorff(theirs, 95), abs=1e-6)
    assert masd(ours) == pytest.approx(np.mean(means), abs=1e-6)
    for tolerance in TOLERANCES:
        expected = peer.compute_surface_dice_at_tolerance(theirs, tolerance * (1 + 1e-6))
        assert nsd(ours, tolerance) == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("spacing", SPACINGS)
@pytest.mark.parametrize("pair", PAIRS)
def test_surface_distance_agrees(pair, spacing):
    check_against_surface_distance(*PAIRS[pair], spacing)


def test_surface_distance_gives_infinity_for_one_empty_mask(monkeypatch):
    """No distance to nothing is defined: NaN with its reason is right, infinity a convention."""
    peer = imported("surface_distance")
    mask = PAIRS["shifted boxes"][0]
    # Its version 0.1 asks for a name that numpy 2 no longer has.
    monkeypatch.setattr(np, "Inf", np.inf, raising=False)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = peer.compute_surface_distances(mask, np.zeros_like(mask), SPACINGS[0])
    assert peer.compute_robust_hausdorff(theirs, 95) == math.inf
    assert math.isnan(hd95(surface_distances(np.zeros_like(mask), mask, SPACINGS[0])))


@pytest.mark.parametrize("spacing", [(1.0, 1.0), (3.0, 0.7)])
def test_surface_distance_agrees_on_flat_images(spacing):
    check_against_surface_distance(blobs((30, 40), 1), blobs((30, 40), 2), spacing)


def test_surface_distance_agrees_on_a_brain(test_data):
    check_against_surface_distance(*brains(test_data), (2.0, 2.0, 2.0))


# --- MONAI --------------------------------------------------------------------------------
def monai_values(prediction, reference, spacing, tolerance):
    torch = imported("torch")
    peer = imported("monai.metrics")
    masks = [torch.from_numpy(mask)[None, None].float() for mask in (prediction, reference)]
    options = {"include_background": True, "spacing": list(spacing)}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return [
            float(value)
            for value in (
                peer.compute_hausdorff_distance(*masks, **options),
                peer.compute_hausdorff_distance(*masks, percentile=95, **options),
                peer.compute_average_surface_distance(*masks, symmetric=True, **options),
                peer.compute_surface_dice(*masks, [tolerance], **options),
            )
        ]


@pytest.mark.parametrize("spacing", SPACINGS)
@pytest.mark.parametrize("pair", PAIRS)
def test_monai_agrees_on_border_voxels(pair, spacing):
    prediction, reference = PAIRS[pair]
    ours = surface_distances(prediction, reference, spacing, surface="voxel")
    for tolerance in TOLERANCES[1:]:
        theirs = monai_values(prediction, reference, spacing, tolerance)
        expected = [hausdorff(ours), hd95(ours), assd(ours), nsd(ours, tolerance)]
        assert theirs == pytest.approx(expected, rel=1e-6, abs=1e-6)


def test_monai_agrees_on_a_brain(test_data):
    prediction, reference = brains(test_data)
    ours = surface_distances(prediction, reference, (2, 2, 2), surface="voxel")
    theirs = monai_values(prediction, reference, (2.0, 2.0, 2.0), 3.0)
    expected = [hausdorff(ours), hd95(ours), assd(ours), nsd(ours, 3.0)]
    assert theirs == pytest.approx(expected, rel=1e-6)


def test_monai_gives_an_infinite_and_a_missing_distance_for_one_empty_mask():
    """No distance to nothing is defined: NaN with its reason is right, infinity a convention."""
    mask = PAIRS["shifted boxes"][0]
    theirs = monai_values(np.zeros_like(mask), mask, SPACINGS[0], 1.0)
    assert theirs[0] == math.inf
    assert math.isnan(theirs[1])
    ours = surface_distances(np.zeros_like(mask), mask, SPACINGS[0], surface="voxel")
    assert math.isnan(hausdorff(ours))
    assert math.isnan(hd95(ours))
    assert theirs[3] == nsd(ours, 1.0) == 0


# --- MedPy --------------------------------------------------------------------------------
@pytest.mark.parametrize("spacing", SPACINGS)
@pytest.mark.parametrize("pair", PAIRS)
def test_medpy_agrees_on_border_voxels(pair, spacing):
    peer = imported("medpy.metric.binary")
    prediction, reference = PAIRS[pair]
    ours = surface_distances(prediction, reference, spacing, surface="voxel")
    theirs = [
        measure(prediction, reference, spacing) for measure in (peer.hd, peer.hd95, peer.assd)
    ]
    expected = [hausdorff(ours), hd95(ours, "pooled"), assd(ours)]
    assert theirs == pytest.approx(expected, rel=1e-6)


def test_medpy_pools_both_directions_and_so_finds_a_smaller_hd95():
    """Neither is wrong; the larger directed percentile is what most programs report."""
    peer = imported("medpy.metric.binary")
    prediction, reference = PAIRS["boxes around each other"]
    theirs = peer.hd95(prediction, reference)
    ours = surface_distances(prediction, reference, surface="voxel")
    assert theirs == pytest.approx(4.1291, abs=5e-5)
    assert hd95(ours) == pytest.approx(math.sqrt(18))


def test_medpy_stops_at_an_empty_mask():
    """A folder of cases must not end at the first empty one: a reason beside NaN is right."""
    peer = imported("medpy.metric.binary")
    mask = PAIRS["shifted boxes"][0]
    with pytest.raises(RuntimeError):
        peer.hd(np.zeros_like(mask), mask)
    assert math.isnan(hausdorff(surface_distances(np.zeros_like(mask), mask)))


# --- SimpleITK ----------------------------------------------------------------------------
def itk_distances(prediction, reference, spacing):
    peer = imported("SimpleITK")
    images = [peer.GetImageFromArray(mask.astype(np.uint8)) for mask in (prediction, reference)]
    for image in images:
        image.SetSpacing(spacing[::-1])
    found = peer.HausdorffDistanceImageFilter()
    found.Execute(*images)
    return found.GetHausdorffDistance(), found.GetAverageHausdorffDistance()


@pytest.mark.parametrize("spacing", SPACINGS)
@pytest.mark.parametrize("pair", [*BOXES, "single voxels"])
def test_simpleitk_agrees_on_the_hausdorff_distance_of_convex_masks(pair, spacing):
    theirs, _ = itk_distances(*PAIRS[pair], spacing)
    ours = surface_distances(*PAIRS[pair], spacing, surface="voxel")
    assert hausdorff(ours) == pytest.approx(theirs, rel=1e-6)


def test_simpleitk_measures_between_regions_and_hardly_sees_a_cavity():
    """For a distance between surfaces the cavity's surface counts: ours is right by its name."""
    hollow, solid = shell(), box((10,) * 3, (40,) * 3)
    theirs, _ = itk_distances(hollow, solid, SPACINGS[0])
    nearest = ndimage.distance_transform_edt(~hollow)[solid].max()
    assert theirs == pytest.approx(nearest) == 13
    # The cavity's surface lies two voxels below the outer one, and no farther from it.
    assert hausdorff(surface_distances(hollow, solid)) == 2


def test_simpleitk_averages_over_regions_and_not_over_surfaces():
    """A mean over all voxels of a mask, most of them 0, is no surface distance."""
    _, theirs = itk_distances(*PAIRS["shifted boxes"], SPACINGS[0])
    assert theirs < 0.6 * assd(surface_distances(*PAIRS["shifted boxes"], SPACINGS[0]))


# --- scikit-image -------------------------------------------------------------------------
def test_scikit_image_knows_no_spacing():
    """Two slices of 3 mm are 6 mm apart, not 2: distances have to take the spacing."""
    peer = imported("skimage.metrics")
    first, second = box((20,) * 3, (40,) * 3), box((22, 20, 20), (42, 40, 40))
    assert peer.hausdorff_distance(first, second) == 2
    assert hausdorff(surface_distances(first, second, (3, 0.7, 0.7))) == 6

"""Warping and pixel error: topology by counting components, and cases drawn by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import ndimage as ndi

from napari_segsuite.errors import InputError
from napari_segsuite.kernels.cpu.warping import simple_table, warp
from napari_segsuite.metrics.warping import WARPING, measure_warping
from napari_segsuite.progress import Cancelled

SCORES = {metric.name: metric.function for metric in WARPING}
EIGHT = np.ones((3, 3))


def picture(*rows):
    return np.array([[character == "#" for character in row] for row in rows])


def counts(image):
    """Objects (4-connected) and regions of background (8-connected), around the image too."""
    padded = np.pad(image, 1)
    return ndi.label(padded)[1], ndi.label(~padded, EIGHT)[1]


def errors(prediction, reference, **options):
    warping = measure_warping(prediction, reference, **options)
    return {name: function(warping) for name, function in SCORES.items()}


# --- simple points ------------------------------------------------------------------------
def local_counts(image):
    """Objects and holes that touch the middle pixel, within its neighbours."""
    objects = ndi.label(image)[0]
    beside = {objects[0, 1], objects[1, 0], objects[1, 2], objects[2, 1]} - {0}
    others = ~image
    others[1, 1] = False
    return len(beside), ndi.label(others, EIGHT)[1]


def test_simple_points_have_one_object_and_one_background_beside_them():
    table = simple_table()
    places = [(1, 2), (0, 2), (0, 1), (0, 0), (1, 0), (2, 0), (2, 1), (2, 2)]
    for code in range(256):
        image = np.zeros((3, 3), bool)
        for k, place in enumerate(places):
            image[place] = code >> k & 1
        assert table[code] == (local_counts(image) == (1, 1)), code


@settings(max_examples=200, deadline=None)
@given(hnp.arrays(bool, (2, 6, 7)))
def test_warping_keeps_the_topology_and_leaves_no_simple_point(images):
    prediction, reference = images
    warped = warp(reference, prediction)
    assert counts(warped) == counts(reference)
    assert (warped == reference)[prediction == reference].all()
    for place in np.argwhere(warped != prediction):
        padded = np.pad(warped, 1)[place[0] : place[0] + 3, place[1] : place[1] + 3].copy()
        padded[1, 1] = False
        assert local_counts(padded) != (1, 1)


@settings(max_examples=50, deadline=None)
@given(hnp.arrays(bool, (2, 6, 7)))
def test_bounds_and_inputs(images):
    before = images.copy()
    values = errors(*images)
    assert 0 <= values["warping_error"] <= values["pixel_error"] == (images[0] != images[1]).mean()
    assert np.array_equal(images, before)
    objects, holes = (abs(a - b) for a, b in zip(*map(counts, images), strict=True))
    assert values["warping_error"] * images[0].size >= max(objects, holes) / 4


# --- by hand ------------------------------------------------------------------------------
def test_borders_may_move():
    reference, prediction = np.zeros((2, 40, 50), int)
    reference[5:20, 5:20], prediction[9:30, 8:33] = 1, 7
    assert errors(prediction, reference)["warping_error"] == 0
    assert (
        errors(prediction, reference)["pixel_error"] == ((prediction > 0) != (reference > 0)).mean()
    )


def test_a_gap_in_a_membrane_is_an_error():
    reference = np.ones((9, 11), int)
    reference[:, 5] = 0
    prediction = np.ones((9, 11), int)
    prediction[:, 6] = 0  # moved by one: free
    prediction[4, 6] = 1  # and open in one place: joins two objects
    warping = measure_warping(prediction, reference)
    assert warping.n_different == 9 + 8
    assert warping.n_left == 1


def test_a_diagonal_line_parts_objects():
    reference = ~np.eye(8, dtype=bool)
    prediction = np.ones((8, 8), bool)
    assert counts(reference)[0] == 2
    assert measure_warping(prediction, reference).n_left >= 1
    assert counts(warp(reference, prediction)) == counts(reference)


@pytest.mark.parametrize(
    ("prediction", "reference", "n_left"),
    [
        (picture("....", ".##.", "...."), picture("....", "....", "...."), 2),  # made up
        (picture("....", "....", "...."), picture("....", ".##.", "...."), 1),  # lost: one is left
        (picture("###", "###", "###"), picture("###", "#.#", "###"), 1),  # hole filled
        (picture("#####"), picture("##.##"), 1),  # joined
        (picture("##.##"), picture("#####"), 1),  # cut
        (picture("#.", ".#"), picture("#.", "##"), 1),  # a corner does not connect
    ],
)
def test_objects_may_not_change(prediction, reference, n_left):
    assert measure_warping(prediction, reference).n_left == n_left


def test_identical_and_empty_maps():
    labels = np.random.default_rng(0).integers(0, 3, (20, 20))
    for image in (labels, np.zeros((5, 5))):
        assert errors(image, image) == {"pixel_error": 0, "warping_error": 0}


def test_volumes_go_slice_by_slice():
    rng = np.random.default_rng(0)
    prediction, reference = rng.integers(0, 2, (2, 5, 12, 13))
    whole = measure_warping(prediction, reference)
    slices = [measure_warping(*pair) for pair in zip(prediction, reference, strict=True)]
    assert whole.n_left == sum(part.n_left for part in slices)
    assert whole.n_different == sum(part.n_different for part in slices)
    assert whole.n_pixels == prediction.size
    fortran = [np.asfortranarray(a.astype(np.int16)) for a in (prediction, reference)]
    assert measure_warping(*fortran) == whole


def test_ignored_pixels_are_left_out():
    reference = np.array([[1, 1, 0, 9, 9]])
    prediction = np.array([[1, 1, 0, 0, 1]])
    assert errors(prediction, reference, ignore=(9,)) == {"pixel_error": 0, "warping_error": 0}
    assert measure_warping(prediction, reference, ignore=(9,)).n_pixels == 3
    nothing = measure_warping([[1, 2]], [[9, 9]], ignore=(9,))
    assert all(math.isnan(function(nothing)) for function in SCORES.values())
    assert nothing.reason == "no pixel is compared"
    assert measure_warping([[1]], [[1]]).reason == ""


def test_progress_counts_slices_and_can_stop():
    labels, fractions = np.zeros((4, 5, 5), int), []
    measure_warping(labels, labels, progress=lambda f, message="": fractions.append(f))
    assert fractions == [0.25, 0.5, 0.75, 1]

    def stop(fraction, message=""):
        raise Cancelled

    with pytest.raises(Cancelled):
        measure_warping(labels, labels, progress=stop)


@pytest.mark.parametrize(
    ("prediction", "reference", "message"),
    [
        ([[1, 0]], [[1, 0, 0]], r"one shape, got \(1, 1, 2\)"),
        ([1, 0], [1, 0], r"prediction: expected labels of shape"),
        ([[1, 0]], [[1, -1]], r"reference: expected labels from 0 up, got -1"),
        ([[0.5, 0]], [[1, 1]], r"prediction: expected whole numbers"),
    ],
)
def test_what_is_refused(prediction, reference, message):
    with pytest.raises(InputError, match=message):
        measure_warping(prediction, reference)


def test_real_section(test_data):
    from skimage import io

    path = test_data / "em_axon_myelin" / "val" / "labels" / "sem_02.png"
    reference = io.imread(path) == 2
    moved = ndi.binary_dilation(reference)
    values = errors(moved, reference)
    assert 0 < values["warping_error"] < values["pixel_error"] / 2
    assert counts(warp(reference, moved)) == counts(reference)


@given(st.integers(0, 255))
@settings(max_examples=20, deadline=None)
def test_simple_points_do_not_depend_on_the_side_they_are_seen_from(code):
    turned = (code << 2 | code >> 6) & 255
    assert simple_table()[code] == simple_table()[turned]

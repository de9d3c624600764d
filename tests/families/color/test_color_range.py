"""Ranges and picked colours against single pixels worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest
from skimage import color

import napari_segsuite as nss
from napari_segsuite.errors import InputError, ParameterError

RED, ORANGE, GREEN, BLUE = (255, 0, 0), (255, 128, 0), (0, 255, 0), (0, 0, 255)
PINK, GREY, BLACK, WHITE = (255, 0, 60), (128, 128, 128), (0, 0, 0), (255, 255, 255)
PALETTE = np.array([[RED, ORANGE, GREEN, BLUE, PINK, GREY, BLACK, WHITE]], dtype=np.uint8)


def marked(**settings) -> list[int]:
    return np.flatnonzero(nss.color_range(PALETTE, channel_axis=-1, **settings)).tolist()


def test_bounds_belong_to_the_range():
    assert marked(space="RGB", low=(255, 0, 0), high=(255, 128, 0)) == [0, 1]
    assert marked(space="RGB", low=(128, 128, 128), high=(255, 255, 255)) == [5, 7]
    assert marked(space="HSV", low=(0, 1, 1), high=(120, 1, 1)) == [0, 1, 2]


def test_hues_wrap_around():
    assert marked(space="HSV", low=(340, 0.5, 0.5), high=(10, 1, 1)) == [0, 4]
    assert marked(space="HSV", low=(10, 0.5, 0.5), high=(340, 1, 1)) == [1, 2, 3]


def test_lightness_and_luma():
    assert marked(space="Lab", low=(50, -20, -20), high=(100, 20, 20)) == [5, 7]
    assert marked(space="YCbCr", low=(16, 127, 127), high=(235, 129, 129)) == [5, 6, 7]


@pytest.mark.parametrize("space", ["RGB", "HSV", "Lab", "YCbCr"])
def test_a_picked_colour_is_marked_and_far_ones_are_not(space):
    assert marked(space=space, colours=RED, tolerance=0) == [0]
    assert marked(space=space, colours=(*GREEN, *BLUE), tolerance=5) == [2, 3]


def test_tolerance_in_lab_is_the_colour_difference():
    image = np.random.default_rng(0).integers(0, 256, (20, 30, 3), dtype=np.uint8)
    difference = color.deltaE_cie76(color.rgb2lab(image), color.rgb2lab(np.uint8([[GREY]])))
    found = nss.color_range(image, colours=GREY, tolerance=40, channel_axis=-1)
    clear = np.abs(difference - 40) > 1e-3
    assert 10 < found.sum() < 500
    np.testing.assert_array_equal(found[clear], (difference < 40)[clear])


def test_hues_of_dark_pixels_are_near_each_other_in_hsv():
    image = np.array([[[12, 0, 0], [0, 12, 0], [255, 0, 0]]], dtype=np.uint8)
    found = nss.color_range(image, space="HSV", colours=(0, 0, 12), tolerance=20, channel_axis=-1)
    assert found.tolist() == [[1, 1, 0]]


def test_range_and_colours_add_up():
    found = marked(space="RGB", low=(0, 0, 200), high=(50, 50, 255), colours=RED, tolerance=1)
    assert found == [0, 3]


def test_types_are_scaled_to_their_white():
    expected = nss.color_range(PALETTE, colours=PINK, tolerance=30, channel_axis=-1)
    for image, pink in (
        (PALETTE.astype(np.uint16) * 257, np.array(PINK) * 257),
        (PALETTE / 255, np.array(PINK) / 255),
        (PALETTE.astype(np.float32), PINK),
        (PALETTE.astype(np.int16) * 10, np.array(PINK) * 10),
    ):
        found = nss.color_range(image, colours=tuple(pink), tolerance=30, channel_axis=-1)
        np.testing.assert_array_equal(found, expected)


def test_opacity_is_not_looked_at():
    opacity = np.arange(8, dtype=np.uint8).reshape(1, 8, 1)
    image = np.concatenate([PALETTE, opacity], axis=-1)
    found = nss.color_range(image, colours=(*RED, 99), tolerance=0, channel_axis=-1)
    assert found.tolist() == [[1, 0, 0, 0, 0, 0, 0, 0]]


def test_grey_images_have_a_range_too():
    grey = np.array([[0, 100, 101, 200]], dtype=np.uint8)
    found = nss.color_range(grey, space="RGB", low=(100,) * 3, high=(101,) * 3)
    assert found.tolist() == [[0, 1, 1, 0]]
    assert nss.color_range(grey, space="RGB", colours=(199,), tolerance=2).tolist() == [
        [0, 0, 0, 1]
    ]


def test_left_alone_it_marks_the_bright_pixels():
    assert marked() == [1, 2, 5, 7]
    assert not nss.color_range(np.full((3, 3, 3), 7, np.uint8), channel_axis=-1).any()


def test_volumes_masks_and_nan():
    image = np.broadcast_to(PALETTE / 255.0, (3, 40, 8, 3)).copy()
    image[1, 2, 0, 2] = np.nan
    mask = np.ones((3, 40, 8), dtype=bool)
    mask[2] = False
    found = nss.color_range(image, mask, colours=(1, 0, 0), tolerance=1, channel_axis=-1)
    expected = np.zeros(mask.shape, dtype=np.uint8)
    expected[:2, :, 0] = 1
    expected[1, 2, 0] = 0
    np.testing.assert_array_equal(found, expected)


def test_pieces_make_no_difference():
    image = np.random.default_rng(0).integers(0, 256, (300, 400, 3), dtype=np.uint8)
    lab = color.rgb2lab(image)
    low, high = (20, -30, -40), (80, 30, 40)
    expected = ((lab > low) & (lab < high)).all(axis=-1)
    found = nss.color_range(image, low=low, high=high, channel_axis=-1)
    assert (found != expected).sum() <= 3


@pytest.mark.parametrize(
    ("settings", "name"),
    [
        ({"low": (1, 2, 3)}, "high"),
        ({"low": (1, 2), "high": (1, 2, 3)}, "low"),
        ({"low": (5, 0, 0), "high": (1, 2, 3)}, "low"),
        ({"colours": (1, 2)}, "colours"),
    ],
)
def test_incomplete_settings_are_refused_by_name(settings, name):
    with pytest.raises(ParameterError, match="must") as caught:
        marked(**settings)
    assert caught.value.name == name


def test_two_channels_are_refused():
    with pytest.raises(InputError, match="3 channels"):
        nss.color_range(np.zeros((4, 4, 2)), channel_axis=-1)


def test_stained_nuclei_are_found_by_one_picked_colour(test_data):
    from skimage.io import imread

    folder = test_data / "nuclei_dsb2018" / "val"
    scores = []
    for path in sorted((folder / "images").glob("*.png")):
        image = imread(path)
        if image.ndim < 3:
            continue
        truth = imread(folder / "labels" / path.name) > 0
        colour = np.median(image[truth], axis=0)
        found = nss.color_range(image, colours=tuple(colour), tolerance=25, channel_axis=-1) > 0
        scores.append(2 * (found & truth).sum() / (found.sum() + truth.sum()))
    assert len(scores) > 5
    assert np.mean(scores) > 0.83

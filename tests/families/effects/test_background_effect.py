"""Effects on the background: the objects stay as they are, exactly."""

from __future__ import annotations

import numpy as np
import pytest

import napari_segsuite as nss
from napari_segsuite.errors import InputError, ParameterError

EFFECTS = ["blur", "grey", "colour", "remove"]


def scene(shape: tuple[int, ...] = (20, 24), channels: int = 3) -> tuple[np.ndarray, np.ndarray]:
    image = np.random.default_rng(0).integers(0, 256, (*shape, channels), dtype=np.uint8)
    labels = np.zeros(shape, dtype=np.uint8)
    labels[..., 5:12, 6:14] = 1
    labels[..., 12:15, 6:14] = 2
    return image, labels


@pytest.mark.parametrize("effect", EFFECTS)
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.int16, np.int32, np.float32, float])
@pytest.mark.parametrize("shape", [(20, 24), (4, 20, 24)])
def test_objects_keep_type_and_values(effect: str, dtype: type, shape: tuple[int, ...]) -> None:
    image, labels = scene(shape)
    image = image.astype(dtype)
    for given, axis in ((image, -1), (np.moveaxis(image, -1, 0), 0)):
        result = nss.background_effect(given, labels, effect=effect, channel_axis=axis)
        assert result.dtype == dtype
        assert result.shape == (*shape, 4 if effect == "remove" else 3)
        np.testing.assert_array_equal(result[labels > 0, :3], image[labels > 0])
    grey = nss.background_effect(image[..., 0], labels, effect=effect)
    assert grey.shape == ((*shape, 4) if effect == "remove" else shape)


def test_nothing_of_the_objects_is_smeared_into_the_background() -> None:
    _, labels = scene()
    image = np.where(labels > 0, 255, 40).astype(np.uint8)
    np.testing.assert_array_equal(nss.background_effect(image, labels, strength=4), image)


def test_the_blur_is_as_wide_as_said() -> None:
    image = np.zeros((41, 41))
    image[20, 20] = 1
    labels = np.zeros(image.shape, dtype=np.uint8)
    for spacing, strength in ((None, 2.0), ((3.0, 3.0), 6.0)):
        blurred = nss.background_effect(image, labels, strength=strength, spacing=spacing)
        variance = (blurred * (np.arange(41) - 20) ** 2).sum() / blurred.sum()
        assert variance == pytest.approx(4, rel=0.02)
    np.testing.assert_array_equal(nss.background_effect(image, labels, strength=0), image)


def test_chosen_classes_are_kept_and_the_others_are_background() -> None:
    image, labels = scene()
    result = nss.background_effect(
        image, labels, effect="colour", classes=(2,), colour=(1, 2, 3), channel_axis=-1
    )
    np.testing.assert_array_equal(result[labels == 2], image[labels == 2])
    assert (result[labels != 2] == (1, 2, 3)).all()


def test_grey_is_the_brightness_of_the_colours() -> None:
    image, labels = scene()
    result = nss.background_effect(image, labels, effect="grey", channel_axis=-1)
    expected = np.rint(image[0, 0] @ [0.299, 0.587, 0.114])
    assert (result[0, 0] == expected).all()
    five = np.random.default_rng(1).random((20, 24, 5))
    result = nss.background_effect(five, labels, effect="grey", channel_axis=-1)
    np.testing.assert_allclose(result[0, 0], five[0, 0].mean(), rtol=1e-6)
    np.testing.assert_array_equal(
        nss.background_effect(image[..., 0], labels, effect="grey"), image[..., 0]
    )


def test_opacity_is_left_alone_but_where_the_background_goes() -> None:
    image, labels = scene(channels=4)
    for effect in ("blur", "grey", "colour"):
        result = nss.background_effect(image, labels, effect=effect, channel_axis=-1)
        np.testing.assert_array_equal(result[..., 3], image[..., 3])
    removed = nss.background_effect(image, labels, effect="remove", channel_axis=-1)
    np.testing.assert_array_equal(removed[..., 3], np.where(labels > 0, image[..., 3], 0))


@pytest.mark.parametrize(("dtype", "full"), [(np.uint8, 255), (np.uint16, 65535), (float, 1.0)])
def test_removing_makes_grey_images_transparent_colours(dtype: type, full: float) -> None:
    image, labels = scene()
    result = nss.background_effect(image[..., 0].astype(dtype), labels, effect="remove")
    np.testing.assert_array_equal(result[..., 3], np.where(labels > 0, full, 0))
    assert all((result[..., i] == image[..., 0]).all() for i in range(3))


def test_a_soft_border_is_a_ramp_as_wide_as_said() -> None:
    image = np.full((3, 40), 100.0)
    labels = np.zeros(image.shape, dtype=np.uint8)
    labels[:, 20:] = 1
    spacing = (0.5, 0.5)
    result = nss.background_effect(image, labels, effect="colour", soften=4, spacing=spacing)
    # 4 units are 8 pixels, half of them on each side of the border.
    ramp = 100 * (np.arange(8) + 0.5) / 8
    np.testing.assert_allclose(result[1, 16:24], ramp, rtol=1e-5)
    assert (result[1, :16] == 0).all()
    assert (result[1, 24:] == 100).all()


def test_nan_and_infinity_stay_where_they_are() -> None:
    image = np.ones((20, 24))
    image[2, 2], image[3, 3], image[8, 8] = np.nan, np.inf, np.nan
    result = nss.background_effect(image, scene()[1], strength=3)
    np.testing.assert_array_equal(np.isfinite(result), np.isfinite(image))
    np.testing.assert_allclose(result[np.isfinite(image)], 1, rtol=1e-5)


def test_what_does_not_fit_is_refused() -> None:
    image, labels = scene()
    for colour in ((1.0, 2.0), (300.0,), (-1.0,)):
        with pytest.raises(ParameterError, match="'colour' must be") as caught:
            nss.background_effect(image, labels, effect="colour", colour=colour, channel_axis=-1)
        assert caught.value.name == "colour"
    with pytest.raises(InputError, match="expected 1, 3 or 4 channels"):
        nss.background_effect(image[..., :2], labels, effect="remove", channel_axis=-1)
    with pytest.raises(InputError, match="whole numbers as labels"):
        nss.background_effect(image[..., 0], labels + 0.5)

"""A classifier of voxels: what it learns, keeps in a file, and says of other images."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import napari_segsuite as nss
from lesion import dice, some_strokes, textured
from napari_segsuite.errors import FormatError, InputError


def learned(**keywords: Any) -> tuple[Any, np.ndarray, np.ndarray]:
    image, truth = textured()
    seeds = some_strokes(truth)
    return nss.PixelClassifier(**keywords).fit(image, seeds), image, truth


def test_texture_is_told_apart_where_intensity_is_the_same() -> None:
    classifier, image, truth = learned()
    assert dice(classifier.predict(image), truth) > 0.7


def test_it_works_on_another_image_of_the_kind_brighter_and_larger() -> None:
    classifier, _, _ = learned()
    other, truth = textured((9, 50, 48), seed=5)
    assert dice(classifier.predict(3.0 * other + 40), truth) > 0.7


def test_probabilities_add_up_to_one_and_labels_are_the_most_probable() -> None:
    classifier, image, _ = learned()
    shares = classifier.probabilities(image)
    assert shares.dtype == np.float32
    np.testing.assert_allclose(shares.sum(axis=0), 1, atol=1e-6)
    np.testing.assert_array_equal(classifier.labels(shares), shares.argmax(axis=0) + 1)
    np.testing.assert_array_equal(classifier.predict(image), classifier.labels(shares))


def test_class_ids_are_those_of_the_seeds() -> None:
    image, truth = textured()
    seeds = some_strokes(truth).astype(np.int64) * 400
    classifier = nss.PixelClassifier().fit(image, seeds)
    assert classifier.classes == (400, 800)
    assert set(np.unique(classifier.predict(image))) <= {400, 800}


def test_a_saved_classifier_says_the_same(tmp_path: Any) -> None:
    for position in (False, True):
        classifier, image, _ = learned(position=position)
        path = tmp_path / "tumour.guide.npz"
        classifier.save(path)
        again = nss.PixelClassifier.load(path)
        assert again.classes == classifier.classes
        np.testing.assert_array_equal(again.probabilities(image), classifier.probabilities(image))


def test_a_bad_file_is_refused_in_one_sentence(tmp_path: Any) -> None:
    path = tmp_path / "bad.guide.npz"
    path.write_bytes(b"no archive")
    with pytest.raises(FormatError, match="expected a classifier"):
        nss.PixelClassifier.load(path)
    np.savez(path, facts=np.arange(3))
    with pytest.raises(FormatError, match="expected a classifier"):
        nss.PixelClassifier.load(path)
    with pytest.raises(FormatError, match="expected a classifier"):
        nss.PixelClassifier.load(tmp_path / "absent.guide.npz")


def test_bytes_that_were_changed_are_refused_in_one_sentence(tmp_path: Any) -> None:
    path = tmp_path / "bad.guide.npz"
    learned()[0].save(path)
    sound = path.read_bytes()
    refused = 0
    for place in range(0, len(sound), max(1, len(sound) // 200)):
        path.write_bytes(sound[:place] + bytes([sound[place] ^ 255]) + sound[place + 1 :])
        try:
            nss.PixelClassifier.load(path)
        except FormatError:
            refused += 1
    assert refused > 150


@pytest.mark.parametrize(
    ("name", "spoil"),
    [
        ("forest_child", lambda a: np.where(a >= 0, 0, a).astype(a.dtype)),
        ("forest_child", lambda a: np.where(a < 0, a - 10**6, a).astype(a.dtype)),
        ("forest_feature", lambda a: a + np.uint16(9999)),
        ("forest_roots", lambda a: a + np.int32(10**7)),
        ("forest_leaves", lambda a: a[:, :1]),
        ("forest_threshold", lambda a: a.astype(np.float32)),
        ("edges", lambda a: a[0]),
        ("channels", lambda a: a + 5),
        ("classes", lambda a: np.array([1, 2, 3], np.uint32)),
    ],
)
def test_a_file_whose_parts_do_not_fit_is_refused(tmp_path: Any, name: str, spoil: Any) -> None:
    classifier, _, _ = learned()
    path = tmp_path / "spoiled.guide.npz"
    classifier.save(path)
    with np.load(path) as file:
        arrays = dict(file)
    arrays[name] = spoil(arrays[name])
    np.savez(path, **arrays)
    with pytest.raises(FormatError, match="fit together"):
        nss.PixelClassifier.load(path)


def test_an_image_of_another_kind_is_refused() -> None:
    classifier, image, _ = learned()
    with pytest.raises(InputError, match="expected a 3D image with 1 channels"):
        classifier.predict(image[0])
    with pytest.raises(InputError, match="expected a 3D image with 1 channels"):
        classifier.predict(np.stack([image, image]), channel_axis=0)


def test_nothing_can_be_asked_of_one_that_learned_nothing(tmp_path: Any) -> None:
    with pytest.raises(InputError, match="call fit"):
        nss.PixelClassifier().predict(np.eye(4))
    with pytest.raises(InputError, match="call fit"):
        nss.PixelClassifier().save(tmp_path / "a.guide.npz")


def test_one_class_is_not_enough() -> None:
    image, truth = textured()
    with pytest.raises(InputError, match="only class 2"):
        nss.PixelClassifier().fit(image, truth * 2)


def test_voxels_without_intensity_have_no_label() -> None:
    classifier, image, _ = learned()
    holed = image.astype(np.float32)
    holed[2, 3:6] = np.nan
    assert not classifier.predict(holed)[2, 3:6].any()
    assert classifier.predict(holed)[3].all()


def test_channels_may_lie_on_any_axis() -> None:
    image, truth = textured()
    pair = np.stack([image, truth * 50])
    seeds = some_strokes(truth)
    first = nss.PixelClassifier().fit(pair, seeds, channel_axis=0)
    last = nss.PixelClassifier().fit(np.moveaxis(pair, 0, -1), seeds, channel_axis=-1)
    found = first.predict(pair, channel_axis=0)
    np.testing.assert_array_equal(found, last.predict(np.moveaxis(pair, 0, -1), channel_axis=-1))
    assert dice(found, truth) > 0.85


def test_the_method_keeps_strokes_and_stays_in_the_mask() -> None:
    image, truth = textured()
    seeds = some_strokes(truth)
    mask = np.ones(image.shape, dtype=bool)
    mask[:, :12] = False
    found = nss.pixel_classifier(image, seeds, mask)
    inside = mask & (seeds > 0)
    np.testing.assert_array_equal(found[inside], seeds[inside])
    assert not found[~mask].any()
    assert found[mask].all()


def test_the_method_tells_probabilities_and_uncertainty() -> None:
    image, truth = textured()
    result = nss.run(
        "pixel_classifier",
        image,
        seeds=some_strokes(truth),
        extras=("probabilities", "uncertainty"),
    )
    shares, uncertainty = result.extras["probabilities"], result.extras["uncertainty"]
    assert shares.shape == (2, *image.shape)
    np.testing.assert_allclose(uncertainty, 1 - abs(shares[1] - shares[0]), atol=1e-5)


def test_the_same_whatever_the_number_of_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    from numba import config

    image, truth = textured()
    found = []
    for threads in (1, 3):
        monkeypatch.setattr(config, "NUMBA_NUM_THREADS", threads)
        found.append(nss.pixel_classifier(image, some_strokes(truth)))
    np.testing.assert_array_equal(*found)

"""The pipeline: choices it makes, things it refuses, records it writes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import napari_segsuite as nss
from builders import two_halves, two_strokes
from napari_segsuite import method as method_module
from napari_segsuite.errors import (
    DeviceError,
    InputError,
    JobFailedError,
    OutOfMemoryError,
    ParameterError,
)
from napari_segsuite.image import Image, LabelClass, Segmentation
from napari_segsuite.job_memory import estimate_memory
from napari_segsuite.method import Method, method
from napari_segsuite.space import Space

SHAPE = (6, 8, 10)


@pytest.fixture
def misbehaving(scratch_registry: None) -> Any:
    """A method whose body the test supplies."""

    def declare(body: Any, **options: Any) -> Method:
        @method(title="Misbehaving", family="threshold", bytes_per_voxel=1, **options)
        def misbehaving(image: Any, *, spacing: Any = None) -> Any:
            """Do as told."""
            return body(image, spacing)

        return method_module.declared()["misbehaving"]

    return declare


def test_spacing_is_injected_only_where_it_means_something(misbehaving: Any) -> None:
    seen: list[Any] = []
    record = misbehaving(lambda image, spacing: seen.append(spacing) or image.astype(np.uint8))
    data = np.zeros((4, 5), dtype=np.uint8)
    nss.run(record, data)
    nss.run(record, data, spacing=(2.0, 0.5))
    nss.run(record, data, spacing=(2.0, 2.0))
    nss.run(record, Image(data, Space.regular(2, unit="um")))
    assert seen == [None, (2.0, 0.5), (2.0, 2.0), (1.0, 1.0)]


@pytest.mark.parametrize(
    "spacing", [(1.0,), (0.0, 1.0), (np.nan, 1.0), (-1.0, 1.0), 2.0, "mm", (None, 1.0)]
)
def test_unusable_spacing_is_refused(spacing: Any) -> None:
    with pytest.raises(InputError, match="expected 2 positive spacings"):
        nss.run("global_threshold", np.eye(3), spacing=spacing)
    with pytest.raises(InputError, match="expected 2 positive spacings"):
        Image.from_array(np.eye(3), spacing=spacing)


@pytest.mark.parametrize("image", [None, 3.0, [[1, 2], [3]]])
def test_what_is_no_image_is_refused(image: Any) -> None:
    with pytest.raises(InputError, match="expected"):
        nss.run("global_threshold", image)


@pytest.mark.parametrize("axis", [3, -4, "x", 1.5])
def test_a_channel_axis_the_image_does_not_have_is_refused(axis: Any) -> None:
    for image in (np.zeros((2, 3, 4)), Image.from_array(np.zeros((2, 3, 4)))):
        with pytest.raises(InputError, match="channel axis between -3 and 2"):
            nss.run("watershed", image, seeds=np.zeros((2, 3)), channel_axis=axis)
    with pytest.raises(InputError, match="channel axis between -3 and 2"):
        Image.from_array(np.zeros((2, 3, 4)), channel_axis=axis)


def test_lists_are_arrays_everywhere() -> None:
    image = Image([[1, 1, 9, 9]], Space.regular(2))  # type: ignore[arg-type]
    seeds = Segmentation([[1, 0, 0, 2]], image.space)  # type: ignore[arg-type]
    assert Image.from_array([[1, 2]]).data.shape == (1, 2)  # type: ignore[arg-type]
    labels = nss.run("growcut", image, seeds=seeds, extras="strength")
    assert labels.labels.tolist() == [[1, 1, 2, 2]]
    assert set(labels.extras) == {"strength"}


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (lambda image, _: image.astype(np.int32), "unsigned labels"),
        (lambda image, _: image[:-1].astype(np.uint8), r"got uint8 of shape \(3, 5\)"),
        (lambda *_: 1 / 0, "ZeroDivisionError"),
    ],
)
def test_a_method_that_breaks_is_reported_as_a_defect(
    misbehaving: Any, body: Any, message: str
) -> None:
    with pytest.raises(JobFailedError, match=message):
        nss.run(misbehaving(body), np.zeros((4, 5), dtype=np.uint8))


def test_missing_extras_are_a_defect(misbehaving: Any) -> None:
    record = misbehaving(lambda image, _: image.astype(np.uint8), extras=("glow",))
    with pytest.raises(JobFailedError, match="did not return glow"):
        nss.run(record, np.zeros((4, 5)), extras=("glow",))


def test_running_out_of_memory_is_said_plainly(misbehaving: Any) -> None:
    def body(*_: Any) -> Any:
        raise MemoryError

    with pytest.raises(OutOfMemoryError, match="ran out of memory; crop"):
        nss.run(misbehaving(body), np.zeros((4, 5)))


def test_a_job_that_would_not_fit_is_refused_before_it_starts(misbehaving: Any) -> None:
    record = misbehaving(lambda *_: pytest.fail("must not run"))
    with pytest.raises(OutOfMemoryError, match=r"needs about .* raise the memory limit"):
        nss.run(record, np.zeros((64, 64)), memory_limit=100)


def test_inputs_and_extras_are_matched_by_name() -> None:
    image = two_halves(SHAPE)
    with pytest.raises(InputError, match="GrowCut needs seeds"):
        nss.run("growcut", image)
    with pytest.raises(InputError, match="takes no seeds"):
        nss.run("global_threshold", image, seeds=two_strokes(SHAPE))
    with pytest.raises(ParameterError, match="no extra output 'probability'; it has strength"):
        nss.run("growcut", image, seeds=two_strokes(SHAPE), extras=("probability",))
    with pytest.raises(DeviceError, match="abacus"):
        nss.run("growcut", image, seeds=two_strokes(SHAPE), device="abacus")


def test_class_names_and_colours_pass_from_seeds_to_result() -> None:
    image = Image(two_halves(SHAPE), Space.regular(3, (2, 1, 1), "mm"), "scan")
    classes = (
        LabelClass(1, "dark", (0, 0, 1, 1)),
        LabelClass(2, "bright"),
        LabelClass(9, "unused"),
    )
    result = nss.run("growcut", image, seeds=Segmentation(two_strokes(SHAPE), image.space, classes))
    assert result.classes == classes[:2]
    assert result.name == "scan GrowCut"


def test_a_stack_of_steps_gets_a_time_axis() -> None:
    image = Image(two_halves(SHAPE), Space.regular(3, (2, 1, 1), "mm"))
    result = nss.run("growcut", image, seeds=two_strokes(SHAPE), evolution=(0, 3))
    assert result.labels.shape == (2, *SHAPE)
    assert result.space.axes[0].kind == "time"
    assert result.space.without("time") == image.space


def test_bare_array_of_four_axes_is_no_series_unless_said() -> None:
    series = np.zeros((2, 3, 4, 5), dtype=np.uint8)
    with pytest.raises(InputError, match="pick a single time point"):
        nss.run("global_threshold", series)
    assert nss.run("global_threshold", series, frames="each").labels.shape == series.shape


def test_paths_are_read(tmp_path: Any) -> None:
    image = Image(two_halves(SHAPE), Space.regular(3, (2, 1, 1), "mm"))
    nss.write(tmp_path / "image.nii.gz", image)
    nss.write(tmp_path / "seeds.nii.gz", Segmentation(two_strokes(SHAPE), image.space))
    result = nss.run("growcut", tmp_path / "image.nii.gz", seeds=tmp_path / "seeds.nii.gz")
    expected = nss.run("growcut", image, seeds=two_strokes(SHAPE))
    np.testing.assert_array_equal(result.labels, expected.labels)
    assert result.space.is_close(image.space)


def test_provenance_says_all_that_is_needed() -> None:
    image = two_halves(SHAPE)
    record = nss.run("growcut", image, seeds=two_strokes(SHAPE), connectivity=2).provenance
    assert record.settings["connectivity"] == 2
    assert record.settings["cost"] == "growcut"
    assert record.injected["device"] == "cpu"
    assert set(record.inputs) == {"image", "seeds"}
    assert {"napari-segsuite", "numpy"} <= set(record.versions)


def test_replay_of_a_bare_array_uses_the_recorded_spacing_and_channels() -> None:
    image = np.stack([two_halves(SHAPE)] * 2)
    seeds = two_strokes(SHAPE)
    options: dict[str, Any] = {"channel_axis": 0, "spacing": (3.0, 1.0, 0.5)}
    result = nss.run("growcut", image, seeds=seeds, connectivity=3, **options)
    again = nss.replay(result.provenance, image, seeds=seeds)
    np.testing.assert_array_equal(again.labels, result.labels)
    assert again.provenance == result.provenance
    with pytest.raises(InputError, match="give seeds="):
        nss.replay(result.provenance, image)


def test_estimate_follows_the_declaration() -> None:
    growcut = nss.get_method("growcut")
    grey = Image.from_array(np.zeros((20, 50), np.uint8))
    colour = Image.from_array(np.zeros((20, 50, 3), np.uint8), channel_axis=-1)
    assert estimate_memory(growcut, grey) == 1000 * growcut.bytes_per_voxel
    further = 2 * 1000 * growcut.bytes_per_channel
    assert estimate_memory(growcut, colour) == 1000 * growcut.bytes_per_voxel + further
    guided = growcut.bytes_by_setting["guide"]["auto"][0]
    assert estimate_memory(growcut, grey, {"guide": "auto"}) == 1000 * (
        growcut.bytes_per_voxel + guided
    )

"""What every declared method promises, checked over the whole registry."""

from __future__ import annotations

import json
import tracemalloc
from typing import Any

import numpy as np
import pytest

import napari_segsuite as nss
from builders import image_for, inputs_for, shape_for
from napari_segsuite import cli
from napari_segsuite.errors import Cancelled, InputError, ParameterError
from napari_segsuite.image import Image
from napari_segsuite.job_memory import estimate_memory
from napari_segsuite.method import FAMILIES, Method
from napari_segsuite.params import Param
from napari_segsuite.space import Space

METHODS = nss.methods()
each_method = pytest.mark.parametrize("method", METHODS, ids=lambda m: m.id)
each_setting = pytest.mark.parametrize(
    ("method", "param"),
    [pytest.param(m, p, id=f"{m.id}-{p.name}") for m in METHODS for p in m.params],
)


def segment(method: Method, image: np.ndarray, **keywords: Any) -> np.ndarray:
    spatial = keywords.pop("spatial", image.shape)
    return values_of(nss.run(method, image, **inputs_for(method, spatial), **keywords))


def values_of(result: nss.Segmentation | Image) -> np.ndarray:
    """Labels, or the image of a method that makes one."""
    return result.data if isinstance(result, Image) else result.labels


def assert_bright_half_is_found(method: Method, values: np.ndarray) -> None:
    if method.family == "seeds":
        # They are sparse by design.
        assert values[..., values.shape[-1] // 2 :].any()
    elif method.output == "labels":
        assert values[..., -2].all()


# --- the declaration ------------------------------------------------------------------


@each_method
def test_declaration_is_complete(method: Method) -> None:
    assert 3 <= len(method.title) <= 90
    assert method.family in FAMILIES
    assert method.summary.endswith(".")
    assert method.references
    assert all(entry.help for entry in method.inputs)
    assert method.inputs[0].name == "image"


@each_setting
def test_setting_is_documented_and_its_default_valid(method: Method, param: Param) -> None:
    assert param.help
    assert param.check(param.default, method.title) == param.default


@each_setting
def test_value_outside_the_declaration_is_refused_by_name(method: Method, param: Param) -> None:
    for bad in invalid_values(param):
        with pytest.raises(ParameterError, match=f"'{param.name}' must be") as caught:
            nss.run(method, np.zeros((4, 4)), **{param.name: bad})
        assert caught.value.name == param.name
        with pytest.raises(ParameterError, match=f"'{param.name}' must be"):
            method.function(np.zeros((4, 4)), **inputs_for(method, (4, 4)), **{param.name: bad})


def invalid_values(param: Param) -> list[Any]:
    values: list[Any] = [object()]
    if param.kind in ("int", "float", "ints", "floats"):
        values += ["many", float("nan")]
        wrap = (lambda v: (v,)) if param.is_sequence else (lambda v: v)
        if param.minimum is not None:
            values.append(wrap(param.minimum - 1))
        if param.maximum is not None:
            values.append(wrap(param.maximum + 1))
    if param.kind == "choice":
        values.append("no such choice")
    return values


# --- inputs ---------------------------------------------------------------------------


@each_method
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.int16, np.float32, np.float64, bool])
def test_every_dtype_gives_labels_of_the_image_shape(method: Method, dtype: Any) -> None:
    for ndim in method.ndim:
        shape = (7, 9, 12)[-ndim:]
        values = segment(method, image_for(method, shape, dtype))
        assert values.shape == shape
        assert values.dtype == dtype if method.output == "image" else values.dtype.kind == "u"
        assert_bright_half_is_found(method, values)


@each_method
@pytest.mark.parametrize("layout", ["fortran", "strided", "read-only", "big-endian"])
def test_memory_layout_does_not_matter(method: Method, layout: str) -> None:
    shape = shape_for(method)
    image = image_for(method, shape, np.uint16)
    expected = segment(method, image)
    variant = {
        "fortran": np.asfortranarray(image),
        "strided": np.repeat(image, 2, axis=-1)[..., ::2],
        "read-only": image.copy(),
        "big-endian": image.astype(">u2"),
    }[layout]
    variant.flags.writeable = False
    np.testing.assert_array_equal(segment(method, variant), expected)


@each_method
def test_inputs_are_left_unchanged(method: Method) -> None:
    shape = shape_for(method)
    image, inputs = image_for(method, shape, np.float32), inputs_for(method, shape)
    before = {name: array.copy() for name, array in inputs.items()}
    kept = image.copy()
    nss.run(method, image, extras=method.extras, **inputs)
    np.testing.assert_array_equal(image, kept)
    for name, array in inputs.items():
        np.testing.assert_array_equal(array, before[name])


@each_method
def test_some_nan_stays_background_and_harms_nothing_else(method: Method) -> None:
    if method.takes_labels:
        return  # see the next test
    shape = shape_for(method)
    image = image_for(method, shape, np.float32)
    hole = (slice(2, 4),) * len(shape)
    image[hole] = np.nan
    values = segment(method, image)
    if method.output != "image":
        assert not values[hole].any()
    assert_bright_half_is_found(method, values)


@each_method
@pytest.mark.parametrize("value", [np.nan, -1, 0.5])
def test_what_is_no_label_is_refused_in_words(method: Method, value: float) -> None:
    if not method.takes_labels:
        return
    labels = image_for(method, shape_for(method), np.float32)
    labels.flat[3] = value
    with pytest.raises(InputError, match=r"expected .*, got .*; "):
        segment(method, labels)


@each_method
def test_unusable_images_are_refused_in_words(method: Method) -> None:
    shape = shape_for(method)
    with pytest.raises(InputError, match=r"expected .*, got"):
        segment(method, np.full(shape, np.nan, dtype=np.float32))
    with pytest.raises(InputError, match="empty"):
        segment(method, np.zeros((0, *shape[1:]), dtype=np.uint8))
    with pytest.raises(InputError, match="4, 5, 6, 7"):
        segment(method, np.zeros((4, 5, 6, 7), dtype=np.uint8))
    with pytest.raises(InputError, match="got"):
        segment(method, np.zeros(shape, dtype=np.complex64))


@each_method
def test_huge_intensities_are_used_or_refused_in_words(method: Method) -> None:
    image = image_for(method, shape_for(method), np.float64) * 1e300
    try:
        assert_bright_half_is_found(method, segment(method, image))
    except InputError as error:
        cure = "renumber the labels" if method.takes_labels else "scale the image down"
        assert cure in str(error)  # noqa: PT017 - either is right


@each_method
def test_constant_image_does_not_break(method: Method) -> None:
    shape = shape_for(method)
    assert segment(method, np.full(shape, 7, dtype=np.uint8)).shape == shape


@each_method
def test_channels_are_taken_or_refused_as_declared(method: Method) -> None:
    shape = shape_for(method)
    grey = image_for(method, shape)
    colour = np.stack([grey] * 3, axis=-1)
    if method.channels == "single":
        with pytest.raises(InputError, match="one channel"):
            segment(method, colour, channel_axis=-1, spatial=shape)
    else:
        last = segment(method, colour, channel_axis=-1, spatial=shape)
        first = segment(method, np.moveaxis(colour, -1, 0), channel_axis=0, spatial=shape)
        np.testing.assert_array_equal(last, first)
        if method.output == "image":
            last = last[..., 0]
        np.testing.assert_array_equal(last, segment(method, grey))


@each_method
def test_label_inputs_of_another_shape_or_place_are_refused(method: Method) -> None:
    shape = shape_for(method)
    for name, array in inputs_for(method, shape).items():
        with pytest.raises(InputError, match="shape"):
            nss.run(method, image_for(method, shape), **{name: array[:-1]})
        elsewhere = nss.Segmentation(array, Space.regular(len(shape), (9.0,) * len(shape), "mm"))
        with pytest.raises(InputError, match="different places"):
            nss.run(method, image_for(method, shape), **{name: elsewhere})


# --- the run --------------------------------------------------------------------------


@each_method
def test_same_seed_same_labels(method: Method) -> None:
    image = image_for(method, shape_for(method))
    np.testing.assert_array_equal(segment(method, image, rng=3), segment(method, image, rng=3))


@each_method
def test_progress_rises_to_one(method: Method) -> None:
    seen: list[float] = []
    segment(method, image_for(method, shape_for(method)), progress=lambda f, _m="": seen.append(f))
    assert seen == sorted(seen)
    assert seen[0] >= 0
    assert seen[-1] == 1


@each_method
def test_cancel_is_honoured_at_every_report(method: Method) -> None:
    image = image_for(method, shape_for(method))
    reports: list[float] = []
    segment(method, image, progress=lambda f, _m="": reports.append(f))
    for stop_at in range(len(reports)):
        calls = iter(range(len(reports)))

        def stop(_fraction: float, _message: str = "") -> None:
            if next(calls) == stop_at:  # noqa: B023 - called within this round only
                raise Cancelled

        with pytest.raises(Cancelled):
            segment(method, image, progress=stop)


@each_method
def test_geometry_extras_and_provenance_come_along(method: Method) -> None:
    shape = shape_for(method)
    space = Space.regular(len(shape), (3.0, 0.7, 0.5)[-len(shape) :], "mm")
    image = Image(image_for(method, shape), space, "scan")
    inputs = inputs_for(method, shape)
    result = nss.run(method, image, extras=method.extras, **inputs)
    assert result.space == space
    if isinstance(result, nss.Segmentation):
        assert set(result.extras) == set(method.extras)
        # One value per voxel, or one per class and voxel.
        assert all(extra.shape[-len(shape) :] == shape for extra in result.extras.values())
        assert all(extra.ndim <= len(shape) + 1 for extra in result.extras.values())
    record = json.loads(json.dumps(result.provenance.to_dict()))
    again = nss.replay(record, image, **inputs)
    np.testing.assert_array_equal(values_of(again), values_of(result))
    with pytest.raises(InputError, match="replay needs the same input"):
        nss.replay(record, Image(image.data + 1, space), **inputs)


@each_method
def test_stated_memory_is_the_memory_used(method: Method) -> None:
    shape = (48, 128, 128)[-max(method.ndim) :]
    image, inputs = Image.from_array(image_for(method, shape)), inputs_for(method, shape)
    for settings in costly_settings(method):
        peak = peak_memory(method, image, extras=method.extras, **inputs, **settings)
        assert peak <= estimate_memory(method, image, settings) + 2**20, settings


@each_method
def test_stated_memory_holds_for_several_channels(method: Method) -> None:
    if method.channels == "single":
        return
    shape = (48, 128, 128)[-max(method.ndim) :]
    data = np.stack([image_for(method, shape)] * 3)
    image, inputs = Image.from_array(data, channel_axis=0), inputs_for(method, shape)
    for settings in costly_settings(method):
        peak = peak_memory(method, image, **inputs, **settings)
        assert peak <= estimate_memory(method, image, settings) + 2**20, settings


def costly_settings(method: Method) -> list[dict[str, Any]]:
    """The defaults, and each value of a setting that is said to take more memory."""
    costs = method.bytes_by_setting.items()
    return [{}, *({name: value} for name, values in costs for value in values)]


def peak_memory(method: Method, image: Image, **options: Any) -> int:
    nss.run(method, image, **options)
    tracemalloc.start()
    nss.run(method, image, **options)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak


@each_method
def test_command_line_equals_python(method: Method, tmp_path: Any) -> None:
    shape = shape_for(method)
    image = Image(image_for(method, shape), Space.regular(len(shape), (2.0,) * len(shape), "mm"))
    nss.write(tmp_path / "image.nii.gz", image)
    arguments = [
        "run",
        method.id,
        str(tmp_path / "image.nii.gz"),
        "-o",
        str(tmp_path / "out.nii.gz"),
    ]
    inputs = inputs_for(method, shape)
    for name, array in inputs.items():
        nss.write(tmp_path / f"{name}.nii.gz", nss.Segmentation(array, image.space))
        arguments += [f"--{name}", str(tmp_path / f"{name}.nii.gz")]
    assert cli.main(arguments) == 0
    written = nss.read(tmp_path / "out.nii.gz")
    np.testing.assert_array_equal(values_of(written), values_of(nss.run(method, image, **inputs)))
    assert written.space.is_close(image.space)

"""The one pipeline that runs a method, for every face and without any of them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from . import saved_models
from .device import Device, is_out_of_memory, resolve_device
from .errors import (
    Cancelled,
    InputError,
    JobFailedError,
    OutOfMemoryError,
    ParameterError,
    SegSuiteError,
)
from .image import Image, LabelClass, Segmentation
from .job_frames import Calls, Frames, time_axis
from .job_inputs import LabelInput, Source, as_image, check_inputs, label_input, opened
from .job_memory import check_memory
from .job_results import Outcome, lasting_classes
from .method import Extras, Method
from .progress import SILENT, Progress, part_of
from .provenance import Provenance, current_versions, describe_input
from .registry import get_method
from .typing import ImageArray

Result = Segmentation | Image


def run(
    method: str | Method,
    image: Source,
    *,
    seeds: Source | None = None,
    labels: Source | None = None,
    mask: Source | None = None,
    reference: Source | None = None,
    extras: str | tuple[str, ...] = (),
    device: str = "auto",
    spacing: tuple[float, ...] | None = None,
    channel_axis: int | None = None,
    frames: Frames | None = None,
    rng: int = 0,
    memory_limit: int | None = None,
    progress: Progress = SILENT,
    **settings: Any,
) -> Result:
    """Run a method on an image and keep geometry, classes and provenance.

    Parameters
    ----------
    method : str or Method
        Method id, e.g. "growcut".
    image : (M, N[, P]) array, Image, Segmentation or path
        Labels for a method that works on them: a Segmentation or a file brings its classes.
    seeds, labels, mask, reference : array, Image, Segmentation or path, optional
        Further image-like inputs, on the grid of `image`.
    extras : tuple of str, or one str
        Names of further outputs to keep in ``result.extras``.
    device : str
        "auto", "cpu", "cuda", "cuda:1", "mps".
    spacing : tuple of float, optional
        Voxel size per spatial axis for a bare array; an `Image` brings its own.
    channel_axis : int, optional
        Axis of `image` that holds channels; an `Image` says so in its space.
    frames : {"each", "together", "channels"}, optional
        Of a time series: each time point by itself, which is the default; all together, so
        that they share thresholds or clusters; or the course over time as channels of one
        image. `job_frames.frame_choices` tells which of these a method can do. A bare array
        of four axes is a time series only if this is given.
    rng : int
        Seed of methods that draw random numbers.
    memory_limit : int, optional
        Bytes the job may use; by default what the machine has free.
    progress : callable
        Called with (fraction, message); raises `Cancelled` to stop the job.
    **settings
        Settings of the method; ``get_method(id).params`` lists them.

    Returns
    -------
    Segmentation
        An Image from a method that makes one, such as "background_effect".

    Raises
    ------
    SegSuiteError
        In one sentence: what was expected, what was got, what to do.
    Cancelled
        If `progress` raised it.

    Examples
    --------
    >>> import numpy as np, napari_segsuite as nss
    >>> image = np.array([[0, 0, 9, 9]], dtype=np.uint8)
    >>> nss.run("global_threshold", image, algorithm="manual", value=5).labels
    array([[0, 0, 1, 1]], dtype=uint8)
    """
    record = method if isinstance(method, Method) else get_method(method)
    values = record.check(settings)
    extras = (extras,) if isinstance(extras, str) else tuple(extras)
    unknown = set(extras) - set(record.extras)
    if unknown:
        raise ParameterError(
            f"{record.title} has no extra output {', '.join(map(repr, sorted(unknown)))}; "
            f"it has {', '.join(record.extras) or 'none'}.",
            name="extras",
        )
    image = opened(record, image)
    picture = as_image(image, spacing, channel_axis)
    sources = {"seeds": seeds, "labels": labels, "mask": mask, "reference": reference}
    given = {name: label_input(source) for name, source in sources.items() if source is not None}
    frames = _frames_of(record, image, picture, values, frames)
    check_inputs(record, picture, given, frames)
    chosen = resolve_device(device, supports=record.devices)
    check_memory(record, picture, memory_limit, values, frames)

    calls = Calls(picture.space, frames)
    injected = _injected(record, picture, chosen, rng)
    collected = Extras(extras)
    arrays = {name: np.asarray(value.data) for name, value in given.items()}
    tools = injected | dict.fromkeys({"channel_axis"} & injected.keys(), calls.channel_axis)
    array = _call_all(record, calls, picture, arrays, values, tools, collected, progress)
    notes = {"note": chosen.note} if chosen.note else {}
    if time_axis(picture.space) is not None:
        notes["frames"] = frames
    provenance = Provenance(
        method=record.id,
        settings=values,
        injected={**injected, **notes},
        extras=extras,
        inputs={
            "image": describe_input(picture.name, picture.data, are_labels=record.takes_labels),
            **{
                name: describe_input(name, array, are_labels=True) for name, array in arrays.items()
            },
        },
        versions=current_versions(),
    )
    outcome = Outcome(record, values, picture, calls, array, collected, provenance)
    if record.output == "image":
        return outcome.image()
    return outcome.segmentation(_known_classes(record, values, image, given))


def _frames_of(
    method: Method,
    source: Source,
    image: Image,
    settings: Mapping[str, Any],
    frames: Frames | None,
) -> Frames:
    """How the time points are taken; of a bare array it cannot be told what its axes are."""
    if time_axis(image.space) is None:
        return frames or "each"
    if frames is None and not isinstance(source, Image | Segmentation | str | Path):
        raise InputError(
            f"{method.title} works on one image at a time, got an array of shape "
            f"{image.data.shape}; pick a single time point, name the channel axis, or say "
            "frames='each' if its first axis is time."
        )
    stacked_by = method.stacked_by
    if stacked_by is not None and settings[stacked_by] and frames != "channels":
        raise InputError(
            f"{method.title}: expected a single time point together with '{stacked_by}', got a "
            "time series; pick a time point, or leave that setting empty."
        )
    return frames or "each"


def segment(method: str | Method, image: Source, **options: Any) -> Segmentation:
    """Run a method that makes labels; see `run`.

    Raises
    ------
    InputError
        If it makes an image.
    """
    record = method if isinstance(method, Method) else get_method(method)
    if record.output == "image":
        raise InputError(
            f"expected a method that makes labels, got {record.title}, which makes an image; "
            "choose another method"
        )
    result = run(record, image, **options)
    assert isinstance(result, Segmentation)
    return result


def replay(
    provenance: Provenance | Mapping[str, Any],
    image: Source,
    *,
    progress: Progress = SILENT,
    **inputs: Source,
) -> Result:
    """Make a result again from its provenance and the same inputs.

    Raises
    ------
    InputError
        If an input is not the one the record names, by its digest, or the record is of a
        saved model.
    """
    record = provenance if isinstance(provenance, Provenance) else Provenance.from_dict(provenance)
    if record.method == saved_models.METHOD_ID:
        raise InputError(
            f"expected the record of a method, got that of the saved model "
            f"{record.settings.get('model')}; read that file with PixelClassifier.load and predict"
        )
    injected = dict(record.injected)
    channel_axis = injected.get("channel_axis")
    frames = injected.get("frames")
    method = get_method(record.method)
    image = opened(method, image)
    picture = as_image(image, None, channel_axis)
    arrays = {"image": picture.data} | {
        name: np.asarray(label_input(source).data) for name, source in inputs.items()
    }
    for name, expected in record.inputs.items():
        if name not in arrays:
            raise InputError(f"the record was made with {name}; give {name}= the same array")
        got = describe_input(name, arrays[name], are_labels=name != "image" or method.takes_labels)
        if got["sha256"] != expected["sha256"]:
            raise InputError(
                f"expected the {name} of the record (shape {tuple(expected['shape'])}, "
                f"{expected['dtype']}), got other values (shape {tuple(got['shape'])}, "
                f"{got['dtype']}); replay needs the same input"
            )
    if "spacing" in injected and not isinstance(image, Image | Segmentation | str | Path):
        picture = as_image(picture.data, injected["spacing"], channel_axis)
    return run(
        method,
        image if isinstance(image, Segmentation) else picture,
        extras=record.extras,
        device=str(injected.get("device", "auto")),
        rng=int(injected.get("rng", 0)),
        frames=frames,
        progress=progress,
        **inputs,  # type: ignore[arg-type]
        **record.settings,
    )


def _injected(method: Method, image: Image, device: Device, rng: int) -> dict[str, Any]:
    space = image.space
    offered = {
        "spacing": space.spacing if space.is_physical else None,
        "channel_axis": space.channel_axis,
        "device": device.name,
        "rng": rng,
    }
    return {name: value for name, value in offered.items() if name in method.injected}


def _call_all(
    method: Method,
    calls: Calls,
    image: Image,
    inputs: Mapping[str, ImageArray],
    settings: Mapping[str, Any],
    injected: Mapping[str, Any],
    extras: Extras,
    progress: Progress,
) -> ImageArray:
    """Call the method as often as the job takes, and put its answers together."""
    shape = calls.result_shape(image.data.shape)
    parts = calls.split(image.data, inputs)
    results, further = [], []
    for number, (data, arrays) in enumerate(parts):
        share = part_of(progress, number / len(parts), (number + 1) / len(parts))
        collected = Extras(tuple(extras.wanted))
        results.append(_call(method, data, arrays, settings, injected, collected, share))
        further.append(collected)
    for name in further[0]:
        extras[name] = calls.put_together([found[name] for found in further], shape)
    progress(1.0, "done")
    return calls.put_together(results, shape, channels_last=method.output == "image")


def _call(
    method: Method,
    image: ImageArray,
    inputs: Mapping[str, ImageArray],
    settings: Mapping[str, Any],
    injected: Mapping[str, Any],
    extras: Extras,
    progress: Progress,
) -> ImageArray:
    tools: dict[str, Any] = dict(injected)
    if "progress" in method.injected:
        tools["progress"] = progress
    if "extras" in method.injected:
        tools["extras"] = extras
    progress(0.0, f"{method.title} …")
    try:
        result = method.function(image, **inputs, **settings, **tools)
    except (SegSuiteError, Cancelled, KeyboardInterrupt):
        raise
    except Exception as error:
        if is_out_of_memory(error):
            raise OutOfMemoryError(
                f"{method.title} ran out of memory; crop or downsample the image, choose the CPU "
                f"if it ran on a GPU, or close other programs."
            ) from error
        raise JobFailedError(
            f"{method.title} failed: {type(error).__name__}: {error}. This is a defect of the "
            f"method; please report it with the image's shape {image.shape} and dtype "
            f"{image.dtype}."
        ) from error
    return np.asarray(result)


def _known_classes(
    method: Method, settings: Mapping[str, Any], image: Source, labels: Mapping[str, LabelInput]
) -> tuple[LabelClass, ...]:
    """Classes whose ids mean the same in the result."""
    if method.takes_labels:
        if not isinstance(image, Segmentation):
            return ()
        return lasting_classes(method, settings, image)
    return labels["seeds"].classes if "seeds" in labels else ()

"""Time series: each time point by itself, all together, or as channels."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any

import numpy as np
import pytest
from annotated_types import Ge

import napari_segsuite as nss
from napari_segsuite import method as declaring
from napari_segsuite.errors import Cancelled, InputError, ParameterError
from napari_segsuite.image import Image
from napari_segsuite.job_frames import Calls, frame_choices
from napari_segsuite.job_memory import estimate_memory
from napari_segsuite.space import Axis, Space
from napari_segsuite.typing import ImageArray, LabelArray, MaskArray

FLAT = Space((Axis("t", "time", 2.0, unit="s"), Axis("y", scale=0.5), Axis("x", scale=0.5)))
SOLID = Space((Axis("t", "time"), Axis("z"), Axis("y"), Axis("x")))
LATE = Space((Axis("z"), Axis("t", "time"), Axis("y"), Axis("x")))


@pytest.fixture(autouse=True)
def above_mean() -> Iterator[None]:
    """A method whose result tells what it was given at once."""

    @declaring.method(
        title="Above the mean",
        family="threshold",
        channels="any",
        bytes_per_voxel=16,
        extras=("planes",),
        is_pixelwise=True,
    )
    def above_mean(
        image: ImageArray,
        seeds: LabelArray | None = None,
        mask: MaskArray | None = None,
        *,
        label: Annotated[int, Ge(1)] = 1,
        channel_axis: int | None = None,
        extras: declaring.Extras | None = None,
    ) -> LabelArray:
        """Label what is brighter than the mean of all channels and voxels."""
        grey = image if channel_axis is None else image.mean(axis=channel_axis)
        above = (grey > grey.mean()) if mask is None else (grey > grey.mean()) & mask
        labels = np.where(above, label, 0).astype(np.uint8)
        if seeds is not None:
            labels[seeds > 0] = seeds[seeds > 0]
        if extras is not None and "planes" in extras.wanted:
            extras["planes"] = np.stack([labels] * int(image.max()))
        return labels

    yield
    del declaring._registry["above_mean"]


def dim_then_bright(space: Space, dtype: Any = np.uint8) -> Image:
    """Values 1 and 3 at the first time point, 6 and 8 at the second."""
    flat = np.zeros((2, 4, 4), dtype=dtype)
    flat[0], flat[1] = 1, 6
    flat[:, :, 2:] += 2
    if space.ndim == 4:
        flat = np.repeat(flat[:, None], 3, axis=1)
    place = [axis.kind for axis in space.axes].index("time")
    return Image(np.moveaxis(flat, 0, place), space, "series")


@pytest.mark.parametrize("space", [FLAT, SOLID, LATE], ids=["2D", "3D", "time second"])
def test_each_time_point_has_a_mean_of_its_own(space: Space) -> None:
    result = nss.run("above_mean", dim_then_bright(space))
    assert result.space == space
    assert (result.labels[..., 2:] == 1).all()
    assert not result.labels[..., :2].any()
    assert result.provenance.injected["frames"] == "each"


@pytest.mark.parametrize("space", [FLAT, SOLID, LATE], ids=["2D", "3D", "time second"])
def test_together_they_share_one_mean(space: Space) -> None:
    result = nss.run("above_mean", dim_then_bright(space), frames="together")
    by_time = np.moveaxis(result.labels, [a.kind for a in space.axes].index("time"), 0)
    assert result.space == space
    assert not by_time[0].any()
    assert by_time[1].all()


@pytest.mark.parametrize("space", [FLAT, SOLID, LATE], ids=["2D", "3D", "time second"])
def test_as_channels_there_is_one_result_without_time(space: Space) -> None:
    image = dim_then_bright(space)
    result = nss.run("above_mean", image, frames="channels")
    assert result.space == space.without("time")
    assert result.labels.shape == tuple(
        n for n, axis in zip(image.data.shape, space.axes, strict=True) if axis.kind != "time"
    )
    assert (result.labels[..., 2:] == 1).all()
    assert not result.labels[..., :2].any()


@pytest.mark.parametrize("channel", [0, 1, 2, 4])
@pytest.mark.parametrize("frames", ["each", "together"])
def test_channels_may_stand_anywhere_beside_time(channel: int, frames: str) -> None:
    image = dim_then_bright(LATE)
    plain = nss.run("above_mean", image, frames=frames)
    axes = list(LATE.axes)
    axes.insert(channel, Axis("c", "channel"))
    colour = Image(np.stack([image.data] * 3, axis=channel), Space(tuple(axes)))
    result = nss.run("above_mean", colour, frames=frames)
    np.testing.assert_array_equal(result.labels, plain.labels)
    assert result.space == LATE


@pytest.mark.parametrize("frames", ["each", "together"])
def test_further_inputs_are_per_time_point_or_for_all(frames: str) -> None:
    image = dim_then_bright(SOLID)
    mask = np.zeros(image.data.shape[1:], dtype=bool)
    mask[:, 1] = True
    for_all = nss.run("above_mean", image, mask=mask, frames=frames)
    assert not for_all.labels[:, ~mask].any()
    assert for_all.labels[1, mask].any()
    seeds = np.zeros(image.data.shape, dtype=np.uint8)
    seeds[1, 0, 0, 0] = 7
    of_one = nss.run("above_mean", image, seeds=seeds, frames=frames)
    assert of_one.labels[1, 0, 0, 0] == 7
    assert of_one.labels[0, 0, 0, 0] == 0


def test_further_outputs_keep_their_planes_before_time() -> None:
    result = nss.run("above_mean", dim_then_bright(FLAT), extras="planes")
    # The first time point has fewer planes than the second; what is missing is 0.
    planes = result.extras["planes"]
    assert planes.shape == (8, 2, 4, 4)
    assert planes[:3, 0].any()
    assert not planes[3:, 0].any()
    together = nss.run("above_mean", dim_then_bright(LATE), extras="planes", frames="together")
    assert together.extras["planes"].shape == (8, 3, 2, 4, 4)
    np.testing.assert_array_equal(together.extras["planes"][0], together.labels)


@pytest.mark.parametrize("frames", ["each", "together", "channels"])
def test_record_says_how_and_replays(frames: str) -> None:
    image = dim_then_bright(SOLID)
    result = nss.run("above_mean", image, frames=frames)
    assert result.provenance.injected["frames"] == frames
    np.testing.assert_array_equal(nss.replay(result.provenance, image).labels, result.labels)


def test_choices_follow_from_the_declaration_and_the_image() -> None:
    pixelwise, walker = nss.get_method("above_mean"), nss.get_method("watershed")
    assert frame_choices(pixelwise, SOLID) == ("each", "together", "channels")
    assert frame_choices(walker, SOLID) == ("each", "channels")
    assert frame_choices(pixelwise, SOLID.without("time")) == ()
    colour = Space((*SOLID.axes, Axis("c", "channel")))
    assert frame_choices(pixelwise, colour) == ("each", "together")


def test_what_a_method_cannot_do_is_refused() -> None:
    image = dim_then_bright(SOLID)
    with pytest.raises(InputError, match="'each' or 'channels', got frames='together'"):
        nss.run("watershed", image, seeds=np.zeros(image.data.shape), frames="together")
    with pytest.raises(ParameterError, match="'frames' must be one of"):
        nss.run("above_mean", image, frames="all")
    with pytest.raises(InputError, match="expected an image with a time axis"):
        nss.run("above_mean", np.zeros((4, 4)), frames="together")
    with pytest.raises(InputError, match="shape"):
        nss.run("above_mean", image, mask=np.ones((2, 2, 4, 4), dtype=bool))


def test_steps_of_a_method_want_a_single_time_point() -> None:
    image = dim_then_bright(FLAT, np.float32)
    seeds = np.zeros(image.data.shape, dtype=np.uint8)
    seeds[..., 0], seeds[..., -1] = 1, 2
    with pytest.raises(InputError, match="expected a single time point together with 'evolution'"):
        nss.run("growcut", image, seeds=seeds, evolution=(1, 2))


def test_progress_rises_over_all_time_points_and_stops_between() -> None:
    seen: list[float] = []
    nss.run("above_mean", dim_then_bright(SOLID), progress=lambda f, _m="": seen.append(f))
    assert seen == sorted(seen)
    assert seen[-1] == 1
    assert 0.5 in seen

    def stop(fraction: float, _message: str = "") -> None:
        if fraction == 0.5:
            raise Cancelled

    with pytest.raises(Cancelled):
        nss.run("above_mean", dim_then_bright(SOLID), progress=stop)


def test_memory_is_that_of_what_is_seen_at_once() -> None:
    record, image = nss.get_method("above_mean"), dim_then_bright(SOLID)
    labels = 8 * image.data.size
    assert estimate_memory(record, image) == 16 * image.data.size // 2 + labels
    assert estimate_memory(record, image, frames="together") == 16 * image.data.size + labels
    assert estimate_memory(record, image, frames="channels") == 16 * image.data.size // 2


def test_frames_are_views() -> None:
    image = dim_then_bright(LATE)
    for frame, _inputs in Calls(LATE, "each").split(image.data, {}):
        assert np.shares_memory(frame, image.data)

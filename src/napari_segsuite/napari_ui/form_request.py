"""From what a form holds to the job that it starts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from magicgui.widgets import ComboBox

from ..compute import JobRequest
from ..device import available_memory
from ..image import Image, Segmentation
from ..job_frames import Frames
from ..job_inputs import as_image, check_inputs, label_input
from ..job_memory import check_memory, estimate_memory
from ..method import Method
from .adapters import image_from_layer, segmentation_from_layer

_DEVICES = {"auto": "automatic", "cpu": "CPU", "cuda": "GPU (CUDA)", "mps": "GPU (Apple)"}
_FRAMES: Mapping[Frames, str] = {
    "each": "each one by itself",
    "together": "all together (same classes for all)",
    "channels": "as channels (one result from the whole course)",
}
_MAKE_REGIONS = ("superpixels", "clustering")


@dataclass(frozen=True)
class Chosen:
    """What is chosen in a form.

    Attributes
    ----------
    layers : mapping of str to Layer
        By input; without those left open.
    settings : mapping
    extras : tuple of str
    device : str
    frames : {"each", "together", "channels"}
    memory_limit : int or None
        Bytes the job may use.
    """

    layers: Mapping[str, Any]
    settings: Mapping[str, Any]
    extras: tuple[str, ...]
    device: str
    frames: Frames
    memory_limit: int | None

    def request(self, method: Method, *, snapshot: bool = True) -> JobRequest:
        """The job, checked as far as a look at the layers tells.

        Parameters
        ----------
        method : Method
        snapshot : bool
            Copy labels, so that painting on does not reach the job.

        Raises
        ------
        SegSuiteError
        """
        image = self._picture(method, snapshot=False)
        inputs = self._inputs(snapshot=False)
        looked_at = {name: label_input(value) for name, value in inputs.items()}
        picture = as_image(image)
        check_inputs(method, picture, looked_at, self.frames)
        check_memory(method, picture, self.memory_limit, self.settings, self.frames)
        if snapshot:
            image, inputs = self._picture(method, snapshot=True), self._inputs(snapshot=True)
        return JobRequest(
            method=method.id,
            image=image,
            inputs=inputs,
            settings=self.settings,
            extras=self.extras,
            device=self.device,
            memory_limit=self.memory_limit,
            frames=self.frames,
        )

    def _picture(self, method: Method, *, snapshot: bool) -> Image | Segmentation:
        """What the method is to work on; labels with their classes if that is its trade."""
        if method.takes_labels:
            return segmentation_from_layer(self.layers["image"], snapshot=snapshot)
        return image_from_layer(self.layers["image"])

    def _inputs(self, *, snapshot: bool) -> dict[str, Segmentation | Image]:
        return {
            name: segmentation_from_layer(layer, snapshot=snapshot)
            for name, layer in self.layers.items()
            if name != "image"
        }


def need_in_words(method: Method, image: Image, chosen: Chosen) -> str:
    """What memory a run takes, and what there is."""
    need = estimate_memory(method, image, chosen.settings, chosen.frames)
    free = available_memory()
    free = min(free, chosen.memory_limit or free)
    return f"Memory: about {_gib(need)} of {_gib(free)} free"


def missing_input(method: Method, layers: Mapping[str, Any]) -> str:
    """What the user has to do first; empty if every required input is chosen."""
    for entry in method.inputs:
        if entry.required and entry.name not in layers:
            return _hint(method, entry.name)
    return ""


def _hint(method: Method, name: str) -> str:
    if name == "image":
        return "Open an image to start."
    if name == "seeds":
        return "Make a seeds layer and paint at least two classes, or take automatic seeds."
    if name == "labels" and method.family in _MAKE_REGIONS:
        return "Make regions first, with a method of the menu Superpixels, and choose them here."
    return f"Add a Labels layer to serve as {name}."


def device_choice(method: Method, preferred: str) -> ComboBox | None:
    """Drop-down of the devices; None where there is nothing to choose."""
    if len(method.devices) < 2:
        return None
    devices = ["auto", *method.devices]
    return ComboBox(
        choices=[(_DEVICES.get(device, device), device) for device in devices],
        value=preferred if preferred in devices else "auto",
        label="Device",
        tooltip="Where to compute; automatic takes a GPU where it pays.",
    )


class FramesChoice(ComboBox):
    """Drop-down of the ways to take the time points of the chosen image."""

    def __init__(self) -> None:
        super().__init__(
            choices=[(_FRAMES["each"], "each")],
            label="Time points",
            tooltip="How the time points of the image are taken.",
        )
        self.offered: tuple[Frames, ...] = ()

    @property
    def frames(self) -> Frames:
        """The way that is chosen; "each" where there is no choice."""
        return self.value if self.offered else "each"

    def offer(self, frames: tuple[Frames, ...]) -> None:
        """Offer these ways, and keep the one chosen if it is among them."""
        if frames == self.offered:
            return
        self.offered = frames
        with self.changed.blocked():
            self.choices = [(_FRAMES[way], way) for way in frames or ("each",)]


def _gib(n_bytes: int) -> str:
    if n_bytes < 2**30:
        return f"{max(1, round(n_bytes / 2**20))} MB"
    return f"{n_bytes / 2**30:.1f} GB"

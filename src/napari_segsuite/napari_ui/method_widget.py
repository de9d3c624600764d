"""The form of a method: everything in it follows from the declaration."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from magicgui.widgets import CheckBox, ComboBox
from qtpy.compat import isalive
from qtpy.QtCore import QEvent
from qtpy.QtWidgets import QApplication, QPushButton, QVBoxLayout, QWidget

from .. import jobs
from ..compute import JobRequest
from ..device import available_memory
from ..errors import SegSuiteError
from ..image import Image, Segmentation
from ..job_memory import check_memory, estimate_memory
from ..method import Method
from ..warmup import wake_numba
from .adapters import image_from_layer, segmentation_from_layer
from .form_parts import (
    FittingScrollArea,
    RunPanel,
    about_section,
    add_row,
    form_rows,
    side_by_side,
)
from .forms import SettingsForm
from .layer_choice import LayerChoice
from .new_seeds import add_seeds_layer
from .results import ResultLayers
from .runner import Job, runner_for
from .script import python_script
from .settings import preferences

if TYPE_CHECKING:
    import napari.viewer

_DEVICES = {"auto": "automatic", "cpu": "CPU", "cuda": "GPU (CUDA)", "mps": "GPU (Apple)"}


class MethodWidget(QWidget):
    """Form of one method, with its run.

    Parameters
    ----------
    viewer : Viewer or ViewerModel
    method : Method

    Attributes
    ----------
    choosers : mapping of str to LayerChooser
        By input.
    settings : SettingsForm
    job : Job or None
        The run under way.
    message : str
        What the form says below its buttons.
    """

    job: Job | None = None

    def __init__(self, viewer: napari.viewer.Viewer, method: Method) -> None:
        super().__init__()
        # napari hands plugins a proxy, whose layers are equal to the real ones but not the same.
        self._viewer = getattr(viewer, "__wrapped__", viewer)
        self.method = method
        self._preferences = preferences()
        self._results = ResultLayers(self._viewer)
        self._sources: Mapping[str, Any] = {}
        self.settings = SettingsForm(method.params, method.title)
        self._choice = LayerChoice(self._viewer, method, self._on_change)
        self.choosers = self._choice.choosers
        self._make_options()
        self._panel = RunPanel()
        self._lay_out()
        self._panel.run_button.clicked.connect(self.run)
        self._panel.cancel_button.clicked.connect(self.cancel)
        self._panel.copy_button.clicked.connect(self.copy_as_python)
        self.settings.changed.connect(self._on_change)
        self.destroyed.connect(self._choice.close)
        self._on_change()
        if "numba" in method.requires:
            runner_for(self._viewer).run_in_background(wake_numba, method.title, self)

    @property
    def message(self) -> str:
        """What the form says below its buttons."""
        return str(self._panel.message.text())

    def run(self) -> None:
        """Start the method on the chosen layers."""
        layers = self._choice.layers
        self._preferences = preferences()
        try:
            request = self._request(layers)
        except SegSuiteError as error:
            self._panel.say(str(error), is_problem=True)
            return
        self._sources = layers
        self.job = runner_for(self._viewer).submit(request, parent=self, supersedes=self.job)
        self.job.progressed.connect(self._panel.show_progress)
        self.job.finished.connect(self._on_finished)
        self.job.failed.connect(self._on_failed)
        self.job.cancelled.connect(self._on_cancelled)
        self._panel.set_running(True)
        self._panel.say(f"{self.method.title} …")

    def cancel(self) -> None:
        """Stop the run; the viewer stays as it is."""
        if self.job is not None:
            self._panel.say("stopping …")
            self.job.cancel()

    def copy_as_python(self) -> None:
        """Put a script that does what the form does on the clipboard."""
        try:
            settings = self.settings.values()
        except SegSuiteError as error:
            self._panel.say(str(error), is_problem=True)
            return
        text = python_script(
            self.method,
            self._choice.layers,
            settings,
            extras=self._wanted_extras(),
            device=self._chosen_device(),
        )
        QApplication.clipboard().setText(text)
        self._panel.say("The script is on the clipboard.")

    def new_seeds(self) -> None:
        """Add an empty seeds layer on the grid of the image and start painting."""
        try:
            image = image_from_layer(self.choosers["image"].value)
        except SegSuiteError as error:
            self._panel.say(str(error), is_problem=True)
            return
        self.choosers["seeds"].value = add_seeds_layer(self._viewer, image)

    def changeEvent(self, event: QEvent) -> None:
        """Stop the run once the dock is closed; look again after a visit elsewhere."""
        if event.type() == QEvent.Type.ParentChange and self.parent() is None:
            self.cancel()  # the form lives on, but out of reach
        elif event.type() == QEvent.Type.ActivationChange and self.isActiveWindow():
            self._on_change()  # the Preferences and the free memory may have changed
        super().changeEvent(event)

    # --- parts ------------------------------------------------------------------------
    def _make_options(self) -> None:
        self._device = _device_choice(self.method, self._preferences.device)
        self.result_choice = ComboBox(
            choices=[("update my layer", "update"), ("add a new layer", "add")],
            label="Result",
            tooltip="Write into the layer of this form's last run, or keep that and add another. "
            "A result that you edited is always kept.",
        )
        self.extras = {
            name: CheckBox(text=name.replace("_", " "), tooltip=f"Add the {name} as an image.")
            for name in self.method.extras
        }

    def _lay_out(self) -> None:
        rows = form_rows()
        for name, chooser in self.choosers.items():
            add_row(rows, chooser)
            if name == "seeds":
                rows.addRow("", self._new_seeds_button())
        self._labels = {
            name: add_row(rows, widget) for name, widget in self.settings.widgets.items()
        }
        if self._device is not None:
            add_row(rows, self._device)
        if self.extras:
            rows.addRow("Also add", side_by_side([box.native for box in self.extras.values()]))
        add_row(rows, self.result_choice)
        layout = QVBoxLayout(self)
        layout.addWidget(FittingScrollArea([about_section(self.method), rows]))
        layout.addWidget(self._panel)
        layout.addStretch()

    def _new_seeds_button(self) -> QPushButton:
        self._seeds_button = QPushButton("New seeds layer")
        self._seeds_button.setToolTip("Add an empty layer on the image's grid and paint into it.")
        self._seeds_button.clicked.connect(self.new_seeds)
        return self._seeds_button

    # --- the state of the form --------------------------------------------------------
    def _on_change(self) -> None:
        """Say what stands in the way of a run, or what it will need."""
        if not isalive(self) or not hasattr(self, "_panel"):
            return
        self._preferences = preferences()
        image = self._image()
        unit = None if image is None else image.space.unit
        self.settings.set_unit(unit)
        for name, label in getattr(self, "_labels", {}).items():
            label.setText(self.settings.widgets[name].label)
        if hasattr(self, "_seeds_button"):
            self._seeds_button.setEnabled(image is not None)
        self._panel.show_need("" if image is None else self._need(image))
        self._panel.set_problem(self._problem())

    def _image(self) -> Image | None:
        layer = self.choosers["image"].value
        try:
            return None if layer is None else image_from_layer(layer)
        except SegSuiteError:
            return None

    def _problem(self) -> str:
        """Why the method cannot run, as far as a look at the layers tells."""
        layers = self._choice.layers
        for entry in self.method.inputs:
            if entry.required and entry.name not in layers:
                return _missing(entry.name)
        try:
            self._request(layers, snapshot=False)
        except SegSuiteError as error:
            return str(error)
        return ""

    def _request(self, layers: Mapping[str, Any], *, snapshot: bool = True) -> JobRequest:
        image = self._picture(layers["image"], snapshot=False)
        inputs: dict[str, Segmentation | Image] = {}
        for name, layer in layers.items():
            if name != "image":
                inputs[name] = segmentation_from_layer(layer, snapshot=False)
        looked_at = {name: jobs.label_input(value) for name, value in inputs.items()}
        picture = jobs.as_image(image)
        jobs.check_inputs(self.method, picture, looked_at)
        limit = self._preferences.memory_limit
        settings = self.settings.values()
        check_memory(self.method, picture, limit, settings)
        if snapshot:
            image = self._picture(layers["image"], snapshot=True)
            inputs = {name: segmentation_from_layer(layers[name]) for name in inputs}
        return JobRequest(
            method=self.method.id,
            image=image,
            inputs=inputs,
            settings=settings,
            extras=self._wanted_extras(),
            device=self._chosen_device(),
            memory_limit=limit,
        )

    def _picture(self, layer: Any, *, snapshot: bool) -> Image | Segmentation:
        """What the method is to work on; labels with their classes if that is its trade."""
        if self.method.takes_labels:
            return segmentation_from_layer(layer, snapshot=snapshot)
        return image_from_layer(layer)

    def _need(self, image: Image) -> str:
        try:
            settings = self.settings.values()
        except SegSuiteError:
            settings = {}
        need = estimate_memory(self.method, image, settings)
        free = available_memory()
        free = min(free, self._preferences.memory_limit or free)
        return f"Memory: about {_gib(need)} of {_gib(free)} free"

    def _wanted_extras(self) -> tuple[str, ...]:
        return tuple(name for name, box in self.extras.items() if box.value)

    def _chosen_device(self) -> str:
        return "auto" if self._device is None else str(self._device.value)

    # --- what becomes of a run --------------------------------------------------------
    def _on_finished(self, result: Segmentation | Image) -> None:
        job = self._end_job()
        update = self.result_choice.value == "update"
        name, notice = self._results.show(result, update=update, seeds=self._sources.get("seeds"))
        text = f"Done in {job.elapsed:.1f} s: '{name}'."
        if self._sources["image"] not in self._viewer.layers:
            notice = f"The image '{result.name}' was made from is gone. {notice}"
        self._sources = {}
        self._panel.say(f"{text} {notice}".strip())

    def _on_failed(self, sentence: str) -> None:
        self._end_job()
        self._panel.say(sentence, is_problem=True)

    def _on_cancelled(self) -> None:
        if self.sender() is self.job:
            self._end_job()
            self._panel.say("Stopped; nothing was changed.")

    def _end_job(self) -> Job:
        assert self.job is not None
        job, self.job = self.job, None
        self._panel.set_running(False)
        return job


def _device_choice(method: Method, preferred: str) -> ComboBox | None:
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


def _missing(name: str) -> str:
    if name == "image":
        return "Open an image to start."
    if name == "seeds":
        return "Make a seeds layer and paint at least two classes."
    return f"Add a Labels layer to serve as {name}."


def _gib(n_bytes: int) -> str:
    if n_bytes < 2**30:
        return f"{max(1, round(n_bytes / 2**20))} MB"
    return f"{n_bytes / 2**30:.1f} GB"

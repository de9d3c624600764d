"""The form of a method: everything in it follows from the declaration."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from magicgui.widgets import CheckBox, ComboBox
from qtpy.compat import isalive
from qtpy.QtCore import QEvent
from qtpy.QtWidgets import QApplication, QVBoxLayout, QWidget

from ..compute import JobRequest
from ..errors import SegSuiteError
from ..image import Image, Segmentation
from ..job_frames import frame_choices
from ..method import Method
from ..warmup import wake_numba
from .adapters import image_from_layer
from .automatic_seeds import SeedsButtons, add_found_seeds
from .form_parts import (
    FittingScrollArea,
    RunPanel,
    about_section,
    add_row,
    form_rows,
    show_row,
    side_by_side,
)
from .form_request import Chosen, FramesChoice, device_choice, missing_input, need_in_words
from .forms import SettingsForm
from .layer_choice import LayerChoice
from .new_seeds import add_seeds_layer
from .previewing.live_preview import LivePreview, Order
from .previewing.setting_pickers import SettingPickers
from .results import ResultLayers
from .runner import Job, runner_for
from .script import python_script
from .settings import preferences

if TYPE_CHECKING:
    import napari.viewer


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
    preview : LivePreview or None
        None where the method is too slow for one.
    job : Job or None
        The run under way.
    message : str
        What the form says below its buttons.
    """

    job: Job | None = None
    preview: LivePreview | None = None

    def __init__(self, viewer: napari.viewer.Viewer, method: Method) -> None:
        super().__init__()
        # napari hands plugins a proxy, whose layers are equal to the real ones but not the same.
        self._viewer = getattr(viewer, "__wrapped__", viewer)
        self.method = method
        self._preferences = preferences()
        self._results = ResultLayers(self._viewer)
        self._sources: Mapping[str, Any] = {}
        self._preface = ""
        self.settings = SettingsForm(method.params, method.title)
        self._choice = LayerChoice(self._viewer, method, self._on_change)
        self.choosers = self._choice.choosers
        self._make_options()
        self._panel = RunPanel()
        self.seeds_buttons = SeedsButtons(self.new_seeds, self.run_with_found_seeds)
        self._pickers = SettingPickers(self._viewer, self.settings)
        if method.preview != "none":
            self._make_preview()
        self._lay_out()
        self._panel.run_button.clicked.connect(self.run)
        self._panel.cancel_button.clicked.connect(self.cancel)
        self._panel.copy_button.clicked.connect(self.copy_as_python)
        self.settings.changed.connect(self._on_change)
        for part in (self._choice, self._pickers):
            self.destroyed.connect(part.close)
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
            request = self._chosen().request(self.method)
        except SegSuiteError as error:
            self._panel.say(self._take_preface() + str(error), is_problem=True)
            return
        self._sources = layers
        if self.preview is not None:
            self.preview.hold()
        self._start(request, self.method, self._on_finished)

    def run_with_found_seeds(self, method: Method) -> None:
        """Find seeds on the image by a method, then run with them."""
        try:
            image = image_from_layer(self.choosers["image"].value)
        except SegSuiteError as error:
            self._panel.say(str(error), is_problem=True)
            return
        limit = self._preferences.memory_limit
        request = JobRequest(method.id, image, device=self._device_name(), memory_limit=limit)
        self._start(request, method, self._on_seeds)

    def cancel(self) -> None:
        """Stop the run; the viewer stays as it is."""
        if self.job is not None:
            self._panel.say("stopping …")
            self.job.cancel()

    def copy_as_python(self) -> None:
        """Put a script that does what the form does on the clipboard."""
        try:
            chosen = self._chosen()
        except SegSuiteError as error:
            self._panel.say(str(error), is_problem=True)
            return
        text = python_script(
            self.method,
            chosen.layers,
            chosen.settings,
            extras=chosen.extras,
            device=chosen.device,
            frames=chosen.frames,
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
            self._pickers.stop()
            if self.preview is not None:
                self.preview.close()
        elif event.type() == QEvent.Type.ActivationChange and self.isActiveWindow():
            self._on_change()  # the Preferences and the free memory may have changed
        super().changeEvent(event)

    # --- parts ------------------------------------------------------------------------
    def _make_options(self) -> None:
        self._device = device_choice(self.method, self._preferences.device)
        self.frames = FramesChoice()
        self.frames.changed.connect(lambda _value: self._on_change())
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

    def _make_preview(self) -> None:
        self.preview = LivePreview(
            self._viewer, self.method, self._order, lambda: self._results.layer, self
        )
        self.preview.said.connect(self._panel.say_idle)
        self.preview.found.connect(self._pickers.show_found)
        # By the time of the signal, Qt has taken the parts of the form apart.
        self.destroyed.connect(functools.partial(LivePreview.leave_viewer, self.preview))

    def _lay_out(self) -> None:
        rows = form_rows()
        for name, chooser in self.choosers.items():
            add_row(rows, chooser)
            if name == "seeds":
                rows.addRow("", self.seeds_buttons)
        self._frames_label = add_row(rows, self.frames)
        self._labels = {}
        for name, widget in self.settings.widgets.items():
            self._labels[name] = add_row(rows, widget)
            if (picker := self._pickers.widget_below(name)) is not None:
                rows.addRow(picker)
        if self._device is not None:
            add_row(rows, self._device)
        if self.extras:
            rows.addRow("Also add", side_by_side([box.native for box in self.extras.values()]))
        add_row(rows, self.result_choice)
        layout = QVBoxLayout(self)
        layout.addWidget(FittingScrollArea([about_section(self.method), rows]))
        if self.preview is not None:
            layout.addWidget(self.preview.box)
        layout.addWidget(self._panel)
        layout.addStretch()

    # --- the state of the form --------------------------------------------------------
    def _on_change(self) -> None:
        """Say what stands in the way of a run, or what it will need."""
        if not isalive(self) or not hasattr(self, "_panel"):
            return
        self._preferences = preferences()
        image = self._image()
        if image is not None:
            self.settings.set_unit(image.space.unit, len(image.space.spatial))
        else:
            self.settings.set_unit(None)
        for name, label in getattr(self, "_labels", {}).items():
            label.setText(self.settings.widgets[name].label)
        if "seeds" in self.choosers:
            self.seeds_buttons.set_image(image)
        self._offer_frames(image)
        self._pickers.set_image(image, self.choosers["image"].value)
        problem, need = self._outlook(image)
        self._panel.show_need(need)
        self._panel.set_problem(problem)
        if self.preview is not None:
            self.preview.update()

    def _offer_frames(self, image: Image | None) -> None:
        self.frames.offer(() if image is None else frame_choices(self.method, image.space))
        if hasattr(self, "_frames_label"):
            show_row(self._frames_label, self.frames, bool(self.frames.offered))

    def _image(self) -> Image | None:
        layer = self.choosers["image"].value
        try:
            return None if layer is None else image_from_layer(layer)
        except SegSuiteError:
            return None

    def _outlook(self, image: Image | None) -> tuple[str, str]:
        """Why the method cannot run, as far as a look at the layers tells, and what it takes."""
        problem, need = missing_input(self.method, self._choice.layers), ""
        try:
            chosen = self._chosen()
            if image is not None:
                need = need_in_words(self.method, image, chosen)
            if not problem:
                chosen.request(self.method, snapshot=False)
        except SegSuiteError as error:
            problem = problem or str(error)
        return problem, need

    def _chosen(self) -> Chosen:
        """What is chosen now; raises a `ParameterError` where a setting cannot be read."""
        return Chosen(
            layers=self._choice.layers,
            settings=self.settings.values(),
            extras=tuple(name for name, box in self.extras.items() if box.value),
            device=self._device_name(),
            frames=self.frames.frames,
            memory_limit=self._preferences.memory_limit,
        )

    def _device_name(self) -> str:
        return "auto" if self._device is None else str(self._device.value)

    def _order(self) -> Order | None:
        """The job that a run would start now, for a preview of it."""
        if missing_input(self.method, self._choice.layers):
            return None
        try:
            chosen = self._chosen()
            return chosen.request(self.method, snapshot=False), chosen.layers
        except SegSuiteError:
            return None

    # --- what becomes of a run --------------------------------------------------------
    def _start(
        self, request: JobRequest, method: Method, on_finished: Callable[[Any], object]
    ) -> None:
        self.job = runner_for(self._viewer).submit(request, parent=self, supersedes=self.job)
        self.job.progressed.connect(self._panel.show_progress)
        self.job.finished.connect(on_finished)
        self.job.failed.connect(self._on_failed)
        self.job.cancelled.connect(self._on_cancelled)
        self._panel.set_running(True)
        self._panel.say(f"{method.title} …")

    def _on_seeds(self, found: Segmentation) -> None:
        self._end_job()
        layer = add_found_seeds(self._viewer, found)
        self.choosers["seeds"].value = layer
        self._preface = f"Seeds: '{layer.name}'. "
        self.run()

    def _on_finished(self, result: Segmentation | Image) -> None:
        job = self._end_job()
        preface = self._take_preface()
        update = self.result_choice.value == "update"
        self._release_preview(is_done=True)
        name, notice = self._results.show(result, update=update, seeds=self._sources.get("seeds"))
        text = f"{preface}Done in {job.elapsed:.1f} s: '{name}'."
        if self._sources["image"] not in self._viewer.layers:
            notice = f"The image '{result.name}' was made from is gone. {notice}"
        self._sources = {}
        self._panel.say(f"{text} {notice}".strip())

    def _on_failed(self, sentence: str) -> None:
        self._end_job()
        self._panel.say(self._take_preface() + sentence, is_problem=True)
        self._release_preview(is_done=False)

    def _on_cancelled(self) -> None:
        if self.sender() is self.job:
            self._end_job()
            preface = self._take_preface()
            changed = "nothing else was changed" if preface else "nothing was changed"
            self._panel.say(f"{preface}Stopped; {changed}.")
            self._release_preview(is_done=False)

    def _release_preview(self, *, is_done: bool) -> None:
        if self.preview is not None:
            self.preview.release(is_done=is_done)

    def _take_preface(self) -> str:
        preface, self._preface = self._preface, ""
        return preface

    def _end_job(self) -> Job:
        assert self.job is not None
        job, self.job = self.job, None
        self._panel.set_running(False)
        return job

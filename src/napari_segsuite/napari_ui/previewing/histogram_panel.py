"""Choosing settings on the histogram of the chosen image."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qtpy.QtWidgets import QVBoxLayout, QWidget

from ...errors import SegSuiteError
from ...image import Image
from ...params import Param
from ...progress import Progress
from ...slice_preview import IntensityHistogram, intensity_histogram
from ..forms import SettingsForm
from ..runner import Job, runner_for
from .histogram_view import HistogramView, Line

if TYPE_CHECKING:
    from napari.components import ViewerModel

_BY_HAND = "manual"


def picked_on(settings: SettingsForm, place: str) -> tuple[Param, ...]:
    """The settings that are chosen on the histogram, or by clicks on the image."""
    return tuple(param for param in settings.params if param.picked_on == place)


class HistogramPanel(QWidget):
    """Histogram whose lines and the fields of a form follow each other.

    Choosing an intensity sets every choice of the form that has one called "manual" to
    it; leaving "manual" clears the intensities that may be left out.

    Parameters
    ----------
    viewer : ViewerModel
    settings : SettingsForm
    """

    def __init__(self, viewer: ViewerModel, settings: SettingsForm) -> None:
        super().__init__()
        self._viewer = viewer
        self._settings = settings
        self._params = picked_on(settings, "histogram")
        self._choices = [param.name for param in settings.params if _BY_HAND in param.choices]
        self._job: Job | None = None
        self._counted: Any = None
        self.view = HistogramView(Line(param.name, param.title) for param in self._params)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.view)
        self.view.moved.connect(self._on_moved)
        for param in self._params:
            settings.widgets[param.name].changed.connect(self._on_field)
        for name in self._choices:
            settings.widgets[name].changed.connect(self._on_choice)
        self._on_field()

    def set_image(self, image: Image | None) -> None:
        """Count the intensities of this image in the background, unless that is done."""
        if image is None or image.space.channel_axis is not None:
            self._counted = None
            self._cancel()
            self.view.set_histogram(None)
            return
        if self._counted is image.data:
            return
        self._counted = image.data

        def work(progress: Progress) -> IntensityHistogram:
            progress(0.0, "")
            return intensity_histogram(image)

        self._cancel()
        self._job = runner_for(self._viewer).run_in_background(work, "Histogram", self)
        self._job.finished.connect(self.view.set_histogram)
        self._job.failed.connect(lambda _sentence: self.view.set_histogram(None))

    def _cancel(self) -> None:
        if self._job is not None:
            self._job.cancel()

    def _on_moved(self, name: str, value: float) -> None:
        is_whole = self.view.histogram is not None and self.view.histogram.is_integer
        self._settings.set_values({name: int(value) if is_whole else value})

    def _on_field(self, _value: Any = None) -> None:
        """Have the lines where the fields say."""
        for param in self._params:
            try:
                value = self._settings.value(param.name)
            except SegSuiteError:
                continue  # half a number, as it is typed
            self.view.set_value(param.name, value)
            if value is not None and param.optional:
                self._settings.set_values(dict.fromkeys(self._choices, _BY_HAND))

    def _on_choice(self, value: Any) -> None:
        if value != _BY_HAND:
            cleared = [param.name for param in self._params if param.optional]
            self._settings.set_values(dict.fromkeys(cleared))

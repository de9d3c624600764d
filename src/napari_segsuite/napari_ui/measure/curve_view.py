"""What a probability layer is worth at all thresholds, and labels at the best one."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from magicgui.widgets import ComboBox, SpinBox
from napari.layers import Image as ImageLayer
from napari.layers import Labels
from numpy.typing import NDArray
from qtpy.compat import isalive
from qtpy.QtCore import Signal
from qtpy.QtGui import QShowEvent
from qtpy.QtWidgets import QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from ...errors import InputError, SegSuiteError
from ...image import Image, LabelClass, Segmentation, classes_present
from ...label_values import smallest_label_dtype
from ...method import Input
from ...metrics.probability.curves import evaluate_probabilities
from ...metrics.probability.report import ProbabilityReport
from ...metrics.tables import shown
from ...progress import Progress
from ..adapters import image_from_layer, layer_data, segmentation_from_layer
from ..form_parts import add_row, form_rows, show_row, text_label
from ..layer_choice import LayerChooser
from ..runner import Job, runner_for
from ..themed_plot import ThemedPlot
from .compared import ignored
from .results import Results

if TYPE_CHECKING:
    from napari.components import ViewerModel

_PROBABILITY = Input("probability", True, "An image of probabilities, from 0 to 1.")
_REFERENCE = Input("reference", True, "The labels taken as true.")
_HEIGHT = 230
_NOTHING = "Choose an image of probabilities and the class that they are of."
_TITLE = "Measure probabilities"


@dataclass(frozen=True, eq=False)
class Curves:
    """A probability map of a class, and what it is worth.

    Attributes
    ----------
    image : Image
    of : LabelClass
    report : ProbabilityReport
    """

    image: Image
    of: LabelClass
    report: ProbabilityReport


class CurveView(QWidget):
    """Precision, recall, ROC and reliability of a probability layer.

    Parameters
    ----------
    viewer : ViewerModel

    Attributes
    ----------
    place_chosen : signal of Place
        As other views have it; curves lead to no place.
    choosers : mapping of str to LayerChooser
        "probability" and "reference".
    label : ComboBox
        Class that the probabilities are of.
    channel : SpinBox
        Which image of a stack of probabilities.
    curves : Curves or None
        What is drawn.
    """

    title = "Probabilities"
    place_chosen = Signal(object)

    def __init__(self, viewer: ViewerModel) -> None:
        super().__init__()
        self._viewer = viewer
        self._job: Job | None = None
        self._class_job: Job | None = None
        self._ignore: tuple[int, ...] = ()
        self.curves: Curves | None = None
        self.choosers = {
            "probability": LayerChooser(viewer, _PROBABILITY, (ImageLayer,)),
            "reference": LayerChooser(viewer, _REFERENCE, (Labels,)),
        }
        self.label = ComboBox(
            choices=[], label="Class", tooltip="Class of the reference the probabilities are of."
        )
        self.channel = SpinBox(
            value=0, label="Channel", tooltip="Which image of the stack; one per class, mostly."
        )
        self.run_button = QPushButton(_TITLE)
        self.run_button.setToolTip("Compare the probabilities with the class at all thresholds.")
        self.threshold_button = QPushButton("Threshold at the best")
        self.threshold_button.setToolTip(
            "Add the voxels whose probability reaches the threshold of the best Dice as labels."
        )
        self.text = text_label(_NOTHING)
        self.plot = ThemedPlot()
        self.plot.setMinimumHeight(_HEIGHT)
        self._lay_out()
        self._connect()
        self._on_layers()
        self._show(None)

    @property
    def is_busy(self) -> bool:
        """Whether something is being computed."""
        jobs = (self._job, self._class_job)
        return any(job is not None and job.is_running for job in jobs)

    def show_results(self, results: Results | None) -> None:
        """Take the reference that labels were measured against."""
        self._ignore = ignored(results)
        layers = self._viewer.layers
        name = "" if results is None else results.reference.name
        if name in layers and isinstance(layers[name], Labels):
            self.choosers["reference"].value = layers[name]
        self._find_classes()

    def save_picture(self, path: str | os.PathLike[str]) -> None:
        """Write the curves to a PNG, SVG or PDF file."""
        self.plot.save_picture(path)

    def showEvent(self, event: QShowEvent) -> None:
        """Offer the classes painted since this was last in view."""
        super().showEvent(event)
        self._find_classes()

    # --- what the buttons do ----------------------------------------------------------
    def measure(self) -> None:
        """Measure the chosen probabilities, in the background."""
        try:
            image, reference = self._chosen_image(), self._chosen_reference()
            if self.label.value is None:
                raise InputError("expected a class of the reference, got none; paint one.")
        except SegSuiteError as error:
            self._say(str(error))
            return
        work = functools.partial(_measure, image, reference, self.label.value, self._ignore)
        self._say("measuring …")
        self._start(work, self._show)

    def add_thresholded(self) -> None:
        """Add what reaches the best threshold as a labels layer."""
        if self.curves is not None:
            self._start(functools.partial(_thresholded, self.curves), self._add)

    # --- parts ------------------------------------------------------------------------
    def _lay_out(self) -> None:
        rows = form_rows()
        for chooser in self.choosers.values():
            add_row(rows, chooser)
        add_row(rows, self.label)
        self._channel_row = add_row(rows, self.channel)
        buttons = QHBoxLayout()
        buttons.addWidget(self.run_button)
        buttons.addWidget(self.threshold_button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 4, 0, 0)
        layout.addLayout(rows)
        layout.addLayout(buttons)
        layout.addWidget(self.text)
        layout.addWidget(self.plot, 1)
        layout.addStretch()

    def _connect(self) -> None:
        self.plot.follow(self._viewer)
        self.run_button.clicked.connect(self.measure)
        self.threshold_button.clicked.connect(self.add_thresholded)
        self.choosers["probability"].changed.connect(self._on_choice)
        self.choosers["reference"].changed.connect(self._on_choice)
        self.choosers["reference"].changed.connect(self._find_classes)
        self.label.changed.connect(self._guess_channel)
        # napari's emitters drop whoever is gone by themselves.
        events = self._viewer.layers.events
        for emitter in (events.inserted, events.removed, events.reordered, events.renamed):
            emitter.connect(self._on_layers)

    # --- what is chosen ---------------------------------------------------------------
    @property
    def _n_channels(self) -> int:
        """Images in the chosen stack; 0 if it is none."""
        layer, reference = (chooser.value for chooser in self.choosers.values())
        if layer is None or reference is None or layer.ndim != reference.ndim + 1:
            return 0
        return int(layer.data.shape[0])

    def _on_layers(self, _event: Any = None) -> None:
        if isalive(self):
            for chooser in self.choosers.values():
                chooser.refresh()
            self._on_choice()

    def _on_choice(self, _value: Any = None) -> None:
        n = self._n_channels
        show_row(self._channel_row, self.channel, n > 0)
        self.channel.max = max(n - 1, 0)
        self._guess_channel()
        self.run_button.setEnabled(all(c.value is not None for c in self.choosers.values()))

    def _find_classes(self, _value: Any = None) -> None:
        """Offer the classes that occur in the reference."""
        layer = self.choosers["reference"].value
        try:
            labels = None if layer is None else segmentation_from_layer(layer, snapshot=False)
        except SegSuiteError as error:
            self._say(str(error))
            return
        if labels is None:
            self._offer(())
            return
        self._class_job = runner_for(self._viewer).run_in_background(
            lambda _progress: classes_present(labels.labels, labels.classes),
            "Classes",
            self,
            supersedes=self._class_job,
            uses_kernels=False,
        )
        self._class_job.finished.connect(self._offer)
        self._class_job.failed.connect(self._say)

    def _offer(self, classes: tuple[LabelClass, ...]) -> None:
        before = None if self.label.value is None else self.label.value.id
        with self.label.changed.blocked():
            self.label.choices = [(f"{entry.id} {entry.name}", entry) for entry in classes]
            for entry in classes:
                if entry.id == before:
                    self.label.value = entry
        self._guess_channel()

    def _guess_channel(self, _value: Any = None) -> None:
        """The channel of a class: channels begin with the background, or with class 1."""
        n, entry = self._n_channels, self.label.value
        if n and entry is not None:
            largest = max(each.id for each in self.label.choices)
            first = 0 if n > largest else 1
            self.channel.value = min(max(entry.id - first, 0), n - 1)

    def _chosen_image(self) -> Image:
        layer = self.choosers["probability"].value
        if layer is None:
            raise InputError("expected an image of probabilities, got none; open one.")
        image = image_from_layer(layer)
        if not self._n_channels:
            return image
        space = image.space.with_channel_axis(0).without("channel")
        channel = self.channel.value
        return replace(image, data=image.data[channel], space=space, name=f"{image.name} {channel}")

    def _chosen_reference(self) -> Segmentation:
        layer = self.choosers["reference"].value
        if layer is None:
            raise InputError("expected labels as reference, got none; open some.")
        return segmentation_from_layer(layer)

    # --- what becomes of a run --------------------------------------------------------
    def _start(self, work: Callable[[Progress], Any], show: Callable[[Any], None]) -> None:
        self._job = runner_for(self._viewer).run_in_background(
            work, _TITLE, self, supersedes=self._job
        )
        self._job.finished.connect(show)
        self._job.failed.connect(self._say)

    def _show(self, curves: Curves | None) -> None:
        self.curves = curves
        self.plot.setVisible(curves is not None)
        is_sound = curves is not None and not np.isnan(curves.report.best_threshold)
        self.threshold_button.setEnabled(is_sound)
        if curves is not None:
            self._say(in_words(curves))
            self.plot.show_drawing(lambda plot: _draw(plot, curves.report))

    def _add(self, labels: Segmentation) -> None:
        data, kwargs, _ = layer_data(labels)
        layer = self._viewer.add_labels(data, **kwargs)
        self._say(f"Added '{layer.name}'.")

    def _say(self, text: str) -> None:
        self.text.setText(text[:1].upper() + text[1:])


def in_words(curves: Curves) -> str:
    """The single numbers of a probability map, with reasons where there is none."""
    report = curves.report
    said = [
        f"Average precision {shown(report.average_precision)}, "
        f"area under ROC {shown(report.auc)}, best Dice {shown(report.best_dice)} at "
        f"{shown(report.best_threshold)}, calibration error {shown(report.ece)}, "
        f"Brier score {shown(report.brier)} ({curves.image.name} as {curves.of.name})."
    ]
    said += [
        f"{reason[:1].upper()}{reason[1:]}." for reason in dict.fromkeys(report.reasons.values())
    ]
    if report.n_ignored:
        said.append(f"{report.n_ignored:,} voxels of ignored labels are left out.")
    if report.scale != 1:
        said.append(f"Values were divided by {report.scale:.0f}.")
    return " ".join(said)


def _measure(
    image: Image,
    reference: Segmentation,
    of: LabelClass,
    ignore: tuple[int, ...],
    progress: Progress,
) -> Curves:
    report = evaluate_probabilities(image, reference, label=of.id, ignore=ignore, progress=progress)
    return Curves(image, of, report)


def _thresholded(curves: Curves, _progress: Progress) -> Segmentation:
    """The voxels at or above the best threshold, with the number of the class."""
    report, data = curves.report, curves.image.data
    # Thresholds of integers are multiples of 1 / scale, up to rounding.
    threshold = report.best_threshold
    is_in: NDArray[np.bool_] = data >= (
        threshold if report.scale == 1 else round(threshold * report.scale)
    )
    labels = is_in.astype(smallest_label_dtype(curves.of.id))
    labels *= curves.of.id
    name = f"{curves.image.name} ≥ {shown(threshold)}"
    return Segmentation(labels, curves.image.space, (curves.of,), name=name)


def _draw(plot: ThemedPlot, report: ProbabilityReport) -> None:
    axes = [plot.figure.add_subplot(2, 2, place) for place in (1, 2, 3)]
    report.plot(axes)
    for each in axes:
        each.set_xticks([0, 0.5, 1])
        each.set_yticks([0, 0.5, 1])

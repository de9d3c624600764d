"""Labelling an image by what was learned in another one."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from qtpy.QtCore import QObject, Signal

from ... import jobs, saved_models
from ...errors import SegSuiteError
from ...image import Segmentation
from ...job_memory import check_memory
from ...progress import Progress
from ..adapters import layer_data
from ..runner import Job, runner_for
from ..settings import preferences

if TYPE_CHECKING:
    from napari.components import ViewerModel

    from .dock import GrowDock


class GuideUser(QObject):
    """Applies saved guides to the image, and the time point, that the dock shows.

    Parameters
    ----------
    viewer : ViewerModel
    dock : GrowDock

    Attributes
    ----------
    said : signal of (str, bool)
        A sentence for the status line, and whether it is a problem.
    """

    said = Signal(str, bool)

    def __init__(self, viewer: ViewerModel, dock: GrowDock) -> None:
        super().__init__(dock)
        self._viewer = viewer
        self._dock = dock
        self._job: Job | None = None

    def use(self, path: Path) -> None:
        """Label the image in the background, and add the labels as a layer."""
        try:
            source = self._dock.inputs.source()
        except SegSuiteError as error:
            self.said.emit(str(error), True)
            return
        time, limit = self._dock.time_of(source), preferences().memory_limit

        def work(progress: Progress) -> Segmentation:
            model = saved_models.load(path)
            image = source.load(time)
            check_memory(model.method, image, limit)
            return jobs.segment(model.method, image, progress=progress)

        runner = runner_for(self._viewer)
        self._job = runner.run_in_background(work, "Use guide", self, supersedes=self._job)
        self._job.finished.connect(self._show)
        self._job.failed.connect(lambda sentence: self.said.emit(sentence, True))
        self.said.emit(f"Labelling '{source.name}' by {path.name} …", False)

    def _show(self, result: Segmentation) -> None:
        from napari.layers import Layer

        layer = Layer.create(*layer_data(result))
        self._viewer.add_layer(layer)
        self.said.emit(f"'{layer.name}' was made by the guide.", False)

"""Seeds without painting: a method finds them, and the form's own method goes on."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from qtpy.QtWidgets import QMenu, QPushButton, QVBoxLayout, QWidget

from ..errors import SegSuiteError
from ..image import Image, Segmentation
from ..job_inputs import check_inputs
from ..method import Method
from ..registry import methods
from .adapters import layer_data
from .form_parts import side_by_side

if TYPE_CHECKING:
    from napari.components import ViewerModel

_FAMILY = "seeds"


class SeedsButtons(QWidget):
    """The ways to seeds on the chosen image: by hand, or by a method of the registry.

    Parameters
    ----------
    on_new : callable
        Called without arguments, to make an empty layer.
    on_method : callable
        Called with the method that the user chose.

    Attributes
    ----------
    menu : QMenu
        The methods that fit.
    """

    def __init__(self, on_new: Callable[[], object], on_method: Callable[[Method], object]) -> None:
        super().__init__()
        self._on_method = on_method
        self._new = QPushButton("New seeds layer")
        self._new.setToolTip("Add an empty layer on the image's grid and paint into it.")
        self._new.clicked.connect(lambda _checked=False: on_new())
        self._automatic = QPushButton("Automatic seeds")
        self._automatic.setToolTip("Find seeds on the image by a method, then run with them.")
        self.menu = QMenu(self)
        self.menu.setToolTipsVisible(True)
        self._automatic.setMenu(self.menu)
        self._offered: list[Method] = []
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(side_by_side([self._new, self._automatic]))

    def set_image(self, image: Image | None) -> None:
        """Offer what fits this image."""
        self._new.setEnabled(image is not None)
        fitting = [] if image is None else seed_methods(image)
        self._automatic.setEnabled(bool(fitting))
        if fitting == self._offered:
            return
        self._offered = fitting
        self.menu.clear()
        for method in fitting:
            action = self.menu.addAction(method.title)
            action.setToolTip(method.summary)
            action.triggered.connect(lambda _checked=False, found=method: self._on_method(found))


def seed_methods(image: Image) -> list[Method]:
    """The methods that find seeds on an image and need nothing else."""
    return [method for method in methods() if method.family == _FAMILY and _can_take(method, image)]


def add_found_seeds(viewer: ViewerModel, found: Segmentation) -> Any:
    """Add the seeds that a method found as a layer, with their history."""
    data, kwargs, _kind = layer_data(found)
    return viewer.add_labels(data, **kwargs)


def _can_take(method: Method, image: Image) -> bool:
    try:
        check_inputs(method, image, {})
    except SegSuiteError:
        return False
    return True

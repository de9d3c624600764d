"""All that a form has for choosing settings elsewhere than in their fields."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qtpy.QtWidgets import QWidget

from ...image import Image
from ..forms import SettingsForm
from .histogram_panel import HistogramPanel, picked_on
from .pixel_picker import PixelPicker

if TYPE_CHECKING:
    from napari.components import ViewerModel


class SettingPickers:
    """A histogram for the settings chosen on one, and a button for each chosen on the image.

    Parameters
    ----------
    viewer : ViewerModel
    settings : SettingsForm

    Attributes
    ----------
    histogram : HistogramPanel or None
    pixels : dict of str to PixelPicker
        By setting.
    """

    def __init__(self, viewer: ViewerModel, settings: SettingsForm) -> None:
        on_histogram = picked_on(settings, "histogram")
        self._below = on_histogram[-1].name if on_histogram else ""
        self.histogram = HistogramPanel(viewer, settings) if on_histogram else None
        self.pixels = {
            param.name: PixelPicker(viewer, settings, param)
            for param in picked_on(settings, "image")
        }

    def widget_below(self, name: str) -> QWidget | None:
        """What belongs below the field of a setting; None for nothing."""
        return self.histogram if name == self._below else self.pixels.get(name)

    def set_image(self, image: Image | None, layer: Any) -> None:
        """Have the settings chosen on this image, and on the layer that shows it."""
        if self.histogram is not None:
            self.histogram.set_image(image)
        for picker in self.pixels.values():
            picker.set_layer(None if image is None else layer)

    def show_found(self, threshold: float | None) -> None:
        """Show the threshold that the method found by itself."""
        if self.histogram is not None:
            self.histogram.view.set_found(threshold)

    def stop(self) -> None:
        """Take no more clicks on the image."""
        for picker in self.pixels.values():
            picker.stop()

    def close(self, _sender: Any = None) -> None:
        """Listen to the viewer no more; the widgets may be gone already."""
        for picker in self.pixels.values():
            picker.leave_viewer()

"""Parts that the form of every method has: help at the top, the run at the bottom."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from qtpy.QtCore import QEvent, QObject, QSize, Qt
from qtpy.QtWidgets import (
    QAbstractSlider,
    QAbstractSpinBox,
    QComboBox,
    QFormLayout,
    QFrame,
    QHBoxLayout,
    QLabel,
    QLayout,
    QProgressBar,
    QPushButton,
    QScrollArea,
    QSizePolicy,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from ..method import Method
from .method_help import description_html, summary_html

_BAR_STEPS = 1000
_LEAST_HEIGHT = 160
_INDENT = 12
_SHOWN_LETTERS = 12


class RunPanel(QWidget):
    """Run, Cancel, progress, and the one line that says what is the matter."""

    def __init__(self) -> None:
        super().__init__()
        self.run_button = QPushButton("Run")
        self.cancel_button = QPushButton("Cancel")
        self.copy_button = QPushButton("Copy as Python")
        self.copy_button.setToolTip("Put a script that does the same on the clipboard.")
        self.bar = QProgressBar()
        self.bar.setRange(0, _BAR_STEPS)
        self.message = text_label()
        self._need = text_label()
        self._is_running = False
        self._problem = ""
        self._shows_problem = False
        buttons = QHBoxLayout()
        for button in (self.run_button, self.cancel_button, self.copy_button):
            buttons.addWidget(button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._need)
        layout.addLayout(buttons)
        layout.addWidget(self.bar)
        layout.addWidget(self.message)
        self.set_running(False)

    def say(self, text: str, *, is_problem: bool = False) -> None:
        """Show a sentence below the buttons, and after it why there can be no run at present."""
        if self._problem and not is_problem and not self._is_running:
            text = f"{text} {self._problem[:1].upper()}{self._problem[1:]}"
        self._shows_problem = is_problem or bool(self._problem)
        self.message.setText(text[:1].upper() + text[1:])
        self.message.setStyleSheet("font-weight: bold;" if is_problem else "")

    def say_idle(self, text: str, is_problem: bool) -> None:
        """Say something that matters less than a run, or than why there can be none."""
        if not self._is_running and not self._problem:
            self.say(text, is_problem=is_problem)

    def set_problem(self, problem: str) -> None:
        """Show why there can be no run at present; empty if there can."""
        self._problem = problem
        self.copy_button.setEnabled(not problem)
        if not self._is_running and (problem or self._shows_problem):
            self.say(problem, is_problem=bool(problem))
        self._enable()

    def set_running(self, is_running: bool) -> None:
        """Switch between waiting for a run and being in one."""
        self._is_running = is_running
        self.bar.setVisible(is_running)
        self.bar.setValue(0)
        self.bar.setFormat("%p %")
        self._enable()

    def show_progress(self, fraction: float, message: str, seconds_left: float) -> None:
        """Show how far the run is; `seconds_left` is negative while unknown."""
        self.bar.setValue(round(_BAR_STEPS * fraction))
        left = f", {_duration(seconds_left)} left" if seconds_left >= 0 else ""
        self.bar.setFormat(f"%p %{left}")
        self.say(message)

    def show_need(self, text: str) -> None:
        """Show what a run takes."""
        self._need.setText(text)
        self._need.setVisible(bool(text))

    def _enable(self) -> None:
        self.run_button.setEnabled(not self._problem and not self._is_running)
        self.cancel_button.setEnabled(self._is_running)


class FittingScrollArea(QScrollArea):
    """Parts above each other, as high as they are, scrolled where there is less room.

    Parameters
    ----------
    parts : iterable of QWidget or QLayout
    """

    def __init__(self, parts: Iterable[QWidget | QLayout]) -> None:
        super().__init__()
        inside = QWidget()
        self._column = QVBoxLayout(inside)
        self._column.setContentsMargins(0, 0, 0, 0)
        for part in parts:
            if isinstance(part, QLayout):
                self._column.addLayout(part)
            else:
                self._column.addWidget(part)
        self._column.addStretch()
        self.setWidget(inside)
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setStyleSheet("QScrollArea { border: 0px; padding: 0px; }")  # napari's has a border
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Maximum)
        inside.installEventFilter(self)
        for kind in (QAbstractSpinBox, QAbstractSlider, QComboBox):
            for child in inside.findChildren(kind):
                child.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
                child.installEventFilter(self)

    def sizeHint(self) -> QSize:
        """Room for all parts at the present width."""
        least = self._column.minimumSize().width()
        height = self._column.sizeHint().height()
        if self._column.hasHeightForWidth():
            height = self._column.totalHeightForWidth(max(least, self.width()))
        # The area never makes its inside smaller than the least, whatever its width.
        return QSize(least, max(height, self._column.totalMinimumSize().height()))

    def minimumSizeHint(self) -> QSize:
        """Width that shows every part in full, even beside a scroll bar."""
        bar = self.verticalScrollBar().sizeHint().width()
        return QSize(self._column.minimumSize().width() + bar, _LEAST_HEIGHT)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Follow the height of the parts; scroll past settings without changing them."""
        if watched is self.widget():
            if event.type() in (QEvent.Type.LayoutRequest, QEvent.Type.Resize):
                self.updateGeometry()
        elif event.type() == QEvent.Type.Wheel and not watched.hasFocus():
            event.ignore()
            return True
        return bool(super().eventFilter(watched, event))


def about_section(method: Method) -> QWidget:
    """The method's summary, with more on demand."""
    section = QWidget()
    layout = QVBoxLayout(section)
    layout.setContentsMargins(0, 0, 0, 0)
    layout.addWidget(text_label(summary_html(method)))
    more = description_html(method)
    if more:
        layout.addWidget(Fold("How it works", text_label(more)))
    return section


class Fold(QWidget):
    """A part of a form that shows itself when its title is clicked.

    Parameters
    ----------
    title : str
    content : QWidget or QLayout
    is_open : bool
    """

    def __init__(self, title: str, content: QWidget | QLayout, *, is_open: bool = False) -> None:
        super().__init__()
        self.button = QToolButton()
        self.button.setText(title)
        self.button.setCheckable(True)
        self.button.setAutoRaise(True)
        self.button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        if isinstance(content, QLayout):
            self._content = QWidget()
            content.setContentsMargins(_INDENT, 0, 0, 0)
            self._content.setLayout(content)
        else:
            self._content = content
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.button)
        layout.addWidget(self._content)
        self.button.toggled.connect(self._unfold)
        self.button.setChecked(is_open)
        self._unfold(is_open)

    def _unfold(self, is_open: bool) -> None:
        self._content.setVisible(is_open)
        arrow = Qt.ArrowType.DownArrow if is_open else Qt.ArrowType.RightArrow
        self.button.setArrowType(arrow)


def form_rows() -> QFormLayout:
    """Rows of labels and fields, for `add_row`."""
    rows = QFormLayout()
    rows.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
    rows.setContentsMargins(0, 0, 0, 0)
    return rows


def add_row(rows: QFormLayout, widget: Any) -> QLabel:
    """Add a magicgui widget with its label and help to a form."""
    label = QLabel(widget.label)
    label.setToolTip(widget.tooltip)
    if isinstance(widget.native, QComboBox):
        # Long choices and layer names must not widen the dock.
        policy = QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon
        widget.native.setSizeAdjustPolicy(policy)
        widget.native.setMinimumContentsLength(_SHOWN_LETTERS)
    rows.addRow(label, widget.native)
    return label


def show_row(label: QLabel, widget: Any, is_shown: bool) -> None:
    """Show or hide what `add_row` added."""
    label.setVisible(is_shown)
    widget.native.setVisible(is_shown)


def side_by_side(widgets: Iterable[QWidget]) -> QWidget:
    """Widgets in one row, as wide as they need to be."""
    row = QWidget()
    layout = QHBoxLayout(row)
    layout.setContentsMargins(0, 0, 0, 0)
    for widget in widgets:
        layout.addWidget(widget)
    layout.addStretch()
    return row


def text_label(text: str = "") -> QLabel:
    """Text that wraps, can be selected, and opens its links."""
    label = QLabel(text)
    label.setWordWrap(True)
    label.setOpenExternalLinks(True)
    label.setTextInteractionFlags(
        Qt.TextInteractionFlag.TextSelectableByMouse | Qt.TextInteractionFlag.LinksAccessibleByMouse
    )
    return label


def _duration(seconds: float) -> str:
    if seconds < 90:
        return f"{max(1, round(seconds))} s"
    return f"{round(seconds / 60)} min"

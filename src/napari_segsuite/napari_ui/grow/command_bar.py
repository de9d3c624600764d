"""The buttons that stay in sight, and what is going on below them."""

from __future__ import annotations

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QHBoxLayout, QProgressBar, QPushButton, QVBoxLayout, QWidget

from ..form_parts import text_label
from .shortcuts import explain, show_card

_BAR_STEPS = 1000


class CommandBar(QWidget):
    """Preview, Apply, Cancel, pausing, undo and redo; progress; one line of words.

    Attributes
    ----------
    preview, apply, cancel, undo, redo : QPushButton
    live : QPushButton
        Checked while every stroke is followed.
    live_changed : signal of bool
        Whether strokes are followed from now on.
    """

    live_changed = Signal(bool)

    def __init__(self) -> None:
        super().__init__()
        self.preview = QPushButton("Preview")
        explain(self.preview, "preview", "Grow the seeds now; once shown, bring it up to date.")
        self.live = QPushButton("Live")
        self.live.setCheckable(True)
        self.live.setChecked(True)
        explain(self.live, "pause", "Follow every stroke; off, the preview waits for Update now.")
        self.apply = QPushButton("Apply")
        explain(self.apply, "apply", "Write the preview into the result.")
        self.cancel = QPushButton("Cancel")
        explain(self.cancel, "cancel", "Take the preview away; nothing else changes.")
        self.undo = QPushButton("↶")
        self.redo = QPushButton("↷")
        self.help = QPushButton("?")
        self.help.setToolTip("Show all keys.")
        for button in (self.undo, self.redo, self.help):
            button.setMaximumWidth(32)
        self.bar = QProgressBar()
        self.bar.setRange(0, _BAR_STEPS)
        self.message = text_label()
        self._lay_out()
        self.live.toggled.connect(self.live_changed)
        self.help.clicked.connect(lambda: show_card(self))
        self.show_state(is_on=False, can_start=True)
        self.show_steps(None, None)
        self.show_progress(None)

    def say(self, text: str, *, is_problem: bool = False) -> None:
        """Show one sentence."""
        self.message.setText(text[:1].upper() + text[1:])
        self.message.setStyleSheet("font-weight: bold;" if is_problem else "")

    def show_state(self, *, is_on: bool, can_start: bool) -> None:
        """Offer what can be done."""
        self.preview.setText("Update now" if is_on else "Preview")
        self.preview.setEnabled(is_on or can_start)
        self.apply.setEnabled(is_on)
        self.cancel.setEnabled(is_on)

    def show_steps(self, undo: str | None, redo: str | None) -> None:
        """Offer the steps of results that can be taken back and made again."""
        for button, name, step, words in (
            (self.undo, "undo", undo, "Take back"),
            (self.redo, "redo", redo, "Make again"),
        ):
            button.setEnabled(step is not None)
            explain(button, name, f"{words}: {step}." if step else f"{words} a step of a result.")

    def show_progress(self, progress: tuple[float, str] | None) -> None:
        """Show how far a long step is; None hides the bar."""
        self.bar.setVisible(progress is not None)
        if progress is not None:
            fraction, words = progress
            self.bar.setValue(round(_BAR_STEPS * fraction))
            self.bar.setFormat(f"{words} %p %" if words else "%p %")

    def _lay_out(self) -> None:
        first, second = QHBoxLayout(), QHBoxLayout()
        for button in (self.preview, self.live, self.help):
            first.addWidget(button)
        for button in (self.apply, self.cancel, self.undo, self.redo):
            second.addWidget(button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addLayout(first)
        layout.addLayout(second)
        layout.addWidget(self.bar)
        layout.addWidget(self.message)

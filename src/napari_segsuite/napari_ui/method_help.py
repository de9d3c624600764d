"""The text of a method as rich text."""

from __future__ import annotations

import html
import re

from ..method import Method

# Qt's own blue cannot be read on napari's dark theme; this one can, and on the light one.
_LINK = "#3d8bd4"


def summary_html(method: Method) -> str:
    """What the method does, in one line."""
    return _inline(method.summary)


def description_html(method: Method) -> str:
    """How it does so, and where that was published."""
    text = method.description or ""
    paragraphs = [_inline(" ".join(part.split())) for part in text.split("\n\n") if part.strip()]
    if method.references:
        paragraphs.append("References: " + ", ".join(map(_link, method.references)))
    return "".join(f"<p>{paragraph}</p>" for paragraph in paragraphs)


def _inline(text: str) -> str:
    """Escaped text with the code marks of a docstring as such."""
    return re.sub(r"`+([^`]+)`+", r"<code>\1</code>", html.escape(text, quote=False))


def _link(reference: str) -> str:
    address = reference if "://" in reference else f"https://doi.org/{reference}"
    shown = html.escape(reference.rpartition("://")[2])
    return f'<a href="{html.escape(address)}" style="color: {_LINK}">{shown}</a>'

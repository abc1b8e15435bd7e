"""Text that others wrote, shown as it is: never read as HTML or Markdown.

Qt reads a label's or tooltip's text as HTML whenever it looks like HTML. Labels are told not to
(``plain_label``); tooltips have no such switch, so theirs are escaped (``plain_tooltip``).
"""

from __future__ import annotations

import html

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QWidget


def plain_tooltip(text: str) -> str:
    """Markup that shows exactly ``text``, line breaks kept, long lines wrapped."""
    if not text:
        return ""
    # The outer tag makes it rich text for certain, so that nothing is left to detection.
    return f"<qt>{html.escape(text).replace(chr(10), '<br>')}</qt>"


def plain_label(text: str = "", parent: QWidget | None = None, *, wrap: bool = False) -> QLabel:
    """A label that shows any text as plain text."""
    label = QLabel(parent)
    label.setTextFormat(Qt.TextFormat.PlainText)
    label.setWordWrap(wrap)
    label.setText(text)
    return label


def shortened(text: str, longest: int) -> str:
    """A text on one line, with its middle left out where it has more than ``longest`` characters:
    two names that differ only at their ends stay apart."""
    words = " ".join(text.split())
    if len(words) <= longest:
        return words
    half = longest // 2
    return f"{words[:half].rstrip()} … {words[-half:].lstrip()}"

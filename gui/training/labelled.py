"""A list to choose from with its caption, for rows of them."""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QLabel, QPushButton, QWidget

from gui import theme
from gui.widgets.flow_layout import FlowRow
from gui.widgets.safe_text import plain_tooltip


def labelled_choice(
    row: FlowRow,
    caption: str,
    tip: str,
    values: Mapping[str, str] | None = None,
    tips: Mapping[str, str] | None = None,
) -> QComboBox:
    """Add a list with its caption to a row.

    Args:
        row: where.
        caption: with its shortcut marked by "&".
        tip: what is chosen, in a sentence.
        values: texts by the key that ``currentData`` gives.
        tips: a sentence for some of the keys.
    """
    box = QComboBox(row)
    for key, text in (values or {}).items():
        box.addItem(text, key)
        if tips and key in tips:
            box.setItemData(box.count() - 1, plain_tooltip(tips[key]), Qt.ItemDataRole.ToolTipRole)
    box.setAccessibleName(caption.replace("&", ""))
    box.setToolTip(tip)
    box.setFocusPolicy(Qt.FocusPolicy.StrongFocus)  # not by scrolling over it
    box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
    row.add(labelled(caption, box, row))
    return box


def labelled(caption: str, widget: QWidget, parent: QWidget) -> QWidget:
    """A widget with its caption before it, on one line.

    Args:
        caption: with its shortcut marked by "&".
        widget: what it names; its tooltip is the caption's too.
        parent: the widget that owns both.
    """
    pair = QWidget(parent)
    label = QLabel(caption, pair)
    label.setBuddy(widget)
    label.setToolTip(widget.toolTip())
    theme.set_text_role(label, "body", "muted")
    line = QHBoxLayout(pair)
    line.setContentsMargins(0, 0, 0, 0)
    line.addWidget(label)
    line.addWidget(widget)
    return pair


def row_button(row: FlowRow, text: str, tip: str) -> QPushButton:
    """Add a button to a row."""
    button = QPushButton(text, row)
    button.setAutoDefault(False)
    button.setToolTip(tip)
    button.setAccessibleDescription(tip)
    row.add(button)
    return button

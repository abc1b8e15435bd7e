"""A small table under its title, with its numbers to take along, and words while it is empty."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import Slot
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from engine.errors import LabError
from gui import theme
from gui.widgets.exports import ExportButton
from gui.widgets.notice import Notice
from gui.widgets.plain_table import PlainTable
from gui.widgets.safe_text import plain_label


class TitledTable(QWidget):
    """A PlainTable with a title, an export button, and a sentence where there are no rows yet."""

    def __init__(
        self, title: str, name: str = "", empty: str = "", parent: QWidget | None = None
    ) -> None:
        """
        Args:
            title: above the table.
            name: the table's accessible name, and that of exported files; the title without it.
            empty: what to do to fill the table, shown while it has no rows.
        """
        super().__init__(parent)
        self.title = plain_label(title, wrap=True)
        theme.set_text_role(self.title, "strong")
        self.table = PlainTable(name or title)
        self.export_button = ExportButton(name or title, formats=("csv",))
        self.export_button.setToolTip("Save this table as numbers.")
        self.empty = plain_label(empty, wrap=True)
        theme.set_text_role(self.empty, "body", "muted")
        self.notice = Notice()
        head = QHBoxLayout()
        head.addWidget(self.title, 1)
        head.addWidget(self.export_button)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addLayout(head)
        for part in (self.empty, self.table, self.notice):
            column.addWidget(part)
        self.export_button.wanted.connect(self._export)
        self.fill([], [])

    def fill(self, columns: Sequence[str], rows: Sequence[tuple[str, str, Sequence[str]]]) -> None:
        """Show these rows, as ``PlainTable.fill`` does; without any, the words."""
        self.table.fill(columns, rows)
        self.table.setVisible(bool(rows))
        self.export_button.setVisible(bool(rows))
        self.title.setVisible(bool(rows) or bool(self.empty.text()))  # no title over nothing
        self.empty.setVisible(not rows and bool(self.empty.text()))
        if not rows:
            self.notice.clear()

    @Slot(str, str)
    def _export(self, _: str, path: str) -> None:
        try:
            self.table.export_csv(Path(path))
        except LabError as error:
            self.notice.say(str(error), "error")
        else:
            self.notice.clear()

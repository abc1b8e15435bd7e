"""Everything a menu or a key can do, in one table."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from PySide6.QtCore import QObject, Qt
from PySide6.QtGui import QAction, QActionGroup, QKeySequence
from PySide6.QtWidgets import QMenu, QMenuBar


@dataclass(frozen=True)
class ActionSpec:
    """One action: where it stands, what it says, which keys call it."""

    key: str
    menu: str
    """Titles from the menu bar down, joined by "/". Empty: in no menu, keys only."""
    text: str
    tip: str
    """What it does, in a sentence."""
    keys: tuple[str, ...] = ()
    checkable: bool = False
    group: str = ""
    """Of the checkable actions in a group exactly one is checked."""
    separated: bool = False
    """Whether a line stands above it in the menu."""
    role: QAction.MenuRole = QAction.MenuRole.NoRole
    """Where macOS puts it."""


ACTIONS: tuple[ActionSpec, ...] = (
    ActionSpec(
        "open_text",
        "&File",
        "&Open a text…",
        "Learn from a text file of your own.",
        ("Ctrl+O",),
    ),
    ActionSpec(
        "quit",
        "&File",
        "&Quit",
        "Stop what is running and close the lab.",
        ("Ctrl+Q",),
        separated=True,
        role=QAction.MenuRole.QuitRole,
    ),
    ActionSpec(
        "pause_job",
        "&Run",
        "&Pause",
        "Let the running job wait, or go on.",
        ("Ctrl+Shift+P",),
        checkable=True,
    ),
    ActionSpec("stop_job", "&Run", "&Stop", "Stop the running job.", ("Ctrl+.",)),
    ActionSpec(
        "larger_text",
        "&View",
        "&Larger text",
        "Make all text larger.",
        ("Ctrl++", "Ctrl+="),
    ),
    ActionSpec("smaller_text", "&View", "&Smaller text", "Make all text smaller.", ("Ctrl+-",)),
    ActionSpec("normal_text", "&View", "&Normal text size", "Set text back to 100 %.", ("Ctrl+0",)),
    ActionSpec(
        "theme_system",
        "&View/&Theme",
        "As the &system",
        "Follow the system's light or dark setting.",
        checkable=True,
        group="theme",
        separated=True,
    ),
    ActionSpec(
        "theme_light",
        "&View/&Theme",
        "&Light",
        "Dark text on light ground.",
        checkable=True,
        group="theme",
    ),
    ActionSpec(
        "theme_dark",
        "&View/&Theme",
        "&Dark",
        "Light text on dark ground.",
        checkable=True,
        group="theme",
    ),
    ActionSpec(
        "motion",
        "&View",
        "&Motion",
        "Let things move to show what changes.",
        checkable=True,
        separated=True,
    ),
    ActionSpec(
        "full_screen",
        "&View",
        "&Full screen",
        "Fill the whole screen, or go back.",
        ("F11",),
        checkable=True,
    ),
    ActionSpec("show_keys", "&Help", "&Keyboard shortcuts", "List what every key does.", ("F1",)),
    ActionSpec(
        "show_log",
        "&Help",
        "Show the &log",
        "Show what the lab has written down about its own work.",
    ),
    ActionSpec(
        "about",
        "&Help",
        "&About the lab",
        "What this is, and with which versions it runs.",
        separated=True,
        role=QAction.MenuRole.AboutRole,
    ),
)
"""Order is the order in the menus."""


class Actions(QObject):
    """The actions made from a table, each found by its key."""

    def __init__(self, parent: QObject, specs: tuple[ActionSpec, ...] = ACTIONS) -> None:
        super().__init__(parent)
        self._specs = specs
        self._actions: dict[str, QAction] = {}
        groups: dict[str, QActionGroup] = {}
        for spec in specs:
            action = QAction(spec.text, self)
            action.setObjectName(spec.key)
            action.setStatusTip(spec.tip)
            action.setToolTip(spec.tip)
            action.setShortcuts([QKeySequence(key) for key in spec.keys])
            action.setShortcutContext(Qt.ShortcutContext.WindowShortcut)
            action.setCheckable(spec.checkable)
            action.setMenuRole(spec.role)
            if spec.group:
                groups.setdefault(spec.group, QActionGroup(self)).addAction(action)
            self._actions[spec.key] = action

    def __getitem__(self, key: str) -> QAction:
        return self._actions[key]

    def connect_all(self, slots: dict[str, Callable[..., object]]) -> None:
        """Connect each action's triggered to a bound method.

        Raises:
            KeyError: if an action has no slot, or a slot no action.
        """
        if slots.keys() != self._actions.keys():
            raise KeyError(f"not matched: {slots.keys() ^ self._actions.keys()}")
        for key, slot in slots.items():
            self._actions[key].triggered.connect(slot)

    def fill(self, bar: QMenuBar) -> None:
        """Make the menus."""
        menus: dict[str, QMenu] = {}
        for spec in self._specs:
            if not spec.menu:
                continue
            menu: QMenu | None = None
            path = ""
            for title in spec.menu.split("/"):
                path = f"{path}/{title}" if path else title
                if path not in menus:
                    if menu is not None and spec.separated:
                        menu.addSeparator()
                    menus[path] = (bar if menu is None else menu).addMenu(title)
                    menus[path].setToolTipsVisible(True)
                menu = menus[path]
            if menu is not None:
                if spec.separated and not menu.isEmpty():
                    menu.addSeparator()
                menu.addAction(self._actions[spec.key])

    def table(self) -> list[tuple[str, str, str]]:
        """Each action that has keys: its keys, its name, its sentence."""
        native = QKeySequence.SequenceFormat.NativeText
        return [
            (
                "  or  ".join(QKeySequence(key).toString(native) for key in spec.keys),
                spec.text.replace("&", "").rstrip("…"),
                spec.tip,
            )
            for spec in self._specs
            if spec.keys
        ]

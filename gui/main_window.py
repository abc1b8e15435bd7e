"""The main window: header, tabs, status bar, menus, and the bars for what went wrong."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtGui import QCloseEvent, QKeySequence, QShortcut
from PySide6.QtWidgets import (
    QFileDialog,
    QFrame,
    QLabel,
    QMainWindow,
    QScrollArea,
    QSplitter,
    QTabWidget,
    QVBoxLayout,
    QWidget,
)

from engine.workspace.staleness import Outdated
from gui import dialogs, theme
from gui.actions import Actions
from gui.bars import CrashBar, ErrorBar
from gui.header import Header
from gui.job_status import JobStatus
from gui.lab import Lab
from gui.pages import ContinuesRuns
from gui.places import log_dir
from gui.run_offer import RunOfferBar
from gui.settings import WindowState
from gui.tabs import TabSpec

log = logging.getLogger(__name__)

FIRST_SIZE = (1280, 800)
"""The window's size at the very first start, where the screen has room for it."""


class MainWindow(QMainWindow):
    """What a person sees. It makes a tab's widget when the tab is first shown."""

    closing = Signal()
    """The window was closed; the application ends the rest."""

    def __init__(self, lab: Lab, state: WindowState, tabs: Sequence[TabSpec]) -> None:
        super().__init__()
        self.setObjectName("main_window")
        self.setWindowTitle("Next Token Lab")
        self.lab = lab
        self._state = state
        self._specs = tuple(tabs)
        self._made: dict[str, QWidget] = {}
        self._pages: list[QScrollArea] = []
        self._tab_keys: list[QShortcut] = []
        self._closed = False

        self.header = Header(lab)
        self.error_bar = ErrorBar()
        self.crash_bar: CrashBar | None = None
        self.run_bar: RunOfferBar | None = None
        self.tabs = QTabWidget()
        self.tabs.setObjectName("tabs")
        self.tabs.setDocumentMode(True)
        self.tabs.setAccessibleName("The lab's parts")
        for number, spec in enumerate(self._specs, 1):
            page = QScrollArea()  # so that large text on a small screen is never cut off
            page.setObjectName(spec.key)
            page.setWidgetResizable(True)
            page.setFrameShape(QFrame.Shape.NoFrame)
            page.setFocusPolicy(Qt.FocusPolicy.NoFocus)
            self._pages.append(page)
            self.tabs.addTab(page, spec.title)
            self.tabs.setTabToolTip(number - 1, f"{spec.tip} (Ctrl+{number})")
            # A child of the window: a hidden page's shortcut would sleep with it.
            self._tab_keys.append(QShortcut(QKeySequence(f"Ctrl+{number}"), self))
        self._top = QVBoxLayout()
        self._top.setSpacing(0)
        centre = QWidget()
        column = QVBoxLayout(centre)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addLayout(self._top)
        self._top.addWidget(self.error_bar)
        self._top.addWidget(self.header)
        column.addWidget(self.tabs, 1)
        self.setCentralWidget(centre)

        self.job_status = JobStatus(lab.compute)
        self.idle = QLabel("Ready. Everything is computed on this computer; nothing leaves it.")
        theme.set_text_role(self.idle, "caption", "muted")
        self.idle.setContentsMargins(lab.theme.px(16), 0, 0, 0)
        self.statusBar().addWidget(self.idle)
        self.statusBar().addPermanentWidget(self.job_status)
        self.statusBar().setSizeGripEnabled(False)
        self.actions_ = Actions(self)
        self.actions_.fill(self.menuBar())
        self._connect()
        self._show_look()
        self._show_job()
        self._restore()

    def _connect(self) -> None:
        lab, look = self.lab, self.lab.theme
        self.actions_.connect_all(
            {
                "open_text": self.open_text,
                "quit": self.close,
                "pause_job": self._toggle_pause,
                "stop_job": self.job_status.stop,
                "larger_text": look.larger_text,
                "smaller_text": look.smaller_text,
                "normal_text": self._normal_text,
                "theme_system": self._choose_theme,
                "theme_light": self._choose_theme,
                "theme_dark": self._choose_theme,
                "motion": look.set_motion,
                "full_screen": self._full_screen,
                "show_keys": self.show_keys,
                "show_log": self.show_log,
                "about": self.show_about,
            }
        )
        for shortcut in self._tab_keys:
            shortcut.activated.connect(self._tab_by_key)
        look.changed.connect(self._show_look)
        lab.compute.state_changed.connect(self._show_job)
        lab.compute.job_finished.connect(self._show_job)
        lab.compute.job_failed.connect(self._show_job)
        lab.compute.job_cancelled.connect(self._show_job)
        lab.errors.reported.connect(self.error_bar.show_report)
        lab.confirm = self.confirm
        lab.tab_wished.connect(self.show_tab)
        self.tabs.currentChanged.connect(self._show_tab)

    # ------------------------------------------------------------------------------------ tabs
    @property
    def keys(self) -> tuple[str, ...]:
        """The keys of all tabs, in order."""
        return tuple(spec.key for spec in self._specs)

    @property
    def current_key(self) -> str:
        """The key of the tab that is shown."""
        return self._specs[self.tabs.currentIndex()].key

    def tab(self, key: str) -> QWidget:
        """The widget of a tab, made if it was never shown.

        Raises:
            KeyError: if there is no such tab.
        """
        if key not in self._made:
            index = [spec.key for spec in self._specs].index(key) if self._has(key) else -1
            if index < 0:
                raise KeyError(key)
            self._made[key] = self._make(self._specs[index])
            self._pages[index].setWidget(self._made[key])
            self._restore_splitters(self._made[key])
        return self._made[key]

    def show_tab(self, key: str) -> None:
        """Bring a tab to the front. Unknown keys change nothing."""
        for index, spec in enumerate(self._specs):
            if spec.key == key:
                self.tabs.setCurrentIndex(index)

    def _has(self, key: str) -> bool:
        return any(spec.key == key for spec in self._specs)

    def _make(self, spec: TabSpec) -> QWidget:
        try:
            widget = spec.factory(self.lab)
        except Exception as error:  # one broken tab must not take the others along
            self.lab.errors.report_exception(error)
            apology = QLabel(f"“{spec.title}” could not be opened. The bar above says why.")
            apology.setAlignment(Qt.AlignmentFlag.AlignCenter)
            apology.setWordWrap(True)
            theme.set_text_role(apology, "body", "muted")
            return apology
        # Whatever the tab imported (pyqtgraph) may have changed hooks and needs our colours.
        self.lab.errors.claim_hooks()
        theme.prepare_pyqtgraph()
        return widget

    @Slot(int)
    def _show_tab(self, index: int) -> None:
        if 0 <= index < len(self._specs) and not self._closed:
            self.tab(self._specs[index].key)

    @Slot()
    def _tab_by_key(self) -> None:
        shortcut = self.sender()
        for index, known in enumerate(self._tab_keys):
            if known is shortcut:
                self.tabs.setCurrentIndex(index)

    # --------------------------------------------------------------------------------- actions
    @Slot()
    def open_text(self) -> None:
        """Let the person choose a text file, and make it the corpus."""
        path, _ = QFileDialog.getOpenFileName(
            self, "Open a text", str(Path.home()), "Text files (*.txt);;All files (*)"
        )
        if path:
            self.lab.choose_corpus(Path(path))

    @Slot()
    def show_keys(self) -> None:
        """The dialog of keyboard shortcuts."""
        rows = self.actions_.table()
        rows += [
            (f"Ctrl+{n}", spec.title, f"Show this tab. {spec.tip}")
            for n, spec in enumerate(self._specs, 1)
        ]
        dialogs.KeysDialog(rows, self).open()

    @Slot()
    def show_log(self) -> None:
        """The dialog with the end of the log."""
        dialogs.log_dialog(log_dir(), self).open()

    @Slot()
    def show_about(self) -> None:
        """The dialog with names and versions."""
        dialogs.about_dialog(self).open()

    def confirm(self, what: str, outdated: Sequence[Outdated]) -> bool:
        """Ask before trained work goes out of date."""
        return dialogs.confirm_outdated(self, what, outdated)

    @Slot()
    def _toggle_pause(self) -> None:
        self.job_status.toggle_pause()
        self._show_job()

    @Slot()
    def _normal_text(self) -> None:
        self.lab.theme.set_text_size(100)

    @Slot()
    def _choose_theme(self) -> None:
        action = self.sender()
        if action is not None:
            self.lab.theme.set_mode(action.objectName().removeprefix("theme_"))
            self._show_look()

    @Slot(bool)
    def _full_screen(self, full: bool) -> None:
        if full:
            self.showFullScreen()
        else:
            self.showNormal()

    # ------------------------------------------------------------------------- what is in force
    @Slot()
    def _show_look(self) -> None:
        """Check the menu's marks, and remember the look."""
        look, preferences = self.lab.theme, self.lab.preferences
        preferences.theme, preferences.text_size = look.mode, look.text_size
        preferences.motion = look.motion
        self.actions_[f"theme_{look.mode}"].setChecked(True)
        self.actions_["motion"].setChecked(look.motion)

    @Slot()
    def _show_job(self, _: object = None) -> None:
        job = self.job_status.job
        self.idle.setVisible(job is None)
        for key in ("pause_job", "stop_job"):
            self.actions_[key].setEnabled(job is not None)
        self.actions_["pause_job"].setChecked(job is not None and job.pause_asked)

    def set_lab_bar(self, bar: QWidget) -> None:
        """Put the widget with the shared choices into the header."""
        self.header.set_bar(bar)

    def offer_crash(self, path: Path) -> None:
        """Show the bar about the last crash."""
        self.crash_bar = CrashBar(path)
        self._top.insertWidget(0, self.crash_bar)

    def offer_runs(self, bar: RunOfferBar) -> None:
        """Show the bar about runs that were interrupted."""
        self.run_bar = bar
        self._top.insertWidget(0, bar)
        bar.continued.connect(self.continue_run)
        bar.show()

    @Slot(str, str)
    def continue_run(self, tab: str, key: str) -> None:
        """Let a tab go on with a kept run, and bring it to the front."""
        self.show_tab(tab)
        widget = self.tab(tab)
        if isinstance(widget, ContinuesRuns):
            widget.continue_run(key)
        self.tabs.tabBar().setFocus()  # the button that was pressed is gone

    # ------------------------------------------------------------------------------ remembering
    def _restore(self) -> None:
        if not self.restoreGeometry(self._state.bytes("geometry")):
            room = self.screen().availableSize()
            self.resize(min(FIRST_SIZE[0], room.width()), min(FIRST_SIZE[1], room.height()))
        self.show_tab(self._state.text("tab"))

    def _restore_splitters(self, widget: QWidget) -> None:
        for splitter in _splitters(widget):
            splitter.restoreState(self._state.bytes(f"splitters/{splitter.objectName()}"))

    def remember(self) -> None:
        """Keep size, place, tab and splitters for the next start."""
        self._state.set_bytes("geometry", self.saveGeometry())
        self._state.set_text("tab", self.current_key)
        for widget in self._made.values():
            for splitter in _splitters(widget):
                name = f"splitters/{splitter.objectName()}"
                self._state.set_bytes(name, splitter.saveState())
        self._state.sync()

    def open_first_tab(self) -> None:
        """Make the tab that is in front; called once the window is on screen."""
        self._show_tab(self.tabs.currentIndex())
        self.tabs.tabBar().setFocus()

    def closeEvent(self, event: QCloseEvent) -> None:
        if not self._closed:
            self._closed = True
            self.closing.emit()
        event.accept()


def _splitters(widget: QWidget) -> list[QSplitter]:
    """The splitters that have a name to be remembered by."""
    return [splitter for splitter in widget.findChildren(QSplitter) if splitter.objectName()]

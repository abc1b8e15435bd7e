"""The page "Inside": the same context through the transformer, down to the arithmetic."""

from __future__ import annotations

from PySide6.QtCore import QSignalBlocker, Qt, Slot
from PySide6.QtGui import QResizeEvent, QShowEvent, QTextCursor
from PySide6.QtWidgets import (
    QBoxLayout,
    QComboBox,
    QFrame,
    QHBoxLayout,
    QLabel,
    QPlainTextEdit,
    QScrollArea,
    QSizePolicy,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from gui import theme
from gui.job_handle import Failure
from gui.lab import Lab
from gui.pages import RunChoice, SharedContext
from gui.transformer.looking import Look, Switches, look, move
from gui.transformer.overview import Overview
from gui.transformer.steps import Stage, stages
from gui.transformer.views import Views
from gui.widgets.exports import ExportButton
from gui.widgets.look import em
from gui.widgets.notice import EmptyState, Notice
from gui.widgets.safe_text import plain_label
from gui.widgets.token_strip import TokenStrip
from gui.widgets.token_text import Vocabulary

_LOOK = ("transformer", "look")
_NARROW = 58
"""Below so many em of width, the overview stands above the rest instead of beside it."""


class InsidePage(QWidget):
    """Overview on the left; on the right steps, heads, logit lens and switches."""

    def __init__(self, lab: Lab, runs: RunChoice, context: SharedContext) -> None:
        super().__init__()
        self.lab, self.runs, self.context = lab, runs, context
        self._stale = True
        self._look: Look | None = None
        self._stages: tuple[Stage, ...] = ()
        self._stage, self._head = 0, 0
        self._position: int | None = None
        self._asked_position: int | None = None
        self._switches = Switches()

        self.empty = EmptyState(
            "No transformer to look into yet",
            "Train one in the Training tab: even ten seconds of training give it insides worth "
            "seeing. It must read the tokens chosen above.",
            "Go to Training",
            parent=self,
        )
        self.empty.pressed.connect(self._wish_training)
        self._stack = QStackedWidget()
        self._stack.addWidget(self.empty)
        self._stack.addWidget(self._make_body())
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.addWidget(self._stack)
        runs.changed.connect(self.refresh)
        context.changed.connect(self._context_changed)
        theme.current().changed.connect(self._dress)
        self._dress()

    def _make_body(self) -> QWidget:
        body = QWidget()
        run_caption = QLabel("&Model")
        self.run_box = QComboBox()
        self.run_box.setAccessibleName("Model")
        self.run_box.setToolTip("The trained transformer to look into.")
        self.run_box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
        self.run_box.setMinimumContentsLength(12)  # a very long name is cut in a narrow window
        self.run_box.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        self.run_box.activated.connect(self._run_chosen)
        run_caption.setBuddy(self.run_box)
        text_caption = QLabel("Text s&o far")
        self.field = QPlainTextEdit()
        self.field.setObjectName("inside context")
        self.field.setAccessibleName("Text so far")
        self.field.setToolTip("The context that the model reads; the other pages share it.")
        self.field.setTabChangesFocus(True)
        self.field.textChanged.connect(self._typed)
        text_caption.setBuddy(self.field)
        self._top = QHBoxLayout()
        self._top.addWidget(text_caption)
        self._top.addWidget(self.field, 1)
        self._top.addWidget(run_caption)
        self._top.addWidget(self.run_box)
        self.strip = TokenStrip(name="The window's tokens; choose the position to look at")
        self.strip.setToolTip("Click a token to follow its vector through the model.")
        self.strip.set_visible_lines(1, 2)
        self.strip.selected.connect(self._chip_chosen)
        self.said = plain_label(wrap=True)
        theme.set_text_role(self.said, "caption", "muted")
        self.notice = Notice()
        self.notice.pressed.connect(self._all_on)

        self.overview = Overview()
        self.overview.chosen.connect(self._block_chosen)
        self.side = QScrollArea()
        self.side.setWidgetResizable(True)
        self.side.setFrameShape(QFrame.Shape.NoFrame)
        self.side.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.side.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.side.setWidget(self.overview)
        self.views = Views(self.lab)
        self.views.head_chosen.connect(self._head_chosen)
        self.views.stage_wished.connect(self._step_over)
        self.views.layer_and_head_chosen.connect(self._layer_and_head_chosen)
        self.views.position_chosen.connect(self.look_at)
        self.views.switched.connect(self._switched)
        self.views.shown.connect(self._show_view)
        self._split = QBoxLayout(QBoxLayout.Direction.LeftToRight)
        self.export_button = ExportButton("The model block by block")
        self.export_button.wanted.connect(self.overview.export)
        column = QVBoxLayout()
        column.addWidget(self.side, 1)
        column.addWidget(self.export_button, 0, Qt.AlignmentFlag.AlignLeft)
        self._split.addLayout(column, 2)
        self._split.addWidget(self.views, 5)
        self._rows = QVBoxLayout(body)
        self._rows.addLayout(self._top)
        for widget in (self.strip, self.said, self.notice):
            self._rows.addWidget(widget)
        self._rows.addLayout(self._split, 1)
        return body

    # ------------------------------------------------------------------------------------ computing
    @property
    def look(self) -> Look | None:
        """What is shown."""
        return self._look

    @Slot()
    def refresh(self) -> None:
        """Look anew now, or once the page is shown."""
        self._stale = True
        if self.isVisible():
            self._stale = False
            self._compute()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        if self._stale:
            self.refresh()

    def _compute(self) -> None:
        run = self.runs.run
        self._stack.setCurrentIndex(0 if run is None else 1)
        if run is None:
            self._look = None
            self.lab.compute.forget(_LOOK)
            return
        self._list_runs()
        self._put_text()
        if self._look is not None and self._look.inside.config != run.model.config:
            self._switches = Switches()
        self._asked_position = self._position
        self.lab.compute.request(
            _LOOK,
            look,
            run,
            self.context.text,
            self._position,
            self._switches,
            on_result=self._show,
            on_error=self._failed,
            title="Looking into the transformer",
        )

    @Slot(object)
    def _show(self, found: Look) -> None:
        if found.run is not self.runs.run or found.text != self.context.text:
            return  # a newer question is on its way, or will be asked when this is shown
        self._look = found
        config = found.inside.config
        self._stages = stages(config)
        self._stage = min(self._stage, len(self._stages) - 1)
        self._head = min(self._head, config.heads - 1)
        self._show_tokens(found)
        self._say_window(found)
        self._say_notice(found)
        self.overview.show_look(found, self._stages)
        self.overview.set_chosen(self._stage, self._head)
        self._show_view(self.views.current_key)

    @Slot(object)
    def _failed(self, failure: Failure) -> None:
        self.notice.say(failure.sentence, "error")

    @Slot(str)
    def _show_view(self, key: str) -> None:
        found = self._look
        if found is None:
            return
        if key == "steps":
            self.views.steps.show_stage(found, self._stages[self._stage], self._head)
        elif key == "heads":
            stage = self._stages[self._stage]
            last = found.inside.config.layers - 1
            self.views.heads.show_look(found, min(max(stage.layer, 0), last), self._head)
        elif key == "lens":
            self.views.lens.show_look(found)
        else:
            self.views.off.show_look(found)

    # -------------------------------------------------------------------------------------- showing
    def _show_tokens(self, found: Look) -> None:
        tokenizer = found.run.tokenizer.tokenizer
        unknown = () if tokenizer.unknown_id is None else (tokenizer.unknown_id,)
        vocabulary = Vocabulary(
            tokenizer.token_bytes,
            unknown_ids=unknown,
            names={tokenizer.vocab_size: "begin of text"},
        )
        with QSignalBlocker(self.strip):
            self.strip.set_tokens(found.inside.ids.tolist(), vocabulary)
            self.strip.select(found.position)

    def _say_window(self, found: Look) -> None:
        n, before = len(found.inside.ids), found.inside.start
        window = f"The model's window holds the last {n:,} tokens. " if before else ""
        self.said.setText(
            f"{window}Click a token to follow its vector, a block for its steps, a number for its "
            "arithmetic; or press Next to go all the way through."
        )

    def _say_notice(self, found: Look) -> None:
        if found.switches:
            self.notice.say(
                "Parts of the model are switched off; every picture shows it without them.",
                "warning",
                "Switch everything on",
            )
        elif found.inside.shortened:
            self.notice.say(
                f"Only the last {len(found.inside.ids):,} tokens of the window are read here: "
                "keeping every score of more would take too much memory. The other pages read "
                "all, so their probabilities may differ.",
                "warning",
            )
        else:
            self.notice.clear()

    def _list_runs(self) -> None:
        names = [run.name for run in self.runs.runs]
        if [self.run_box.itemText(i) for i in range(self.run_box.count())] != names:
            self.run_box.clear()
            self.run_box.addItems(names)
        run = self.runs.run
        if run is not None:
            self.run_box.setCurrentIndex(names.index(run.name))

    def _put_text(self) -> None:
        if self.field.toPlainText() != self.context.text:
            with QSignalBlocker(self.field):
                self.field.setPlainText(self.context.text)
            self.field.moveCursor(QTextCursor.MoveOperation.End)

    # ------------------------------------------------------------------------------------- choosing
    @Slot()
    def _typed(self) -> None:
        self.context.set_text(self.field.toPlainText())

    @Slot()
    def _context_changed(self) -> None:
        self._position = None
        self.refresh()

    @Slot(int)
    def _run_chosen(self, index: int) -> None:
        self.runs.choose_run(self.run_box.itemText(index))

    @Slot(int)
    def _chip_chosen(self, position: int) -> None:
        if position >= 0:
            self.look_at(position)

    @Slot(int)
    def look_at(self, position: int) -> None:
        """Follow another position of the window."""
        found = self._look
        if found is None or position == found.position:
            return
        self._position = position
        self.lab.compute.request(
            _LOOK,
            move,
            found,
            position,
            on_result=self._show,
            on_error=self._failed,
            title="Looking into the transformer",
        )

    @Slot(int, int)
    def _block_chosen(self, stage: int, head: int) -> None:
        self._stage = stage
        if head >= 0:
            self._head = head
        self._show_choice()
        if self.views.current_key not in ("steps", "heads"):
            self.views.show_page("steps")

    @Slot(int)
    def _step_over(self, step: int) -> None:
        """Go on in the next block, or back in the one before."""
        wished = self._stage + step
        if 0 <= wished < len(self._stages):
            self._stage = wished
            self.views.steps.begin_at(self._stages[wished], last=step < 0)
            self._show_choice()

    @Slot(int)
    def _head_chosen(self, head: int) -> None:
        self._head = head
        self._show_choice()

    @Slot(int, int)
    def _layer_and_head_chosen(self, layer: int, head: int) -> None:
        self._head = head
        for number, stage in enumerate(self._stages):
            if stage.key == "attention" and stage.layer == layer:
                self._stage = number
        self._show_choice()

    def _show_choice(self) -> None:
        self.overview.set_chosen(self._stage, self._head)
        block = self.overview.block_rect(self._stage)
        self.side.ensureVisible(
            round(block.center().x()), round(block.center().y()), 0, round(block.height())
        )
        self._show_view(self.views.current_key)

    @Slot(object)
    def _switched(self, switches: Switches) -> None:
        self._switches = switches
        self.refresh()

    @Slot()
    def _all_on(self) -> None:
        self._switched(Switches())

    @Slot()
    def _wish_training(self) -> None:
        self.lab.tab_wished.emit("training")

    # --------------------------------------------------------------------------------------- layout
    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._arrange()

    def _arrange(self) -> None:
        unit = em(self.font())
        narrow = self.width() < _NARROW * unit
        directions = QBoxLayout.Direction
        self._split.setDirection(directions.TopToBottom if narrow else directions.LeftToRight)
        self.side.setMinimumHeight(round(unit * (14 if narrow else 10)))
        self.views.setMinimumHeight(round(unit * (18 if narrow else 14)))

    @Slot()
    def _dress(self) -> None:
        seen = theme.current()
        self._rows.setContentsMargins(0, 0, 8, 0)
        self._rows.setSpacing(seen.space(0.5))
        self._top.setSpacing(seen.space(1))
        self._split.setSpacing(seen.space(1.5))
        margin = round(self.field.document().documentMargin())
        line = self.field.fontMetrics().lineSpacing()
        self.field.setFixedHeight(2 * line + 2 * margin + 2 * self.field.frameWidth() + seen.px(4))
        self._arrange()

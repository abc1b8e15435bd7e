"""What each part is worth: switched off alone, one after the other, on held-out text."""

from __future__ import annotations

from PySide6.QtCore import Slot
from PySide6.QtWidgets import QPushButton, QVBoxLayout, QWidget

from engine.workspace.made import TrainedRun
from gui.lab import Lab
from gui.transformer.looking import SAMPLE_TOKENS, Worth, most_missed, parts_of, worth_of_parts
from gui.widgets.flow_layout import FlowRow
from gui.widgets.notice import Notice
from gui.widgets.titled_table import TitledTable
from gui.widgets.work import Bet, Work

KINDS = {
    "positions": "the positions",
    "head": "one of its heads",
    "ffn": "one of its FFNs",
    "residual": "one of its residual connections",
}


class WorthView(QWidget):
    """A bet on what the model will miss most, and the parts in order of what they cost."""

    def __init__(self, lab: Lab, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._lab = lab
        self._run: TrainedRun | None = None
        self._kinds: list[str] = []
        self.found: tuple[Worth, ...] = ()
        """What is known, the worst loss first."""
        self.start = QPushButton("&Try every part")
        self.start.setToolTip(
            f"Switch every part off by itself and score about {SAMPLE_TOKENS:,} held-out tokens."
        )
        self.stop = QPushButton("Stop")
        self.stop.setToolTip("Stop trying; what was measured stays.")
        self.work = Work(lab.compute, self.stop, self)
        self.bet = Bet(self.start, self)
        row = FlowRow()
        row.add(self.start)
        row.add(self.stop)
        self.table = TitledTable(
            "What each part costs when it is missing",
            empty="Make a bet, or press “Try every part”.",
        )
        self.notice = Notice()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        for part in (self.bet.card, row, self.notice, self.table):
            column.addWidget(part)
        self.bet.wanted.connect(self.measure)
        self.work.came.connect(self._show)
        self.work.finished.connect(self._judge)
        self.work.failed.connect(self._failed)
        self.work.stopped.connect(self.bet.again)
        lab.streams_changed.connect(self._renew)

    def show_run(self, run: TrainedRun) -> None:
        """Ask about another model; the same one changes nothing."""
        if run is not self._run:
            self._run = run
            self._renew()

    @Slot()
    def _renew(self) -> None:
        """Another model or another text: what was measured is of the past."""
        run = self._run
        self.work.drop()
        self._show(())
        self.notice.clear()
        if run is None:
            return
        streams, tokenizer = self._lab.streams, self._lab.tokenizer
        able = (
            streams is not None
            and tokenizer is not None
            and run.tokenizer.fingerprint == tokenizer.fingerprint
            and streams.held_out.n_targets > 0
        )
        self.start.setEnabled(able)
        if not able:
            self.bet.withdraw()
            self.notice.say("There is no held-out text in this model's tokens to try it on.")
            return
        self._kinds = list(dict.fromkeys(kind for kind, _, _ in parts_of(run)))
        self.bet.ask(
            "Switched off alone: without which will the held-out loss of this model rise most?",
            [KINDS[kind] for kind in self._kinds],
        )
        self.bet.again()

    @Slot()
    def measure(self) -> None:
        """Try every part."""
        if self._run is None or self._lab.streams is None:
            return
        self._show(())
        self.work.start(
            worth_of_parts,
            self._run,
            self._lab.streams.held_out,
            SAMPLE_TOKENS,
            title="Switching parts off, one by one",
            unit="tokens",
        )

    @Slot(object)
    def _show(self, found: tuple[Worth, ...]) -> None:
        self.found = found
        rows = []
        for worth in found:
            a = worth.ablation
            sign = "+" if a.difference >= 0 else "−"
            error = "–" if a.error != a.error else f"± {a.error:.3f}"
            tip = f"{a.tokens:,} held-out tokens; the whole model: {a.whole:.3f} bits per token."
            cells = [f"{sign}{abs(a.difference):.3f}", error, f"{a.without:.3f}"]
            rows.append((worth.name, tip, cells))
        heads = ["more bits per token", "standard error", "bits per token without"]
        self.table.fill(heads if rows else [], rows)

    @Slot(object)
    def _judge(self, found: tuple[Worth, ...]) -> None:
        kinds, why = most_missed(found)
        self.bet.judge([self._kinds.index(kind) for kind in kinds], why)

    @Slot(str)
    def _failed(self, sentence: str) -> None:
        self.bet.again()
        self.notice.say(sentence, "error")

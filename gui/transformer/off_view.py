"""Switch parts of the model off, and see the bars and the held-out loss move."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import Signal, Slot
from PySide6.QtWidgets import QCheckBox, QGridLayout, QPushButton, QVBoxLayout, QWidget

from engine.models.transformer.config import TransformerConfig
from gui import theme
from gui.job_handle import Failure, JobHandle
from gui.lab import Lab
from gui.transformer.looking import SAMPLE_TOKENS, Look, Switches, held_out
from gui.transformer.worth_view import WorthView
from gui.widgets.distribution_bars import Distribution, DistributionBars
from gui.widgets.flow_layout import FlowRow
from gui.widgets.look import em
from gui.widgets.safe_text import plain_label
from gui.widgets.token_text import Vocabulary


class OffView(QWidget):
    """A switch for every head, FFN, residual connection and the positions."""

    switched = Signal(object)
    """The Switches in force now."""

    def __init__(self, lab: Lab, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._lab = lab
        self._look: Look | None = None
        self._config: TransformerConfig | None = None
        self._job: JobHandle | None = None
        self._job_of: tuple[Any, Switches] | None = None
        self._measured: tuple[Any, Switches, Any] | None = None
        self._boxes: dict[tuple[str, int, int], QCheckBox] = {}
        self._quiet = False

        self.words = plain_label(
            "A ticked part works; take the tick away and it adds nothing (a residual connection: "
            "its layer's outputs replace the stream). The rest of the model has never met such "
            "inputs, so the damage is an upper bound of what the part is worth.",
            self,
            wrap=True,
        )
        self.panel = QWidget(self)
        self.all_on = QPushButton("Switch everything &on")
        self.all_on.setToolTip("Bring every part back.")
        self.all_on.clicked.connect(self.clear)
        self.sample = QPushButton("&Measure held-out loss")
        self.sample.setToolTip(
            f"Score about {SAMPLE_TOKENS:,} tokens that no training saw, with and without."
        )
        self.sample.clicked.connect(self.measure)
        self.everything = QPushButton("On &all held-out text")
        self.everything.setToolTip("The same on all of it; it can be stopped in the status bar.")
        self.everything.clicked.connect(self.measure_all)
        row = FlowRow(self)
        for button in (self.all_on, self.sample, self.everything):
            row.add(button)
        self.loss = plain_label("", self, wrap=True)
        self.loss.setAccessibleName("Held-out loss")
        theme.set_text_role(self.loss, "strong")
        self.bars = DistributionBars(self, count=8)
        self.worth = WorthView(lab, self)
        column = QVBoxLayout(self)
        for each in (self.words, self.panel, row, self.loss, self.bars, self.worth):
            column.addWidget(each)
        column.setStretch(4, 1)

    # -------------------------------------------------------------------------------------- showing
    def show_look(self, look: Look) -> None:
        """Show a look's switches and what they do to its bars."""
        self._look = look
        if look.inside.config != self._config:
            self._config = look.inside.config
            self._make_boxes(look.inside.config)
        self._put(look.switches)
        self.worth.show_run(look.run)
        vocabulary = Vocabulary.of(look.run.tokenizer.tokenizer)
        shown = [Distribution("Whole model", "transformer", look.log_probs)]
        if look.whole is not None:
            shown = [
                Distribution("Whole model", "transformer", look.whole),
                Distribution("With parts off", "neutral", look.log_probs),
            ]
        self.bars.set_distributions(shown, vocabulary)
        self.all_on.setEnabled(bool(look.switches))
        asked = self._job is not None and self._job_of == (look.run, look.switches)
        known = self._measured is not None and self._measured[1] == look.switches
        if look.switches and not asked and not known:
            self.measure()
        self._say_loss()

    def _make_boxes(self, config: TransformerConfig) -> None:
        for box in self._boxes.values():
            box.deleteLater()
        self._boxes = {}
        old = self.panel.layout()
        if old is not None:
            QWidget().setLayout(old)  # a widget takes a new layout only when the old has gone
        column = QVBoxLayout(self.panel)
        column.setContentsMargins(0, 0, 0, 0)
        grid = QGridLayout()
        column.addLayout(grid)
        if config.positions != "none":
            grid.addWidget(self._box("positions", 0, 0, "Positions"), 0, 1)
        for layer in range(config.layers):
            grid.addWidget(plain_label(f"Layer {layer + 1}", self.panel), layer + 1, 0)
            line = FlowRow(self.panel)
            for head in range(config.heads):
                line.add(self._box("head", layer, head, f"Head {head + 1}"))
            line.add(self._box("ffn", layer, 0, "FFN"))
            if config.residual:
                line.add(self._box("residual", layer, 0, "Residual"))
            grid.addWidget(line, layer + 1, 1)
        grid.setColumnStretch(1, 1)
        grid.setVerticalSpacing(round(em(self.font()) * 0.2))

    def _box(self, kind: str, layer: int, head: int, text: str) -> QCheckBox:
        box = QCheckBox(text, self.panel)
        box.setChecked(True)
        where = "" if kind == "positions" else f", layer {layer + 1}"
        box.setAccessibleName(f"{text}{where}")
        box.setToolTip(
            {
                "positions": "Without it the model does not know the order of the tokens.",
                "head": "Without it, this head's weighted sum is 0.",
                "ffn": "Without it, FFN(oₜ) is 0.",
                "residual": "Without it, attention and FFN of this layer replace the stream.",
            }[kind]
        )
        box.toggled.connect(self._toggled)
        self._boxes[kind, layer, head] = box
        return box

    def box(self, kind: str, layer: int = 0, head: int = 0) -> QCheckBox:
        """A switch: "head", "ffn", "residual" or "positions"."""
        return self._boxes[kind, layer, head]

    def switches(self) -> Switches:
        """What the boxes say."""
        off = [key for key, box in self._boxes.items() if not box.isChecked()]
        return Switches(
            heads=frozenset((layer, head) for kind, layer, head in off if kind == "head"),
            ffns=frozenset(layer for kind, layer, _ in off if kind == "ffn"),
            residuals=frozenset(layer for kind, layer, _ in off if kind == "residual"),
            positions=any(kind == "positions" for kind, _, _ in off),
        )

    def _put(self, switches: Switches) -> None:
        if switches == self.switches():
            return
        self._quiet = True
        for (kind, layer, head), box in self._boxes.items():
            off = {
                "head": (layer, head) in switches.heads,
                "ffn": layer in switches.ffns,
                "residual": layer in switches.residuals,
                "positions": switches.positions,
            }[kind]
            box.setChecked(not off)
        self._quiet = False

    @Slot(bool)
    def _toggled(self, on: bool) -> None:
        if not self._quiet:
            self.switched.emit(self.switches())

    @Slot()
    def clear(self) -> None:
        """Switch everything on."""
        self._put(Switches())
        self.switched.emit(Switches())

    # ------------------------------------------------------------------------------------- the loss
    @Slot()
    def measure(self) -> None:
        """Measure the held-out loss on a sample."""
        self._measure(SAMPLE_TOKENS)

    @Slot()
    def measure_all(self) -> None:
        """Measure it on all held-out text."""
        self._measure(None)

    def _measure(self, most: int | None) -> None:
        look, streams, tokenizer = self._look, self._lab.streams, self._lab.tokenizer
        if look is None or streams is None or tokenizer is None:
            return
        if (
            look.run.tokenizer.fingerprint != tokenizer.fingerprint
            or not streams.held_out.n_targets
        ):
            self.loss.setText("There is no held-out text in this model's tokens.")
            return
        if self._job is not None:
            self._job.discard()
        self._measured = None
        self._say_loss()
        switches = look.switches
        self._job = self._lab.compute.submit(
            held_out,
            look.run,
            switches,
            streams.held_out,
            most,
            title="Held-out loss with parts off",
            unit="tokens",
            urgent=True,
            on_result=self._show_loss,
            on_error=self._not_measured,
            on_cancelled=self._stopped,
        )
        self._job_of = (look.run, switches)
        self.loss.setText("Measuring the held-out loss …")

    @Slot(object)
    def _show_loss(self, ablation: Any) -> None:
        self._job = None
        if self._job_of is not None:
            self._measured = (*self._job_of, ablation)
        self._say_loss()

    @Slot(object)
    def _not_measured(self, failure: Failure) -> None:
        self._job = None
        self.loss.setText(failure.sentence)

    @Slot(object)
    def _stopped(self, handle: JobHandle) -> None:
        self._job = None
        self._say_loss()

    def _say_loss(self) -> None:
        look = self._look
        if self._job is not None and look is not None:
            return
        if self._measured is None or look is None:
            self.loss.setText("")
            return
        run, switches, found = self._measured
        if run is not look.run or switches != look.switches:
            self.loss.setText("")
            return
        size = f"{found.tokens:,} held-out tokens of {found.documents:,} documents"
        if not switches:
            self.loss.setText(f"Held-out loss: {found.whole:.3f} bits per token ({size}).")
            return
        error = "" if found.error != found.error else f" ± {found.error:.3f}"
        sign = "+" if found.difference >= 0 else "−"
        self.loss.setText(
            f"Held-out loss: {found.whole:.3f} → {found.without:.3f} bits per token "
            f"({sign}{abs(found.difference):.3f}{error}; {size})."
        )

"""Takes the pictures of README.md from the running app: docs/images/*.png.

Everything on them is computed while this runs: a transformer is trained for half a minute and a
policy for a few dozen updates. Run it on an idle machine; about two minutes.

usage: PYTHONPATH=. QT_QPA_PLATFORM=offscreen python scripts/make_readme_images.py
"""

from __future__ import annotations

from pathlib import Path

from gui.application import Application
from gui.offscreen import running_app, settle, wait_until

FOLDER = Path(__file__).resolve().parent.parent / "docs" / "images"
SIZE = (1280, 800)
UPDATES = 120


def take(app: Application, name: str) -> None:
    """Save the window as it is."""
    path = FOLDER / f"{name}.png"
    app.window.grab().save(str(path))
    print(f"{path.name}: {path.stat().st_size:,} bytes")


def main() -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    with running_app() as app:
        app.theme.set_mode("light")
        app.theme.set_motion(False)
        app.window.resize(*SIZE)

        app.window.show_tab("tokenization")
        tab = app.window.tab("tokenization")
        tab.show_page("merges")  # type: ignore[attr-defined]
        settle(app)
        pane = tab.switch.page("merges").learning  # type: ignore[attr-defined]
        for _ in range(6):
            pane.transport.step.click()
            settle(app)
        take(app, "tokenization")

        app.window.show_tab("language_models")
        app.window.tab("language_models").show_page("next")  # type: ignore[attr-defined]
        wait_until(lambda: app.lab.bundled is not None, 60, "the bundled transformer")
        settle(app)
        take(app, "language_models")

        app.window.show_tab("training")
        training = app.window.tab("training")
        settle(app)
        training.transport.start.click()  # type: ignore[attr-defined]
        session = training.session  # type: ignore[attr-defined]
        wait_until(lambda: session.phase.name == "FINISHED", 180, "the end of the run")
        settle(app)
        take(app, "training")

        app.window.show_tab("rewards")
        rewards = app.window.tab("rewards")
        settle(app)
        rewards.transport.start.click()  # type: ignore[attr-defined]
        run = rewards.session  # type: ignore[attr-defined]
        wait_until(lambda: run.news is not None and run.news.update >= UPDATES, 180, "updates")
        run.pause()
        wait_until(lambda: run.phase.name == "PAUSED", 30, "the pause")
        take(app, "rewards")


if __name__ == "__main__":
    main()

"""``python main.py --screenshots DIR``: pictures of every tab and page, without a screen."""

from __future__ import annotations

import argparse
import re
import sys
from pathlib import Path

from engine.errors import LabError
from gui.application import Application
from gui.offscreen import running_app, settle


def main(args: argparse.Namespace) -> int:
    """Render every page of every tab at every size, theme and text size.

    Returns 0, or 1 where the folder cannot be written.
    """
    try:
        args.screenshots.mkdir(parents=True, exist_ok=True)
        with running_app() as app:
            count = take_all(app, args.screenshots, args.sizes, args.themes, args.scales)
    except (OSError, LabError) as error:
        sys.stderr.write(f"The pictures cannot be written to {args.screenshots}: {error}\n")
        return 1
    sys.stdout.write(f"{count} pictures in {args.screenshots}\n")
    return 0


def take_all(
    app: Application,
    folder: Path,
    sizes: list[tuple[int, int]],
    themes: list[str],
    scales: list[int],
) -> int:
    """Take every picture; returns how many."""
    count = 0
    window = app.window
    app.theme.set_motion(False)
    for theme in themes:
        app.theme.set_mode(theme)
        for scale in scales:
            app.theme.set_text_size(scale)
            for width, height in sizes:
                window.resize(width, height)
                for number, key in enumerate(window.keys, 1):
                    window.show_tab(key)
                    tab = window.tab(key)
                    for page in tuple(getattr(tab, "page_keys", ())) or ("",):
                        if page:
                            tab.show_page(page)  # type: ignore[attr-defined]
                        settle(app)
                        name = "-".join(filter(None, (f"{number}", key, _plain(page))))
                        path = folder / f"{name}-{width}x{height}-{theme}-{scale}.png"
                        if not window.grab().save(str(path)):
                            raise LabError(f"{path.name} was refused by the disk")
                        count += 1
    return count


def _plain(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "_", text.lower()).strip("_")

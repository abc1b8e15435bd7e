"""Next Token Lab: starts the app.

python main.py                      open the window
python main.py --self-check         try each tab's real work without a screen
python main.py --screenshots DIR    render every tab into pictures
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

SIZES = ("1280x720", "1600x1000")
THEMES = ("light", "dark")
SCALES = (100, 200)


def parse(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line; a mistake ends the process with a sentence."""
    parser = argparse.ArgumentParser(
        prog="main.py",
        description="An offline laboratory that teaches, by doing, what a language model is.",
    )
    mode = parser.add_mutually_exclusive_group()
    mode.add_argument(
        "--self-check",
        action="store_true",
        help="do each tab's real work without a screen, in about a minute, and say what passed",
    )
    mode.add_argument(
        "--screenshots",
        metavar="DIR",
        type=Path,
        help="render every tab into PNG pictures in this folder, without a screen",
    )
    parser.add_argument(
        "--sizes", nargs="+", type=_size, metavar="WxH", help="window sizes of the screenshots"
    )
    parser.add_argument("--themes", nargs="+", choices=THEMES, help="themes of the screenshots")
    parser.add_argument(
        "--scales", nargs="+", type=_scale, metavar="PERCENT", help="their text sizes"
    )
    args = parser.parse_args(arguments)
    if args.screenshots is None and (args.sizes or args.themes or args.scales):
        parser.error("--sizes, --themes and --scales belong to --screenshots DIR")
    args.sizes = args.sizes or [_size(size) for size in SIZES]
    args.themes = args.themes or list(THEMES)
    args.scales = args.scales or list(SCALES)
    return args


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what the command line asks. Returns the process's exit status."""
    args = parse(arguments)
    try:
        return _start(args)
    except Exception as error:  # whatever it is, it must not end in silence
        from gui import start_failure

        return start_failure.tell(error)


def _start(args: argparse.Namespace) -> int:
    without_screen = args.self_check or args.screenshots is not None
    if without_screen:
        os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    from gui.display import guard, missing_display

    advice = missing_display()
    if advice is not None:
        sys.stderr.write(advice + "\n")
        return 2
    if sys.platform == "win32":
        import torch  # noqa: F401 - imported after Qt, it fails to load its libraries there
    if args.self_check:
        from gui import self_check

        return int(self_check.main(args))
    if args.screenshots is not None:
        from gui import screenshots

        return int(screenshots.main(args))
    guard()
    from gui.application import run

    return run()


def _size(text: str) -> tuple[int, int]:
    width, _, height = text.lower().partition("x")
    if width.isdecimal() and height.isdecimal():
        size = int(width), int(height)
        if 320 <= size[0] <= 16384 and 240 <= size[1] <= 16384:
            return size
    raise argparse.ArgumentTypeError(f"{text!r} is no size such as 1280x720")


def _scale(text: str) -> int:
    if text.isdecimal() and 75 <= int(text) <= 250:
        return int(text)
    raise argparse.ArgumentTypeError(f"{text!r} is no text size from 75 to 250")


if __name__ == "__main__":
    sys.exit(main())

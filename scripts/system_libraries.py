"""Finds the system libraries that Qt needs and that this Linux machine lacks.

Qt's wheels bring Qt itself, not the libraries of the desktop below it. This script asks the
dynamic linker which of them are missing, installs them on Debian and Ubuntu when it has the
right to, and otherwise says in one line what to type. Elsewhere than on Linux it does nothing.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path

# Shared library (start of its file name) -> Debian package.
DEBIAN_PACKAGES = {
    "libEGL.so": "libegl1",
    "libGL.so": "libgl1",
    "libGLX.so": "libglx0",
    "libOpenGL.so": "libopengl0",
    "libX11.so": "libx11-6",
    "libX11-xcb.so": "libx11-xcb1",
    "libdbus-1.so": "libdbus-1-3",
    "libfontconfig.so": "libfontconfig1",
    "libfreetype.so": "libfreetype6",
    "libglib-2.0.so": "libglib2.0-0",
    "libgthread-2.0.so": "libglib2.0-0",
    "libxcb.so": "libxcb1",
    "libxcb-cursor.so": "libxcb-cursor0",
    "libxcb-glx.so": "libxcb-glx0",
    "libxcb-icccm.so": "libxcb-icccm4",
    "libxcb-image.so": "libxcb-image0",
    "libxcb-keysyms.so": "libxcb-keysyms1",
    "libxcb-randr.so": "libxcb-randr0",
    "libxcb-render-util.so": "libxcb-render-util0",
    "libxcb-render.so": "libxcb-render0",
    "libxcb-shape.so": "libxcb-shape0",
    "libxcb-shm.so": "libxcb-shm0",
    "libxcb-sync.so": "libxcb-sync1",
    "libxcb-util.so": "libxcb-util1",
    "libxcb-xfixes.so": "libxcb-xfixes0",
    "libxcb-xkb.so": "libxcb-xkb1",
    "libxkbcommon.so": "libxkbcommon0",
    "libxkbcommon-x11.so": "libxkbcommon-x11-0",
}
CHECKED = (
    "Qt/lib/libQt6Core.so.6",
    "Qt/lib/libQt6Gui.so.6",
    "Qt/lib/libQt6Widgets.so.6",
    "Qt/lib/libQt6Svg.so.6",
    "Qt/lib/libQt6OpenGL.so.6",
    "Qt/plugins/platforms/libqxcb.so",
    "Qt/plugins/platforms/libqoffscreen.so",
)
FONT_PACKAGE = "fonts-dejavu-core"


def missing_libraries() -> list[str]:
    """File names of the shared libraries that Qt asks for and the linker cannot find."""
    spec = importlib.util.find_spec("PySide6")
    if spec is None or not spec.submodule_search_locations or shutil.which("ldd") is None:
        return []
    folder = Path(spec.submodule_search_locations[0])
    missing: set[str] = set()
    for name in CHECKED:
        answer = subprocess.run(
            ["ldd", str(folder / name)], capture_output=True, text=True, check=False
        )
        for line in answer.stdout.splitlines():
            if "not found" in line:
                missing.add(line.split("=>")[0].strip())
    return sorted(missing)


def has_fonts() -> bool:
    """Whether the machine has any font at all; a bare server has none, and shows no letters."""
    folders = (Path("/usr/share/fonts"), Path("/usr/local/share/fonts"), Path.home() / ".fonts")
    return any(
        path.suffix.lower() in {".ttf", ".otf", ".ttc", ".pfb", ".pcf"}
        for folder in folders
        if folder.is_dir()
        for path in folder.rglob("*.*")
    )


def package_of(library: str) -> str | None:
    """The Debian package that holds a shared library, if this script knows it."""
    return next(
        (package for start, package in DEBIAN_PACKAGES.items() if library.startswith(start)), None
    )


def install_command() -> list[str] | None:
    """apt-get with the right to install, or None."""
    if shutil.which("apt-get") is None:
        return None
    if os.geteuid() == 0:
        return ["apt-get"]
    if shutil.which("sudo"):
        allowed = subprocess.run(["sudo", "-n", "true"], capture_output=True, check=False)
        if allowed.returncode == 0:
            return ["sudo", "-n", "apt-get"]
    return None


def main() -> int:
    """Returns 0 where nothing is missing or all of it could be installed, else 1."""
    if not sys.platform.startswith("linux"):
        return 0
    libraries = missing_libraries()
    fonts = has_fonts()
    if not libraries and fonts:
        return 0
    known = {package for package in map(package_of, libraries) if package}
    packages = sorted(known if fonts else known | {FONT_PACKAGE})
    unknown = [library for library in libraries if package_of(library) is None]
    missing = ", ".join(libraries + ([] if fonts else ["any font"]))
    print(f"Qt needs system libraries that this machine lacks: {missing}.")
    apt_get = install_command()
    if apt_get and packages:
        print(f"Installing {' '.join(packages)} ...")
        environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        for step in (["update", "-qq"], ["install", "-y", "-qq", *packages]):
            subprocess.run(
                [*apt_get, *step], stdout=subprocess.DEVNULL, check=False, env=environment
            )
        libraries = missing_libraries()
        if not libraries and has_fonts():
            print("Done.")
            return 0
        print(f"Still missing: {', '.join(libraries) or 'any font'}.")
        return 1
    if packages and shutil.which("apt-get"):
        print(f"Type this, then try again: sudo apt-get install {' '.join(packages)}")
    else:
        print("Install them with your system's package manager, then try again.")
    if unknown:
        print(f"Not known by package name: {', '.join(unknown)}.")
    return 1


if __name__ == "__main__":
    sys.exit(main())

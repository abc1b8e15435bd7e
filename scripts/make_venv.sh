#!/bin/sh
# Makes a virtual environment with the first Python on this machine that is new enough.
# usage: make_venv.sh FOLDER
set -eu
folder=$1

new_enough() {
    "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1
}

for python in "${PYTHON:-python3}" python3 python3.11 python3.12 python3.13 python3.14 python; do
    if new_enough "$python"; then
        if "$python" -m venv "$folder" >/tmp/venv-log.$$ 2>&1; then
            rm -f /tmp/venv-log.$$
            exit 0
        fi
        rm -rf "$folder"
        # Debian and Ubuntu keep part of venv in a package of its own.
        if command -v apt-get >/dev/null 2>&1; then
            version=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
            if [ "$(id -u)" = 0 ]; then
                apt-get update -qq
                apt-get install -y -qq "python$version-venv"
                "$python" -m venv "$folder"
                rm -f /tmp/venv-log.$$
                exit 0
            fi
            rm -f /tmp/venv-log.$$
            echo "Python's venv module is incomplete. Run: sudo apt-get install python$version-venv" >&2
            exit 1
        fi
        cat /tmp/venv-log.$$ >&2
        rm -f /tmp/venv-log.$$
        exit 1
    fi
done
echo "Next Token Lab needs Python 3.11 or newer. Install one (from python.org or your system's" >&2
echo "packages), or name it: make run PYTHON=/path/to/python3" >&2
exit 1

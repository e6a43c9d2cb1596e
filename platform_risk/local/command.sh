#!/bin/sh
# The command `platform-risk`, as the Makefile puts it into .venv/bin: the project is not installed, it is beside.
here=$(dirname -- "$(readlink -f -- "$0")")
root=$(dirname -- "$(dirname -- "$here")")
# -P: a file named yaml.py in the folder that is scanned must not be taken for a package.
PYTHONPATH="$root${PYTHONPATH:+:$PYTHONPATH}" exec "$here/python" -P -m platform_risk.cli "$@"

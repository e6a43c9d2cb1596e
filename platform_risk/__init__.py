"""The project package: composition on top, core and quantities at the bottom (docs/architecture.md)."""

from pathlib import Path

# The version is the newest heading of the change log, so that a release is one edit.
_CHANGELOG = Path(__file__).resolve().parent.parent / "CHANGELOG.md"


def _version() -> str:
    for line in _CHANGELOG.read_text(encoding="utf-8").splitlines():
        if line.startswith("## "):
            return line.split()[1]
    return "0"


__version__ = _version()

"""Named points at which a drill kills the worker (tests/drill): after what was done so far, with nothing cleaned up.

Inert unless PLATFORM_RISK_FAULT names a point, and then only once per file that the drill gives.
"""

import os
import signal
from pathlib import Path

# The point and the marker file that makes it fire once: "after_copy:marker".
_FAULT = os.environ.get("PLATFORM_RISK_FAULT", "")

POINTS = ("claimed", "mid_parse", "after_copy", "before_commit", "after_commit")


def at(point: str) -> None:
    if not _FAULT.startswith(point + ":"):
        return
    marker = Path(_FAULT.split(":", 1)[1])
    if marker.exists():
        return
    marker.touch()
    os.kill(os.getpid(), signal.SIGKILL)

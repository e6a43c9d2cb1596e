"""Named points at which tests kill or stop a worker: after what was done so far, with nothing cleaned up.

Inert unless PLATFORM_RISK_FAULT names a file. `POINT SIGNAL` in it (`after_copy 9`) is an order for the first worker
that comes there; it moves the file to FILE.taken, with its process id in it, and sends itself the signal.
"""

import os
from pathlib import Path

_FILE = os.environ.get("PLATFORM_RISK_FAULT", "")

POINTS = ("claimed", "mid_parse", "after_copy", "before_commit", "after_commit")


def at(point: str) -> None:
    if not _FILE:
        return
    order = Path(_FILE)
    try:
        wanted, signal_number = order.read_text(encoding="ascii").split()
        if wanted != point:
            return
        order.rename(f"{_FILE}.mine-{os.getpid()}")
    except FileNotFoundError:  # no order, or another was faster
        return
    taken = Path(f"{_FILE}.mine-{os.getpid()}")
    taken.write_text(str(os.getpid()), encoding="ascii")
    taken.rename(f"{_FILE}.taken")
    os.kill(os.getpid(), int(signal_number))

"""Under `make run`, make is our parent, and a signal sent to make alone must end us too.

make passes SIGTERM on to its recipe, but takes a SIGINT for a Ctrl-C that the terminal sent to everybody, and waits for
us for ever. On Linux its state shows that it came: while it waits it has SIGINT blocked. And a make that was killed
leaves us without a parent.
"""

import os
import signal
from pathlib import Path

from platform_risk.local.processes import LINUX, command_of


class MakeWatch:
    def __init__(self) -> None:
        self.parent: int | None = None
        if LINUX and os.environ.get("MAKELEVEL"):
            parent = os.getppid()
            command = command_of(parent)
            if command and Path(command[0]).name in {"make", "gmake"}:
                self.parent = parent

    def was_interrupted(self) -> bool:
        if self.parent is None:
            return False
        if os.getppid() != self.parent:
            return True
        try:
            status = Path(f"/proc/{self.parent}/status").read_text(encoding="ascii", errors="replace")
        except OSError:
            return True
        blocked = next((line.split()[1] for line in status.splitlines() if line.startswith("SigBlk:")), "0")
        return bool(int(blocked, 16) >> (signal.SIGINT - 1) & 1)

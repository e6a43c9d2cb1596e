"""Whom PostgreSQL runs as. It refuses to be root, and as root (containers, CI) there is nobody else at hand.

The account then is `postgres` where it exists, else `nobody`; the server's folder is handed to it. Folders above that
it may not enter (a clone under /root) are not opened up for everybody: the server gets the one capability it lacks.
"""

import os
import pwd
import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from platform_risk.local.processes import LINUX, LocalError

# Read past permissions if we hold that, else the stronger one that default containers have.
_CAPABILITIES = ((2, "dac_read_search"), (1, "dac_override"))


@dataclass(frozen=True, slots=True)
class Account:
    uid: int
    gid: int
    capability: str | None = None

    def wrap(self, command: list[str]) -> list[str]:
        """The command, started by setpriv when the account needs the capability; else Popen's user= is enough."""
        if self.capability is None:
            return command
        who = [f"--reuid={self.uid}", f"--regid={self.gid}", "--clear-groups"]
        caps = [f"--inh-caps=+{self.capability}", f"--ambient-caps=+{self.capability}"]
        return ["setpriv", *who, *caps, "--pdeathsig", "INT", "--", *command]

    @property
    def user(self) -> int | None:
        return self.uid if self.capability is None else None

    @property
    def group(self) -> int | None:
        return self.gid if self.capability is None else None


def server_account(folder: Path, programs: Path) -> Account | None:
    """None: we are not root, the server runs as we do."""
    if os.geteuid() != 0:
        return None
    entry = _entry(folder)
    closed = _closed_to_others([folder, programs, programs / "postgres"])
    if not closed:
        return Account(entry.pw_uid, entry.pw_gid)
    capability = _own_capability() if LINUX and shutil.which("setpriv") else None
    if capability is None:
        raise LocalError(
            f"PostgreSQL does not run as root, and {entry.pw_name} may not enter {closed[0]}:"
            f" chmod o+x {closed[0]}, move the project out of there, or start it as an ordinary user"
        )
    return Account(entry.pw_uid, entry.pw_gid, capability)


def _entry(folder: Path) -> pwd.struct_passwd:
    """Who owns the folder already goes on doing so; a new one is given to an account without other rights."""
    try:
        owner = folder.stat().st_uid
        if owner != 0:
            return pwd.getpwuid(owner)
    except (FileNotFoundError, KeyError):
        pass
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise LocalError("PostgreSQL does not run as root, and there is no account nobody: start as an ordinary user")


def _closed_to_others(paths: Iterable[Path]) -> list[Path]:
    folders = {parent for path in paths for parent in path.resolve().parents}
    found = sorted(folder for folder in folders if folder.exists() and not folder.stat().st_mode & 0o001)
    programs = [path for path in paths if path.is_file() and path.stat().st_mode & 0o005 != 0o005]
    return found + programs


def _own_capability() -> str | None:
    for line in Path("/proc/self/status").read_text(encoding="ascii", errors="replace").splitlines():
        if line.startswith("CapPrm:"):
            held = int(line.split()[1], 16)
            return next((name for bit, name in _CAPABILITIES if held >> bit & 1), None)
    return None

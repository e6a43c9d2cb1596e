"""Runs the product's processes: starts them, passes on what they print, restarts those that die, ends them in order.

One thread. The kernel ties a child's fate to the thread that forked it (see processes.dies_with_parent), and between
fork and exec a second thread could hold a lock for ever.
"""

import contextlib
import os
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType

from platform_risk.local.processes import (
    end_leftover,
    kill_group,
    spawn,
    stop_process,
    write_pid_file,
)

FIRST_PAUSE = 0.5
LONGEST_PAUSE = 30.0
# One that ran this long is thought healthy: its next death starts again with the shortest pause.
HEALTHY_AFTER = 60.0
LONGEST_LINE = 64 * 1024


@dataclass(slots=True, eq=False)
class Child:
    name: str
    command: Sequence[str]
    environment: Mapping[str, str]
    # Signals sent in turn, with the seconds each is given; SIGKILL follows by itself.
    stop_steps: Sequence[tuple[int, float]]
    pass_fds: Sequence[int] = ()
    # Called with the exit code instead of starting it again.
    once: Callable[[int], None] | None = None
    process: "subprocess.Popen[bytes] | None" = None
    started: float = 0.0
    pause: float = FIRST_PAUSE
    restart_at: float | None = None
    unfinished: bytearray = field(default_factory=bytearray)


class Supervisor:
    def __init__(
        self,
        run: Path,
        *,
        write: Callable[[str], object] | None = None,
        interrupted: Callable[[], bool] = lambda: False,
    ) -> None:
        self.run_folder = run
        self.children: list[Child] = []
        self.asked_to_stop = 0
        self._write = write or sys.stdout.write
        self._interrupted = interrupted
        self._selector = selectors.DefaultSelector()
        self._wake_read, self._wake_write = os.pipe()
        for descriptor in (self._wake_read, self._wake_write):
            os.set_blocking(descriptor, False)
        self._selector.register(self._wake_read, selectors.EVENT_READ, None)
        self._before: list[tuple[int, object]] = []
        self._wake_before = -1

    def listen_for_signals(self) -> None:
        """From now on SIGINT, SIGTERM and SIGHUP ask for an orderly end; a second one for a quick one."""
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            self._before.append((number, signal.signal(number, self._on_signal)))
        # Without it a signal that arrives just before select() would be noticed only at its time-out.
        self._wake_before = signal.set_wakeup_fd(self._wake_write, warn_on_full_buffer=False)

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        self.asked_to_stop += 1

    def say(self, text: str) -> None:
        """A reader that went away (`make run | head`) must not keep us from stopping in order."""
        try:
            self._write(text)
            sys.stdout.flush()
        except (OSError, ValueError):
            self.asked_to_stop = max(self.asked_to_stop, 1)
            self._write = lambda _: None

    def start(self, child: Child) -> None:
        if child not in self.children:
            end_leftover(self._pid_file(child))
            self.children.append(child)
        process = spawn(child.command, output=subprocess.PIPE, environment=child.environment, pass_fds=child.pass_fds)
        write_pid_file(self._pid_file(child), process.pid, child.command)
        assert process.stdout is not None
        os.set_blocking(process.stdout.fileno(), False)
        self._selector.register(process.stdout, selectors.EVENT_READ, child)
        child.process, child.started, child.restart_at = process, time.monotonic(), None

    def turn(self, seconds: float) -> None:
        """Wait that long for output, a signal or a death, and deal with what came."""
        for key, _ in self._selector.select(seconds):
            if key.data is None:
                with contextlib.suppress(BlockingIOError):
                    os.read(self._wake_read, 1024)
            else:
                self._pass_on(key.data)
        if not self.asked_to_stop and self._interrupted():
            self.asked_to_stop = 1
        for child in list(self.children):
            self._look_after(child)

    def stop(self) -> None:
        """All are asked at once, so that the slowest decides how long it takes; each gets the time it was given."""
        for child in self.children:
            child.restart_at = None
            if child.process is not None and child.process.poll() is None:
                with contextlib.suppress(ProcessLookupError):
                    child.process.send_signal(child.stop_steps[0][0])
        for child in self.children:
            self._end(child)
        self._selector.close()
        for number, before in self._before:
            signal.signal(number, before)  # type: ignore[arg-type]  # what signal.signal() gave back
        if self._before:
            signal.set_wakeup_fd(self._wake_before)
        os.close(self._wake_read)
        os.close(self._wake_write)

    def _end(self, child: Child) -> None:
        if child.process is None:
            return
        first, *further = child.stop_steps
        deadline = time.monotonic() + first[1]
        # Its last words are read while we wait: a child that fills its pipe would never end.
        patience = 1 if self.asked_to_stop else 0
        while child.process.poll() is None and time.monotonic() < deadline and self.asked_to_stop <= patience:
            for key, _ in self._selector.select(0.05):
                if key.data is not None:
                    self._pass_on(key.data)
                else:
                    with contextlib.suppress(BlockingIOError):
                        os.read(self._wake_read, 1024)
        stop_process(child.process, further if self.asked_to_stop <= patience else ())
        self._close(child)

    def _pid_file(self, child: Child) -> Path:
        return self.run_folder / f"{child.name}.pid"

    def _pass_on(self, child: Child) -> None:
        process = child.process
        if process is None or process.stdout is None or process.stdout.closed:
            return
        try:
            data = os.read(process.stdout.fileno(), 65536)
        except BlockingIOError:
            return
        if not data:
            self._selector.unregister(process.stdout)
            process.stdout.close()
        child.unfinished += data
        *lines, rest = child.unfinished.split(b"\n")
        if not data or len(rest) > LONGEST_LINE:
            lines, rest = [*lines, rest], bytearray()
        child.unfinished = bytearray(rest)
        self.say("".join(f"{child.name:<7}| {line.decode(errors='replace').rstrip()}\n" for line in lines if line))

    def _look_after(self, child: Child) -> None:
        now = time.monotonic()
        if child.restart_at is not None and now >= child.restart_at:
            self.start(child)
        if child.process is None or child.process.poll() is None:
            return
        code = child.process.returncode
        # What a dead parent leaves behind (pool processes) goes with it: the new one brings its own.
        kill_group(child.process.pid)
        self._close(child)
        if child.once is not None:
            self.children.remove(child)
            child.once(code)
            return
        child.pause = FIRST_PAUSE if now - child.started > HEALTHY_AFTER else min(child.pause * 2, LONGEST_PAUSE)
        self.say(f"{child.name} ended ({_in_words(code)}): starting it again in {child.pause:.0f} s\n")
        child.restart_at = now + child.pause

    def _close(self, child: Child) -> None:
        process = child.process
        assert process is not None
        while process.stdout is not None and not process.stdout.closed:
            before = bytes(child.unfinished)
            self._pass_on(child)
            if process.stdout.closed or bytes(child.unfinished) == before:
                break
        if process.stdout is not None and not process.stdout.closed:
            self._selector.unregister(process.stdout)
            process.stdout.close()
        child.process = None
        child.unfinished.clear()
        self._pid_file(child).unlink(missing_ok=True)


def _in_words(code: int) -> str:
    return signal.Signals(-code).name if code < 0 else f"exit code {code}"

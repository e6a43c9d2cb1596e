"""The supervisor, tried on tiny children."""

import os
import signal
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from platform_risk.local import supervisor
from platform_risk.local.supervisor import Child, Supervisor

QUICK = ((signal.SIGTERM, 5.0),)


class Stage:
    """A supervisor whose output can be read, and that is stopped whatever the test does."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.said: list[str] = []
        self.supervisor = Supervisor(folder, write=self.said.append)
        self.stopped = False

    @property
    def text(self) -> str:
        return "".join(self.said)

    def start(self, name: str, code: str, steps: Sequence[tuple[int, float]] = QUICK, **more: object) -> Child:
        child = Child(name, [sys.executable, "-u", "-c", code], os.environ, steps, **more)  # type: ignore[arg-type]
        self.supervisor.start(child)
        return child

    def until(self, condition: Callable[[], bool], seconds: float = 10.0) -> None:
        deadline = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < deadline, self.text
            self.supervisor.turn(0.05)

    def stop(self) -> float:
        begun = time.monotonic()
        if not self.stopped:
            self.supervisor.stop()
        self.stopped = True
        return time.monotonic() - begun


@pytest.fixture
def stage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stage]:
    monkeypatch.setattr(supervisor, "FIRST_PAUSE", 0.05)
    stage = Stage(tmp_path)
    yield stage
    stage.stop()


def test_each_line_a_child_prints_is_passed_on_under_its_name(stage: Stage) -> None:
    stage.start("web", "import sys; print('one'); print('two', file=sys.stderr); import time; time.sleep(60)")
    stage.until(lambda: "two" in stage.text)
    assert "web    | one\nweb    | two\n" in stage.text


def test_a_line_without_end_does_not_grow_for_ever(stage: Stage) -> None:
    child = stage.start("web", "import sys, time; sys.stdout.write('x' * 1_000_000); time.sleep(60)")
    stage.until(lambda: stage.text.count("x") > 900_000)
    assert len(child.unfinished) <= supervisor.LONGEST_LINE


def test_bytes_that_are_no_text_do_not_disturb(stage: Stage) -> None:
    stage.start("web", r"import sys, time; sys.stdout.buffer.write(b'\xff\xfe\n'); sys.stdout.flush(); time.sleep(60)")
    stage.until(lambda: "web    | " in stage.text)


def test_a_child_that_dies_is_started_again_and_told_of(stage: Stage) -> None:
    child = stage.start("worker", "import os; print('pid', os.getpid()); raise SystemExit(3)")
    stage.until(lambda: stage.text.count("pid") >= 3)
    assert "worker ended (exit code 3): starting it again" in stage.text
    assert child.pause > 0.1


def test_a_killed_child_is_started_again_and_its_own_children_go_with_it(stage: Stage) -> None:
    code = "import subprocess, time; p = subprocess.Popen(['sleep', '60']); print('sleep', p.pid); time.sleep(60)"
    child = stage.start("worker", code)
    stage.until(lambda: "sleep" in stage.text)
    grandchild = int(stage.text.split()[-1])
    assert child.process is not None
    os.kill(child.process.pid, signal.SIGKILL)
    stage.until(lambda: stage.text.count("| sleep") == 2)
    assert "worker ended (SIGKILL)" in stage.text
    stage.until(lambda: not _lives(grandchild))


def test_a_child_that_runs_once_is_not_started_again(stage: Stage) -> None:
    codes: list[int] = []
    stage.start("demo", "raise SystemExit(7)", once=codes.append)
    stage.until(lambda: codes == [7])
    assert stage.supervisor.children == []


def test_stopping_leaves_no_process_and_no_pid_file(stage: Stage) -> None:
    children = [stage.start(name, "import time; time.sleep(60)") for name in ("worker", "web", "beat")]
    pids = [child.process.pid for child in children if child.process]
    assert sorted(path.name for path in stage.folder.iterdir()) == ["beat.pid", "web.pid", "worker.pid"]
    assert stage.stop() < 3
    assert [pid for pid in pids if _lives(pid)] == []
    assert list(stage.folder.iterdir()) == []


def test_a_child_that_will_not_end_gets_the_next_signal_and_then_the_last(stage: Stage) -> None:
    deaf = "import signal, time\nfor s in (15, 3): signal.signal(s, lambda *_: print('got', s))\nprint('up')\n"
    deaf += "while True: time.sleep(1)"
    child = stage.start("worker", deaf, ((signal.SIGTERM, 0.3), (signal.SIGQUIT, 0.3)))
    stage.until(lambda: "up" in stage.text)
    assert child.process is not None
    pid = child.process.pid
    assert stage.stop() < 3
    assert not _lives(pid)


def test_what_a_child_says_while_it_ends_is_heard(stage: Stage) -> None:
    code = "import signal, sys, time\ndef bye(*_):\n    print('x' * 300_000); print('bye'); sys.exit()\n"
    code += "signal.signal(15, bye); print('up')\nwhile True: time.sleep(1)"
    stage.start("web", code)
    stage.until(lambda: "up" in stage.text)
    stage.stop()
    assert "web    | bye\n" in stage.text


def test_a_signal_asks_for_the_end_at_once(stage: Stage) -> None:
    stage.supervisor.listen_for_signals()
    stage.start("web", "import time; time.sleep(60)")
    os.kill(os.getpid(), signal.SIGTERM)
    begun = time.monotonic()
    while not stage.supervisor.asked_to_stop:
        stage.supervisor.turn(10)
    assert time.monotonic() - begun < 2
    stage.stop()
    assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL


def test_a_reader_that_went_away_is_a_reason_to_stop(tmp_path: Path) -> None:
    def gone(_: str) -> None:
        raise BrokenPipeError

    alone = Supervisor(tmp_path, write=gone)
    alone.say("anybody there?\n")
    assert alone.asked_to_stop
    alone.say("no\n")
    alone.stop()


def test_a_leftover_of_an_earlier_run_is_ended_before_its_successor_starts(stage: Stage, tmp_path: Path) -> None:
    first = stage.start("beat", "import time; time.sleep(60)")
    assert first.process is not None
    second = Stage(tmp_path)
    try:
        second.start("beat", "import time; time.sleep(60)")
        assert first.process.wait(5) == -signal.SIGTERM
    finally:
        second.stop()


def _lives(pid: int) -> bool:
    try:
        return "Z" not in Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False

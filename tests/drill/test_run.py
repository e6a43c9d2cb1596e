"""`make run` from the first start to the worst end: what it prints, what it leaves, what it recovers from."""

import contextlib
import http.client
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest

from platform_risk.local import processes

pytestmark = [
    pytest.mark.drill,
    pytest.mark.skipif(not processes.LINUX, reason="looks for left-over processes in /proc"),
]

ROOT = Path(__file__).resolve().parents[2]


class Run:
    """One data folder, started and ended as often as a test likes."""

    def __init__(self, data: Path, log: Path) -> None:
        self.data = data
        self.log = log
        self.process: subprocess.Popen[bytes] | None = None
        self.environment = os.environ | {
            "DATABASE_URL": "",
            "REDIS_URL": "",
            "PLATFORM_RISK_DATA": str(data),
            "PLATFORM_RISK_DEMO": "0",
            "PORT": "0",
        }

    def begin(self, *command: str, folder: Path = ROOT) -> None:
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                command or (sys.executable, "-m", "platform_risk.local"),
                cwd=folder,
                env=self.environment,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def start(self, *command: str, folder: Path = ROOT) -> float:
        begun = time.monotonic()
        self.begin(*command, folder=folder)
        self.until(lambda: self.url is not None, 120)
        return time.monotonic() - begun

    @property
    def text(self) -> str:
        return self.log.read_text(errors="replace")

    @property
    def url(self) -> str | None:
        found = re.search(r"^ready (http://127\.0\.0\.1:\d+)$", self.text, re.MULTILINE)
        return found[1] if found else None

    def until(self, condition: Callable[[], bool], seconds: float) -> None:
        assert self.process is not None
        deadline = time.monotonic() + seconds
        while not condition():
            assert self.process.poll() is None, self.text
            assert time.monotonic() < deadline, self.text
            time.sleep(0.05)

    def ask(self, path: str) -> tuple[int, dict[str, str]]:
        connection = http.client.HTTPConnection(urlsplit(self.url or "").netloc, timeout=10)
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read())
        except (OSError, http.client.HTTPException):
            return 0, {}
        finally:
            connection.close()

    def is_ready(self) -> bool:
        return self.ask("/readyz")[0] == 200

    def end(self, number: int = signal.SIGTERM) -> int:
        assert self.process is not None
        self.process.send_signal(number)
        return self.process.wait(60)

    def processes(self) -> list[int]:
        """Every process that has this data folder in its command line or environment, the supervisor included."""
        place = os.fsencode(self.data)
        found = []
        for entry in Path("/proc").iterdir():
            with contextlib.suppress(OSError, ValueError):
                pid = int(entry.name)
                if pid == os.getpid():
                    continue
                if place in (entry / "cmdline").read_bytes() or place in (entry / "environ").read_bytes():
                    found.append(pid)
        return found

    def pid(self, name: str) -> int:
        return int(json.loads((self.data / "run" / f"{name}.pid").read_text())["pid"])

    def database(self) -> "psycopg.Connection[tuple[object, ...]]":
        return psycopg.connect((self.data / "run" / "database-url").read_text().strip(), autocommit=True)

    def sockets(self) -> list[Path]:
        return [path for path in self.data.rglob("*") if path.is_socket()]

    def assert_nothing_left(self) -> None:
        assert self.processes() == [], self.text
        assert self.sockets() == []
        assert list((self.data / "run").iterdir()) == []
        assert not (self.data / "postgres" / "postmaster.pid").exists()


@pytest.fixture
def run() -> Iterator[Run]:
    folder = Path(tempfile.mkdtemp(prefix="pr-")).resolve()
    folder.chmod(0o711)
    run = Run(folder / "data", folder / "log")
    yield run
    for pid in run.processes():
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    if run.process is not None:
        run.process.wait(10)
    shutil.rmtree(folder)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_it_starts_tells_its_address_and_ends_without_a_trace(run: Run, number: int) -> None:
    run.start()
    for step in ("database   … ready in", "redis      … ready in", "migrations …", "static     … collected in"):
        assert step in run.text
    assert run.ask("/livez") == (200, {"status": "ok"})
    assert run.is_ready()
    password = run.data / "admin-password"
    assert password.stat().st_mode & 0o777 == 0o600
    assert len(password.read_text().strip()) >= 20
    assert run.end(number) == 0
    assert run.text.endswith("stopped\n")
    run.assert_nothing_left()


def test_the_second_start_takes_seconds_and_keeps_everything(run: Run) -> None:
    run.start()
    password, key = (run.data / "admin-password").read_text(), (run.data / "secret-key").read_text()
    with run.database() as connection:
        connection.execute("CREATE TABLE kept AS SELECT 42 AS answer")
    run.end()
    assert run.start() < 8
    assert "migrations … up to date" in run.text
    assert "static     … up to date" in run.text
    with run.database() as connection:
        assert connection.execute("SELECT answer FROM kept").fetchone() == (42,)
    assert (run.data / "admin-password").read_text() == password
    assert (run.data / "secret-key").read_text() == key
    run.end()


def test_after_a_kill_of_everything_the_next_start_recovers(run: Run) -> None:
    run.start()
    with run.database() as connection:
        connection.execute("CREATE TABLE kept AS SELECT 42 AS answer")
    pids = run.processes()
    assert len(pids) >= 8
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    assert run.process is not None
    run.process.wait(10)
    assert (run.data / "postgres" / "postmaster.pid").exists()
    run.start()
    assert run.is_ready()
    with run.database() as connection:
        assert connection.execute("SELECT answer FROM kept").fetchone() == (42,)
    run.end()
    run.assert_nothing_left()


def test_a_kill_of_the_supervisor_alone_takes_all_others_with_it(run: Run) -> None:
    run.start()
    assert run.process is not None
    run.process.kill()
    run.process.wait()
    deadline = time.monotonic() + 30
    while run.processes():
        assert time.monotonic() < deadline, run.processes()
        time.sleep(0.1)
    run.start()
    assert run.is_ready()
    run.end()
    run.assert_nothing_left()


def test_a_start_right_after_such_a_kill_waits_for_what_is_still_ending(run: Run) -> None:
    run.start()
    assert run.process is not None
    run.process.kill()
    run.process.wait()
    run.start()
    assert run.is_ready()
    run.end()
    run.assert_nothing_left()


@pytest.mark.parametrize("name", ["worker", "web", "beat", "postgres", "redis"])
def test_a_killed_process_comes_back_by_itself(run: Run, name: str) -> None:
    run.start()
    before = run.pid(name)
    os.kill(before, signal.SIGKILL)

    def is_back() -> bool:
        with contextlib.suppress(OSError, ValueError):
            return run.pid(name) != before and run.is_ready()
        return False

    run.until(is_back, 45)
    run.end()
    run.assert_nothing_left()


def test_a_worker_that_hangs_makes_it_unready_within_twenty_seconds(run: Run) -> None:
    run.start()
    worker = run.pid("worker")
    os.kill(worker, signal.SIGSTOP)
    try:
        run.until(lambda: run.ask("/readyz")[0] == 503, 20)
        assert "no worker" in run.ask("/readyz")[1]["worker"]
        assert run.ask("/livez")[0] == 200
    finally:
        os.kill(worker, signal.SIGCONT)
    run.until(run.is_ready, 20)
    run.end()


@pytest.mark.parametrize("after", [0.0, 0.3, 0.8, 1.5, 2.2])
def test_an_interrupt_during_the_start_leaves_nothing(run: Run, after: float) -> None:
    run.begin()
    time.sleep(0.25 + after)  # Python itself needs that long before it listens for signals
    assert run.end(signal.SIGINT) in {0, 130, -signal.SIGINT}
    if (run.data / "run").exists():
        run.assert_nothing_left()
    run.start()
    run.end()


def test_a_second_one_on_the_same_folder_is_refused_and_the_first_goes_on(run: Run) -> None:
    run.start()
    second = subprocess.run(
        [sys.executable, "-m", "platform_risk.local"], cwd=ROOT, env=run.environment, capture_output=True, check=False
    )
    assert second.returncode == 1
    assert b"another one is running on" in second.stderr
    assert run.is_ready()
    run.end()


def test_other_commands_find_the_running_database(run: Run) -> None:
    run.start()
    done = subprocess.run(
        [sys.executable, "manage.py", "migrate", "--check"],
        cwd=ROOT,
        env=run.environment,
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    run.end()


def test_a_deep_data_folder_works_and_leaves_no_socket_elsewhere(run: Run) -> None:
    run.data = run.data / ("d" * 60) / ("e" * 60)
    run.environment["PLATFORM_RISK_DATA"] = str(run.data)
    sockets = f"platform-risk-{os.getuid()}-*"  # other tests beside this one make folders too
    before = set(Path(tempfile.gettempdir()).glob(sockets))
    run.start()
    assert run.is_ready()
    run.end()
    run.assert_nothing_left()
    assert set(Path(tempfile.gettempdir()).glob(sockets)) <= before


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("whole_group", [True, False])
def test_under_make_the_signal_ends_it_whether_make_alone_gets_it_or_all(
    run: Run, number: int, *, whole_group: bool
) -> None:
    """A terminal signals the whole group; scripts and supervisors signal the process they started."""
    makefile = run.log.parent / "Makefile"
    makefile.write_text(f"run:\n\t@exec {sys.executable} -m platform_risk.local\n")
    run.start("make", "-f", str(makefile), "run")
    assert run.process is not None
    if whole_group:
        os.killpg(run.process.pid, number)
    else:
        run.process.send_signal(number)
    run.process.wait(30)
    assert "stopped\n" in run.text
    run.assert_nothing_left()


def test_a_reader_that_closes_the_pipe_ends_it_in_order(run: Run) -> None:
    pipe = subprocess.Popen(["sh", "-c", "head -n 3 > /dev/null"], stdin=subprocess.PIPE)
    run.process = subprocess.Popen(
        [sys.executable, "-m", "platform_risk.local"],
        cwd=ROOT,
        env=run.environment,
        stdout=pipe.stdin,
        stderr=subprocess.DEVNULL,
    )
    assert pipe.stdin is not None
    pipe.stdin.close()
    pipe.wait(60)
    run.process.wait(60)
    run.assert_nothing_left()

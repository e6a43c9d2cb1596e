"""Everything on one machine: the servers, the folder they live in, and what is said when a start cannot be."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
import redis as client

from platform_risk.local import account, datafolder, makewatch, postgres, processes, sockets
from platform_risk.local.datafolder import DataFolder
from platform_risk.local.postgres import Postgres
from platform_risk.local.processes import LocalError
from platform_risk.local.redis import Redis

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def folder() -> Iterator[Path]:
    """Short, and open for another account to pass through: pytest's own temporary folders are neither."""
    path = Path(tempfile.mkdtemp(prefix="pr-")).resolve()
    path.chmod(0o711)
    yield path
    shutil.rmtree(path)


def up(data: Path, **environment: str) -> "subprocess.CompletedProcess[str]":
    """`make run` in a process of its own, for starts that fail."""
    # An empty address means the embedded server.
    servers = {"DATABASE_URL": "", "REDIS_URL": "", "PLATFORM_RISK_DATA": str(data), "PORT": "0"}
    return subprocess.run(
        [sys.executable, "-m", "platform_risk.local"],
        cwd=ROOT,
        env=os.environ | servers | environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def complaint(done: "subprocess.CompletedProcess[str]") -> str:
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    (line,) = done.stderr.splitlines()
    assert line.startswith("platform-risk: ")
    return line


# The start that cannot be


def test_a_taken_port_is_named_with_a_way_out(folder: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        line = complaint(up(folder, PORT=port))
    assert f"port {port} is taken" in line
    assert "PORT=8001 make run" in line
    assert not (folder / "postgres").exists()


def test_a_file_in_place_of_the_data_folder_is_named(folder: Path) -> None:
    (folder / "data").touch()
    assert "PLATFORM_RISK_DATA" in complaint(up(folder / "data"))


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere; the test above takes its place")
def test_a_read_only_data_folder_is_named(folder: Path) -> None:
    folder.chmod(0o500)
    assert "PLATFORM_RISK_DATA" in complaint(up(folder))


def test_a_data_folder_that_refuses_writing_is_named(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> int:
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr(Path, "write_text", refuse)
    with pytest.raises(
        LocalError, match=r"cannot write to the data folder .*: Read-only file system: make it writable"
    ):
        DataFolder(folder).open()


def test_a_full_disk_is_named_before_anything_is_started(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(datafolder, "LEAST_FREE", 10**18)
    with pytest.raises(LocalError, match=r"MB are free on the disk of .*: make room"):
        DataFolder(folder).open()


def test_one_data_folder_has_one_user_at_a_time(folder: Path) -> None:
    first = DataFolder(folder)
    first.open()
    with pytest.raises(LocalError, match=rf"another one is running on .* \(process {os.getpid()}\)"):
        DataFolder(folder).open()
    first.close()
    second = DataFolder(folder)
    second.open()
    second.close()
    assert os.listdir(folder / "run") == []


def test_a_database_of_another_version_is_left_alone_and_named(folder: Path) -> None:
    (folder / "postgres").mkdir()
    (folder / "postgres" / "PG_VERSION").write_text("14\n")
    line = complaint(up(folder))
    assert "was written by PostgreSQL 14" in line
    assert os.listdir(folder / "postgres") == ["PG_VERSION"]


def test_a_folder_that_is_no_database_is_left_alone_and_named(folder: Path) -> None:
    (folder / "postgres").mkdir()
    (folder / "postgres" / "notes.txt").touch()
    assert "is no PostgreSQL data folder" in complaint(up(folder))
    assert os.listdir(folder / "postgres") == ["notes.txt"]


def test_an_outside_database_that_is_too_old_is_refused() -> None:
    with pytest.raises(LocalError, match=r"is PostgreSQL 14\.11, and 15 is the oldest that will do"):
        postgres.accepted_version(140011)
    assert postgres.accepted_version(150004) == "PostgreSQL 15.4"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DATABASE_URL", "postgresql://me:hunter2@127.0.0.1:1/nothing"),
        ("DATABASE_URL", "postgresql://me@127.0.0.1/x?nonsense=1"),
        ("DATABASE_URL", "mysql://host/x"),
        ("REDIS_URL", "redis://:hunter2@127.0.0.1:1/0"),
    ],
)
def test_a_broken_address_is_named_without_its_password(folder: Path, name: str, value: str) -> None:
    line = complaint(up(folder, **{name: value}))
    assert name in line
    assert "hunter2" not in line


def test_a_start_that_fails_leaves_nothing_running_and_no_lock(folder: Path) -> None:
    complaint(up(folder, REDIS_URL="redis://127.0.0.1:1/0"))
    assert os.listdir(folder / "run") == []
    assert not (folder / "postgres" / "postmaster.pid").exists()


# PostgreSQL


@pytest.fixture
def database(folder: Path) -> Iterator[Postgres]:
    server = Postgres(folder / "postgres", run=folder, log=folder / "postgres.log")
    yield server
    server.stop()


def ask(server: Postgres, statement: str) -> object:
    with psycopg.connect(server.url) as connection:
        row = connection.execute(statement.encode()).fetchone()
        return row[0] if row else None


def test_postgresql_listens_on_no_network_and_only_its_owner_may_use_the_socket(database: Postgres) -> None:
    database.start()
    assert ask(database, "SHOW listen_addresses") == ""
    assert ask(database, "SHOW fsync") == "on"
    assert (database.folder / ".s.PGSQL.5432").stat().st_mode & 0o077 == 0


@pytest.mark.drill
def test_postgresql_keeps_what_was_committed_through_a_kill(database: Postgres) -> None:
    database.start()
    with psycopg.connect(database.url) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 42 AS answer")
    assert database.process is not None
    processes.kill_group(database.process.pid)
    database.process.wait()
    assert not database.is_running()
    database.start()
    assert ask(database, "SELECT answer FROM kept") == 42


@pytest.mark.drill
def test_postgresql_is_not_kept_from_starting_by_a_number_that_belongs_to_a_stranger(database: Postgres) -> None:
    database.start()
    database.stop()
    # As after a restart of the machine: the number in the file is that of some other process of the same user.
    (database.folder / "postmaster.pid").write_text(f"{os.getpid()}\n{database.folder}\n1\n5432\n/tmp\n\n1 1\nready\n")
    database.start()
    assert ask(database, "SELECT 1") == 1


@pytest.mark.parametrize("content", ["", "no number\n"])
def test_postgresql_is_not_kept_from_starting_by_a_damaged_lock_file(database: Postgres, content: str) -> None:
    database.start()
    database.stop()
    (database.folder / "postmaster.pid").write_text(content)
    database.start()
    assert ask(database, "SELECT 1") == 1


@pytest.mark.drill
def test_a_query_that_outlives_its_killed_server_is_waited_for(database: Postgres) -> None:
    """Two sets of processes on one folder would destroy it."""
    database.start()
    with psycopg.connect(database.url) as connection:
        busy = connection.info.backend_pid
        os.kill(busy, signal.SIGSTOP)
        assert database.process is not None
        database.process.kill()
        database.process.wait()
        waker = threading.Timer(1.5, os.kill, (busy, signal.SIGCONT))
        waker.start()
        begun = time.monotonic()
        database.start()
        waker.join()
    assert time.monotonic() - begun > 1.4
    assert ask(database, "SELECT 1") == 1


@pytest.mark.drill
def test_a_postgresql_left_over_by_a_killed_parent_is_ended_before_a_new_one_starts(folder: Path) -> None:
    left_over = Postgres(folder / "postgres", run=folder, log=folder / "postgres.log", forgetful=True)
    left_over.start()
    assert left_over.process is not None
    # A pid file that was lost must not let two servers loose on one folder.
    (folder / "postgres.pid").unlink()
    new = Postgres(folder / "postgres", run=folder, log=folder / "postgres.log", forgetful=True)
    new.start()
    try:
        assert left_over.process.wait(10) is not None
        assert ask(new, "SELECT 1") == 1
    finally:
        new.stop()


def test_a_database_whose_creation_was_interrupted_is_created_anew(database: Postgres) -> None:
    half_made = database.folder.with_name("postgres.new")
    half_made.mkdir()
    (half_made / "PG_VERSION").write_text("18\n")
    database.start()
    assert ask(database, "SELECT 1") == 1
    assert not half_made.exists()


def test_a_long_path_gets_its_socket_elsewhere_and_takes_it_away(folder: Path) -> None:
    deep = folder / ("d" * 60) / ("e" * 60)
    deep.mkdir(parents=True)
    server = Postgres(deep / "postgres", run=deep, log=deep / "log", forgetful=True)
    server.start()
    try:
        assert ask(server, "SELECT 1") == 1
        place = sockets.socket_folder(server.folder, "postgres")
        assert place.is_relative_to(tempfile.gettempdir())
        assert place.stat().st_mode & 0o077 == 0
    finally:
        server.stop()
    assert not place.exists()


def test_a_socket_folder_that_someone_else_laid_out_is_not_used(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "gettempdir", lambda: str(folder))
    deep = folder / ("d" * 100)
    deep.mkdir()
    place = sockets.socket_folder(deep, "redis")
    place.rmdir()
    place.symlink_to(deep)
    with pytest.raises(LocalError, match="belongs to someone else"):
        sockets.socket_folder(deep, "redis")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root needs another account")
def test_under_root_a_closed_folder_is_passed_without_opening_it(folder: Path) -> None:
    closed = folder / "closed"
    closed.mkdir(mode=0o700)
    server = Postgres(closed / "postgres", run=closed, log=closed / "log", forgetful=True)
    server.start()
    try:
        assert ask(server, "SELECT 1") == 1
    finally:
        server.stop()
    assert closed.stat().st_mode & 0o777 == 0o700


def test_under_root_without_that_capability_the_closed_folder_is_named(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(shutil, "which", lambda _: None)
    (folder / "closed").mkdir(mode=0o700)
    with pytest.raises(LocalError, match=r"may not enter .*closed: chmod o\+x"):
        account.server_account(folder / "closed" / "postgres", postgres.programs())


# Redis


@pytest.mark.drill
def test_redis_keeps_its_jobs_through_a_kill(folder: Path) -> None:
    server = Redis(folder / "redis", run=folder, log=folder / "redis.log")
    server.start()
    try:
        with client.Redis(unix_socket_path=str(server.socket)) as connection:
            connection.rpush("jobs", *range(1000))
        assert server.process is not None
        processes.kill_group(server.process.pid)
        server.process.wait()
        server.start()
        with client.Redis(unix_socket_path=str(server.socket)) as connection:
            assert connection.llen("jobs") == 1000
        assert server.socket is not None
        assert server.socket.stat().st_mode & 0o077 == 0
    finally:
        server.stop()
    assert not server.socket.exists()
    assert not server.pid_file.exists()


def test_redis_that_ends_at_once_tells_why(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    server = Redis(folder / "redis", run=folder, log=folder / "redis.log")
    (folder / "redis").mkdir()
    (folder / "redis" / "appendonlydir").touch()
    with pytest.raises(LocalError, match="Redis ended while starting: "):
        server.start()


# Processes of an earlier run


def test_a_left_over_process_is_ended_and_a_stranger_with_its_number_is_not(folder: Path) -> None:
    command = [sys.executable, "-c", "import time; time.sleep(60)"]
    sleeper = subprocess.Popen(command)
    try:
        # The process that had this number was another: same pid, other command line.
        processes.write_pid_file(folder / "x.pid", sleeper.pid, [*command, "other"])
        assert not processes.end_leftover(folder / "x.pid")
        assert sleeper.poll() is None
        _wait_until_running(sleeper.pid, command)
        processes.write_pid_file(folder / "x.pid", sleeper.pid, command)
        assert processes.end_leftover(folder / "x.pid")
        assert sleeper.wait(5) == -signal.SIGTERM
    finally:
        sleeper.kill()
        sleeper.wait()
    assert not (folder / "x.pid").exists()


def _wait_until_running(pid: int, command: list[str]) -> None:
    """Between fork and exec a process still has its parent's command line."""
    deadline = time.monotonic() + 5
    while processes.command_of(pid) != command:
        assert time.monotonic() < deadline
        time.sleep(0.01)


@pytest.mark.parametrize("content", ["", "nonsense", "[]", json.dumps({"pid": "x"}), json.dumps({"pid": 999999999})])
def test_a_damaged_pid_file_is_thrown_away(folder: Path, content: str) -> None:
    (folder / "x.pid").write_text(content)
    assert not processes.end_leftover(folder / "x.pid")
    assert not (folder / "x.pid").exists()


@pytest.mark.skipif(not processes.LINUX, reason="asks the Linux kernel")
def test_a_child_dies_with_a_parent_that_is_killed() -> None:
    parent_code = (
        "import sys, time; from platform_risk.local.processes import spawn;"
        "print(spawn([sys.executable, '-c', 'import time; time.sleep(60)']).pid, flush=True); time.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", parent_code], cwd=ROOT, stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        parent.kill()
    deadline = time.monotonic() + 5
    while processes.command_of(child) is not None:
        assert time.monotonic() < deadline
        time.sleep(0.02)


@pytest.mark.skipif(not processes.LINUX, reason="asks the Linux kernel")
def test_an_interrupt_that_only_make_got_is_noticed(folder: Path) -> None:
    code = (
        "import time; from platform_risk.local.makewatch import MakeWatch\n"
        "watch = MakeWatch(); print('on', flush=True)\n"
        "while not watch.was_interrupted(): time.sleep(0.05)\n"
        "print('noticed', flush=True)\n"
    )
    (folder / "watch.py").write_text(code)
    (folder / "Makefile").write_text(f"run:\n\t@exec {sys.executable} watch.py\n")
    # A make of its own, also where these tests run under make.
    inherited = {name: value for name, value in os.environ.items() if name not in ("MAKEFLAGS", "MAKELEVEL", "MFLAGS")}
    environment = inherited | {"PYTHONPATH": str(ROOT)}
    # Whoever started these tests in the background has taken interrupts from all their children.
    command = ["env", "--default-signal=INT", "make", "run"]
    with subprocess.Popen(command, cwd=folder, env=environment, stdout=subprocess.PIPE, text=True) as make:
        assert make.stdout is not None
        assert make.stdout.readline() == "on\n"
        make.send_signal(signal.SIGINT)
        assert make.stdout.readline() == "noticed\n"


def test_without_make_nothing_is_watched(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MAKELEVEL", raising=False)
    assert not makewatch.MakeWatch().was_interrupted()

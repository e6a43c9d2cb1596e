"""docker-compose.yml: it says what `make run` does, and each of its commands starts."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest
import redis
import yaml
from django.db import connection

from platform_risk import env, settings
from platform_risk.local import up
from platform_risk.local.datafolder import DataFolder

ROOT = Path(__file__).resolve().parents[2]
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
APP = ("migrate", "web", "worker", "beat")


def command(service: str) -> list[str]:
    program, *arguments = SERVICES[service]["command"]
    assert program == "python"
    return [sys.executable, *arguments]


def test_it_has_the_processes_of_make_run_and_the_two_servers() -> None:
    assert set(SERVICES) == {*APP, "postgres", "redis"}
    assert {SERVICES[name]["image"] for name in APP} == {"platform-risk"}


def test_its_images_are_pinned_to_a_version() -> None:
    assert SERVICES["postgres"]["image"] == "postgres:18"
    assert SERVICES["redis"]["image"] == "redis:8"


def test_its_commands_are_those_of_make_run(tmp_path: Path) -> None:
    """But for where they listen and what tells two installations on one machine apart."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        local = {child.name: child for child in up.children(settings, {}, DataFolder(tmp_path), listener)}
    for name, child in local.items():
        ours = [re.sub(r"^fd://\d+$", "0.0.0.0:8000", str(part)) for part in child.command[1:]]
        for option in ("--name", "--hostname", "--chdir", "--workdir"):
            if option in ours:
                del ours[ours.index(option) : ours.index(option) + 2]
        assert SERVICES[name]["command"][1:] == ours, name


def test_redis_keeps_a_file_and_throws_nothing_out() -> None:
    line = " ".join(SERVICES["redis"]["command"])
    assert "--appendonly yes" in line
    assert "--maxmemory-policy noeviction" in line
    assert "--requirepass" in line


@pytest.mark.parametrize(
    "name", ["POSTGRES_PASSWORD", "REDIS_PASSWORD", "PLATFORM_RISK_SECRET_KEY", "PLATFORM_RISK_REDACTION_SALT"]
)
def test_a_secret_that_is_not_set_stops_it_and_none_stands_in_the_file(name: str) -> None:
    text = (ROOT / "docker-compose.yml").read_text()
    uses = [use for use in re.findall(r"(?<!\$)\$\{([^}]+)\}", text) if use.startswith(name)]
    assert uses
    assert set(uses) == {f"{name}:?set {name} in .env"}


def test_every_variable_it_sets_is_a_setting() -> None:
    for name in APP:
        assert set(SERVICES[name]["environment"]) <= set(env.VARIABLES)


def test_nothing_starts_before_the_database_is_migrated() -> None:
    assert SERVICES["migrate"]["depends_on"] == {"postgres": {"condition": "service_healthy"}}
    for name in ("web", "worker", "beat"):
        assert SERVICES[name]["depends_on"]["migrate"] == {"condition": "service_completed_successfully"}


def test_every_service_that_can_tell_its_health_is_asked() -> None:
    assert {name for name in SERVICES if "healthcheck" in SERVICES[name]} == {"postgres", "redis", "web", "worker"}


def test_the_image_runs_without_root_from_the_hashed_lock_file() -> None:
    lines = (ROOT / "Dockerfile").read_text()
    assert "--require-hashes -r requirements.lock" in lines
    assert re.search(r"^USER platform-risk$", lines, re.MULTILINE)
    for left_out in (".git", ".venv", ".data", ".env"):
        assert left_out in (ROOT / ".dockerignore").read_text().split()


# Each command, started for a moment on the servers of the test run


@pytest.fixture(scope="module")
def environment(django_db_setup: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """A database and a Redis number of its own, and the data folder where the volume would be."""
    name = f"compose_{os.getpid()}"
    # With its tables: from nothing the product that browser tests start makes them, by the same command.
    template = connection.settings_dict["TEST"].get("TEMPLATE") or "template1"
    with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as server:
        server.execute(f"CREATE DATABASE {name} TEMPLATE {template}".encode())
        url = urlsplit(os.environ["DATABASE_URL"])
        number = "5" if os.environ.get("PYTEST_XDIST_WORKER", "gw0") == "gw0" else "6"
        redis_url = re.sub(r"db=\d+$", f"db={number}", os.environ["REDIS_URL"])
        yield os.environ | {
            "DATABASE_URL": urlunsplit(url._replace(path=f"/{name}")),
            "REDIS_URL": re.sub(r"^(redis://[^/]+).*", rf"\1/{number}", redis_url),
            "PLATFORM_RISK_DATA": str(tmp_path_factory.mktemp("data")),
            "PLATFORM_RISK_DEMO": "0",
            "PLATFORM_RISK_SECRET_KEY": "x" * 50,
            "PLATFORM_RISK_REDACTION_SALT": "y" * 50,
        }
        server.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())


@contextmanager
def started(arguments: list[str], environment: dict[str, str], log: Path) -> Iterator["subprocess.Popen[bytes]"]:
    with log.open("wb") as output:
        process = subprocess.Popen(arguments, cwd=ROOT, env=environment, stdout=output, stderr=output)
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(20)
        finally:
            process.kill()
            process.wait()
    assert process.returncode in {0, -signal.SIGTERM}, log.read_text()


def until(log: Path, process: "subprocess.Popen[bytes]", condition: "Any") -> None:
    deadline = time.monotonic() + 30
    while not condition():
        assert process.poll() is None, log.read_text()
        assert time.monotonic() < deadline, log.read_text()
        time.sleep(0.1)


@pytest.fixture(scope="module")
def migrated(environment: dict[str, str]) -> dict[str, str]:
    done = subprocess.run(
        command("migrate"), cwd=ROOT, env=environment, capture_output=True, text=True, check=False, timeout=90
    )
    assert done.returncode == 0, done.stderr
    return environment


def test_migrate_prepares_the_database_makes_an_admin_and_can_run_again(migrated: dict[str, str]) -> None:
    password = Path(migrated["PLATFORM_RISK_DATA"]) / "admin-password"
    first = password.read_text()
    assert password.stat().st_mode & 0o777 == 0o600
    again = subprocess.run(command("migrate"), cwd=ROOT, env=migrated, capture_output=True, text=True, check=False)
    assert again.returncode == 0, again.stderr
    assert "migrations … up to date" in again.stdout
    assert password.read_text() == first
    assert (Path(migrated["PLATFORM_RISK_DATA"]) / "static" / "staticfiles.json").exists()


def test_web_answers(migrated: dict[str, str], tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    arguments = [part.replace("0.0.0.0:8000", f"127.0.0.1:{port}") for part in command("web")]

    def answers() -> bool:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/livez", timeout=2) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False

    log = tmp_path / "web.log"
    with started(arguments, migrated, log) as process:
        until(log, process, answers)


def test_worker_becomes_ready_and_gives_its_sign_of_life(migrated: dict[str, str], tmp_path: Path) -> None:
    log = tmp_path / "worker.log"
    with redis.Redis.from_url(migrated["REDIS_URL"]) as queue:
        queue.delete(settings.WORKER_SEEN_KEY)
        with started(command("worker"), migrated, log) as process:
            until(log, process, lambda: "ready." in log.read_text() and queue.exists(settings.WORKER_SEEN_KEY))


def test_beat_starts(migrated: dict[str, str], tmp_path: Path) -> None:
    log = tmp_path / "beat.log"
    quick = migrated | {"PLATFORM_RISK_LOG_LEVEL": "DEBUG"}
    with started(command("beat"), quick, log) as process:
        time.sleep(1.5)
        until(log, process, lambda: process.poll() is None)
    assert "Traceback" not in log.read_text()

"""Settings: what the environment turns into, and that a production one passes Django's own examination."""

import json
import logging
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings

from platform_risk import addresses
from platform_risk.env import SettingError
from platform_risk.log import OneLine

ROOT = Path(__file__).resolve().parents[2]


def manage(*arguments: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    """A process of its own: the settings of this one have been read already."""
    return subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=ROOT,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=False,
    )


def settings_with(expression: str, **environment: str) -> Any:
    code = f"import json; from platform_risk import settings; print(json.dumps({expression}, default=str))"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=os.environ | environment, capture_output=True, text=True, check=True
    )
    return json.loads(done.stdout)


@pytest.mark.parametrize("https", ["0", "1"])
def test_djangos_deployment_check_has_nothing_to_say(https: str) -> None:
    done = manage("check", "--deploy", "--fail-level", "WARNING", PLATFORM_RISK_HTTPS=https)
    assert done.returncode == 0, done.stderr


def test_https_makes_cookies_secure_and_plain_http_lets_people_sign_in() -> None:
    ask = "[settings.SESSION_COOKIE_SECURE, settings.CSRF_COOKIE_SECURE, settings.SECURE_SSL_REDIRECT]"
    assert settings_with(ask, PLATFORM_RISK_HTTPS="1") == [True] * 3
    assert settings_with(ask, PLATFORM_RISK_HTTPS="0") == [False] * 3


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PORT", "70000"),
        ("PLATFORM_RISK_DEMO", "perhaps"),
        ("DATABASE_URL", "mysql://host/name"),
        ("DATABASE_URL", "postgresql://host"),
        ("REDIS_URL", "localhost"),
        ("PLATFORM_RISK_STORAGE", "s3://bucket?endpiont=http://x"),
        ("PLATFORM_RISK_IMPORT_HEARTBEAT", "20s"),
        ("PLATFORM_RISK_LOG_LEVEL", "loud"),
    ],
)
def test_a_command_refuses_a_broken_setting_in_one_line(name: str, value: str) -> None:
    done = manage("check", **{name: value})
    assert done.returncode == 1
    assert done.stderr.startswith("platform-risk: ")
    assert name in done.stderr
    assert done.stderr.count("\n") == 1


def test_without_a_database_commands_that_need_none_work_and_others_say_what_to_do(tmp_path: Path) -> None:
    nowhere = {"DATABASE_URL": "", "REDIS_URL": "", "PLATFORM_RISK_DATA": str(tmp_path)}
    assert manage("check", **nowhere).returncode == 0
    done = manage("migrate", "--check", **nowhere)
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].startswith("platform-risk: no database: start one with 'make run'")
    assert "Traceback" not in done.stderr


def test_servers_of_a_running_installation_are_found_through_its_data_folder(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "database-url").write_text("postgresql://me@/name?host=%2Fsome%2Fwhere\n")
    (tmp_path / "run" / "redis-url").write_text("unix:///some/where/redis.sock?db=0\n")
    nowhere = {"DATABASE_URL": "", "REDIS_URL": "", "PLATFORM_RISK_DATA": str(tmp_path)}
    assert settings_with("settings.DATABASES['default']['HOST']", **nowhere) == "/some/where"
    assert settings_with("settings.CELERY_BROKER_URL", **nowhere) == (
        "redis+socket:///some/where/redis.sock?virtual_host=0"
    )


def test_a_limit_holds_for_all_kinds_until_one_is_given_its_own() -> None:
    limits = settings_with(
        "settings.IMPORT_LIMITS", PLATFORM_RISK_IMPORT_STORED_BYTES="1MB", PLATFORM_RISK_IMPORT_STORED_BYTES_BILL="5GB"
    )
    assert {kind: limit["stored_bytes"] for kind, limit in limits.items()} == {
        "scan": 10**6,
        "platform": 10**6,
        "bill": 5 * 10**9,
        "usage": 10**6,
    }
    assert limits["scan"] | {"stored_bytes": 0} == {
        "stored_bytes": 0,
        "unpacked_bytes": 2 * 1024**3,
        "ratio": 200,
        "entries": 5000,
        "depth": 200,
        "archive_depth": 2,
    }


def test_jobs_survive_the_death_of_a_worker() -> None:
    assert settings.CELERY_TASK_ACKS_LATE
    assert settings.CELERY_TASK_REJECT_ON_WORKER_LOST
    assert settings.CELERY_WORKER_PREFETCH_MULTIPLIER == 1
    assert settings.CELERY_ACCEPT_CONTENT == ["json"]
    timeout = settings.CELERY_BROKER_TRANSPORT_OPTIONS["visibility_timeout"]
    assert isinstance(timeout, int)
    assert timeout > settings.IMPORT_LEASE_SECONDS


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        (
            "postgresql://me:p%40ss@db.example.org:5433/risk?sslmode=verify-full&connect_timeout=3",
            {"USER": "me", "PASSWORD": "p@ss", "HOST": "db.example.org", "PORT": "5433", "NAME": "risk"},
        ),
        ("postgres:///risk?host=/run/postgresql", {"HOST": "/run/postgresql", "NAME": "risk", "USER": "", "PORT": ""}),
        ("postgresql://me@[::1]/risk", {"HOST": "::1", "NAME": "risk", "USER": "me"}),
        ("postgresql://%2Frun%2Fpostgresql/risk", {"HOST": "/run/postgresql", "NAME": "risk"}),
    ],
)
def test_a_database_address_is_taken_apart(url: str, expected: dict[str, str]) -> None:
    database = addresses.database(url)
    assert {key: database[key] for key in expected} == expected


def test_what_a_database_address_says_after_the_question_mark_reaches_the_driver() -> None:
    options = addresses.database("postgresql://db/risk?sslmode=verify-full&sslrootcert=/ca.pem")["OPTIONS"]
    assert options["sslmode"] == "verify-full"
    assert options["sslrootcert"] == "/ca.pem"


def test_files_go_to_a_folder_or_to_s3() -> None:
    folder = addresses.storage("/somewhere/files", None, None)
    assert folder["OPTIONS"]["location"] == "/somewhere/files"
    s3 = addresses.storage("s3://bucket/some/prefix?endpoint=http://127.0.0.1:9000&region=eu-1", "key", "secret")
    assert s3["BACKEND"] == "storages.backends.s3.S3Storage"
    assert s3["OPTIONS"]["bucket_name"] == "bucket"
    assert s3["OPTIONS"]["location"] == "some/prefix"
    assert s3["OPTIONS"]["endpoint_url"] == "http://127.0.0.1:9000"
    assert s3["OPTIONS"]["access_key"] == "key"
    assert not s3["OPTIONS"]["file_overwrite"]


@pytest.mark.parametrize("place", ["gs://bucket", "s3://", "s3:///prefix"])
def test_a_storage_that_is_none_is_refused(place: str) -> None:
    with pytest.raises(SettingError, match="PLATFORM_RISK_STORAGE"):
        addresses.storage(place, None, None)


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("smtp://me:pw@mail.example.org", ("mail.example.org", 587, "me", "pw", True, False)),
        ("smtps://mail.example.org", ("mail.example.org", 465, "", "", False, True)),
        ("smtp://localhost:25", ("localhost", 25, "", "", False, False)),
    ],
)
def test_a_mail_address_is_taken_apart(url: str, expected: tuple[object, ...]) -> None:
    assert addresses.email(url) == expected


def test_a_log_record_is_one_line_whatever_it_holds() -> None:
    try:
        raise ValueError("one\ntwo")
    except ValueError:
        record = logging.LogRecord(
            "name", logging.ERROR, "p", 1, "file %s", ("a\r\nforged\x1b[31m\u2028x",), sys.exc_info()
        )
    line = OneLine().format(record)
    assert len(line.splitlines()) == 1
    assert "\x1b" not in line
    assert "Traceback" in line

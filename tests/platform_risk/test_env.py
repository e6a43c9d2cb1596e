"""Readers of the environment: what they take, and what they refuse with which words."""

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from platform_risk import env
from platform_risk.env import SettingError

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(autouse=True)
def fresh_registry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(env, "VARIABLES", {})
    monkeypatch.delenv("X", raising=False)


READERS: dict[str, Callable[[], object]] = {
    "bool": lambda: env.env_bool("X", "doc", default=False),
    "int": lambda: env.env_int("X", 5, "doc", minimum=1, maximum=9),
    "choice": lambda: env.env_choice("X", "a", ["a", "b"], "doc"),
    "bytes": lambda: env.env_bytes("X", "1MiB", "doc"),
    "duration": lambda: env.env_duration("X", "30s", "doc"),
    "list": lambda: env.env_list("X", ["a"], "doc"),
    "str": lambda: env.env_str("X", "text", "doc"),
    "url": lambda: env.env_url("X", ["redis"], "doc", shown="–"),
}


@pytest.mark.parametrize(
    ("reader", "value", "expected"),
    [
        ("bool", "1", True),
        ("bool", "Yes", True),
        ("bool", "off", False),
        ("int", "9", 9),
        ("int", " 1 ", 1),
        ("choice", "b", "b"),
        ("bytes", "10", 10),
        ("bytes", "500MB", 500_000_000),
        ("bytes", "2GiB", 2 * 1024**3),
        ("bytes", "1 kib", 1024),
        ("duration", "45", 45),
        ("duration", "15m", 900),
        ("duration", "2h", 7200),
        ("duration", "30d", 30 * 86400),
        ("list", "a, b,,c", ["a", "b", "c"]),
        ("str", "other", "other"),
        ("url", "redis://host:1/0", "redis://host:1/0"),
    ],
)
def test_a_value_is_read(monkeypatch: pytest.MonkeyPatch, reader: str, value: str, expected: object) -> None:
    monkeypatch.setenv("X", value)
    assert READERS[reader]() == expected


@pytest.mark.parametrize(
    ("reader", "default"),
    [
        ("bool", False),
        ("int", 5),
        ("choice", "a"),
        ("bytes", 1024**2),
        ("duration", 30),
        ("list", ["a"]),
        ("url", None),
    ],
)
@pytest.mark.parametrize("value", [None, "", "  "])
def test_unset_and_empty_mean_the_default(
    monkeypatch: pytest.MonkeyPatch, reader: str, default: object, value: str | None
) -> None:
    if value is not None:
        monkeypatch.setenv("X", value)
    assert READERS[reader]() == default


@pytest.mark.parametrize(
    ("reader", "value"),
    [
        ("bool", "2"),
        ("bool", "maybe"),
        ("int", "0"),
        ("int", "10"),
        ("int", "1.5"),
        ("int", "٣"),
        ("int", "9" * 5000),
        ("choice", "c"),
        ("bytes", "2 parsecs"),
        ("bytes", "-1"),
        ("bytes", "0"),
        ("bytes", "1.5GB"),
        ("duration", "soon"),
        ("duration", "0s"),
        ("url", "http://host"),
        ("url", "host:6379"),
        ("url", "redis://host:99999"),
        ("url", "redis://[::1"),
    ],
)
def test_nonsense_is_refused_in_one_line_that_names_the_variable(
    monkeypatch: pytest.MonkeyPatch, reader: str, value: str
) -> None:
    monkeypatch.setenv("X", value)
    with pytest.raises(SettingError) as caught:
        READERS[reader]()
    assert "X" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_refused_address_does_not_show_its_password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("X", "http://user:hunter2@host")
    with pytest.raises(SettingError) as caught:
        READERS["url"]()
    assert "hunter2" not in str(caught.value)


def test_a_secret_is_read_from_the_file_that_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("hunter2\n")
    monkeypatch.setenv("X_FILE", str(tmp_path / "secret"))
    assert env.env_secret("X", "doc") == "hunter2"


@pytest.mark.parametrize("content", [None, "", "\n"])
def test_a_secret_file_that_is_missing_or_empty_is_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, content: str | None
) -> None:
    if content is not None:
        (tmp_path / "secret").write_text(content)
    monkeypatch.setenv("X_FILE", str(tmp_path / "secret"))
    with pytest.raises(SettingError, match="X_FILE"):
        env.env_secret("X", "doc")


def test_a_secret_given_twice_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("X", "a")
    monkeypatch.setenv("X_FILE", str(tmp_path / "secret"))
    with pytest.raises(SettingError, match="both set"):
        env.env_secret("X", "doc")


def test_one_variable_cannot_have_two_descriptions() -> None:
    env.env_int("X", 5, "doc")
    env.env_int("X", 5, "doc")
    with pytest.raises(SettingError, match="twice"):
        env.env_int("X", 6, "doc")


def test_a_kept_secret_stays_the_same_and_only_its_owner_may_read_it(tmp_path: Path) -> None:
    path = tmp_path / "new folder" / "secret"
    first = env.kept_secret(path)
    assert env.kept_secret(path) == first
    assert len(first) >= 50
    assert path.stat().st_mode & 0o777 == 0o600
    assert os.listdir(path.parent) == ["secret"]


def test_a_damaged_kept_secret_is_not_used(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("short")
    with pytest.raises(SettingError, match="remove it"):
        env.kept_secret(tmp_path / "secret")


def test_a_kept_secret_that_cannot_be_written_says_where_and_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(SettingError, match="PLATFORM_RISK_DATA"):
        env.kept_secret(tmp_path / "file" / "secret")


def test_processes_that_start_at_once_agree_on_one_secret(tmp_path: Path) -> None:
    code = "import pathlib, platform_risk.env as env; print(env.kept_secret(pathlib.Path('secret').absolute()))"
    here = os.environ | {"PYTHONPATH": str(ROOT)}
    processes = [
        subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, cwd=tmp_path, env=here) for _ in range(4)
    ]
    assert len({process.communicate()[0] for process in processes}) == 1


def test_a_misspelt_variable_is_noticed() -> None:
    env.env_bool("PLATFORM_RISK_DEMO", "doc", default=True)
    env.env_secret("PLATFORM_RISK_SALT", "doc")
    given = {"PLATFORM_RISK_DMEO": "0", "PLATFORM_RISK_DEMO": "0", "PLATFORM_RISK_SALT_FILE": "/x", "HOME": "/"}
    assert env.unknown_variables(given) == ["PLATFORM_RISK_DMEO"]


def test_the_table_in_the_documentation_is_the_one_the_code_prints() -> None:
    printed = subprocess.run(
        [sys.executable, "-m", "platform_risk.env"], capture_output=True, text=True, check=True, cwd=ROOT
    ).stdout.strip()
    page = (ROOT / "docs" / "settings.md").read_text()
    written = "\n".join(line for line in page.splitlines() if line.startswith("|"))
    assert written == printed, "docs/settings.md is out of date: python -m platform_risk.env prints the table"
    assert len(set(re.findall(r"^\| `(\w+)`", page, re.MULTILINE))) == len(printed.splitlines()) - 2


def test_no_other_module_reads_a_setting_past_the_table() -> None:
    """One place: elsewhere os.environ is passed on or set, never asked for a name of ours."""
    pattern = re.compile(r"""(?:environ(?:\.get)?|getenv)\s*[\[(]\s*["'](PLATFORM_RISK_|DATABASE_URL|REDIS_URL|PORT)""")
    sources = [path for package in ("platform_risk", "findings", "costs") for path in (ROOT / package).rglob("*.py")]
    allowed = {
        "platform_risk/cli/client.py",  # knows no Django and no settings
        "platform_risk/local/throwaway.py",  # writes the two addresses it reads
        "platform_risk/core/imports/faults.py",  # only drills set it, and nobody should find it in a table
    }
    found = {str(path.relative_to(ROOT)) for path in sources if pattern.search(path.read_text())}
    assert found - allowed == set()

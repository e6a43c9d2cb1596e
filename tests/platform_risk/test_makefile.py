"""The Makefile and .ci/run: what they list exists, and what they refuse they refuse with a reason."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "Makefile").read_text()


def make(*arguments: str, folder: Path = ROOT, **environment: str) -> "subprocess.CompletedProcess[str]":
    # Under `make test` we are make's child: its variables would change what a make of ours does.
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS"))}
    return subprocess.run(
        ["make", *arguments], cwd=folder, env=inherited | environment, capture_output=True, text=True, check=False
    )


def test_help_lists_every_target_that_a_person_types() -> None:
    done = make()
    listed = set(re.findall(r"^  make (\S+)", done.stdout, re.MULTILINE))
    phony = set(re.findall(r"^\.PHONY: (\S+)$", TEXT, re.MULTILINE))
    assert listed == phony - {"browser-there"}
    assert {"run", "test", "fast", "lint", "fix", "bench", "drill", "lock", "help"} <= listed


def test_lint_covers_style_types_contracts_migrations_and_djangos_checks() -> None:
    plan = make("--dry-run", "--always-make", "lint").stdout
    for part in (
        "ruff check",
        "ruff format --check",
        "mypy",
        "lint-imports",
        "makemigrations --check",
        "check --deploy",
    ):
        assert part in plan


def test_packages_are_installed_from_hashes_only() -> None:
    installs = [line for line in TEXT.splitlines() if "$(PIP) install" in line]
    assert len(installs) == 2
    assert all("--require-hashes" in line for line in installs)


@pytest.mark.parametrize("name", ["requirements.lock", "requirements-dev.lock"])
def test_lock_files_name_no_address_and_hash_everything(name: str) -> None:
    text = (ROOT / name).read_text()
    assert "://" not in text
    assert "--index" not in text
    pins = re.findall(r"^[a-z0-9].*$", text, re.MULTILINE)
    assert len(pins) > 40
    assert all(line.endswith("\\") and "==" in line for line in pins)


def test_both_lock_files_agree() -> None:
    pins = [
        dict(re.findall(r"^([a-z0-9-]+)==([^ ;]+)", (ROOT / name).read_text(), re.MULTILINE))
        for name in ("requirements.lock", "requirements-dev.lock")
    ]
    assert pins[0].items() <= pins[1].items()


def test_a_missing_browser_is_loud_and_under_ci_an_error() -> None:
    quiet = make("browser-there", PLATFORM_RISK_CHROMIUM="", CI="")
    assert quiet.returncode == 0
    assert "NO CHROMIUM" in quiet.stdout
    strict = make("browser-there", PLATFORM_RISK_CHROMIUM="", CI="true")
    assert strict.returncode != 0
    assert "NO CHROMIUM" in strict.stdout


def test_without_a_python_that_will_do_the_remedy_is_named(tmp_path: Path) -> None:
    shutil.copy(ROOT / "Makefile", tmp_path)
    for name in ("requirements.lock", "requirements-dev.lock"):
        (tmp_path / name).touch()
    done = make("run", "PYTHON=", folder=tmp_path)
    assert done.returncode != 0
    assert "no Python 3.11 or newer found: install one" in done.stdout
    assert not (tmp_path / ".venv").exists()


def test_ci_installs_what_the_tests_need_and_runs_them_strictly() -> None:
    script = (ROOT / ".ci" / "run").read_text()
    assert "set -euo pipefail" in script
    assert "chromium" in script
    assert script.rstrip().endswith("CI=true make test")
    assert os.access(ROOT / ".ci" / "run", os.X_OK)
    assert subprocess.run(["bash", "-n", ".ci/run"], cwd=ROOT, check=False).returncode == 0


def test_every_environment_has_the_command_line() -> None:
    for stamp in (".venv/run.stamp", ".venv/dev.stamp"):
        plan = make("--dry-run", "--always-make", stamp).stdout
        assert "install -m 755 platform_risk/local/command.sh .venv/bin/platform-risk" in plan


def test_the_pure_tests_run_by_themselves() -> None:
    """With plugins and settings of their own, which nothing else here uses."""
    done = make("fast", "PURE=tests/platform_risk/quantities", "JOBS=0")
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"^\d+ passed in", done.stdout, re.MULTILINE)

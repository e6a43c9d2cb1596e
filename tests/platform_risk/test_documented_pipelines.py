"""The hook and the pipelines of docs/scan.md, taken out of the page and run."""

import json
import re
import shlex
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
import yaml

from findings.platform import files, reader
from platform_risk import cli

ROOT = Path(__file__).resolve().parents[2]
DOCUMENT = (ROOT / "docs" / "scan.md").read_text(encoding="utf-8")
TOKEN = """apiVersion: apps/v1
kind: Deployment
metadata: {name: api, namespace: shop}
spec:
  template:
    spec:
      containers:
        - name: api
          image: registry.example/api:1
          env:
            - {name: VAULT_TOKEN, valueFrom: {secretKeyRef: {name: vault, key: token}}}
"""
MUTABLE = 'resource "aws_ecr_repository" "api" {\n  name = "api"\n}\n'  # below every lane that the examples ask for
COMMAND = re.compile(r"platform-risk scan [^\n\[`]*$", re.MULTILINE)


def blocks(heading: str) -> list[str]:
    """The indented blocks of a section, without their indentation."""
    section = DOCUMENT.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    return [re.sub(r"^ {4}", "", found, flags=re.MULTILINE) for found in re.findall(r"(?:^ {4}.*\n?)+", section, re.M)]


def example(heading: str, number: int = 0) -> Any:
    return yaml.safe_load(blocks(heading)[number])


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(command: str) -> int:
    program, *words = shlex.split(command)
    assert program == "platform-risk"
    return cli.main(words)


HOOK = example("Before each commit")["repos"][0]["hooks"][0]
GITHUB = example("In a pipeline", 0)
GITLAB = example("In a pipeline", 1)
COMMANDS = [HOOK["entry"], GITHUB[0]["run"], GITLAB["platform-risk"]["script"]]


@pytest.mark.parametrize("command", COMMANDS)
def test_each_example_ends_with_zero_one_or_two_as_the_page_says(
    repository: Path, capsys: pytest.CaptureFixture[str], command: str
) -> None:
    (repository / "main.tf").write_text(MUTABLE)
    assert run(command) == 0
    (repository / "api.yaml").write_text(TOKEN)
    assert run(command) == 1
    (repository / "platform-risk.yaml").write_text("slo: [")
    assert run(command) == 2
    assert "platform-risk.yaml" in capsys.readouterr().err


def test_the_hook_is_one_that_runs_what_is_installed_over_everything() -> None:
    assert example("Before each commit")["repos"][0]["repo"] == "local"
    assert HOOK["language"] == "system"
    assert HOOK["pass_filenames"] is False, "its entry names the folder itself"
    assert {"id", "name", "entry"} <= set(HOOK)


@pytest.mark.parametrize(
    "path",
    [
        "k8s/api.yaml", "k8s/api.yml", "plan.json", "main.tf", "prod.tfvars", "app/settings.py", "app.toml",
        "kafka.properties", ".env", "deploy/.env.production", "prod.env", "pgbouncer.ini", "app.cfg", "redis.conf",
        "Dockerfile", "api/Dockerfile.worker", "api.Dockerfile", "Containerfile", "api.yaml.example",
    ],
)  # fmt: skip
def test_the_hook_runs_when_a_file_changes_that_a_scan_reads(path: str) -> None:
    text = {"toml": "a = 1", "json": "{}", "tf": ""}.get(path.rpartition(".")[2], "FROM a" if "ile" in path else "a: 1")
    (skipped,) = reader.read([files.File(path, text)]).skipped or (None,)
    assert skipped is None or skipped.reason != "no kind of file that is read here", "a scan reads it"
    assert re.search(HOOK["files"], path)


@pytest.mark.parametrize("path", ["README.md", "logo.png", "src/main.go", "static/app.js"])
def test_the_hook_sleeps_when_only_other_files_change(path: str) -> None:
    assert not re.search(HOOK["files"], path)


def test_results_on_the_pull_request_are_those_that_the_scan_writes(repository: Path) -> None:
    (repository / "api.yaml").write_text(TOKEN)
    scan, upload = GITHUB
    assert run(scan["run"]) == 1
    written = json.loads((repository / upload["with"]["sarif_file"]).read_text())
    assert written["version"] == "2.1.0"
    assert any(each["ruleId"] == "secret-in-env" for each in written["runs"][0]["results"])
    assert upload["if"] == "always()", "a scan that finds something has ended with 1"


def test_gitlab_shows_what_the_scan_writes(repository: Path) -> None:
    (repository / "api.yaml").write_text(TOKEN)
    job = GITLAB["platform-risk"]
    assert run(job["script"]) == 1
    tree = ElementTree.parse(repository / job["artifacts"]["reports"]["junit"])
    assert any("secret-in-env" in (case.get("classname") or "") + (case.get("name") or "")
               for case in tree.iter("testcase") if case.find("failure") is not None)  # fmt: skip
    assert job["artifacts"]["when"] == "always"


def test_a_baseline_as_the_page_makes_it_lets_only_new_findings_count(repository: Path) -> None:
    (repository / "api.yaml").write_text(TOKEN)
    keep, compare = blocks("Baseline")[0].splitlines()
    assert run(keep) == 0
    assert run(compare) == 0
    (repository / "main.tf").write_text(MUTABLE)
    assert run(compare) == 1


def test_every_scan_that_a_document_shows_is_understood(repository: Path) -> None:
    (repository / "demo/clean-platform/failure-modes/db-connections/bad").mkdir(parents=True)
    pages = [ROOT / "README.md", *(ROOT / "docs").glob("*.md"), ROOT / "demo" / "clean-platform" / "README.md"]
    shown = [found for page in pages for found in COMMAND.findall(page.read_text(encoding="utf-8")) if "…" not in found]
    assert len(shown) >= 7
    # The baseline of the one is what another has written.
    assert [run(each) for each in sorted(shown, key=lambda each: "--baseline" in each)] == [0] * len(shown)

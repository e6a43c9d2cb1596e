"""The command line: what it reads, what it prints, how it ends."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from platform_risk import __version__, cli

ROOT = Path(__file__).resolve().parents[2]
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
MUTABLE = 'resource "aws_ecr_repository" "api" {\n  name = "api"\n}\n'


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "platform"
    made.mkdir()
    (made / "api.yaml").write_text(TOKEN)
    return made


def scan(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str, str]:
    code = cli.main(["scan", *(str(each) for each in arguments)])
    out = capsys.readouterr()
    return code, out.out, out.err


def as_json(capsys: pytest.CaptureFixture[str], *arguments: object) -> dict[str, Any]:
    shown: dict[str, Any] = json.loads(scan(capsys, *arguments, "--format", "json")[1])
    return shown


def tokens(shown: dict[str, Any]) -> list[dict[str, Any]]:
    return [each for each in shown["findings"] if each["check"] == "secret-in-env"]


# Exit codes


@pytest.mark.parametrize(
    ("lane", "code"), [("immediate", 1), ("critical", 1), ("important", 1), ("optimization", 1), ("never", 0)]
)
def test_something_at_or_above_the_lane_ends_with_one(
    capsys: pytest.CaptureFixture[str], folder: Path, lane: str, code: int
) -> None:
    assert scan(capsys, folder, "--fail-on", lane)[0] == code


def test_what_is_milder_than_the_lane_ends_with_zero(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    (tmp_path / "main.tf").write_text(MUTABLE)
    assert scan(capsys, tmp_path)[0] == 1
    assert scan(capsys, tmp_path, "--fail-on", "important")[0] == 0


def test_nothing_found_ends_with_zero_and_says_so(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    (tmp_path / "main.tf").write_text(MUTABLE.replace("}\n", '  image_tag_mutability = "IMMUTABLE"\n}\n'))
    code, out, err = scan(capsys, tmp_path)
    assert (code, err) == (0, "")
    assert "Findings: none" in out


def test_a_folder_that_is_not_there_ends_with_two_and_the_others_are_told(
    capsys: pytest.CaptureFixture[str], folder: Path
) -> None:
    code, out, err = scan(capsys, folder, folder / "gone")
    assert code == 2
    assert "gone: there is no such file or folder" in err
    assert "VAULT_TOKEN" in out


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_a_file_that_may_not_be_read_ends_with_two(capsys: pytest.CaptureFixture[str], folder: Path) -> None:
    (folder / "secret.yaml").write_text("a: 1")
    (folder / "secret.yaml").chmod(0)
    code, out, err = scan(capsys, folder)
    assert code == 2
    assert "secret.yaml: cannot be read" in err
    assert "VAULT_TOKEN" in out


@pytest.mark.parametrize("arguments", [[], ["scan"], ["scan", ".", "--format", "pdf"], ["fly"]])
def test_a_command_that_cannot_be_understood_ends_with_two(
    capsys: pytest.CaptureFixture[str], arguments: list[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main(arguments)
    assert ended.value.code == 2
    assert "usage: platform-risk" in capsys.readouterr().err


# What is read


def test_every_file_is_read_or_listed_with_its_reason(capsys: pytest.CaptureFixture[str], folder: Path) -> None:
    (folder / "notes.txt").write_text("hello")
    (folder / "broken.yaml").write_text("a: [")
    (folder / "blob.yaml").write_bytes(b"\x00\x01")
    (folder / ".git").mkdir()
    shown = as_json(capsys, folder)
    assert shown["files"]["read"] == 1
    skipped = {each["path"]: each["reason"] for each in shown["files"]["skipped"]}
    assert set(skipped) == {"notes.txt", "broken.yaml", "blob.yaml", ".git/"}
    assert skipped["blob.yaml"] == "binary"


def test_of_several_paths_files_keep_the_folder_they_were_given_by(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "api.yaml").write_text(TOKEN.replace("namespace: shop", f"namespace: {name}"))
    monkeypatch.chdir(tmp_path)
    shown = as_json(capsys, "a", "b/api.yaml", "a")
    assert {each["locations"][0]["path"] for each in tokens(shown)} == {"a/api.yaml", "b/api.yaml"}
    assert shown["files"]["read"] == 2


def test_facts_are_read_from_beside_the_configuration_or_from_where_they_are_named(
    capsys: pytest.CaptureFixture[str], folder: Path, tmp_path: Path
) -> None:
    assert "principals_who_can_read" not in str(tokens(as_json(capsys, folder)))
    facts = tmp_path / "facts.yaml"
    facts.write_text("secrets: {vault: {principals: 7}}")
    (finding,) = tokens(as_json(capsys, folder, "--facts", facts))
    figures = {each["name"]: each["value"] for each in finding["quantities"]}
    assert figures["principals_who_can_read"] == 7
    shutil.copy(facts, folder / "platform-risk.yaml")
    assert tokens(as_json(capsys, folder))[0]["title"] == finding["title"]


@pytest.mark.parametrize("text", ["- a list", "a: [", "a: 1\na: 2"])
def test_facts_that_cannot_be_read_end_with_two(
    capsys: pytest.CaptureFixture[str], folder: Path, tmp_path: Path, text: str
) -> None:
    facts = tmp_path / "facts.yaml"
    facts.write_text(text)
    code, out, err = scan(capsys, folder, "--facts", facts)
    assert code == 2
    assert "facts.yaml" in err
    assert "VAULT_TOKEN" in out


def test_of_several_facts_beside_the_configuration_one_counts_and_that_is_no_failure(
    capsys: pytest.CaptureFixture[str], folder: Path
) -> None:
    (folder / "platform-risk.yaml").write_text("secrets: {vault: {principals: 7}}")
    (folder / "inner").mkdir()
    (folder / "inner" / "platform-risk.yaml").write_text("secrets: {vault: {principals: 8}}")
    code, out, err = scan(capsys, folder)
    assert (code, err) == (1, "")
    assert "7 principals can read it" in out
    assert "inner/platform-risk.yaml: the facts are those of platform-risk.yaml" in out


# Suppressions


def test_a_comment_with_a_reason_suppresses(capsys: pytest.CaptureFixture[str], folder: Path) -> None:
    text = TOKEN.replace(
        "            - {name", "            # platform-risk: ignore secret-in-env: an hour\n            - {name"
    )
    (folder / "api.yaml").write_text(text)
    (finding,) = tokens(as_json(capsys, folder))
    assert finding["suppressed"] == {"reason": "an hour", "expires_on": None}
    assert scan(capsys, folder)[0] == 0


@pytest.mark.parametrize(
    ("entry", "code", "said"),
    [
        ("{check: secret-in-env, reason: short-lived, expires_on: 2999-01-01}", 0, ""),
        ("{check: secret-in-env, subject: Secret/shop/vault, reason: short-lived}", 0, ""),
        ("{check: secret-in-env, subject: Secret/shop/other, reason: short-lived}", 1, ""),
        ("{check: secret-in-env, reason: short-lived, expires_on: 2020-01-01}", 1, "it expired on 2020-01-01"),
        ("{check: secret-in-env, reason: short-lived, expires_on: soon}", 1, "expires_on soon is no date"),
        ("{check: secret-in-env, reason: short-lived, expires_on: 2027-02-30}", 1, "expires_on 2027-02-30 is no date"),
        ("{check: secrets-in-env, reason: short-lived}", 1, "there is no check secrets-in-env"),
        ("{check: secret-in-env}", 0, "it gives no reason"),
        ("everything", 1, "it is a mapping"),
    ],
)
def test_a_suppression_in_the_facts_holds_or_it_is_said_why_not(
    capsys: pytest.CaptureFixture[str], folder: Path, entry: str, code: int, said: str
) -> None:
    (folder / "platform-risk.yaml").write_text(f"suppress:\n  - {entry}\n")
    ended, _, err = scan(capsys, folder)
    assert ended == code
    assert said in err
    assert bool(err) == bool(said)
    assert as_json(capsys, folder)["problems"] == [line.partition(": ")[2] for line in err.splitlines()]


def test_a_comment_that_names_no_check_is_said(capsys: pytest.CaptureFixture[str], folder: Path) -> None:
    (folder / "api.yaml").write_text("# platform-risk: ignore secrets: why not\n" + TOKEN)
    code, _, err = scan(capsys, folder)
    assert code == 1
    assert "api.yaml, line 1: there is no check secrets" in err


# Baseline


def test_only_what_the_baseline_does_not_hold_counts(
    capsys: pytest.CaptureFixture[str], folder: Path, tmp_path: Path
) -> None:
    baseline = tmp_path / "baseline.json"
    assert scan(capsys, folder, "--format", "json", "--output", baseline)[:2] == (1, "")
    assert scan(capsys, folder, "--baseline", baseline)[0] == 0
    (folder / "api.yaml").write_text("# lines move\n" + TOKEN)
    assert scan(capsys, folder, "--baseline", baseline)[0] == 0
    (folder / "bot.yaml").write_text(TOKEN.replace("vault", "github").replace("VAULT", "GITHUB"))
    assert scan(capsys, folder, "--baseline", baseline)[0] == 1
    shown = as_json(capsys, folder, "--baseline", baseline)
    assert {each["subject"]: each["in_baseline"] for each in tokens(shown)} == {
        "Secret/shop/vault": True,
        "Secret/shop/github": False,
    }


@pytest.mark.parametrize("text", ["", "[]", '{"findings": [1]}', "{}", "[" * 100_000])
def test_a_baseline_that_is_none_ends_with_two(
    capsys: pytest.CaptureFixture[str], folder: Path, tmp_path: Path, text: str
) -> None:
    (tmp_path / "baseline.json").write_text(text)
    code, _, err = scan(capsys, folder, "--baseline", tmp_path / "baseline.json")
    assert code == 2
    assert "it is no result of" in err


# Output


@pytest.mark.parametrize("name", ["table", "json", "sarif", "junit"])
def test_every_format_goes_to_a_file_as_to_the_screen(
    capsys: pytest.CaptureFixture[str], folder: Path, tmp_path: Path, name: str
) -> None:
    screen = scan(capsys, folder, "--format", name)[1]
    code, out, _ = scan(capsys, folder, "--format", name, "--output", tmp_path / "result")
    assert (code, out) == (1, "")
    written = (tmp_path / "result").read_text(encoding="utf-8")
    assert written == screen
    if name in ("json", "sarif"):
        assert json.loads(written)
    if name == "junit":
        assert ElementTree.fromstring(written).get("failures")


def test_a_file_that_cannot_be_written_ends_with_two(capsys: pytest.CaptureFixture[str], folder: Path) -> None:
    code, _, err = scan(capsys, folder, "--output", folder)
    assert code == 2
    assert str(folder) in err


def test_scanning_twice_says_the_same(capsys: pytest.CaptureFixture[str], folder: Path) -> None:
    assert scan(capsys, folder, "--format", "json") == scan(capsys, folder, "--format", "json")


# The program


def run(*arguments: object, **options: Any) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-P", "-m", "platform_risk.cli", *(str(each) for each in arguments)],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
        **options,
    )


def test_it_needs_neither_django_nor_a_database() -> None:
    code = (
        "import sys, platform_risk.cli as cli\n"
        "cli.main(['scan', '--fail-on', 'never', 'docs'])\n"
        "heavy = ('django', 'psycopg', 'celery', 'redis', 'rest_framework', 'numpy', 'plotly')\n"
        "print([name for name in heavy if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


def test_it_says_its_version() -> None:
    assert run("--version").stdout == f"platform-risk {__version__}\n"


def test_files_of_the_scanned_folder_are_not_taken_for_packages(folder: Path) -> None:
    (folder / "yaml.py").write_text("raise SystemExit(77)")
    (folder / "platform_risk").mkdir()
    done = run("scan", ".", "--fail-on", "never", cwd=folder)
    assert (done.returncode, done.stderr) == (0, "")
    assert "VAULT_TOKEN" in done.stdout


def test_a_reader_that_stops_reading_is_no_crash(folder: Path) -> None:
    command = f"{sys.executable} -P -m platform_risk.cli scan . | true"
    done = subprocess.run(
        ["bash", "-c", command],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        check=False,
    )
    assert b"Traceback" not in done.stderr


def test_the_command_beside_python_finds_its_project_from_anywhere(folder: Path, tmp_path: Path) -> None:
    """As the Makefile puts it there, in a checkout whose path holds a space."""
    project = tmp_path / "a project"
    binaries = project / ".venv" / "bin"
    binaries.mkdir(parents=True)
    for name in ("platform_risk", "findings", "CHANGELOG.md"):
        (project / name).symlink_to(ROOT / name)
    (binaries / "python").write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
    (binaries / "python").chmod(0o755)
    shutil.copy(ROOT / "platform_risk" / "local" / "command.sh", binaries / "platform-risk")
    (binaries / "platform-risk").chmod(0o755)
    linked = tmp_path / "linked"
    linked.symlink_to(binaries / "platform-risk")
    for command in (binaries / "platform-risk", linked):
        done = subprocess.run(
            [command, "scan", ".", "--format", "json"], cwd=folder, capture_output=True, text=True, check=False
        )
        assert (done.returncode, done.stderr) == (1, "")
        assert json.loads(done.stdout)["tool"]["name"] == "platform-risk"


def test_every_option_of_scan_is_in_the_documents(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        cli.main(["scan", "--help"])
    options = set(re.findall(r"--[a-z-]+", capsys.readouterr().out)) - {"--help"}
    document = (ROOT / "docs" / "scan.md").read_text()
    assert len(options) == 5
    assert {option for option in options if option not in document} == set()


@pytest.mark.parametrize(
    ("facts", "said", "code"),
    [
        ("slo: 99.9", "line 1: slo is a mapping, with target, window_days", 2),
        ("slo:\n  window_days: 30d", "line 2: slo.window_days is a number", 2),
        ("nodes: .nan", "nodes is a whole number", 2),
        ("kafka: {messages_per_second: -1}", "kafka.messages_per_second is at least 0", 2),
        ("slo: {traget: 99.9}", "no check reads a fact slo.traget", 1),
        ("slo: {target: 99,9}", "no check reads a fact slo.9", 1),
    ],
)
def test_a_fact_that_does_not_count_is_said_with_its_line(
    capsys: pytest.CaptureFixture[str], folder: Path, facts: str, said: str, code: int
) -> None:
    (folder / "platform-risk.yaml").write_text(facts)
    found, out, err = scan(capsys, folder)
    assert said in err
    assert found == code
    assert "VAULT_TOKEN" in out


def test_a_number_in_quotes_is_one(capsys: pytest.CaptureFixture[str], folder: Path) -> None:
    (folder / "platform-risk.yaml").write_text('secrets: {vault: {principals: "7"}}')
    code, _, err = scan(capsys, folder)
    assert (code, err) == (1, "")
    assert {"principals_who_can_read": 7}.items() <= {
        each["name"]: each["value"] for each in tokens(as_json(capsys, folder))[0]["quantities"]
    }.items()


SPELT_OUT = TOKEN.replace(
    "            - {name: VAULT_TOKEN, valueFrom: {secretKeyRef: {name: vault, key: token}}}",
    """            - name: VAULT_TOKEN
              valueFrom:
                secretKeyRef:
                  name: vault
                  key: token
            - name: OTHER
              value: x""",
)


@pytest.mark.parametrize("above", ["            - name: VAULT", "          env:"])
def test_a_comment_above_what_holds_the_place_suppresses(
    capsys: pytest.CaptureFixture[str], folder: Path, above: str
) -> None:
    comment = "            # platform-risk: ignore secret-in-env: short-lived\n"
    (folder / "api.yaml").write_text(SPELT_OUT.replace(above, comment + above))
    shown = as_json(capsys, folder)
    assert [each["suppressed"]["reason"] for each in tokens(shown)] == ["short-lived"]
    assert shown["problems"] == []


@pytest.mark.parametrize(
    ("comment", "said"),
    [
        ("# platform-risk: ignore secret-in-env: elsewhere", "line 1: nothing is found here by secret-in-env"),
        ("# platform-risk: ignore secret-in-env", "line 1: it gives no reason"),
        ("# platform-risk: ignore", "line 1: it says not which check to ignore"),
    ],
)
def test_a_comment_that_does_not_do_what_it_is_for_is_said(
    capsys: pytest.CaptureFixture[str], folder: Path, comment: str, said: str
) -> None:
    (folder / "api.yaml").write_text(f"{comment}\n{SPELT_OUT}")
    shown = as_json(capsys, folder)
    assert any(said in each for each in shown["problems"])
    assert "suppressed" not in tokens(shown)[0]


def test_a_suppression_with_a_word_that_nothing_reads_is_said(capsys: pytest.CaptureFixture[str], folder: Path) -> None:
    (folder / "platform-risk.yaml").write_text("suppress: [{check: secret-in-env, reason: x, until: 2020-01-01}]")
    assert "nothing reads until" in scan(capsys, folder)[2]


@pytest.mark.parametrize("form", ["json", "junit", "sarif", "table"])
def test_names_of_files_that_are_no_utf_8_are_told_in_every_format(
    capsys: pytest.CaptureFixture[str], folder: Path, form: str
) -> None:
    try:
        (folder / "caf\udce9.yaml").write_text(TOKEN)
    except OSError:
        pytest.skip("this file system takes no such name")
    code, out, _ = scan(capsys, folder, "--format", form)
    assert code == 1
    assert "VAULT_TOKEN" in out


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
def test_a_full_disk_is_said_and_no_crash(folder: Path) -> None:
    with Path("/dev/full").open("wb") as full:
        ended = subprocess.run(
            [sys.executable, "-m", "platform_risk.cli", "scan", str(folder)],
            stdout=full, stderr=subprocess.PIPE, text=True, cwd=ROOT, check=False,
        )  # fmt: skip
    assert ended.returncode == 2
    assert ended.stderr == "platform-risk: standard output: No space left on device\n"

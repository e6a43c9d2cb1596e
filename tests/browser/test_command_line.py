"""The commands that ask a server, on the whole product: a pipeline as a user would write it."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.browser.conftest import ROOT, Site
from tests.factories import sarif, sarif_result

pytestmark = pytest.mark.browser


def run(running: Site, *arguments: object) -> tuple[int, str, str]:
    environment = os.environ | {
        "PLATFORM_RISK_URL": running.url, "PLATFORM_RISK_TOKEN": running.token, "PYTHONPATH": str(ROOT),
    }  # fmt: skip
    command = (sys.executable, "-P", "-m", "platform_risk.cli", *(str(each) for each in arguments))
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)
    return done.returncode, done.stdout, done.stderr


GATE = ("gate", "--service", "pipeline-shop", "--fail-on", "optimization")


def test_a_pipeline_imports_gates_and_exports(running: Site, tmp_path: Path) -> None:
    folder = tmp_path / "shop"
    folder.mkdir()
    (folder / "ecr.tf").write_text('resource "aws_ecr_repository" "api" {\n  name = "api"\n}\n')
    code, out, err = run(running, "import", folder, "--service", "pipeline-shop", "--wait")
    assert code == 0, err
    assert "(platform-files): 1 read, 1 new" in out
    assert run(running, *GATE)[0] == 1
    # The branch has what the default branch has, and one more.
    assert run(running, "import", folder, "--service", "pipeline-shop", "--branch", "feature", "--wait")[0] == 0
    assert (
        run(running, "gate", "--service", "pipeline-shop", "--branch", "feature", "--fail-on", "optimization")[0] == 0
    )
    report = tmp_path / "new.sarif"
    report.write_bytes(sarif(sarif_result()))
    assert run(running, "import", report, "--service", "pipeline-shop", "--branch", "feature", "--wait")[0] == 0
    code, out, err = run(running, *GATE, "--branch", "feature", "--json")
    assert code == 1, err
    assert len([json.loads(line) for line in out.splitlines()]) == 1
    code, out, _ = run(running, "export", "service:pipeline-shop", "--output", tmp_path / "all.csv")
    assert (code, len((tmp_path / "all.csv").read_text().splitlines())) == (0, 4)

"""What was read stays as it was read, whatever the checks ask of it."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from findings.checks import engine
from findings.checks.registry import CHECKS
from findings.platform import files, reader
from findings.platform.files import File
from findings.platform.model import Platform

ROOT = Path(__file__).resolve().parents[3]
FOLDERS = [ROOT / "demo" / "clean-platform", *sorted((ROOT / "tests" / "samples" / "checks").iterdir())]
# With every record as a frozen dataclass, which refuses to be changed, as the type checker sees them.
FROZEN = """
from dataclasses import dataclass
from platform_risk.quantities import records
records.record = lambda *, frozen, slots=False: dataclass(frozen=frozen, slots=slots)
from tests.findings.platform import test_immutable
from platform_risk.quantities.sourced import Place
try:
    Place("a", 1).line = 2
except AttributeError:
    test_immutable.tell()
"""


def told(folder: Path) -> list[Any]:
    read = reader.read(each for each in files.walk([folder]) if isinstance(each, File))
    outcome = engine.run(read)
    counts = [[tally.check.meta.id, tally.failed, tally.passed, len(tally.unsure)] for tally in outcome.tallies]
    return [counts, *([each.fingerprint, each.fail.title, each.fail.why] for each in outcome.found)]


def tell() -> None:
    sys.stdout.write(json.dumps([told(folder) for folder in FOLDERS]))


def test_no_record_is_changed_once_it_is_made() -> None:
    frozen = subprocess.run(
        [sys.executable, "-c", FROZEN], check=True, capture_output=True, text=True, cwd=ROOT, timeout=300
    )
    assert json.loads(frozen.stdout) == [told(folder) for folder in FOLDERS]


def test_no_check_changes_what_was_read() -> None:
    for folder in FOLDERS:
        read = reader.read(each for each in files.walk([folder]) if isinstance(each, File))
        before = _trees(read)
        for check in CHECKS.values():
            engine.run(read, [check])
            assert _trees(read) == before, f"{check.meta.id} on {folder.name}"


def _trees(read: Platform) -> str:
    bodies = [(each.id, each.body, each.line) for each in read.resources]
    roots = [(each.path, each.root) for each in read.configs]
    return json.dumps([bodies, roots, [str(each) for each in read.settings]], default=str)

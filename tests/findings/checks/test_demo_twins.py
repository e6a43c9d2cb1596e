"""The sample platform's failure modes: what is bad fails, its mended twin passes, and the third cannot be told."""

from pathlib import Path

import pytest

from findings.checks import engine
from findings.checks.registry import CHECKS
from findings.platform import files, reader

MODES = Path(__file__).resolve().parents[3] / "demo" / "clean-platform" / "failure-modes"


def tally(mode: str, twin: str) -> engine.Tally:
    platform = reader.read(files.walk([MODES / mode / twin]))
    assert not platform.skipped
    return engine.run(platform, [CHECKS[mode]]).tallies[0]


def test_every_failure_mode_of_the_analysis_has_its_twins() -> None:
    of_the_analysis = {check.meta.id for check in CHECKS.values() if "." in check.meta.seed}
    assert {path.name for path in MODES.iterdir()} == of_the_analysis
    readme = (MODES.parent / "README.md").read_text(encoding="utf-8")
    assert not [mode for mode in of_the_analysis if f"| `{mode}` |" not in readme]


@pytest.mark.parametrize("mode", sorted(path.name for path in MODES.iterdir()))
def test_the_bad_twin_fails_the_good_one_passes_and_the_third_cannot_be_told(mode: str) -> None:
    assert {path.name for path in (MODES / mode).iterdir()} == {"bad", "good", "unknown"}
    bad, good, unknown = (tally(mode, twin) for twin in ("bad", "good", "unknown"))
    assert bad.failed
    assert good.passed
    assert (good.failed, len(good.unsure)) == (0, 0)
    assert not unknown.failed
    assert all(each.reason and each.provide for each in unknown.unsure)
    assert unknown.unsure

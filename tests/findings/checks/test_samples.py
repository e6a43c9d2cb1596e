"""Every sample says in its first line what its check must find: `# expect: CHECK fail|pass|unknown [figure=value …]`.

Samples are files, or folders whose expectation stands in the file `expect`. `severity=high` is what the failure weighs,
`line=12` the first place's line, `title=…` is all of its title, and `provide=…` begins what an unknown asks for.
"""

import json
import shlex
from pathlib import Path
from typing import Any

import pytest

from findings.checks import engine, reference
from findings.checks.base import Unsure
from findings.checks.registry import CHECKS
from findings.platform import files, reader

SAMPLES = Path(__file__).resolve().parents[2] / "samples" / "checks"


def samples() -> list[Path]:
    found = sorted(path for folder in SAMPLES.iterdir() for path in folder.iterdir())
    assert found
    return found


def expectation(sample: Path) -> tuple[str, str, dict[str, str]]:
    first = (sample / "expect" if sample.is_dir() else sample).read_text(encoding="utf-8").splitlines()[0]
    words = shlex.split(first.lstrip("#/ ").removeprefix("expect:"))
    check, verdict, *rest = words
    return check, verdict, dict(word.split("=", 1) for word in rest)


def value_of(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


@pytest.mark.parametrize("sample", samples(), ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_a_sample_is_judged_as_it_says(sample: Path) -> None:
    check, verdict, wanted = expectation(sample)
    assert sample.name.startswith(verdict), "its name says its verdict"
    assert sample.parent.name == check
    platform = reader.read(each for each in files.walk([sample]) if each.path != "expect")
    outcome = engine.run(platform, [CHECKS[check]])
    tally = outcome.tallies[0]
    got = ("fail",) * bool(tally.failed) + ("unknown",) * bool(tally.unsure) + ("pass",) * bool(tally.passed)
    assert verdict in got, (got, platform.skipped)
    if verdict == "fail":
        assert "severity" in wanted, "it says what the failure weighs"
        check_figures(outcome, wanted)
    elif verdict == "pass":
        assert got == ("pass",)
    else:
        assert not tally.failed
        check_unsure(tally.unsure, wanted)


def check_figures(outcome: engine.Outcome, wanted: dict[str, str]) -> None:
    fail = outcome.found[0].fail
    assert fail.title
    assert fail.places, "a finding names its place"
    said = {"severity": str(outcome.found[0].severity), "line": str(fail.places[0].line), "title": fail.title}
    figures = {quantity.name: quantity for quantity in fail.quantities}
    for name, text in wanted.items():
        if name in said:
            assert said[name] == text
            continue
        assert name in figures, sorted(figures)
        expected = value_of(text)
        if isinstance(expected, float):
            assert figures[name].value == pytest.approx(expected, rel=1e-4), name
        else:
            assert figures[name].value == expected, name
    for quantity in fail.quantities:
        assert quantity.formula, quantity.name
        assert quantity.inputs, quantity.name


def check_unsure(unsure: list[Unsure], wanted: dict[str, str]) -> None:
    assert all(each.reason and each.provide for each in unsure)
    if "provide" in wanted:
        assert any(each.provide.startswith(wanted["provide"]) for each in unsure), [each.provide for each in unsure]


@pytest.mark.parametrize("check", CHECKS)
def test_every_check_has_samples_that_fail_pass_and_cannot_be_told(check: str) -> None:
    verdicts = {path.name.split("_")[0] for path in (SAMPLES / check).iterdir()}
    assert verdicts >= {"fail", "pass", "unknown"}


@pytest.mark.parametrize("check", CHECKS)
def test_every_check_says_what_it_means_why_when_not_and_what_to_do(check: str) -> None:
    meta = CHECKS[check].meta
    for text in (meta.title, meta.means, meta.why, meta.not_a_problem, meta.remedy):
        assert len(text) > 20
    assert meta.references
    assert meta.remedies
    assert meta.patch


def test_where_the_analysis_is_wrong_the_page_has_its_figure_beside_the_right_one() -> None:
    page = reference.text()
    for figure in ("5 of 12", "150 %", "1,000", "180 s", "3 minutes", "64.5 h", "24 h", "129.60", "800", "109.50"):
        assert figure in page, figure
    corrected = {check.meta.seed for check in CHECKS.values() if check.meta.analysis}
    assert corrected >= {"1.1", "1.2", "1.3", "2.1", "2.2", "3.1", "3.2", "3.3", "4.1", "5.1", "5.2", "6.2", "6.3"}

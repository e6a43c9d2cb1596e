"""The table that says what a Checkov rule is worth."""

import re
from importlib.resources import files
from pathlib import Path

import pytest

from findings.scans import checkov_rules
from findings.vocabulary import Category, Severity, SeveritySource

_ROOT = Path(__file__).resolve().parents[3]
_RULE = re.compile(r"CKV2?_[A-Z]+[A-Z0-9]*_\d+")


def _rows() -> list[list[str]]:
    text = files("findings.scans").joinpath("data/checkov_rules.tsv").read_text(encoding="utf-8")
    return [line.split("\t") for line in text.splitlines()]


def _order(rule: str) -> tuple[str, int]:
    family, _, number = rule.rpartition("_")
    return family, int(number)


def test_every_rule_of_the_demo_scans_and_of_the_samples_is_rated() -> None:
    reports = [*(_ROOT / "demo" / "scans").rglob("*.*"), *(_ROOT / "tests" / "samples" / "scans" / "checkov").glob("*")]
    seen = {rule for report in reports for rule in _RULE.findall(report.read_text(encoding="utf-8"))}
    assert len(seen) > 50
    assert seen - checkov_rules.table().keys() == set()


def test_rows_are_whole_sorted_and_unique() -> None:
    header, *rows = _rows()
    assert header == ["rule", "severity", "category", "title", "source"]
    assert {len(row) for row in rows} == {5}
    rules = [row[0] for row in rows]
    assert rules == sorted(set(rules), key=_order)
    assert [rule for rule in rules if not _RULE.fullmatch(rule)] == []


def test_every_row_has_allowed_values_a_title_and_a_reason() -> None:
    for rule, severity, category, title, source in _rows()[1:]:
        assert severity in set(Severity), rule
        assert category in set(Category), rule
        assert 5 < len(title) <= 80, rule
        assert title == title.strip(), rule
        # A rating says whose it is: a published standard, or ours and why.
        assert re.match(r"(own rating: .{10,}|[A-Z].*(?:, |: ).+)", source), rule


@pytest.mark.parametrize(
    ("rule", "severity", "category"),
    [
        ("CKV_K8S_16", Severity.CRITICAL, Category.SECURITY),
        ("CKV_K8S_9", Severity.MEDIUM, Category.OPERATIONS),
        ("CKV_K8S_12", Severity.MEDIUM, Category.PERFORMANCE),
        ("CKV_AWS_17", Severity.CRITICAL, Category.SECURITY),
        ("CKV_AWS_133", Severity.HIGH, Category.DATA_CONSISTENCY),
        ("CKV_AWS_66", Severity.MEDIUM, Category.COST),
    ],
)
def test_the_table_rates_what_scans_find_most(rule: str, severity: Severity, category: Category) -> None:
    rating = checkov_rules.rating_of(rule)
    assert (rating.severity, rating.category, rating.source) == (severity, category, SeveritySource.RULE_TABLE)


def test_a_rule_that_the_table_does_not_know_is_medium_and_marked_unrated() -> None:
    rating = checkov_rules.rating_of("CKV_NEW_1")
    assert (rating.severity, rating.source) == (Severity.MEDIUM, SeveritySource.UNRATED)


@pytest.mark.parametrize("stated", ["LOW", "low", "Low"])
def test_a_severity_that_the_report_states_wins_over_the_table(stated: str) -> None:
    rating = checkov_rules.rating_of("CKV_K8S_16", stated)
    assert (rating.severity, rating.source) == (Severity.LOW, SeveritySource.REPORT)
    assert rating.category == Category.SECURITY


@pytest.mark.parametrize("stated", [None, "", "SEVERE", "0"])
def test_a_severity_that_says_nothing_leaves_the_table_its_word(stated: str | None) -> None:
    assert checkov_rules.rating_of("CKV_K8S_16", stated).source == SeveritySource.RULE_TABLE

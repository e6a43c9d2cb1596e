"""Which column means what, and a row as a finding."""

from collections.abc import Mapping

import pytest

from findings.scans import fingerprint, mapping
from findings.scans.records import Absent, FindingRecord, Reject, Suppression
from findings.vocabulary import Category, Severity


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        (["Title", "Severity"], {"title": "Title", "severity": "Severity"}),
        (["Failure Mode", "Risk-Level"], {"title": "Failure Mode", "severity": "Risk-Level"}),
        (["Name", "Issue"], {"title": "Issue"}),
        (["place.path", "place.line", "title"], {"title": "title", "path": "place.path", "line": "place.line"}),
        (["Summary", "Impact", "CVE"], {"title": "Summary", "severity": "Impact", "identifiers": "CVE"}),
        (["Foo", "Bar"], {}),
        ([], {}),
    ],
)  # fmt: skip
def test_headers_are_understood_by_what_they_usually_mean(headers: list[str], expected: dict[str, str]) -> None:
    assert mapping.guess(headers) == expected


def test_a_column_is_used_once() -> None:
    columns = list(mapping.guess([name for names in mapping.SYNONYMS.values() for name in names]).values())
    assert len(columns) == len(set(columns)) == len(mapping.SYNONYMS)


def test_the_signature_is_the_same_for_the_same_columns_in_any_order_and_spelling() -> None:
    signature = mapping.header_signature(["Title", "Risk level"])
    assert mapping.header_signature(["risk_level", "TITLE"]) == signature
    assert mapping.header_signature(["Title"]) != signature


@pytest.mark.parametrize(
    ("stated", "severity"),
    [
        ("Critical", Severity.CRITICAL), ("P1", Severity.CRITICAL), ("very high", Severity.CRITICAL),
        ("HIGH", Severity.HIGH), ("High (8.1)", Severity.HIGH), ("error", Severity.HIGH),
        ("moderate", Severity.MEDIUM), ("3 - Medium", Severity.MEDIUM), ("warning", Severity.MEDIUM),
        ("minor", Severity.LOW), ("none", Severity.INFO), ("Informational", Severity.INFO),
        ("9.8", Severity.CRITICAL), ("9,0", Severity.CRITICAL), ("7", Severity.HIGH), ("4.0/10", Severity.MEDIUM),
        ("0.1", Severity.LOW), ("0", Severity.INFO), ("10", Severity.CRITICAL),
        ("11", None), ("99", None), ("-1", None), ("high to low", None), ("", None), ("unknown", None), ("1e3", None),
    ],
)  # fmt: skip
def test_a_severity_is_a_known_word_or_a_score(stated: str, severity: Severity | None) -> None:
    assert mapping.severity_of(stated) == severity


@pytest.mark.parametrize(
    ("stated", "category"),
    [
        ("Security", Category.SECURITY), ("data consistency", Category.DATA_CONSISTENCY),
        ("1. Design", Category.ARCHITECTURE), ("Cost / FinOps", Category.COST),
        ("Hidden dependencies", Category.DEPENDENCIES), ("Scalability", Category.PERFORMANCE),
        ("Ops", Category.OPERATIONS), ("gardening", None), ("", None),
    ],
)  # fmt: skip
def test_a_category_is_a_known_word(stated: str, category: Category | None) -> None:
    assert mapping.category_of(stated) == category


def _record(**values: str) -> FindingRecord | Reject | Absent:
    return mapping.record_of({"title": "A", **values}, "line 2", "findings-csv", fingerprint.Occurrences())


def _finding(**values: str) -> FindingRecord:
    record = _record(**values)
    assert isinstance(record, FindingRecord)
    return record


@pytest.mark.parametrize(
    ("values", "place"),
    [
        ({"path": "a.py", "line": "7"}, ("a.py", 7)),
        ({"path": "a.py:7"}, ("a.py", 7)),
        ({"path": "a.py:7:3"}, ("a.py", 7)),
        ({"path": "a.py:7-12"}, ("a.py", 7)),
        ({"path": "a.py:7", "line": "9"}, ("a.py:7", 9)),
        ({"path": "C:\\src\\a.py"}, ("C:/src/a.py", None)),
        ({"path": "./a/../b.py", "line": "x"}, ("b.py", None)),
        ({"path": "a.py", "line": "0"}, ("a.py", None)),
        ({"path": "a.py", "line": "9" * 50}, ("a.py", None)),
        ({"path": "a.py", "line": "²"}, ("a.py", None)),
        ({}, ("", None)),
    ],
)
def test_a_place_is_a_path_with_or_without_a_line(values: dict[str, str], place: tuple[str, int | None]) -> None:
    one = _finding(**values)
    assert (one.path, one.line) == place


@pytest.mark.parametrize("status", ["accepted", "Risk accepted", "won't fix", "False-positive", "ignored"])
def test_a_row_that_was_decided_about_arrives_as_suppressed(status: str) -> None:
    assert _finding(status=status, reason="in tests only").suppression == Suppression("in tests only", "external")


@pytest.mark.parametrize("status", ["fixed", "Closed", "resolved", "Done"])
def test_a_row_that_is_fixed_is_gone(status: str) -> None:
    assert _record(status=status) == Absent("line 2")


@pytest.mark.parametrize("status", ["", "open", "new", "in progress"])
def test_a_row_of_any_other_status_is_a_finding(status: str) -> None:
    assert _finding(status=status).suppression is None


@pytest.mark.parametrize("title", ["", "   ", "\n\t"])
def test_a_row_without_a_title_is_rejected_with_its_place(title: str) -> None:
    record = _record(title=title, severity="low")
    assert isinstance(record, Reject)
    assert (record.pointer, record.reason) == ("line 2", "It has no title.")
    assert "low" in record.excerpt


def test_tags_and_identifiers_are_taken_apart() -> None:
    one = _finding(tags="a; b,c | a", identifiers="CVE-2021-44228, cwe-79", rule="GHSA-jfh8-c2jp-5v3q")
    assert one.tags == ("a", "b", "c")
    assert one.identifiers == ("CVE-2021-44228", "CWE-79", "GHSA-jfh8-c2jp-5v3q")


def test_the_scanner_is_the_tool_the_row_names_else_the_format() -> None:
    assert _finding().scanner == "findings-csv"
    assert _finding(scanner="Burp Suite").scanner == "burp suite"


@pytest.mark.parametrize(
    ("columns", "row", "values"),
    [
        ({"title": "A", "path": "B"}, {"A": "x"}, {"title": "x", "path": ""}),
        ({"title": "A", "category": "=cost"}, {"A": "x"}, {"title": "x", "category": "cost"}),
        ({"title": "="}, {"": "no"}, {"title": ""}),
    ],
)
def test_a_mapping_takes_columns_and_constants(
    columns: dict[str, str], row: Mapping[str, str], values: dict[str, str]
) -> None:
    assert mapping.ColumnMapping(columns).values(row) == values


@pytest.mark.parametrize(
    ("headers", "least", "most"),
    [
        (["title", "severity"], 0.8, 1),
        (["finding", "recommendation"], 0.5, 0.7),
        (["severity", "rule", "path"], 0.5, 0.5),  # enough to ask for the title
        (["name", "amount", "currency"], 0, 0.4),
        (["date", "cost"], 0, 0.2),
    ],
)
def test_headers_are_evidence_of_a_list_of_findings(headers: list[str], least: float, most: float) -> None:
    confidence, reason, _ = mapping.evidence(headers)
    assert least <= confidence <= most
    assert reason

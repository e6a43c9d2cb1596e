"""Which format a file has: told by its content, with a reason; or what the two likeliest miss."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from findings.scans import detect, registry
from findings.scans.options import Match
from findings.scans.records import ScanError
from tests.examples import examples
from tests.findings.scans.parsing import DEMO, SAMPLES, sample

_SAMPLES = sorted(path for path in SAMPLES.rglob("*") if path.is_file())


@pytest.mark.parametrize("path", _SAMPLES, ids=[f"{path.parent.name}-{path.name}" for path in _SAMPLES])
def test_every_sample_is_known_by_its_content_with_a_reason(path: Path) -> None:
    detected = detect.of(path.read_bytes())
    assert detected.format == path.parent.name
    assert detected.confidence >= 0.5
    assert detected.reason


def test_every_format_has_samples() -> None:
    assert {path.relative_to(SAMPLES).parts[0] for path in _SAMPLES} == set(registry.FORMATS)


def test_every_scan_of_the_demo_is_known() -> None:
    found = {path.suffix: detect.of(path.read_bytes()).format for path in DEMO.rglob("*.*")}
    assert found == {".sarif": "sarif", ".json": "checkov"}


def test_only_the_first_part_of_a_file_is_looked_at() -> None:
    data = sample("sarif/everything.sarif")
    assert detect.of(data + b" " * detect.HEAD_BYTES + b'{"results": {"failed_checks": []}}').format == "sarif"
    assert detect.of(b" " * 60_000 + data).format == "sarif"


@pytest.mark.parametrize(
    ("head", "format_name"),
    [
        (b'\xef\xbb\xbf{"version": "2.1.0", "runs": []}', "sarif"),
        (b'{"runs": [{"results": [{"ruleId": "x"}], "tool": {"driver": {}}}]}', "sarif"),
        (b'{"$schema": "https://json.schemastore.org/sarif-2.1.0.json", "properties": {', "sarif"),
        (b'[{"check_type": "terraform", "results": {"passed_checks": []', "checkov"),
        (b'{"results": {"failed_checks": [', "checkov"),
        (b'{"findings": [{"title": "a", "severity": "low"', "findings-json"),
        (b"Title;Severity;Description\n", "findings-csv"),
        ("Finding,Risk\n".encode("utf-16"), "findings-csv"),
    ],
)
def test_a_format_is_known_by_its_marks_wherever_the_file_is_cut(head: bytes, format_name: str) -> None:
    assert detect.of(head).format == format_name


@pytest.mark.parametrize(
    ("head", "told"),
    [
        (b"", "it does not begin"),
        (b"hello world\n", "column names"),
        (b"<report><body>Sign in</body></report>", "it does not begin"),
        (b"PK\x03\x04\x14\x00", "it does not begin"),
        (b'{"hello": "world"}', "a SARIF log has version and runs"),
        (b'[{"amount": 1}]', "a list of findings has columns for a title and a severity"),
        (b"date,service,amount\n2026-01-01,ec2,1\n", "a list of findings has columns for a title"),
        (b"\x00\x01\x02\x03" * 100, "it does not begin"),
    ],
)
def test_what_is_unknown_gets_two_candidates_and_what_they_miss(head: bytes, told: str) -> None:
    with pytest.raises(ScanError) as caught:
        detect.of(head)
    error = caught.value
    assert error.code == "unknown_format"
    titles = [format_.title for format_ in registry.formats().values() if f"{format_.title}: " in error.message]
    assert len(titles) == 2
    assert told in error.message
    assert error.remedy


def test_a_format_that_was_asked_for_is_taken_without_looking() -> None:
    detected = detect.of(b"anything", "findings-csv")
    assert (detected.format, detected.confidence) == ("findings-csv", 1.0)


def test_a_format_that_does_not_exist_is_refused_with_those_that_do() -> None:
    with pytest.raises(ScanError) as caught:
        detect.of(b"", "spreadsheet")
    assert "findings-csv" in caught.value.remedy


@given(st.binary(max_size=300) | st.text(max_size=300).map(str.encode))
@settings(max_examples=examples(200), deadline=None)
def test_any_bytes_are_looked_at_without_harm(head: bytes) -> None:
    for format_ in registry.FORMATS.values():
        match = format_.sniff(head)
        assert isinstance(match, Match)
        assert 0 <= match.confidence <= 1
        assert match.reason

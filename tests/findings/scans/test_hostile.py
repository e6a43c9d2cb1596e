"""Bad input through the pure parsers: a clear error or a smaller result, in little time, and nothing else."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from findings.scans import bounds, detect
from findings.scans.records import Absent, FindingRecord, Reject, ScanError
from tests.examples import examples
from tests.findings.scans.parsing import check, checkov, findings, log, read, result, sample

_SMALL = {
    "sarif": "sarif/everything.sarif",
    "checkov": "checkov/object.json",
    "findings-json": "findings-json/wrapped.json",
    "findings-csv": "findings-csv/review.csv",
}


def _outcome(format_name: str, data: bytes) -> list[FindingRecord | Reject | Absent] | ScanError:
    """What a report comes to. Any other exception than ScanError goes through and fails the test."""
    try:
        return read(format_name, data)[1]
    except ScanError as error:
        return error


def _is_clear(error: ScanError) -> bool:
    return bool(error.code and error.message and error.remedy and error.location)


@pytest.mark.parametrize(("format_name", "name"), _SMALL.items())
def test_a_report_that_is_cut_off_anywhere_gives_a_clear_error_or_less(format_name: str, name: str) -> None:
    data = sample(name)
    whole = _outcome(format_name, data)
    assert isinstance(whole, list)
    fewer = errors = 0
    for end in range(len(data)):
        outcome = _outcome(format_name, data[:end])
        if isinstance(outcome, ScanError):
            assert _is_clear(outcome), end
            errors += 1
        else:
            assert len(outcome) <= len(whole), end
            fewer += 1
    # JSON that is cut is no JSON; of a table the rows before the cut remain.
    assert (fewer > 0) == (format_name == "findings-csv" or data.endswith(b"\n"))
    assert errors > 0


@pytest.mark.parametrize(("format_name", "name"), _SMALL.items())
@given(place=st.integers(0, 1_000_000), junk=st.binary(min_size=1, max_size=4), gone=st.integers(0, 4))
@settings(max_examples=examples(150), deadline=None)
def test_a_report_that_is_damaged_anywhere_gives_a_clear_error_or_records(
    format_name: str, name: str, place: int, junk: bytes, gone: int
) -> None:
    data = sample(name)
    at = place % len(data)
    outcome = _outcome(format_name, data[:at] + junk + data[at + gone :])
    if isinstance(outcome, ScanError):
        assert _is_clear(outcome)
    else:
        for record in outcome:
            assert record.pointer
            assert not isinstance(record, Reject) or record.reason


_VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
_SARIF_KEYS = (
    "ruleId", "ruleIndex", "rule", "kind", "level", "message", "locations", "relatedLocations", "codeFlows",
    "suppressions", "baselineState", "fingerprints", "partialFingerprints", "taxa", "provenance", "properties",
)  # fmt: skip
_CHECKOV_KEYS = (
    "check_id", "check_name", "check_result", "code_block", "repo_file_path", "file_line_range", "resource", "severity",
    "guideline", "vulnerability_details",
)  # fmt: skip


def _fits(record: FindingRecord | Reject | Absent) -> bool:
    """Whatever came out can be stored: it encodes, and is within its length."""
    if not isinstance(record, FindingRecord):
        return bool(record.pointer)
    json.dumps([record.title, record.message, record.path, record.excerpt, record.tags]).encode()
    return (
        0 < len(record.title) <= bounds.TITLE
        and len(record.message) <= bounds.MESSAGE
        and len(record.path) <= bounds.PATH
        and len(record.rule) <= bounds.RULE
        and "\x00" not in record.title + record.message + record.path + record.excerpt
    )


@given(st.dictionaries(st.sampled_from(_SARIF_KEYS), _VALUES, max_size=6))
@settings(max_examples=examples(120), deadline=None)
def test_any_value_in_a_sarif_result_gives_a_finding_or_a_reject(fields: dict[str, Any]) -> None:
    records = read("sarif", log(result(**fields), {"message": {"text": "the next"}, **fields}, result("R9")))[1]
    assert len(records) == 3
    assert all(map(_fits, records))
    assert isinstance(records[2], FindingRecord)


@given(st.dictionaries(st.sampled_from(_CHECKOV_KEYS), _VALUES, max_size=5))
@settings(max_examples=examples(120), deadline=None)
def test_any_value_in_a_checkov_check_gives_a_finding_or_a_reject(fields: dict[str, Any]) -> None:
    one = check() | fields
    records = read("checkov", checkov(one, check("CKV_K8S_9"), skipped=[one]))[1]
    assert len(records) == 3
    assert all(map(_fits, records))


@given(
    st.lists(st.dictionaries(st.sampled_from(["title", "severity", "path", "line", "tags", "x"]), _VALUES), max_size=4)
)
@settings(max_examples=examples(120), deadline=None)
def test_any_value_in_a_list_gives_a_finding_or_a_reject(items: list[dict[str, Any]]) -> None:
    records = read("findings-json", json.dumps([{"title": "first"}, *items]).encode())[1]
    assert len(records) == len(items) + 1
    assert all(map(_fits, records))


# Whole files that nobody meant


def _sarif_text(text: str) -> bytes:
    return log(result(message={"text": text}))


_BIG = b"9" * 2_000_000
_HOSTILE: dict[str, tuple[bytes, str]] = {
    "empty": (b"", "unknown_format"),
    "blank": (b" \n\n\t ", "unknown_format"),
    "not JSON": (b"{runs: [}", "not_json"),
    "unknown shape": (b'{"hello": ["world"]}', "unknown_format"),
    "a page": (b"<!doctype html><title>Sign in</title>", "web_page"),
    "binary": (bytes(range(256)) * 100, "unknown_format"),
    "NUL": (b"\x00" * 1000, "zero_bytes"),
    "nested": (b'{"version": "2.1.0", "runs": ' + b"[" * 100_000, "too_deep"),
    "nested and closed": (b'{"version": "2.1.0", "runs": ' + b"[" * 100_000 + b"]" * 100_000 + b"}", "too_deep"),
    "nested objects": (b'{"findings": [{"title": "a", "severity": ' + b'{"a":' * 100_000, "too_deep"),
    "NaN": (b'{"version": "2.1.0", "runs": [], "x": NaN}', "not_json"),
    "1e999": (
        b'{"version": "2.1.0", "runs": [{"tool": {"driver": {"rules": [{"properties": {"a": 1e999}}]}}}]}',
        "wrong_shape",
    ),
    "a huge integer": (
        b'{"version": "2.1.0", "runs": [{"tool": {"driver": {"rules": [{"properties": {"a": %b}}]}}}]}' % _BIG,
        "wrong_shape",
    ),
    "a lone surrogate": (b'{"version": "2.1.0", "runs": [{"tool": {"driver": {"name": "\\ud800"}}}]}', "not_json"),
    "no UTF-8": (b'{"version": "2.1.0", "runs": [{"tool": {"driver": {"name": "\xff\xfe"}}}]}', "not_json"),
    "UTF-16": ('{"version": "2.1.0", "runs": []}'.encode("utf-16"), "wrong_encoding"),
    "two documents": (b'{"version": "2.1.0", "runs": []}{"version": "2.1.0", "runs": []}', "not_json"),
    "a quote that never closes": (b'title,severity\n"a,low\n' + b"b,low\n" * 1000, "not_csv"),
}  # fmt: skip


def _imported(data: bytes) -> list[FindingRecord | Reject | Absent]:
    return read(detect.of(data).format, data)[1]


@pytest.mark.parametrize("name", _HOSTILE)
def test_a_file_that_is_no_report_is_refused_with_place_and_remedy_at_once(name: str) -> None:
    data, code = _HOSTILE[name]
    with pytest.raises(ScanError) as caught:
        _imported(data)
    assert caught.value.code == code
    assert _is_clear(caught.value)
    assert len(caught.value.message) < 1000


def _numbers(format_name: str, number: bytes) -> bytes:
    return {
        "sarif": log(result(line=12345, properties={"security-severity": 12345})),
        "checkov": checkov(check(file_line_range=[12345, 2])),
        "findings-json": json.dumps([{"title": "a", "severity": "low", "line": 12345}]).encode(),
        "findings-csv": b"title,severity,line\na,low,12345\n",
    }[format_name].replace(b"12345", number)


@pytest.mark.parametrize("format_name", _SMALL)
@pytest.mark.parametrize(
    "number", [_BIG, b"-" + _BIG, b"1e999", b"-1e999", b"0." + _BIG, b"1e-999", b"18446744073709551616"]
)
def test_a_number_beyond_measure_is_no_line_or_rejects_its_record(format_name: str, number: bytes) -> None:
    (record,) = read(format_name, _numbers(format_name, number))[1]
    assert isinstance(record, Reject) or (isinstance(record, FindingRecord) and record.line is None)
    if isinstance(record, Reject):
        assert len(record.excerpt) <= 500


@pytest.mark.parametrize("format_name", _SMALL)
@pytest.mark.parametrize("text", ["x" * 10_000_000, "word " * 1_000_000, "é" * 5_000_000, "{0}" * 1_000_000])
def test_a_message_of_ten_megabytes_is_cut_and_says_so(format_name: str, text: str) -> None:
    data = {
        "sarif": lambda: log(result(message={"text": text, "arguments": ["y" * 100_000]})),
        "checkov": lambda: checkov(check(check_name=text, code_block=[[1, text]])),
        "findings-json": lambda: json.dumps([{"title": text, "description": text}]).encode(),
        "findings-csv": lambda: f'title,description\n"{text}","{text}"\n'.encode(),
    }[format_name]()
    (record,) = findings(format_name, data)
    assert "characters cut)" in record.title + record.message
    assert _fits(record)


def _five_megabytes(format_name: str) -> tuple[bytes, int]:
    many = 30_000
    if format_name == "findings-csv":
        return b"title,severity,description\n" + b"a,low," + b"x" * 5_000_000, 1
    return {
        "sarif": lambda: log(*(result(line=line + 1) for line in range(many))),
        "checkov": lambda: checkov(*(check(resource=f"Deployment.a.{number}") for number in range(many))),
        "findings-json": lambda: json.dumps([{"title": f"a{n}", "text": "x" * 150} for n in range(many)]).encode(),
    }[format_name](), many


@pytest.mark.parametrize("format_name", ["sarif", "findings-csv"])
def test_five_megabytes_on_one_line_are_a_report_as_any_other(format_name: str) -> None:
    data, many = _five_megabytes(format_name)
    assert len(data) > 4_500_000
    assert data.count(b"\n") <= 1
    found = findings(format_name, data)
    assert len({one.fingerprint for one in found}) == many


def test_a_hundred_thousand_locations_of_one_result_are_read_in_bounds() -> None:
    place = result()["locations"][0]
    data = log(result(locations=[place] * 100_000, relatedLocations=[place | {"message": {"text": "x"}}] * 100_000))
    (record,) = findings("sarif", data)
    assert (record.path, len(record.related)) == ("app/main.py", bounds.MOST_RELATED)


def test_very_many_tags_suppressions_and_identifiers_are_read_in_bounds() -> None:
    fields: dict[str, Any] = {
        "properties": {"tags": [f"CVE-2021-{number}" for number in range(10_000, 60_000)]},
        "suppressions": [{"justification": f"because {number}"} for number in range(50_000)],
        "taxa": [{"id": str(number)} for number in range(50_000)],
        "fingerprints": {f"k/v{number}": f"{number:016}" for number in range(50_000)},
    }
    (record,) = findings("sarif", log(result(**fields)))
    assert len(record.tags) <= bounds.MOST_TAGS
    assert len(record.identifiers) <= bounds.MOST_IDENTIFIERS
    assert record.suppression is not None
    assert len(record.suppression.justification) <= bounds.MESSAGE


_TRICKS = {
    "script": ("<script>alert(1)</script>", "<script>alert(1)</script>"),
    "markdown": ("[click](javascript:alert(1)) ![x](http://evil/x.png)", "[click](javascript:alert(1)) ![x](http://evil/x.png)"),
    "formula": ("=HYPERLINK(1)", "=HYPERLINK(1)"),
    "right to left": ("invoice\u202efdp.exe", "invoice\ufffdfdp.exe"),
    "isolate": ("\u2066a\u2069", "\ufffda\ufffd"),
    "NUL": ("a\x00b", "a\ufffdb"),
    "escape": ("\x1b[31mred", "\ufffd[31mred"),
    "Hebrew": ("שלום", "שלום"),
}  # fmt: skip


@pytest.mark.parametrize("name", _TRICKS)
@pytest.mark.parametrize("format_name", _SMALL)
def test_a_trick_in_a_text_is_text_and_cannot_disguise(format_name: str, name: str) -> None:
    text, shown = _TRICKS[name]
    make: dict[str, Callable[[], bytes]] = {
        "sarif": lambda: log(result(message={"text": text})),
        "checkov": lambda: checkov(check(check_name=text)),
        "findings-json": lambda: json.dumps([{"title": text, "severity": "low"}]).encode(),
        "findings-csv": lambda: f"title,severity\n{text},low\n".encode(),
    }
    (record,) = findings(format_name, make[format_name]())
    assert record.title == shown


@pytest.mark.parametrize(
    ("path", "kept"),
    [
        ("../../etc/passwd", "etc/passwd"),
        ("/etc/passwd", "etc/passwd"),
        ("a/../../../b", "b"),
        ("..\\..\\windows", "windows"),
        ("a\x00.py", "a\ufffd.py"),
        ("exe.\u202eyp", "exe.\ufffdyp"),
        ("a/" * 3000 + "b", None),
    ],
)
def test_a_path_stays_below_its_root_in_every_format(path: str, kept: str | None) -> None:
    quoted = path.replace("\x00", "%00") if "\x00" in path else path
    for (record,) in (
        findings("sarif", log(result(uri=quoted))),
        findings("checkov", checkov(check(repo_file_path=path))),
        findings("findings-json", json.dumps([{"title": "a", "path": path}]).encode()),
        findings("findings-csv", f"title,path\na,{path}\n".encode()),
    ):
        assert kept is None or record.path == kept
        assert len(record.path) <= bounds.PATH
        assert ".." not in record.path.split("/")

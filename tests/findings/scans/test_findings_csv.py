"""A CSV of findings, however its columns are called, ordered, quoted and encoded."""

import codecs

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from findings.scans import findings_csv, mapping
from findings.scans.options import Options
from findings.scans.records import Absent, FindingRecord, Reject, ScanError, Suppression
from findings.vocabulary import Category, Severity, SeveritySource
from tests.examples import examples
from tests.findings.scans.parsing import findings, read, sample

_HEADERS = ("title", "severity", "category", "path", "line", "rule", "description")
_ROW = {
    "title": "Open port",
    "severity": "high",
    "category": "security",
    "path": "k8s/api.yaml",
    "line": "7",
    "rule": "R-1",
    "description": "Reached from outside",
}


def _table(*rows: dict[str, str], headers: tuple[str, ...] = _HEADERS, delimiter: str = ",") -> bytes:
    lines = [delimiter.join(headers)] + [delimiter.join(row.get(name, "") for name in headers) for row in rows]
    return ("\n".join(lines) + "\n").encode()


def _one(data: bytes, options: Options | None = None) -> FindingRecord:
    (found,) = findings("findings-csv", data, options)
    return found


def test_a_review_is_read_with_severities_places_and_decisions() -> None:
    _, records = read("findings-csv", sample("findings-csv/review.csv"))
    found = [record for record in records if isinstance(record, FindingRecord)]
    assert [(one.rule, one.severity, one.category, one.path, one.line) for one in found] == [
        ("1.1", Severity.HIGH, Category.ARCHITECTURE, "data-processor/deployment.yaml", 14),
        ("2.1", Severity.CRITICAL, Category.SECURITY, "data-collector/deployment.yaml", 31),
        ("4.2", Severity.MEDIUM, Category.DATA_CONSISTENCY, "", None),
        ("5.2", Severity.CRITICAL, Category.DATA_CONSISTENCY, "infrastructure/database.tf", 9),
    ]
    assert found[2].suppression == Suppression("", "external")
    assert found[0].rule_help == "Set the replicas from the partitions"
    assert records[-1] == Absent("line 6")


def test_columns_may_come_in_any_order() -> None:
    straight = _one(_table(_ROW))
    turned = _one(_table(_ROW, headers=_HEADERS[::-1]))
    assert straight == turned


@pytest.mark.parametrize("missing", ["severity", "category", "path", "line", "rule", "description"])
def test_a_column_other_than_the_title_may_be_missing(missing: str) -> None:
    one = _one(_table(_ROW, headers=tuple(name for name in _HEADERS if name != missing)))
    assert one.title == "Open port"
    if missing == "severity":
        assert (one.severity, one.severity_source) == (Severity.MEDIUM, SeveritySource.UNRATED)


def test_extra_columns_and_cells_without_a_column_are_left_out() -> None:
    data = _table(_ROW | {"Reviewer": "Ann"}, headers=(*_HEADERS, "Reviewer")).rstrip(b"\n") + b",more,cells\n"
    assert _one(data) == _one(_table(_ROW))


def test_a_row_that_is_too_short_leaves_its_last_columns_empty() -> None:
    one = _one(b"title,severity,path\nOpen port,low\n")
    assert (one.title, one.severity, one.path) == ("Open port", Severity.LOW, "")


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_is_found(delimiter: str) -> None:
    assert _one(_table(_ROW, delimiter=delimiter)) == _one(_table(_ROW))


def test_a_spreadsheets_first_line_may_name_the_delimiter() -> None:
    found = findings("findings-csv", sample("findings-csv/spreadsheet.csv"))
    assert [(one.title, one.severity, one.endpoint, one.pointer) for one in found] == [
        ("Cookie without Secure", Severity.MEDIUM, "https://shop.example.com", "line 3"),
        ("Directory listing", Severity.INFO, "https://shop.example.com/files", "line 4"),
    ]


_TEXT = "title,severity\nSchlüssel „offen“,high\n"


@pytest.mark.parametrize(
    "data",
    [
        _TEXT.encode(),
        codecs.BOM_UTF8 + _TEXT.encode(),
        _TEXT.encode("utf-16"),
        codecs.BOM_UTF16_BE + _TEXT.encode("utf-16-be"),
        _TEXT.encode("utf-32"),
    ],
    ids=["utf-8", "utf-8-bom", "utf-16", "utf-16-be", "utf-32"],
)
def test_unicode_is_read_in_each_of_its_encodings(data: bytes) -> None:
    assert _one(data).title == "Schlüssel „offen“"


def test_what_is_not_utf_8_is_read_as_windows_1252_and_says_so() -> None:
    info, records = read("findings-csv", sample("findings-csv/windows-1252.csv"))
    assert [record.title for record in records if isinstance(record, FindingRecord)] == [
        "Schlüssel liegt im Code",
        "Zu große Rechte",
    ]
    assert "Windows-1252" in info.notes[0]


def test_a_wrong_byte_far_behind_the_beginning_is_found_as_well() -> None:
    rows = b"".join(b"finding %d,low\n" % number for number in range(20_000))
    info, records = read("findings-csv", b"title,severity\n" + rows + b"stra\xdfe,low\n")
    assert len(records) == 20_001
    assert info.notes


def test_utf_16_without_a_mark_is_refused_with_the_remedy() -> None:
    with pytest.raises(ScanError) as caught:
        read("findings-csv", _TEXT.encode("utf-16-le"))
    assert (caught.value.code, caught.value.remedy) == ("wrong_encoding", "Save it as UTF-8.")


@pytest.mark.parametrize(
    ("cells", "title", "message"),
    [
        (b'"a, b","c ""d"" e"', "a, b", 'c "d" e'),
        (b'"a\nb","c\nd"', "a b", "c\nd"),
        (b"'a','b'", "'a'", "'b'"),
        (b'a "quoted" word,b', 'a "quoted" word', "b"),
    ],
)
def test_quotes_hold_delimiters_quotes_and_line_ends(cells: bytes, title: str, message: str) -> None:
    one = _one(b"title,description\n" + cells + b"\n", None)
    assert (one.title, one.message) == (title, message)


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"])
def test_lines_may_end_in_each_of_the_usual_ways(end: bytes) -> None:
    assert _one(b"title,severity" + end + b"Open port,high" + end) == _one(b"title,severity\nOpen port,high")


def test_blank_lines_and_empty_rows_are_no_records() -> None:
    assert len(findings("findings-csv", b"\n\ntitle,severity\n\na,low\n,,\nb,high\n")) == 2


def test_a_row_without_a_title_is_rejected_with_its_line_and_what_it_holds() -> None:
    first, second = read("findings-csv", b"title,severity,path\nok,low,a.py\n,high,b.py\n")[1]
    assert isinstance(first, FindingRecord)
    assert second == Reject("line 3", "It has no title.", "high | b.py")


def test_a_quote_that_never_closes_is_named_with_its_line() -> None:
    with pytest.raises(ScanError) as caught:
        read("findings-csv", b'title,severity\na,low\n"b,low\nc,low\n')
    assert (caught.value.code, caught.value.location) == ("not_csv", {"line": 3})
    assert caught.value.remedy


def test_a_broken_row_is_rejected_and_the_rest_goes_on() -> None:
    records = read("findings-csv", b'title,severity\na,low\n"b"x,low\nc,high\n')[1]
    assert [type(record) for record in records] == [FindingRecord, Reject, FindingRecord]


@pytest.mark.parametrize("cell", ["=1+1", "+1", "-1", "@SUM(A1)", "=HYPERLINK(1)"])
def test_a_cell_that_looks_like_a_formula_is_text_as_any_other(cell: str) -> None:
    one = _one(f"title,severity\n{cell},low\n".encode())
    assert one.title == cell


# Mappings

_FOREIGN = b"Was,Wie schlimm,Wo\nOffener Port,hoch,k8s/api.yaml\n"


def test_a_table_whose_columns_say_nothing_asks_for_a_mapping_and_names_them() -> None:
    with pytest.raises(ScanError) as caught:
        read("findings-csv", _FOREIGN)
    assert caught.value.code == "mapping_needed"
    assert caught.value.location["headers"] == ["Was", "Wie schlimm", "Wo"]
    assert caught.value.location["signature"] == mapping.header_signature(["Wo", "Was", "Wie schlimm"])
    assert caught.value.remedy


def _remembered(columns: dict[str, str]) -> Options:
    signature = mapping.header_signature(["Was", "Wie schlimm", "Wo"])
    return Options(mapping_for=lambda asked: columns if asked == signature else None)


def test_a_remembered_mapping_is_used_for_files_with_these_columns_in_any_order() -> None:
    options = _remembered({"title": "Was", "path": "Wo", "severity": "=high", "category": "=cost"})
    straight = _one(_FOREIGN, options)
    assert (straight.title, straight.path) == ("Offener Port", "k8s/api.yaml")
    assert (straight.severity, straight.category) == (Severity.HIGH, Category.COST)
    turned = _one(b"Wo,Was,Wie schlimm\nk8s/api.yaml,Offener Port,hoch\n", options)
    assert turned == straight


@pytest.mark.parametrize("columns", [{"title": "Gone"}, {"path": "Wo"}, {"nonsense": "Was"}, {}])
def test_a_remembered_mapping_that_gives_no_title_asks_again(columns: dict[str, str]) -> None:
    with pytest.raises(ScanError, match="None of the columns"):
        read("findings-csv", _FOREIGN, _remembered(columns))


@pytest.mark.parametrize("data", [b"", b" \n\n", codecs.BOM_UTF8, codecs.BOM_UTF16_LE])
def test_an_empty_file_is_refused(data: bytes) -> None:
    with pytest.raises(ScanError) as caught:
        read("findings-csv", data)
    assert caught.value.code in ("empty", "not_csv")
    assert caught.value.remedy


_cells = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=20)


@given(st.lists(st.lists(_cells, min_size=1, max_size=5), max_size=6), st.sampled_from(["utf-8", "utf-16", "cp1252"]))
@settings(max_examples=examples(200), deadline=None)
def test_any_cells_give_records_or_a_clear_error(rows: list[list[str]], encoding: str) -> None:
    text = "title,severity,path\n" + "\n".join(",".join(row) for row in rows)
    remedy = "none needed"
    try:
        records = read("findings-csv", text.encode(encoding, "replace"))[1]
    except ScanError as error:
        records, remedy = [], error.remedy
    assert remedy
    assert len(records) <= len(text.splitlines()) + 1


def test_a_table_that_is_no_list_of_findings_is_not_taken_for_one() -> None:
    assert findings_csv.sniff(b"date,service,amount,currency\n2026-01-01,ec2,1.0,EUR\n").confidence < 0.5

"""Incidents out of files: what is read, and what is wrong with which line."""

from datetime import UTC, datetime
from decimal import Decimal
from statistics import mean

import pytest
from hypothesis import given
from hypothesis import strategies as st

from platform_risk.planning.evidence import Seen, evidence, spread
from platform_risk.planning.incidents_csv import MOST_PROBLEMS, BadFile, parse

NOW = datetime(2026, 11, 25, tzinfo=UTC)
HEADER = "service,title,started_at,detected_at,recovered_at,users_affected,was_predicted,was_alerted,findings,notes\n"


def problems(text: str | bytes) -> tuple[str, ...]:
    try:
        lines = parse(text if isinstance(text, bytes) else text.encode(), NOW)
    except BadFile as error:
        return error.problems
    return tuple(each for line in lines for each in line.wrong)


def test_a_file_is_read_in_whatever_order_and_delimiter_its_columns_stand() -> None:
    text = HEADER + 'api,"Queue, full",2026-11-02T09:30:00Z,2026-11-02T11:00+01:00,,35%,yes,no,#12 #15,two\n\n'
    (line,) = parse(text.encode(), NOW)
    assert line.number == 2
    assert line.values == {
        "service": "api", "title": "Queue, full", "started_at": datetime(2026, 11, 2, 9, 30, tzinfo=UTC),
        "detected_at": datetime(2026, 11, 2, 10, tzinfo=UTC), "recovered_at": None,
        "users_affected": Decimal("0.350000"), "was_predicted": True, "was_alerted": False, "findings": (12, 15),
        "notes": "two",
    }  # fmt: skip
    (other,) = parse("\ufeffStarted;Title;Service\n2026-11-02 09:30Z;T;api\n".encode(), NOW)
    assert other.values["started_at"] == datetime(2026, 11, 2, 9, 30, tzinfo=UTC)
    assert other.values["users_affected"] is None


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (
            b"PK\x03\x04\x14\x00\x06\x00",
            "It is a workbook (.xlsx) or an archive: save its sheet as CSV, and send that.",
        ),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(40), "It is an old Office document, as an .xls workbook."),
        (b"<!doctype html><title>Sign in</title>", "It is a web page (HTML), “Sign in”"),
    ],
)
def test_what_is_no_csv_is_called_what_it_is(content: bytes, said: str) -> None:
    (found,) = problems(content)
    assert found.startswith(said)


def test_what_a_spreadsheet_calls_unicode_text_is_read() -> None:
    (line,) = parse("service\ttitle\tstarted_at\napi\tGröße\t2026-11-02T09:30Z\n".encode("utf-16"), NOW)
    assert line.values["title"] == "Größe"


def test_an_incident_that_stands_twice_in_a_file_is_told_with_both_lines() -> None:
    rows = "api,T,2026-11-02T09:30Z\napi,U,2026-11-02T09:30Z\napi,T,2026-11-02T10:30+01:00\n"
    (said,) = problems(f"service,title,started_at\n{rows}")
    assert said == "Line 4: the incident of line 2 again (service, title, start): leave one of them."


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("api,T,2026-11-02T09:30:00", "Line 2: started_at: “2026-11-02T09:30:00” has no zone"),
        ("api,T,yesterday", "Line 2: started_at: “yesterday” is no time"),
        ("api,T,2027-01-01T00:00Z", "Line 2: started_at: “2027-01-01T00:00Z” is in the future"),
        ("api,T,0001-01-01T00:00+14:00", "Line 2: started_at: “0001-01-01T00:00+14:00” is"),
        (",T,2026-11-02T09:30Z", "Line 2: service: it is empty."),
        ("api,T", "Line 2: 2 cells where the header has 3."),
        ('api,"T', "Line 2: this is no CSV"),
    ],
)
def test_what_is_wrong_names_its_line(row: str, said: str) -> None:
    assert problems(f"service,title,started_at\n{row}\n")[-1].startswith(said)


@pytest.mark.parametrize(
    ("cell", "column"), [("2", "users_affected"), ("NaN", "users_affected"), ("1e999", "users_affected"),
                         ("1e999999999", "users_affected"),
                         ("maybe", "was_alerted"), ("#x", "findings"), ("9" * 30, "findings")],
)  # fmt: skip
def test_a_cell_that_makes_no_sense_is_named_by_its_column(cell: str, column: str) -> None:
    text = f"service,title,started_at,{column}\napi,T,2026-11-02T09:30Z,{cell}\n"
    assert problems(text)[0].startswith(f"Line 2: {column}: ")


def test_a_file_that_is_none_is_refused_as_a_whole() -> None:
    assert "lacks service, title, started_at" in problems("")[0]
    assert "no column “color”" in problems("service,title,started_at,color\n")[0]
    assert "there twice" in problems("service,title,started_at,start\n")[0]
    assert "no incident below" in problems("service,title,started_at\n")[0]
    assert "no UTF-8" in problems(b"service,title,started_at\n\xff\xfe")[0]
    assert "NUL" in problems("service,title,started_at\n\x00,,\n")[0]
    assert "larger than 2 MB" in problems(b"x" * 2_000_001)[0]
    assert len(problems("service,title,started_at\n" + ",,\x20x\n" * 400 + '"x')) == MOST_PROBLEMS
    rows = "api,T,2026-11-02T09:30Z\n" * 5_001
    assert "More than 5,000" in problems("service,title,started_at\n" + rows)[0]


@given(st.binary(max_size=300))
def test_no_bytes_end_the_reader(data: bytes) -> None:
    try:
        lines = parse(b"service,title,started_at\n" + data, NOW)
    except BadFile as error:
        assert error.problems  # noqa: PT017 (either is right)
    else:
        assert lines


def moment(day: int, minute: int = 0) -> datetime:
    return datetime(2026, 1, day, 0, minute, tzinfo=UTC)


def test_evidence_counts_the_years_in_which_incidents_would_have_been_recorded() -> None:
    seen = [
        Seen(moment(2), moment(2, 10), moment(2, 40), was_alerted=True),
        Seen(moment(3), moment(3, 20), None, was_alerted=False),
        Seen(moment(4)),
    ]
    found = evidence(seen, watched_since=moment(10).date(), today=datetime(2027, 1, 2, tzinfo=UTC).date())
    assert (found.incidents, found.years, found.since) == (3, 1.0, moment(2).date())
    assert (found.detect_minutes, found.recover_minutes) == (15, 30)
    assert (found.told, found.caught, found.alert_probability) == (2, 1, 0.5)
    assert evidence([Seen(moment(1))], watched_since=moment(1).date(), today=moment(1).date()).years == 0.01


@given(st.integers(0, 50), st.integers(0, 50))
def test_an_alert_that_caught_more_is_never_the_worse_one_and_none_is_certain(caught: int, missed: int) -> None:
    def share(caught: int) -> float:
        seen = [Seen(moment(1), was_alerted=True)] * caught + [Seen(moment(1), was_alerted=False)] * missed
        made = evidence(seen, watched_since=moment(1).date(), today=moment(2).date())
        return 0.5 if made.alert_probability is None else made.alert_probability

    assert 0 < share(caught) < 1
    assert share(caught + 1) >= share(caught)


@given(st.lists(st.floats(0, 1e6), min_size=3, max_size=9))
def test_a_range_of_what_was_seen_has_its_mean_where_a_range_can(values: list[float]) -> None:
    found = spread(values)
    assert found is not None
    assert round(min(values), 4) == found.lo <= found.mode <= found.hi == round(max(values), 4)
    shown = (found.lo + 4 * found.mode + found.hi) / 6
    if found.lo < found.mode < found.hi:
        assert shown == pytest.approx(mean(values), abs=2e-4)
    assert spread(values[:2]) is None

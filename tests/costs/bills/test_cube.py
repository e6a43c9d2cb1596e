"""Bills to a cube: exact whatever the file holds, and what cannot be used is named."""

import csv
import io
import json
from collections import defaultdict
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal, localcontext
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import duckdb
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from costs.bills import numbers
from costs.bills.cube import Cube
from costs.bills.opening import open_bill
from costs.bills.records import BillError
from costs.bills.tags import KEYS, keeper
from platform_risk.core.redaction import Redactor
from tests.costs.bills.reduced import FOCUS, focus, reduce, refused, table
from tests.examples import examples

JULY = {"BillingPeriodStart": "2026-07-01T00:00:00Z", "ChargePeriodStart": "2026-07-01T00:00:00Z"}


def test_a_line_becomes_a_cell_with_its_key(tmp_path: Path) -> None:
    found = reduce(tmp_path, focus({"Tags": '{"user:Team":"payments","Name":"web-1","env":"prod"}'}))
    ((digest, key),) = found.keys.items()
    assert key == (
        "AWS", "EC2", "Compute", "prod", "", "eu-west-1", "", "", "Hours", '{"env": "prod", "team": "payments"}',
    )  # fmt: skip
    ((day, of, category, currency, billed, effective, list_, quantity, lines),) = found.cells
    assert (day, of, category, currency, lines) == ("2026-06-01", digest, "Usage", "USD", "1")
    assert (Decimal(billed), Decimal(effective), Decimal(list_), Decimal(quantity)) == (
        Decimal("1.5"), Decimal("1.25"), Decimal(2), Decimal(3),
    )  # fmt: skip
    assert [(row[0], row[1]) for row in found.resources] == [("2026-06-01", "i-1")]


def test_a_charge_of_several_days_stands_on_its_first(tmp_path: Path) -> None:
    found = reduce(tmp_path, focus({"ChargePeriodEnd": "2027-06-01T00:00:00Z", "BilledCost": "8760"}))
    assert found.days == ["2026-06-01"]
    assert found.loaded == 8760


def test_days_are_in_utc(tmp_path: Path) -> None:
    late = {"ChargePeriodStart": "2026-06-30T23:00:00-05:00"}
    found = reduce(tmp_path, focus({}, late, {"ChargePeriodStart": "2026-06-30 23:59:59"}))
    assert found.days == ["2026-06-01", "2026-06-30", "2026-07-01"]
    assert {str(scope.period) for scope in found.scopes} == {"2026-06-01"}


def test_credits_refunds_currencies_and_corrections_add_up_apart(tmp_path: Path) -> None:
    found = reduce(
        tmp_path,
        focus(
            {"BilledCost": "10"}, {"BilledCost": "-4", "ChargeCategory": "Credit"},
            {"BilledCost": "-1", "ChargeCategory": "adjustment"}, {"BilledCost": "7", "BillingCurrency": "EUR"},
            {"BilledCost": "250", "BillingCurrency": "DataDog Credits"}, {"BilledCost": "-10", "EffectiveCost": "-1"},
        ),
    )  # fmt: skip
    assert {key: both[0] for key, both in found.totals.items()} == {
        ("USD", "Usage"): 0, ("USD", "Credit"): -4, ("USD", "Adjustment"): -1, ("EUR", "Usage"): 7,
        ("DataDog Credits", "Usage"): 250,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("35.2E-7", "0.00000352"), ("1e18", "1000000000000000000"), ("0.000000000001", "0.000000000001"),
        ("-0.010493746736011505", "-0.010493746736011505"), ("1.2345678901234567e-06", "0.0000012345678901234567"),
        (" 2.50 ", "2.5"), ("+3", "3"), (".5", "0.5"), ("5.", "5"), ("1.10000000000000000000000", "1.1"),
        ("1E2", "100"), ("12345678901234567890.5", "12345678901234567890.5"),
    ],
)  # fmt: skip
def test_amounts_are_read_to_the_last_digit(tmp_path: Path, text: str, value: str) -> None:
    found = reduce(tmp_path, focus({"BilledCost": text}))
    assert (found.rejected, found.loaded) == (0, Decimal(value))


@pytest.mark.parametrize("text", ["NaN", "inf", "-Infinity", "1,5", "12 EUR 5", "0x1F", "1_000", "--1", "1e", "١"])
def test_what_is_no_amount_is_rejected_with_its_place(tmp_path: Path, text: str) -> None:
    found = reduce(tmp_path, focus({}, {"BilledCost": text}, {}, {}))
    assert (found.lines, found.rejected, found.loaded) == (4, 1, Decimal("4.5"))
    (reject,) = found.rejects
    assert (reject.pointer, reject.line) == ("line 3", 3)
    assert reject.reason.startswith("The amount is no number, or not written as the rest of its column is (-1234.5")
    assert text in reject.excerpt


def test_an_amount_that_would_have_to_be_rounded_is_rejected_and_never_rounded(tmp_path: Path) -> None:
    found = reduce(tmp_path, focus({"BilledCost": "0." + "0" * 29 + "7"}, {}))
    assert (found.rejected, found.loaded) == (1, Decimal("1.5"))
    assert "digits" in found.rejects[0].reason
    # Large and fine ones together: more lines fit with 18 places than with 28.
    mixed = reduce(tmp_path, focus({"BilledCost": "1e15"}, {"BilledCost": "2e15"}, {"BilledCost": "1e-25"}))
    assert (mixed.rejected, mixed.loaded) == (1, Decimal("3e15"))


def test_what_has_no_day_no_amount_or_no_month_is_named(tmp_path: Path) -> None:
    found = reduce(
        tmp_path,
        focus(
            {}, {"ChargePeriodStart": "soon"}, {"ChargePeriodStart": ""}, {"BilledCost": ""},
            {"BillingPeriodStart": "June"}, {"EffectiveCost": "x"}, {"ChargePeriodStart": "1776-07-04T00:00:00Z"},
        ),
    )  # fmt: skip
    assert (found.lines, found.rejected) == (7, 6)
    assert [each.line for each in found.rejects] == list(range(3, 9))
    # What they say is known all the same: file and table can be compared.
    assert found.billed() - found.loaded == Decimal("1.5") * 5


def test_lines_that_are_no_lines_of_the_table_are_rejected_with_their_line(tmp_path: Path) -> None:
    lines = focus({}, {}, {}).splitlines(keepends=True)
    lines[2] = b"1,2,3\r\n"
    lines[3] = lines[3][:40] + b"\r\n"
    found = reduce(tmp_path, b"".join(lines))
    assert (found.lines, found.rejected, found.loaded) == (3, 2, Decimal("1.5"))
    assert [each.line for each in found.rejects] == [3, 4]
    assert found.rejects[0].reason == "Its number of columns is 3, and the header’s 19."


def test_more_broken_lines_than_are_kept_are_refused_and_not_forgotten(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("costs.bills.tables.MOST_BROKEN", 10)
    for blank in (b" \r\n", b"1,2\r\n"):  # of the first DuckDB finds several faults each
        assert reduce(tmp_path, focus({}) + blank * 3).rejected == 3
        error = refused(tmp_path, focus({}) + blank * 11)
        assert (error.code, error.location["line"]) == ("not_csv", 3)


def test_a_bill_that_ends_within_a_line_replaces_no_month_with_what_is_left_of_it(tmp_path: Path) -> None:
    bill = focus({}, {}, {"Tags": '{"team": "a, b"}'})
    for cut in (bill[:-60], bill[:-12], bill.rstrip()[:-1]):
        error = refused(tmp_path, cut, names=("june.csv",))
        assert (error.code, error.location) == ("cut_file", {"line": 4, "entry": "june.csv"})
        assert "compare its size" in error.remedy
    # Whole to its last cell, only the end of the line is missing.
    assert reduce(tmp_path, bill.rstrip()).lines == 3
    # Nothing behind it is lost: a remark that has an end is one line.
    assert reduce(tmp_path, bill + b"exported by hand\r\n").rejected == 1


def test_a_line_that_ends_in_another_way_is_named(tmp_path: Path) -> None:
    bill = focus({}, {"ServiceName": "two lines"}, {})
    for odd in (bill.replace(b"two lines", b"two\rlines"), bill + b"exported by hand\n"):
        error = refused(tmp_path, odd, names=("june.csv",))
        assert error.location == {"line": 3 if b"two\r" in odd else 5, "entry": "june.csv"}
        assert "one kind of line end" in error.remedy


def test_a_quote_that_never_closes_swallows_no_lines(tmp_path: Path) -> None:
    bill = focus(*[{}] * 40)
    opened = bill.index(b"EC2", len(bill) // 2)
    error = refused(tmp_path, bill[:opened] + b'"' + bill[opened:])
    assert (error.code, error.location["line"]) == ("cut_file", bill[:opened].count(b"\n") + 1)
    assert "is never closed: all that follows is one cell" in error.message


def test_a_century_too_far_is_rejected_and_what_is_paid_ahead_is_told(tmp_path: Path) -> None:
    """A slip of the year is no month of its own; instalments of a commitment, and an invoice in advance, are."""
    instalments = [{"ChargePeriodStart": f"{year}-06-01T00:00:00Z"} for year in (2027, 2029, 2031, 2032)]
    periods = [{"BillingPeriodStart": f"{at}T00:00:00Z"} for at in ("2027-06-01", "2027-07-01", "2126-06-01")]
    found = reduce(
        tmp_path, focus({}, {"ChargePeriodStart": "2126-06-01T00:00:00Z"}, *instalments, *periods),
        today=date(2026, 6, 15),
    )  # fmt: skip
    charge, period = "It begins more than five years ahead", "Its billing period begins more than a year ahead"
    assert [(each.line, each.reason.partition(",")[0]) for each in found.rejects] == [
        (3, charge), (7, charge), (9, period), (10, period),
    ]  # fmt: skip
    assert [str(scope.period) for scope in found.scopes] == ["2026-06-01", "2027-06-01"]
    assert found.remarks == [
        "3 lines begin after 15 June 2026, on 1 June 2031 at the latest: each counts in its own month"
    ]
    assert reduce(tmp_path, focus({}), today=date(2026, 6, 15)).remarks == []


def test_days_of_which_no_line_tells_whether_the_month_comes_first_are_said(tmp_path: Path) -> None:
    unclear = b"Date,Cost\n01/02/2026,1.5\n03/04/2026,1\n"
    assert ["with the month first" in each for each in reduce(tmp_path, unclear).remarks] == [True]
    assert reduce(tmp_path, unclear + b"13/02/2026,1\n").remarks == []
    told = {"starts": "Date", "billed": "Cost", "days": "=day first"}
    found = reduce(tmp_path, unclear, remembered=lambda _: told)
    assert (found.remarks, found.days) == ([], ["2026-02-01", "2026-04-03"])


# Cells as exports write them, and what makes a record take several lines, or none.
CELLS = ("i-1", "", '5" disk', '"a, b"', '"said ""hi"""', '"two\nlines"', '"\n\n"', ' "blank before\n"', '""', "Zürich")


@settings(max_examples=examples(25), deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from(("good", "bad", "short", "empty")), *[st.sampled_from(CELLS)] * 2), max_size=12),
    st.sampled_from(("\n", "\r\n")), st.booleans(), st.integers(0, 2), st.booleans(),
)  # fmt: skip
def test_a_rejected_line_is_found_where_an_editor_shows_it(
    records: list[tuple[str, str, str]], newline: str, marked: bool, blank: int, wide: bool
) -> None:
    """However many lines the cells, the header and what lies between take."""
    header = '"Resource\nName",Date,Cost,Tags' if wide else "Resource,Date,Cost,Tags"
    text, expected = "\n" * blank + header + "\n", []
    for kind, one, other in [*records, ("bad", "end", "")]:
        line = text.count("\n") + 1
        if kind in ("bad", "short"):
            expected.append(line)
        cost = "oops" if kind == "bad" else "1.5"
        text += {"short": f"{one},{cost}\n", "empty": "\n"}.get(kind, f"{one},2026-06-01,{cost},{other}\n")
    content = text.replace("\n", newline).encode("utf-8-sig" if marked else "utf-8")
    with TemporaryDirectory() as folder:
        found = reduce(Path(folder), content, requested="charges-csv")
    good = sum(kind == "good" for kind, *_ in records)
    assert (found.lines, found.loaded) == (len(expected) + good, good * Decimal("1.5")), "nothing is lost"
    assert sorted(each.line or 0 for each in found.rejects) == expected


def test_a_rejected_row_of_parquet_has_its_number_and_one_of_json_its_path(tmp_path: Path) -> None:
    path = tmp_path / "made.parquet"
    duckdb.sql(
        "COPY (SELECT 'a' AS BillingAccountId, '2026-06-01' AS ChargePeriodStart, 'Usage' AS ChargeCategory,"
        f" CASE range WHEN 2 THEN 'x' ELSE '1' END AS BilledCost FROM range(4)) TO '{path}' (FORMAT parquet)"
    )
    (reject,) = reduce(tmp_path, path.read_bytes()).rejects
    assert (reject.pointer, reject.line) == ("row 3", 3)
    pod = {"totalCost": 1.5, "properties": {}, "window": {"start": "2026-06-01T00:00:00Z"}}
    answer = json.dumps({"data": [{"shop/api": pod}, {"shop/api": pod, "shop/db": {**pod, "totalCost": "much"}}]})
    (reject,) = reduce(tmp_path, answer.encode()).rejects
    assert (reject.pointer, reject.line) == ("/data/1/shop/db", None)


def test_quotes_newlines_json_and_stray_columns_in_cells_do_no_harm(tmp_path: Path) -> None:
    odd = {"ChargeDescription": 'two\nlines, "quoted"', "x_More": "{}", "Tags": '{"team": "a\\"b", "n": {"deep": 1}}'}
    found = reduce(tmp_path, focus(odd, {**odd, "BilledCost": "x"}, base={**FOCUS, **odd}))
    assert found.loaded == Decimal("1.5")
    assert found.rejects[0].line == 4, "the first charge takes two lines"
    assert next(iter(found.keys.values()))[-1] == '{"team": "a\\"b"}'


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "cp1252"])
def test_byte_order_marks_and_other_encodings(tmp_path: Path, encoding: str) -> None:
    found = reduce(tmp_path, focus({"ServiceName": "Müller"}).decode().encode(encoding))
    assert next(iter(found.keys.values()))[1] == "Müller"


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-be", "utf-32"])
def test_a_bill_that_is_cut_within_a_character_is_cut_off(tmp_path: Path, encoding: str) -> None:
    with pytest.raises(BillError, match="ends within a character: it was cut off") as refused:
        reduce(tmp_path, focus({}, {}).decode().encode(encoding)[:-1])
    assert refused.value.code == "cut_file"


@pytest.mark.parametrize("encoding", ["cp1252", "utf-16-le", "utf-16-be", "utf-32"])
def test_an_umlaut_that_comes_late_in_a_large_bill_of_another_encoding_loses_no_line(
    tmp_path: Path, encoding: str
) -> None:
    bill = focus(*[{"Tags": "x" * 1_000}] * 300, {"ServiceName": "Müller", "BilledCost": "7"}).decode()
    found = reduce(tmp_path, bill.encode(encoding))
    assert (found.lines, found.rejected, found.loaded) == (301, 0, Decimal("1.5") * 300 + 7)
    assert "Müller" in {key[1] for key in found.keys.values()}
    assert "it is not UTF-8" in found.notes[0]


def test_one_line_that_is_no_utf8_makes_no_other_of_the_bill(tmp_path: Path) -> None:
    lines = focus({"ServiceName": "Müller"}, {"ServiceName": "M?ller"}).replace(b"M?ller", b"M\xfcller")
    found = reduce(tmp_path, lines)
    assert {key[1] for key in found.keys.values()} == {"Müller"}
    assert [(each.line, each.reason) for each in found.rejects] == [
        (3, "It holds bytes that are no UTF-8, as the rest of the file is.")
    ]


def test_empty_files_and_what_is_no_bill_are_refused(tmp_path: Path) -> None:
    assert refused(tmp_path, b"").code == "empty"
    assert refused(tmp_path, b"hello").code == "unknown_format"
    assert refused(tmp_path, b'{"runs": []}').code == "unknown_format"
    missing = refused(tmp_path, b"a,b\r\n1,2\r\n")
    assert (missing.code, missing.location["headers"]) == ("mapping_needed", ["a", "b"])
    assert refused(tmp_path, focus({}), requested="sarif").code == "unknown_format"
    assert refused(tmp_path, focus({}), requested="aws-cur").code == "no_amounts"


def test_several_formats_in_one_archive_are_refused(tmp_path: Path) -> None:
    other = table([{"Date": "2026-06-01", "Amount": "1"}])
    assert refused(tmp_path, focus({}), other, names=("a.csv", "b.csv")).code == "several_formats"


def parquet(path: Path, select: str) -> bytes:
    duckdb.execute(f"COPY ({select}) TO '{path}' (FORMAT parquet)")
    return path.read_bytes()


def test_parquet_that_is_no_bill_is_told_by_its_columns(tmp_path: Path) -> None:
    error = refused(tmp_path, parquet(tmp_path / "made.parquet", "SELECT 1 AS weight, 2 AS height"))
    assert "by its columns, weight, height" in error.message
    assert "divided by comma" not in error.remedy


SOURCE = (
    "SELECT {cost} AS BilledCost, TIMESTAMP '2026-06-01 05:00:00' AS ChargePeriodStart, 'Usage' AS ChargeCategory,"
    " 'USD' AS BillingCurrency, MAP {{'team': 'core'}} AS Tags, 'payer' AS BillingAccountId"
)


def test_parquet_of_any_types_is_read_alike(tmp_path: Path) -> None:
    exact = reduce(tmp_path, parquet(tmp_path / "p", SOURCE.format(cost="1.25::DECIMAL(20,10)")))
    assert (exact.loaded, exact.days, exact.notes) == (Decimal("1.25"), ["2026-06-01"], ())
    assert next(iter(exact.keys.values()))[-1] == '{"team": "core"}'
    floating = reduce(tmp_path, parquet(tmp_path / "q", SOURCE.format(cost="0.1::DOUBLE + 0.2::DOUBLE")))
    assert floating.loaded == Decimal("0.30000000000000004")
    assert "BilledCost: floating point" in floating.notes[0]
    nan = reduce(tmp_path, parquet(tmp_path / "r", SOURCE.format(cost="unnest(['nan'::DOUBLE, 1])")))
    assert (nan.rejected, nan.loaded) == (1, Decimal(1))


def test_a_cut_parquet_is_refused(tmp_path: Path) -> None:
    whole = parquet(tmp_path / "p", SOURCE.format(cost="1"))
    assert refused(tmp_path, whole[: len(whole) // 2]).code == "cut_file"
    assert refused(tmp_path, whole[:8] + b"\0" * 40 + whole[48:]).code == "cut_file"


def test_a_parquet_that_unfolds_to_billions_of_rows_is_refused_before_it_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("costs.bills.tables.MOST_ROWS", 1_000_000)
    bomb = parquet(tmp_path / "p", SOURCE.format(cost="1") + " FROM range(2000000)")
    assert len(bomb) < 100_000
    assert refused(tmp_path, bomb).code == "too_many_rows"


def test_too_much_money_is_refused(tmp_path: Path) -> None:
    assert refused(tmp_path, focus(*[{"BilledCost": "9e19"}] * 3)).code == "too_much_money"


def test_a_bill_comes_to_the_same_in_memory_and_in_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    odd = "back\\slash, two\tcells,\na line\r"
    bill = focus({"ResourceId": odd}, {"BillingCurrency": "a\\b"}, JULY, {"BilledCost": "x"})
    within = reduce(tmp_path, bill)
    assert {row[1] for row in within.resources} == {"back\\\\slash, two\\tcells,\\na line\\r", "i-1"}, (
        "as COPY wants it"
    )
    monkeypatch.setattr("costs.bills.database._IN_MEMORY", 0)
    without = reduce(tmp_path, bill)
    assert (without.totals, without.rejects) == (within.totals, within.rejects)
    assert (sorted(without.cells), sorted(without.resources)) == (sorted(within.cells), sorted(within.resources))


def test_secrets_in_names_of_resources_are_not_kept(tmp_path: Path) -> None:
    key = "AKIA" + "IOSFODNN7EXAMPLE"
    (tmp_path / "f").write_bytes(focus({"ResourceId": f"i/{key}"}, {"ResourceId": "token/i-2"}, {"ResourceId": "i-ü"}))
    bill = open_bill([("", tmp_path / "f")], folder=tmp_path, tag_keys=KEYS)
    with Cube(bill, folder=tmp_path, tag_keys=KEYS, redactor=Redactor(b"salt")) as cube:
        cube.number({key[0]: "1" for key in cube.charge_keys()})
        (lines,) = cube.resource_lines(cube.scopes()[0], 1)
    assert key not in lines
    names = {line.split("\t")[3] for line in lines.split("\n")[:3]}
    assert names == {f"i/{Redactor(b'salt').text(key)}", "i-ü", "token/i-2"}


@pytest.mark.parametrize(
    ("cell", "kept"),
    [
        ('{"team":1.50,"owner":true}', '{"owner": "true", "team": "1.5"}'), ('{"team":NaN}', '{"team": "NaN"}'),
        ('{"team":18446744073709551617}', '{"team": "18446744073709551617"}'),
        ('{"team":null,"Team":"y"}', '{"team": "y"}'),
        ('{"team":"  ","user:team":" z "}', '{"team": "z"}'), ('{"team":["a"],"app":"\\u0000"}', "{}"),
        ('"team": "a","env": "b",', '{"env": "b", "team": "a"}'), ('[{"key":"team","value":"x"}]', '{"team": "x"}'),
        ('{"team":"a","team":"b"}', '{"team": "b"}'), ('{"team":"x"} more', "{}"), ("7", "{}"), ('{"a":', "{}"),
        ('{"team":"\\ud800"}', '{"team": "?"}'), ('{"team":1,"owner":1.0}', '{"owner": "1.0", "team": "1"}'),
    ],
)  # fmt: skip
def test_tags_are_kept_whatever_a_cell_holds(cell: str, kept: str) -> None:
    keep = keeper(KEYS)
    assert (keep(cell), keep(cell)) == (kept, kept)


def test_work_stops_when_nobody_wants_it_any_more(tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(focus(*[{"BilledCost": f"{number}"} for number in range(50_000)]))
    bill = open_bill([("", tmp_path / "f")], folder=tmp_path, tag_keys=KEYS)

    class Stop(Exception):
        pass

    def tick(share: float) -> None:
        assert 0 <= share <= 1
        raise Stop

    with pytest.raises(Stop), Cube(bill, folder=tmp_path, tag_keys=KEYS, tick=tick):
        pass


AMOUNTS = st.one_of(
    st.integers(-(10**30), 10**30).map(lambda units: Decimal(units).scaleb(-12)),
    st.integers(-(10**12), 10**12).map(lambda units: Decimal(units).scaleb(-12)),
    st.sampled_from([Decimal("1e18"), Decimal("-1e18"), Decimal("1e-12"), Decimal(0)]),
)
LINES = st.fixed_dictionaries(
    {
        "BilledCost": AMOUNTS, "EffectiveCost": AMOUNTS,
        "BillingCurrency": st.sampled_from(["USD", "EUR", "credits"]),
        "ChargeCategory": st.sampled_from(["Usage", "Credit", "Tax", "Purchase"]),
        "ChargePeriodStart": st.dates(date(2000, 1, 1), date(2032, 12, 31)).map(lambda day: f"{day}T00:00:00Z"),
        "ServiceName": st.sampled_from(["a", "b", "NULL", 'c"d', ""]), "Tags": st.sampled_from(["", '{"team":"x"}']),
    }
)  # fmt: skip


def written(amount: Decimal, style: int) -> str:
    with localcontext(prec=80):
        return f"{amount:f}" if style % 3 else f"{amount:E}"


def csv_of(lines: list[dict[str, Any]]) -> bytes:
    return focus(
        *(
            {**line, "BilledCost": written(line["BilledCost"], at), "EffectiveCost": written(line["EffectiveCost"], at)}
            for at, line in enumerate(lines)
        )
    )


@settings(max_examples=examples(12), deadline=None)
@given(st.lists(LINES, min_size=1, max_size=12))
def test_the_cube_adds_up_to_the_file_whatever_is_in_it(lines: list[dict[str, Any]]) -> None:
    with TemporaryDirectory() as folder, localcontext(prec=80):
        content = csv_of(lines)
        found = reduce(Path(folder), content)
        expected: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
        for row in csv.DictReader(io.StringIO(content.decode())):
            expected[row["BillingCurrency"], row["ChargeCategory"]] += Decimal(row["BilledCost"])
        assert {key: both[0] for key, both in found.totals.items()} == expected
        cells: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
        for _, _, category, currency, billed, *_ in found.cells:
            cells[currency, category] += Decimal(billed)
        assert cells == expected
        assert found.rejected == 0


@settings(max_examples=examples(12), deadline=None)
@given(st.lists(LINES, min_size=2, max_size=10), st.data())
def test_a_bill_in_two_files_is_the_bill_in_one(lines: list[dict[str, Any]], data: st.DataObject) -> None:
    cut = data.draw(st.integers(1, len(lines) - 1))
    assume(csv_of(lines[:cut]) != csv_of(lines[cut:]))  # the same file twice is refused
    with TemporaryDirectory() as folder:
        whole = reduce(Path(folder), csv_of(lines))
        parts = reduce(Path(folder), csv_of(lines[:cut]), csv_of(lines[cut:]), names=("a.csv", "b.csv"))
        assert sorted(parts.cells) == sorted(whole.cells)
        assert parts.totals == whole.totals


# Around what makes days long, short or rare: leap days, changes of summer time, ends of months and years.
ODD_DAYS = tuple(
    datetime.fromisoformat(f"{at}+00:00")
    for at in (
        "2024-02-29 00:00", "2024-03-01 00:00", "2025-03-30 02:00", "2025-10-26 02:00", "2025-12-31 23:00",
        "2028-02-28 23:00", "2026-03-08 02:00", "2026-06-30 12:00",
    )
)  # fmt: skip
OFFSETS = (-720, -570, -300, 0, 60, 330, 345, 720, 840)  # minutes


@st.composite
def charge(draw: st.DrawFn) -> dict[str, Any]:
    """A charge anywhere in the world: a month of its zone, in which it begins and for some time goes on."""
    zone = timezone(timedelta(minutes=draw(st.sampled_from(OFFSETS))))
    starts = draw(st.sampled_from(ODD_DAYS)) + timedelta(minutes=draw(st.integers(-1500, 1500)))
    ends = starts + timedelta(hours=draw(st.sampled_from((1, 23, 24, 25, 24 * 31, 24 * 366))))
    written = draw(st.sampled_from((lambda at: at.isoformat(), lambda at: f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}",
                                    lambda at: f"{at:%Y-%m-%d %H:%M:%S}{at.isoformat()[-6:]}")))  # fmt: skip
    begins = starts.replace(tzinfo=zone)
    return {
        "begins": begins, "month": begins.date().replace(day=1),
        "BillingPeriodStart": written(begins.replace(day=1, hour=0, minute=0)), "ChargePeriodStart": written(begins),
        "ChargePeriodEnd": written(ends.replace(tzinfo=zone)), "BilledCost": draw(AMOUNTS),
        "EffectiveCost": draw(AMOUNTS),
    }  # fmt: skip


@settings(max_examples=examples(12), deadline=None)
@given(st.lists(charge(), min_size=1, max_size=12))
def test_days_add_up_to_months_in_every_zone(charges: list[dict[str, Any]]) -> None:
    """Each charge counts once, on the day of UTC on which it begins, and in the month that its own zone bills."""
    days: dict[str, Decimal] = defaultdict(Decimal)
    months: dict[date, Decimal] = defaultdict(Decimal)
    with TemporaryDirectory() as folder, localcontext(prec=80):
        for each in charges:
            days[f"{each['begins'].astimezone(UTC):%Y-%m-%d}"] += each["BilledCost"]
            months[each["month"]] += each["BilledCost"]
        names = set(FOCUS)
        found = reduce(Path(folder), csv_of([{n: v for n, v in each.items() if n in names} for each in charges]))
        by_day: dict[str, Decimal] = defaultdict(Decimal)
        for cell in found.cells:
            by_day[cell[0]] += Decimal(cell[4])
        by_month = {scope.period: sum((total.billed for total in scope.totals), Decimal(0)) for scope in found.scopes}
        assert (found.rejected, by_day, by_month) == (0, days, months)
        assert sum(by_month.values()) == sum(by_day.values()) == found.billed()


CREDITS = st.lists(st.tuples(st.text("ab '\"{}[],:\\é", max_size=6), AMOUNTS), max_size=3)


@settings(max_examples=examples(8), deadline=None)
@given(st.lists(st.tuples(AMOUNTS, CREDITS, st.booleans()), min_size=1, max_size=6))
def test_charges_and_credits_of_google_add_up_apart(lines: list[tuple[Decimal, Any, bool]]) -> None:
    """Whatever credits are called, and whether JSON or Python has written them."""
    rows = []
    for cost, credits, as_json in lines:
        named = [{"name": name, "amount": written(amount, 1)} for name, amount in credits]
        rows.append({
            "cost": written(cost, 1), "currency": "USD", "usage_start_time": "2026-06-01 00:00:00 UTC", "sku.id": "s",
            "credits": json.dumps(named) if as_json else str(named), "invoice.month": "202606", "cost_type": "regular",
        })  # fmt: skip
    with TemporaryDirectory() as folder, localcontext(prec=80):
        found = reduce(Path(folder), table(rows))
        off = [amount for _, credits, _ in lines for _, amount in credits]
        assert (found.rejected, found.lines) == (0, len(lines) + len(off))
        assert found.totals["USD", "Usage"][0] == sum((cost for cost, _, _ in lines), Decimal(0))
        assert found.totals.get(("USD", "Credit"), (Decimal(0),))[0] == sum(off, Decimal(0))


@settings(max_examples=examples(40), deadline=None)
@given(st.from_regex(r"\A[+-]?[0-9]{0,12}\.?[0-9]{0,24}([eE][+-]?[0-9]{1,2})?\Z"), st.sampled_from(numbers.SCALES))
def test_an_amount_is_exact_or_none(text: str, scale: int) -> None:
    (found,) = _connection().execute(f"SELECT {numbers.amount('t', scale)} FROM (SELECT ? AS t)", [text]).fetchall()[0]
    if found is not None:
        with localcontext(prec=120):
            assert found == Decimal(text)


_KEPT: list[Any] = []


def _connection() -> Any:
    if not _KEPT:
        _KEPT.append(duckdb.connect())
    return _KEPT[0]


def test_a_parquet_that_holds_the_same_megabytes_over_and_over_takes_no_memory(tmp_path: Path) -> None:
    path = tmp_path / "bomb.parquet"
    duckdb.sql(
        "COPY (SELECT 'a' AS BillingAccountId, '2026-06-01' AS ChargePeriodStart, 'Usage' AS ChargeCategory, '1' AS"
        " BilledCost, 'r' || range AS ResourceId, repeat('x', 100000) AS ServiceName, repeat('y', 100000) AS Tags"
        f" FROM range(5000)) TO '{path}' (FORMAT parquet)"
    )
    assert path.stat().st_size < 200_000
    found = reduce(tmp_path, path.read_bytes())
    assert (found.lines, found.rejected, len(found.cells)) == (5_000, 0, 1)
    assert found.loaded == 5_000
    ((_, service, *_, tags),) = found.keys.values()
    assert (service, tags) == ("x" * 300, "{}")


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"])
def test_a_broken_line_is_told_however_lines_end(tmp_path: Path, end: bytes) -> None:
    content = focus({}, {}) + b"short\r\n"
    found = reduce(tmp_path, content.replace(b"\r\n", end))
    assert (found.lines, found.rejected) == (3, 1)


@pytest.mark.parametrize("line", [b" ", b"x", b"x" * 80])
def test_short_lines_below_a_wide_header_are_refused_before_any_is_kept(tmp_path: Path, line: bytes) -> None:
    """Kept by DuckDB, these would take four gigabytes."""
    stray = [f"x_{number}" for number in range(200)]
    content = focus(dict.fromkeys(stray, "1")) + (line + b"\r\n") * 20_000
    with pytest.raises(BillError, match="20,000 of its lines do not have the header's columns") as caught:
        reduce(tmp_path, content)
    assert (caught.value.code, caught.value.location["line"]) == ("not_csv", 3)


def test_a_code_of_three_letters_is_one_currency_whatever_its_case(tmp_path: Path) -> None:
    named = [{"BillingCurrency": name} for name in ("USD", "usd", "Usd", "Credits", "credits")]
    found = reduce(tmp_path, focus(*named))
    assert {currency: found.billed(currency) for currency, _ in found.totals} == {
        "USD": Decimal("4.5"), "Credits": Decimal("1.5"), "credits": Decimal("1.5"),
    }  # fmt: skip
    assert {cell[3] for cell in found.cells} == {"USD", "Credits", "credits"}
    assert {(each.currency, each.billed) for scope in found.scopes for each in scope.totals} >= {
        ("USD", Decimal("4.5"))
    }


def test_two_currencies_that_begin_alike_are_never_added(tmp_path: Path) -> None:
    longest, longer = "c" * 40, "c" * 40 + "1"
    found = reduce(
        tmp_path, focus({"BillingCurrency": longest}, {"BillingCurrency": longer}, {"BillingCurrency": longer + "2"})
    )
    assert {cell[3] for cell in found.cells} == {longest}
    assert [each.line for each in found.rejects] == [3, 4]
    assert all("longer than 40 characters" in each.reason for each in found.rejects)

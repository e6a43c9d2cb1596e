"""Amounts and months as people write them: read where the column says how, refused where it does not."""

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.costs.bills.reduced import Reduced, focus, reduce, refused, table
from tests.examples import examples


def listed(*amounts: str, currency: str = "EUR") -> bytes:
    return table([{"Date": "2026-06-01", "Amount": amount, "Currency": currency} for amount in amounts], ";")


@pytest.mark.parametrize(
    ("amounts", "total", "example"),
    [
        (("1 234,50", "2"), "1236.5", "1 234,50 is read as 1234.50"),
        (("1\u00a0234,50", "1\u202f000"), "2234.5", "1\u00a0234,50 is read as 1234.50"),
        (("1'234.50", "2’000.5"), "3235", "1'234.50 is read as 1234.50"),
        (("(1.50)", "3"), "1.5", "(1.50) is read as -1.50"),
        (("1,50-", "10"), "8.5", "1,50- is read as -1.50"),
        (("−1.50", "- 2"), "-3.5", "−1.50 is read as -1.50"),
        (("€ 12.50", "12.50 EUR", "-€1", "(€1.00)", "1-€"), "22", "12.50 EUR is read as 12.50"),
        (("12,34,567.50",), "1234567.5", "12,34,567.50 is read as 1234567.50"),
        (("1,5E-3", "1"), "1.0015", "1,5E-3 is read as 1.5E-3"),
    ],
)
def test_amounts_as_the_world_writes_them_are_read_and_the_import_says_how(
    tmp_path: Path, amounts: tuple[str, ...], total: str, example: str
) -> None:
    found = reduce(tmp_path, listed(*amounts))
    assert (found.rejected, found.loaded) == (0, Decimal(total))
    assert found.remarks == [f"Amount {example}"]


def grouped(point: str, between: str) -> Callable[[Decimal], str]:
    return lambda amount: f"{amount:,.2f}".replace(".", "p").replace(",", between).replace("p", point)


@settings(max_examples=examples(12), deadline=None)
@given(
    st.lists(st.integers(-(10**12), 10**12), min_size=1, max_size=8),
    st.sampled_from([grouped(",", "."), grouped(".", ","), grouped(",", " "), grouped(".", "'"), grouped(",", "")]),
)
def test_whatever_a_column_holds_it_is_read_as_its_writing_says(
    cents: list[int], write: Callable[[Decimal], str]
) -> None:
    amounts = [Decimal(each).scaleb(-2) for each in cents]
    with TemporaryDirectory() as folder:
        found = reduce(Path(folder), listed(*map(write, amounts)))
    assert (found.rejected, found.loaded) == (0, sum(amounts))


def test_one_line_anywhere_settles_what_divides_decimals(tmp_path: Path) -> None:
    thousands = ["1,234"] * 2_500
    assert reduce(tmp_path, listed(*thousands, "2.5")).loaded == 2_500 * 1234 + Decimal("2.5")
    assert reduce(tmp_path, listed(*["7"] * 2_500, "1.234", "2,5")).loaded == 2_500 * 7 + 1234 + Decimal("2.5")
    # Another column of amounts does where the column itself does not.
    rows = [{"Date": "2026-06-01", "Cost": "1,234", "Effective Cost": "1234.50"}]
    assert reduce(tmp_path, table(rows)).loaded == 1234


def test_amounts_that_may_mean_two_things_are_refused_with_line_value_and_remedy(tmp_path: Path) -> None:
    for amount in ("1,234", "€ 1.234", "-1,234"):
        error = refused(tmp_path, listed("5", "", amount, "1 000"))
        assert (error.code, error.location["line"]) == ("unclear_comma", 4)
        assert f"Whether {amount} is more than a thousand" in error.message
        assert "Say how amounts are written" in error.remedy
    # With both, what has a comma is rejected, and what programs write is read.
    mixed = reduce(tmp_path, listed("1,5", "2.5", "1,234", "(2)"))
    assert ([each.line for each in mixed.rejects], mixed.loaded) == ([2, 4], Decimal("0.5"))


def test_a_quantity_that_cannot_be_read_is_left_out_and_counted(tmp_path: Path) -> None:
    """It is not worth a bill. Where a line anywhere says how it is written, it is read."""

    def used(*quantities: str) -> Reduced:
        return reduce(tmp_path, table([{"Date": "2026-06-01", "Cost": "5", "Quantity": each} for each in quantities]))

    unclear = used("1,234", "much", "")
    assert (unclear.rejected, unclear.cells[0][7]) == (0, "\\N")
    assert unclear.remarks == ["Of 2 lines a quantity or list price is no number, and left out"]
    late = used(*["1.5"] * 2_500, "1,234")
    assert Decimal(late.cells[0][7]) == 2_500 * Decimal("1.5") + 1234
    assert late.remarks == ["Quantity 1,234 is read as 1234"]


@pytest.mark.parametrize(
    "amount", ["12 EUR 50", "--1", "(-1)", "-(1)", "-1-", "1 23", "12 3456", "1.5 2", "€", "€ 1 USD"]
)
def test_what_nobody_writes_for_an_amount_is_rejected(tmp_path: Path, amount: str) -> None:
    found = reduce(tmp_path, listed(amount, "2 000,5"))
    assert ([each.line for each in found.rejects], found.loaded) == ([2], Decimal("2000.5"))


def test_a_currency_beside_an_amount_agrees_with_its_line_or_the_line_is_rejected(tmp_path: Path) -> None:
    def totals(found: Reduced) -> dict[str, Decimal]:
        return {currency: both[0] for (currency, _), both in found.totals.items()}

    found = reduce(tmp_path, listed("$5", "USD 5", "5 US$", "€ 5", "5 CHF", currency="usd"))
    assert ([each.line for each in found.rejects], found.loaded) == ([5, 6], Decimal(15))
    assert "names a currency that is not its line's" in found.rejects[0].reason
    # Where no column names one, the amount does; a sign that several have says nothing.
    rows = [{"Date": "2026-06-01", "Amount": amount} for amount in ("12.50 EUR", "€ 1", "CHF 2")]
    assert totals(reduce(tmp_path, table(rows))) == {"CHF": 2, "EUR": Decimal("13.5")}
    assert reduce(tmp_path, table([*rows, {"Date": "2026-06-01", "Amount": "$ 4"}])).rejects[0].line == 5
    assert reduce(tmp_path, focus({"BilledCost": "12 USD"})).loaded == 12


@pytest.mark.parametrize(
    "written",
    ["Jun 2026", "June 2026", "june-2026", "Jun-26", "2026 Jun", "Juni 2026", "juin 2026", "JUNIO 2026"],
)
def test_a_month_by_its_name_stands_on_its_first_day(tmp_path: Path, written: str) -> None:
    found = reduce(tmp_path, table([{"Month": written, "Cost": "5"}]))
    assert (found.days, [str(scope.period) for scope in found.scopes]) == (["2026-06-01"], ["2026-06-01"])
    assert any("a whole month" in remark for remark in found.remarks)


@pytest.mark.parametrize(
    ("written", "day"),
    [
        ("30 Jun 2026", "2026-06-30"), ("30-Jun-26", "2026-06-30"), ("Jun 30, 2026", "2026-06-30"),
        ("30. Juni 2026", "2026-06-30"), ("1 août 2026", "2026-08-01"), ("5. März 2026", "2026-03-05"),
    ],
)  # fmt: skip
def test_a_day_whose_month_has_a_name_is_read(tmp_path: Path, written: str, day: str) -> None:
    assert reduce(tmp_path, table([{"Date": written, "Cost": "5"}])).days == [day]


def test_a_month_that_is_none_is_rejected_with_its_line(tmp_path: Path) -> None:
    found = reduce(
        tmp_path, table([{"Month": each, "Cost": "5"} for each in ("May 2026", "Smarch 2026", "31 Feb 2026")])
    )
    assert [reject.line for reject in found.rejects] == [3, 4]


@pytest.mark.parametrize("written", ["2026-06", "06/2026", "6/2026", "2026/06", "06.2026", "202606"])
def test_a_month_is_read_from_its_first_day_to_the_next_ones(tmp_path: Path, written: str) -> None:
    found = reduce(tmp_path, table([{"Month": written, "Cost": "5"}, {"Month": "2026-13", "Cost": "1"}]))
    assert (found.days, [str(scope.period) for scope in found.scopes]) == (["2026-06-01"], ["2026-06-01"])
    assert [each.line for each in found.rejects] == [3]
    assert found.remarks == ["Each line is of a whole month, and stands on its first day"]
    # As a billing period it says to which month a day counts.
    billed = reduce(tmp_path, table([{"Date": "2026-05-31", "Billing Month": written, "Cost": "5"}]))
    assert (billed.days, [str(scope.period) for scope in billed.scopes]) == (["2026-05-31"], ["2026-06-01"])
    whole = reduce(tmp_path, focus({"BillingPeriodStart": written}))
    assert [str(scope.period) for scope in whole.scopes] == ["2026-06-01"]


def test_a_billing_period_that_nobody_can_read_is_left_to_the_day(tmp_path: Path) -> None:
    found = reduce(tmp_path, table([{"Date": "2026-06-30", "Billing Period": "1 to 30 June", "Cost": "5"}]))
    assert (found.rejected, [str(scope.period) for scope in found.scopes]) == (0, ["2026-06-01"])

"""What a bill says of a remedy that was to save money, as plain figures."""

from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from platform_risk.planning.seen import DAYS_OF_A_MONTH, is_about, money_seen, usage_seen

DONE = date(2026, 9, 1)


def bill(before: Sequence[float], after: Sequence[float]) -> dict[date, Decimal]:
    """Days up to the one before it was done, and from the one after."""
    first = DONE - timedelta(days=len(before))
    days = {first + timedelta(days=at): Decimal(str(value)) for at, value in enumerate(before)}
    return days | {DONE + timedelta(days=1 + at): Decimal(str(value)) for at, value in enumerate(after)}


def test_what_is_less_a_day_is_seen_as_money_a_month() -> None:
    seen = money_seen("USD", Decimal(100), bill([10] * 40, [6] * 40), DONE)
    assert (seen.days_before, seen.days_after) == (28, 28)
    assert seen.seen == (4 * DAYS_OF_A_MONTH).quantize(Decimal("0.01")) == Decimal("121.67")
    assert (seen.verdict, seen.why) == ("confirmed", "")


@pytest.mark.parametrize(
    ("after", "verdict"), [(9.0, "partly"), (9.9, "not seen"), (12.0, "not seen"), (6.0, "confirmed")]
)
def test_the_verdict_is_how_much_of_the_claim_was_seen(after: float, verdict: str) -> None:
    assert money_seen("USD", Decimal(100), bill([10] * 28, [after] * 28), DONE).verdict == verdict


@pytest.mark.parametrize(
    ("before", "after", "others", "why"),
    [
        ([10] * 28, [], (), "no day since"),
        ([10] * 28, [6] * 6, (), "only 6 whole days since"),
        ([10] * 6, [6] * 28, (), "6 days before"),
        ([0] * 28, [0] * 28, (), "under another name"),
        ([10] * 28, [6] * 28, ("Filter metrics",), "Filter metrics was done within the same weeks"),
        ([10, 2] * 14, [9, 2] * 14, (), "within what the days vary by themselves"),
    ],
)
def test_it_says_why_it_cannot_be_told(
    before: Sequence[float], after: Sequence[float], others: Sequence[str], why: str
) -> None:
    seen = money_seen("USD", Decimal(100), bill(before, after), DONE, others=others)
    assert (seen.seen, seen.verdict) == (None, "cannot be told")
    assert why in seen.why


@given(
    st.lists(st.integers(0, 10_000), min_size=7, max_size=28), st.lists(st.integers(0, 10_000), min_size=7, max_size=28)
)
def test_before_and_after_swapped_is_the_same_money_the_other_way(before: list[int], after: list[int]) -> None:
    one = money_seen("USD", Decimal(100), bill(before, after), DONE)
    other = money_seen("USD", Decimal(100), bill(after, before), DONE)
    assert (one.before, one.after) == (other.after, other.before)
    assert (one.seen is None) == (other.seen is None)
    if one.seen is not None and other.seen is not None:
        assert one.seen == -other.seen


def test_a_check_is_about_services_of_the_bill_by_their_names() -> None:
    assert is_about(["log-retention"], "Amazon CloudWatch")
    assert is_about(["log-retention"], "Amazon OpenSearch Service")
    assert not is_about(["log-retention"], "Elastic Load Balancing")
    assert not is_about(["metric-volume"], "Amazon Elastic Compute Cloud")
    assert is_about(["autoscaling"], "Amazon Elastic Compute Cloud")  # whatever its services cost


def test_usage_is_compared_where_it_was_measured_on_both_sides() -> None:
    both = bill([100] * 3, [40] * 5)
    seen = usage_seen("points", "data points", {1: both, 2: bill([5], [])}, DONE)
    assert seen is not None
    assert (seen.before, seen.after) == (100, 40)
    assert usage_seen("points", "data points", {2: bill([5], [])}, DONE) is None

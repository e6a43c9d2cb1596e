"""How long a schedule may leave between two runs."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from findings.platform.cron import longest_gap_minutes, parse

DAY = 24 * 60


@pytest.mark.parametrize(
    ("text", "minutes"),
    [
        ("0 0 * * *", DAY), ("0 7 * * *", DAY), ("*/15 * * * *", 15), ("0 * * * *", 60), ("0 0,12 * * *", 720),
        ("0 8-18/2 * * *", 14 * 60), ("0 9 * * 1-5", 3 * DAY), ("0 9 * * mon-fri", 3 * DAY), ("0 0 * * 0", 7 * DAY),
        ("0 0 * * 7", 7 * DAY), ("0 0 1 * *", 31 * DAY), ("0 0 1 1 *", 366 * DAY), ("0 0 29 2 *", 3 * 365 * DAY),
        ("0 0 1 * 0", 7 * DAY), ("@daily", DAY), ("@hourly", 60), ("@weekly", 7 * DAY), ("@every 6h", 360),
        ("@every 1h30m", 90), ("0 0 0 * * *", DAY), ("cron(0 5 ? * * *)", DAY), ("cron(0 5 ? * 1 *)", 7 * DAY),
        ("cron(0 5 ? * MON-FRI *)", 3 * DAY), ("rate(12 hours)", 720), ("rate(1 day)", DAY), ("59 23 * * *", DAY),
    ],
)  # fmt: skip
def test_the_longest_gap_of_a_schedule(text: str, minutes: float) -> None:
    assert longest_gap_minutes(text) == minutes


@pytest.mark.parametrize(
    "text",
    ["", "daily", "60 * * * *", "* * * *", "* 24 * * *", "5-1 * * * *", "*/0 * * * *", "0 0 31 2 *", "0 0 L * *",
     "cron(0 5 ? * 2#1 *)", "rate(often)", "@every", "@every soon", "a b c d e", "-1 * * * *", "1,,2 * * * *"],
)  # fmt: skip
def test_what_is_no_schedule_has_no_gap(text: str) -> None:
    assert longest_gap_minutes(text) is None


@given(st.integers(0, 59), st.integers(0, 23), st.sets(st.integers(1, 5), min_size=1))
def test_more_days_never_leave_a_longer_gap(minute: int, hour: int, days: set[int]) -> None:
    some = longest_gap_minutes(f"{minute} {hour} * * {','.join(map(str, sorted(days)))}")
    every = longest_gap_minutes(f"{minute} {hour} * * *")
    assert some is not None
    assert every is not None
    assert every <= some <= 7 * DAY


@given(st.text(alphabet="0123456789*/-,?@ abcLW#()", max_size=20))
def test_any_text_is_a_schedule_or_none(text: str) -> None:
    found = parse(text)
    assert found is None or (found.minutes and found.hours)

"""Which times come to always, and which to never."""

import pytest

from findings.platform.mute_times import Times, muted, of
from findings.platform.yaml_reader import Document, read

ALWAYS = "its route is muted by a, which is at all times"


def intervals(text: str) -> Times:
    (document,) = read(text)
    assert isinstance(document, Document)
    return of(document.root)


@pytest.mark.parametrize(
    ("text", "is_always"),
    [
        ("[{}]", True),
        ("[{location: Europe/Vienna}]", True),
        ("[{weekdays: ['sunday:saturday']}]", True),
        ("[{weekdays: ['monday:friday', saturday, Sunday]}]", True),
        ("[{weekdays: ['monday:friday']}]", False),
        ("[{weekdays: ['monday:friday']}, {weekdays: ['saturday:sunday']}]", True),
        ("[{weekdays: ['monday:friday'], location: UTC}, {weekdays: ['saturday:sunday'], location: EST}]", False),
        ("[{times: [{start_time: '00:00', end_time: '24:00'}]}]", True),
        ("[{times: [{startTime: '00:00', endTime: '12:00'}, {startTime: '12:00', endTime: '24:00'}]}]", True),
        ("[{times: [{start_time: '00:00', end_time: '23:59'}]}]", False),  # a minute is left
        ("[{times: [{start: '18:00', end: '24:00'}]}, {times: [{start: '00:00', end: '18:00'}]}]", True),
        ("[{times: [{start_time: night, end_time: day}]}]", False),
        ("[{days_of_month: ['1:31'], months: ['january:december']}]", True),
        ("[{days_of_month: ['1:-1'], weekdays: []}]", True),
        ("[{days_of_month: ['1:7']}]", False),
        ("[{months: ['1:3']}]", False),
        ("[{years: ['2020:2099']}]", False),
        ("[{something: else}]", False),
        ("[]", False),
    ],
)  # fmt: skip
def test_intervals_that_leave_out_no_minute_of_a_week_are_always(text: str, is_always: bool) -> None:
    assert muted({"a": intervals(text)}, ["a"], []) == (ALWAYS if is_always else "")


def test_two_times_that_come_to_always_together_mute_as_one_does() -> None:
    week, end = intervals("[{weekdays: ['monday:friday']}]"), intervals("[{weekdays: ['saturday:sunday']}]")
    known = {"week": week, "end": end, "all": intervals("[{}]")}
    assert muted(known, ["week", "end"], []) == "its route is muted by week and end, which is at all times"
    assert muted(known, ["week", "all"], []) == "its route is muted by all, which is at all times"
    assert muted(known, ["week", "elsewhere"], []) == ""


def test_a_route_that_is_active_at_no_time_is_muted_and_one_whose_times_are_elsewhere_is_not() -> None:
    assert muted({"never": of([])}, [], ["never"]) == "its route is active in never only, which is at no time"
    assert muted({"never": of([])}, [], ["never", "elsewhere"]) == ""
    assert muted({"nights": intervals("[{times: [{start_time: '22:00', end_time: '24:00'}]}]")}, [], ["nights"]) == ""

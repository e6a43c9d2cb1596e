"""What people may do to findings, as plain values."""

from datetime import date
from typing import Any

import pytest

from findings import actions
from findings.actions import Transition, Update
from findings.vocabulary import CLOSED_BY_EVIDENCE, DECIDED, OPEN_STATUSES, DismissReason, Severity, Status

_TODAY = date(2026, 11, 25)


def test_every_status_says_where_a_person_may_go_from_it() -> None:
    assert set(actions.ALLOWED) == set(Status)
    for status, allowed in actions.ALLOWED.items():
        assert status not in allowed
        assert len(allowed) == len(set(allowed))


@pytest.mark.parametrize("status", [*CLOSED_BY_EVIDENCE, *DECIDED])
def test_what_is_closed_can_always_be_opened_again(status: Status) -> None:
    assert Status.NEW in actions.ALLOWED[status]


@pytest.mark.parametrize("status", [*OPEN_STATUSES, Status.SNOOZED])
def test_what_is_open_can_be_decided_set_aside_or_called_fixed(status: Status) -> None:
    for to in (Status.FIXED, Status.ACCEPTED, Status.DISMISSED):
        assert to in actions.ALLOWED[status]


def test_only_a_fixed_finding_can_be_verified() -> None:
    assert actions.sources_of(Status.VERIFIED) == [Status.FIXED]


def test_the_sources_of_a_status_are_those_that_allow_it() -> None:
    for to in Status:
        assert {status for status, allowed in actions.ALLOWED.items() if to in allowed} == set(actions.sources_of(to))


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"to": Status.DISMISSED}, "reason"),
        ({"to": Status.DISMISSED, "reason": "because"}, "reason"),
        ({"to": Status.SNOOZED}, "until"),
        ({"to": Status.SNOOZED, "until": _TODAY}, "until"),
        ({"to": Status.SNOOZED, "until": date(2020, 1, 1)}, "until"),
        ({"to": Status.ACCEPTED}, "expires_on"),
        ({"to": Status.ACCEPTED, "expires_on": _TODAY}, "expires_on"),
    ],
)
def test_a_transition_that_lacks_something_names_the_field(fields: dict[str, Any], field: str) -> None:
    problem = Transition(**fields).problem(_TODAY)
    assert problem is not None
    assert problem[0] == field
    assert problem[1].endswith(".")


@pytest.mark.parametrize(
    "fields",
    [
        {"to": Status.TRIAGED},
        {"to": Status.FIXED, "comment": "in release 7"},
        {"to": Status.SNOOZED, "until": date(2026, 11, 26)},
        {"to": Status.ACCEPTED, "expires_on": date(2027, 1, 1)},
        *({"to": Status.DISMISSED, "reason": reason.value} for reason in DismissReason),
    ],
)
def test_a_whole_transition_has_no_problem(fields: dict[str, Any]) -> None:
    assert Transition(**fields).problem(_TODAY) is None


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"status": "fixed"}, "status"),
        ({"id": 1}, "id"),
        ({"owner": 1, "version": 2}, "version"),
        ({"severity": "severe"}, "severity"),
    ],
)
def test_an_update_of_what_cannot_be_changed_names_the_field(fields: dict[str, Any], field: str) -> None:
    problem = Update(fields=fields).problem(_TODAY)
    assert problem is not None
    assert problem[0] == field


@pytest.mark.parametrize(
    "fields",
    [{}, {"owner": None}, {"team": 3}, {"severity": None}, *({"severity": s.value} for s in Severity), {"tags": ["a"]}],
)
def test_an_update_of_what_can_be_changed_has_no_problem(fields: dict[str, Any]) -> None:
    assert Update(fields=fields).problem(_TODAY) is None


def test_the_reason_that_history_keeps_is_readable() -> None:
    assert Transition(to=Status.DISMISSED, reason="wont_fix", comment="gone soon").why == "wont fix: gone soon"
    assert Transition(to=Status.TRIAGED).why == ""
    assert Update(fields={}, comment="moved").why == "moved"


def test_a_decision_is_described_with_all_it_says() -> None:
    accept = Transition(to=Status.ACCEPTED, comment="known", expires_on=date(2027, 1, 1))
    assert actions.described(accept) == {
        "action": "transition", "to": "accepted", "reason": "", "comment": "known", "expires_on": "2027-01-01",
    }  # fmt: skip
    assert actions.described(Update(fields={"owner": 1})) == {"action": "update", "owner": 1, "comment": ""}

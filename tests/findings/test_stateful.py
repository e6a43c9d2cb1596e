"""Imports, decisions and undo in any order, against the plain model of tests/findings/life_cycle.py.

After every step: statuses, sightings, severities, due dates and owners are the model's, and the rollups equal a
recount.
"""

from collections import Counter
from datetime import date, timedelta
from typing import Any

import pytest
from django.conf import settings as product
from django.db import transaction
from django.utils import timezone
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from findings import actions, services
from findings.models import Finding, GroupRollup, History, Rollup, Sighting, WeekRollup
from findings.risk import lanes
from findings.vocabulary import RiskClass, Severity, Status
from platform_risk.core.errors import Conflict
from platform_risk.core.imports import services as imports
from platform_risk.core.models import Import, Team
from tests.factories import make_service, make_user, sarif, sarif_result, upload
from tests.findings.life_cycle import DEFAULT, LEVELS, OTHER, Content, Known, Model, ScopeName, moment

_FAR = date(2100, 1, 1)
_DETAILS: dict[Status, dict[str, Any]] = {
    Status.DISMISSED: {"reason": "inaccurate"},
    Status.SNOOZED: {"until": _FAR},
    Status.ACCEPTED: {"expires_on": _FAR},
}
_RULES = ("R1", "R2", "R3", "R4")

_said = st.tuples(st.sampled_from(list(LEVELS)), st.sampled_from([1, 2]), st.sampled_from([False, False, False, True]))
_contents = st.dictionaries(st.sampled_from(_RULES), _said, max_size=4)
_scopes = st.tuples(st.sampled_from([DEFAULT, DEFAULT, OTHER]), st.sampled_from(["nightly", "review"]))


def report(content: Content) -> bytes:
    results = []
    for name, (level, line, suppressed) in content.items():
        result = sarif_result(name, f"{name}.py", line, level=level)
        results.append(result | ({"suppressions": [{"kind": "external"}]} if suppressed else {}))
    return sarif(*results)


class LifeCycle(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.transaction = transaction.atomic()
        self.transaction.__enter__()
        self.user = make_user("alice", payments="member")
        self.service = make_service("checkout", Team.objects.get(slug="payments"))
        self.model = Model()
        self.imports: dict[int, Import] = {}
        self.sent: list[Content] = []
        self.day = 0
        self.undone = False

    def teardown(self) -> None:
        transaction.set_rollback(True)
        self.transaction.__exit__(None, None, None)

    # Imports

    def send(self, scope: ScopeName, content: Content, day: int, *, complete: bool = True) -> None:
        branch, source = scope
        row = upload(
            report(content), self.service, user=self.user, branch=branch, source=source, observed_at=moment(day),
            complete="yes" if complete else "no",
        )  # fmt: skip
        assert row.state == "done", row.error
        counted = {name: count for name, count in imports.counts(row).items() if count and name != "read"}
        if self.model.is_duplicate(scope, content, complete=complete):
            assert row.duplicate_of == self.imports[self.model.scopes[scope].changing[-1].number]
            assert counted == ({"unchanged": len(content)} if content else {})
            return
        assert row.duplicate_of is None
        self.imports[row.pk] = row
        self.sent.append(content)
        assert counted == dict(self.model.apply(scope, content, day, complete=complete, number=row.pk))

    @rule(scope=_scopes, content=_contents, days=st.integers(1, 9))
    def a_report(self, scope: ScopeName, content: Content, days: int) -> None:
        self.day += days
        self.send(scope, content, self.day)

    @precondition(lambda self: self.sent)
    @rule(scope=_scopes, data=st.data())
    def a_report_that_was_sent_before(self, scope: ScopeName, data: st.DataObject) -> None:
        self.day += 1
        self.send(scope, data.draw(st.sampled_from(self.sent)), self.day)

    @rule(scope=_scopes, content=_contents)
    def a_partial_report(self, scope: ScopeName, content: Content) -> None:
        self.day += 1
        self.send(scope, content, self.day, complete=False)

    @rule(scope=_scopes, content=_contents, ago=st.integers(1, 20), complete=st.booleans())
    def a_late_report(self, scope: ScopeName, content: Content, ago: int, complete: bool) -> None:
        self.send(scope, content, self.day - ago, complete=complete)

    @precondition(lambda self: self.model.can_undo())
    @rule(data=st.data())
    def the_last_import_of_a_scope_is_undone(self, data: st.DataObject) -> None:
        scope = data.draw(st.sampled_from(self.model.can_undo()))
        number = self.model.undo(scope, timezone.now().date())
        imports.undo(self.imports[number], user=self.user)
        self.undone = True

    @precondition(lambda self: any(len(scope.changing) > 1 for scope in self.model.scopes.values()))
    @rule(data=st.data())
    def an_earlier_import_cannot_be_undone(self, data: st.DataObject) -> None:
        earlier = [one.number for scope in self.model.scopes.values() for one in scope.changing[:-1]]
        number = data.draw(st.sampled_from(earlier))
        with pytest.raises(Conflict):
            imports.undo(Import.objects.get(pk=number), user=self.user)

    # People

    def drawn(self, data: st.DataObject) -> tuple[Known, Finding]:
        branch, name = data.draw(st.sampled_from(sorted(self.model.visible())))
        return self.model.findings[branch][name], Finding.objects.get(branch=branch, rule=name)

    @precondition(lambda self: self.model.visible())
    @rule(data=st.data())
    def a_decision(self, data: st.DataObject) -> None:
        known, finding = self.drawn(data)
        to = data.draw(st.sampled_from(actions.ALLOWED[Status(known.status)]))
        services.change(finding, actions.Transition(to=to, **_DETAILS.get(to, {})), user=self.user, source="page")
        self.model.decide(known, to, timezone.now().date())

    @precondition(lambda self: self.model.visible())
    @rule(data=st.data(), severity=st.sampled_from([None, "critical", "low"]))
    def a_severity(self, data: st.DataObject, severity: str | None) -> None:
        known, finding = self.drawn(data)
        services.change(finding, actions.Update(fields={"severity": severity}), user=self.user, source="page")
        known.override = severity

    @precondition(lambda self: self.model.visible())
    @rule(data=st.data(), owned=st.booleans())
    def an_owner(self, data: st.DataObject, owned: bool) -> None:
        known, finding = self.drawn(data)
        owner = self.user.pk if owned else None
        services.change(finding, actions.Update(fields={"owner": owner}), user=self.user, source="page")
        known.owner = self.user.username if owned else None

    @rule()
    def rollups_are_compacted(self) -> None:
        services.compact_rollups()

    # What must hold

    def rows(self) -> list[Finding]:
        return list(Finding.objects.filter(withdrawn_by=None).select_related("owner"))

    @invariant()
    def findings_are_as_the_model_says(self) -> None:
        found = {
            (row.branch, row.rule): (
                row.status, row.regressed, row.severity, row.reported_severity, row.line, row.opened_on,
                row.owner.username if row.owner else None, row.suppressed_by_report, row.fixed_by_import_id,
            )
            for row in self.rows()
        }  # fmt: skip
        expected = {
            place: (
                known.status, known.regressed, known.severity, known.reported, known.said[1], known.opened, known.owner,
                known.suppressed, known.fixed_by,
            )
            for place, known in self.model.visible().items()
        }  # fmt: skip
        assert found == expected

    @invariant()
    def sightings_are_as_the_model_says(self) -> None:
        rows = Sighting.objects.filter(finding__withdrawn_by=None)
        found = rows.values_list("finding__branch", "finding__rule", "scope__source", "first_import", "ended_by")
        expected = [
            (*place, one.scope[1], one.first, one.ended_by)
            for place, known in self.model.visible().items()
            for one in known.intervals
        ]
        assert Counter(found) == Counter(expected)

    @invariant()
    def due_dates_and_lanes_follow(self) -> None:
        for row in self.rows():
            decided = lanes.decide(Severity(row.severity), RiskClass(row.risk_class))
            assert (row.lane, row.lane_reason) == (decided.lane, decided.reason)
            due = row.opened_on + timedelta(days=product.DUE_DAYS[row.lane]) if row.branch == DEFAULT else None
            assert row.due_on == due

    @invariant()
    def every_change_says_whose_it_was_and_by_which_way(self) -> None:
        assert set(History.objects.values_list("actor", "source")) <= {(self.user.pk, "import"), (self.user.pk, "page")}

    @invariant()
    def rollups_equal_a_recount(self) -> None:
        counted = Counter(
            (row.team_id, row.environment_id, row.lane, row.severity, row.status, row.owner_id is not None)
            for row in self.rows()
            if row.branch == DEFAULT
        )
        rolled: Counter[tuple[Any, ...]] = Counter()
        names = ("team_id", "environment_id", "lane", "severity", "status", "has_owner", "count")
        for *key, count in Rollup.objects.values_list(*names):
            rolled[tuple(key)] += count
        assert {key: count for key, count in rolled.items() if count} == dict(counted)
        # The list's groups count other branches too.
        grouped: Counter[tuple[Any, ...]] = Counter()
        for *key, count in GroupRollup.objects.values_list("rule", "rank", "status", "owner_id", "regressed", "count"):
            grouped[tuple(key)] += count
        of_all = Counter((row.rule, row.rank, row.status, row.owner_id, row.regressed) for row in self.rows())
        assert {key: count for key, count in grouped.items() if count} == dict(of_all)

    @invariant()
    def weeks_say_what_opened_and_closed_in_them(self) -> None:
        found: Counter[tuple[date, str]] = Counter()
        for row in WeekRollup.objects.all():
            found[row.week, "opened"] += row.opened
            found[row.week, "closed"] += row.closed
        if not self.undone:
            assert +found == +self.model.weeks
        # Undo goes in steps, of which one may open what another closes.
        for week in {week for week, _ in [*found, *self.model.weeks]}:
            net = self.model.weeks[week, "opened"] - self.model.weeks[week, "closed"]
            assert found[week, "opened"] - found[week, "closed"] == net


def run_examples(examples: int, steps: int, **more: Any) -> None:
    slow = [HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large, HealthCheck.nested_given]
    chosen = settings(
        max_examples=examples, stateful_step_count=steps, deadline=None, suppress_health_check=slow, **more
    )
    run_state_machine_as_test(LifeCycle, settings=chosen)


@pytest.mark.django_db
def test_imports_decisions_and_undo_in_any_order_do_what_the_model_says() -> None:
    run_examples(6, 25, derandomize=True)


@pytest.mark.drill
@pytest.mark.django_db
def test_longer_orders_of_imports_decisions_and_undo_do_what_the_model_says() -> None:
    run_examples(250, 45)

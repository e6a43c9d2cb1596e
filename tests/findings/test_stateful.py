"""Imports in any order, triage and undo between them, against a plain model: Hypothesis tries to find a difference.

The model is written from docs/triage.md and docs/architecture.md, not from the SQL.
"""

import copy
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import transaction
from django.db.models import Count, Sum
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from findings import services
from findings.actions import ALLOWED, Transition, Update
from findings.models import Finding, History, Rollup, Sighting, WeekRollup
from findings.vocabulary import Status
from platform_risk.core.imports import services as imports
from platform_risk.core.models import Import, Service, User
from tests.factories import make_service, make_team, sarif, sarif_result, upload

RULES = ("R1", "R2", "R3", "R4")
LEVELS = {"note": "low", "warning": "medium", "error": "high"}
RANK = {"critical": 0, "high": 1, "medium": 2, "low": 3, "info": 4}
UNRESOLVED = ("new", "triaged", "in_progress", "snoozed")
BEGIN = datetime(2026, 1, 5, tzinfo=UTC)


@dataclass
class Expected:
    """What is known of one finding."""

    status: str
    severity: str
    created_by: int
    regressed: bool = False
    decided: str = ""
    fixed_by: int | None = None
    in_sight: bool = True
    touched: int = 0  # the last import after which a person changed its status
    withdrawn: bool = False


@dataclass
class Applied:
    number: int
    report: tuple[tuple[str, str], ...]
    complete: bool
    at: int
    before: dict[str, Expected]  # of what it changed
    previous: "Applied | None" = None
    row: Import | None = None
    sighted: dict[str, bool] = field(default_factory=dict)


@dataclass
class Branch:
    """One scope: a branch of the service, and one source."""

    known: dict[str, Expected] = field(default_factory=dict)
    last: Applied | None = None
    complete_at: list[int] = field(default_factory=list)

    def apply(self, number: int, report: dict[str, str], *, complete: bool, at: int) -> Applied | None:
        """None: the same as the last one."""
        as_sent = tuple(sorted(report.items()))
        if self.last is not None and (self.last.report, self.last.complete) == (as_sent, complete):
            return None
        late = bool(self.complete_at) and at < max(self.complete_at)
        done = Applied(
            number, as_sent, complete, at, {}, self.last, sighted={r: e.in_sight for r, e in self.known.items()}
        )
        for name, level in report.items():
            self._see(done, name, LEVELS[level], late=late)
        if complete and not late:
            self._close(done, report)
        if not late:
            self.last = done
            if complete:
                self.complete_at.append(at)
        return done

    def _keep(self, done: Applied, name: str) -> Expected:
        known = self.known[name]
        done.before.setdefault(name, copy.copy(known))
        return known

    def _see(self, done: Applied, name: str, severity: str, *, late: bool) -> None:
        if name not in self.known or self.known[name].withdrawn:
            if name in self.known:
                self._keep(done, name)
            first = "fixed" if late else "new"
            fixed_by = done.number if late else None
            self.known[name] = Expected(first, severity, done.number, fixed_by=fixed_by, in_sight=not late)
            return
        if late:
            return
        known = self.known[name]
        rises = known.status in ("accepted", "dismissed") and RANK[severity] < RANK[known.decided]
        if known.status in ("fixed", "verified") or rises:
            known = self._keep(done, name)
            known.status, known.regressed, known.decided = "new", True, ""
        elif not known.in_sight or known.severity != severity:
            known = self._keep(done, name)
        else:
            return
        known.severity, known.in_sight, known.fixed_by = severity, True, None

    def _close(self, done: Applied, report: dict[str, str]) -> None:
        for name, known in self.known.items():
            if name in report or known.withdrawn:
                continue
            if known.status == "fixed" and known.fixed_by is not None:
                self._keep(done, name).status = "verified"
            elif known.in_sight and (known.status in UNRESOLVED or known.status == "fixed"):
                self._keep(done, name)
                known.status, known.fixed_by = "fixed", done.number
            known.in_sight = False

    def undo(self) -> None:
        done = self.last
        assert done is not None
        for name, known in self.known.items():
            if known.created_by == done.number and name not in done.before:
                known.withdrawn = True
            elif name in done.before:
                before = copy.copy(done.before[name])
                if known.touched >= done.number:
                    for kept in ("status", "regressed", "decided", "fixed_by", "touched"):
                        setattr(before, kept, getattr(known, kept))
                self.known[name] = before
            self.known[name].in_sight = done.sighted.get(name, False) if not self.known[name].withdrawn else False
        if done.complete:
            self.complete_at.remove(done.at)
        self.last = done.previous


class Imports(RuleBasedStateMachine):
    """Two branches of one service, one source each."""

    def __init__(self) -> None:
        super().__init__()
        self.atomic = transaction.atomic()
        self.atomic.__enter__()
        self.team = make_team("payments")
        self.service: Service = make_service("checkout", self.team)
        self.user = User.objects.create(username="ada", is_superuser=True)
        self.branches = {"main": Branch(), "feature": Branch()}
        self.rows: dict[int, Import] = {}
        self.clock = 100

    def teardown(self) -> None:
        transaction.set_rollback(True)
        self.atomic.__exit__(None, None, None)

    reports = st.dictionaries(st.sampled_from(RULES), st.sampled_from(list(LEVELS)), max_size=4)

    @rule(
        report=reports,
        complete=st.booleans() | st.just(value=True),
        step=st.sampled_from([1, 1, 1, 1, -3]),
        branch=st.sampled_from(["main", "main", "main", "feature"]),
    )
    def import_report(self, report: dict[str, str], complete: bool, step: int, branch: str) -> None:
        self.clock += max(step, 1)
        at = self.clock + (step if step < 0 else 0)
        self._import(report, complete=complete, at=at, branch=branch)

    @precondition(lambda self: self.branches["main"].last is not None)
    @rule()
    def import_the_last_one_again(self) -> None:
        last = self.branches["main"].last
        assert last is not None
        self.clock += 1
        updates = Finding.objects.aggregate(n=Sum("version"))["n"]
        row = self._import(dict(last.report), complete=last.complete, at=self.clock, branch="main")
        assert row.duplicate_of_id is not None
        assert Finding.objects.aggregate(n=Sum("version"))["n"] == updates

    def _import(self, report: dict[str, str], *, complete: bool, at: int, branch: str) -> Import:
        results = [sarif_result(name, f"{name}.py", level=level) for name, level in sorted(report.items())]
        row = upload(
            sarif(*results), self.service, user=self.user, branch=branch, complete="yes" if complete else "no",
            observed_at=BEGIN + timedelta(days=at),
        )  # fmt: skip
        assert row.state == "done", row.error
        done = self.branches[branch].apply(row.pk, report, complete=complete, at=at)
        assert (row.duplicate_of_id is not None) == (done is None)
        return row

    @rule(data=st.data(), branch=st.sampled_from(["main", "main", "feature"]))
    def decide(self, data: st.DataObject, branch: str) -> None:
        known = {name: each for name, each in self.branches[branch].known.items() if not each.withdrawn}
        if not known:
            return
        name = data.draw(st.sampled_from(sorted(known)))
        to = data.draw(st.sampled_from(ALLOWED[Status(known[name].status)]))
        tomorrow = (datetime.now(UTC) + timedelta(days=30)).date()
        extra: dict[str, Any] = {}
        if to == Status.DISMISSED:
            extra = {"reason": "inaccurate"}
        elif to == Status.SNOOZED:
            extra = {"until": tomorrow}
        elif to == Status.ACCEPTED:
            extra = {"expires_on": tomorrow}
        finding = Finding.objects.get(rule=name, branch=branch)
        services.change(finding, Transition(to=to, **extra), user=self.user, source="page")
        expected = known[name]
        expected.status = to.value
        expected.decided = expected.severity if to in (Status.DISMISSED, Status.ACCEPTED) else ""
        expected.touched = max((row.pk for row in Import.objects.filter(branch=branch)), default=0)

    @rule(data=st.data())
    def assign(self, data: st.DataObject) -> None:
        findings = list(Finding.objects.filter(withdrawn_by=None).order_by("id"))
        if findings:
            finding = data.draw(st.sampled_from(findings))
            owner = data.draw(st.sampled_from([self.user.pk, None]))
            services.change(finding, Update(fields={"owner": owner}), user=self.user, source="api")

    @precondition(lambda self: self.branches["main"].last is not None)
    @rule()
    def undo(self) -> None:
        branch = self.branches["main"]
        assert branch.last is not None
        imports.undo(Import.objects.get(pk=branch.last.number), user=self.user)
        branch.undo()

    @rule()
    def compact(self) -> None:
        services.compact_rollups()

    @invariant()
    def findings_are_as_the_model_says(self) -> None:
        found = {
            (finding.branch, finding.rule): (finding.status, finding.reported_severity, finding.regressed)
            for finding in Finding.objects.filter(withdrawn_by=None)
        }
        expected = {
            (branch, name): (each.status, each.severity, each.regressed)
            for branch, state in self.branches.items()
            for name, each in state.known.items()
            if not each.withdrawn
        }
        assert found == expected

    @invariant()
    def what_is_in_sight_has_one_open_sighting(self) -> None:
        open_ = set(Sighting.objects.filter(last_import=None).values_list("finding__branch", "finding__rule"))
        expected = {
            (branch, name)
            for branch, state in self.branches.items()
            for name, each in state.known.items()
            if each.in_sight and not each.withdrawn
        }
        assert open_ == expected

    @invariant()
    def rollups_equal_a_recount(self) -> None:
        counted = Finding.objects.filter(withdrawn_by=None, is_default_branch=True)
        recount = {
            (row["lane"], row["status"], row["owner"] is not None): row["n"]
            for row in counted.values("lane", "status", "owner").annotate(n=Count("id"))
        }
        rolled = {
            (row["lane"], row["status"], row["has_owner"]): row["n"]
            for row in Rollup.objects.values("lane", "status", "has_owner").annotate(n=Sum("count"))
            if row["n"]
        }
        assert rolled == recount
        weeks = WeekRollup.objects.aggregate(opened=Sum("opened"), closed=Sum("closed"))
        unresolved = counted.filter(status__in=UNRESOLVED).count()
        assert (weeks["opened"] or 0) - (weeks["closed"] or 0) == unresolved

    @invariant()
    def every_change_names_its_way(self) -> None:
        assert not History.objects.exclude(source__in=["page", "api", "import"]).exists()
        assert not History.objects.filter(actor=None).exists()


def test_imports_triage_and_undo_agree_with_the_model(db: None) -> None:
    run_state_machine_as_test(
        Imports,
        settings=settings(
            max_examples=20, stateful_step_count=18, deadline=None, derandomize=True,
            suppress_health_check=list(HealthCheck),
        ),
    )  # fmt: skip


@pytest.mark.drill
def test_imports_triage_and_undo_agree_with_the_model_for_long(db: None) -> None:
    run_state_machine_as_test(
        Imports,
        settings=settings(
            max_examples=400, stateful_step_count=40, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )

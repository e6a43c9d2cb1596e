"""Budgets, scenarios and what is said of unusual days: every write."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.utils import timezone

from costs.models import Budget, Scenario, SeenAnomaly
from platform_risk.core import changing
from platform_risk.core.access.audit import record
from platform_risk.core.errors import Refused
from platform_risk.core.models import Team, User


def may_budget(user: User, fields: Mapping[str, Any]) -> None:
    """Managers of the team, or of the service's; what concerns all takes an administrator."""
    team, service = fields.get("team"), fields.get("service")
    if team is not None and user.may_manage(team.pk):
        return
    if service is not None and user.may_manage(service.team_id):
        return
    if not user.is_admin:
        raise PermissionDenied(
            "A budget takes the role manager in its team; one of an environment, an account or everything, an "
            "administrator."
        )


def _of(budget: Budget) -> dict[str, Any]:
    return {"team": budget.team, "service": budget.service}


@transaction.atomic
def create_budget(*, user: User, reason: str = "", **fields: Any) -> Budget:
    may_budget(user, fields)
    budget = Budget(created_by=user, **fields)
    changing.save(budget)
    record(user, "created", "budget", budget.pk, str(budget), reason=reason)
    return budget


@transaction.atomic
def change_budget(budget: Budget, *, user: User, reason: str = "", **fields: Any) -> Budget:
    budget = Budget.objects.select_for_update(of=("self",)).select_related("team", "service", "environment").get(
        pk=budget.pk
    )  # fmt: skip
    may_budget(user, _of(budget))
    may_budget(user, _of(budget) | fields)
    changes = changing.set_fields(budget, fields)
    if changes:
        record(user, "changed", "budget", budget.pk, str(budget), changes=changes, reason=reason)
    return budget


@transaction.atomic
def delete_budget(budget: Budget, *, user: User, reason: str = "") -> None:
    may_budget(user, _of(budget))
    pk, label = budget.pk, str(budget)
    changing.delete(budget, "Something refers to this budget.")
    record(user, "deleted", "budget", pk, label, reason=reason)


@transaction.atomic
def create_scenario(*, user: User, **fields: Any) -> Scenario:
    _share(user, fields.get("team"))
    scenario = Scenario(created_by=user, **fields)
    changing.save(scenario)
    record(user, "created", "scenario", scenario.pk, scenario.name)
    return scenario


@transaction.atomic
def change_scenario(scenario: Scenario, *, user: User, **fields: Any) -> Scenario:
    _own(user, scenario)
    _share(user, fields.get("team"))
    changes = changing.set_fields(scenario, fields)
    if changes:
        record(user, "changed", "scenario", scenario.pk, scenario.name, changes=changes)
    return scenario


@transaction.atomic
def delete_scenario(scenario: Scenario, *, user: User) -> None:
    _own(user, scenario)
    pk, name = scenario.pk, scenario.name
    changing.delete(scenario, "Something refers to this scenario.")
    record(user, "deleted", "scenario", pk, name)


def _own(user: User, scenario: Scenario) -> None:
    if scenario.created_by_id != user.pk and not user.is_admin:
        raise PermissionDenied("Only who made a scenario changes it.")


def _share(user: User, team: Team | None) -> None:
    if team is not None and not user.may_write(team.pk):
        raise PermissionDenied("Sharing a scenario with a team takes the role member in it.")


@transaction.atomic
def see_anomaly(*, user: User, team: Team | None, day: date, currency: str, reason: str) -> SeenAnomaly:
    """Says why an unusual day is all right; said again, the newer reason stands and the audit keeps both."""
    if not user.may_write(team.pk if team else None):
        raise PermissionDenied("Saying that a day is all right takes the role member in its team.")
    if not reason.strip():
        raise Refused("Say why it is all right.", field="reason")
    why = reason.strip()[:1000]
    row, is_first = SeenAnomaly.objects.select_for_update().get_or_create(
        team=team, day=day, currency=currency, defaults={"reason": why, "seen_by": user}
    )
    before = None if is_first else row.reason
    if not is_first:
        row.reason, row.seen_by, row.seen_at = why, user, timezone.now()
        row.save()
    record(
        user, "acknowledged", "anomaly", row.pk, f"{day} of {team.slug if team else 'nobody'}",
        changes={"reason": [before, row.reason]}, reason=row.reason,
    )  # fmt: skip
    return row

"""Writes by people: permission, change, audit, one transaction each."""

from django.core.exceptions import PermissionDenied
from django.db import transaction

from costs.models import SharedCost
from platform_risk.core import changing
from platform_risk.core.access.audit import record
from platform_risk.core.catalog import hooks
from platform_risk.core.errors import Refused
from platform_risk.core.models import User


def _may_share(user: User) -> None:
    if not user.is_admin:
        raise PermissionDenied("What is shared concerns every team: it takes an administrator.")


@transaction.atomic
def add_shared(*, user: User, kind: str, pattern: str, split: str, note: str = "") -> SharedCost:
    _may_share(user)
    if not pattern.strip() or "\x00" in pattern:
        raise Refused("Say what is shared.", field="pattern")
    rule = SharedCost(kind=kind, pattern=pattern.strip(), split=split, note=note, created_by=user)
    changing.save(rule)
    record(user, "created", "shared_cost", rule.pk, str(rule))
    hooks.ownership_changed(None)
    return rule


@transaction.atomic
def delete_shared(rule: SharedCost, *, user: User) -> None:
    _may_share(user)
    pk, label = rule.pk, str(rule)
    rule.delete()
    record(user, "deleted", "shared_cost", pk, label)
    hooks.ownership_changed(None)

"""Shared cost: which charges are everybody's, and by which rule they are split. Every write; keys follow through the
catalogue's hooks, as they do when ownership rules change."""

from typing import Any

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import QuerySet

from costs.models import SharedCost
from platform_risk.core import changing
from platform_risk.core.access.audit import record
from platform_risk.core.catalog import hooks
from platform_risk.core.errors import Refused
from platform_risk.core.models import User


def rules_visible_to(user: User) -> QuerySet[SharedCost]:
    """In the order in which they are tried. They concern every team: for managers and administrators."""
    return SharedCost.objects.order_by("id") if user.sees_unowned else SharedCost.objects.none()


def _may_share(user: User) -> None:
    if not user.is_admin:
        raise PermissionDenied("What is shared concerns every team: it takes an administrator.")


def _check(kind: str, pattern: str) -> None:
    if not pattern.strip() or "\x00" in pattern:
        raise Refused("A pattern has 1 to 500 characters, and no NUL.", field="pattern")
    if kind == SharedCost.Kind.TAG and not pattern.partition("=")[0].strip("*? "):
        raise Refused("A tag pattern is key=value, such as shared=yes: the key is needed.", field="pattern")


@transaction.atomic
def create(*, user: User, reason: str = "", **fields: Any) -> SharedCost:
    _may_share(user)
    shared = SharedCost(created_by=user, **fields)
    _check(shared.kind, shared.pattern)
    changing.save(shared)
    record(user, "created", "shared_cost", shared.pk, str(shared), reason=reason)
    hooks.ownership_changed(None)
    return shared


@transaction.atomic
def change(shared: SharedCost, *, user: User, reason: str = "", **fields: Any) -> SharedCost:
    _may_share(user)
    shared = SharedCost.objects.select_for_update().get(pk=shared.pk)
    _check(fields.get("kind", shared.kind), fields.get("pattern", shared.pattern))
    changes = changing.set_fields(shared, fields)
    if changes:
        record(user, "changed", "shared_cost", shared.pk, str(shared), changes=changes, reason=reason)
        hooks.ownership_changed(None)
    return shared


@transaction.atomic
def delete(shared: SharedCost, *, user: User, reason: str = "") -> None:
    _may_share(user)
    pk, label = shared.pk, str(shared)
    shared.delete()
    record(user, "deleted", "shared_cost", pk, label, reason=reason)
    hooks.ownership_changed(None)

"""One decision for a selection or for a whole filter: at once while it is small, by a worker when it is large."""

from datetime import date, timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone

from findings import actions, query, selectors, services
from findings.actions import Action, Transition, Update
from findings.models import BulkAction, Finding, FindingQuerySet
from findings.vocabulary import Status
from platform_risk.core.errors import Refused
from platform_risk.core.models import User


def begin(
    *, user: User, action: Action, ids: list[int] | None = None, q: str | None = None, source: str
) -> tuple[BulkAction, bool]:
    """Carries the action out, or queues it when more than `services.ITEMIZED` findings match.

    Returns the decision and whether it waits for a worker (then enqueue tasks.run_bulk with its id after commit).
    Exactly one of `ids` and `q` says what is meant; an empty `q` means everything the user may see.
    """
    found = action.problem(timezone.now().date())
    if found is not None:
        raise Refused(found[1], field=found[0])
    rows = _rows(user, ids, q)
    matched = selectors.capped_count(rows, services.ITEMIZED)
    described = actions.described(action) | {"source": source}
    bulk = BulkAction.objects.create(actor=user, action=described, query=q or "", finding_ids=ids)
    if matched > services.ITEMIZED:
        return bulk, True
    with transaction.atomic():
        if ids is not None:
            bulk.results = _items(ids, rows.writable_by(user), rows, action)
        bulk = services.act(rows, action, user=user, source=source, bulk=bulk)
        if ids is None:
            bulk.results = [
                {"id": str(pk), "result": "applied"} for pk in bulk.items.values_list("finding_id", flat=True)
            ]
            bulk.save(update_fields=["results"])
    return bulk, False


def _rows(user: User, ids: list[int] | None, q: str | None) -> FindingQuerySet:
    if (ids is None) == (q is None):
        raise Refused("Say which findings: either ids or q.", field="ids")
    if ids is not None:
        return Finding.objects.visible_to(user).filter(pk__in=ids)
    return selectors.found(query.parse(q or ""), user)


def _items(ids: list[int], writable: FindingQuerySet, visible: FindingQuerySet, action: Action) -> list[dict[str, str]]:
    """What will become of each id, in the order given."""
    seen = dict(visible.values_list("pk", "status"))
    may = set(writable.values_list("pk", flat=True))
    items = []
    for pk in dict.fromkeys(ids):
        if pk not in seen:
            items.append({"id": str(pk), "result": "not_found", "detail": "No such finding that you may see."})
        elif pk not in may:
            items.append({"id": str(pk), "result": "refused", "detail": "You may see it but not change it."})
        elif isinstance(action, Transition) and action.to not in actions.ALLOWED[Status(seen[pk])]:
            detail = f"A finding that is {seen[pk]} cannot become {action.to}."
            items.append({"id": str(pk), "result": "refused", "detail": detail})
        else:
            items.append({"id": str(pk), "result": "applied"})
    return items


def read(stored: dict[str, Any]) -> Action:
    """The action back from `actions.described`."""
    if stored["action"] == "transition":
        dates = {name: date.fromisoformat(stored[name]) for name in ("until", "expires_on") if name in stored}
        return Transition(to=Status(stored["to"]), reason=stored["reason"], comment=stored["comment"], **dates)
    fields = {name: stored[name] for name in Update.NAMES if name in stored}
    return Update(fields=fields, comment=stored["comment"])


def run(bulk_id: int) -> None:
    """The worker's part; safe to call twice: the row is locked and its state read again."""
    with transaction.atomic():
        bulk = BulkAction.objects.select_for_update(of=("self",)).select_related("actor").get(pk=bulk_id)
        if bulk.state != "queued" or bulk.actor is None:
            return
        rows = _rows(bulk.actor, bulk.finding_ids, None if bulk.finding_ids is not None else bulk.query)
        services.act(rows, read(bulk.action), user=bulk.actor, source=bulk.action.get("source", "page"), bulk=bulk)


def left_behind() -> list[int]:
    """Queued decisions whose message the broker may have lost: run() sorts out what is enqueued twice."""
    waiting = timezone.now() - timedelta(minutes=2)
    return list(BulkAction.objects.filter(state="queued", created_at__lt=waiting).values_list("pk", flat=True)[:100])

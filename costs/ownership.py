"""Keys of charges and whose they are: what costs.allocation decides, written down; and again when rules change."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from django.db import connection, transaction

from costs import allocation, rollups
from costs.allocation import Allocated, Catalogue
from costs.bills.charges import KEY
from costs.models import ChargeKey, SharedCost
from platform_risk.core import ownership
from platform_risk.core.models import Environment, OwnershipRule, Service, Team

_FIELDS = ("service_id", "team_id", "team_from", "environment_id", "shared_id")


def catalogue() -> Catalogue:
    rules = OwnershipRule.objects.order_by("position", "id")
    return Catalogue(
        rules=[(ownership.Rule(rule.pk, rule.kind, rule.pattern, rule.team_id), rule.service_id) for rule in rules],
        shared=[
            allocation.Shared(each.pk, each.kind, each.pattern, each.split)
            for each in SharedCost.objects.order_by("id")
        ],
        services={slug: (pk, team) for slug, pk, team in Service.objects.values_list("slug", "pk", "team_id")},
        teams=dict(Team.objects.values_list("slug", "pk")),
        environments=dict(Environment.objects.values_list("slug", "pk")),
    )


def _key(row: Mapping[str, Any]) -> allocation.Key:
    return allocation.Key(
        row["account"], row["cloud_service"], row["resource_group"], row["namespace"], row["tags"] or {}
    )


def _columns(found: Allocated) -> dict[str, Any]:
    values = (found.service, found.team, found.team_from, found.environment, found.shared)
    return dict(zip(_FIELDS, values, strict=True))


def key_ids(keys: Iterable[tuple[str, ...]], redact: Callable[[str], str]) -> dict[str, int]:
    """Digest → id of these keys; unknown ones are added without secrets, and given to somebody."""
    wanted = {key[0]: key for key in keys}
    known = _ids(wanted)
    missing = [wanted[digest] for digest in wanted if digest not in known]
    if missing:
        everything = catalogue()
        rows = []
        for digest, *values, tags in missing:
            kept = {name: redact(value) for name, value in json.loads(tags).items()}
            texts = [redact(value)[:longest] for value, longest in zip(values, KEY.values(), strict=True)]
            columns = dict(zip(KEY, texts, strict=True)) | {"tags": kept}
            rows.append(ChargeKey(digest=digest, **columns, **_columns(allocation.allocate(_key(columns), everything))))
        ChargeKey.objects.bulk_create(rows, batch_size=2_000, ignore_conflicts=True)
        known |= _ids({row.digest for row in rows})
    return known


def _ids(digests: Iterable[str]) -> dict[str, int]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT digest, id FROM costs_chargekey WHERE digest = ANY(%s)", [list(digests)])
        return dict(cursor.fetchall())


def reallocate() -> int:
    """Gives every key to whom the rules give it now; returns how many have changed hands."""
    with transaction.atomic():
        rollups.lock()
        everything = catalogue()
        changed: list[ChargeKey] = []
        for row in _all_keys():
            now = _columns(allocation.allocate(_key(row), everything))
            if any(row[name] != now[name] for name in _FIELDS):
                changed.append(ChargeKey(pk=row["id"], **now))
        if changed:
            ChargeKey.objects.bulk_update(changed, [name.removesuffix("_id") for name in _FIELDS], batch_size=1_000)
            rollups.recount_totals([row.pk for row in changed])
    return len(changed)


def _all_keys() -> Iterator[dict[str, Any]]:
    names = ("id", "account", "cloud_service", "resource_group", "namespace", "tags", *_FIELDS)
    yield from ChargeKey.objects.order_by("id").values(*names).iterator(chunk_size=2_000)

"""Writes of facts: what a person states, and what an import read."""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.utils import timezone

from platform_risk.core.access.audit import record
from platform_risk.core.errors import Refused
from platform_risk.core.facts import known
from platform_risk.core.facts.models import Fact, FactSource
from platform_risk.core.models import Environment, Import, Service, User

# Enough for every workload of a large platform; what is beyond is not kept, and the import says so in its coverage.
MOST_OF_AN_IMPORT = 20_000
MOST_AT_ONCE = 500
_NAME = re.compile(r"[A-Za-z0-9_][^\x00-\x20\x7f]{0,399}\Z")
_MOST_CHARACTERS = 4_000


@dataclass(frozen=True, slots=True)
class Statement:
    """One fact as configuration states it."""

    name: str
    value: Any
    unit: str = ""
    source: str = FactSource.FILE
    path: str = ""
    line: int | None = None
    note: str = ""


def keep(row: Import, statements: Iterable[Statement], *, stated_at: Any) -> int:
    """Writes what an import read, in the load's transaction; in force while it is its scope's last applied one."""
    assert row.service_id is not None
    facts: dict[str, Fact] = {}
    for each in statements:
        if each.name in facts or len(facts) >= MOST_OF_AN_IMPORT:
            continue
        facts[each.name] = Fact(
            service_id=row.service_id, environment_id=row.environment_id, import_row=row, name=each.name[:400],
            value=each.value, unit=each.unit[:40], source=each.source, path=each.path[:1000], line=each.line,
            note=each.note[:500], stated_at=stated_at,
        )  # fmt: skip
    Fact.objects.bulk_create(facts.values(), batch_size=1000)
    return len(facts)


@transaction.atomic
def state(
    service: Service,
    facts: Mapping[str, Any],
    *,
    user: User,
    environment: Environment | None = None,
    reason: str = "",
    units: Mapping[str, str] | None = None,
) -> list[Fact]:
    """What a person knows: replaces what was stated of the same names; a value None takes the statement back.

    Raises Refused with the name that is wrong, PermissionDenied for those who may not import into the service.
    """
    may_state(user, service)
    if not facts or len(facts) > MOST_AT_ONCE:
        raise Refused(f"State one fact at least and {MOST_AT_ONCE} at most.", field="facts")
    for name, value in facts.items():
        _check(name, value)
    now = timezone.now()
    made: list[Fact] = []
    # One writer of a service's facts at a time.
    Service.objects.select_for_update(no_key=True).get(pk=service.pk)
    current = {
        fact.name: fact
        for fact in Fact.objects.current().filter(
            service=service, environment=environment, import_row__isnull=True, name__in=facts
        )
    }
    changes: dict[str, list[Any]] = {}
    for name, value in facts.items():
        before = current.get(name)
        old = before.value if before else None
        if old == value and type(old) is type(value):
            continue
        changes[name] = [old, value]
        if before is not None:
            Fact.objects.filter(pk=before.pk).update(ended_at=now)
        if value is not None:
            made.append(
                Fact(service=service, environment=environment, name=name, value=value, source=FactSource.USER,
                     unit=(units or {}).get(name, ""), note=reason[:500], stated_by=user, stated_at=now)
            )  # fmt: skip
    Fact.objects.bulk_create(made)
    if changes:
        record(user, "stated", "fact", service.pk, service.slug, changes=changes, reason=reason)
    return made


def may_state(user: User, service: Service) -> None:
    if not user.may_write(service.team_id):
        raise PermissionDenied("Stating facts of a service takes the role member in its team.")


def _check(name: str, value: Any) -> None:
    if not _NAME.match(name):
        raise Refused("A fact's name is its dotted path, as metrics.series_per_pod.", field=f"facts/{name[:60]}")
    if value is None:
        return
    is_plain = isinstance(value, str | int | float | bool)
    is_list = isinstance(value, list) and all(isinstance(each, str | int | float | bool) for each in value)
    if not (is_plain or is_list) or len(json.dumps(value)) > _MOST_CHARACTERS or "\\u0000" in json.dumps(value):
        raise Refused("A fact is a number, a text, true, false, or a list of these.", field=f"facts/{name[:60]}")
    said = known.problem(name, value)
    if said:
        raise Refused(said, field=f"facts/{name[:60]}")

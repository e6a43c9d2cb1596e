"""Alerts of one import that watch what another one describes: which rules count for whom, and who is judged again.

Every installation is one workspace: the alert rules that were last imported, of any service, count for what any other
import describes, in the same environment or where either of them names none. Findings are judged while an import is
loaded; when rules come, change or go, the imports whose answers differ are read again (docs/decisions/0011).
"""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.db.models.fields.json import KeyTransform

from findings.checks import coverage, kept
from findings.checks.alert_rules import Rule
from findings.checks.subjects import Subject
from platform_risk.core.imports import runner
from platform_risk.core.imports import services as imports
from platform_risk.core.models import Import, ImportKind, Scope

_ALERTS = KeyTransform("alerts", F("last_applied__coverage"))
_MOST_SETTLED = 10_000


def current() -> QuerySet[Scope]:
    """Scopes whose configuration counts: the last import of each, of default branches."""
    return Scope.objects.filter(target__is_default_branch=True, last_applied__kind=ImportKind.PLATFORM)


@dataclass(frozen=True)
class Held:
    """What a scope's last import keeps: its rules, and what it describes."""

    scope_id: int
    service_id: int
    environment_id: int | None
    import_id: int
    is_demo: bool
    told: Mapping[str, Any] = field(repr=False)

    @property
    def is_shared(self) -> bool:
        """Whether its rules may watch what others describe."""
        return bool(self.told.get("rules_digest"))

    def reaches(self, other: "Held") -> bool:
        """The demo is apart: its alerts watch nothing of anybody else's, nor others' the demo."""
        places = {self.environment_id, other.environment_id}
        return other is not self and self.is_demo == other.is_demo and (None in places or len(places) == 1)

    def rules(self, *, hidden: bool = False) -> tuple[Rule, ...]:
        return tuple(kept.rule(each, origin=self.import_id, hidden=hidden) for each in self.told.get("rules", ()))

    def subjects(self) -> tuple[Subject, ...]:
        return tuple(kept.subject(each) for each in self.told.get("subjects", ()))


def held() -> list[Held]:
    """Of all scopes, whoever asks: for judging, not for showing. One query."""
    rows = current().order_by("pk")
    found = rows.values_list(
        "pk", "target__service_id", "target__environment_id", "last_applied_id", "target__service__is_demo", _ALERTS
    )
    # What an older version kept names no subjects: nothing is known of it, so it is stale, and read again.
    return [
        Held(scope, service, environment, pk, demo, told if "subjects" in told else {})
        for scope, service, environment, pk, demo, told in found
        if pk is not None and isinstance(told, dict)
    ]


def elsewhere(row: Import, source: str) -> tuple[Mapping[str, Any], ...]:
    """The rules, as they are kept, of all other scopes that reach the one which this import is about to replace."""
    if row.service is None:
        return ()
    others = current().filter(target__service__is_demo=row.service.is_demo)
    others = others.exclude(
        target__service=row.service, target__environment=row.environment, source=row.source or source
    )
    if row.environment is not None:
        others = others.filter(Q(target__environment=row.environment) | Q(target__environment=None))
    told = others.order_by("pk").values_list(KeyTransform("rules_digest", _ALERTS), KeyTransform("rules", _ALERTS))
    return tuple(rule for digest, rules in told if digest for rule in rules)


# What was found to be as it should be: (import, the rules that reach it). Only to save work; any process may forget it.
_settled: set[tuple[int, str]] = set()


@dataclass(frozen=True)
class Stale:
    """An import whose answers would be others now."""

    held: Held
    judged: str  # the digest of what they would be


def stale() -> Iterator[Stale]:
    every = held()
    for each in every:
        others = [other for other in every if other.is_shared and other.reaches(each)]
        key = (each.import_id, _against(others))
        if key in _settled:
            continue
        rules = tuple(rule for other in others for rule in other.rules(hidden=True))
        found = coverage.judged(each.subjects(), each.rules(), rules, is_complete=each.told.get("is_complete") is True)
        judged = coverage.digest(found)
        if each.told.get("judged") == judged:
            if len(_settled) >= _MOST_SETTLED:
                _settled.clear()
            _settled.add(key)
        else:
            yield Stale(each, judged)


def _against(others: list[Held]) -> str:
    return hashlib.sha256(" ".join(str(each.told["rules_digest"]) for each in others).encode()).hexdigest()


def judge_again() -> list[int]:
    """Puts right what `stale` names. Imports to run: enqueue them after commit. Safe to call at any time, and twice."""
    made: list[int] = []
    for each in stale():
        with transaction.atomic():
            row = _judged_again(each)
        if row is not None:
            made.append(row.pk)
    return made


def _judged_again(found: Stale) -> Import | None:
    scope = Scope.objects.select_related("target", "last_applied__previous").get(pk=found.held.scope_id)
    with runner.locked(scope.target_id):
        scope.refresh_from_db()
        last = scope.last_applied
        if last is None or last.pk != found.held.import_id:
            return None  # another one has come meanwhile, and was judged then
        if _was_so_before(last, found.judged):
            imports.take_back(scope, last, reason="The alert rules of other imports are as they were.")
            return None
        return imports.read_again(last, because=found.judged)


def _was_so_before(last: Import, judged: str) -> bool:
    """Whether the import before it gave the answers that are right now, with nothing else between the two."""
    before = last.previous
    if last.again_of_id is None or before is None or not isinstance(before.coverage, dict):
        return False
    if any(last.coverage.get(name) != before.coverage.get(name) for name in ("tool", "said")):
        return False
    return bool(before.coverage.get("alerts", {}).get("judged") == judged)

"""Pages of findings by when they were last seen.

What one source sees still was last seen when that source last ran, and what an import was the last to see at its time:
so a few runs stand for many findings, and those of a page are found first.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime
from heapq import merge
from itertools import islice, pairwise

from django.db.models import Exists, OuterRef, Q
from django.utils.dateparse import parse_datetime

from findings.models import Finding, FindingQuerySet, Sighting
from findings.query import Query
from platform_risk.core import keyset
from platform_risk.core.models import Import, Scope

# So many runs are looked at for one page. Where a filter leaves too little of them, it leaves little of all.
MOST_RUNS = 12


@dataclass(frozen=True)
class _Run:
    at: datetime
    seen: Q  # its sightings


def narrowed(
    query: Query, rows: FindingQuerySet, *, services: Collection[int], cursor: str | None, size: int
) -> FindingQuerySet:
    """The rows among which the page lies; all where a few runs cannot tell that. `services`: those that any of the rows
    are of. Raises keyset.BadCursor."""
    place = keyset.place(cursor, query.keyset) if cursor else None
    forward = place is None or place.forward
    downwards = query.keyset[0].startswith("-") == forward
    edge = _time(place.values[0]) if place is not None else None
    seen, count = Q(pk__in=[]), 0
    runs = list(islice(_runs(services, edge, downwards=downwards), MOST_RUNS + 1))
    for run, after in pairwise(runs):
        seen |= run.seen
        if run.at != edge:  # at the edge itself some are on the pages before
            of = Sighting.objects.filter(run.seen).values("finding")
            count += rows.filter(pk__in=of, seen_at=run.at)[: size + 1].count()
        if count > size and after.at != run.at:
            # What a person wrote was seen by no run.
            written = Finding.objects.filter(created_by_import__isnull=True).values("pk")
            return rows.filter(pk__in=Sighting.objects.filter(seen).values("finding").union(written))
    return rows


def _time(text: object) -> datetime:
    try:
        found = parse_datetime(str(text))
    except ValueError:
        found = None
    if found is None or found.tzinfo is None:
        raise keyset.BadCursor("This cursor was not made here.")
    return found


def _runs(services: Collection[int], edge: datetime | None, *, downwards: bool) -> Iterator[_Run]:
    """From the edge on, in order."""
    beyond, sign = ("lte", "-") if downwards else ("gte", "")
    scopes = Scope.objects.filter(Exists(Sighting.objects.filter(scope=OuterRef("pk"), last_import__isnull=True)))
    imports = Import.objects.filter(Exists(Sighting.objects.filter(last_import=OuterRef("pk"))))
    found = []
    for several, column, of in (
        (scopes.filter(target__service__in=services), "last_seen_at", _seen_still),
        (imports.filter(scope__target__service__in=services), "observed_at", _seen_last),
    ):
        if edge is not None:
            several = several.filter(**{f"{column}__{beyond}": edge})
        pairs = several.filter(**{f"{column}__isnull": False}).order_by(f"{sign}{column}").values_list(column, "pk")
        found.append([_Run(at, of(pk)) for at, pk in pairs[: MOST_RUNS + 1]])
    return merge(*found, key=lambda run: run.at, reverse=downwards)


def _seen_still(scope_id: int) -> Q:
    return Q(scope=scope_id, last_import__isnull=True)


def _seen_last(import_id: int) -> Q:
    return Q(last_import=import_id)

"""What was imported as the beginning of a projection: measured usage, and facts that configuration and people state.

Where several sources say something of the same, all are shown and one is taken (RULE).
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any

from django.db.models import Max, QuerySet

from costs import pricing
from costs.models import UsageFigure, UsageScope
from costs.models.usage import usage_seen_by
from costs.projecting import UNITS
from costs.usage.elasticsearch import stream_of
from costs.usage.entities import ENTITIES
from costs.usage.records import Measure
from platform_risk.core.facts.models import Fact
from platform_risk.core.facts.selectors import facts_visible_to
from platform_risk.core.models import Environment, Import, Service, User
from platform_risk.quantities.pricing import GIGABYTE, Rate

RULE = (
    "What was measured counts before what people or configuration state, and that before what is assumed; of the same "
    "kind the newest."
)
NO_PRICE = "No price applies without being chosen, so there is usage and no cost: choose one on the page Prices."
INGEST_DAYS = 14  # that the daily ingest is the mean of
_MEASURED, _STATED, _ASSUMED = 0, 1, 2
_MOST_GROUPS = 200
_MOST_PARTS = 5  # of a sum that are named


@dataclass(frozen=True)
class Source:
    """One saying of one input."""

    value: Any
    words: str
    on: date | None = None
    rank: int = _MEASURED
    at: datetime | None = None  # where it is known better than to the day
    environments: int = 1  # that it is over

    @property
    def kind(self) -> str:
        return ("measured", "stated", "assumed")[self.rank]


@dataclass(frozen=True)
class Input:
    """What is taken, and what else was said."""

    taken: Source
    others: tuple[Source, ...] = ()

    @property
    def disagree(self) -> bool:
        return any(other.value != self.taken.value for other in self.others)


@dataclass
class Begin:
    """Inputs of a projection by their names in the API; `missing` names what nobody said. `provider`: whose prices
    are looked up. `rate` None: nothing applies without being chosen, so there is usage and no cost."""

    vector: str
    inputs: dict[str, Input] = field(default_factory=dict)
    missing: dict[str, str] = field(default_factory=dict)
    provider: str = ""
    rate: Rate | None = None
    rate_id: int | None = None  # of its row
    notes: list[str] = field(default_factory=list)

    @property
    def values(self) -> dict[str, Any]:
        return {name: each.taken.value for name, each in self.inputs.items()}


@dataclass(frozen=True)
class LogGroup:
    """One place where logs are kept. `retention_days` None with `is_retention_known`: kept for ever."""

    name: str
    provider: str
    bytes_per_day: Decimal | None
    stored_bytes: Decimal | None
    retention_days: int | None
    is_retention_known: bool
    source: str


@dataclass(frozen=True)
class Contributor:
    """One of what the whole is made of. `share` of the whole, None where the whole is not known."""

    name: str
    value: Decimal
    share: Decimal | None
    is_unused: bool = False


class Usage:
    """All usage that a user may see (of one service, if named), read once for a page."""

    def __init__(self, user: User, service: Service | None = None) -> None:
        scopes = UsageScope.objects.filter(usage_seen_by(user)).select_related("service", "environment")
        facts = facts_visible_to(user).filter(in_force=True)  # type: ignore[misc]  # annotated behind a function
        if service is not None:
            scopes, facts = scopes.filter(service=service), facts.filter(service=service)
        self.scopes = {scope.pk: scope for scope in scopes}
        rows = UsageFigure.objects.filter(scope__in=self.scopes)
        self.states: dict[str, list[UsageFigure]] = defaultdict(list)
        for row in rows.states().select_related("import_row", "carried_from"):
            self.states[row.measure].append(row)
        self.days: dict[str, list[UsageFigure]] = defaultdict(list)
        newest = rows.filter(day__isnull=False).aggregate(Max("day"))["day__max"]
        if newest is not None:
            for row in rows.filter(day__gt=newest - timedelta(days=400)).days():
                self.days[row.measure].append(row)
        wanted = ("metrics.", "logs.", "entities.")
        self.facts: dict[str, list[Fact]] = defaultdict(list)
        for fact in facts:
            if fact.name.startswith(wanted):
                self.facts[fact.name].append(fact)

    # --- sayings

    def measured(self, measure: Measure, *, of_format: str = "") -> Iterator[Source]:
        for scope, source in self.counted(measure):
            if not of_format or scope.format == of_format:
                yield source

    def counted(self, measure: Measure) -> Iterator[tuple[UsageScope, Source]]:
        """States, with whose they are."""
        for row in self.states[measure]:
            if not row.subject:
                scope = self.scopes[row.scope_id]
                yield scope, Source(row.value, self._words(row), _day_of(row), at=row.said_by.observed_at)

    def stated(self, name: str) -> Iterator[Source]:
        for fact in self.facts.get(name, ()):
            value = _number(fact.value)
            if value is None:
                continue
            where = f"{fact.path}:{fact.line}" if fact.path else f"stated by {fact.stated_by or 'a person'}"
            yield Source(value, f"{where}, {fact.service.slug}", fact.stated_at.date(), _STATED)

    def _words(self, row: UsageFigure) -> str:
        scope = self.scopes[row.scope_id]
        parts = [scope.source, scope.format, scope.account, scope.service.slug if scope.service else ""]
        return ", ".join(dict.fromkeys(part for part in parts if part)) + (f" ({row.note})" if row.note else "")


def told_by(row: Import, user: User) -> QuerySet[UsageFigure]:
    """What an import said; states of one that can hardly be undone any more are not kept."""
    return UsageFigure.objects.visible_to(user).filter(import_row=row, carried_from=None)


def _day_of(row: UsageFigure) -> date | None:
    at = row.said_by.observed_at
    return at.date() if at else None


def _number(value: Any) -> Decimal | None:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        found = Decimal(str(value))
    except InvalidOperation:
        return None
    return found if found.is_finite() and found >= 0 else None


def chosen(sources: Iterable[Source]) -> Input | None:
    """By RULE."""

    def age(each: Source) -> tuple[int, int, float]:
        return each.rank, -(each.on or date.min).toordinal(), -(each.at.timestamp() if each.at else 0.0)

    found = sorted(sources, key=age)
    return Input(found[0], tuple(found[1:])) if found else None


def _together(said: Iterable[tuple[UsageScope, Source]]) -> Iterator[Source]:
    """What each service says of itself is a part of the whole: of each the newest counts, and those add up. What is of
    no service, as of a whole cluster, is a saying by itself."""
    own: dict[tuple[Service, Environment | None], list[Source]] = defaultdict(list)
    for scope, source in said:
        if scope.service is None:
            yield source
        else:
            own[scope.service, scope.environment].append(source)
    if len(own) < 2:
        for sources in own.values():
            yield from sources
        return
    newest = {place: found.taken for place, sources in own.items() if (found := chosen(sources)) is not None}
    largest = sorted(newest.items(), key=lambda each: -each[1].value)
    parts = [
        f"{service.slug}{f' in {environment}' if environment else ''} {each.value.normalize():,f}"
        for (service, environment), each in largest[:_MOST_PARTS]
    ]
    rest = f" and {len(newest) - _MOST_PARTS} more" if len(newest) > _MOST_PARTS else ""
    latest = max(newest.values(), key=lambda each: (each.on or date.min, each.at.timestamp() if each.at else 0))
    yield Source(
        sum((each.value for each in newest.values()), Decimal(0)), f"added up: {', '.join(parts)}{rest}", latest.on,
        at=latest.at, environments=len({environment for _, environment in newest}),
    )  # fmt: skip


def _put(begin: Begin, name: str, sources: Iterable[Source], provide: str) -> None:
    found = chosen(sources)
    if found is None:
        begin.missing[name] = provide
    else:
        begin.inputs[name] = found


def begin(vector: str, usage: Usage) -> Begin:
    found = {"metrics": _metrics, "entities": _entities, "logs": _logs}[vector](usage)
    row = pricing.row_applying_to(UNITS[vector], found.provider) if found.provider else None
    found.rate, found.rate_id = (row.rate, row.pk) if row is not None else (None, None)
    if found.rate is None:
        found.notes.append(NO_PRICE)
    return found


def _metrics(usage: Usage) -> Begin:
    begun = Begin("metrics")
    total = chosen(usage.measured(Measure.ACTIVE_SERIES))
    pods = [*_together(usage.counted(Measure.PODS)), *usage.stated("metrics.pods")]
    per_pod = [*usage.measured(Measure.SERIES_OF_TARGET), *usage.stated("metrics.series_per_pod")]
    counted = chosen(pods)
    if total is not None and (counted is not None or not per_pod):
        # All series there are say as much of a pod as what one of them exports: both are told, and RULE decides.
        count = counted.taken.value if counted and counted.taken.value else Decimal(1)
        for each in (total.taken, *total.others):
            words = f"{each.words}: {each.value:,.0f} series ÷ {count:,.0f} pods"
            per_pod.append(Source(each.value / count, words, each.on, each.rank, each.at))
        pods = pods or [Source(Decimal(1), "not known: the whole is taken for one", None, _ASSUMED)]
    _put(begun, "pods", pods, "a file of kubernetes-pods, or the fact metrics.pods")
    _put(begun, "series_per_pod", per_pod, "a file of openmetrics, or the fact metrics.series_per_pod")
    interval = [each for each in usage.stated("metrics.interval_seconds") if each.value > 0]
    _put(begun, "interval_seconds", interval, "the fact metrics.interval_seconds")
    for name in ("environments", "replicas_of_scraper", "bytes_per_point"):
        if (said := chosen(usage.stated(f"metrics.{name}"))) is not None:
            begun.inputs[name] = said
    taken = begun.inputs["pods"].taken if "pods" in begun.inputs else None
    if taken is not None and taken.environments > 1:
        stated = begun.inputs.get("environments")
        words = f"the pods are those of {taken.environments} environments together"
        others = (stated.taken, *stated.others) if stated else ()
        begun.inputs["environments"] = Input(Source(Decimal(1), words, taken.on), others)
    return begun


def _entities(usage: Usage) -> Begin:
    begun = Begin("entities")
    churn = [
        *_together([*usage.counted(Measure.ENTITIES_NEW), *_latest(usage, Measure.ENTITIES_NEW)]),
        *usage.stated("entities.churn_per_day"),
    ]
    # How long a pod lives is not how long its entity outlives it: of pods alone nobody can tell.
    lives = list(usage.measured(Measure.LIFETIME_DAYS, of_format=ENTITIES))
    life = [*usage.stated("entities.lifetime_days"), *lives]
    live = [*_together(usage.counted(Measure.PODS)), *usage.stated("entities.live")]
    _put(begun, "churn_per_day", churn, "lists of pods over time, or the fact entities.churn_per_day")
    _put(begun, "lifetime_days", life, "the fact entities.lifetime_days")
    counted = chosen(live)
    begun.inputs["live"] = counted or Input(Source(Decimal(0), "not known", None, _ASSUMED))
    if lives and begun.inputs["lifetime_days"].taken in lives:
        # The life of an entity has that of its pod in it, so that living ones would be counted twice.
        others = (counted.taken, *counted.others) if counted else ()
        within = Source(Decimal(0), "those that live are within the lives of entities", lives[0].on)
        begun.inputs["live"] = Input(within, others)
    return begun


def _latest(usage: Usage, measure: Measure) -> Iterator[tuple[UsageScope, Source]]:
    """The mean of the last days of each scope that tells it by day."""
    by_scope: dict[int, dict[date, Decimal]] = defaultdict(dict)
    for row in usage.days[measure]:
        if row.day is not None and row.value is not None and not row.subject:
            by_scope[row.scope_id][row.day] = row.value
    for pk, by_day in by_scope.items():
        last = max(by_day)
        recent = [value for day, value in by_day.items() if day > last - timedelta(days=INGEST_DAYS)]
        scope = usage.scopes[pk]
        yield scope, Source(sum(recent, Decimal(0)) / len(recent), f"{scope.source}, mean of {len(recent)} days", last)


def log_groups(usage: Usage) -> list[LogGroup]:
    """What each group holds, takes in and keeps; the same name from several scopes of a provider is one group."""
    found: dict[tuple[str, str], dict[str, Any]] = defaultdict(dict)
    for row in usage.states[Measure.STORED_BYTES]:
        found[usage.scopes[row.scope_id].provider, stream_of(row.subject)].setdefault("stored", []).append(row.value)
    for row in usage.states[Measure.RETENTION_DAYS]:
        group = found[usage.scopes[row.scope_id].provider, stream_of(row.subject)]
        group["retention"] = None if row.value is None else int(row.value)
    for (provider, name), by_day in _ingest(usage).items():
        last = max(by_day)
        recent = [value for day, value in by_day.items() if day > last - timedelta(days=INGEST_DAYS)]
        # Days without any are days: quiet groups are not sent by the day.
        span = min(INGEST_DAYS, (last - min(by_day)).days + 1)
        found[provider, name]["daily"] = sum(recent, Decimal(0)) / span
    names = {provider: provider for provider, _ in found}
    groups = [
        LogGroup(
            name, provider, of.get("daily"), sum(of["stored"], Decimal(0)) if of.get("stored") else None,
            of.get("retention"), "retention" in of, names[provider],
        )
        for (provider, name), of in found.items()
        if name or of.get("daily") is not None
    ]  # fmt: skip
    return sorted(groups, key=lambda each: -((each.bytes_per_day or 0) + (each.stored_bytes or 0)))[:_MOST_GROUPS]


def _ingest(usage: Usage) -> dict[tuple[str, str], dict[date, Decimal]]:
    """By group and day; of New Relic what comes in as logs."""
    found: dict[tuple[str, str], dict[date, Decimal]] = defaultdict(dict)
    for row in usage.days[Measure.INGESTED_BYTES]:
        provider = usage.scopes[row.scope_id].provider
        if provider == "newrelic" and "log" not in row.subject.lower():
            continue
        if row.day is not None and row.value is not None:
            by_day = found[provider, row.subject]
            by_day[row.day] = by_day.get(row.day, Decimal(0)) + row.value
    return found


def _logs(usage: Usage) -> Begin:
    begun = Begin("logs")
    groups = log_groups(usage)
    begun.provider = groups[0].provider if groups else ""
    others = sorted({group.provider for group in groups} - {begun.provider})
    if others:
        begun.notes.append(
            f"Of {begun.provider}, which holds and takes in most; {', '.join(others)} is by group and not in it."
        )
    mine = [group for group in groups if group.provider == begun.provider]
    rate = pricing.applying_to(UNITS["logs"], begun.provider) if begun.provider else None
    gigabyte = rate.price.gb_bytes if rate else GIGABYTE
    daily = [group.bytes_per_day for group in mine if group.bytes_per_day is not None]
    measured = [Source(sum(daily, Decimal(0)) / gigabyte, f"{begun.provider}, {len(daily)} groups")] if daily else []
    by_group = [fact for name in usage.facts if name.startswith("logs.groups.") for fact in usage.stated(name)]
    said = [*usage.stated("logs.gb_per_day")]
    if by_group:
        newest = max(each.on or date.min for each in by_group)
        total = sum((each.value for each in by_group), Decimal(0))
        said.append(Source(total, f"facts logs.groups, {len(by_group)} groups", newest, _STATED))
    _put(begun, "gb_per_day", [*measured, *said], "a file of cloudwatch-metrics, or the fact logs.gb_per_day")
    stored = [group.stored_bytes for group in mine if group.stored_bytes is not None]
    if stored:
        begun.inputs["stored_gb"] = Input(
            Source(sum(stored, Decimal(0)) / gigabyte, f"{begun.provider}, {len(stored)} groups")
        )
    kept = [group for group in mine if group.is_retention_known]
    if kept:
        begun.inputs["retention_days"] = Input(_longest(kept))
    else:
        stores = [each for name in usage.facts if name.startswith("logs.stores.") for each in _kept(usage.facts[name])]
        _put(begun, "retention_days", stores, "a file of cloudwatch-log-groups, or configuration that states it")
    return begun


def _kept(facts: Iterable[Fact]) -> Iterator[Source]:
    """A fact that is null states that nothing is ever deleted."""
    for fact in facts:
        value = None if fact.value is None else _number(fact.value)
        if fact.value is None or value is not None:
            words = f"{fact.path}:{fact.line}, {fact.service.slug}" if fact.path else f"stated for {fact.service.slug}"
            yield Source(int(value) if value else None, words, fact.stated_at.date(), _STATED)


def _longest(groups: list[LogGroup]) -> Source:
    """The whole is kept as long as the group that holds most."""
    ever = [group for group in groups if group.retention_days is None]
    largest = max(groups, key=lambda group: (group.stored_bytes or 0) + (group.bytes_per_day or 0))
    words = f"as {largest.name or 'most'}, which holds most; {len(ever)} of {len(groups)} groups keep for ever"
    return Source(largest.retention_days, words)


def contributors(usage: Usage, most: int = 20) -> list[Contributor]:
    """Metrics with the most series; which of them nobody reads, where mimirtool says so."""
    total = chosen(usage.measured(Measure.ACTIVE_SERIES))
    whole = total.taken.value if total else None
    found: dict[str, tuple[Decimal, bool]] = {}
    for measure in (Measure.SERIES_OF_METRIC, Measure.UNUSED_SERIES_OF_METRIC):
        for row in usage.states[measure]:
            if row.note != "of one target" and row.value is not None:
                unused = measure is Measure.UNUSED_SERIES_OF_METRIC
                found[row.subject] = max(found.get(row.subject, (Decimal(0), False)), (row.value, unused))
    ordered = sorted(found.items(), key=lambda each: -each[1][0])[:most]
    return [
        Contributor(name, value, value / whole if whole else None, unused) for name, (value, unused) in ordered
    ]  # fmt: skip


def unused_share(usage: Usage) -> Decimal | None:
    """Of all series, those that no rule and no dashboard reads; None where nobody has looked."""
    unused, total = chosen(usage.measured(Measure.UNUSED_SERIES)), chosen(usage.measured(Measure.ACTIVE_SERIES))
    if unused is None or total is None or not total.taken.value:
        return None
    return Decimal(min(unused.taken.value / total.taken.value, Decimal(1)))


def plain(inputs: Mapping[str, Input]) -> dict[str, Any]:
    """As the API tells it: each with its source and what else was said."""
    return {
        name: {
            "value": _shown(each.taken.value),
            "source": each.taken.words,
            "kind": each.taken.kind,
            "as_of": each.taken.on.isoformat() if each.taken.on else None,
            "others": [
                {"value": _shown(other.value), "source": other.words, "kind": other.kind,
                 "as_of": other.on.isoformat() if other.on else None}
                for other in each.others
            ],
        }
        for name, each in inputs.items()
    }  # fmt: skip


def _shown(value: Any) -> Any:
    """Of a mean or a quotient as many places as mean something."""
    return format(round(value, 9).normalize(), "f") if isinstance(value, Decimal) else value

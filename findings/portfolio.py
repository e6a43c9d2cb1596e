"""Figures of many findings together: sums, what is missing, what burns most. Every function takes the user; figures
are those of open findings of default branches that the user may see, summed from rollups.
"""

import hashlib
import json
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from django.db.models import CharField, F, Q, QuerySet, Sum, Value, Window
from django.db.models.functions import Coalesce, RowNumber

from findings import selectors
from findings.estimating import VERSION
from findings.models import Estimate, Finding, RiskInput, RiskPolicy, RiskRollup, Simulation
from findings.risk.controls import CONTROLS, Control
from findings.risk.inputs import NAMES
from findings.risk.lanes import Thresholds
from findings.risk.simulation import YEARS
from findings.vocabulary import Lane
from platform_risk.core.models import Service, Team, User
from platform_risk.quantities import budget

SEED = 1
_DRAWS = "draws 2"  # with what the years of each risk begin: rises when the same inputs come to draw other years
_COUNTED = Sum("count")


@dataclass(frozen=True)
class Part:
    """Which findings: all that the user may see, or those of a service, a team, a lane."""

    service: Service | None = None
    team: Team | None = None


ALL = Part()


def rollup(user: User, part: Part = ALL) -> QuerySet[RiskRollup]:
    rows = selectors.risk_rollup(user)
    if part.service is not None:
        rows = rows.filter(service=part.service)
    return rows if part.team is None else rows.filter(team=part.team)


# --- sums


@dataclass(frozen=True)
class Sums:
    """Of a portfolio's year, means. None is "not known", never 0."""

    open: int = 0
    bad_minutes: float | None = None
    hidden_minutes: float | None = None
    losses: dict[str, Decimal] = field(default_factory=dict)
    budget_share: float | None = None
    by_lane: dict[str, "Sums"] = field(default_factory=dict)

    @property
    def hidden_share(self) -> float | None:
        return None if self.hidden_minutes is None or not self.bad_minutes else self.hidden_minutes / self.bad_minutes

    @property
    def annual_loss(self) -> Decimal | None:
        return next(iter(self.losses.values())) if len(self.losses) == 1 else None

    @property
    def currency(self) -> str | None:
        return next(iter(self.losses)) if len(self.losses) == 1 else None


@dataclass(frozen=True)
class _Row:
    service_id: int
    lane: str
    currency: str
    n: int
    minutes: float | None
    hidden: float | None
    loss: Decimal | None


def _rows(user: User, part: Part, services: Collection[int] | None = None) -> list[_Row]:
    rows = rollup(user, part)
    if services is not None:
        rows = rows.filter(service__in=services)
    found = (
        rows.values("service_id", "lane", currency=Coalesce("estimate__currency", Value("", output_field=CharField())))
        .annotate(
            n=_COUNTED,
            minutes=Sum(F("count") * F("estimate__bad_minutes")),
            hidden=Sum(F("count") * F("estimate__hidden_minutes")),
            loss=Sum(F("count") * F("estimate__annual_loss")),
        )
        .filter(n__gt=0)
        .order_by()
    )
    return [_Row(**row) for row in found]


def sums(user: User, part: Part = ALL) -> Sums:
    """Two queries: the sums, and the objectives of the services."""
    rows = _rows(user, part)
    slos = _objectives({row.service_id for row in rows})
    whole = _summed(rows, slos)
    by_lane = {lane.value: _summed([row for row in rows if row.lane == lane], {}) for lane in Lane}
    return Sums(whole.open, whole.bad_minutes, whole.hidden_minutes, whole.losses, whole.budget_share, by_lane)


def sums_by_service(user: User, services: Collection[int] | None = None) -> dict[int, Sums]:
    """Service id → its sums, of these services or of all: two queries however many there are."""
    rows = _rows(user, ALL, services)
    by_service: dict[int, list[_Row]] = {}
    for row in rows:
        by_service.setdefault(row.service_id, []).append(row)
    slos = _objectives(by_service)
    return {pk: _summed(mine, {pk: slos[pk]} if pk in slos else {}) for pk, mine in by_service.items()}


def _objectives(services: Iterable[int]) -> dict[int, float]:
    rows = Service.objects.filter(pk__in=list(services), slo__gt=0, slo__lt=1).values_list("pk", "slo")
    return {pk: float(slo) for pk, slo in rows if slo is not None}


def _summed(rows: Sequence[_Row], slos: dict[int, float]) -> Sums:
    minutes = [row.minutes for row in rows if row.minutes is not None]
    hidden = [row.hidden for row in rows if row.hidden is not None]
    losses: dict[str, Decimal] = {}
    for row in rows:
        if row.loss is not None:
            losses[row.currency] = losses.get(row.currency, Decimal(0)) + row.loss
    allowed = sum(budget.minutes_a_year(slo) for slo in slos.values())
    spent = sum(row.minutes or 0.0 for row in rows if row.service_id in slos)
    return Sums(
        open=sum(row.n for row in rows),
        bad_minutes=sum(minutes) if minutes else None,
        hidden_minutes=sum(hidden) if hidden else None,
        losses=losses,
        budget_share=spent / allowed if allowed and minutes else None,
    )


@dataclass(frozen=True)
class Missing:
    """An input that nobody stated, and how many findings it would price or put right."""

    input: str
    findings: int


def missing(user: User, part: Part = ALL, *, column: str = "missing") -> list[Missing]:
    """What the figures lack (`missing`), or assume (`defaulted`); most findings first."""
    counts: dict[str, int] = {}
    rows = rollup(user, part).values_list(f"estimate__{column}").annotate(n=_COUNTED).order_by()
    for names, count in rows:
        for name in names or ():
            counts[name] = counts.get(name, 0) + count
    found = [Missing(name, count) for name, count in counts.items() if count > 0]
    return sorted(found, key=lambda each: (-each.findings, NAMES.index(each.input)))


def controls(user: User, part: Part = ALL) -> list[tuple[Control, int]]:
    """Without which controls the inherent figures are, and of how many findings; most first."""
    counts = dict.fromkeys(CONTROLS, 0)
    for names, count in rollup(user, part).values_list("estimate__controls").annotate(n=_COUNTED).order_by():
        for name in names or ():
            counts[name] += count
    found = [(CONTROLS[name], count) for name, count in counts.items() if count > 0]
    return sorted(found, key=lambda each: -each[1])


# --- what burns most


@dataclass(frozen=True)
class Burner:
    """Findings of one check (or class, of what scanners report) in one service, and the minutes they burn a year."""

    check: str
    risk_class: str
    service: str
    count: int
    bad_minutes: float | None
    hidden_minutes: float
    loss: Decimal | None
    currency: str
    budget_share: float | None
    team: str = ""  # where only its findings were counted: of a service they may be several teams'

    @property
    def repair_minutes(self) -> float:
        return (self.bad_minutes or 0.0) - self.hidden_minutes

    @property
    def hidden_share(self) -> float | None:
        return self.hidden_minutes / self.bad_minutes if self.bad_minutes else None

    @property
    def name(self) -> str:
        return self.check or f"{self.risk_class.replace('_', ' ')}, from scanners"

    @property
    def query(self) -> str:
        what = f"check:{self.check}" if self.check else f'class:{self.risk_class} check:""'
        of = f" team:{self.team}" if self.team else ""
        return f"is:open {what} service:{self.service}{of} -is:other_branch"


_ORDERS = {"minutes": "minutes", "loss": "loss", "findings": "n"}


def burners(user: User, part: Part = ALL, *, shown: int = 9, order: str = "minutes") -> list[Burner]:
    """The most bad minutes, the greatest loss, or the most findings first. One query."""
    rows = (
        rollup(user, part)
        .filter(estimate__key__isnull=False)
        .values("service__slug", "service__slo", "estimate__check_id", "estimate__risk_class", "estimate__currency")
        .annotate(
            n=_COUNTED,
            minutes=Sum(F("count") * F("estimate__bad_minutes")),
            hidden=Sum(F("count") * F("estimate__hidden_minutes")),
            loss=Sum(F("count") * F("estimate__annual_loss")),
        )
        .filter(n__gt=0)
        .order_by(
            F(_ORDERS[order]).desc(nulls_last=True), F("minutes").desc(nulls_last=True), "service__slug",
            "estimate__check_id",
        )[:shown]
    )  # fmt: skip
    return [
        Burner(
            row["estimate__check_id"], row["estimate__risk_class"], row["service__slug"], row["n"], row["minutes"],
            row["hidden"] or 0.0, row["loss"], row["estimate__currency"],
            _share(row["minutes"], row["service__slo"]), part.team.slug if part.team is not None else "",
        )
        for row in rows
    ]  # fmt: skip


def _share(minutes: float | None, slo: Decimal | None) -> float | None:
    if minutes is None:
        return None
    return minutes / budget.minutes_a_year(float(slo)) if slo is not None and 0 < slo < 1 else None


# --- the portfolio, drawn


@dataclass(frozen=True)
class Unit:
    """So many findings of one estimate, team and lane: drawn as one risk that happens as often as all of them."""

    key: int
    service: str
    team: str
    lane: str
    count: int
    input_hash: str


def units(user: User, part: Part = ALL) -> list[Unit]:
    rows = (
        rollup(user, part)
        .filter(estimate__input_hash__isnull=False)
        .values_list("risk_key", "service__slug", "team__slug", "lane", "estimate__input_hash")
        .annotate(n=_COUNTED)
        .filter(n__gt=0)
        .order_by("service__slug", "risk_key", "team__slug", "lane")
    )
    return [Unit(key, service, team or "", lane, count, digest) for key, service, team, lane, digest, count in rows]


def hash_of(found: Sequence[Unit], *, years: int, seed: int) -> str:
    units_ = [[u.service, u.team, u.lane, u.count, u.input_hash, u.key] for u in found]
    told = [VERSION, _DRAWS, years, seed, units_]
    return hashlib.sha256(json.dumps(told).encode()).hexdigest()


def simulation(user: User, part: Part = ALL, *, years: int = YEARS) -> tuple[Simulation | None, bool]:
    """The drawn years of this portfolio, and whether somebody has to be called to draw them. None: nothing to draw."""
    found = units(user, part)
    if not found:
        return None, False
    told = [[u.key, u.service, u.team, u.lane, u.count, u.input_hash] for u in found]
    row, made = Simulation.objects.get_or_create(
        input_hash=hash_of(found, years=years, seed=SEED),
        defaults={"years": years, "seed": SEED, "version": VERSION, "units": told, "total": len(told)},
    )
    return row, made


def last_policy() -> RiskPolicy | None:
    return RiskPolicy.objects.select_related("author").first()


def thresholds() -> Thresholds:
    policy = last_policy()
    return Thresholds() if policy is None else Thresholds.from_json(policy.thresholds)


# --- inputs


def inputs_visible_to(user: User) -> QuerySet[RiskInput]:
    """Statements about findings and services that the user may see."""
    rows = RiskInput.objects.select_related("service", "author", "finding")
    if user.is_admin:
        return rows
    of_services = Q(finding__isnull=True, service__in=Service.objects.visible_to(user))
    return rows.filter(of_services | Q(finding__in=Finding.objects.visible_to(user)))


def estimates_of(findings: Iterable[Finding]) -> dict[int, Estimate]:
    return Estimate.objects.in_bulk(list({finding.risk_key for finding in findings}))


# --- the worst, one by one

_KEYS_ASKED = 24
_HEAVIEST = (
    F("estimate__annual_loss").desc(nulls_last=True),
    F("estimate__bad_minutes").desc(nulls_last=True),
    F("risk_key").asc(),
)


def worst(user: User, part: Part = ALL, *, shown: int = 10, status: str = "") -> list[Finding]:
    """Open findings of default branches: what has a price by its loss, the greatest first, then by bad minutes a year.

    Three queries however many findings there are: few estimates stand for many, so the heaviest estimates are taken
    first, and a handful of findings of each.
    """
    keys = list(_weighed(user, part, "risk_key").order_by(*_HEAVIEST).values_list("risk_key", flat=True)[:_KEYS_ASKED])
    rows = _open(user, part)
    if status:
        rows = rows.filter(status=status)
    found = _first_of([rows.filter(risk_key=key) for key in keys], shown)
    places = {key: place for place, key in enumerate(keys)}
    found.sort(key=lambda row: (places[row["risk_key"]], row["pk"]))
    return _in_order([row["pk"] for row in found[:shown]])


def worst_of_lanes(user: User, part: Part = ALL, *, shown: int) -> dict[str, list[Finding]]:
    """Lane → its worst open findings of default branches, in the order of `worst`; among equals by severity. Three
    queries."""
    place = Window(RowNumber(), partition_by=F("lane"), order_by=_HEAVIEST)
    weights = {
        (row["lane"], row["risk_key"]): (-(row["estimate__annual_loss"] or 0), -(row["estimate__bad_minutes"] or 0))
        for row in _weighed(user, part, "lane", "risk_key").annotate(place=place).filter(place__lte=shown)
    }
    rows = _open(user, part)
    found = _first_of([rows.filter(lane=lane, risk_key=key) for lane, key in weights], shown)
    found.sort(key=lambda row: (*weights[row["lane"], row["risk_key"]], row["rank"], row["pk"]))
    chosen: dict[str, list[int]] = {}
    for row in found:
        chosen.setdefault(row["lane"], []).append(row["pk"])
    lane_of = {pk: lane for lane, pks in chosen.items() for pk in pks[:shown]}
    by_lane: dict[str, list[Finding]] = {}
    for finding in _in_order(list(lane_of)):
        by_lane.setdefault(lane_of[finding.pk], []).append(finding)
    return by_lane


def _weighed(user: User, part: Part, *by: str) -> QuerySet[RiskRollup, Any]:
    """Estimates with open findings and what one of them weighs."""
    rows: QuerySet[RiskRollup, Any] = rollup(user, part).values(*by, "estimate__bad_minutes", "estimate__annual_loss")
    return rows.annotate(n=_COUNTED).filter(n__gt=0).order_by()


def _open(user: User, part: Part) -> QuerySet[Finding]:
    rows = Finding.objects.visible_to(user).open().on_default_branch()
    if part.service is not None:
        rows = rows.filter(service=part.service)
    return rows if part.team is None else rows.filter(team=part.team)


def _first_of(parts: Sequence[QuerySet[Finding]], shown: int) -> list[Any]:
    """The first findings of each of many lists, in one query."""
    each = [part.order_by("id").values("pk", "risk_key", "lane", "rank")[:shown] for part in parts]
    if len(each) < 2:
        return [row for part in each for row in part]
    return list(each[0].union(*each[1:], all=True))


def _in_order(chosen: Sequence[int]) -> list[Finding]:
    by_id = {
        finding.pk: finding
        for finding in Finding.objects.filter(pk__in=chosen)
        .select_related("service", "owner")
        .prefetch_related("estimate")
        .defer("evidence", "message", "search")
    }
    return [by_id[pk] for pk in chosen if pk in by_id]

"""Remedies: what each would close and avoid, the plan for so many days, and whether what is done came true.

Figures are those of open findings of default branches that the user may see, from the rollups: they cost the same at
ten findings and at a million.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from typing import Any, TypedDict, Unpack

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Count, F, Max, Q, QuerySet, Sum
from django.db.models.functions import Coalesce
from django.utils import timezone

from findings import estimating, selectors
from findings.checks.registry import CHECKS
from findings.models import Estimate, Finding
from findings.risk.benefit import avoided_per_day
from findings.risk.distributions import Constant
from findings.risk.inputs import Risk
from findings.risk.portfolio import Member, as_one
from findings.risk.simulation import Spread, simulate, together
from findings.risk.simulation import difference as paired
from findings.vocabulary import OPEN_STATUSES
from platform_risk.core import changing
from platform_risk.core.access.audit import record
from platform_risk.core.errors import Refused
from platform_risk.core.models import Scope, Service, Team, User
from platform_risk.planning.models import Remedy
from platform_risk.planning.savings import Savings, savings
from platform_risk.planning.vocabulary import RemedyState
from platform_risk.quantities.sourced import Source, Sourced

CENT = Decimal("0.01")
SEED = 1
_YEARS = 20_000
_DRAWN = 24  # risks drawn while somebody waits; the largest, and the page says how many


# -- reading


def visible(user: User) -> QuerySet[Remedy]:
    return Remedy.objects.visible_to(user).select_related("team", "owner")


def checks_closed() -> frozenset[str]:
    """Checks that remedies which nobody declined would close: what the matrix `after` leaves out."""
    rows = Remedy.objects.exclude(state=RemedyState.DECLINED).filter(team__isnull=True)
    return frozenset(check for checks in rows.values_list("checks", flat=True) for check in checks)


def owner_shown(remedy: Remedy, people: frozenset[int]) -> User | None:
    """Only one whom the user may see: a remedy of all may be somebody's of another team."""
    return remedy.owner if remedy.owner_id in people else None


def people(user: User) -> frozenset[int]:
    return frozenset(selectors.people_visible_to(user).values_list("pk", flat=True))


@dataclass(frozen=True)
class Unit:
    """Open findings of one check, service and team, which a remedy closes together. Figures are of a year; None is
    "not known"."""

    check: str
    service: str
    service_id: int
    team_id: int | None
    currency: str
    count: int
    minutes: float | None
    loss: Decimal | None
    recurring: Decimal | None

    @property
    def key(self) -> str:
        return f"{self.check}|{self.service_id}|{self.team_id or 0}"


def units(user: User, checks: Iterable[str]) -> list[Unit]:
    """One query."""
    rows = (
        selectors.risk_rollup(user)
        .filter(estimate__check_id__in=set(checks))
        .values("service__slug", "service_id", "team_id", check=F("estimate__check_id"), of=F("estimate__currency"))
        .annotate(
            n=Sum("count"),
            minutes=Sum(F("count") * F("estimate__bad_minutes")),
            loss=Sum(F("count") * F("estimate__annual_loss")),
            recurring=Sum(F("count") * F("estimate__recurring_cost")),
        )
        .filter(n__gt=0)
        .order_by("check", "service__slug", "team_id")
    )
    return [
        Unit(
            row["check"], row["service__slug"], row["service_id"], row["team_id"], row["of"], row["n"], row["minutes"],
            row["loss"], row["recurring"],
        )
        for row in rows
    ]  # fmt: skip


@dataclass(frozen=True)
class Figures:
    """What a remedy, or a plan, closes and avoids in a year. None is "not known", never 0."""

    findings: int = 0
    services: tuple[str, ...] = ()
    minutes: float | None = None
    losses: Mapping[str, Decimal] = field(default_factory=dict)
    monthly: Mapping[str, Decimal] = field(default_factory=dict)  # money saved a month, whatever happens

    @property
    def loss(self) -> Decimal | None:
        return next(iter(self.losses.values())) if len(self.losses) == 1 else None

    @property
    def currency(self) -> str | None:
        return next(iter(self.losses)) if len(self.losses) == 1 else None

    @property
    def saved(self) -> Decimal | None:
        return next(iter(self.monthly.values())) if len(self.monthly) == 1 else None

    @property
    def saved_currency(self) -> str | None:
        return next(iter(self.monthly)) if len(self.monthly) == 1 else None


def figures(found: Iterable[Unit]) -> Figures:
    found = list(found)
    minutes = [unit.minutes for unit in found if unit.minutes is not None]
    losses: dict[str, Decimal] = {}
    monthly: dict[str, Decimal] = {}
    for unit in found:
        if unit.loss is not None:
            losses[unit.currency] = losses.get(unit.currency, Decimal(0)) + unit.loss
        if unit.recurring is not None:
            monthly[unit.currency] = monthly.get(unit.currency, Decimal(0)) + unit.recurring / 12
    return Figures(
        sum(unit.count for unit in found),
        tuple(sorted({unit.service for unit in found})),
        sum(minutes) if minutes else None,
        losses,
        {currency: amount.quantize(CENT) for currency, amount in monthly.items()},
    )


def closes(remedy: Remedy, unit: Unit) -> bool:
    return unit.check in remedy.checks and (remedy.team_id is None or remedy.team_id == unit.team_id)


def query_of(remedy: Remedy) -> str:
    """The filter of the findings list that finds exactly what the remedy would close."""
    words = ["is:open", *(f"check:{check}" for check in remedy.checks)]
    if remedy.team is not None:
        words.append(f"team:{remedy.team.slug}")
    return " ".join([*words, "-is:other_branch"])


@dataclass(frozen=True)
class Row:
    remedy: Remedy
    owner: User | None
    figures: Figures
    query: str
    minutes_per_day: float | None
    loss_per_day: Decimal | None
    checked: "Checked | None" = None


def rows(user: User, remedies: Sequence[Remedy]) -> list[Row]:
    """Two queries and two more where something is done, however many remedies there are."""
    found = units(user, {check for remedy in remedies for check in remedy.checks})
    known = people(user)
    done = [each for each in remedies if each.state == RemedyState.DONE]
    checked = checks_of_done(user, done, found)
    return [_row(remedy, found, known, checked.get(remedy.pk)) for remedy in remedies]


def _row(remedy: Remedy, found: Iterable[Unit], known: frozenset[int], checked: "Checked | None") -> Row:
    made = figures(unit for unit in found if closes(remedy, unit))
    days = remedy.effort_days
    per_day = None if made.loss is None else avoided_per_day(made.loss, Decimal(0), days)
    return Row(
        remedy,
        owner_shown(remedy, known),
        made,
        query_of(remedy),
        None if made.minutes is None else made.minutes / float(days),
        None if per_day is None else per_day.quantize(CENT),
        checked,
    )


# -- the same years with and without it


@dataclass(frozen=True)
class Avoided:
    """Spread of what a remedy avoids in a year, by the same random numbers with and without it."""

    minutes: Spread | None
    losses: Mapping[str, Spread]
    years: int
    drawn: int  # kinds of findings that were drawn
    left_out: int  # smaller ones that were not


_NEVER: Sourced[Any] = Sourced(Constant(0.0), Source.ASSUMPTION, note="after the remedy")


def avoided(user: User, remedy: Remedy) -> Avoided | None:
    """None when it closes nothing that has figures."""
    held = (
        selectors.risk_rollup(user)
        .filter(estimate__check_id__in=remedy.checks, estimate__isnull=False)
        .values("risk_key")
        .annotate(n=Sum("count"), minutes=Max("estimate__bad_minutes"))
        .filter(n__gt=0)
        .order_by(F("minutes").desc(nulls_last=True), "service__slug", "estimate__check_id", "risk_key")
    )
    if remedy.team_id is not None:
        held = held.filter(team_id=remedy.team_id)
    counts = {row["risk_key"]: row["n"] for row in held}
    chosen = list(counts)[:_DRAWN]
    if not chosen:
        return None
    estimates = Estimate.objects.in_bulk(chosen)
    known = estimating.Statements.of({each.service_id for each in estimates.values()})
    names = estimating.names_of(estimates.values(), known)
    before, after = [], []
    for key in sorted(chosen, key=lambda key: names[key]):
        inputs = estimating.assembled(estimates[key], known).inputs
        risk = as_one(Member(Risk(f"remedy {names[key]}", inputs, str(estimates[key].service_id)), counts[key]))
        before.append(simulate(risk, years=_YEARS, seed=SEED))
        after.append(simulate(_without(risk), years=_YEARS, seed=SEED))
    now, then = together(before), together(after)
    minutes = None
    losses: dict[str, Spread] = {}
    for currency, sample in now.items():
        rest = then[currency]
        if sample.minutes is not None and rest.minutes is not None:
            gained = sample.minutes - rest.minutes
            minutes = gained if minutes is None else minutes + gained
        if sample.loss is not None and rest.loss is not None:
            losses[currency] = paired(sample.loss, rest.loss).avoided
    spread_ = None if minutes is None else paired(minutes, minutes * 0).avoided
    return Avoided(spread_, losses, _YEARS, len(chosen), len(counts) - len(chosen))


def _without(risk: Risk) -> Risk:
    changed: dict[str, Any] = {"frequency": _NEVER} if risk.inputs.of("frequency") is not None else {}
    if risk.inputs.of("recurring_cost") is not None:
        changed["recurring_cost"] = Sourced(Constant(0.0), risk.inputs.recurring_cost.source)  # type: ignore[union-attr]
    return risk.changed(**changed)


# -- what is done, against what was seen since


@dataclass(frozen=True)
class Checked:
    """`claimed`: findings that were open when it was said to be done; the rest is of now, of the same checks."""

    claimed: int | None
    open: int
    closed_since: int
    reopened: int
    last_seen_at: datetime | None  # the last import of configuration or scans since
    savings: Savings = field(default_factory=Savings)  # money claimed, against bills and usage

    @property
    def verdict(self) -> str:
        if self.last_seen_at is None:
            return "unchecked"
        if self.open == 0:
            return "confirmed"
        return "partly" if self.closed_since else "not seen"


def checks_of_done(user: User, done: Sequence[Remedy], found: Sequence[Unit]) -> dict[int, Checked]:
    if not done:
        return {}
    slugs = dict(Service.objects.visible_to(user).values_list("slug", "pk"))
    seen = list(
        Scope.objects.filter(target__is_default_branch=True, target__service__in=slugs.values())
        .values_list("target__service_id")
        .annotate(last=Max("last_seen_at"))
    )
    saved = savings(user, done, slugs)
    return {
        remedy.pk: replace(_checked(user, remedy, found, slugs, seen), savings=saved.get(remedy.pk, Savings()))
        for remedy in done
    }


def _checked(
    user: User, remedy: Remedy, found: Sequence[Unit], slugs: Mapping[str, int], seen: Sequence[Any]
) -> Checked:
    claims = [each for each in remedy.claimed or () if each.get("service") in slugs]
    about = {slugs[each["service"]] for each in claims}
    since = remedy.done_at
    assert since is not None, "what is done has a day on which it was"
    rows = Finding.objects.visible_to(user).on_default_branch().filter(check_id__in=remedy.checks)
    if remedy.team_id is not None:
        rows = rows.filter(team_id=remedy.team_id)
    told = rows.aggregate(
        closed=Count("id", filter=Q(closed_at__gte=since, status__in=["fixed", "verified"])),
        came_back=Count("id", filter=Q(regressed=True, closed_at__isnull=True, opened_on__gte=since.date())),
    )
    last = max((when for service, when in seen if service in about and when and when > since), default=None)
    return Checked(
        sum(each["findings"] for each in claims) if remedy.claimed is not None else None,
        sum(unit.count for unit in found if closes(remedy, unit)),
        told["closed"],
        told["came_back"],
        last,
    )


# -- writing


class Fields(TypedDict, total=False):
    slug: str
    title: str
    how: str
    lane: str
    effort_days: Decimal
    checks: list[str]
    team: Team | None
    owner: User | None
    state: str


def may_change(user: User, remedy: Remedy) -> bool:
    return user.may_write(remedy.team_id)


def guard(user: User, remedy: Remedy) -> None:
    _guard(user, remedy.team_id)


def _guard(user: User, team_id: int | None) -> None:
    if not user.may_write(team_id):
        raise PermissionDenied(
            "A remedy of a team is changed by its members; one of everybody by managers and administrators."
        )


_TAKEN = ("new", "plan")  # addresses of their own


def _check(fields: Fields) -> None:
    if fields.get("slug") in _TAKEN:
        raise Refused("Choose another short name: this one is an address of its own.", field="slug")
    unknown = [check for check in fields.get("checks") or () if check not in CHECKS]
    if unknown:
        raise Refused(f"There is no check “{unknown[0][:60]}”.", field="checks")
    if "checks" in fields and not fields["checks"]:
        raise Refused("Name at least one check whose findings it closes.", field="checks")
    if "checks" in fields:
        fields["checks"] = list(dict.fromkeys(fields["checks"]))


@transaction.atomic
def create(*, user: User, reason: str = "", **fields: Unpack[Fields]) -> Remedy:
    team = fields.get("team")
    _guard(user, team.pk if team else None)
    _check(fields)
    remedy = Remedy(**fields)
    if remedy.state == RemedyState.DONE:
        _claim(remedy)
    changing.save(remedy)
    record(user, "created", "remedy", remedy.pk, remedy.slug, reason=reason)
    return remedy


@transaction.atomic
def change(remedy: Remedy, *, user: User, reason: str = "", **fields: Unpack[Fields]) -> Remedy:
    """Saying that it is done keeps what it was to close, to be held against later imports."""
    remedy = Remedy.objects.select_for_update().get(pk=remedy.pk)
    _guard(user, remedy.team_id)
    if "team" in fields:
        team = fields["team"]
        _guard(user, team.pk if team else None)
    _check(fields)
    before = remedy.state
    changes = changing.set_fields(remedy, fields)
    if remedy.state != before and RemedyState.DONE in (remedy.state, before):
        if remedy.state == RemedyState.DONE:
            _claim(remedy)
        else:
            remedy.done_at, remedy.claimed = None, None
        remedy.save(update_fields=["done_at", "claimed"])
    if changes:
        remedy.save(update_fields=["updated_at"])
        record(user, "changed", "remedy", remedy.pk, remedy.slug, changes=changes, reason=reason)
    return remedy


@transaction.atomic
def delete(remedy: Remedy, *, user: User, reason: str = "") -> None:
    _guard(user, remedy.team_id)
    pk, slug = remedy.pk, remedy.slug
    remedy.delete()
    record(user, "deleted", "remedy", pk, slug, reason=reason)


def _claim(remedy: Remedy) -> None:
    """Of all services: each reader is shown the sum over those that they may see."""
    rows_ = Finding.objects.filter(
        check_id__in=remedy.checks, withdrawn_by__isnull=True, status__in=list(OPEN_STATUSES),
        is_default_branch=True,
    )  # fmt: skip
    if remedy.team_id is not None:
        rows_ = rows_.filter(team_id=remedy.team_id)
    told = (
        rows_.order_by()
        .values("service__slug", of=Coalesce("estimate__currency", "service__currency"))
        .annotate(
            n=Count("*"),
            minutes=Sum("estimate__bad_minutes"),
            loss=Sum("estimate__annual_loss"),
            recurring=Sum("estimate__recurring_cost"),
        )
        .order_by("service__slug", "of")
    )
    remedy.done_at = timezone.now()
    remedy.claimed = [
        {
            "service": row["service__slug"],
            "findings": row["n"],
            "minutes": row["minutes"],
            "loss": None if row["loss"] is None else str(row["loss"]),
            "monthly": None if row["recurring"] is None else str((row["recurring"] / 12).quantize(CENT)),
            "currency": row["of"],
        }
        for row in told
    ]

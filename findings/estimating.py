"""Keeps the figures of findings up to date: the one writer of Estimate, and of the lanes that figures decide.

A finding's key says which estimate it has, so an import computes as many as it brings kinds of findings, and what
people state about a service computes that service's alone. Inside the caller's transaction: figures and findings are
never of two times.
"""

import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connection, transaction

from findings.models import Estimate, Finding, RiskInput, RiskPolicy, StatedMeanwhile
from findings.risk import lanes, stating
from findings.risk.bands import Placed
from findings.risk.controls import VERSION as CONTROLS_VERSION
from findings.risk.defaults import VERSION as DEFAULTS_VERSION
from findings.risk.distributions import Distribution
from findings.risk.estimates import Estimate as Figures
from findings.risk.estimates import Estimator, storable
from findings.risk.expected import Expected
from findings.risk.inputs import MODEL_VERSION, OF_EVENTS, Confidence, Estimated, Inputs
from findings.risk.lanes import Thresholds
from findings.risk.matrix import MINUTES, MONEY
from findings.risk.profiles import Assembled, Profile, ServiceFacts, Stated, assemble
from findings.risk.stating import Kind
from findings.vocabulary import RiskClass, Severity
from platform_risk.core.acting import acting_as
from platform_risk.core.models import Service, User
from platform_risk.core.redaction import unsalted
from platform_risk.core.sqlfile import statements
from platform_risk.quantities.sourced import Source

VERSION = f"{MODEL_VERSION} {MINUTES.version} {MONEY.version} {DEFAULTS_VERSION} {CONTROLS_VERSION}"
_SQL = Path(__file__).resolve().parent / "sql" / "estimate.sql"
_KEPT = ("key", "service_id", "check_id", "severity", "risk_class", "exploit", "quantities", "own_finding_id")
_WRITTEN = [each.name for each in Estimate._meta.concrete_fields if each.attname not in _KEPT and not each.generated]


def thresholds() -> Thresholds:
    policy = RiskPolicy.objects.first()
    return Thresholds() if policy is None else Thresholds.from_json(policy.thresholds)


def facts_of(service: Service) -> ServiceFacts:
    value = service.value_per_bad_minute
    return ServiceFacts(
        slug=service.slug,
        criticality=service.criticality,
        slo=None if service.slo is None or not 0 < service.slo < 1 else float(service.slo),
        minute_value=None if value is None else float(value),
        currency=service.currency,
    )


def estimated(row: RiskInput) -> Estimated[Distribution]:
    numbers = {name: float(value) for name, value in row.numbers.items()}
    return Estimated(
        stating.distribution(row.name, Kind(row.kind), numbers),
        Source.FACTS,
        note=row.source,
        author=row.author.get_username() if row.author else "",
        stated_on=row.stated_on,
        confidence=Confidence(row.confidence),
    )


@dataclass
class Statements:
    """What people stated of some services, ready for every finding of them."""

    services: dict[int, ServiceFacts]
    _by_service: dict[int, dict[str, Any]] = field(default_factory=lambda: defaultdict(dict))
    _by_check: dict[tuple[int, str], dict[str, Any]] = field(default_factory=lambda: defaultdict(dict))
    _by_finding: dict[int, dict[str, Any]] = field(default_factory=lambda: defaultdict(dict))

    @classmethod
    def of(cls, services: Iterable[int]) -> "Statements":
        """Two queries."""
        wanted = set(services)
        known = cls({each.pk: facts_of(each) for each in Service.objects.filter(pk__in=wanted)})
        for row in RiskInput.objects.filter(service__in=wanted).select_related("author"):
            if row.currency and row.currency != known.services[row.service_id].currency:
                continue  # the service's currency was changed: the amount means something else now
            if row.finding_id is not None:
                known._by_finding[row.finding_id][row.name] = estimated(row)
            elif row.check_id:
                known._by_check[row.service_id, row.check_id][row.name] = estimated(row)
            else:
                known._by_service[row.service_id][row.name] = estimated(row)
        return known

    def stated(self, service_id: int, check: str, own: int | None) -> Stated:
        return Stated(
            finding=self._by_finding.get(own, {}) if own is not None else {},
            check=self._by_check.get((service_id, check), {}) if check else {},
            service=self._by_service.get(service_id, {}),
        )


def profile_of(row: Estimate) -> Profile:
    return Profile(
        check=row.check_id,
        severity=Severity(row.severity),
        risk_class=RiskClass(row.risk_class),
        exploit=row.exploit,
        quantities=row.quantities if isinstance(row.quantities, list) else [],
    )


def assembled(row: Estimate, known: Statements | None = None) -> Assembled:
    """The inputs of an estimate, each with its source: what a page lays open."""
    known = known or Statements.of([row.service_id])
    stated = known.stated(row.service_id, row.check_id, row.own_finding_id)
    return assemble(profile_of(row), known.services[row.service_id], stated)


def names_of(rows: Collection[Estimate], known: Statements) -> dict[int, str]:
    """Estimate key → what tells it from all others by what is stated and found alone: the same in every database, which
    a key made of ids is not. Sorted by it, estimates of a service stand together. One query."""
    own = {row.own_finding_id for row in rows if row.own_finding_id is not None}
    found = Finding.objects.filter(pk__in=own)
    places = {
        pk: list(place)
        for pk, *place in found.values_list("pk", "fingerprint", "target__environment__slug", "target__branch")
    }
    told = {
        row.key: [
            known.services[row.service_id].slug, row.check_id, row.severity, row.risk_class, row.exploit,
            places.get(row.own_finding_id or 0), row.quantities,
        ]
        for row in rows
    }  # fmt: skip
    return {key: unsalted(json.dumps(each, sort_keys=True)) for key, each in told.items()}


def compute(rows: Sequence[Estimate], limits: Thresholds | None = None) -> None:
    """Fills the figures of the rows, and saves nothing."""
    known = Statements.of(row.service_id for row in rows)
    estimator = Estimator(limits or thresholds())
    for row in rows:
        inputs = assembled(row, known)
        _fill(row, inputs, estimator.estimate(profile_of(row), inputs))


def _fill(row: Estimate, assembled_: Assembled, figures: Figures) -> None:
    now, inherent, recurring = figures.now, figures.inherent, assembled_.inputs.money("recurring_cost")
    minutes, loss = figures.minutes, figures.loss
    row.frequency, row.bad_minutes, row.hidden_minutes = now.frequency, now.bad_minutes, now.hidden_minutes
    row.minutes_per_event, row.budget_share = now.minutes_per_event, now.budget_share
    row.minutes_p5, row.minutes_p50, row.minutes_p95 = (
        (minutes.p5, minutes.p50, minutes.p95) if minutes else (None, None, None)
    )
    row.currency = now.currency
    row.annual_loss, row.loss_per_event = storable(now.annual_loss), storable(now.loss_per_event)
    row.loss_p5, row.loss_p50, row.loss_p95 = (
        (storable(loss.p5), storable(loss.p50), storable(loss.p95))
        if loss and row.annual_loss is not None
        else (None, None, None)
    )
    row.recurring_cost = storable(recurring.mean) if recurring else None
    row.inherent_minutes, row.inherent_loss = inherent.bad_minutes, storable(inherent.annual_loss)
    row.controls = [each.name for each in figures.controls]
    row.likelihood, row.impact, row.band = _place(figures.by_minutes.current)
    row.money_likelihood, row.money_impact, row.money_band = _place(figures.by_money.current)
    row.inherent_likelihood, row.inherent_impact, row.inherent_band = _place(figures.by_minutes.inherent)
    row.inherent_money_likelihood, row.inherent_money_impact, row.inherent_money_band = _place(
        figures.by_money.inherent
    )
    row.detection = figures.detection
    row.lane, row.lane_reason = figures.decision.lane, figures.decision.reason[:300]
    row.lane_version = figures.decision.version
    words = assembled_.words
    if assembled_.foreign:
        words += f"; its cost is in {assembled_.foreign}, the service's currency is {row.currency}: not counted"
    row.words = words[:500]
    row.missing, row.defaulted = _missing(row, now, assembled_.inputs), list(assembled_.defaulted())
    row.input_hash, row.version = figures.input_hash, VERSION


def _missing(row: Estimate, now: Expected, inputs: Inputs) -> list[str]:
    """Of what only costs, its price: it has no events that could be described."""
    if row.risk_class == RiskClass.COST and all(inputs.of(name) is None for name in OF_EVENTS):
        return [] if inputs.money("recurring_cost") else ["recurring_cost"]
    return list(now.missing)


def _place(placed: Placed | None) -> tuple[int | None, int | None, str]:
    return (placed.likelihood, placed.impact, placed.band.value) if placed else (None, None, "")


def follow_target(target_id: int, service_id: int) -> None:
    """After an import, in its transaction: figures for what is new, lanes where figures decide."""
    with connection.cursor() as cursor:
        # Who states something of the service waits until the import is there. An import does not wait, for it holds the
        # findings that the other waits for: it looks again afterwards, and notes that it has to.
        cursor.execute("SELECT 1 FROM core_service WHERE id = %s FOR SHARE SKIP LOCKED", [service_id])
        if cursor.fetchone() is None:
            StatedMeanwhile.objects.create(service_id=service_id)
            transaction.on_commit(lambda: look_again(service_id), robust=True)
    _add("missing_of_target", {"target": target_id})
    decide_lanes(service_id)


def hold(services: Iterable[int]) -> None:
    """One at a time states what the figures of a service rest on and computes them: the second of two sees what the
    first one stated. Before anything else is locked, so that no two wait for each other. Findings may refer to it
    meanwhile."""
    rows = Service.objects.filter(pk__in=set(services)).order_by("pk")
    list(rows.select_for_update(no_key=True).values_list("pk"))


def follow(ids: Sequence[int]) -> None:
    """After people changed what their findings' estimates depend on."""
    _add("missing_of_findings", {"ids": list(ids)})


def follow_finding(finding_id: int) -> None:
    """After its own inputs changed."""
    follow([finding_id])
    recompute(list(Estimate.objects.filter(own_finding_id=finding_id)))
    decide_lanes(Finding.objects.values_list("service_id", flat=True).get(pk=finding_id))


def _add(statement: str, parameters: dict[str, Any]) -> int:
    with connection.cursor() as cursor:
        cursor.execute(statements(_SQL)[statement], parameters)
        found = cursor.fetchall()
    rows = [Estimate(**dict(zip(_KEPT, _plain(values), strict=True))) for values in found]
    if rows:
        compute(rows)
        # Another import of the same service may have been quicker: what it computed is the same.
        Estimate.objects.bulk_create(rows, ignore_conflicts=True, batch_size=500)
    return len(rows)


def _plain(values: Sequence[Any]) -> list[Any]:
    """JSON comes as text from a bare cursor."""
    plain = list(values)
    if isinstance(plain[6], str):
        plain[6] = json.loads(plain[6])
    return plain


@transaction.atomic
def refresh(service_id: int) -> int:
    """Computes a service's figures anew, after what is stated of it changed; who stated it holds the service. Returns
    how many findings moved lane."""
    recompute(list(Estimate.objects.filter(service_id=service_id)))
    return decide_lanes(service_id)


@transaction.atomic
def look_again(service_id: int) -> None:
    """After somebody stated something of a service while an import computed figures of it. May run again."""
    hold([service_id])
    StatedMeanwhile.objects.filter(service=service_id).delete()
    acting_as(None, source="rule", reason="Stated while an import was read")
    refresh(service_id)


def look_again_where_noted() -> int:
    """What imports noted whose processes were lost before they could look again. Returns how many services."""
    services = sorted(set(StatedMeanwhile.objects.values_list("service_id", flat=True)))
    for service_id in services:
        look_again(service_id)
    return len(services)


def recompute(rows: list[Estimate], limits: Thresholds | None = None) -> None:
    if rows:
        compute(rows, limits)
        Estimate.objects.bulk_create(
            rows, batch_size=500, update_conflicts=True, unique_fields=["key"], update_fields=_WRITTEN
        )


def decide_lanes(service_id: int) -> int:
    """In the caller's transaction, which has said who acts."""
    rows = Estimate.objects.filter(service_id=service_id, lane_version=lanes.RISK_RULES_VERSION)
    if not rows.exists() and not _led_by_figures(service_id):
        return 0
    parameters: dict[str, Any] = {
        "service": service_id,
        "by_risk": lanes.RISK_RULES_VERSION,
        "days": json.dumps(settings.DUE_DAYS),
    }
    with connection.cursor() as cursor:
        cursor.execute(statements(_SQL)["decide_lanes"], parameters)
        count: int = cursor.rowcount
    return count


def _led_by_figures(service_id: int) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT EXISTS (SELECT 1 FROM findings_finding WHERE service_id = %s AND lane_from = 'risk')", [service_id]
        )
        found: bool = cursor.fetchone()[0]
    return found


@transaction.atomic
def follow_service(service_id: int, user: User, reason: str) -> None:
    """After what is stated of the service itself changed: objective, value of a minute, currency, criticality."""
    acting_as(user, source="rule", reason=reason or "What is stated of the service changed")
    refresh(service_id)


AT_ONCE = 2_000


def upkeep() -> int:
    """What an older version computed, what nothing computed yet, what nothing uses any more. May run at any time."""
    with transaction.atomic():
        acting_as(None, source="rule", reason="Figures computed anew")
        count = _add("missing_anywhere", {})
        with connection.cursor() as cursor:
            cursor.execute(statements(_SQL)["forget_unused"])
    while True:
        with transaction.atomic():
            acting_as(None, source="rule", reason="Figures computed by a newer version")
            stale = Estimate.objects.exclude(version=VERSION).order_by("service_id")[:AT_ONCE]
            hold(stale.values_list("service_id", flat=True))
            old = list(stale)
            recompute(old)
            for service_id in sorted({row.service_id for row in old}):
                decide_lanes(service_id)
        count += len(old)
        if len(old) < AT_ONCE:
            return count

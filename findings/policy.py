"""Thresholds of the lanes and the tolerance line: what a change would move is shown before it applies."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db import connection, transaction
from django.db.models import Sum

from findings import estimating
from findings.load import redactor
from findings.models import Estimate, RiskPolicy, RiskRollup
from findings.risk.lanes import Thresholds
from platform_risk.core.access.audit import record
from platform_risk.core.acting import acting_as
from platform_risk.core.errors import Refused
from platform_risk.core.models import Service, User
from platform_risk.quantities.currency import CODES

MOST_POINTS = 10
MOST_AMOUNT = 10**15
Tolerance = Sequence[tuple[Decimal, float]]


@dataclass(frozen=True)
class Move:
    """So many open findings of default branches would go from one lane to another."""

    before: str
    after: str
    findings: int


def check(thresholds: dict[str, Any]) -> Thresholds:
    try:
        return Thresholds.from_json({**estimating.thresholds().as_json(), **thresholds})
    except (ValueError, ArithmeticError) as error:
        raise Refused(f"{str(error)[:1].upper()}{str(error)[1:]}.", field="thresholds") from error


def check_tolerance(points: Tolerance) -> list[list[Any]]:
    """Points of the line that no year's loss should cross: amounts rise, probabilities fall."""
    if len(points) > MOST_POINTS:
        raise Refused(f"At most {MOST_POINTS} points.", field="tolerance")
    for amount, probability in points:
        if not amount.is_finite() or not 0 < amount < MOST_AMOUNT or not 0 < probability <= 1:
            words = f"An amount above 0 and below {MOST_AMOUNT:,}, and a probability above 0 and up to 1."
            raise Refused(words, field="tolerance")
    ordered = sorted(points)
    falling = [probability for _, probability in ordered]
    if falling != sorted(falling, reverse=True) or len({amount for amount, _ in ordered}) != len(ordered):
        raise Refused("A greater loss must not be tolerated more often than a smaller one.", field="tolerance")
    return [[f"{amount:f}", probability] for amount, probability in ordered]


def check_currency(currency: str) -> None:
    if currency not in CODES:
        raise Refused("There is no such currency: a code of ISO 4217, as USD or EUR.", field="currency")


def preview(limits: Thresholds) -> list[Move]:
    """What would move, of all findings: nothing is changed. A lane that a person set stays."""
    counts: Counter[tuple[str, str]] = Counter()
    by_key = _open_by_key()
    for batch in _batches():
        before = {row.key: row.lane for row in batch}
        estimating.compute(batch, limits)
        for row in batch:
            if row.lane != before[row.key] and by_key.get(row.key):
                counts[before[row.key], str(row.lane)] += by_key[row.key]
    return [Move(before, after, count) for (before, after), count in sorted(counts.items())]


def _open_by_key() -> dict[int, int]:
    """Estimate → open findings whose lane no person has set."""
    whole = dict(RiskRollup.objects.values_list("risk_key").annotate(n=Sum("count")).order_by())
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT risk_key, count(*) FROM findings_finding WHERE lane_from = 'user' AND withdrawn_by_id IS NULL "
            "AND is_default_branch AND status IN ('new', 'triaged', 'in_progress') GROUP BY 1"
        )
        by_hand: dict[int, int] = dict(cursor.fetchall())
    return {key: count - by_hand.get(key, 0) for key, count in whole.items()}


def _batches() -> Any:
    last = None
    while True:
        rows = Estimate.objects.order_by("key")
        batch = list((rows if last is None else rows.filter(key__gt=last))[: estimating.AT_ONCE])
        if not batch:
            return
        last = batch[-1].key
        yield batch


def _line(row: RiskPolicy) -> dict[str, str]:
    return {"tolerance": str(row.tolerance), "currency": row.currency}


@transaction.atomic
def change(
    *,
    user: User,
    thresholds: dict[str, Any] | None = None,
    tolerance: Tolerance | None = None,
    currency: str | None = None,
    reason: str,
    through: str,
) -> RiskPolicy:
    """Applies at once to every finding whose lane the figures decide."""
    if not user.is_admin:
        raise PermissionDenied("Changing how lanes are decided takes an administrator.")
    if not reason.strip():
        raise Refused("Say why: everybody's lanes depend on it.", field="reason")
    last = RiskPolicy.objects.first() or RiskPolicy()
    limits = check(thresholds or {})
    if currency:
        check_currency(currency)
    row = RiskPolicy.objects.create(
        thresholds=limits.as_json(),
        tolerance=last.tolerance if tolerance is None else check_tolerance(tolerance),
        currency=currency or last.currency,
        author=user,
        reason=redactor().text(reason.strip())[:2000],
    )
    before = {
        **Thresholds.from_json(last.thresholds).as_json(),
        "tolerance": str(last.tolerance),
        "currency": last.currency,
    }
    after = {**limits.as_json(), "tolerance": str(row.tolerance), "currency": row.currency}
    changes = {name: [before[name], value] for name, value in after.items() if before[name] != value}
    record(user, "changed", "risk_policy", row.pk, "Lanes and tolerance", changes=changes, reason=row.reason)
    if thresholds:
        acting_as(user, source=through, reason=f"Lanes decided anew: {row.reason}")
        estimating.hold(Service.objects.values_list("pk", flat=True))
        services = set()
        for batch in _batches():
            estimating.recompute(batch, limits)
            services |= {each.service_id for each in batch}
        for service_id in sorted(services):
            estimating.decide_lanes(service_id)
    return row

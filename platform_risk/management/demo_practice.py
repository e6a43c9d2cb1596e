"""What the demo's people have lived through and what they would bear: incidents, and the line of tolerance."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import NamedTuple

from django.utils import timezone

from findings import policy
from findings.models import Finding, RiskPolicy
from platform_risk.core.models import Service, User
from platform_risk.planning import incidents
from platform_risk.planning.models import Incident

NOTE = "Part of the demo"
SERVICE = "clean-platform"
# US dollars that a year may lose, and how often that much
TOLERANCE = ((Decimal(50_000), 0.5), (Decimal(150_000), 0.1), (Decimal(500_000), 0.01))


class Happened(NamedTuple):
    title: str
    check: str  # of the findings that told of it, or would have
    days_ago: int
    detected_after: int  # minutes
    recovered_after: int  # minutes
    users_affected: Decimal
    told_by: frozenset[str]  # a finding, before; an alert, then


_FINDING, _ALERT = frozenset({"finding"}), frozenset({"alert"})
HAPPENED = (
    Happened("Connections refused during a load test", "db-connections", 236, 11, 58, Decimal("0.5"), _FINDING),
    Happened("Two workers fell behind while five stood idle", "kafka-consumers", 151, 24, 95, Decimal("0.2"),
             _FINDING | _ALERT),
    Happened("Routing slowed down at its CPU limit", "cpu-throttling", 88, 31, 47, Decimal("0.35"), frozenset()),
    Happened("Connections refused after a rollout", "db-connections", 33, 7, 41, Decimal("0.4"), _FINDING | _ALERT),
)  # fmt: skip


def add(admin: User) -> None:
    """After the imports, whose findings the incidents are linked to."""
    service = Service.objects.get(slug=SERVICE)
    if not service.incidents.exists():
        for each in HAPPENED:
            _happened(each, service, admin)
    if not RiskPolicy.objects.exists():
        policy.change(user=admin, tolerance=list(TOLERANCE), currency="USD", reason=NOTE, through="page")


def _happened(each: Happened, service: Service, admin: User) -> Incident:
    began = _noon(each.days_ago)
    return incidents.create(
        user=admin, through="page", service=service, title=each.title, started_at=began,
        detected_at=began + timedelta(minutes=each.detected_after),
        recovered_at=began + timedelta(minutes=each.recovered_after),
        users_affected=each.users_affected, was_predicted=each.told_by >= _FINDING, was_alerted=each.told_by >= _ALERT,
        findings=Finding.objects.filter(service=service, check_id=each.check), notes=NOTE,
    )  # fmt: skip


def _noon(days_ago: int) -> datetime:
    return (timezone.now() - timedelta(days=days_ago)).replace(hour=12, minute=20, second=0, microsecond=0)


def remove() -> None:
    """In the caller's transaction. Incidents go with their service; a line that somebody drew since stays."""
    RiskPolicy.objects.filter(reason=NOTE).delete()

"""Which team a finding falls to: the first ownership rule that matches, else the service's team."""

from collections.abc import Callable

from django.db.models import Q

from platform_risk.core import ownership
from platform_risk.core.models import OwnershipRule, Service


def rules_for(service: Service | None) -> list[ownership.Rule]:
    """Rules that hold for a service, first to last."""
    rows = OwnershipRule.objects.select_related("team", "service").order_by("position", "id")
    if service is not None:
        rows = rows.filter(Q(service__isnull=True) | Q(service=service))
    return [ownership.Rule(id=row.pk, kind=row.kind, pattern=row.pattern, team=row.team_id) for row in rows]


def team_finder(service: Service) -> Callable[[str, str, str], tuple[int | None, str]]:
    rules = rules_for(service)

    def team_of(path: str, image: str, namespace: str) -> tuple[int | None, str]:
        subject = ownership.Subject(path=path, image=image, namespace=namespace, service=service.slug)
        rule = ownership.first_match(rules, subject).rule
        if rule is not None:
            return rule.team, "rule"
        return service.team_id, "service" if service.team_id else ""

    return team_of

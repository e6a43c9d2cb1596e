"""Reading teams, services, environments and ownership rules. Every function takes the user."""

from dataclasses import dataclass

from django.db.models import Count, Q, QuerySet

from platform_risk.core import ownership
from platform_risk.core.catalog.owners import rules_for
from platform_risk.core.models import Environment, Membership, OwnershipRule, Role, Scope, Service, Team, User


def services_visible_to(user: User) -> QuerySet[Service]:
    return Service.objects.visible_to(user).select_related("team").order_by("slug")


def teams_visible_to(user: User) -> QuerySet[Team]:
    """One's own; all for admins."""
    rows = Team.objects.all() if user.is_admin else Team.objects.filter(pk__in=user.team_ids)
    return rows.order_by("slug")


def teams_managed_by(user: User) -> QuerySet[Team]:
    if user.is_admin:
        return Team.objects.order_by("slug")
    managed = [team for team, role in user.roles.items() if role == Role.MANAGER]
    return Team.objects.filter(pk__in=managed).order_by("slug")


def teams_written_by(user: User) -> QuerySet[Team]:
    """Teams in which the user may create services."""
    if user.is_admin:
        return Team.objects.order_by("slug")
    return Team.objects.filter(pk__in=user.writing_team_ids).order_by("slug")


def services_written_by(user: User) -> QuerySet[Service]:
    """Those whose findings and incidents the user may change."""
    rows = services_visible_to(user)
    if user.is_admin:
        return rows
    mine = Q(team_id__in=user.writing_team_ids)
    return rows.filter(mine | Q(team=None) if user.sees_unowned else mine)


def services_managed_by(user: User) -> QuerySet[Service]:
    rows = services_visible_to(user)
    if user.is_admin:
        return rows
    return rows.filter(Q(team__in=teams_managed_by(user)) | (Q(team=None) if user.sees_unowned else Q(pk__in=[])))


def environments() -> QuerySet[Environment]:
    """Names such as production: of no team, so that everybody who is signed in may read them."""
    return Environment.objects.order_by("slug")


def members_of(team: Team) -> QuerySet[Membership]:
    return team.memberships.filter(user__is_active=True).select_related("user").order_by("user__username")


@dataclass(frozen=True)
class TeamRow:
    team: Team
    services: int
    members: int


def team_rows(user: User) -> list[TeamRow]:
    rows = teams_visible_to(user).annotate(
        n_services=Count("services", distinct=True),
        n_members=Count("memberships", filter=Q(memberships__user__is_active=True), distinct=True),
    )
    return [TeamRow(team, team.n_services, team.n_members) for team in rows]


def scopes_of(service: Service) -> QuerySet[Scope]:
    """Its sources, default branch first; the caller has looked the service up among the visible ones."""
    return (
        Scope.objects.filter(target__service=service)
        .select_related("target__environment", "last_applied")
        .order_by("-target__is_default_branch", "target__branch", "target__environment__slug", "source")
    )


def environments_of(service: Service) -> QuerySet[Environment]:
    return Environment.objects.filter(targets__service=service).distinct().order_by("slug")


def rules_visible_to(user: User) -> QuerySet[OwnershipRule]:
    """Rules of the services one sees, and rules that give something to one's teams; all for admins."""
    rows = OwnershipRule.objects.select_related("team", "service").order_by("position", "id")
    if user.is_admin:
        return rows
    return rows.filter(Q(service__in=Service.objects.visible_to(user)) | Q(service=None, team_id__in=user.team_ids))


def rules_of(user: User, service: Service) -> QuerySet[OwnershipRule]:
    """Rules that hold for this service alone."""
    return rules_visible_to(user).filter(service=service)


@dataclass(frozen=True)
class RuleRow:
    rule: OwnershipRule
    place: int  # counted from 1 over all rules, those of others included
    may_change: bool


def rule_rows(user: User) -> list[RuleRow]:
    places = {
        pk: place
        for place, pk in enumerate(
            OwnershipRule.objects.order_by("position", "id").values_list("pk", flat=True), start=1
        )
    }
    managed = set(services_managed_by(user).values_list("pk", flat=True))
    return [
        RuleRow(rule, places.get(rule.pk, 0), user.is_admin or rule.service_id in managed)
        for rule in rules_visible_to(user)
    ]


@dataclass(frozen=True)
class Step:
    """One rule that was asked. `rule` is None for a rule of teams that the user does not see."""

    rule: OwnershipRule | None
    matched: bool
    why: str


@dataclass(frozen=True)
class Explanation:
    team: Team | None
    team_hidden: bool  # somebody's, but not for the user to know
    reason: str
    steps: list[Step]


def explain_ownership(
    user: User, *, service: Service | None, path: str = "", image: str = "", namespace: str = ""
) -> Explanation:
    """Who would get a finding at this place, and what each rule said about it."""
    subject = ownership.Subject(path=path, image=image, namespace=namespace, service=service.slug if service else "")
    # Without a service only the rules that hold for every service are asked.
    rules = rules_for(service)
    if service is None:
        general = set(OwnershipRule.objects.filter(service=None).values_list("pk", flat=True))
        rules = [rule for rule in rules if rule.id in general]
    outcome = ownership.explain(rules, subject)
    seen = {rule.pk: rule for rule in rules_visible_to(user)}
    steps = [
        Step(
            seen.get(step.rule.id),
            step.matched,
            step.why if step.rule.id in seen else "A rule of a team that you do not see.",
        )
        for step in outcome.steps
    ]
    if outcome.rule is not None:
        return _explanation(user, outcome.rule.team, f"Rule {len(steps)} of those asked matches.", steps)
    if service is not None and service.team_id is not None:
        return _explanation(user, service.team_id, f"No rule matches, so it is {service.slug}’s own team.", steps)
    return Explanation(None, team_hidden=False, reason="No rule matches and no team has the service.", steps=steps)


def _explanation(user: User, team_id: int, reason: str, steps: list[Step]) -> Explanation:
    team = teams_visible_to(user).filter(pk=team_id).first()
    return Explanation(team, team_hidden=team is None, reason=reason, steps=steps)

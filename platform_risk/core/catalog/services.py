"""Every write to teams, services, environments and ownership rules: permission, change, audit, one transaction each."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TypedDict, Unpack

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Max

from platform_risk.core import changing, ownership
from platform_risk.core.access.audit import record
from platform_risk.core.acting import acting_as
from platform_risk.core.catalog import hooks
from platform_risk.core.errors import Refused
from platform_risk.core.models import Environment, OwnershipRule, Service, Target, Team, User
from platform_risk.quantities.currency import CODES


class ServiceFields(TypedDict, total=False):
    slug: str
    name: str
    team: Team | None
    default_branch: str
    criticality: str
    slo: Decimal | None
    value_per_bad_minute: Decimal | None
    currency: str


class TeamFields(TypedDict, total=False):
    slug: str
    name: str


class EnvironmentFields(TypedDict, total=False):
    slug: str
    name: str


class RuleFields(TypedDict, total=False):
    kind: str
    pattern: str
    team: Team
    service: Service | None
    note: str


# Services

# What figures of risk rest on
_FACTS = {"slo", "value_per_bad_minute", "currency", "criticality"}


def _check_facts(fields: ServiceFields) -> None:
    # Neither end leaves a budget to spend a share of: figures would call it an objective that nobody stated.
    slo = fields.get("slo")
    if slo is not None and not 0 < slo < 1:
        raise Refused("An objective lies between 0 and 1, as 0.999 (99.9 %): at 1 nothing may ever fail.", field="slo")
    if "currency" in fields and fields["currency"] not in CODES:
        raise Refused("There is no such currency: a code of ISO 4217, as USD or EUR.", field="currency")


@transaction.atomic
def create_service(*, user: User, reason: str = "", **fields: Unpack[ServiceFields]) -> Service:
    """Members create services of their teams; managers also those of no team."""
    team = fields.get("team")
    if not user.may_write(team.pk if team else None):
        raise PermissionDenied("Creating a service takes the role member in its team; one of no team, a manager.")
    _check_facts(fields)
    service = Service(**fields)
    changing.save(service)
    record(user, "created", "service", service.pk, service.slug, reason=reason)
    return service


@transaction.atomic
def change_service(service: Service, *, user: User, reason: str = "", **fields: Unpack[ServiceFields]) -> Service:
    """Managers of its team; to hand it to another team one has to manage that one too (admins may always)."""
    service = Service.objects.select_for_update(no_key=True).get(pk=service.pk)
    may_change_service(user, service)
    team = fields.get("team", service.team)
    if not user.may_manage(team.pk if team else None):
        raise PermissionDenied("Handing a service over takes the role manager in both teams: ask an administrator.")
    _check_facts(fields)
    changes = changing.set_fields(service, fields)
    if not changes:
        return service
    record(user, "changed", "service", service.pk, service.slug, changes=changes, reason=reason)
    if "default_branch" in changes:
        _flip_targets(service)
    if _FACTS & changes.keys():
        hooks.facts_changed(service.pk, user, reason)
    if "team" in changes or "slug" in changes:  # rules of kind service go by the slug
        hooks.ownership_changed(service.pk)
    return service


def may_change_service(user: User, service: Service) -> None:
    if not user.may_manage(service.team_id):
        raise PermissionDenied("Changing a service takes the role manager in its team.")


def _flip_targets(service: Service) -> None:
    targets = Target.objects.filter(service=service)
    targets.filter(branch=service.default_branch).update(is_default_branch=True)
    targets.exclude(branch=service.default_branch).update(is_default_branch=False)
    hooks.default_branch_changed(service.pk)


@transaction.atomic
def delete_service(service: Service, *, user: User, reason: str = "", source: str = "page") -> None:
    """With its findings, imports and rules: there is no way back."""
    service = Service.objects.select_for_update().get(pk=service.pk)
    may_change_service(user, service)
    acting_as(user, source=source, reason=reason or "The service was deleted")
    # Its places first, for what counts findings needs the service while they go.
    Target.objects.filter(service=service).delete()
    pk, slug = service.pk, service.slug
    changing.delete(service, "Something was added to this service just now: try again.")
    record(user, "deleted", "service", pk, slug, reason=reason)


# Teams


def _admin(user: User, what: str) -> None:
    if not user.is_admin:
        raise PermissionDenied(f"{what} takes an administrator.")


@transaction.atomic
def create_team(*, user: User, reason: str = "", **fields: Unpack[TeamFields]) -> Team:
    _admin(user, "Creating a team")
    team = Team(**fields)
    team.name = team.name or team.slug
    changing.save(team)
    record(user, "created", "team", team.pk, team.slug, reason=reason)
    return team


@transaction.atomic
def change_team(team: Team, *, user: User, reason: str = "", **fields: Unpack[TeamFields]) -> Team:
    team = Team.objects.select_for_update(no_key=True).get(pk=team.pk)
    may_change_team(user, team)
    changes = changing.set_fields(team, fields)
    if changes:
        record(user, "changed", "team", team.pk, team.slug, changes=changes, reason=reason)
    return team


def may_change_team(user: User, team: Team) -> None:
    if not user.may_manage(team.pk):
        raise PermissionDenied("Changing a team takes its manager or an administrator.")


@transaction.atomic
def delete_team(team: Team, *, user: User, reason: str = "", source: str = "page") -> None:
    """Its services and findings are nobody's afterwards; its rules and memberships go."""
    _admin(user, "Deleting a team")
    team = Team.objects.select_for_update().get(pk=team.pk)
    acting_as(user, source=source, reason=reason or f"Team {team.slug} was deleted")
    changing.detach(team)
    pk, slug = team.pk, team.slug
    changing.delete(team, "Something was given to this team just now: try again.")
    record(user, "deleted", "team", pk, slug, reason=reason)
    hooks.ownership_changed(None)


# Environments


@transaction.atomic
def create_environment(*, user: User, reason: str = "", **fields: Unpack[EnvironmentFields]) -> Environment:
    if not (user.is_admin or user.writing_team_ids):
        raise PermissionDenied("Creating an environment takes the role member in a team.")
    environment = Environment(**fields)
    changing.save(environment)
    record(user, "created", "environment", environment.pk, environment.slug, reason=reason)
    hooks.ownership_changed(None)  # costs are of an environment by their tags
    return environment


@transaction.atomic
def change_environment(
    environment: Environment, *, user: User, reason: str = "", **fields: Unpack[EnvironmentFields]
) -> Environment:
    may_change_environment(user)
    environment = Environment.objects.select_for_update(no_key=True).get(pk=environment.pk)
    changes = changing.set_fields(environment, fields)
    if changes:
        record(user, "changed", "environment", environment.pk, environment.slug, changes=changes, reason=reason)
        hooks.ownership_changed(None)
    return environment


def may_change_environment(user: User) -> None:
    if not user.sees_unowned:
        raise PermissionDenied("Changing an environment takes a manager: it belongs to all teams.")


@transaction.atomic
def delete_environment(environment: Environment, *, user: User, reason: str = "") -> None:
    _admin(user, "Deleting an environment")
    pk, slug = environment.pk, environment.slug
    changing.delete(environment, f"Imports and findings belong to {slug}: an environment in use cannot be deleted.")
    record(user, "deleted", "environment", pk, slug, reason=reason)
    hooks.ownership_changed(None)


# Ownership rules


def may_change_rules_of(user: User, service: Service | None) -> None:
    """A rule that holds for every service can take findings from any team: administrators only."""
    if service is None:
        _admin(user, "A rule that holds for every service")
    else:
        may_change_service(user, service)


@transaction.atomic
def create_rule(
    *, user: User, position: int | None = None, reason: str = "", **fields: Unpack[RuleFields]
) -> OwnershipRule:
    """Asked last unless a place (counted from 1) is given."""
    may_change_rules_of(user, fields.get("service"))
    _check_pattern(fields.get("kind", ""), fields.get("pattern", ""))
    rule = OwnershipRule(position=_last_position() + 1, **fields)
    changing.save(rule)
    record(user, "created", "ownership_rule", rule.pk, str(rule), reason=reason)
    hooks.ownership_changed(rule.service_id)
    return rule if position is None else place_rule(rule, user=user, position=position, reason=reason)


def _last_position() -> int:
    return OwnershipRule.objects.aggregate(last=Max("position"))["last"] or 0


def _check_pattern(kind: str, pattern: str) -> None:
    try:
        ownership.check_pattern(kind, pattern)
    except ownership.PatternError as error:
        raise Refused(str(error), field="pattern" if kind in ownership.KINDS else "kind") from error


@transaction.atomic
def change_rule(
    rule: OwnershipRule, *, user: User, position: int | None = None, reason: str = "", **fields: Unpack[RuleFields]
) -> OwnershipRule:
    rule = OwnershipRule.objects.select_for_update(of=("self",)).select_related("team", "service").get(pk=rule.pk)
    old = rule.service
    may_change_rules_of(user, old)
    may_change_rules_of(user, fields.get("service", old))
    _check_pattern(fields.get("kind", rule.kind), fields.get("pattern", rule.pattern))
    changes = changing.set_fields(rule, fields)
    if changes:
        record(user, "changed", "ownership_rule", rule.pk, str(rule), changes=changes, reason=reason)
        hooks.ownership_changed(rule.service_id if rule.service == old else None)
    return rule if position is None else place_rule(rule, user=user, position=position, reason=reason)


@transaction.atomic
def delete_rule(rule: OwnershipRule, *, user: User, reason: str = "") -> None:
    may_change_rules_of(user, rule.service)
    pk, label, service_id = rule.pk, str(rule), rule.service_id
    rule.delete()
    record(user, "deleted", "ownership_rule", pk, label, reason=reason)
    hooks.ownership_changed(service_id)


@transaction.atomic
def move_rule(rule: OwnershipRule, *, user: User, steps: int, reason: str = "") -> OwnershipRule:
    """Up (negative steps) or down in the order; the others keep theirs. Moving a service's rule concerns that
    service alone, whatever it passes on its way."""
    may_change_rules_of(user, rule.service)
    rules = list(OwnershipRule.objects.select_for_update().order_by("position", "id"))
    before = rules.index(rule)
    after = min(max(before + steps, 0), len(rules) - 1)
    if after == before:
        return rule
    rules.insert(after, rules.pop(before))
    _number(rules)
    record(
        user, "changed", "ownership_rule", rule.pk, str(rule),
        changes={"position": [before + 1, after + 1]}, reason=reason,
    )  # fmt: skip
    hooks.ownership_changed(rule.service_id)
    return rules[after]


@transaction.atomic
def place_rule(rule: OwnershipRule, *, user: User, position: int, reason: str = "") -> OwnershipRule:
    """To a place counted from 1, as `move_rule`."""
    rules = list(OwnershipRule.objects.select_for_update().order_by("position", "id"))
    return move_rule(rule, user=user, steps=position - 1 - rules.index(rule), reason=reason)


def _number(rules: list[OwnershipRule]) -> None:
    moved = []
    for position, rule in enumerate(rules, start=1):
        if rule.position != position:
            rule.position = position
            moved.append(rule)
    OwnershipRule.objects.bulk_update(moved, ["position"], batch_size=500)


@dataclass(frozen=True)
class ImportedOwners:
    created: int
    removed: int
    unmapped: list[str] = field(default_factory=list)  # owners without a team
    skipped: list[str] = field(default_factory=list)  # patterns left out: no owner of theirs has a team

    @property
    def words(self) -> str:
        text = f"{self.created} rules imported, {self.removed} of the file before removed."
        if self.skipped:
            text += f" {len(self.skipped)} lines were left out, for no owner of theirs has a team here."
        return text


def codeowners(text: str) -> list[tuple[str, tuple[str, ...]]]:
    """(pattern, owners), first match first. Raises Refused with the line that cannot be read."""
    if len(text) > 3_000_000:
        raise Refused("A CODEOWNERS file has at most 3 MB.", field="text")
    try:
        lines = ownership.parse_codeowners(text)
    except ownership.PatternError as error:
        raise Refused(str(error), field="text") from error
    if not lines:
        raise Refused("There is no rule in this file.", field="text")
    return lines


def owners_in(lines: list[tuple[str, tuple[str, ...]]]) -> list[str]:
    return sorted({owner for _, owners in lines for owner in owners})


@transaction.atomic
def import_codeowners(
    service: Service, *, user: User, text: str, teams: Mapping[str, Team], reason: str = ""
) -> ImportedOwners:
    """Replaces the service's rules that came from such a file. `teams`: owner as written (`@org/name`) → team; of a
    line's owners the first that has a team takes it."""
    may_change_rules_of(user, service)
    lines = codeowners(text)
    removed, _ = OwnershipRule.objects.filter(service=service, origin="codeowners").delete()
    last = _last_position()
    rules: list[OwnershipRule] = []
    skipped: list[str] = []
    for pattern, owners in lines:
        team = next((teams[owner] for owner in owners if owner in teams), None)
        if team is None or len(pattern) > 500:
            skipped.append(pattern[:100])
            continue
        rules.append(
            OwnershipRule(
                position=last + len(rules) + 1,
                kind="path",
                pattern=pattern,
                team=team,
                service=service,
                origin="codeowners",
                note=" ".join(owners)[:500],
            )
        )
    OwnershipRule.objects.bulk_create(rules, batch_size=1000)
    unmapped = sorted({owner for _, owners in lines for owner in owners if owner not in teams})
    record(
        user, "imported", "ownership_rule", service.pk, f"CODEOWNERS of {service.slug}",
        changes={"rules": [removed, len(rules)]}, reason=reason,
    )  # fmt: skip
    hooks.ownership_changed(service.pk)
    return ImportedOwners(len(rules), removed, unmapped, skipped)

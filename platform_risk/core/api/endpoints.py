"""Endpoints of the core's own things; what they write is decided in the core's services."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from django.db.models import QuerySet

from platform_risk.core.access import services as access
from platform_risk.core.api import catalog, people
from platform_risk.core.api.authentication import AdminPermission, ScopedPermission
from platform_risk.core.api.collections import Collection, described
from platform_risk.core.api.resources import NAME
from platform_risk.core.catalog import selectors
from platform_risk.core.catalog import services as writes
from platform_risk.core.models import Environment, OwnershipRule, Service, Team, Token, User


def _with_names(sent: dict[str, Any], user: User) -> dict[str, Any]:
    """Team and service by name → as rows, where they were sent."""
    found = dict(sent)
    if "team" in found:
        found["team"] = catalog.team_named(found["team"], user)
    if "service" in found:
        found["service"] = catalog.service_named(found["service"], user)
    return found


@described(
    catalog.ServiceSerializer,
    catalog.ServiceWrittenSerializer,
    list="Services of your teams, and those of none if you manage one.",
    create="Add a service.",
    retrieve="One service, by its slug or id.",
    change="Change a service: those of your teams, as their manager.",
    delete="Delete a service with its imports and findings.",
)
class Services(Collection):
    """Services: what findings are about and teams own."""

    is_named = True
    lookup_value_regex = NAME
    table = catalog.SERVICES
    body = catalog.ServiceWrittenSerializer
    key_column = "slug"
    conflicts: ClassVar[Sequence[str]] = ("create", "partial_update", "destroy")

    def rows(self) -> QuerySet[Service]:
        return selectors.services_visible_to(self.user)

    def add(self, sent: dict[str, Any]) -> Service:
        return writes.create_service(user=self.user, **_with_names(sent, self.user))

    def change(self, row: Service, sent: dict[str, Any]) -> None:
        writes.change_service(row, user=self.user, **_with_names(sent, self.user))

    def remove(self, row: Service) -> None:
        writes.delete_service(row, user=self.user, source="api")


@described(
    catalog.TeamSerializer,
    catalog.TeamWrittenSerializer,
    list="Your teams.",
    create="Add a team.",
    retrieve="One team, by its slug or id.",
    change="Change a team.",
    delete="Delete a team; what it owned is nobody's then.",
)
class Teams(Collection):
    """Teams: who owns services and findings."""

    is_named = True
    lookup_value_regex = NAME
    table = catalog.TEAMS
    body = catalog.TeamWrittenSerializer
    key_column = "slug"
    conflicts: ClassVar[Sequence[str]] = ("create", "partial_update", "destroy")

    def rows(self) -> QuerySet[Team]:
        return selectors.teams_visible_to(self.user)

    def add(self, sent: dict[str, Any]) -> Team:
        return writes.create_team(user=self.user, **sent)

    def change(self, row: Team, sent: dict[str, Any]) -> None:
        writes.change_team(row, user=self.user, **sent)

    def remove(self, row: Team) -> None:
        writes.delete_team(row, user=self.user, source="api")


@described(
    catalog.EnvironmentSerializer,
    catalog.EnvironmentWrittenSerializer,
    list="All environments.",
    create="Add an environment.",
    retrieve="One environment, by its slug or id.",
    change="Change an environment.",
    delete="Delete an environment that nothing refers to.",
)
class Environments(Collection):
    """Environments: where services run."""

    is_named = True
    lookup_value_regex = NAME
    table = catalog.ENVIRONMENTS
    body = catalog.EnvironmentWrittenSerializer
    key_column = "slug"
    conflicts: ClassVar[Sequence[str]] = ("create", "partial_update", "destroy")

    def rows(self) -> QuerySet[Environment]:
        return selectors.environments()

    def add(self, sent: dict[str, Any]) -> Environment:
        return writes.create_environment(user=self.user, **sent)

    def change(self, row: Environment, sent: dict[str, Any]) -> None:
        writes.change_environment(row, user=self.user, **sent)

    def remove(self, row: Environment) -> None:
        writes.delete_environment(row, user=self.user)


@described(
    catalog.RuleSerializer,
    catalog.RuleWrittenSerializer,
    list="Rules for your teams and services, in the order in which they are tried.",
    create="Add a rule.",
    retrieve="One rule.",
    change="Change a rule; findings it concerns change hands, but for those a person assigned.",
    delete="Delete a rule.",
)
class OwnershipRules(Collection):
    """Ownership rules: the first that matches says whose a finding is."""

    table = catalog.RULES
    body = catalog.RuleWrittenSerializer
    key = ("position", "id")
    conflicts: ClassVar[Sequence[str]] = ("create", "partial_update")

    def rows(self) -> QuerySet[OwnershipRule]:
        return selectors.rules_visible_to(self.user)

    def add(self, sent: dict[str, Any]) -> OwnershipRule:
        return writes.create_rule(user=self.user, **_with_names(sent, self.user))

    def change(self, row: OwnershipRule, sent: dict[str, Any]) -> None:
        writes.change_rule(row, user=self.user, **_with_names(sent, self.user))

    def remove(self, row: OwnershipRule) -> None:
        writes.delete_rule(row, user=self.user)


@described(
    people.UserSerializer,
    people.UserWrittenSerializer,
    list="All users.",
    create="Add a user with roles in teams.",
    retrieve="One user, by name or id.",
    change="Change a user; `teams` replaces all roles.",
    delete="Deactivate a user and revoke their tokens. What they decided keeps their name.",
)
class Users(Collection):
    """Users, for administrators (through a token: one with scope admin)."""

    permission_classes: Sequence[Any] = [ScopedPermission, AdminPermission]
    is_named = True
    lookup_value_regex = NAME
    table = people.USERS
    body = people.UserWrittenSerializer
    key_column = "username"
    conflicts: ClassVar[Sequence[str]] = ("create", "partial_update", "destroy")

    def rows(self) -> QuerySet[User]:
        return people.users()

    def add(self, sent: dict[str, Any]) -> User:
        return access.create_user(by=self.user, **self._with_teams(sent))

    def change(self, row: User, sent: dict[str, Any]) -> None:
        access.change_user(row, by=self.user, **self._with_teams(sent))

    def _with_teams(self, sent: dict[str, Any]) -> dict[str, Any]:
        return {**sent, "teams": people.roles_of(sent["teams"], self.user)} if "teams" in sent else sent

    def remove(self, row: User) -> None:
        access.delete_user(row, by=self.user)


@described(
    people.TokenSerializer,
    people.TokenWrittenSerializer,
    people.TokenChangeSerializer,
    list="Your tokens; an administrator's list holds everybody's.",
    create="Make a token. The answer is the only one that shows it.",
    retrieve="One token, without its secret.",
    change="Rename a token or move its last day.",
    delete="Revoke a token: it stops working at once.",
)
class Tokens(Collection):
    """Tokens: how programs sign in. Only a hash of each is kept."""

    table = people.TOKENS
    body = people.TokenWrittenSerializer
    change_body = people.TokenChangeSerializer
    volatile = ("last_used_at",)
    _secret: str | None = None

    @property
    def _is_for_all(self) -> bool:
        return AdminPermission().has_permission(self.request, self)

    def rows(self) -> QuerySet[Token]:
        return people.tokens(self.user, of_all=self._is_for_all)

    def add(self, sent: dict[str, Any]) -> Token:
        people.check_scope(sent.get("scope", "read"), self.request)
        sent["user"] = people.token_user(sent.get("user"), self.user, for_all=self._is_for_all)
        token, self._secret = access.create_token(by=self.user, **sent)
        return token

    def shown(self, row: Token) -> Mapping[str, Any]:
        return people.token_row(row, self._secret)

    def change(self, row: Token, sent: dict[str, Any]) -> None:
        access.change_token(row, by=self.user, **sent)

    def remove(self, row: Token) -> None:
        access.revoke_token(row, by=self.user)

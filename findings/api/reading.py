"""Names in requests → what the services take, looked up among what the user may see."""

import contextlib
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from django.core.exceptions import PermissionDenied
from rest_framework.request import Request

from findings import grouping, query, selectors
from findings.actions import Action, Transition, Update
from findings.api import enums
from findings.api.rows import complete
from findings.models import FindingQuerySet
from findings.query import Query, QueryError
from findings.services import PermissionRefused
from findings.vocabulary import Status
from platform_risk.core import keyset
from platform_risk.core.api import filters
from platform_risk.core.api.pagination import page_size
from platform_risk.core.api.problems import bad_field, bad_parameter
from platform_risk.core.catalog.selectors import teams_visible_to
from platform_risk.core.models import Environment, Service, User


@contextlib.contextmanager
def answers(*, in_body: bool = False) -> Iterator[None]:
    """Says what findings refuse the way the API says it."""
    try:
        yield
    except QueryError as error:
        raise (bad_field("/q", str(error)) if in_body else bad_parameter(error.parameter, str(error))) from error
    except PermissionRefused as error:
        raise PermissionDenied(str(error)) from error


FILTERS = query.FILTERS


def filtered(request: Request, user: User) -> tuple[FindingQuerySet, Query]:
    """The list that the parameters ask for."""
    chosen = {name: request.query_params.getlist(name) for name in FILTERS if name in request.query_params}
    with answers():
        asked = query.parse(request.query_params.get("q", ""), chosen, request.query_params.get("ordering", ""))
        rows = selectors.found(asked, user)
    since = filters.moment(request, "updated_since")
    return complete(rows.filter(updated_at__gte=since) if since else rows), asked


def near(request: Request, user: User, asked: Query) -> Callable[[FindingQuerySet], FindingQuerySet] | None:
    """What finds the rows among which the page lies that the request asks for."""
    if "updated_since" in request.query_params:
        return None
    cursor, size = request.query_params.get("cursor"), page_size(request)

    def found(rows: FindingQuerySet) -> FindingQuerySet:
        try:
            return grouping.narrowed(asked, user, rows, cursor=cursor, size=size)
        except keyset.BadCursor as error:
            raise bad_parameter("cursor", str(error)) from error

    return found


def visible(user: User) -> FindingQuerySet:
    return complete(selectors.found(Query(), user))


def service_named(slug: str, user: User) -> Service:
    found = Service.objects.visible_to(user).filter(slug=slug).first()
    if found is None:
        raise bad_field("/service", f"No service “{slug}” that you may see.")
    if not user.may_write(found.team_id):
        raise PermissionDenied("You may see this service, but writing a finding takes the role member in its team.")
    return found


def environment_named(slug: str | None) -> Environment | None:
    if slug is None:
        return None
    found = Environment.objects.filter(slug=slug).first()
    if found is None:
        raise bad_field("/environment", f"No environment “{slug}”.")
    return found


def _owner_id(name: str | None, user: User) -> int | None:
    """A colleague: somebody in one of the user's teams. Who else has an account is not theirs to find out."""
    if name is None:
        return None
    people = User.objects.filter(is_active=True, username=name)
    if not user.is_admin and name != user.get_username():
        people = people.filter(memberships__team_id__in=user.team_ids).distinct()
    found = people.first()
    if found is None:
        raise bad_field("/owner", f"No user “{name}” in your teams.")
    return found.pk


def _team_id(slug: str | None, user: User) -> int | None:
    if slug is None:
        return None
    found = teams_visible_to(user).filter(slug=slug).first()
    if found is None:
        raise bad_field("/team", f"No team “{slug}” that you may see.")
    return found.pk


def update_of(sent: Mapping[str, Any], user: User) -> Update:
    fields: dict[str, Any] = {name: sent[name] for name in Update.NAMES if name in sent}
    if "owner" in fields:
        fields["owner"] = _owner_id(fields["owner"], user)
    if "team" in fields:
        fields["team"] = _team_id(fields["team"], user)
    return Update(fields=fields, comment=sent.get("comment", ""))


def transition_of(sent: Mapping[str, Any], to: str) -> Transition:
    return Transition(
        to=Status(to),
        reason=sent.get("reason", ""),
        comment=sent.get("comment", ""),
        until=sent.get("until"),
        expires_on=sent.get("expires_on"),
    )


def action_of(sent: Mapping[str, Any], user: User) -> Action:
    """The decision in a bulk request."""
    verb = sent["action"]
    if verb == "update":
        update = update_of(sent, user)
        if not update.fields:
            raise bad_field("/action", f"Say what to set: one or more of {', '.join(Update.NAMES)}.")
        return update
    to = enums.VERBS.get(verb) or sent.get("to")
    if not to:
        raise bad_field("/to", f"Say where to: one of {', '.join(enums.STATUSES)}.")
    return transition_of(sent, to)

"""Filters kept under a name: one's own, or shared with a team."""

from urllib.parse import parse_qsl, urlencode

from django.core.exceptions import PermissionDenied
from django.db import transaction

from platform_risk.core import changing
from platform_risk.core.access.audit import record
from platform_risk.core.access.selectors import saved_views_of
from platform_risk.core.errors import Refused
from platform_risk.core.models import SavedView, Team, User

# What of a list's address makes a view; the page one was on and what was open are not part of it.
KEPT = ("q", "view", "ordering")
MOST = 50


def _kept(query_string: str) -> str:
    pairs = parse_qsl(query_string.lstrip("?"), max_num_fields=50)
    return urlencode([(name, value) for name, value in pairs if name in KEPT])


@transaction.atomic
def save_view(*, user: User, name: str, query_string: str, team: Team | None = None) -> SavedView:
    """A view of the same name and sharing is replaced. Sharing takes the role member in the team."""
    if team is not None and not user.may_write(team.pk):
        raise PermissionDenied("Sharing a view takes the role member in its team.")
    name, query = name.strip(), _kept(query_string)
    same = SavedView.objects.select_for_update().filter(user=user, team=team, name=name).first()
    if same is not None:
        changes = changing.set_fields(same, {"query": query})
        if changes:
            record(user, "changed", "saved_view", same.pk, name, changes=changes)
        return same
    if SavedView.objects.filter(user=user).count() >= MOST:
        raise Refused(f"You have {MOST} saved views: delete one first.", field="name")
    view = SavedView(user=user, team=team, name=name, query=query)
    changing.save(view)
    shared = {"team": [None, team.slug]} if team is not None else {}
    record(user, "created", "saved_view", view.pk, name, changes={"query": ["", query], **shared})
    return view


def may_delete(view: SavedView, user: User) -> bool:
    return view.user_id == user.pk or (view.team_id is not None and user.may_manage(view.team_id))


def shown_to(user: User) -> list[tuple[SavedView, bool]]:
    """Views the user sees, each with whether they may delete it."""
    return [(view, may_delete(view, user)) for view in saved_views_of(user)]


@transaction.atomic
def delete_view(view: SavedView, *, user: User) -> None:
    """One's own; a shared one also by the team's managers."""
    if not may_delete(view, user):
        raise PermissionDenied("This view is somebody else's: its maker or a manager of its team can delete it.")
    record(user, "deleted", "saved_view", view.pk, view.name, changes={"query": [view.query, ""]})
    view.delete()

"""Names on an upload → where it goes. Page and API read them here, so they mean the same."""

import re
from datetime import datetime

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction

from platform_risk.core.access.audit import record
from platform_risk.core.catalog.models import slug_validator
from platform_risk.core.errors import Refused
from platform_risk.core.imports.services import Destination
from platform_risk.core.models import Environment, ImportKind, Service, User

COMPLETE = ("auto", "yes", "no")


@transaction.atomic
def resolve(
    *,
    user: User,
    service: str = "",
    environment: str = "",
    source: str = "",
    branch: str = "",
    kind: str = ImportKind.SCAN,
    format: str = "",
    formats: frozenset[str] = frozenset(),
    complete: str = "auto",
    observed_at: datetime | None = None,
    replay: bool = False,
    export: str = "",
    billing_account: str = "",
) -> Destination:
    """A bill is of no service: it has an export and a billing account; usage may be of one. An unknown service or
    environment is created when the user may. Raises Refused (with the field) for names that are no names,
    PermissionDenied for a service that the user sees but may not import into."""
    if complete not in COMPLETE:
        raise Refused(f"complete is one of {', '.join(COMPLETE)}.", field="complete")
    if format and format not in formats:
        raise Refused(f"format is one of {', '.join(sorted(formats))}; leave it out to have it found.", field="format")
    if kind not in ImportKind.values:
        raise Refused(f"kind is one of {', '.join(ImportKind.values)}.", field="kind")
    named = (
        ("source", source, 100), ("branch", branch, 250), ("export", export, 100),
        ("billing_account", billing_account, 200),
    )  # fmt: skip
    for field, text, longest in named:
        if len(text) > longest or not text.isprintable():
            raise Refused(f"{field} is at most {longest} printable characters.", field=field)
    is_cost = kind in (ImportKind.BILL, ImportKind.USAGE)
    of_all_teams = kind == ImportKind.BILL or (is_cost and not service.strip())
    if of_all_teams and not user.may_import_for_all:
        raise PermissionDenied("What is of no service concerns every team: importing it takes the role manager in one.")
    return Destination(
        service=None if of_all_teams else _service(service, user),
        environment=_environment(environment, user) if environment else None,
        source=source.strip(),
        branch=branch.strip(),
        kind=kind,
        format=format,
        complete=complete,
        observed_at=observed_at,
        replay=replay,
        export=export.strip() if is_cost else "",
        billing_account=billing_account.strip() if is_cost else "",
    )


def _slug(text: str, field: str) -> str:
    slug = re.sub(r"\s+", "-", text.strip().lower())
    if not slug:
        raise Refused(f"Name the {field}.", field=field)
    try:
        slug_validator(slug)
    except ValidationError as error:
        raise Refused(error.messages[0], field=field) from error
    return slug


def _service(text: str, user: User) -> Service:
    slug = _slug(text, "service")
    found = Service.objects.visible_to(user).filter(slug=slug).first()
    if found is not None:
        if not user.may_import_into(found):
            raise PermissionDenied("You may see this service, but importing takes the role member in its team.")
        return found
    team_ids = user.writing_team_ids
    if len(team_ids) != 1 and not user.sees_unowned:
        if not team_ids:
            raise PermissionDenied("Importing takes the role member in a team.")
        raise Refused("You are in several teams: create the service first and say whose it is.", field="service")
    if Service.objects.filter(slug=slug).exists():
        if Service.objects.visible_to(user).filter(slug=slug).exists():
            return _service(slug, user)  # somebody has made it since it was looked for
        # Of a team that the user does not see: that it exists is not theirs to know, but the name is taken.
        raise Refused("This name cannot be used: choose another.", field="service")
    team_id = team_ids[0] if len(team_ids) == 1 else None
    made, is_new = Service.objects.get_or_create(slug=slug, defaults={"team_id": team_id})
    if not is_new:
        return _service(slug, user)  # somebody else has made it this moment: it may be another team's
    record(user, "created", "service", made.pk, slug, reason="Named by an upload")
    return made


def _environment(text: str, user: User) -> Environment:
    slug = _slug(text, "environment")
    found = Environment.objects.filter(slug=slug).first()
    if found is not None:
        return found
    if not user.writing_team_ids and not user.is_admin:
        raise PermissionDenied("Creating an environment takes the role member in a team.")
    made, is_new = Environment.objects.get_or_create(slug=slug)
    if is_new:
        record(user, "created", "environment", made.pk, slug, reason="Named by an upload")
    return made

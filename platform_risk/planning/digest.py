"""Digests by mail: of a day, and of a week that has ended. Sent once to each who asked for it.

The row is taken before the mail goes, so that none goes twice; when the mail server refuses, it is given back and the
next round tries again.
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from smtplib import SMTPException
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.db.models import QuerySet
from django.template.loader import render_to_string
from django.utils import timezone

from platform_risk.core.models import User
from platform_risk.planning import reviews
from platform_risk.planning.models import Digest

logger = logging.getLogger(__name__)
KINDS = ("daily", "weekly")
HOUR = 6  # UTC, from which on they are sent
AT_ONCE = 200
_TITLES = {
    "new": "New", "regressed": "Came back", "closed": "Closed", "overdue": "Overdue",
    "expiring": "Acceptances that expire",
}  # fmt: skip


@dataclass(frozen=True)
class _List:
    """`query`: the same findings as a filter; "" in a week that has ended, which is kept as it was."""

    name: str
    rows: Sequence[Mapping[str, Any]]
    count: int
    query: str = ""

    @property
    def title(self) -> str:
        return _TITLES[self.name]


def day_of(kind: str) -> date:
    """What a digest sent now tells of: yesterday, or the Monday of last week."""
    return reviews.last_week() if kind == "weekly" else timezone.now().date() - timedelta(days=1)


def readers(kind: str) -> QuerySet[User]:
    return User.objects.filter(is_active=True, **{f"{kind}_digest": True}).exclude(email="").order_by("pk")


def content(kind: str, user: User, day: date) -> dict[str, Any] | None:
    """For the templates; None when there is nothing to tell."""
    told: dict[str, Any] = {"user": user, "kind": kind, "day": day, "site": settings.PUBLIC_URL.rstrip("/")}
    if kind == "daily":
        lists = reviews.day_figures(user, day)
        shown = [
            _List(name, rows, count, reviews.day_query(name, day)) for name, (rows, count) in lists.items() if rows
        ]
        return told | {"lists": shown} if shown else None
    found = reviews.review(user, day)
    if found is None or not (any(found.counts.values()) or found.costs):
        return None
    shown = [_List(name, rows[:10], count) for name, rows, count in found.lists if count]
    return told | {"review": found, "lists": shown, "costs": found.costs}


def subject(kind: str, told: dict[str, Any]) -> str:
    counts = ", ".join(f"{each.count} {each.title.lower()}" for each in told["lists"][:3]) or "costs moved"
    return f"Platform Risk, {'week of ' if kind == 'weekly' else ''}{told['day']}: {counts}"


def _headers(kind: str, site: str) -> dict[str, str]:
    """For mail programs: nobody is to answer, and where it is switched off (RFC 3834, 2369, 2919)."""
    headers = {"Auto-Submitted": "auto-generated", "X-Auto-Response-Suppress": "All"}
    if site:
        headers["List-Unsubscribe"] = f"<{site}/account/>"
        headers["List-Id"] = f"Platform Risk, {kind} digest <{kind}-digest.{urlsplit(site).hostname}>"
    return headers


def send(kind: str, user: User) -> bool:
    """Whether a mail went out. Safe to call twice."""
    day = day_of(kind)
    row, is_ours = Digest.objects.get_or_create(user=user, kind=kind, of_day=day)
    if not is_ours:
        return False
    told = content(kind, user, day)
    if told is not None:
        text = render_to_string("planning/digest.txt", told)
        mail = EmailMultiAlternatives(
            subject(kind, told), text, settings.DEFAULT_FROM_EMAIL, [user.email], headers=_headers(kind, told["site"])
        )
        mail.attach_alternative(render_to_string("planning/digest.html", told), "text/html")
        try:
            mail.send()
        except (SMTPException, OSError):
            logger.exception("the %s digest to user %s could not be sent", kind, user.pk)
            row.delete()
            return False
    Digest.objects.filter(pk=row.pk).update(sent_at=timezone.now())
    return told is not None


def send_all() -> int:
    """Every hour: what nobody has sent yet."""
    if timezone.now().hour < HOUR:
        return 0
    sent = 0
    for kind in KINDS:
        have = Digest.objects.filter(kind=kind, of_day=day_of(kind)).values("user_id")
        for user in readers(kind).exclude(pk__in=have)[:AT_ONCE]:
            sent += send(kind, user)
    return sent

"""Template tags of the look: `{% load ui %}`. The vocabulary comes in as plain strings: the core knows no app."""

import re
import zlib
from datetime import date, datetime
from typing import Any
from urllib.parse import urlencode

from django import template
from django.forms import BoundField, CheckboxInput, CheckboxSelectMultiple, RadioSelect
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

register = template.Library()

NOBODY = mark_safe('<span class="av none" aria-hidden="true"></span>')
NEVER = mark_safe('<span class="faint">never</span>')
NO_DATE = mark_safe('<span class="faint">no date</span>')

LANES = {"immediate": "imm", "critical": "cri", "important": "imp", "optimization": "opt"}
_STATUS_TONES = {"fixed": "ok", "verified": "ok"}
_STATUSES = ("new", "triaged", "in_progress", "fixed", "verified", "snoozed", "accepted", "dismissed")
_SEVERITY_TONES = {"critical": "bad", "high": "warn"}
_IMPORT_TONES = {"done": "p-ok", "failed": "p-imm", "running": "p-acc"}
_IMPORT_ICONS = {"done": "check", "failed": "immediate", "running": "imports", "queued": "clock", "cancelled": "close"}


_SHORT = re.compile(r"\b(?:api|cpu|dns|gb|id|rpo|rto|slo|ttl|url|usd)\b", re.IGNORECASE)


def _words(value: object) -> str:
    return _SHORT.sub(lambda found: found[0].upper(), str(value).replace("_", " ").capitalize())


@register.simple_tag
def icon(name: str) -> SafeString:
    """A decorative icon: what it means stands beside it or in an aria-label."""
    return format_html('<svg class="i" aria-hidden="true"><use href="#i-{}"/></svg>', name)


@register.filter
def lane_class(lane: str) -> str:
    """imm, cri, imp or opt: for .lane, .p-…, .d-… and .f-…"""
    return LANES.get(str(lane), "opt")


@register.simple_tag
def lane_pill(lane: str) -> SafeString:
    return format_html('<span class="pill p-{}">{}{}</span>', lane_class(lane), icon(str(lane)), _words(lane))


@register.simple_tag
def status_badge(status: str, *, regressed: bool = False) -> SafeString:
    """A finding's status; `regressed=True` says that it came back."""
    name = str(status) if str(status) in _STATUSES else "info"
    if regressed:
        return format_html('<span class="badge bad">{}{}, came back</span>', icon("regressed"), _words(status))
    return format_html('<span class="badge {}">{}{}</span>', _STATUS_TONES.get(name, ""), icon(name), _words(status))


@register.simple_tag
def severity_badge(severity: str) -> SafeString:
    return format_html('<span class="badge {}">{}</span>', _SEVERITY_TONES.get(str(severity), ""), _words(severity))


@register.simple_tag
def import_pill(state: str) -> SafeString:
    """An import's state."""
    name = str(state)
    return format_html(
        '<span class="pill {}">{}{}</span>',
        _IMPORT_TONES.get(name, "p-none"), icon(_IMPORT_ICONS.get(name, "info")), _words(name),
    )  # fmt: skip


@register.simple_tag
def avatar(who: Any) -> SafeString:
    """Initials of a user or a team, in a colour that stays theirs; a dashed ring for nobody. Decorative: the name
    stands beside it."""
    if not who:
        return NOBODY
    name = str(getattr(who, "username", "") or getattr(who, "name", "") or who)
    parts = [part for part in name.replace(".", " ").replace("-", " ").replace("_", " ").split() if part]
    initials = (parts[0][0] + parts[1][0] if len(parts) > 1 else name[:2]).upper()
    return format_html(
        '<span class="av c{}" aria-hidden="true">{}</span>', zlib.crc32(name.encode("utf-8", "replace")) % 4, initials
    )


@register.simple_tag
def findings_url(q: str = "", **more: Any) -> str:
    """The findings list with this filter: {% findings_url "is:open lane:immediate" %}. Every figure links to what it
    counts through this."""
    query = {key: value for key, value in {"q": q, **more}.items() if value != ""}
    return reverse("findings:finding-list") + (f"?{urlencode(query)}" if query else "")


@register.filter
def ago(moment: datetime | None) -> SafeString:
    """How long ago, as <time> with the exact moment; "never" for none."""
    if moment is None:
        return NEVER
    seconds = (timezone.now() - moment).total_seconds()
    for size, word in ((86400 * 365, "year"), (86400 * 30, "month"), (86400, "day"), (3600, "hour"), (60, "minute")):
        if abs(seconds) >= size:
            count = int(abs(seconds) // size)
            words = f"{count} {word}{'' if count == 1 else 's'}"
            return _time(moment, f"{words} ago" if seconds > 0 else f"in {words}")
    return _time(moment, "just now")


@register.filter
def moment(value: datetime | None) -> SafeString:
    """Date and time, UTC."""
    if value is None:
        return NEVER
    return _time(value, f"{value:%Y-%m-%d %H:%M} UTC")


def _time(value: datetime, words: str) -> SafeString:
    return format_html(
        '<time datetime="{}" title="{}">{}</time>', value.isoformat(), f"{value:%Y-%m-%d %H:%M} UTC", words
    )


@register.filter
def due(day: date | None) -> SafeString:
    """A due date as one reads it: overdue in colour and in words."""
    if day is None:
        return NO_DATE
    days = (day - timezone.now().date()).days
    tone, words = "", f"{days} d left"
    if days < 0:
        tone, words = "bad", f"Overdue {-days} d"
    elif days == 0:
        tone, words = "warn", "Due today"
    elif days <= 3:
        tone, words = "warn", f"Due in {days} d"
    return format_html('<time class="due {}" datetime="{}" title="{}">{}</time>', tone, day, day, words)


@register.filter
def thousands(number: int | None) -> str:
    """12,345; a dash for what is not known (never 0)."""
    return "–" if number is None else f"{number:,}"


@register.filter
def words(value: object) -> str:
    """in_progress → In progress, rpo_minutes → RPO minutes"""
    return _words(value)


_FACTS = re.compile(r"facts: (\S+(?: and [a-z_]+\.\S+)*)")


@register.filter
def fact_names(provide: str) -> list[str]:
    """What a check asks for: "facts: metrics.price and metrics.price_unit" → both names."""
    found = _FACTS.search(provide)
    return [name.rstrip(",.;:") for name in found[1].split(" and ")] if found else []


@register.filter
def lookup(mapping: Any, key: Any) -> Any:
    """mapping[key], or "" """
    return mapping.get(key, "") if mapping else ""


@register.inclusion_tag("shared/_field.html")
def field(bound: BoundField) -> dict[str, Any]:
    """A form's field with label, help and errors, tied together for screen readers by Django's own ids."""
    widget = bound.field.widget
    return {
        "field": bound,
        "is_check": isinstance(widget, CheckboxInput),
        "is_group": isinstance(widget, RadioSelect | CheckboxSelectMultiple),
        "optional": not bound.field.required and not isinstance(widget, CheckboxInput),
    }

"""Bars of open findings by lane as SVG: widths are attributes, for the content security policy forbids styles."""

from collections.abc import Iterable, Mapping
from typing import Any

from django import template
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from platform_risk.core.templatetags.ui import LANES

register = template.Library()

WIDTH = 200
LEAST = 3.0  # a count that is not zero stays visible
GAP = 1.0


@register.filter
def most_open(rows: Iterable[Any]) -> int:
    """The largest number of open findings among rows: the common scale of their bars."""
    return max((row.open for row in rows), default=0)


@register.simple_tag
def lane_bar(by_lane: Mapping[str, int], scale: int = 0) -> SafeString:
    """Open findings by lane, side by side; as wide as the whole bar when they are `scale` (0: their own sum)."""
    counts = [(lane, by_lane.get(lane, 0)) for lane in LANES]
    full = max(scale, sum(count for _, count in counts))
    words = ", ".join(f"{count:,} {lane}" for lane, count in counts if count) or "none open"
    shown = [(lane, count) for lane, count in counts if count]
    x = 0.0
    parts = []
    for lane, count in shown:
        width = max(count / full * (WIDTH - (len(shown) - 1) * GAP), LEAST)
        parts.append((LANES[lane], round(x, 1), round(width, 1)))
        x += width + GAP
    # Least widths may add up to more than there is: the box grows with them.
    return format_html(
        '<svg class="lane-bar" viewBox="0 0 {} 8" preserveAspectRatio="none" role="img" aria-label="{}">{}</svg>',
        round(max(float(WIDTH), x - GAP), 1),
        words,
        format_html_join("", '<rect class="f-{}" x="{}" width="{}" height="8"/>', parts),
    )

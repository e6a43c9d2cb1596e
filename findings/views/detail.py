"""One finding: what it is, where, who saw it, what was decided, and what can be decided now."""

from dataclasses import dataclass
from typing import Any

from django import forms
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from findings import figures, presentation, risk_presentation, selectors, services
from findings.checks.registry import CHECKS
from findings.checks.remedies import remedies
from findings.forms import SINGLE_FORMS, TITLES, VERB_OF, CommentForm, DecisionForm
from findings.models import Finding
from findings.views.answers import back_to, decided, is_fragment
from platform_risk.core.access.requests import user_of
from platform_risk.core.errors import Conflict, Refused, Stale
from platform_risk.core.forms import refused
from platform_risk.core.models import User
from platform_risk.core.views.saving import posted

ICONS = {
    "assign": "user", "tags": "tag", "severity": "edit", "snooze": "snoozed", "accept": "accepted",
    "dismiss": "dismissed", "new": "undo", "lane": "grid",
}  # fmt: skip
# What one most often does comes first.
ORDER = (
    "assign", "dismiss", "snooze", "accept", "triaged", "in_progress", "fixed", "verified", "new", "severity",
    "lane", "tags",
)  # fmt: skip


@dataclass(frozen=True)
class Verb:
    name: str
    title: str
    icon: str


def verbs(finding: Finding) -> list[Verb]:
    may = {VERB_OF[status] for status in presentation.allowed(finding)} | {"assign", "severity", "lane", "tags"}
    return [Verb(name, TITLES[name], ICONS.get(name, name)) for name in ORDER if name in may]


def shown(finding: Finding, user: User) -> dict[str, Any]:
    """The context of findings/_finding.html."""
    sightings = presentation.sightings(finding)
    may_change = presentation.may_change(finding, user)
    return {
        "finding": finding,
        "may_change": may_change,
        "verbs": verbs(finding) if may_change else [],
        "excerpt": presentation.excerpt(finding),
        "evidence": presentation.evidence(finding),
        "figures": figures.laid_open(finding.quantities),
        "sightings": sightings,
        "last_seen_at": selectors.last_seen_at(finding, sightings),
        "risk": risk_presentation.section(finding, user),
        "sees_service": user.may_see(finding.service.team_id),
        "sees_team": user.may_see(finding.team_id),
        "story": presentation.story(finding, user),
        "comment_form": CommentForm(),
    }


def _one(request: HttpRequest, number: int) -> tuple[Finding, User]:
    user = user_of(request)
    finding = presentation.one(user, number)
    if finding is None:
        raise Http404("No such finding that you may see.")
    return finding, user


@require_safe
def finding_detail(request: HttpRequest, number: int) -> HttpResponse:
    finding, user = _one(request, number)
    what_if = figures.changed(finding.check_id, finding.quantities, request.GET.dict()) if finding.check_id else None
    check = CHECKS[finding.check_id].meta if finding.check_id in CHECKS else None
    planned = [remedies()[each] for each in check.remedies] if check else []
    more = {"what_if": what_if, "check": check, "remedies": planned}
    return render(request, "findings/detail.html", shown(finding, user) | more)


@require_safe
def panel(request: HttpRequest, number: int) -> HttpResponse:
    """The same, to stand beside the list."""
    finding, user = _one(request, number)
    return render(request, "findings/_panel.html", shown(finding, user))


def _form(finding: Finding, verb: str, user: User, data: Any = None) -> DecisionForm:
    initial: dict[str, Any] = {}
    if verb == "tags":
        initial = {"tags": ", ".join(finding.tags)}
    elif verb == "severity":
        initial = {"severity": finding.severity if finding.severity_source == "user" else ""}
    elif verb == "lane":
        initial = {"lane": finding.lane if finding.lane_from == "user" else ""}
    return SINGLE_FORMS[verb](data, user=user, initial=initial)


def _expected(request: HttpRequest) -> int | None:
    text = request.POST.get("version", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None


@require_http_methods(["GET", "HEAD", "POST"])
def decide(request: HttpRequest, number: int, verb: str) -> HttpResponse:
    """A decision about one finding: its form, then carrying it out."""
    finding, user = _one(request, number)
    if verb not in SINGLE_FORMS:
        raise Http404("No such decision.")
    if not presentation.may_change(finding, user):
        raise PermissionDenied("Changing this finding takes the role member in its team.")
    here = reverse("findings:finding-detail", args=[number])
    form = _form(finding, verb, user, posted(request))
    if request.method == "POST" and form.is_valid() and _carried_out(finding, form, user, _expected(request)):
        text = f"#{finding.pk}: {TITLES[verb].lower()}, done."
        decision = presentation.last_decision(finding, user)
        return decided(request, text, back=back_to(request, here), decision=decision)
    context = {
        "finding": finding, "form": form, "verb": verb, "title": TITLES[verb], "back": here,
        "action": request.path, "allowed": [VERB_OF[status] for status in presentation.allowed(finding)],
    }  # fmt: skip
    template = "findings/_decide.html" if is_fragment(request) else "findings/decide.html"
    return render(request, template, context, status=422 if form.is_bound else 200)


def _carried_out(finding: Finding, form: DecisionForm, user: User, expected: int | None) -> bool:
    try:
        services.change(finding, form.action(), user=user, source="page", expected_version=expected)
    except (Refused, Conflict) as error:
        refused(form, error)
        return False
    except Stale:
        finding.refresh_from_db()
        status = finding.status.replace("_", " ")
        form.add_error(None, f"It was changed in the meantime and is {status} now. Send again if you still mean it.")
        return False
    return True


@require_POST
def comment(request: HttpRequest, number: int) -> HttpResponse:
    finding, user = _one(request, number)
    if not presentation.may_change(finding, user):
        raise PermissionDenied("Commenting takes the role member in the finding's team.")
    form = CommentForm(request.POST)
    here = reverse("findings:finding-detail", args=[number])
    if _commented(finding, form, user):
        return decided(request, "The comment was added.", back=back_to(request, here))
    return render(request, "findings/detail.html", shown(finding, user) | {"comment_form": form}, status=422)


def _commented(finding: Finding, form: forms.Form, user: User) -> bool:
    if not form.is_valid():
        return False
    try:
        services.comment(finding, form.cleaned_data["text"], user=user)
    except Refused as error:
        refused(form, error)
        return False
    return True

"""One decision for a selection, for whole groups, or for everything that a filter finds; and taking it back."""

from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from findings import bulk, presentation, selectors, services
from findings.forms import FORMS, TITLES, DecisionForm
from findings.models import BulkAction
from findings.query import Query, QueryError, parse
from findings.tasks import run_bulk
from findings.views.answers import back_to, decided, is_fragment, refused
from platform_risk.core.access.requests import user_of
from platform_risk.core.errors import Conflict, Refused
from platform_risk.core.forms import refused as refused_at
from platform_risk.core.models import User


@dataclass(frozen=True)
class Selection:
    """What was ticked: findings, groups (rule and service of the filter), or the whole filter."""

    query: Query
    ids: list[int]
    groups: list[str]
    whole: bool

    @classmethod
    def read(cls, data: Any) -> "Selection":
        ids = [int(text) for text in data.getlist("id") if text.isascii() and text.isdigit() and len(text) < 19]
        return cls(parse(data.get("q", "")), ids, data.getlist("group")[:1000], data.get("whole") == "1")

    @property
    def is_empty(self) -> bool:
        return not (self.ids or self.groups or self.whole)

    def resolved(self, user: User) -> dict[str, Any]:
        """As bulk.begin takes it: `q` or `ids`."""
        if self.whole:
            return {"q": self.query.text()}
        ids = list(self.ids)
        for group in self.groups:
            service, _, rule = group.partition(" ")
            rows = selectors.found(presentation.group_query(self.query, rule, service), user)
            ids += rows.values_list("pk", flat=True)
        return {"ids": list(dict.fromkeys(ids))}

    def count(self, user: User) -> int:
        what = self.resolved(user)
        return len(what["ids"]) if "ids" in what else selectors.capped_count(selectors.found(self.query, user), 10**6)


@require_POST
def decide(request: HttpRequest, verb: str) -> HttpResponse:
    """First with the selection alone, to be asked what exactly; then with the answers, to carry it out."""
    user = user_of(request)
    back = back_to(request, reverse("findings:finding-list"))
    if verb not in FORMS:
        raise Http404("No such decision.")
    try:
        selection = Selection.read(request.POST)
        count = selection.count(user)
    except QueryError as error:
        return refused(request, str(error), back=back)
    if selection.is_empty or not count:
        return refused(request, "Nothing is selected.", back=back)
    answered = request.POST.get("answered") == "1"
    form = FORMS[verb](request.POST if answered else None, user=user)
    if answered and form.is_valid():
        begun = _begun(selection, form, user)
        if begun is not None:
            return _answer(request, verb, begun[0], queued=begun[1], back=back)
    context = {
        "form": form, "verb": verb, "title": TITLES[verb], "back": back, "action": request.path,
        "selection": selection, "count": count, "q": selection.query.text(),
    }  # fmt: skip
    template = "findings/_decide.html" if is_fragment(request) else "findings/decide.html"
    return render(request, template, context, status=422 if form.is_bound else 200)


def _begun(selection: Selection, form: DecisionForm, user: User) -> tuple[BulkAction, bool] | None:
    try:
        return bulk.begin(user=user, action=form.action(), source="page", **selection.resolved(user))
    except (Refused, Conflict) as error:
        refused_at(form, error)
        return None


def _answer(request: HttpRequest, verb: str, decision: BulkAction, *, queued: bool, back: str) -> HttpResponse:
    if queued:
        # Robust: with the broker away the row still stands, and upkeep finds it.
        transaction.on_commit(lambda: run_bulk.delay(decision.pk), robust=True)
        address = reverse("findings:decision", args=[decision.pk])
        if is_fragment(request):
            return HttpResponse(status=204, headers={"HX-Redirect": address})
        return redirect(address)
    return decided(request, said(verb, decision), back=back, decision=decision)


def said(verb: str, decision: BulkAction) -> str:
    text = f"{TITLES[verb]}: {decision.applied:,} of {decision.matched:,} findings."
    if decision.refused:
        text += f" {decision.refused:,} were in a state that does not allow it."
    return text


def _decision(request: HttpRequest, pk: int) -> BulkAction:
    found = selectors.bulk_of(user_of(request), pk)
    if found is None:
        raise Http404("No such decision of yours.")
    return found


@require_safe
def decision(request: HttpRequest, pk: int) -> HttpResponse:
    """What came of a decision; while a worker is at it the page asks again."""
    found = _decision(request, pk)
    template = "findings/_decision.html" if is_fragment(request) else "findings/decision.html"
    return render(request, template, {"decision": found, "waiting": found.state in ("queued", "running")})


@require_POST
def undo(request: HttpRequest, pk: int) -> HttpResponse:
    found = _decision(request, pk)
    back = back_to(request, reverse("findings:decision", args=[pk]))
    try:
        count = services.take_back(found, user=user_of(request), source="page")
    except (Refused, Conflict) as error:
        return refused(request, str(error), back=back)
    left = found.applied - count
    text = f"Taken back for {count:,} finding{'' if count == 1 else 's'}."
    if left:
        text += f" {left:,} changed since and stay as they are."
    return decided(request, text, back=back)

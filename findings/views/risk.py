"""Pages of risk: matrix, exceedance, what was stated, how lanes are decided."""

from functools import cache
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from findings import placements, policy, portfolio, presentation, risk_presentation, stating, tasks
from findings.models import Finding, RiskInput
from findings.portfolio import ALL
from findings.query import UNITS, VIEWS, Query, QueryError, parse
from findings.risk.estimates import matrix_of
from findings.risk.lanes import CLASS_OF_LINES, RISK_TABLE, TABLE
from findings.risk.matrix import Lint, lint
from findings.risk.stating import NAMES
from findings.risk_forms import InputForm, ServiceInputForm, ThresholdsForm
from platform_risk.core.access.requests import user_of
from platform_risk.core.errors import Conflict, Refused
from platform_risk.core.forms import refused
from platform_risk.core.models import Service
from platform_risk.core.views.saving import posted, reason_of

GROUPS_SHOWN = 20
POINTS_SHOWN = 40
_VIEW_WORDS = {"current": "As it is", "inherent": "Inherent", "after": "After remedies"}
_ORDERS = {"minutes": "Bad minutes", "loss": "Loss", "findings": "Findings"}


def _one_of(request: HttpRequest, name: str, allowed: Any) -> str:
    given = request.GET.get(name, "")
    return given if given in allowed else next(iter(allowed))


@require_safe
def matrix(request: HttpRequest) -> HttpResponse:
    user = user_of(request)
    unit, view = _one_of(request, "unit", UNITS), _one_of(request, "view", VIEWS)
    chart, order = _one_of(request, "chart", ("matrix", "scatter")), _one_of(request, "order", _ORDERS)
    error, status = "", 200
    try:
        query = parse(request.GET.get("q", ""))
        found = placements.matrix(user, unit=unit, view=view, query=query)
    except QueryError as refusal:
        query, error, status = Query(), str(refusal), 400
        found = placements.matrix(user, unit=unit, view=view)
    scatter, standings = risk_presentation.scatter(user, unit, view, query) if chart == "scatter" else (None, [])
    context = {
        "matrix": found,
        "rows": risk_presentation.matrix_rows(found, query),
        "columns": risk_presentation.columns(unit),
        "unplaced_url": risk_presentation.list_of_cell(found, "none", query),
        "unit": unit, "view": view, "chart": chart, "order": order, "q": request.GET.get("q", "")[:2000],
        "error": error, "views": _VIEW_WORDS, "orders": _ORDERS,
        "scatter": scatter, "standings": standings,
        "sums": portfolio.sums(user),
        "groups": risk_presentation.groups(user, order=order, shown=GROUPS_SHOWN),
        "missing": _missing(request), "lint": _lint(unit),
        "controls": portfolio.controls(user) if view == "inherent" else [],
        "exports": {
            "matrix": _csv("api:risk-matrix", unit=unit, view=view, q=query.text()),
            "groups": _csv("api:risk-groups", order=order),
        },
        "tab": "matrix",
    }  # fmt: skip
    return render(request, "findings/risk_matrix.html", context, status=status)


def _csv(name: str, **asked: str) -> str:
    """The same table as a file: of what the page was asked for."""
    return f"{reverse(name)}?{urlencode({'format': 'csv'} | {key: value for key, value in asked.items() if value})}"


@cache
def _lint(unit: str) -> Lint:
    return lint(matrix_of(unit), pairs=100_000)


def _missing(request: HttpRequest) -> dict[str, Any]:
    user = user_of(request)
    return {
        "lacking": [(each, risk_presentation.title_of(each.input)) for each in portfolio.missing(user)],
        "assumed": [
            (each, risk_presentation.title_of(each.input)) for each in portfolio.missing(user, column="defaulted")
        ],
    }


@require_safe
def exceedance(request: HttpRequest) -> HttpResponse:
    user = user_of(request)
    drawn, held = tasks.drawn(user, ALL), portfolio.last_policy()
    units = list((drawn.result or {}).get("exceedance", {})) if drawn is not None else []
    # Money first, where there is any: minutes have no tolerance line.
    units.sort(key=lambda each: each == "minutes")
    unit = _one_of(request, "unit", units or ["minutes"])
    chart, points = risk_presentation.exceedance(drawn, held, unit)
    result = (drawn.result or {}) if drawn is not None else {}
    context = {
        "drawn": drawn, "unit": unit, "units": units, "chart": chart, "policy": held,
        "points": points[:: max(1, len(points) // POINTS_SHOWN)],
        "spread": result.get("minutes") if unit == "minutes" else (result.get("losses") or {}).get(unit),
        "breaches": risk_presentation.breaches(points, held, unit),
        "services": sorted((result.get("services") or {}).items()),
        "seen": set(Service.objects.visible_to(user).values_list("slug", flat=True)),
        "sums": portfolio.sums(user),
        "is_waiting": drawn is not None and drawn.state in ("queued", "running"),
        "tab": "exceedance",
    }  # fmt: skip
    return render(request, "findings/risk_exceedance.html", context)


# --- what was stated


@require_http_methods(["GET", "HEAD", "POST"])
def inputs(request: HttpRequest) -> HttpResponse:
    """Everything stated that the user may see; a form for what holds for a service or a check in it."""
    user = user_of(request)
    services = presentation.writable_services(user)
    data = posted(request)
    begin = {"service": request.GET.get("service", ""), "check_id": request.GET.get("check", "")}
    form = ServiceInputForm(data, services=services, initial=begin)
    if form.is_bound and form.is_valid() and _stated_of_service(request, form):
        return redirect("risk:inputs")
    rows = portfolio.inputs_visible_to(user).order_by("service__slug", "check_id", "finding_id", "name")
    context = {
        "statements": risk_presentation.statements(rows[:500]),
        "form": form if services.exists() else None,
        "missing": _missing(request),
        "sums": portfolio.sums(user),
        "tab": "inputs",
    }
    return render(request, "findings/risk_inputs.html", context, status=422 if form.is_bound else 200)


def _stated_of_service(request: HttpRequest, form: ServiceInputForm) -> bool:
    data = form.cleaned_data
    try:
        row = stating.state(
            user=user_of(request), through="page", service=data["service"], check=data["check_id"],
            name=data["name"], **form.stated(),
        )  # fmt: skip
    except Refused as error:
        refused(form, _at_the_numbers(error))
        return False
    messages.success(request, _now_stated(row))
    return True


def _at_the_numbers(error: Refused) -> Refused:
    """The form has no field of that name: it is said above it."""
    return Refused(str(error), field={"source": "basis"}.get(error.field, error.field))


def _input(request: HttpRequest, pk: int) -> RiskInput:
    return get_object_or_404(portfolio.inputs_visible_to(user_of(request)), pk=pk)


def _back(row_finding: int | None) -> str:
    return (
        reverse("risk:inputs")
        if row_finding is None
        else f"{reverse('findings:finding-detail', args=[row_finding])}#risk"
    )


@require_http_methods(["GET", "HEAD", "POST"])
def change_input(request: HttpRequest, pk: int) -> HttpResponse:
    user, row = user_of(request), _input(request, pk)
    if not stating.may_state(user, row.service, row.finding):
        raise PermissionDenied("Stating this input takes the role member in its team.")
    begin = {"kind": row.kind, "basis": row.source, "confidence": row.confidence, **row.numbers}
    form = InputForm(posted(request), name=row.name, initial=begin)
    if form.is_bound and form.is_valid():
        try:
            row = stating.restate(row, user=user, through="page", **form.stated())
        except Refused as error:
            refused(form, _at_the_numbers(error))
        else:
            messages.success(request, _now_stated(row))
            return redirect(_back(row.finding_id))
    context = {
        "form": form, "row": row, "title": risk_presentation.title_of(row.name), "back": _back(row.finding_id),
        "unit": risk_presentation.in_unit(row.name, row.service.currency),
    }  # fmt: skip
    return render(request, "findings/risk_state.html", context, status=422 if form.is_bound else 200)


@require_POST
def withdraw_input(request: HttpRequest, pk: int) -> HttpResponse:
    user, row = user_of(request), _input(request, pk)
    if not stating.may_state(user, row.service, row.finding):
        raise PermissionDenied("Taking it back takes the role member in its team.")
    back = _back(row.finding_id)
    stating.withdraw(row, user=user, through="page", reason=reason_of(request))
    messages.success(request, "It is taken back: what is measured or assumed holds again.")
    return redirect(back)


@require_http_methods(["GET", "HEAD", "POST"])
def state_of_finding(request: HttpRequest, number: int, name: str) -> HttpResponse:
    """States an input of one finding."""
    user = user_of(request)
    finding = presentation.one(user, number)
    if finding is None or name not in NAMES:
        raise Http404("No such finding that you may see, or no such input.")
    if not stating.may_state(user, finding.service, finding):
        raise PermissionDenied("Stating this input takes the role member in the finding's team.")
    form = InputForm(posted(request), name=name)
    if form.is_bound and form.is_valid() and _stated_of_finding(request, form, finding, name):
        return redirect(_back(finding.pk))
    context = {
        "form": form, "finding": finding, "title": risk_presentation.title_of(name), "back": _back(finding.pk),
        "unit": risk_presentation.in_unit(name, finding.service.currency),
    }  # fmt: skip
    return render(request, "findings/risk_state.html", context, status=422 if form.is_bound else 200)


def _stated_of_finding(request: HttpRequest, form: InputForm, finding: Finding, name: str) -> bool:
    user = user_of(request)
    try:
        row = stating.state(
            user=user, through="page", service=finding.service, finding=finding, name=name, **form.stated()
        )  # fmt: skip
    except Refused as error:
        refused(form, _at_the_numbers(error))
        return False
    messages.success(request, _now_stated(row))
    return True


def _now_stated(row: RiskInput) -> str:
    """With the unit: who took minutes for seconds sees it here."""
    return f"{risk_presentation.title_of(row.name)}: {stating.said(row)}. The figures follow it."


# --- lanes


@require_http_methods(["GET", "HEAD", "POST"])
def lanes(request: HttpRequest) -> HttpResponse:
    """How lanes are decided; an administrator changes thresholds, after seeing what moves."""
    user, held = user_of(request), portfolio.last_policy()
    form = ThresholdsForm(posted(request), initial=_thresholds(held))
    moves = None
    if form.is_bound:
        if not user.is_admin:
            raise PermissionDenied("Changing how lanes are decided takes an administrator.")
        if form.is_valid():
            applied, moves = _try(request, form)
            if applied:
                return redirect("risk:lanes")
    context = {
        "form": form if user.is_admin else None, "policy": held, "limits": portfolio.thresholds(), "moves": moves,
        "first": [
            (_in_words(line, of), lane) for (_, lane, line), of in zip(TABLE, CLASS_OF_LINES, strict=True)
        ],
        "second": [(rule.__doc__ or "", lane, stated) for rule, lane, stated in RISK_TABLE],
        "tab": "lanes",
    }  # fmt: skip
    return render(request, "findings/risk_lanes.html", context, status=422 if form.errors else 200)


def _in_words(line: str, risk_class: str) -> str:
    return line.format(risk_class=risk_class, severity="Low or info")


def _thresholds(held: Any) -> dict[str, Any]:
    limits = portfolio.thresholds().as_json()
    points = [] if held is None else held.tolerance
    return limits | {
        "tolerance": "\n".join(f"{amount} {probability:g}" for amount, probability in points),
        "currency": "USD" if held is None else held.currency,
    }


def _try(request: HttpRequest, form: ThresholdsForm) -> tuple[bool, Any]:
    """(it was applied, what would move)"""
    data = form.cleaned_data
    try:
        limits = policy.check(form.thresholds())
        points = data["tolerance"]
        policy.check_tolerance(points)
        policy.check_currency(data["currency"])
        if request.POST.get("apply") != "1":
            return False, policy.preview(limits)
        policy.change(
            user=user_of(request), thresholds=form.thresholds(), tolerance=points, currency=data["currency"],
            reason=data["reason"], through="page",
        )  # fmt: skip
    except (Refused, Conflict) as error:
        refused(form, error)
        return False, None
    messages.success(request, "Lanes are decided by these thresholds now.")
    return True, None

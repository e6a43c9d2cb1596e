"""Imports: handing files in, watching them, and what each one changed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from costs import reconciling, using
from costs.bills import charges_csv
from costs.bills.records import BillError
from findings import presentation, selectors
from platform_risk.core import keyset
from platform_risk.core.access.requests import user_of
from platform_risk.core.catalog.selectors import environments
from platform_risk.core.errors import Refused
from platform_risk.core.imports import services
from platform_risk.core.models import Import, ImportKind, ImportState, User
from platform_risk.core.views.saving import done, posted, reason_of, saved
from platform_risk.joint import columns as asking
from platform_risk.joint.forms import ColumnsForm, ReasonForm, UploadForm
from platform_risk.joint.receiving import enqueue, hand_in, take_back, together

PAGE_SIZE = 50
UNFINISHED = (ImportState.QUEUED, ImportState.RUNNING)
WITHOUT_COLUMNS = ("mapping_needed", "unclear_comma")
FORMATS_WITH_COLUMNS = ("findings-csv", "findings-json", charges_csv.NAME)


def _visible(user: User) -> QuerySet[Import]:
    return Import.objects.visible_to(user).select_related("service", "environment", "created_by", "duplicate_of")


def _may_change(row: Import, user: User) -> bool:
    return user.may_change_import(row.service, row.kind, row.created_by_id)


def _one(request: HttpRequest, pk: int, *, to_change: bool = False) -> Import:
    user = user_of(request)
    row = get_object_or_404(_visible(user), pk=pk)
    if to_change and not _may_change(row, user):
        raise PermissionDenied("Changing this import takes the role member in its service's team.")
    return row


# --- the list


def _listed(request: HttpRequest) -> dict[str, Any]:
    user = user_of(request)
    wanted = {name: request.GET.get(name, "")[:80] for name in ("state", "service")}
    rows = _visible(user).defer("coverage")
    if wanted["state"] in ImportState.values:
        rows = rows.filter(state=wanted["state"])
    if wanted["service"]:
        rows = rows.filter(service__slug=wanted["service"])
    try:
        page = keyset.page(rows, ordering=("-id",), cursor=request.GET.get("cursor"), size=PAGE_SIZE)
    except keyset.BadCursor as error:
        raise Http404(str(error)) from error
    rest = urlencode({name: value for name, value in wanted.items() if value})
    return {
        "page": page,
        "live": any(row.state in UNFINISHED for row in page.rows),
        "query": f"{rest}&" if rest else "",
        "here": request.GET.urlencode(),
        **wanted,
    }


@require_http_methods(["GET", "HEAD", "POST"])
def import_list(request: HttpRequest) -> HttpResponse:
    """The list with its form. Scripts send each file by itself and read JSON; without them several come at once."""
    user = user_of(request)
    if request.method == "POST":
        return _received(request, user)
    return _list_page(request, user, UploadForm(initial=_named(request)))


def _named(request: HttpRequest) -> dict[str, str]:
    """What the address fills in: a service, and what kind of file somebody was sent here to hand in."""
    named = {name: request.GET.get(name, "")[:80] for name in ("service", "kind")}
    return {name: value for name, value in named.items() if value}


def _list_page(request: HttpRequest, user: User, form: UploadForm) -> HttpResponse:
    limits = settings.IMPORT_LIMITS["scan"]
    context = {
        "form": form,
        "may_import": user.is_admin or bool(user.writing_team_ids),
        "services": presentation.writable_services(user).values_list("slug", flat=True)[:500],
        "environments": environments().values_list("slug", flat=True)[:500],
        "limit_bytes": limits["stored_bytes"],
        "states": ImportState.choices,
        **_listed(request),
    }
    return render(request, "joint/imports.html", context, status=422 if form.is_bound else 200)


def _received(request: HttpRequest, user: User) -> HttpResponse:
    form = UploadForm(request.POST)
    uploads = request.FILES.getlist("file")
    if not uploads:
        form.add_error(None, "Choose a file.")
    made: list[Import] = []
    if form.is_valid():
        try:
            uploads = together(uploads, request.POST.getlist("path"), form.cleaned_data)
        except Refused as error:
            form.add_error(None, str(error))
    if form.is_valid():
        for upload in uploads:
            try:
                made.append(hand_in(upload, user=user, **form.cleaned_data))
            except Refused as error:
                field = error.field if error.field in form.fields else None
                form.add_error(field, f"{upload.name}: {error}" if field is None else str(error))
            except services.TooLarge as error:
                form.add_error(None, f"{upload.name}: {error}")
            finally:
                upload.close()  # what was packed here is none of the request's files, which Django closes
    if request.headers.get("Accept") == "application/json":
        found = {name or "file": [str(each) for each in errors] for name, errors in form.errors.items()}
        shown = [{"id": row.pk, "address": reverse("joint:import-detail", args=[row.pk])} for row in made]
        return JsonResponse({"imports": shown, "errors": found}, status=422 if found else 201)
    for row in made:
        messages.success(request, f"{row.file_name} was received as import {row.pk}.")
    if form.errors:
        return _list_page(request, user, form)
    return redirect("joint:import-detail", made[0].pk) if len(made) == 1 else redirect("joint:import-list")


@require_safe
def rows(request: HttpRequest) -> HttpResponse:
    """The rows alone, for a page that watches work go on."""
    return render(request, "joint/_import_rows.html", _listed(request))


# --- one import


@require_safe
def import_detail(request: HttpRequest, pk: int) -> HttpResponse:
    row = _one(request, pk)
    user = user_of(request)
    tabs = _tabs(row, user)
    first = next((name for name, count in tabs.items() if count), next(iter(tabs)))
    tab = request.GET.get("tab", first)
    if tab not in tabs:
        raise Http404("No such tab.")
    context = {
        "row": row,
        "error": row.error or {},
        "place": _place((row.error or {}).get("location") or {}),
        "tab": tab,
        "tabs": tabs,
        "count": tabs[tab],
        "looked_at": _looked_at(row.coverage or {}),
        "where": _where(row),
        "may_change": _may_change(row, user),
        "can_undo": services.can_undo(row),
        "has_columns": row.format in FORMATS_WITH_COLUMNS or (row.error or {}).get("code") in WITHOUT_COLUMNS,
        "reason_form": ReasonForm(),
        "pager_query": f"{urlencode({'tab': tab})}&",
        "import_filter": f"import:{row.pk}",
        "months": reconciling.months_of(row, user) if row.kind == ImportKind.BILL else [],
        **_state(row),
    }
    cursor = request.GET.get("cursor")
    try:
        if tab == "rejected":
            context["rejects"] = keyset.page(row.rejects.all(), ordering=("id",), cursor=cursor, size=PAGE_SIZE)
        elif tab == "figures":
            context["figures"] = keyset.page(using.told_by(row, user), ordering=("id",), cursor=cursor, size=PAGE_SIZE)
        else:
            found = presentation.rows_only(selectors.diff(row, user, tab))
            context["page"] = keyset.page(found, ordering=("rank", "id"), cursor=cursor, size=PAGE_SIZE)
    except keyset.BadCursor as error:
        raise Http404(str(error)) from error
    return render(request, "joint/import.html", context)


def _tabs(row: Import, user: User) -> dict[str, int]:
    """What there is to see of an import of its kind, with how much of it."""
    if row.kind == ImportKind.BILL:
        return {"rejected": row.rejected}
    if row.kind == ImportKind.USAGE:
        return {"figures": using.told_by(row, user).count(), "rejected": row.rejected}
    changed = {"new": row.new, "changed": row.changed, "reopened": row.reopened, "closed": row.closed}
    return {**changed, "rejected": row.rejected}


@dataclass(frozen=True)
class _LookedAt:
    """What each check made of configuration, as the page tells it."""

    checks: Sequence[Mapping[str, Any]]  # what failed, then what cannot be told, and last what was not looked at
    counts: Sequence[tuple[int, str]]  # checks of each of these, with words


def _looked_at(coverage: Mapping[str, Any]) -> _LookedAt:
    groups: dict[str, list[Mapping[str, Any]]] = {words: [] for words in _MADE}
    for check in coverage.get("checks", ()):
        made = (check["failed"], check["unknown_count"], check["passed"], True)
        groups[next(words for words, count in zip(_MADE, made, strict=True) if count)].append(check)
    return _LookedAt(
        [check for group in groups.values() for check in group],
        [(len(group), words) for words, group in groups.items() if group],
    )


_MADE = ("failed", "cannot be told", "passed", "found nothing of their kind")


def _where(row: Import) -> str:
    """Whose findings an import is about, as a filter."""
    named = (("service", row.service), ("environment", row.environment))
    return "".join(f" {name}:{held.slug}" for name, held in named if held)


def _place(location: dict[str, Any]) -> list[tuple[str, Any]]:
    """Where in the file it went wrong, in words."""
    return [
        (name.capitalize(), location[name])
        for name in ("entry", "line", "column", "byte", "pointer")
        if location.get(name) not in (None, "")
    ]


def _state(row: Import) -> dict[str, Any]:
    undoing = services.is_undoing(row)
    return {
        "live": row.state in UNFINISHED or undoing,
        "cancelling": row.cancel_requested_at is not None,
        "undoing": undoing,
    }


@require_safe
def live(request: HttpRequest, pk: int) -> HttpResponse:
    """How far it is; once it is finished the whole page is asked for anew."""
    row = _one(request, pk)
    if row.state not in UNFINISHED and not services.is_undoing(row):
        return HttpResponse(status=204, headers={"HX-Refresh": "true"})
    return render(request, "joint/_import_state.html", {"row": row, "may_change": True, **_state(row)})


@require_POST
def cancel(request: HttpRequest, pk: int) -> HttpResponse:
    row = _one(request, pk, to_change=True)
    user = user_of(request)
    done(request, lambda: services.cancel(row, user=user), "It will stop and apply nothing.")
    return redirect("joint:import-detail", pk)


@require_POST
def undo(request: HttpRequest, pk: int) -> HttpResponse:
    row = _one(request, pk, to_change=True)
    user = user_of(request)
    reason = reason_of(request)
    large = row.new + row.changed + row.reopened + row.closed > services.UNDONE_AT_ONCE
    said = "It is being taken back." if large else "It was taken back: its scope is as it was before."
    done(request, lambda: take_back(row, user=user, reason=reason), said)
    return redirect("joint:import-detail", pk)


@require_POST
def again(request: HttpRequest, pk: int) -> HttpResponse:
    return _again(request, _one(request, pk, to_change=True))


def _again(request: HttpRequest, row: Import) -> HttpResponse:
    made: list[Import] = []
    done(request, lambda: made.append(services.again(row, user=user_of(request))), "The file is read again.")
    if not made:
        return redirect("joint:import-detail", row.pk)
    enqueue(made[0])
    return redirect("joint:import-detail", made[0].pk)


@require_http_methods(["GET", "HEAD", "POST"])
def columns(request: HttpRequest, pk: int) -> HttpResponse:
    """Which column of a list means what: remembered for files with the same columns."""
    row = _one(request, pk, to_change=True)
    asked = asking.of(row)
    form = asked.form(posted(request))

    def write() -> None:
        asked.remember(form.columns(), user=user_of(request))

    is_look = "preview" in request.POST
    if form.is_bound and not is_look and saved(request, form, write, "The columns are remembered."):
        return _again(request, row)
    context = {
        "row": row,
        "form": form,
        "headers": asked.headers,
        "remembered": asked.remembered(),
        **(_previewed(asked, form) if row.kind == ImportKind.BILL else {}),
    }
    if request.headers.get("HX-Request") and is_look:
        return render(request, "joint/_columns_preview.html", context)
    return render(request, "joint/import_columns.html", context, status=422 if form.is_bound and not is_look else 200)


def _previewed(asked: asking.Asked, form: ColumnsForm) -> dict[str, Any]:
    """What a bill comes to with the form's columns, or why that cannot be told."""
    chosen = form.columns() if form.is_bound and form.is_valid() else form.guessed()
    if not asked.may_preview(chosen):
        return {"may_preview": True}
    found = asked.preview(chosen)
    return {"may_preview": True, "problem" if isinstance(found, BillError) else "preview": found}

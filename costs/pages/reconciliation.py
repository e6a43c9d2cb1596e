"""Reconciliation: what each bill says against what was loaded, what is missing, and what a restatement changed."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from costs import reconciling
from costs.pages.answers import csv_answer
from platform_risk.core.access.requests import user_of


@require_safe
def reconciliation(request: HttpRequest) -> HttpResponse:
    user = user_of(request)
    lines = reconciling.lines(user, every=request.GET.get("versions") == "all")
    if request.GET.get("format") == "csv":
        return csv_answer("reconciliation", reconciling.COLUMNS, (line.cells() for line in lines))
    context = {
        "here": "reconciliation",
        "may_see": user.sees_unowned,
        "lines": lines[:500],
        "unequal": sum(not line.is_equal for line in lines),
        "more": max(len(lines) - 500, 0),
        "every": request.GET.get("versions") == "all",
        "gaps": reconciling.gaps(user),
        "restated": reconciling.restated(user),
        "unloaded": reconciling.unloaded(user),
        "remarks": reconciling.remarks(user),
    }
    return render(request, "costs/reconciliation.html", context)

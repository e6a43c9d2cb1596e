"""Showback: a month by team, and what is shared."""

import re
from datetime import date, timedelta

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from costs import selectors, sharing, showing_back, spending
from costs.money import plain
from costs.pages.answers import choice, csv_answer, currency_of
from costs.shared_form import SharedForm
from platform_risk.core.access.requests import user_of
from platform_risk.core.views.saving import done, posted, saved


def _month(request: HttpRequest, known: list[date]) -> date | None:
    text = request.GET.get("month", "")
    if not text:
        # Not one to come, which a charge that was dated wrongly stands in.
        return next((month for month in known if month <= timezone.now().date()), known[0] if known else None)
    found = re.fullmatch(r"(\d{4})-(0[1-9]|1[0-2])", text, re.ASCII)
    if found is None or not 1 <= int(found[1]) <= 9998:
        raise Http404("This is no month.")
    return date(int(found[1]), int(found[2]), 1)


@require_http_methods(["GET", "HEAD", "POST"])
def showback(request: HttpRequest) -> HttpResponse:
    user = user_of(request)
    form = SharedForm(posted(request))
    if form.is_bound and saved(
        request, form, lambda: sharing.create(user=user, **form.cleaned_data), "The rule holds from now on."
    ):
        return redirect("costs:showback")
    currencies = selectors.currencies(user)
    currency = currency_of(request, currencies)
    cost = choice(request, "cost", spending.COSTS, "effective")
    months = showing_back.months(user, currency)
    month = _month(request, months)
    found = showing_back.showback(user, month, currency, cost) if month else None
    if found and request.GET.get("format") == "csv":
        rows = [
            [f"{month:%Y-%m}", row.name, *map(plain, (row.direct, row.shared, row.total)), currency]
            for row in found.rows
        ]
        if found.nobodys is not None:
            rows.append([f"{month:%Y-%m}", "", plain(found.nobodys), "0", plain(found.nobodys), currency])
        return csv_answer(f"showback-{month:%Y-%m}", showing_back.COLUMNS, rows)
    context = {
        "here": "showback", "found": found, "month": month, "months": months, "currency": currency,
        "currencies": currencies, "cost": cost, "costs": spending.COSTS, "rules": sharing.rules_visible_to(user),
        "form": form, "may_change": user.is_admin,
        "last": spending.following(month) - timedelta(days=1) if month else None,
    }  # fmt: skip
    return render(request, "costs/showback.html", context, status=422 if form.is_bound else 200)


@require_POST
def shared_delete(request: HttpRequest, pk: int) -> HttpResponse:
    user = user_of(request)
    rule = get_object_or_404(sharing.rules_visible_to(user), pk=pk)
    done(request, lambda: sharing.delete(rule, user=user), "The rule is gone.")
    return redirect("costs:showback")

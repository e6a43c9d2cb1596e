"""Budgets: what may be spent in a month, and when it is expected to be used up."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from costs import budgeting, outlook
from costs.models import Budget
from costs.pages.forms import BudgetForm, budget_fields
from platform_risk.core.access.requests import user_of
from platform_risk.core.models import User
from platform_risk.core.views.saving import done, posted, saved

page = require_http_methods(["GET", "HEAD", "POST"])


def _visible(user: User) -> "list[Budget]":
    return list(Budget.objects.visible_to(user).select_related("team", "service", "environment"))


def _may_budget(user: User) -> bool:
    return user.sees_unowned  # administrators, and managers of any team


@page
def budgets(request: HttpRequest) -> HttpResponse:
    user = user_of(request)
    form = BudgetForm(posted(request), user=user)

    def write() -> object:
        return budgeting.create_budget(user=user, **form.cleaned_data)

    if request.method == "POST" and saved(request, form, write, "The budget was added."):
        return redirect("costs:budgets")
    rows = [(budget, outlook.standing(budget, user)) for budget in _visible(user)]
    context = {"rows": [_row(*each) for each in rows], "form": form, "may_budget": _may_budget(user)}
    return render(request, "costs/budgets.html", context, status=422 if form.is_bound else 200)


def _row(budget: Budget, found: outlook.Standing | str) -> dict[str, object]:
    if isinstance(found, str):
        return {"budget": budget, "sentence": found}
    crossing = found.crossing
    share = float(crossing.spent / budget.amount) if budget.amount else 1.0
    return {
        "budget": budget,
        "sentence": found.sentence,
        "standing": found,
        "percent": min(round(100 * share), 999),
        "word": "critical" if crossing.is_crossed else "important" if crossing.probability > 0.5 else "fixed",
    }


@page
def budget(request: HttpRequest, pk: int) -> HttpResponse:
    user = user_of(request)
    row = get_object_or_404(Budget.objects.visible_to(user).select_related("team", "service", "environment"), pk=pk)
    budgeting.may_budget(user, {"team": row.team, "service": row.service})
    form = BudgetForm(posted(request), initial=budget_fields(row), user=user)

    def write() -> object:
        return budgeting.change_budget(row, user=user, **form.cleaned_data)

    if request.method == "POST" and saved(request, form, write, "The budget was changed."):
        return redirect("costs:budgets")
    return render(request, "costs/budget.html", {"budget": row, "form": form}, status=422 if form.is_bound else 200)


@require_POST
def budget_delete(request: HttpRequest, pk: int) -> HttpResponse:
    user = user_of(request)
    row = get_object_or_404(Budget.objects.visible_to(user), pk=pk)
    done(request, lambda: budgeting.delete_budget(row, user=user), "The budget was deleted.")
    return redirect("costs:budgets")

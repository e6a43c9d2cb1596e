"""Saved views: filters kept under a name."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST

from findings import saved_views
from findings.forms import SaveViewForm
from platform_risk.core.access.requests import user_of
from platform_risk.core.access.selectors import saved_views_of
from platform_risk.core.views.saving import posted, saved


@require_http_methods(["GET", "HEAD", "POST"])
def views(request: HttpRequest) -> HttpResponse:
    user = user_of(request)
    query = request.POST.get("query", request.GET.get("query", ""))[:4000]
    form = SaveViewForm(posted(request), user=user)
    kept: list[str] = []

    def write() -> None:
        kept.append(saved_views.save_view(user=user, query_string=query, **form.cleaned_data).query)

    if form.is_bound and saved(request, form, write, "The view was saved."):
        return redirect(f"{reverse('findings:finding-list')}?{kept[0]}")
    context = {"form": form, "query_string": query, "views": saved_views.shown_to(user)}
    return render(request, "findings/views.html", context, status=422 if form.is_bound else 200)


@require_POST
def delete(request: HttpRequest, pk: int) -> HttpResponse:
    user = user_of(request)
    view = get_object_or_404(saved_views_of(user), pk=pk)
    saved_views.delete_view(view, user=user)
    messages.success(request, f"The view “{view.name}” was deleted.")
    return redirect("findings:views")

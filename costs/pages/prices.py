"""Prices: what a unit costs, by whom it is said, and how sure that is."""

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from costs import pricing
from costs.models import PriceBook
from costs.pages.forms import BookForm, PriceForm, price_fields
from platform_risk.core.access.requests import user_of
from platform_risk.core.views.saving import done, posted, saved
from platform_risk.quantities.pricing import UNIT_WORDS

page = require_http_methods(["GET", "HEAD", "POST"])


def _listed(request: HttpRequest, form: PriceForm, book_form: BookForm) -> HttpResponse:
    book, unit = request.GET.get("book", "")[:40], request.GET.get("unit", "")[:40]
    rates = pricing.rates()
    if book:
        rates = rates.filter(book__slug=book)
    if unit:
        rates = rates.filter(unit=unit)
    query = "&".join(f"{name}={value}" for name, value in (("book", book), ("unit", unit)) if value)
    context = {
        "rates": rates,
        "books": PriceBook.objects.all(),
        "book": book,
        "unit": unit,
        "units": [(each.value, words) for each, words in UNIT_WORDS.items()],
        "form": form,
        "book_form": book_form,
        "may_change": pricing.may_change(user_of(request)),
        "csv": f"{reverse('api:price-list')}?{query}&format=csv",
    }
    bound = form.is_bound or book_form.is_bound
    return render(request, "costs/prices.html", context, status=422 if bound else 200)


@page
def prices(request: HttpRequest) -> HttpResponse:
    user = user_of(request)
    form = PriceForm(posted(request))

    def write() -> object:
        return pricing.create(user=user, **form.sent())

    if request.method == "POST" and saved(request, form, write, "The price was added to your own."):
        return redirect("costs:prices")
    return _listed(request, form, BookForm())


@page
def price(request: HttpRequest, pk: int) -> HttpResponse:
    user = user_of(request)
    rate = get_object_or_404(pricing.rates(), pk=pk)
    form = PriceForm(posted(request), initial=price_fields(rate))

    def write() -> object:
        return pricing.change(rate, user=user, **form.sent())

    if request.method == "POST" and saved(request, form, write, f"{rate.item} was changed."):
        return redirect("costs:prices")
    context = {"rate": rate, "form": form, "may_change": pricing.may_change(user)}
    return render(request, "costs/price.html", context, status=422 if form.is_bound else 200)


@require_POST
def price_delete(request: HttpRequest, pk: int) -> HttpResponse:
    user = user_of(request)
    rate = get_object_or_404(pricing.rates(), pk=pk)
    done(request, lambda: pricing.delete(rate, user=user), f"{rate.item} was deleted.")
    return redirect("costs:prices")


@require_safe
def book_file(request: HttpRequest, slug: str) -> HttpResponse:
    text = pricing.book_as_yaml(slug)
    if text is None:
        raise Http404("No such book.")
    headers = {"Content-Disposition": f'attachment; filename="{slug}.yaml"', "Cache-Control": "no-store"}
    return HttpResponse(text, content_type="application/yaml; charset=utf-8", headers=headers)


@require_POST
def book_put(request: HttpRequest) -> HttpResponse:
    user = user_of(request)
    form = BookForm(request.POST, request.FILES)
    put: list[str] = []

    def write() -> None:
        book, before = pricing.put_book(form.cleaned_data["text"], user=user)
        put.append(f"{book.name}: {before} prices before, {len(book.rates)} now.")

    if saved(request, form, write, "The book was put in place."):
        messages.info(request, put[0])
        return redirect("costs:prices")
    return _listed(request, PriceForm(), form)

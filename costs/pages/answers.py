"""What pages of spend have in common: what is asked, and tables as CSV."""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from datetime import date

from django.http import Http404, HttpRequest, HttpResponse
from django.utils.dateparse import parse_date

from platform_risk.core.api.exports import cell


def choice(request: HttpRequest, name: str, allowed: Mapping[str, str], usual: str) -> str:
    asked = request.GET.get(name, usual)
    if asked not in allowed:
        raise Http404(f"There is no {name} like that.")
    return asked


def currency_of(request: HttpRequest, known: Sequence[str]) -> str:
    """The one asked for; else that in which most is spent."""
    asked = request.GET.get("currency", "")
    if asked and asked not in known:
        raise Http404("Nothing is spent in this currency.")
    return asked or (known[0] if known else "")


def day_of(request: HttpRequest, name: str, usual: date) -> date:
    text = request.GET.get(name, "")
    if not text:
        return usual
    try:
        found = parse_date(text)
    except ValueError:
        found = None
    if found is None or not 1990 <= found.year <= 2200:
        raise Http404(f"{name} is no day.")
    return found


def csv_answer(name: str, header: Sequence[str], rows: Iterable[Sequence[object]]) -> HttpResponse:
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(header)
    for row in rows:
        writer.writerow([cell(value) for value in row])
    answer = HttpResponse(out.getvalue(), content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="{name}.csv"'
    return answer

"""A NUL in an address: the database holds no such text, so nothing has that name. The API says so at its parameters."""

from collections.abc import Callable
from urllib.parse import unquote

from django.db import DataError
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.views.defaults import page_not_found


class NamesNothing:
    """Middleware: where the database refuses to look for such a name, the answer is that there is none."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return self._get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        if not isinstance(error, DataError | ValueError) or "\0" not in unquote(request.get_full_path()):
            return None
        return page_not_found(request, Http404("Nothing has this name."))

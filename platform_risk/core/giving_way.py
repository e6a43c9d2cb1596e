"""Two requests that each need what the other holds: PostgreSQL gives one of them up (a deadlock), and that one is
answered once more, from its beginning. Nothing of it was kept: what a request writes is one transaction."""

import random
import time
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, TypeVar

from django.db import OperationalError, connection
from django.http import HttpRequest
from django.http.response import HttpResponseBase

if TYPE_CHECKING:
    from django.core.files.uploadedfile import UploadedFile

T = TypeVar("T")
_GIVEN_UP = ("40P01", "40001")  # deadlock_detected, serialization_failure: PostgreSQL, appendix A
MOST = 4  # attempts, the first among them


def gave_way(error: BaseException) -> bool:
    """Whether the database gave the work up for another's sake, and nothing of it is left to be given up."""
    state = getattr(error.__cause__, "sqlstate", None)
    return isinstance(error, OperationalError) and state in _GIVEN_UP and not connection.in_atomic_block


def again(work: Callable[[], T], files: "Iterable[UploadedFile[Any]]" = (), attempts: int = MOST) -> T:
    """The work's result, however often it gave way before; after so many attempts, its last error."""
    for attempt in range(1, attempts + 1):
        try:
            return work()
        except OperationalError as error:
            if attempt == attempts or not gave_way(error) or not _rewound(files):
                raise
            # Not both at the same moment once more.
            time.sleep(random.uniform(0.01, 0.1 * attempt))  # noqa: S311 # no secret
    raise AssertionError("one attempt at least")


def _rewound(files: "Iterable[UploadedFile[Any]]") -> bool:
    for file in files:
        if file.closed:
            return False
        file.seek(0)
    return True


class GivingWay:
    """Middleware, the last: pages that write. The API does the same where it has read what was sent."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return self._get_response(request)

    def process_view(
        self, request: HttpRequest, view: Callable[..., HttpResponseBase], args: Any, kwargs: Any
    ) -> HttpResponseBase | None:
        if request.method != "POST" or request.path.startswith("/api/"):
            return None
        files = [file for _, several in request.FILES.lists() for file in several]
        return again(lambda: view(request, *args, **kwargs), files)

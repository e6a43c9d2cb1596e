"""Idempotency-Key: a POST that is sent again is answered again, not done again.

The answer is stored in the transaction of the effect itself, so there is never one without the other: a request that
died half way left nothing, and the same key simply starts anew. Who comes while the first is running meets its lock.
"""

import hashlib
import hmac
from collections.abc import Callable, Sequence
from datetime import timedelta
from functools import wraps
from typing import Any, cast

from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.db import connection, transaction
from django.http import HttpResponse
from django.utils import timezone
from django.utils.datastructures import MultiValueDict
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from platform_risk.core.api.problems import Problem
from platform_risk.core.models import IdempotencyKey, User

KEPT = timedelta(hours=24)
_HEADERS = ("Location", "ETag")

Handler = Callable[..., Any]


def idempotent(*, secret: Sequence[str] = ()) -> Callable[[Handler], Handler]:
    """For POST handlers. Fields named in `secret` are shown once and never stored, so a replay has null there."""

    def decorate(handler: Handler) -> Handler:
        @wraps(handler)
        def answer(view: Any, request: Request, *args: Any, **kwargs: Any) -> Any:
            key = request.headers.get("Idempotency-Key")
            if key is None:
                return handler(view, request, *args, **kwargs)
            _check(key)
            digest = _digest(request)
            with transaction.atomic():
                kept = _kept(request, key, digest)
                if kept is not None:
                    return _replayed(kept)
                response = handler(view, request, *args, **kwargs)
                _keep(request, key, digest, response, secret)
                return response

        answer.is_idempotent = True  # type: ignore[attr-defined]  # read by the schema
        return answer

    return decorate


def _check(key: str) -> None:
    if not 1 <= len(key) <= 255 or not key.isascii() or not key.isprintable():
        detail = "The key is 1 to 255 printable ASCII characters."
        raise Problem(400, detail, errors=[{"parameter": "Idempotency-Key", "detail": detail}])


def _digest(request: Request) -> str:
    """Of the body. Keyed, since a body may hold a password and a bare hash of that could be guessed."""
    digest = hmac.new(str(settings.SECRET_KEY).encode(), digestmod=hashlib.sha256)
    if not request.content_type.startswith("multipart/"):
        digest.update(request.body)
        return digest.hexdigest()
    fields = cast("MultiValueDict[str, Any]", request.data)
    for name, values in sorted(fields.lists()):
        for value in values:
            digest.update(f"\0{name}\0".encode("utf-8", "replace"))
            if isinstance(value, UploadedFile):
                digest.update(f"{value.name}\0".encode("utf-8", "replace"))
                for chunk in value.chunks():
                    digest.update(chunk)
                value.seek(0)
            else:
                digest.update(str(value).encode("utf-8", "replace"))
    return digest.hexdigest()


def _kept(request: Request, key: str, digest: str) -> IdempotencyKey | None:
    user = cast(User, request.user)
    lock = int.from_bytes(hashlib.blake2b(f"{user.pk} {key}".encode(), digest_size=8).digest(), signed=True)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [lock])
        if not cursor.fetchone()[0]:
            raise Problem(409, "The first request with this key is still being answered: ask again in a moment.")
    IdempotencyKey.objects.filter(user=user, created_at__lt=timezone.now() - KEPT).delete()
    kept = IdempotencyKey.objects.filter(user=user, key=key).first()
    if kept is not None and (kept.method, kept.path, kept.body_hash) != (request.method, request.path[:500], digest):
        raise Problem(422, "This key was used for another request: a new request needs a new key.")
    return kept


def _keep(request: Request, key: str, digest: str, response: Response, secret: Sequence[str]) -> None:
    data = response.data
    if secret and isinstance(data, dict):
        data = {name: None if name in secret else value for name, value in data.items()}
    IdempotencyKey.objects.create(
        user=cast(User, request.user),
        key=key,
        method=request.method or "",
        path=request.path[:500],
        body_hash=digest,
        status=response.status_code,
        body=JSONRenderer().render(data).decode() if data is not None else "",
        headers={name: response[name] for name in _HEADERS if name in response},
    )


def _replayed(kept: IdempotencyKey) -> HttpResponse:
    response = HttpResponse(kept.body, status=kept.status, content_type="application/json")
    for name, value in kept.headers.items():
        response[name] = value
    response["Idempotency-Replayed"] = "true"
    return response

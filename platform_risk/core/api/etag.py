"""ETag and If-Match (RFC 9110): nobody overwrites what they have not seen."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from rest_framework.request import Request

from platform_risk.core.errors import Stale


def etag_of(shown: Mapping[str, Any], *, without: tuple[str, ...] = ()) -> str:
    """A strong tag of what is shown, less what changes by merely being used."""
    told = {name: value for name, value in shown.items() if name not in without}
    text = json.dumps(told, sort_keys=True, default=str)
    return f'"{hashlib.sha256(text.encode()).hexdigest()[:32]}"'


def has_precondition(request: Request) -> bool:
    return request.headers.get("If-Match", "*").strip() != "*"


def check_if_match(request: Request, current: str) -> None:
    """Raises Stale when the request names versions and the current one is not among them."""
    if not has_precondition(request):
        return
    named = [tag.strip() for tag in request.headers["If-Match"].split(",")]
    if current not in named:
        raise Stale("It has changed since you read it: read it again and decide anew.")

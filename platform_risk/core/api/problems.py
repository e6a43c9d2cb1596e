"""Errors as application/problem+json (RFC 9457), each with what to do about it."""

from typing import Any

from django.core.exceptions import PermissionDenied, RequestDataTooBig, SuspiciousOperation
from django.core.exceptions import ValidationError as DjangoValidationError
from django.http import Http404, UnreadablePostError
from rest_framework import exceptions, status
from rest_framework.renderers import JSONRenderer
from rest_framework.response import Response
from rest_framework.views import set_rollback

from platform_risk.core.errors import Conflict, Refused, Stale
from platform_risk.core.imports.services import TooLarge


class ProblemRenderer(JSONRenderer):
    media_type = "application/problem+json"
    # An error may quote what was sent, and that may hold half a surrogate pair, which UTF-8 cannot carry.
    ensure_ascii = True


class Problem(exceptions.APIException):
    """An error with its own status and details."""

    def __init__(
        self,
        status_code: int,
        detail: str,
        *,
        errors: list[dict[str, str]] | None = None,
        headers: dict[str, str] | None = None,
        **more: Any,
    ) -> None:
        super().__init__(detail)
        self.status_code = status_code
        self.errors = errors or []
        self.headers = headers or {}
        self.more = more


def bad_parameter(parameter: str, detail: str) -> Problem:
    return Problem(400, detail, errors=[{"parameter": parameter, "detail": detail}])


def bad_field(pointer: str, detail: str) -> Problem:
    return Problem(400, detail, errors=[{"pointer": pointer, "detail": detail}])


TITLES = {
    400: "Bad request",
    401: "Not signed in",
    403: "Not allowed",
    404: "Not found",
    405: "Method not allowed",
    406: "Not acceptable",
    409: "Conflict",
    412: "Changed in the meantime",
    413: "Too large",
    415: "Unsupported media type",
    422: "Key used for another request",
    428: "Precondition required",
    429: "Too many requests",
    500: "Something went wrong",
}


def _flatten(detail: Any, pointer: str = "") -> list[dict[str, str]]:
    if isinstance(detail, dict):
        pairs = [(f"{pointer}/{key}", value) for key, value in detail.items() if key != "non_field_errors"]
        own = detail.get("non_field_errors", [])
        return [*_flatten(own, pointer), *(error for name, value in pairs for error in _flatten(value, name))]
    if isinstance(detail, list):
        errors: list[dict[str, str]] = []
        for index, value in enumerate(detail):
            nested = isinstance(value, dict | list)
            errors.extend(_flatten(value, f"{pointer}/{index}" if nested else pointer))
        return errors
    return [{"pointer": pointer or "/", "detail": str(detail)}]


def problem_body(code: int, detail: str, errors: list[dict[str, str]], **more: Any) -> dict[str, Any]:
    title = TITLES.get(code, "Error")
    return {"type": "about:blank", "title": title, "status": code, "detail": detail, "errors": errors, **more}


def _translated(error: Exception) -> Exception:
    """The product's own refusals, as HTTP says them."""
    match error:
        case Refused():
            errors = [{"pointer": f"/{error.field}", "detail": str(error)}] if error.field else []
            return Problem(400, str(error), errors=errors)
        case Conflict():
            return Problem(409, str(error), allowed=error.allowed)
        case Stale():
            return Problem(412, str(error))
        case TooLarge():
            return Problem(413, str(error))
        case RequestDataTooBig():
            return Problem(413, "The fields beside the file, or the JSON body, are too large.")
        case SuspiciousOperation():
            return Problem(400, "The request has too many fields or files.")
        case UnreadablePostError():
            return Problem(400, "The request ended before its body was complete.")
        case Http404():
            return exceptions.NotFound()
        case PermissionDenied():
            return exceptions.PermissionDenied(str(error) or None)
        case DjangoValidationError():
            return exceptions.ValidationError(detail=exceptions._get_error_details(error.messages))
    return error


def exception_handler(error: Exception, context: dict[str, Any]) -> Response | None:
    error = _translated(error)
    if not isinstance(error, exceptions.APIException):
        return None
    headers: dict[str, str] = {}
    errors: list[dict[str, str]] = []
    more: dict[str, Any] = {}
    if isinstance(error, Problem):
        detail, errors, headers, more = str(error.detail), error.errors, dict(error.headers), error.more
    elif isinstance(error, exceptions.ValidationError):
        errors = _flatten(error.detail)
        detail = errors[0]["detail"] if len(errors) == 1 else f"{len(errors)} values are not as they should be."
    else:
        detail = str(error.detail)
    if sign_in := getattr(error, "auth_header", None):
        headers["WWW-Authenticate"] = sign_in
    if wait := getattr(error, "wait", None):
        headers["Retry-After"] = str(int(wait) + 1)
    set_rollback()
    # Whatever was asked for (CSV, too), an error is a problem document.
    request = context["request"]
    request.accepted_renderer = ProblemRenderer()
    request.accepted_media_type = ProblemRenderer.media_type
    code = error.status_code if error.status_code != 0 else status.HTTP_500_INTERNAL_SERVER_ERROR
    return Response(
        problem_body(code, detail, errors, **more),
        status=code,
        headers=headers,
        content_type=ProblemRenderer.media_type,
    )

"""The schema, its page for people, and the answer to addresses that do not exist."""

import functools
import json
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.defaults import server_error
from drf_spectacular.generators import SchemaGenerator
from rest_framework.exceptions import NotFound
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from platform_risk.core.api.authentication import ScopedPermission
from platform_risk.core.api.exports import Negotiation
from platform_risk.core.api.problems import problem_body

METHODS = ("get", "post", "patch", "put", "delete")


@functools.cache
def schema() -> dict[str, Any]:
    """The same for everybody, so it is made once per process."""
    generator: Any = SchemaGenerator  # has no types
    made: dict[str, Any] = generator().get_schema(request=None, public=True)
    return made


def failed(request: HttpRequest) -> HttpResponse:
    """Of what nobody has foreseen: a page for people, and for programs a document as of any other refusal."""
    if not request.path.startswith("/api/v1/"):
        return server_error(request)
    body = problem_body(500, "This was not foreseen here; what happened is in the log.", [])
    return HttpResponse(json.dumps(body), status=500, content_type="application/problem+json")


class SchemaView(APIView):
    """The OpenAPI schema as JSON."""

    permission_classes = [ScopedPermission]
    renderer_classes = [JSONRenderer]
    content_negotiation_class = Negotiation
    metadata_class = None
    schema = None  # not part of itself

    def get(self, request: Request) -> Response:
        return Response(schema())


class NoSuchAddress(APIView):
    """Whatever is asked of an address that does not exist."""

    permission_classes = [ScopedPermission]
    renderer_classes = [JSONRenderer]
    content_negotiation_class = Negotiation
    metadata_class = None
    schema = None

    def _refuse(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        hint = "" if request.path.endswith("/") else " Addresses end in a slash."
        raise NotFound(f"There is nothing at {request.path[:200]}.{hint}")

    get = post = put = patch = delete = head = options = _refuse


def _resolved(reference: Any) -> dict[str, Any]:
    """A schema with its reference followed."""
    if isinstance(reference, dict) and "$ref" in reference:
        return dict(schema()["components"]["schemas"][reference["$ref"].rsplit("/", 1)[1]])
    return dict(reference or {})


def _kind(described: dict[str, Any]) -> str:
    if "$ref" in described:
        target = _resolved(described)
        return ", ".join(map(str, target["enum"])) if "enum" in target else str(target.get("type", "object"))
    for several in ("oneOf", "anyOf", "allOf"):
        if several in described:
            return ", ".join(dict.fromkeys(_kind(each) for each in described[several]))
    if "enum" in described:
        return ", ".join("null" if each is None else str(each) for each in described["enum"])
    if described.get("type") == "array":
        return f"list of {_kind(described.get('items', {}))}"
    kind = described.get("type", "any")
    words = " or ".join(kind) if isinstance(kind, list) else str(kind)
    return f"{words} ({described['format']})" if "format" in described else words


def _parameters(operation: dict[str, Any]) -> list[dict[str, str]]:
    return [
        {
            "name": each["name"],
            "where": {"path": "address", "query": "query", "header": "header"}[each["in"]],
            "kind": _kind(each["schema"]),
            "words": each.get("description", ""),
        }
        for each in operation.get("parameters", [])
    ]


def _fields(shape: dict[str, Any]) -> list[dict[str, Any]]:
    required = shape.get("required", [])
    return [
        {"name": name, "kind": _kind(each), "words": each.get("description", ""), "is_required": name in required}
        for name, each in shape.get("properties", {}).items()
    ]


def _example(method: str, path: str, operation: dict[str, Any], server: str) -> str:
    lines = [f"curl -X {method.upper()} {server}{path.replace('{id}', '1')}", '-H "Authorization: Bearer $TOKEN"']
    content = operation.get("requestBody", {}).get("content", {})
    if "multipart/form-data" in content:
        lines += ["-F file=@report.sarif", "-F service=checkout"]
    elif "application/json" in content:
        shape = _resolved(content["application/json"].get("schema"))
        names = shape.get("required", []) or list(shape.get("properties", {}))[:1]
        body = {name: _sample(shape.get("properties", {}).get(name, {})) for name in names}
        lines += ['-H "Content-Type: application/json"', f"-d '{json.dumps(body)}'"]
    return " \\\n  ".join(lines)


def _sample(described: dict[str, Any]) -> Any:
    target = _resolved(described["allOf"][0] if "allOf" in described else described)
    if "enum" in target:
        return target["enum"][0]
    samples: dict[str, Any] = {"integer": 1, "boolean": True, "array": [], "number": "1"}
    kind = target.get("type")
    return samples.get(kind, "…") if isinstance(kind, str) else "…"


def _answers(operation: dict[str, Any]) -> str:
    return ", ".join(sorted(operation["responses"]))


def operations(server: str) -> list[dict[str, Any]]:
    """Every call, grouped by what it is about."""
    groups: dict[str, list[dict[str, Any]]] = {}
    for path, methods in schema()["paths"].items():
        for method in METHODS:
            if method not in methods:
                continue
            operation = methods[method]
            body: dict[str, Any] = next(iter(operation.get("requestBody", {}).get("content", {}).values()), {})
            groups.setdefault(operation["tags"][0], []).append(
                {
                    "anchor": operation["operationId"],
                    "method": method.upper(),
                    "path": path,
                    "words": operation.get("description", ""),
                    "parameters": _parameters(operation),
                    "fields": _fields(_resolved(body.get("schema"))),
                    "answers": _answers(operation),
                    "example": _example(method, path, operation, server),
                }
            )
    return [{"name": name, "operations": found} for name, found in sorted(groups.items())]


def docs(request: HttpRequest) -> HttpResponse:
    """A page to read the API by."""
    server = request.build_absolute_uri("/").rstrip("/")
    return render(request, "api/docs.html", {"groups": operations(server)})

"""The OpenAPI schema: every answer documented, problems included."""

from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import OpenApiParameter
from rest_framework import serializers

from platform_risk.core.api.authentication import TokenAuthentication
from platform_risk.core.api.exports import LIST_RENDERERS
from platform_risk.core.api.problems import TITLES, ProblemRenderer


class TokenScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]  # drf-spectacular has no types
    target_class = TokenAuthentication
    name = "token"

    def get_security_definition(self, auto_schema: Any) -> dict[str, Any]:
        return {"type": "http", "scheme": "bearer", "description": "A token from /tokens/ or manage.py create_token."}


class ProblemErrorSerializer(serializers.Serializer[Any]):
    pointer = serializers.CharField(required=False, help_text="Where in the body (RFC 6901).")
    parameter = serializers.CharField(required=False, help_text="Which query parameter or header.")
    detail = serializers.CharField()


class ProblemSerializer(serializers.Serializer[Any]):
    """What went wrong and what to do about it (RFC 9457)."""

    type = serializers.CharField()
    title = serializers.CharField()
    status = serializers.IntegerField()
    detail = serializers.CharField()
    # `errors` is a property of serializers, so the field is added by name.
    locals()["errors"] = ProblemErrorSerializer(many=True)
    allowed = serializers.ListField(
        child=serializers.CharField(), required=False, help_text="With 409: what the state does allow."
    )


def parameter(name: str, description: str, *, enum: Any = None, many: bool = True, type: Any = str) -> OpenApiParameter:
    """A query parameter; one that may repeat unless told otherwise."""
    return OpenApiParameter(name, type, description=description, enum=enum, many=many)


EXPORTED = parameter(
    "format", "json for a page; csv or jsonl for the whole list.", enum=["json", "csv", "jsonl"], many=False
)


class ApiSchema(AutoSchema):
    """Adds to every operation what all endpoints share: parameters, headers, problems, exports."""

    def _handler(self) -> Any:
        return getattr(self.view, getattr(self.view, "action", "") or self.method.lower(), None)

    def _is_exported(self) -> bool:
        return getattr(self.view, "action", "") in getattr(self.view, "exported", ())

    def _resolve_path_parameters(self, variables: list[str]) -> list[dict[str, Any]]:
        schema = {"type": "string", "pattern": "^[0-9]+$"}
        if getattr(self.view, "is_named", False):
            schema = {"type": "string"}
        return [{"name": name, "in": "path", "required": True, "schema": schema} for name in variables]

    def get_override_parameters(self) -> list[Any]:
        named = getattr(self.view, "parameters", {}).get(getattr(self.view, "action", ""), ())
        found = [*super().get_override_parameters(), *named]
        if self._is_exported():
            found.append(EXPORTED)
        if getattr(self._handler(), "is_idempotent", False):
            words = "Sent again within 24 hours with the same body, the request is answered again, not done again."
            found.append(OpenApiParameter("Idempotency-Key", str, OpenApiParameter.HEADER, description=words))
        if self._is_conditional():
            words = "ETag of what you have read; 412 when it has changed since."
            found.append(OpenApiParameter("If-Match", str, OpenApiParameter.HEADER, description=words))
        return found

    def _is_conditional(self) -> bool:
        named = getattr(self.view, "action", "") in getattr(self.view, "conditional", ())
        return named or self.method in ("PATCH", "DELETE")

    def _problem_codes(self) -> list[int]:
        codes = {400, 401, 403, 406, 429}
        if "{" in self.path:
            codes.add(404)
        if self.method in ("POST", "PATCH", "PUT"):
            codes |= {413, 415}
        if self._is_conditional():
            codes.add(412)
        if getattr(self._handler(), "is_idempotent", False):
            codes |= {409, 422}
        if getattr(self.view, "action", "") in getattr(self.view, "conflicts", ()):
            codes.add(409)
        return sorted(codes)

    def _get_response_bodies(self, direction: Any = "response") -> dict[str, Any]:
        bodies: dict[str, Any] = super()._get_response_bodies(direction)
        if self._is_exported():
            for renderer in LIST_RENDERERS[1:]:
                bodies["200"]["content"][renderer.media_type] = {"schema": {"type": "string"}}
        reference = self.resolve_serializer(ProblemSerializer(), "response").ref
        for code in self._problem_codes():
            content = {ProblemRenderer.media_type: {"schema": reference}}
            bodies.setdefault(str(code), {"description": TITLES[code], "content": content})
        return bodies

    def _get_paginator(self) -> Any:
        if self.method != "GET":
            return None  # what is written is answered whole
        made: Any = super()  # drf-spectacular is typed in parts
        return made._get_paginator()

    def _get_serializer_field_meta(self, field: Any, direction: str) -> dict[str, Any]:
        made: Any = super()  # drf-spectacular is typed in parts
        found: dict[str, Any] = made._get_serializer_field_meta(field, direction)
        if isinstance(field, serializers.JSONField):
            # It may be anything, null too: "exactly one of anything and null" is what null can never be.
            found.pop("nullable", None)
        return found

    def _get_response_for_code(
        self, serializer: Any, status_code: str, media_types: Any = None, direction: str = "response"
    ) -> dict[str, Any]:
        media_types = media_types or ["application/json"]
        made: Any = super()  # drf-spectacular is typed in parts
        found: dict[str, Any] = made._get_response_for_code(serializer, status_code, media_types, direction)
        return found

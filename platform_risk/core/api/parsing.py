"""Reading request bodies: bounded, UTF-8, and never a crash for what a client sends."""

from collections.abc import Mapping
from typing import IO, Any

from rest_framework import exceptions
from rest_framework.parsers import JSONParser

from platform_risk.core.api.problems import Problem

MOST_JSON_BYTES = 2_500_000


class BoundedJSONParser(JSONParser):
    def parse(
        self, stream: IO[Any], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Any:
        request = (parser_context or {}).get("request")
        length = request.META.get("CONTENT_LENGTH") or "0" if request is not None else "0"
        if length.isascii() and length.isdigit() and int(length[:20]) > MOST_JSON_BYTES:
            raise Problem(413, f"The body has {length} bytes; at most {MOST_JSON_BYTES} are read.")
        try:
            return super().parse(stream, media_type, dict(parser_context or {}))
        except RecursionError as error:
            raise exceptions.ParseError("The JSON is nested too deeply.") from error

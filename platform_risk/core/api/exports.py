"""Whole lists as CSV or JSON Lines, streamed: one row in memory at a time, however many there are."""

import csv
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet
from django.http import StreamingHttpResponse
from django.utils import timezone
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.renderers import BaseRenderer, JSONRenderer
from rest_framework.request import Request

from platform_risk.core.api.problems import bad_parameter

ROWS_AT_ONCE = 1000
# What spreadsheets take for the beginning of a formula.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_NUMBER = re.compile(r"-[0-9]+(?:\.[0-9]+)?")  # a credit is one, and has to add up in a spreadsheet


class _ExportRenderer(BaseRenderer):
    """Only negotiated: the list streams its rows itself, and errors are problem documents."""

    charset = None

    def render(self, data: Any, *args: Any, **kwargs: Any) -> bytes:
        raise NotImplementedError("exports are streamed")


class CSVRenderer(_ExportRenderer):
    media_type = "text/csv"
    format = "csv"


class JSONLinesRenderer(_ExportRenderer):
    media_type = "application/x-ndjson"
    format = "jsonl"


class JSONLinesByItsOtherName(JSONLinesRenderer):
    media_type = "application/jsonl"


LIST_RENDERERS = (JSONRenderer, CSVRenderer, JSONLinesRenderer, JSONLinesByItsOtherName)


class Negotiation(DefaultContentNegotiation):
    """`?format=` says what is wanted and wins over Accept."""

    def select_renderer(
        self, request: Request, renderers: Iterable[BaseRenderer], format_suffix: str | None = None
    ) -> tuple[BaseRenderer, str]:
        wanted = request.query_params.get("format")
        offered = list(renderers)
        if not wanted:
            chosen: tuple[BaseRenderer, str] = super().select_renderer(request, offered, format_suffix)
            return chosen
        for renderer in offered:
            if renderer.format == wanted:
                return renderer, renderer.media_type
        names = ", ".join(dict.fromkeys(str(renderer.format) for renderer in offered))
        raise bad_parameter("format", f"format is one of {names}.")


@dataclass(frozen=True)
class Table:
    """How a list is written: a row as the API shows it, and its CSV columns (a dot goes into an object)."""

    name: str
    columns: Sequence[str]
    row: Callable[[Any], Mapping[str, Any]]


def cell(value: Any) -> str:
    """One CSV cell. Text that a spreadsheet would run as a formula gets an apostrophe in front."""
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case int() | float():
            return str(value)
        case list() if all(isinstance(part, str) for part in value):
            text = "; ".join(value)
        case list() | dict():
            text = json.dumps(value, ensure_ascii=False, default=str)
        case _:
            text = str(value)
    return f"'{text}" if text.startswith(_FORMULA) and not _NUMBER.fullmatch(text) else text


def _at(shown: Mapping[str, Any], column: str) -> Any:
    value: Any = shown
    for part in column.split("."):
        value = value.get(part) if isinstance(value, Mapping) else None
    return value


class _Line:
    """What csv.writer writes to: it hands each line back."""

    def write(self, text: str) -> str:
        return text


def _csv_lines(table: Table, rows: Iterable[Any]) -> Iterator[str]:
    writer = csv.writer(_Line())
    yield writer.writerow([column.replace(".", "_") for column in table.columns])
    for row in rows:
        shown = table.row(row)
        yield writer.writerow([cell(_at(shown, column)) for column in table.columns])


def _json_lines(table: Table, rows: Iterable[Any]) -> Iterator[str]:
    for row in rows:
        yield json.dumps(table.row(row), ensure_ascii=False, separators=(",", ":"), default=str) + "\n"


def _in_chunks(lines: Iterable[str], size: int = 32 * 1024) -> Iterator[bytes]:
    """A write to the socket for each line would cost more than the line."""
    held: list[str] = []
    length = 0
    for line in lines:
        held.append(line)
        length += len(line)
        if length >= size:
            yield "".join(held).encode()
            held, length = [], 0
    if held:
        yield "".join(held).encode()


class Rows:
    """Rows that are no query's, as `stream` takes them."""

    def __init__(self, rows: Iterable[Any]) -> None:
        self._rows = rows

    def iterator(self, chunk_size: int) -> Iterator[Any]:
        return iter(self._rows)


def csv_file(table: Table, rows: QuerySet[Any] | Rows) -> StreamingHttpResponse:
    """The whole table, for a page that has no endpoint beside it."""
    lines = _csv_lines(table, rows.iterator(chunk_size=ROWS_AT_ONCE))
    return _download(_in_chunks(lines), table.name, "csv", "text/csv; charset=utf-8")


def stream(request: Request, table: Table, rows: QuerySet[Any] | Rows) -> StreamingHttpResponse | None:
    """The whole list in the format asked for; None when a page was asked for. `rows` may prefetch nothing."""
    renderer = request.accepted_renderer
    if not isinstance(renderer, CSVRenderer | JSONLinesRenderer):
        return None
    each = rows.iterator(chunk_size=ROWS_AT_ONCE)
    lines = _csv_lines(table, each) if isinstance(renderer, CSVRenderer) else _json_lines(table, each)
    media_type = "text/csv; charset=utf-8" if isinstance(renderer, CSVRenderer) else renderer.media_type
    return _download(_in_chunks(lines), table.name, str(renderer.format), str(media_type))


def _download(content: Iterator[bytes], table: str, ending: str, media_type: str) -> StreamingHttpResponse:
    response = StreamingHttpResponse(content, content_type=media_type)
    name = f"{table}-{timezone.now():%Y-%m-%d}.{ending}"
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    response["Cache-Control"] = "no-store"
    return response

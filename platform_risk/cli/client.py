"""A server's API over HTTP, with what goes wrong in words. Standard library only: it starts at once."""

import json
import os
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path
from typing import IO, Any
from urllib.error import HTTPError, URLError
from urllib.parse import parse_qsl, quote, urlencode, urlsplit
from urllib.request import HTTPRedirectHandler, Request, build_opener

from platform_risk import __version__
from platform_risk.cli.said import TOOL, NotThereError, Stop

_SECONDS = 120
_TRIES = 3
_BLOCK = 1 << 16
_MOST_ERROR_BYTES = 1_000_000

Params = Sequence[tuple[str, str]]


class _NoRedirects(HTTPRedirectHandler):
    """A redirect would carry the token along to wherever it leads."""

    def redirect_request(self, *args: Any, **kwargs: Any) -> None:
        return None


@dataclass(frozen=True)
class Client:
    url: str
    token: str

    @classmethod
    def from_environment(cls) -> "Client":
        """By PLATFORM_RISK_URL and PLATFORM_RISK_TOKEN. Raises Stop with what is missing."""
        url = os.environ.get("PLATFORM_RISK_URL", "").rstrip("/")
        token = os.environ.get("PLATFORM_RISK_TOKEN", "").strip()
        if not url:
            raise Stop("PLATFORM_RISK_URL is not set: the address of the server, as https://risk.example.com")
        if urlsplit(url).scheme not in ("http", "https") or not urlsplit(url).netloc:
            raise Stop(f"PLATFORM_RISK_URL is {url}: it begins with https:// or http://")
        if not token:
            raise Stop("PLATFORM_RISK_TOKEN is not set: make a token on the page Account, or with create_token")
        if not token.isascii() or not token.isprintable():
            raise Stop("PLATFORM_RISK_TOKEN holds characters that no token has")
        return cls(url, token)

    def get(self, path: str, params: Params = ()) -> Any:
        with self._opened("GET", path, params) as answer:
            return _json(answer.read())

    def pages(self, path: str, params: Params = ()) -> Iterator[dict[str, Any]]:
        """Every row of a list, page after page."""
        wanted: Params = [*params, ("page_size", "500")]
        while True:
            page = self.get(path, wanted)
            yield from page["results"]
            if not page["next"]:
                return
            # Of the next page's address only what it asks for: the server may not know its own name.
            wanted = parse_qsl(urlsplit(page["next"]).query, keep_blank_values=True)

    def stream(self, path: str, params: Params, accept: str) -> Iterator[bytes]:
        with self._opened("GET", path, params, headers={"Accept": accept}) as answer:
            try:
                while block := answer.read(_BLOCK):
                    yield block
                # What was announced and did not come: http.client says it of reads of the whole alone.
                if getattr(answer, "length", None):
                    raise HTTPException("it ended too soon")
            except (OSError, HTTPException) as error:
                raise Stop(f"{self.url}: the answer broke off ({error})") from error

    def upload(self, fields: Mapping[str, str], file: Path, name: str) -> dict[str, Any]:
        """One file to /imports/. Sent again when the line breaks: the key lets it count once."""
        key = uuid.uuid4().hex
        for attempt in range(1, _TRIES + 1):
            try:
                return self._uploaded(fields, file, name, key)
            except _UnreachableError as error:
                if attempt == _TRIES:
                    raise Stop(str(error)) from error
                time.sleep(attempt)
        raise AssertionError("the loop ends by returning or raising")

    def _uploaded(self, fields: Mapping[str, str], file: Path, name: str, key: str) -> dict[str, Any]:
        boundary = uuid.uuid4().hex
        head = "".join(
            f'--{boundary}\r\nContent-Disposition: form-data; name="{field}"\r\n\r\n{value}\r\n'
            for field, value in fields.items()
        )
        shown = name.replace("\\", "_").replace('"', "_").replace("\r", "_").replace("\n", "_")
        head += f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="{shown}"\r\n'
        head += "Content-Type: application/octet-stream\r\n\r\n"
        begin, end = head.encode("utf-8", "replace"), f"\r\n--{boundary}--\r\n".encode()
        try:
            size = file.stat().st_size
            with file.open("rb") as opened:
                headers = {
                    "Content-Type": f"multipart/form-data; boundary={boundary}",
                    "Content-Length": str(len(begin) + size + len(end)),
                    "Idempotency-Key": key,
                }
                body = _body(begin, opened, size, end)
                with self._opened("POST", "imports/", (), headers=headers, body=body) as answer:
                    sent: dict[str, Any] = _json(answer.read())
                    return sent
        except OSError as error:
            raise Stop(f"{file}: {error.strerror or error}") from error

    @contextmanager
    def _opened(
        self, method: str, path: str, params: Params, headers: Mapping[str, str] | None = None, body: Any = None
    ) -> Iterator[IO[bytes]]:
        query = f"?{urlencode(params, quote_via=quote)}" if params else ""
        request = Request(f"{self.url}/api/v1/{path}{query}", data=body, method=method)  # noqa: S310  # http(s) only
        request.add_header("Authorization", f"Bearer {self.token}")
        request.add_header("User-Agent", f"{TOOL}/{__version__}")
        for name, value in (headers or {}).items():
            request.add_header(name, value)
        try:
            answer = build_opener(_NoRedirects).open(request, timeout=_SECONDS)
        except HTTPError as error:
            with error:
                said = self._refusal(error)
                raise (NotThereError(said) if error.code == 404 else Stop(said)) from error
        except (URLError, HTTPException, OSError) as error:
            reason = getattr(error, "reason", error)
            raise _UnreachableError(f"{self.url} cannot be reached: {reason}") from error
        with answer:
            yield answer

    def _refusal(self, error: HTTPError) -> str:
        if error.code in (301, 302, 303, 307, 308):
            return f"{self.url} answers with another address, {error.headers.get('Location')}: set PLATFORM_RISK_URL"
        problem = _problem(error)
        if error.code == 401:
            return f"{self.url} does not take the token: {problem.get('detail') or 'PLATFORM_RISK_TOKEN is wrong'}"
        said = str(problem.get("detail") or f"it answered {error.code} {error.reason}")
        more = problem.get("errors") if isinstance(problem.get("errors"), list) else []
        parts = [
            f"{str(each.get('pointer') or each.get('parameter') or '').lstrip('/')}: {each.get('detail')}".lstrip(": ")
            for each in more or []
            if isinstance(each, dict) and each.get("detail") != said
        ]
        return "; ".join([said, *parts])


class _UnreachableError(Stop):
    """The line broke, or nobody answers."""


def _body(begin: bytes, opened: IO[bytes], size: int, end: bytes) -> Iterator[bytes]:
    yield begin
    left = size
    while left:
        block = opened.read(min(_BLOCK, left))
        if not block:
            raise OSError("it became shorter while it was sent")
        left -= len(block)
        yield block
    yield end


def _problem(error: HTTPError) -> dict[str, Any]:
    try:
        found = json.loads(error.read(_MOST_ERROR_BYTES))
    except (OSError, ValueError, HTTPException, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _json(text: bytes) -> Any:
    try:
        return json.loads(text)
    except ValueError as error:
        raise Stop("the answer is no JSON: is PLATFORM_RISK_URL the address of Platform Risk?") from error

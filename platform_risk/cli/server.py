"""`platform-risk import`, `gate`, `findings` and `export`: what a pipeline asks of a server."""

import argparse
import json
import os
import sys
import tempfile
import time
import zipfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from findings.platform.files import in_skipped_folder
from findings.vocabulary import Lane, Status
from platform_risk.cli.said import CLEAN, FOUND, NotThereError, Stop, say

if TYPE_CHECKING:
    from platform_risk.cli.client import Client

_KINDS = ("scan", "platform", "bill", "usage")
_WORDS = ("read", "new", "changed", "unchanged", "reopened", "closed", "rejected")
# Of the default branch: what is known there, and what has been decided about there, fails no gate of another branch.
_KNOWN = (Status.FIXED, Status.VERIFIED)
_ACCEPT = {"csv": "text/csv", "jsonl": "application/jsonl"}
_NEVER = "never"


def add(commands: Any) -> None:
    _add_import(commands)
    _add_gate(commands)
    _add_findings(commands)
    _add_export(commands)


def _command(commands: Any, name: str, help_: str, more: str, run: Any) -> argparse.ArgumentParser:
    words = f"{help_[0].upper()}{help_[1:]}. {more} Server and token: PLATFORM_RISK_URL, PLATFORM_RISK_TOKEN."
    made: argparse.ArgumentParser = commands.add_parser(name, help=help_, description=words)
    made.set_defaults(command=run)
    return made


def _client() -> "Client":
    from platform_risk.cli.client import Client  # HTTP and TLS: a scan, which asks nobody, starts without them

    return Client.from_environment()


# -- import


def _add_import(commands: Any) -> None:
    more = "Exit: 0 sent (with --wait: loaded), 1 one of them was not loaded, 2 it could not be sent."
    made = _command(commands, "import", "hand files in", more, _import)
    made.add_argument("files", nargs="+", type=Path, metavar="FILE", help="a folder is packed, and is configuration")
    for name, words in (
        ("service", "what it is about (scans and configuration)"),
        ("environment", "where that runs"),
        ("source", "name of what sends it; left out: the tool that the report names"),
        ("branch", "left out: the report's own, else the default branch"),
        ("format", "left out: found out"),
        ("observed-at", "when it was observed (RFC 3339); left out: the report's own time"),
        ("export", "name of the export (bills and usage)"),
        ("billing-account", "left out: the bill's own"),
    ):
        made.add_argument(f"--{name}", metavar=name.upper().replace("-", "_"), help=words)
    made.add_argument("--kind", choices=_KINDS, help="left out: platform for folders, else found out")
    made.add_argument("--complete", choices=("yes", "no", "auto"), help="whether what it does not hold is gone")
    made.add_argument("--replay", action="store_true", help="apply it although it equals the last one applied")
    made.add_argument("--wait", action="store_true", help="until it is loaded")
    made.add_argument("--timeout", type=float, default=600, metavar="SECONDS", help="how long (default: %(default)g)")
    made.add_argument("--json", action="store_true", help="print the imports as JSON lines")


def _import(options: argparse.Namespace) -> int:
    if options.service is None and options.kind in (None, "scan", "platform") and options.export is None:
        raise Stop("import: --service is missing: what the report is about")
    client = _client()
    missing = [path for path in options.files if not path.exists()]
    if missing:
        raise Stop(f"{missing[0]}: there is no such file or folder")
    sent = []
    for path in options.files:
        with _sendable(path) as (file, name):
            row = client.upload(_fields(options, path), file, name)
        sent.append(row)
        if not options.wait:
            _show_import(row, as_json=options.json)
    if not options.wait:
        return CLEAN
    ended = [_waited(client, row, options.timeout) for row in sent]
    for row in ended:
        _show_import(row, as_json=options.json)
    return CLEAN if all(row["state"] == "done" for row in ended) else FOUND


def _fields(options: argparse.Namespace, path: Path) -> dict[str, str]:
    names = ("service", "environment", "source", "branch", "format", "observed_at", "export", "billing_account",
             "complete", "kind")  # fmt: skip
    fields = {name: value for name in names if (value := getattr(options, name)) is not None}
    if path.is_dir():
        fields.setdefault("kind", "platform")
    if options.replay:
        fields["replay"] = "true"
    return fields


@contextmanager
def _sendable(path: Path) -> Iterator[tuple[Path, str]]:
    """The file itself, or a folder as a zip of what a scan would read."""
    if path.is_file():
        yield path, path.name
        return
    with tempfile.TemporaryDirectory(prefix="platform-risk-") as folder:
        packed = Path(folder) / "platform.zip"
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
            for each in sorted(_below(path)):
                archive.write(each, each.relative_to(path).as_posix())
            if not archive.namelist():
                raise Stop(f"{path}: there is no file in this folder")
        yield packed, f"{path.resolve().name or 'platform'}.zip"


def _below(path: Path) -> Iterator[Path]:
    for folder, names, files in os.walk(path):
        inside = Path(folder).relative_to(path)
        names[:] = [name for name in names if in_skipped_folder((inside / name / "x").as_posix()) is None]
        yield from (found for name in files if (found := Path(folder, name)).is_file() and not found.is_symlink())


def _waited(client: "Client", row: dict[str, Any], seconds: float) -> dict[str, Any]:
    deadline, pause = time.monotonic() + seconds, 0.2
    while row["state"] in ("queued", "running"):
        if time.monotonic() > deadline:
            raise Stop(f"import {row['id']} is still {row['state']} after {seconds:g} s; it goes on")
        time.sleep(pause)
        pause = min(pause * 1.5, 2.0)
        row = client.get(f"imports/{row['id']}/")
        if sys.stderr.isatty():
            progress = row["progress"]
            share = progress["bytes"] * 100 // max(progress["bytes_total"], 1)
            sys.stderr.write(f"\rimport {row['id']} {row['state']}: {share} % \r")
    return row


def _show_import(row: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        _print(json.dumps(row))
        return
    text = f"import {row['id']} {row['state']}: {row['file_name']}"
    if row["state"] == "done":
        counts = ", ".join(f"{row['counts'][word]} {word}" for word in _WORDS if row["counts"][word])
        text += f" ({row['format']}): {counts or 'nothing in it'}"
        if row["duplicate_of"]:
            text += f"; equal to import {row['duplicate_of']}, so nothing changed"
    elif row["error"]:
        error = row["error"]
        place = " ".join(f"{name} {value}" for name, value in error["location"].items() if value is not None)
        text += f": {error['message']}{f' ({place})' if place else ''} {error['remedy']}"
    _print(text)


# -- gate


def _add_gate(commands: Any) -> None:
    more = (
        "A branch is compared with the service's default branch: only what that does not have counts. "
        "Exit: 0 nothing at or above the lane, 1 something, 2 it cannot be told."
    )
    made = _command(commands, "gate", "whether a service or a branch may go out", more, _gate)
    made.add_argument("--service", required=True, metavar="SERVICE")
    made.add_argument("--environment", metavar="ENVIRONMENT")
    made.add_argument("--branch", metavar="BRANCH", help="left out: the default branch")
    made.add_argument(
        "--fail-on", choices=[*(lane.value for lane in Lane), _NEVER], default=Lane.CRITICAL.value,
        help="the mildest lane that fails (default: %(default)s)",
    )  # fmt: skip
    made.add_argument("--all", action="store_true", help="count what the default branch has too")
    made.add_argument("--json", action="store_true", help="print the findings as JSON lines")


def _gate(options: argparse.Namespace) -> int:
    client = _client()
    try:
        default = client.get(f"services/{_in_path(options.service)}/")["default_branch"]
    except NotThereError as error:
        raise Stop(f"there is no service {options.service} that this token may see") from error
    branch = options.branch or default
    place = [("service", options.service)]
    if options.environment:
        place.append(("environment", options.environment))
    told = client.get("imports/", [*place, ("branch", branch), ("state", "done"), ("page_size", "1")])
    if not told["results"]:
        raise Stop(f"nothing was imported for branch {branch} of {options.service}, so nothing can be told")
    lanes = list(Lane)
    worst = [] if options.fail_on == _NEVER else lanes[: lanes.index(Lane(options.fail_on)) + 1]
    found = list(client.pages("findings/", [*place, ("branch", branch), ("is", "open")]))
    known: set[str] = set()
    if branch != default and not options.all:
        known = _known(client.pages("findings/", [*place, ("branch", default)]))
    counting = [each for each in found if each["fingerprint"] not in known]
    failing = [each for each in counting if each["lane"] in worst]
    _show(failing, as_json=options.json)
    compared = f", {len(found) - len(counting)} of them known on {default}" if branch != default else ""
    say(
        f"{options.service} {branch}: {len(found)} open{compared}; "
        f"{len(failing)} {'at or above ' + options.fail_on if worst else 'that would fail'}"
    )
    return FOUND if failing else CLEAN


def _known(findings: Iterable[dict[str, Any]]) -> set[str]:
    return {each["fingerprint"] for each in findings if each["status"] not in _KNOWN}


def _in_path(slug: str) -> str:
    if not slug or not all(each.isalnum() or each in "._-" for each in slug):
        raise Stop(f"{slug} is no name of a service")
    return slug


# -- findings, export


def _add_findings(commands: Any) -> None:
    more = "QUERY is what the search box takes: lane:immediate owner:me is:overdue words."
    made = _command(commands, "findings", "list findings", more, _findings)
    made.add_argument("query", nargs="*", metavar="QUERY")
    made.add_argument("--limit", type=int, default=50, metavar="N", help="at most so many (default: %(default)s)")
    made.add_argument("--json", action="store_true", help="print JSON lines")


def _findings(options: argparse.Namespace) -> int:
    client = _client()
    if options.limit < 1:
        raise Stop("--limit is 1 or more")
    found: list[dict[str, Any]] = []
    for each in client.pages("findings/", _query(options)):
        found.append(each)
        if len(found) >= options.limit:
            break
    _show(found, as_json=options.json)
    return CLEAN


def _add_export(commands: Any) -> None:
    more = "QUERY as for findings; without one all of them, closed ones too."
    made = _command(commands, "export", "write findings to a file", more, _export)
    made.add_argument("query", nargs="*", metavar="QUERY")
    made.add_argument("--format", choices=sorted(_ACCEPT), default="csv")
    made.add_argument("--output", type=Path, metavar="FILE", help="write there and not to standard output")


def _export(options: argparse.Namespace) -> int:
    client = _client()
    params = [*_query(options), ("format", options.format)]
    blocks = client.stream("findings/", params, _ACCEPT[options.format])
    if options.output is None:
        for block in blocks:
            sys.stdout.buffer.write(block)
        sys.stdout.buffer.flush()
        return CLEAN
    # Under its own name only when it is whole.
    part = options.output.with_name(f"{options.output.name}.part")
    try:
        with part.open("wb") as file:
            file.writelines(blocks)
        part.replace(options.output)
    except OSError as error:
        raise Stop(f"{options.output}: {error.strerror}") from error
    finally:
        part.unlink(missing_ok=True)
    return CLEAN


def _query(options: argparse.Namespace) -> list[tuple[str, str]]:
    text = " ".join(options.query).strip()
    return [("q", text)] if text else []


_COLUMNS = ("number", "lane", "severity", "status", "service", "title")


def _show(findings: list[dict[str, Any]], *, as_json: bool) -> None:
    if as_json:
        for each in findings:
            _print(json.dumps(each))
        return
    rows = [[str(each.get(name) or "") for name in _COLUMNS] for each in findings]
    widths = [max((len(row[at]) for row in rows), default=0) for at in range(len(_COLUMNS) - 1)]
    for row, each in zip(rows, findings, strict=True):
        where = each["location"]
        place = where.get("path") or where.get("resource") or ""
        place += f":{where['line']}" if where.get("path") and where.get("line") else ""
        fixed = "  ".join(text.ljust(width) for text, width in zip(row, widths, strict=False))
        _print(f"{fixed}  {row[-1]}{f'  {place}' if place else ''}")


def _print(text: str) -> None:
    # What a title holds must not steer the terminal.
    plain = "".join(each if each.isprintable() else "?" for each in text)
    sys.stdout.buffer.write(f"{plain}\n".encode("utf-8", "replace"))
    sys.stdout.buffer.flush()

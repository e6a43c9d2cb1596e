"""`platform-risk scan`: reads a platform's configuration and tells what will break. No server, no database."""

import argparse
import json
import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from findings.checks import engine, telling
from findings.platform import facts as facts_of_people
from findings.platform import files, reader
from findings.platform.files import File, Skipped
from findings.platform.model import Platform
from findings.risk import lanes
from findings.vocabulary import Lane
from platform_risk import __version__
from platform_risk.cli.said import CLEAN, FAILED, FOUND, Stop, say, write

_NEVER = "never"


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    scan = commands.add_parser(
        "scan",
        help="read files and folders, run every check",
        description="Reads files and folders and runs every check. "
        "Exit: 0 nothing at or above the lane, 1 something, 2 it could not be done.",
    )
    scan.set_defaults(command=_scan)
    scan.add_argument("paths", nargs="+", type=Path, metavar="PATH")
    scan.add_argument("--format", choices=sorted(telling.FORMATS), default="table")
    scan.add_argument("--output", type=Path, metavar="FILE", help="write there and not to standard output")
    scan.add_argument("--facts", type=Path, metavar="FILE", help="facts that files cannot tell, as platform-risk.yaml")
    scan.add_argument(
        "--baseline", type=Path, metavar="FILE", help="JSON of a former scan: only what it does not hold counts"
    )
    scan.add_argument(
        "--fail-on",
        choices=[*(lane.value for lane in Lane), _NEVER],
        default=Lane.OPTIMIZATION.value,
        help="the mildest lane that makes the exit code 1 (default: %(default)s, which is all)",
    )


def _scan(options: argparse.Namespace) -> int:
    facts = _facts(options.facts) if options.facts else None
    known = _baseline(options.baseline) if options.baseline else {}
    read = list(_files(options.paths))
    platform = reader.read(read, facts)
    wrong = list(_facts_problems(platform, options.facts))
    problems = [*_missing(options.paths), *_unreadable(read), *(text for text, is_read in wrong if not is_read)]
    failed = bool(problems)
    problems += (text for text, is_read in wrong if is_read)
    today = datetime.now(UTC).date()
    problems += engine.suppression_problems(platform, today)
    outcome = engine.run(platform, today=today)
    problems += engine.without_effect(platform, outcome)
    told = telling.told(__version__, platform, outcome, lanes.decide, known=known, problems=problems)
    for problem in problems:
        say(problem)
    if not platform.files_read:
        say("no file of a kind that is read here")
    write(_text(told, options).encode("utf-8", "replace"), options.output)
    if failed:
        return FAILED
    return FOUND if options.fail_on != _NEVER and told.reaches(Lane(options.fail_on)) else CLEAN


def _files(paths: Sequence[Path]) -> Iterator[File | Skipped]:
    """Paths are shown from the one folder that was given, or, where several were, as they were given."""
    seen: set[str] = set()
    for path in paths:
        if not path.exists():
            continue
        prefix = _prefix(path) if len(paths) > 1 else ""
        for each in files.walk([path]):
            shown = prefix + each.path
            if shown in seen:
                continue
            seen.add(shown)
            yield File(shown, each.text) if isinstance(each, File) else Skipped(shown, each.reason, each.line)


def _prefix(path: Path) -> str:
    folder = (path if path.is_dir() else path.parent).as_posix()
    return "" if folder == "." else f"{folder.rstrip('/')}/"


def _missing(paths: Iterable[Path]) -> Iterator[str]:
    yield from (f"{path}: there is no such file or folder" for path in paths if not path.exists())


def _unreadable(read: Iterable[File | Skipped]) -> Iterator[str]:
    for each in read:
        if isinstance(each, Skipped) and each.reason.startswith("cannot be read"):
            yield f"{each.path}: {each.reason}"


def _facts(path: Path) -> File:
    found = next(iter(files.walk([path])), None) if path.is_file() else None
    if not isinstance(found, File):
        raise Stop(f"{path}: {found.reason if found else 'there is no such file'}")
    return File(path.as_posix(), found.text)


def _facts_problems(platform: Platform, given: Path | None) -> Iterator[tuple[str, bool]]:
    """(what is wrong with the facts, whether they are read all the same): facts that cannot be read would silently turn
    findings into unknowns."""
    for each in platform.skipped:
        is_given = given is not None and each.path == given.as_posix()
        is_beside = each.path.rpartition("/")[2] in reader.FACTS_NAMES and not each.reason.startswith(
            reader.OTHER_FACTS
        )
        if is_given or is_beside:
            place = f"{each.path}{f', line {each.line}' if each.line else ''}"
            yield f"{place}: {each.reason}", each.reason.startswith(facts_of_people.UNREAD)


def _baseline(path: Path) -> dict[str, str]:
    """Fingerprints with the file of each finding, "" where it does not say."""
    try:
        findings = json.loads(path.read_text(encoding="utf-8"))["findings"]
        first: dict[str, dict[str, Any]] = {
            str(each["fingerprint"]): next(iter(each.get("locations") or ()), {}) for each in findings
        }
        return {fingerprint: str(place.get("path", "")) for fingerprint, place in first.items()}
    except OSError as error:
        raise Stop(f"{path}: {error.strerror}") from error
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise Stop(f"{path}: it is no result of `{telling.TOOL} scan --format json`") from error


def _text(told: telling.Telling, options: argparse.Namespace) -> str:
    if options.format == "table" and options.output is None and sys.stdout.isatty():
        return telling.as_table(told, os.get_terminal_size().columns)
    return telling.FORMATS[options.format](told)

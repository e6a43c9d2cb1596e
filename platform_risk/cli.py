"""The command `platform-risk`: reads a platform's configuration and tells what will break. No server, no Django."""

import argparse
import json
import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

from findings.checks import engine, telling
from findings.platform import files, reader
from findings.platform.files import File, Skipped
from findings.platform.model import Platform
from findings.risk import lanes
from findings.vocabulary import Lane
from platform_risk import __version__

CLEAN, FOUND, FAILED = 0, 1, 2
_NEVER = "never"


class Stop(Exception):
    """It cannot be done: said on stderr."""


def main(arguments: Sequence[str] | None = None) -> int:
    options = _parser().parse_args(arguments)
    try:
        code: int = options.command(options)
    except Stop as error:
        _say(str(error))
        return FAILED
    except BrokenPipeError:
        # Whoever read has read enough; what Python would still flush at its end has nowhere to go.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED
    return code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog=telling.TOOL, description="What will break, read from configuration.")
    parser.add_argument("--version", action="version", version=f"{telling.TOOL} {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
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
    return parser


def _scan(options: argparse.Namespace) -> int:
    facts = _facts(options.facts) if options.facts else None
    known = _baseline(options.baseline) if options.baseline else frozenset()
    read = list(_files(options.paths))
    platform = reader.read(read, facts)
    problems = [*_missing(options.paths), *_unreadable(read), *_facts_problems(platform, options.facts)]
    failed = bool(problems)
    today = datetime.now(UTC).date()
    problems += engine.suppression_problems(platform, today)
    outcome = engine.run(platform, today=today)
    told = telling.told(__version__, platform, outcome, lanes.decide, known=known, problems=problems)
    for problem in problems:
        _say(problem)
    if not platform.files_read:
        _say("no file of a kind that is read here")
    _write(_text(told, options), options.output)
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


def _facts_problems(platform: Platform, given: Path | None) -> Iterator[str]:
    """Facts that cannot be read would silently turn findings into unknowns."""
    for each in platform.skipped:
        is_given = given is not None and each.path == given.as_posix()
        is_beside = each.path.rpartition("/")[2] in reader.FACTS_NAMES and not each.reason.startswith(
            reader.OTHER_FACTS
        )
        if is_given or is_beside:
            yield f"{each.path}{f', line {each.line}' if each.line else ''}: {each.reason}"


def _baseline(path: Path) -> frozenset[str]:
    try:
        findings = json.loads(path.read_text(encoding="utf-8"))["findings"]
        return frozenset(str(each["fingerprint"]) for each in findings)
    except OSError as error:
        raise Stop(f"{path}: {error.strerror}") from error
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise Stop(f"{path}: it is no result of `{telling.TOOL} scan --format json`") from error


def _text(told: telling.Telling, options: argparse.Namespace) -> str:
    if options.format == "table" and options.output is None and sys.stdout.isatty():
        return telling.as_table(told, os.get_terminal_size().columns)
    return telling.FORMATS[options.format](told)


def _write(text: str, output: Path | None) -> None:
    data = text.encode("utf-8", "replace")
    if output is None:
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
        return
    try:
        output.write_bytes(data)
    except OSError as error:
        raise Stop(f"{output}: {error.strerror}") from error


def _say(text: str) -> None:
    sys.stderr.write(f"{telling.TOOL}: {text}\n")


if __name__ == "__main__":
    sys.exit(main())

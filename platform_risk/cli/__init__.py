"""The command `platform-risk`: scans without a server, and talks to one. No Django."""

import argparse
import os
import re
import sys
from collections.abc import Sequence

from platform_risk import __version__
from platform_risk.cli import scan, server
from platform_risk.cli.said import FAILED, TOOL, Stop, say

_WORD = re.compile(r"[^-]|-[a-z_]+:.")
INTERRUPTED = 130  # 128 + SIGINT, as shells have it


def main(arguments: Sequence[str] | None = None) -> int:
    options = _parsed(arguments)
    try:
        code: int = options.command(options)
    except Stop as error:
        say(str(error))
        return FAILED
    except BrokenPipeError:
        # Whoever read has read enough; what Python would still flush at its end has nowhere to go.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED
    except KeyboardInterrupt:
        return INTERRUPTED
    return code


def _parsed(arguments: Sequence[str] | None) -> argparse.Namespace:
    """A filter may exclude (`-status:fixed`) and go on behind an option: argparse takes neither for words."""
    parser = _parser()
    options, rest = parser.parse_known_args(arguments)
    wrong = [each for each in rest if not (hasattr(options, "query") and _WORD.match(each))]
    if wrong:
        parser.error(f"unrecognized arguments: {' '.join(wrong)}")
    if rest:
        options.query += rest
    return options


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog=TOOL, description="What will break, and what it costs.")
    parser.add_argument("--version", action="version", version=f"{TOOL} {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    scan.add(commands)
    server.add(commands)
    return parser

"""What all commands say alike: exit codes, and words on standard error."""

import sys
from pathlib import Path

TOOL = "platform-risk"
CLEAN, FOUND, FAILED = 0, 1, 2


class Stop(Exception):
    """It cannot be done: said on stderr."""


class NotThereError(Stop):
    """404: there is none, or none that the token's user may see."""


def say(text: str) -> None:
    sys.stderr.write(f"{TOOL}: {text}\n")


def write(data: bytes, output: Path | None) -> None:
    """To a file, or to standard output."""
    try:
        if output is None:
            sys.stdout.buffer.write(data)
            sys.stdout.buffer.flush()
        else:
            output.write_bytes(data)
    except BrokenPipeError:
        raise  # a reader that has read enough is no failure to write
    except OSError as error:
        raise Stop(f"{output or 'standard output'}: {error.strerror}") from error

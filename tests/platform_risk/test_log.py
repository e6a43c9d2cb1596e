"""What goes to the log: one line a record, and no traceback for what was only refused."""

import logging
import sys

from platform_risk.log import OneLine


def line(message: str, *, status: int | None = None) -> str:
    try:
        raise PermissionError("not yours")
    except PermissionError:
        record = logging.LogRecord("django.request", logging.WARNING, "", 0, message, (), sys.exc_info())
    if status is not None:
        record.status_code = status
    return OneLine().format(record)


def test_a_traceback_stays_in_its_line() -> None:
    written = line("Internal Server Error", status=500)
    assert "PermissionError: not yours" in written
    assert "\n" not in written


def test_a_refusal_is_one_short_line_without_traceback() -> None:
    written = line("Forbidden: /findings/1/assign/", status=403)
    assert written.endswith("Forbidden: /findings/1/assign/")


def test_a_name_cannot_forge_a_record() -> None:
    assert "\n" not in line("received a.sarif\n2026-01-01 ERROR forged")

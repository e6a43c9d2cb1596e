"""Every scan format, one line each. Another package adds one through the entry point group below."""

import functools
import logging
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import entry_points
from typing import Any

from findings.scans import checkov, findings_csv, findings_json, sarif
from findings.scans.options import Match, Options
from findings.scans.records import Report

logger = logging.getLogger(__name__)
GROUP = "platform_risk.scan_formats"


@dataclass(frozen=True)
class Format:
    name: str
    title: str
    # From the first 64 KiB: how sure, why, and what was missing.
    sniff: Callable[[bytes], Match]
    # Raises ScanError when the report as a whole cannot be read.
    open: Callable[[Any, Options], Report]


FORMATS: dict[str, Format] = {
    "sarif": Format("sarif", "SARIF 2.1.0", sarif.sniff, sarif.open_report),
    "checkov": Format("checkov", "Checkov JSON", checkov.sniff, checkov.open_report),
    "findings-json": Format("findings-json", "JSON list of findings", findings_json.sniff, findings_json.open_report),
    "findings-csv": Format("findings-csv", "CSV list of findings", findings_csv.sniff, findings_csv.open_report),
}


@functools.cache
def formats() -> dict[str, Format]:
    """Ours and those of other packages. One that cannot be loaded is named in the log and left out."""
    found = dict(FORMATS)
    for point in entry_points(group=GROUP):
        try:
            loaded = point.load()
        except Exception:
            logger.exception("scan format %s (%s) cannot be loaded", point.name, point.value)
            continue
        if isinstance(loaded, Format) and loaded.name not in found:
            found[loaded.name] = loaded
        else:
            logger.error("scan format %s (%s) is no Format, or its name is taken", point.name, point.value)
    return found

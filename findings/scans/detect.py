"""Which format a file has, from its first 64 KiB and never from its name. PURE."""

from dataclasses import dataclass
from typing import Any

from findings.scans import registry
from findings.scans.records import ScanError
from platform_risk.core import looks

HEAD_BYTES = 64 * 1024
_ENOUGH = 0.5
_SURE = 0.9


@dataclass(frozen=True)
class Detected:
    format: str
    confidence: float
    reason: str


def is_sure(head: bytes) -> bool:
    """Whether it is a scan report beyond doubt, whatever else it might be taken for."""
    return any(format_.sniff(head[:HEAD_BYTES]).confidence >= _SURE for format_ in registry.formats().values())


def of(head: Any, requested: str = "") -> Detected:
    """The likeliest format of a file, or the one asked for. Raises ScanError: with what is wrong with the file, or
    unknown_format that names the two likeliest candidates and what each of them misses."""
    known = registry.formats()
    if requested:
        if requested not in known:
            raise ScanError(
                "unknown_format", f"There is no format {requested}.", remedy=f"One of: {', '.join(sorted(known))}."
            )
        return Detected(requested, 1.0, "Named by whoever uploaded it.")
    start = bytes(head[:HEAD_BYTES])
    ranked = sorted(
        ((name, format_.sniff(start)) for name, format_ in known.items()), key=lambda pair: -pair[1].confidence
    )
    name, best = ranked[0]
    if best.confidence >= _ENOUGH:
        return Detected(name, best.confidence, f"{best.reason} ({100 * best.confidence:.0f} % sure)")
    fault = looks.fault(bytes(head)) if len(head) <= looks.MOST_BYTES else None
    if fault is not None:
        raise ScanError(fault.code, fault.message, remedy=fault.remedy, **fault.location)
    candidates = "; ".join(f"{known[name].title}: {match.missing}" for name, match in ranked[:2])
    raise ScanError(
        "unknown_format",
        f"This is no report that is known here. Likeliest: {candidates}.",
        remedy="Upload SARIF, Checkov JSON, or a CSV or JSON list of findings; or name the format.",
        byte=0,
    )

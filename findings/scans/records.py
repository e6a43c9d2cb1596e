"""What every scan parser hands over: plain frozen records. PURE.

`gc=False`: a report of 100,000 results makes 100,000 of these, none can be part of a cycle, and the
garbage collector walking them doubled the parse time when measured.
"""

from collections.abc import Iterator
from typing import Any, Protocol

import msgspec

from findings.vocabulary import Category, Outcome, RiskClass, Severity, SeveritySource


class Suppression(msgspec.Struct, frozen=True, gc=False):
    """A report's own word that a result is to be left alone (SARIF 2.1.0, 3.35)."""

    justification: str = ""
    kind: str = ""  # inSource, external


class Related(msgspec.Struct, frozen=True, gc=False):
    """Another place that explains a finding."""

    path: str
    line: int | None = None
    message: str = ""


class FindingRecord(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """One result of one report, in the product's own words.

    Every text is free of NUL and lone surrogates and within the lengths of `scans.bounds`; nothing here is
    redacted yet (findings.load does that before anything is stored).
    """

    fingerprint: str  # 32 hexadecimal digits; see scans.fingerprint
    title: str
    severity: Severity
    severity_source: SeveritySource
    category: Category
    rule: str
    scanner: str  # the tool, lower case: checkov, trivy, …
    pointer: str  # where in the report: JSON pointer (RFC 6901), or "line 12" of a CSV
    entry: str = ""  # the archive entry, where the report came inside a zip
    risk_class: RiskClass | None = None  # None: derived from the category
    outcome: Outcome | None = None
    message: str = ""
    rule_name: str = ""
    rule_help: str = ""
    help_uri: str = ""  # http(s) only
    check: str = ""
    path: str = ""
    line: int | None = None
    end_line: int | None = None
    resource: str = ""
    namespace: str = ""  # Kubernetes namespace, where the resource names it
    image: str = ""
    package: str = ""
    package_version: str = ""
    endpoint: str = ""
    symbol: str = ""
    identifiers: tuple[str, ...] = ()  # CVE, GHSA, CWE …
    tags: tuple[str, ...] = ()
    excerpt: str = ""  # the code, as the report quotes it
    excerpt_line: int | None = None  # number of the excerpt's first line
    related: tuple[Related, ...] = ()
    suppression: Suppression | None = None
    quantities: tuple[dict[str, Any], ...] = ()  # figures with formula and inputs, as JSON
    remedies: tuple[str, ...] = ()  # ids
    exploit: str = ""  # known, likely, unlikely to be exploited; "" where the report does not say


class Reject(msgspec.Struct, frozen=True, gc=False):
    """One record of a report that could not be used: kept with its place and the reason."""

    pointer: str
    reason: str
    excerpt: str = ""  # at most 500 characters of the record
    entry: str = ""


class Absent(msgspec.Struct, frozen=True, gc=False):
    """One result that the report itself says is gone (SARIF baselineState `absent`): read, but not seen."""

    pointer: str


class ReportInfo(msgspec.Struct, frozen=True):
    """What a report says about itself."""

    scanner: str  # the tool, lower case; "" when it does not say
    scanner_version: str = ""
    observed_at: str = ""  # RFC 3339, "" when the report does not say
    branch: str = ""
    category: str = ""  # SARIF automationDetails.id without its last part: tells two runs of one tool apart
    complete: bool = True  # False: the report says that it did not look at everything
    incomplete_because: str = ""
    notes: tuple[str, ...] = ()  # what a person should know about how it was read (a guessed encoding …)


class Report(Protocol):
    """An opened report: what it says of itself, and its records one at a time.

    `records()` may be called again and starts from the beginning. While it runs, `position` is the number of
    bytes consumed (for progress). Opening raises ScanError when the report as a whole cannot be read; a record
    that cannot be used comes out as a Reject and the rest goes on.
    """

    info: ReportInfo
    position: int

    def records(self) -> Iterator[FindingRecord | Reject | Absent]: ...


class ScanError(Exception):
    """A report that cannot be read: what, where, and what to do about it."""

    def __init__(self, code: str, message: str, *, remedy: str, **location: Any) -> None:
        super().__init__(message)
        self.code = code  # machine word: not_json, unknown_format, too_deep, mapping_needed …
        self.message = message
        self.remedy = remedy
        self.location = location  # any of line, column, byte, pointer, entry

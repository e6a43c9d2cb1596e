"""Checkov's JSON: one object, or a list of one object per framework. PURE.

The same scan as SARIF gives the same findings: `finding` below makes them for both (scans.sarif calls it).
"""

from collections.abc import Iterator
from typing import Any

import msgspec

from findings.scans import bounds, checkov_resources, checkov_rules, fingerprint, json_reader
from findings.scans.options import Match, Options
from findings.scans.records import Absent, FindingRecord, Reject, ReportInfo, ScanError, Suppression

SCANNER = "checkov"


class _CheckResult(msgspec.Struct, gc=False):
    suppress_comment: str | None = None


class _Vulnerability(msgspec.Struct, gc=False):
    id: str | None = None
    package_name: str | None = None
    package_version: str | None = None
    description: str | None = None


class _Check(msgspec.Struct, gc=False):
    check_id: str | None = None
    check_name: str | None = None
    check_result: _CheckResult | None = None
    code_block: list[tuple[int, str]] | None = None
    file_path: str | None = None
    repo_file_path: str | None = None
    file_line_range: list[int] | None = None
    resource: str | None = None
    severity: str | None = None
    guideline: str | None = None
    vulnerability_details: _Vulnerability | None = None


class _Results(msgspec.Struct):
    failed_checks: list[msgspec.Raw] | None = None
    skipped_checks: list[msgspec.Raw] | None = None


class _Summary(msgspec.Struct):
    parsing_errors: int | None = None
    checkov_version: str | None = None


class _Document(msgspec.Struct):
    check_type: str | None = None
    results: _Results | None = None
    summary: _Summary | None = None
    # A run that found nothing to look at writes the summary's fields bare.
    passed: int | None = None
    parsing_errors: int | None = None
    checkov_version: str | None = None


def sniff(head: bytes) -> Match:
    keys = json_reader.outline(head)
    for base in ("", "[]."):
        checks = any(f"{base}results.{name}_checks" in keys for name in ("failed", "passed", "skipped"))
        if f"{base}check_type" in keys and (checks or f"{base}results" in keys):
            return Match(0.97, "JSON with Checkov's check_type and results.")
        if checks:
            return Match(0.9, "JSON with results.failed_checks, as Checkov writes them.")
        if f"{base}checkov_version" in keys and f"{base}parsing_errors" in keys:
            return Match(0.95, "Checkov's JSON of a run that found nothing to check.")
    if keys:
        return Match(0.05, "It is JSON.", "Checkov's JSON has check_type and results.failed_checks")
    return Match(0.0, "It is no JSON.", "it does not begin like JSON")


def open_report(data: Any, options: Options) -> "CheckovReport":
    view = json_reader.prepared(data)
    json_reader.check_depth(view, options.max_depth)
    if bytes(view[:4096]).lstrip()[:1] == b"[":
        return CheckovReport(json_reader.decode(view, list[_Document]), view, prefix="/{}")
    return CheckovReport([json_reader.decode(view, _Document)], view, prefix="")


class CheckovReport:
    """An opened Checkov report (scans.records.Report)."""

    def __init__(self, documents: list[_Document], view: memoryview, *, prefix: str) -> None:
        for index, document in enumerate(documents):
            if document.results is None and document.summary is None and document.passed is None:
                raise ScanError(
                    "wrong_shape",
                    "This is JSON, but no report of Checkov: it has neither results nor a summary.",
                    remedy="Write it with checkov -o json.",
                    pointer=prefix.format(index),
                )
        self._documents = documents
        self._view = view
        self._prefix = prefix
        self.position = 0
        self.info = _info(documents)

    def records(self) -> Iterator[FindingRecord | Reject | Absent]:
        self.position = 0
        occurrences = fingerprint.Occurrences()
        decode = msgspec.json.Decoder(_Check).decode
        for index, document in enumerate(self._documents):
            results = document.results or _Results()
            framework = document.check_type or ""
            lists = (("failed_checks", results.failed_checks), ("skipped_checks", results.skipped_checks))
            for name, checks in lists:
                base = f"{self._prefix.format(index)}/results/{name}"
                for number, raw in enumerate(checks or ()):
                    pointer = f"{base}/{number}"
                    try:
                        check = decode(raw)
                    except json_reader.RECORD_ERRORS as error:
                        yield json_reader.rejected(raw, pointer, error)
                    else:
                        yield _record(check, framework, pointer, occurrences, skipped=name == "skipped_checks")
                    self.position += len(memoryview(raw))
        self.position = len(self._view)


def _info(documents: list[_Document]) -> ReportInfo:
    errors, version = 0, ""
    for document in documents:
        summary = document.summary or _Summary(document.parsing_errors, document.checkov_version)
        errors += max(0, summary.parsing_errors or 0)
        version = version or summary.checkov_version or ""
    return ReportInfo(
        scanner=SCANNER,
        scanner_version=bounds.line(version, bounds.RULE),
        complete=errors == 0,
        incomplete_because=f"Checkov could not parse {errors} of the files." if errors else "",
    )


def _record(
    check: _Check, framework: str, pointer: str, occurrences: fingerprint.Occurrences, *, skipped: bool
) -> FindingRecord | Reject:
    rule = bounds.line(check.check_id or "", bounds.RULE)
    if not rule:
        return Reject(pointer, "It has no check_id.")
    path = bounds.path(check.repo_file_path or check.file_path or "")
    block = check.code_block or []
    excerpt = bounds.text("".join(line for _, line in block), bounds.EXCERPT)
    lines = check.file_line_range or []
    stated = bounds.line(check.resource or "", bounds.NAME)
    known = checkov_resources.as_named(stated, rule, framework, path)
    suppression = None
    if skipped:
        comment = check.check_result.suppress_comment if check.check_result is not None else ""
        suppression = Suppression(bounds.text(comment or "", bounds.MESSAGE), "inSource")
    return finding(
        rule=rule,
        name=check.check_name or "",
        message="",
        path=path,
        lines=(lines[0] if lines else None, lines[1] if len(lines) > 1 else None),
        identity=known,
        resource=known or stated,
        excerpt=excerpt,
        excerpt_line=bounds.number(block[0][0]) if block else None,
        help_uri=check.guideline,
        stated_severity=check.severity,
        vulnerability=check.vulnerability_details,
        suppression=suppression,
        pointer=pointer,
        occurrences=occurrences,
    )


def finding(
    *,
    rule: str,
    name: str,
    message: str,
    path: str,
    lines: tuple[int | None, int | None],
    identity: str,
    resource: str,
    excerpt: str,
    excerpt_line: int | None,
    help_uri: str | None,
    stated_severity: str | None,
    suppression: Suppression | None,
    pointer: str,
    occurrences: fingerprint.Occurrences,
    vulnerability: _Vulnerability | None = None,
) -> FindingRecord:
    """One Checkov result from either report. `identity` is the resource where both reports tell it, else ""."""
    rating = checkov_rules.rating_of(rule, stated_severity)
    line = bounds.number(lines[0])
    title = bounds.line(name or rating.title or rule, bounds.TITLE)
    package = version = ""
    identifiers = bounds.identifiers(rule)
    if vulnerability is not None:
        package = bounds.line(vulnerability.package_name or "", bounds.PACKAGE)
        version = bounds.line(vulnerability.package_version or "", bounds.VERSION)
        identifiers = bounds.identifiers(rule, bounds.line(vulnerability.id or "", bounds.RULE))
        message = message or vulnerability.description or ""
    said = bounds.text(message, bounds.MESSAGE)
    return FindingRecord(
        fingerprint=occurrences.of(fingerprint.of(SCANNER, rule, path, identity, package), line),
        title=title,
        severity=rating.severity,
        severity_source=rating.source,
        category=rating.category,
        rule=rule,
        scanner=SCANNER,
        pointer=pointer,
        # Checkov's message is the rule's name again.
        message="" if said.strip() == title else said,
        rule_name=title,
        help_uri=bounds.link(help_uri),
        path=path,
        line=line,
        end_line=bounds.number(lines[1]),
        resource=resource,
        namespace=checkov_resources.namespace_of(identity)[: bounds.NAMESPACE],
        package=package,
        package_version=version,
        identifiers=identifiers,
        excerpt=excerpt,
        excerpt_line=excerpt_line if excerpt else None,
        suppression=suppression,
    )

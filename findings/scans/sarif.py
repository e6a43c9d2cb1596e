"""SARIF 2.1.0: the log as a whole, and its results one at a time. PURE.

Shapes are in sarif_shape, rules in sarif_rules, places in sarif_places. Section numbers are those of the standard.
"""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import msgspec

from findings.scans import bounds, checkov, checkov_resources, fingerprint, json_reader, sarif_places, sarif_rules
from findings.scans.options import Match, Options
from findings.scans.records import Absent, FindingRecord, Reject, ReportInfo, ScanError, Suppression
from findings.scans.sarif_rules import Rule, Rules
from findings.scans.sarif_shape import Invocation, Location, Log, PhysicalLocation, Result, Run
from findings.scans.sarif_shape import Suppression as Suppressed
from findings.vocabulary import Severity, SeveritySource

_NOTHING_WRONG = {"pass", "notApplicable", "informational"}
_RESULT = msgspec.json.Decoder(Result)
_NOWHERE = PhysicalLocation()


def sniff(head: bytes) -> Match:
    keys = json_reader.outline(head)
    if not keys:
        return Match(0.0, "It is no JSON.", "it does not begin like JSON")
    schema = "sarif" in keys.get("$schema", "").lower()
    if "runs" in keys or "runs[].tool" in keys:
        if schema or keys.get("version", "").startswith("2.1"):
            return Match(0.98, "JSON with SARIF's version and runs.")
        if "runs[].tool.driver" in keys or "runs[].results[].ruleId" in keys or "runs[].results[].message" in keys:
            return Match(0.9, "JSON with runs of a tool and its results, as SARIF has them.")
        return Match(0.4, "It has runs.", "a SARIF log states version 2.1.0, and each run its tool.driver")
    if schema:
        # The runs may begin after the part that is looked at.
        return Match(0.8, "JSON that names SARIF's schema.")
    return Match(0.1, "It is JSON.", "a SARIF log has version and runs")


def open_report(data: Any, options: Options) -> "SarifReport":
    view = json_reader.prepared(data)
    json_reader.check_depth(view, options.max_depth)
    log = json_reader.decode(view, Log)
    if log.runs is None:
        raise ScanError(
            "wrong_shape",
            "This is JSON, but no SARIF log: it has no runs.",
            remedy="Have the scanner write SARIF 2.1.0.",
            pointer="/runs",
        )
    if log.version and not log.version.startswith("2.1"):
        raise ScanError(
            "unsupported_version",
            f"This is SARIF {bounds.line(log.version, 20)}.",
            remedy="Have the scanner write SARIF 2.1.0.",
            pointer="/version",
        )
    return SarifReport(log.runs, view)


class SarifReport:
    """An opened SARIF log (scans.records.Report)."""

    def __init__(self, runs: list[Run], view: memoryview) -> None:
        self._runs = runs
        self._view = view
        self.position = 0
        self.info = _info(runs)

    def records(self) -> Iterator[FindingRecord | Reject | Absent]:
        self.position = 0
        occurrences = fingerprint.Occurrences()
        decode = _RESULT.decode
        for number, run in enumerate(self._runs):
            read = _RunReader(run, occurrences)
            for index, raw in enumerate(run.results or ()):
                pointer = f"/runs/{number}/results/{index}"
                try:
                    result = decode(raw)
                except json_reader.RECORD_ERRORS as error:
                    yield json_reader.rejected(raw, pointer, error)
                else:
                    yield read.record(result, pointer)
                self.position += len(memoryview(raw))
        self.position = len(self._view)


class _RunReader:
    """Turns results of one run into records."""

    def __init__(self, run: Run, occurrences: fingerprint.Occurrences) -> None:
        self._run = run
        self._scanner = scanner_of(run)
        self._rules = Rules(run, self._scanner)
        self._paths = sarif_places.Paths(run)
        self._occurrences = occurrences
        self._record = self._from_checkov if self._scanner == checkov.SCANNER else self._finding

    def record(self, result: Result, pointer: str) -> FindingRecord | Absent | Reject:
        if result.baseline == "absent" or result.kind in _NOTHING_WRONG:
            return Absent(pointer)
        rule = self._rules.of(result)
        text = self._rules.message(result.message, rule)
        if not text and not rule.id:
            return Reject(pointer, "It has neither a rule nor a message.")
        location = result.locations[0] if result.locations else None
        return self._record(result, rule, text, location, pointer)

    def _finding(self, result: Result, rule: Rule, text: str, location: Location | None, pointer: str) -> FindingRecord:
        place = (location.physical if location is not None else None) or _NOWHERE
        region = place.region
        path = self._paths.of(place.artifact)
        line = bounds.number(region.start) if region is not None else None
        excerpt, excerpt_line, context = sarif_places.excerpt_of(place)
        resource = symbol = ""
        if location is not None and location.logical:
            resource, symbol = sarif_places.named(location, self._run)
        message = bounds.text(text, bounds.MESSAGE)
        title = _title(rule, message)
        category, tags, identifiers, score = rule.category, rule.tags, rule.identifiers, rule.score
        exploit = rule.exploit
        if result.properties:
            exploit = sarif_rules.exploit_of(result.properties) or exploit
            score = sarif_rules.score_of(result.properties) or score
            tags = tuple(dict.fromkeys(tags + sarif_rules.tags_of(result.properties)))[: bounds.MOST_TAGS]
            identifiers = bounds.identifiers(*identifiers, *tags)
        if result.taxa:
            identifiers = bounds.identifiers(*identifiers, *(_taxon(taxon.id) for taxon in result.taxa[:50]))
        about = resource or symbol or fingerprint.code(context) or fingerprint.words(text)
        return FindingRecord(
            fingerprint=self._occurrences.of(self._fingerprint(result, rule.id, path, about), line),
            title=title,
            severity=score or self._severity(result, rule),
            severity_source=SeveritySource.REPORT,
            category=category,
            rule=rule.id,
            scanner=self._scanner,
            pointer=pointer,
            message="" if message == title else message,
            rule_name=rule.name,
            rule_help=rule.help,
            help_uri=rule.help_uri,
            path=path,
            line=line,
            end_line=bounds.number(region.end) if region is not None else None,
            resource=resource,
            symbol=symbol,
            identifiers=identifiers,
            tags=tags,
            exploit=exploit,
            excerpt=excerpt,
            excerpt_line=excerpt_line if excerpt else None,
            related=sarif_places.related(result, self._paths) if result.related or result.flows else (),
            suppression=_suppression(result.suppressions) if result.suppressions else None,
        )

    def _severity(self, result: Result, rule: Rule) -> Severity:
        # A kind other than fail (review, open) has no level (3.27.10).
        level = self._rules.level(result, rule) if result.kind in (None, "fail") else "none"
        return sarif_rules.severity_of(level)

    def _fingerprint(self, result: Result, rule: str, path: str, about: str) -> str:
        if result.fingerprints:
            own = fingerprint.own(result.fingerprints)
            if own:
                return fingerprint.of(self._scanner, rule, own)
        if result.partial:
            own = fingerprint.own(result.partial)
            if own:
                return fingerprint.of(self._scanner, rule, path, own)
        return fingerprint.of(self._scanner, rule, path, about)

    def _from_checkov(
        self, result: Result, rule: Rule, text: str, location: Location | None, pointer: str
    ) -> FindingRecord:
        """Its level `error` means nothing and its help names another result's resource: as scans.checkov reads it."""
        place = (location.physical if location is not None else None) or _NOWHERE
        excerpt, excerpt_line, code = sarif_places.excerpt_of(place)
        resource = checkov_resources.in_code(code, rule.id)
        region = place.region
        score = rule.score
        return checkov.finding(
            rule=rule.id,
            name=text.partition("\n")[0] or rule.title,
            message=text,
            path=self._paths.of(place.artifact),
            lines=(region.start, region.end) if region is not None else (None, None),
            identity=resource,
            resource=resource,
            excerpt=excerpt,
            excerpt_line=excerpt_line,
            help_uri=rule.help_uri,
            stated_severity=score.value if score is not None else None,
            suppression=_suppression(result.suppressions) if result.suppressions else None,
            pointer=pointer,
            occurrences=self._occurrences,
        )


def scanner_of(run: Run) -> str:
    """The tool in one lower-case word: "Semgrep OSS" is semgrep, "CodeQL" codeql."""
    driver = run.tool.driver if run.tool is not None else None
    name = bounds.line((driver.name if driver is not None else "") or "", bounds.RULE).lower()
    words = re.findall(r"[a-z0-9][a-z0-9._+-]*", name)
    return words[0][:50] if words else ""


def _title(rule: Rule, message: str) -> str:
    """The rule's short description, unless it only repeats the rule's id; then the message's first line."""
    if rule.title and rule.title != rule.name and (not rule.id or rule.id not in rule.title):
        return rule.title
    first = bounds.line(message.lstrip().partition("\n")[0], bounds.TITLE)
    return first or rule.title or rule.name or rule.id


def _taxon(stated: str | None) -> str:
    """Taxa of CWE are given as bare numbers."""
    name = bounds.line(stated or "", bounds.RULE)
    return f"CWE-{name}" if name.isdecimal() else name


def _suppression(stated: list[Suppressed]) -> Suppression | None:
    """Suppressed only when nothing about it is still under review or was rejected (3.27.23)."""
    if any(one.status in ("underReview", "rejected") for one in stated):
        return None
    reasons = (bounds.text(one.justification or "", bounds.MESSAGE) for one in stated[:20])
    joined = "\n".join(dict.fromkeys(reason for reason in reasons if reason))
    return Suppression(bounds.text(joined, bounds.MESSAGE), bounds.line(stated[0].kind or "", 20))


def _info(runs: list[Run]) -> ReportInfo:
    first = runs[0] if runs else Run()
    driver = first.tool.driver if first.tool is not None else None
    version = (driver.version or driver.semantic_version or "") if driver is not None else ""
    invocations = [invocation for run in runs for invocation in run.invocations or ()]
    times = [time for time in (_time(invocation.ended or "") for invocation in invocations) if time]
    why = _incomplete_because(runs, invocations)
    return ReportInfo(
        scanner=scanner_of(first),
        scanner_version=bounds.line(version, bounds.RULE),
        observed_at=max(times, default=""),
        branch=_one({control.branch or "" for run in runs for control in run.version_control or ()} - {""}),
        category=_one({_category(run) for run in runs}),
        complete=not why,
        incomplete_because=why,
    )


def _incomplete_because(runs: list[Run], invocations: list[Invocation]) -> str:
    reasons: list[str] = []
    if not runs:
        reasons.append("The log holds no run.")
    for invocation in invocations:
        if invocation.successful is False:
            detail = f": {bounds.line(invocation.why, 200)}" if invocation.why else ""
            reasons.append(f"The scanner says that its run failed{detail}.")
    for run in runs:
        if run.external is not None and run.external.results:
            reasons.append("Results are in other files that the log only refers to.")
        elif run.results is None:
            # Absent or null is not empty: the tool did not look (3.14.23).
            reasons.append("A run has no list of results.")
    return " ".join(dict.fromkeys(reasons))[:1_000]


def _category(run: Run) -> str:
    """All but the last part of the id, which only tells one run from the next (3.17.3)."""
    stated = bounds.line((run.automation.id if run.automation is not None else "") or "", bounds.RULE)
    return stated.rpartition("/")[0]


def _one(stated: set[str]) -> str:
    """What all runs agree on, else nothing."""
    value = stated.pop() if len(stated) == 1 else ""
    return bounds.line(value.removeprefix("refs/heads/"), bounds.RULE)


def _time(stated: str) -> str:
    """RFC 3339 in UTC, so that the latest is the greatest text; "" for what is no time."""
    try:
        time = datetime.fromisoformat(stated[:40])
        return (time if time.tzinfo else time.replace(tzinfo=UTC)).astimezone(UTC).isoformat(timespec="seconds")
    except (ValueError, OverflowError):
        return ""

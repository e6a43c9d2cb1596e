"""What a scan found, told to programs and people: JSON, SARIF 2.1.0, JUnit XML and a table. PURE."""

import json
import re
import textwrap
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Protocol
from urllib.parse import quote
from xml.etree import ElementTree

from findings.checks import identity, reads
from findings.checks.base import Check, Unsure
from findings.checks.engine import Found, Outcome, Tally
from findings.platform.model import Platform
from findings.vocabulary import Category, Lane, RiskClass, Severity
from platform_risk.quantities.sourced import Place

TOOL = "platform-risk"
# What a baseline has to hold, and a fingerprint's name in SARIF.
FINGERPRINT = "platformRisk/v1"
_SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
_LEVELS = {
    Severity.CRITICAL: "error", Severity.HIGH: "error", Severity.MEDIUM: "warning", Severity.LOW: "note",
    Severity.INFO: "note",
}  # fmt: skip
# Within the bands that GitHub documents for security-severity.
_SCORES = {
    Severity.CRITICAL: "9.5", Severity.HIGH: "8.0", Severity.MEDIUM: "5.5", Severity.LOW: "2.0", Severity.INFO: "0.0",
}  # fmt: skip
_TAGS = {Category.DATA_CONSISTENCY: "data-consistency"}
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class Decided(Protocol):
    @property
    def lane(self) -> Lane: ...

    @property
    def reason(self) -> str: ...


@dataclass(frozen=True)
class Told:
    """One finding with its lane. `is_known`: the baseline holds it."""

    found: Found
    lane: Lane
    lane_reason: str
    is_known: bool = False

    @property
    def counts(self) -> bool:
        """Whether it counts for the exit code."""
        return self.found.suppressed is None and not self.is_known


@dataclass(frozen=True)
class Telling:
    version: str
    platform: Platform
    tallies: tuple[Tally, ...]
    findings: tuple[Told, ...]
    problems: tuple[str, ...] = field(default=())  # what could not be done as asked

    def reaches(self, lane: Lane) -> bool:
        """Whether something that counts is in this lane or a worse one."""
        lanes = list(Lane)
        return any(told.counts and lanes.index(told.lane) <= lanes.index(lane) for told in self.findings)


def told(
    version: str,
    platform: Platform,
    outcome: Outcome,
    decide: Callable[[Severity, RiskClass], Decided],
    *,
    known: Mapping[str, str] = MappingProxyType({}),
    problems: Sequence[str] = (),
) -> Telling:
    """`known`: fingerprints of a baseline, each with the file of its finding."""
    findings = []
    named = [found.identity for found in outcome.found] if known else []
    renamed = identity.renamed(named, known)
    now = {*(known.keys() - renamed.keys()), *renamed.values()}
    for found in outcome.found:
        decision = decide(found.severity, found.risk_class)
        findings.append(Told(found, decision.lane, decision.reason, found.fingerprint in now))
    findings.sort(key=lambda each: list(Lane).index(each.lane))  # stable: by severity within a lane
    return Telling(version, platform, outcome.tallies, tuple(findings), tuple(problems))


# -- JSON


def as_json(telling: Telling) -> dict[str, Any]:
    platform = telling.platform
    return {
        "tool": {"name": TOOL, "version": telling.version},
        "files": {
            "read": len(platform.files_read),
            "skipped": [
                {"path": each.path, "reason": each.reason} | ({"line": each.line} if each.line else {})
                for each in platform.skipped
            ],
            "kinds_not_read": [
                {"kind": kind, "count": count} for kind, count in reads.kinds_not_read(platform).items()
            ],
        },
        "checks": [coverage(tally) for tally in telling.tallies],
        "findings": [_finding(each) for each in telling.findings],
        "problems": list(telling.problems),
    }


def coverage(tally: Tally) -> dict[str, Any]:
    """What one check looked at: failed, passed, and what cannot be told with how to provide it."""
    meta = tally.check.meta
    return {
        "id": meta.id,
        "seed": meta.seed,
        "title": meta.title,
        "failed": tally.failed,
        "passed": tally.passed,
        "unknown": [_unknown(each) for each in tally.unsure],
    }


def _unknown(unsure: Unsure) -> dict[str, Any]:
    return {
        "subject": unsure.subject,
        "reason": unsure.reason,
        "provide": unsure.provide,
        "path": unsure.place.path,
        "line": unsure.place.line,
    }


def _finding(each: Told) -> dict[str, Any]:
    found, fail, meta = each.found, each.found.fail, each.found.check.meta
    shown: dict[str, Any] = {
        "fingerprint": found.fingerprint,
        "check": meta.id,
        "seed": meta.seed,
        "title": fail.title,
        "severity": found.severity.value,
        "category": meta.category.value,
        "class": found.risk_class.value,
        "outcome": meta.outcome.value,
        "lane": each.lane.value,
        "lane_reason": each.lane_reason,
        "subject": fail.subject,
        "locations": [{"path": place.path, "line": place.line} for place in fail.places],
        "quantities": [quantity.as_json() for quantity in fail.quantities],
        "why": f"{fail.why} {meta.why}",
        "remedy": meta.remedy,
        "remedies": list(meta.remedies),
        "references": list(meta.references),
        "in_baseline": each.is_known,
    }
    if found.suppressed is not None:
        expires = found.suppressed.expires_on
        shown["suppressed"] = {
            "reason": found.suppressed.reason,
            "expires_on": expires.isoformat() if expires else None,
        }
    return shown


# -- SARIF


def as_sarif(telling: Telling) -> dict[str, Any]:
    """What is unknown and what was skipped are notifications: results are findings and nothing else."""
    checks = [tally.check for tally in telling.tallies]
    index = {check.meta.id: number for number, check in enumerate(checks)}
    driver = {"name": TOOL, "version": telling.version, "rules": [_rule(check) for check in checks]}
    notes = [_not_told(tally.check, each) for tally in telling.tallies for each in tally.unsure]
    notes += [
        _notification(f"Not read: {each.reason}", Place(each.path, each.line), "note")
        for each in telling.platform.skipped
    ]
    notes += [_notification(each, Place(), "error") for each in telling.problems]
    run = {
        "tool": {"driver": driver},
        "invocations": [{"executionSuccessful": True, "toolExecutionNotifications": notes}],
        "columnKind": "unicodeCodePoints",
        "results": [_result(each, index) for each in telling.findings],
    }
    return {"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}


def _rule(check: Check) -> dict[str, Any]:
    meta = check.meta
    rule: dict[str, Any] = {
        "id": meta.id,
        "shortDescription": {"text": meta.title},
        "fullDescription": {"text": f"{meta.means} {meta.why}"},
        "help": {"text": f"{meta.remedy}\n\nNot a problem when: {meta.not_a_problem}"},
        "defaultConfiguration": {"level": _LEVELS[meta.severity]},
        "properties": {"tags": [_TAGS.get(meta.category, meta.category.value)]},
    }
    if meta.references:
        rule["helpUri"] = meta.references[0]
    return rule


def _result(each: Told, index: dict[str, int]) -> dict[str, Any]:
    found, fail, meta = each.found, each.found.fail, each.found.check.meta
    first, *others = fail.places or (Place(),)
    result: dict[str, Any] = {
        "ruleId": meta.id,
        "ruleIndex": index[meta.id],
        "kind": "fail",
        "level": _LEVELS[found.severity],
        "message": {"text": f"{fail.title}. {fail.why}"},
        "locations": [_location(first, fail.subject)],
        "fingerprints": {FINGERPRINT: found.fingerprint},
        "properties": {
            "security-severity": _SCORES[found.severity],
            "lane": each.lane.value,
            "outcome": meta.outcome.value,
            "quantities": [quantity.as_json() for quantity in fail.quantities],
        },
    }
    if others:
        # Each once, as the standard asks: two objects may stand on one line.
        spots = dict.fromkeys((place.path, place.line) for place in others)
        result["relatedLocations"] = [_location(Place(path, line), "") for path, line in spots]
    if found.suppressed is not None:
        result["suppressions"] = [{"kind": found.suppressed.kind, "justification": found.suppressed.reason}]
    if each.is_known:
        result["baselineState"] = "unchanged"
    return result


def _location(place: Place, subject: str) -> dict[str, Any]:
    location: dict[str, Any] = {}
    if place.path:
        physical: dict[str, Any] = {"artifactLocation": {"uri": quote(place.path, safe="/", errors="surrogateescape")}}
        if place.line:
            physical["region"] = {"startLine": place.line}
        location["physicalLocation"] = physical
    if subject:
        location["logicalLocations"] = [{"fullyQualifiedName": subject, "kind": "resource"}]
    return location


def _not_told(check: Check, unsure: Unsure) -> dict[str, Any]:
    text = f"{unsure.subject} cannot be told: {unsure.reason}. To provide: {unsure.provide}"
    return _notification(text, unsure.place, "note") | {"associatedRule": {"id": check.meta.id}}


def _notification(text: str, place: Place, level: str) -> dict[str, Any]:
    shown: dict[str, Any] = {"level": level, "message": {"text": text}}
    if place.path:
        shown["locations"] = [_location(place, "")]
    return shown


# -- JUnit


def as_junit(telling: Telling) -> str:
    """A suite for each check, a case for each finding and each unknown, and one where everything passed."""
    root = ElementTree.Element("testsuites", name=TOOL)
    for tally in telling.tallies:
        findings = [each for each in telling.findings if each.found.check is tally.check]
        if findings or tally.unsure or tally.passed:
            _suite(root, tally, findings)
    for name in ("tests", "failures", "skipped"):
        root.set(name, str(sum(int(suite.get(name, "0")) for suite in root)))
    ElementTree.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ElementTree.tostring(root, encoding="unicode") + "\n"


def _suite(root: ElementTree.Element, tally: Tally, findings: list[Told]) -> None:
    meta = tally.check.meta
    suite = ElementTree.SubElement(root, "testsuite", name=meta.id)
    properties = ElementTree.SubElement(suite, "properties")
    ElementTree.SubElement(properties, "property", name="passed", value=str(tally.passed))
    for each in findings:
        fail = each.found.fail
        case = _case(suite, meta.id, fail.subject, fail.places[0] if fail.places else Place())
        if each.counts:
            failure = ElementTree.SubElement(case, "failure", type=each.lane.value, message=_xml(fail.title))
            failure.text = _xml(f"{fail.why}\n{meta.remedy}")
        else:
            suppressed = each.found.suppressed
            reason = f"suppressed: {suppressed.reason}" if suppressed else "in the baseline"
            ElementTree.SubElement(case, "skipped", message=_xml(f"{fail.title} ({reason})"))
    for unsure in tally.unsure:
        case = _case(suite, meta.id, unsure.subject, unsure.place)
        ElementTree.SubElement(case, "skipped", message=_xml(f"unknown: {unsure.reason}; provide {unsure.provide}"))
    if not findings and not tally.unsure:
        _case(suite, meta.id, meta.title, Place())
    cases = suite.findall("testcase")
    suite.set("tests", str(len(cases)))
    suite.set("failures", str(sum(case.find("failure") is not None for case in cases)))
    suite.set("skipped", str(sum(case.find("skipped") is not None for case in cases)))


def _case(suite: ElementTree.Element, check: str, subject: str, place: Place) -> ElementTree.Element:
    case = ElementTree.SubElement(suite, "testcase", classname=check, name=_xml(subject))
    if place.path:
        case.set("file", _xml(place.path))
    if place.line:
        case.set("line", str(place.line))
    return case


def _xml(text: str) -> str:
    return _NOT_XML.sub("\ufffd", text)


# -- a table for people


def as_table(telling: Telling, width: int | None = None) -> str:
    """`width` cuts and wraps to a terminal; None leaves lines as long as they are."""
    width = width and max(width, 40)
    lines: list[str] = []
    for each in telling.findings:
        lines += _row(each, width)
    unknown = [(tally.check.meta.id, each) for tally in telling.tallies for each in tally.unsure]
    if unknown:
        lines += ["Cannot be told:", *_unknowns(unknown, width), ""]
    skipped = [each for each in telling.platform.skipped if not each.reason.startswith("no kind of file")]
    if skipped:
        lines += ["Not read:", *(_cut(f"  {_where(Place(s.path, s.line))}: {s.reason}", width) for s in skipped), ""]
    kinds = reads.kinds_not_read(telling.platform)
    if kinds:
        counted = ", ".join(f"{count} {_line(kind)}" for kind, count in kinds.items())
        lines += [*_wrapped(f"Of kinds that no check reads: {counted}", width), ""]
    return "\n".join((*lines, *_summary(telling, len(unknown)))) + "\n"


def _wrapped(text: str, width: int | None) -> list[str]:
    return textwrap.wrap(text, width, subsequent_indent="  ", break_on_hyphens=False) if width else [text]


def _row(each: Told, width: int | None) -> list[str]:
    found, fail = each.found, each.found.fail
    where = _where(fail.places[0]) if fail.places else fail.subject
    state = " (suppressed)" if found.suppressed else " (in the baseline)" if each.is_known else ""
    title = f"{each.lane.value:<12}  {found.check.meta.id}{state}: {_line(fail.title)}"
    about = [f"at {where}", fail.subject if fail.subject != where else ""]
    wrapped = textwrap.wrap(_line(fail.why), (width or 120) - 14, break_on_hyphens=False)
    head = textwrap.wrap(title, width, subsequent_indent=" " * 14, break_on_hyphens=False) if width else [title]
    return [*head, _cut(" " * 14 + _line("  ".join(part for part in about if part)), width),
            *(" " * 14 + line for line in wrapped), ""]  # fmt: skip


def _unknowns(unknown: list[tuple[str, Unsure]], width: int | None) -> list[str]:
    lines = []
    for check, each in unknown:
        lines.append(_cut(f"  {check}: {_line(each.subject)}: {_line(each.reason)}", width))
        lines.append(_cut(f"      provide {_line(each.provide)}", width))
    return lines


def _summary(telling: Telling, unknown: int) -> list[str]:
    counts = {lane: sum(each.counts and each.lane == lane for each in telling.findings) for lane in Lane}
    told = ", ".join(f"{count} {lane.value}" for lane, count in counts.items() if count) or "none"
    beside = sum(not each.counts for each in telling.findings)
    passed = sum(tally.passed for tally in telling.tallies)
    files = telling.platform
    return [
        f"Findings: {told}" + (f"; {beside} suppressed or in the baseline" if beside else ""),
        f"Checks: {passed} passed, {unknown} cannot be told",
        f"Files: {len(files.files_read)} read, {len(files.skipped)} skipped",
    ]


def _where(place: Place) -> str:
    return f"{place.path}:{place.line}" if place.line else place.path


def _line(text: str) -> str:
    """One line, and nothing that a terminal would take for a command."""
    return "".join(letter if letter.isprintable() else " " for letter in text)


def _cut(text: str, width: int | None) -> str:
    return text if width is None or len(text) <= width else text[: width - 1] + "…"


FORMATS: dict[str, Callable[[Telling], str]] = {
    "table": as_table,
    "json": lambda telling: json.dumps(as_json(telling), indent=2, ensure_ascii=False) + "\n",
    "sarif": lambda telling: json.dumps(as_sarif(telling), indent=2, ensure_ascii=False) + "\n",
    "junit": as_junit,
}

"""Which column of a list means what, and a row as a finding. PURE, shared by the CSV and the JSON list.

A mapping is our field → their column. A value that begins with "=" is a constant: {"category": "=security"}.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from hashlib import blake2b

import msgspec

from findings.scans import bounds, exploited, fingerprint
from findings.scans.options import Options
from findings.scans.records import Absent, FindingRecord, Reject, ScanError, Suppression
from findings.vocabulary import Category, Severity, SeveritySource

# Our field → headers that mean it, likeliest first; compared in lower case without spaces and punctuation.
SYNONYMS: dict[str, tuple[str, ...]] = {
    "title": ("title", "finding", "findingtitle", "issue", "problem", "failuremode", "summary", "name", "headline"),
    "severity": (
        "severity",
        "risk",
        "risklevel",
        "severitylevel",
        "priority",
        "criticality",
        "impact",
        "cvss",
        "score",
    ),
    "message": ("description", "details", "detail", "message", "explanation", "observation", "evidence", "body"),
    "path": ("path", "file", "filepath", "filename", "location", "source", "config"),
    "line": ("line", "linenumber", "lineno", "startline"),
    "rule": ("rule", "ruleid", "check", "checkid", "id", "findingid", "section", "reference", "control", "code"),
    "category": ("category", "area", "type", "domain", "class", "group"),
    "resource": ("resource", "resourceid", "resourcename", "asset", "component", "object", "target"),
    "namespace": ("namespace",),
    "image": ("image", "containerimage"),
    "package": ("package", "packagename", "library", "dependency"),
    "package_version": ("packageversion", "version", "installedversion"),
    "endpoint": ("endpoint", "url", "host"),
    "identifiers": ("cve", "cves", "cveid", "cwe", "cweid", "identifiers", "vulnerabilityid", "vulnerability"),
    "remedy": ("remedy", "recommendation", "remediation", "fix", "mitigation", "solution", "howtofix"),
    "help_uri": ("helpuri", "link", "moreinfo", "referenceurl"),
    "tags": ("tags", "labels", "keywords"),
    "kev": exploited.KEV_NAMES,
    "epss": exploited.EPSS_NAMES,
    "status": ("status", "state", "resolution"),
    "reason": ("reason", "justification", "comment", "statusreason"),
    "excerpt": ("excerpt", "codesnippet", "snippet"),
    "scanner": ("scanner", "tool"),
    "fingerprint": ("fingerprint",),
}
# Evidence, beside a title, that a table is a list of findings and not a bill or an inventory.
_TELLING = ("severity", "rule", "remedy", "identifiers", "path")
_WEAK_TITLES = {"name", "summary", "headline"}

_SEVERITIES: dict[Severity, tuple[str, ...]] = {
    Severity.CRITICAL: ("critical", "crit", "blocker", "p0", "p1", "sev0", "sev1", "urgent", "emergency", "veryhigh"),
    Severity.HIGH: ("high", "major", "severe", "p2", "sev2", "error", "important", "serious"),
    Severity.MEDIUM: ("medium", "med", "moderate", "p3", "sev3", "warning", "warn", "normal"),
    Severity.LOW: ("low", "minor", "p4", "sev4", "note", "verylow", "trivial"),
    Severity.INFO: ("info", "informational", "information", "none", "p5", "sev5", "negligible", "style", "hint"),
}
_SEVERITY_OF = {word: severity for severity, words in _SEVERITIES.items() for word in words}
_CATEGORIES: dict[Category, tuple[str, ...]] = {
    Category.ARCHITECTURE: ("architecture", "design", "reliability", "stability", "availability", "resilience"),
    Category.SECURITY: ("security", "vulnerability", "vulnerabilities", "secret", "secrets", "compliance", "iam"),
    Category.PERFORMANCE: ("performance", "scalability", "latency", "capacity"),
    Category.DATA_CONSISTENCY: ("dataconsistency", "data", "consistency", "dataloss", "durability", "backup"),
    Category.OPERATIONS: ("operations", "operational", "ops", "process", "monitoring", "observability"),
    Category.COST: ("cost", "costs", "finops", "spend"),
    Category.DEPENDENCIES: ("dependencies", "dependency", "hiddendependencies", "thirdparty"),
}
_CATEGORY_OF = {word: category for category, words in _CATEGORIES.items() for word in words}
_DECIDED = {
    "accepted", "acceptedrisk", "riskaccepted", "ignored", "wontfix", "dismissed", "falsepositive", "suppressed",
    "notapplicable", "waived",
}  # fmt: skip
_GONE = {"fixed", "closed", "resolved", "done", "remediated", "mitigated"}

_NOT_WORD = re.compile(r"[\W_]+")
_PLACE = re.compile(r"(.+?):(\d{1,9})(?:[:-]\d{1,9})?\Z", re.DOTALL)


class ColumnMapping(msgspec.Struct, frozen=True):
    """Our field → their column, or "=constant"."""

    columns: dict[str, str]

    def values(self, row: Mapping[str, str]) -> dict[str, str]:
        return {
            field: column[1:] if column[:1] == "=" else row.get(column, "") for field, column in self.columns.items()
        }


def key(text: str) -> str:
    """A header or a word of a value, as it is compared."""
    return _NOT_WORD.sub("", text[:200]).lower()


def header_signature(headers: Iterable[str]) -> str:
    """The same for the same columns in any order: what a mapping is remembered under."""
    return blake2b("\x1f".join(sorted({key(header) for header in headers})).encode(), digest_size=16).hexdigest()


def guess(headers: Sequence[str]) -> dict[str, str]:
    """What the headers say by themselves. A column is used once, for the field it fits best."""
    known: dict[str, str] = {}
    for header in headers:
        known.setdefault(key(header.rpartition(".")[2]), header)
        known.setdefault(key(header), header)
    found: dict[str, str] = {}
    used: set[str] = set()
    for field, synonyms in SYNONYMS.items():
        for synonym in synonyms:
            column = known.get(synonym)
            if column is not None and column not in used:
                found[field] = column
                used.add(column)
                break
    return found


def evidence(headers: Sequence[str]) -> tuple[float, str, str]:
    """How sure (0 to 1) the headers are those of a list of findings, why, and what is missing."""
    found = guess(headers)
    title = found.get("title", "")
    telling = [field for field in _TELLING if field in found]
    if title and telling and (key(title) not in _WEAK_TITLES or found.get("severity")):
        columns = ", ".join(found[field] for field in ("title", *telling))
        return (0.85 if "severity" in found else 0.6), f"Its columns are those of a list of findings: {columns}.", ""
    if not title and found.get("severity") and len(telling) > 1:
        # Enough to ask which column is the title, instead of refusing.
        return 0.5, f"It has the columns {', '.join(found[field] for field in telling)}, but no title.", ""
    missing = [] if title else ["a title"]
    missing += [] if "severity" in found else ["a severity"]
    return (0.3 if found else 0.1), "It is a table.", f"a list of findings has columns for {' and '.join(missing)}"


def mapping_of(headers: Sequence[str], options: Options) -> ColumnMapping:
    """The remembered mapping, else a guess. Raises ScanError mapping_needed when there is no title to be had."""
    signature = header_signature(headers)
    remembered = options.mapping_for(signature)
    if remembered:
        usable = {
            field: column
            for field, column in remembered.items()
            if field in SYNONYMS and (column[:1] == "=" or column in headers)
        }
        if "title" in usable:
            return ColumnMapping(usable)
    found = guess(headers)
    if "title" not in found:
        shown = [bounds.line(header, 200) for header in headers[:100]]
        raise ScanError(
            "mapping_needed",
            "None of the columns is known to be the title of a finding.",
            remedy="Say which column holds the title; the answer is remembered for files with these columns.",
            line=1,
            headers=shown,
            signature=signature,
            guess=found,
        )
    return ColumnMapping(found)


def severity_of(stated: str) -> Severity | None:
    """A word, or a CVSS score from 0 to 10. None when it says nothing we know."""
    word = key(stated)
    if word in _SEVERITY_OF:
        return _SEVERITY_OF[word]
    number = re.match(r"\s*(\d{1,2}(?:[.,]\d{1,3})?)(?:\s*/\s*10)?\s*\Z", stated)
    if number is None:
        # "High (8.1)", "1 - Critical": one known word decides, two different ones do not.
        words = {_SEVERITY_OF[part] for part in map(key, re.split(r"[\W\d_]+", stated[:200])) if part in _SEVERITY_OF}
        return words.pop() if len(words) == 1 else None
    score = float(number[1].replace(",", "."))
    if score > 10:
        return None
    bands = ((9, Severity.CRITICAL), (7, Severity.HIGH), (4, Severity.MEDIUM))
    return next((name for least, name in bands if score >= least), Severity.LOW if score > 0 else Severity.INFO)


def category_of(stated: str) -> Category | None:
    word = key(stated)
    if word in _CATEGORY_OF:
        return _CATEGORY_OF[word]
    parts = map(key, re.split(r"[\W\d_]+", stated[:200]))
    return next((_CATEGORY_OF[part] for part in parts if part in _CATEGORY_OF), None)


def record_of(
    values: Mapping[str, str], pointer: str, format_name: str, occurrences: fingerprint.Occurrences
) -> FindingRecord | Reject | Absent:
    """One row. A row without a title is rejected; one that says it is fixed is absent."""
    title = bounds.line(values.get("title", ""), bounds.TITLE)
    if not title:
        shown = " | ".join(value for value in values.values() if value)
        return Reject(pointer, "It has no title.", bounds.text(shown, 500))
    status = key(values.get("status", ""))
    if status in _GONE:
        return Absent(pointer)
    severity = severity_of(values.get("severity", ""))
    path, line = _place(values)
    rule = bounds.line(values.get("rule", ""), bounds.RULE)
    message = bounds.text(values.get("message", ""), bounds.MESSAGE)
    resource = bounds.line(values.get("resource", ""), bounds.NAME)
    image = bounds.line(values.get("image", ""), bounds.NAME)
    package = bounds.line(values.get("package", ""), bounds.PACKAGE)
    identifiers = bounds.identifiers(
        *(bounds.text(values.get(field, ""), bounds.MESSAGE) for field in ("identifiers", "rule", "title"))
    )
    own = fingerprint.own({"stated": values.get("fingerprint", "").strip()})
    # Lists have no fingerprints of their own as a rule: the title is what a person would know the row by.
    base = fingerprint.of("list", own) if own else fingerprint.of("list", rule, title, path, resource, image, package)
    return FindingRecord(
        fingerprint=occurrences.of(base, line),
        title=title,
        severity=severity or Severity.MEDIUM,
        severity_source=SeveritySource.REPORT if severity else SeveritySource.UNRATED,
        category=category_of(values.get("category", "")) or Category.SECURITY,
        rule=rule,
        scanner=bounds.line(values.get("scanner", ""), 50).lower() or format_name,
        pointer=pointer,
        message=message,
        rule_help=bounds.text(values.get("remedy", ""), bounds.HELP),
        help_uri=bounds.link(values.get("help_uri", "")),
        path=path,
        line=line,
        resource=resource,
        namespace=bounds.line(values.get("namespace", ""), bounds.NAMESPACE),
        image=image,
        package=package,
        package_version=bounds.line(values.get("package_version", ""), bounds.VERSION),
        endpoint=bounds.line(values.get("endpoint", ""), bounds.NAME),
        identifiers=identifiers,
        tags=_tags(values.get("tags", "")),
        exploit=exploited.exploit_of(values.get("kev"), values.get("epss")),
        excerpt=bounds.text(values.get("excerpt", ""), bounds.EXCERPT),
        suppression=_suppression(status, values.get("reason", "")),
    )


def _place(values: Mapping[str, str]) -> tuple[str, int | None]:
    """Path and line; `path:12` gives both where there is no column for lines."""
    path, stated = values.get("path", "").strip(), values.get("line", "").strip()
    line = bounds.number(int(stated)) if stated.isdecimal() and len(stated) < 12 else None
    both = _PLACE.match(path[: bounds.PATH])
    if both is not None and line is None:
        path, line = both[1], bounds.number(int(both[2]))
    return bounds.path(path), line


def _tags(stated: str) -> tuple[str, ...]:
    tags = (bounds.line(tag, 100) for tag in re.split(r"[,;|]", stated[:3_000])[: bounds.MOST_TAGS])
    return tuple(dict.fromkeys(tag for tag in tags if tag))


def _suppression(status: str, reason: str) -> Suppression | None:
    return Suppression(bounds.text(reason, bounds.MESSAGE), "external") if status in _DECIDED else None

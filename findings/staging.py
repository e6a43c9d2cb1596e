"""A record as a line for COPY: redacted, with its lane and team, and with a hash of what it says.

The hash covers everything that would be stored, so an unchanged record is known by it and writes nothing.
"""

from collections.abc import Callable
from functools import lru_cache
from hashlib import blake2b

import msgspec

from findings.risk import lanes
from findings.scans import bounds
from findings.scans.records import FindingRecord
from findings.vocabulary import CLASS_OF_CATEGORY, RiskClass, Severity
from platform_risk.core.copy import array, boolean, number, text
from platform_risk.core.redaction import Redactor

COLUMNS = (
    "ordinal", "fingerprint", "content_hash",
    "title", "message", "severity", "severity_rank", "severity_source", "category", "risk_class", "outcome",
    "rule", "rule_name", "check_id", "scanner", "path", "line", "end_line", "resource", "namespace", "image",
    "package", "package_version", "endpoint", "symbol", "identifiers", "evidence", "lane", "lane_reason",
    "team_id", "team_from", "suppressed", "justification",
)  # fmt: skip

_CHECK, _SCANNER = 60, 100
_RANK = {severity: str(rank) for rank, severity in enumerate(Severity)}

# (path, image, namespace) → (team id, how it was found)
TeamOf = Callable[[str, str, str], tuple[int | None, str]]


class Stager:
    """Turns records into lines; keeps what many records share (lane, team) so that it is worked out once."""

    def __init__(self, *, redactor: Redactor, team_of: TeamOf) -> None:
        self._redact = redactor.text
        self._redact_all = redactor.texts
        # For what many records share: a rule's words, paths, packages, tags.
        self._redact_shared = lru_cache(maxsize=20_000)(redactor.text)
        self._team_of = team_of
        self._lanes: dict[tuple[Severity, RiskClass], str] = {}
        self._teams: dict[tuple[str, str, str], str] = {}
        self._encode = msgspec.json.Encoder().encode

    def _lane(self, severity: Severity, risk_class: RiskClass) -> str:
        key = (severity, risk_class)
        if key not in self._lanes:
            decision = lanes.decide(severity, risk_class)
            self._lanes[key] = f"{decision.lane}\t{text(decision.reason)}"
        return self._lanes[key]

    def _team(self, record: FindingRecord) -> str:
        key = (record.path, record.image, record.namespace)
        if key not in self._teams:
            team_id, found_by = self._team_of(*key)
            self._teams[key] = f"{number(team_id)}\t{found_by}"
        return self._teams[key]

    def _evidence(self, record: FindingRecord, excerpt: str) -> str:
        evidence: dict[str, object] = {}
        if excerpt:
            evidence["excerpt"] = excerpt
            evidence["excerpt_line"] = record.excerpt_line
        if record.rule_help:
            evidence["help"] = self._redact_shared(record.rule_help)
        if record.help_uri:
            evidence["help_uri"] = self._redact_shared(record.help_uri)
        if record.related:
            evidence["related"] = [
                {"path": self._redact(place.path), "line": place.line, "message": self._redact(place.message)}
                for place in record.related
            ]
        if record.tags:
            evidence["tags"] = [self._redact_shared(tag) for tag in record.tags]
        return self._encode(evidence).decode() if evidence else "{}"

    def line(self, ordinal: int, record: FindingRecord) -> str:
        shared = self._redact_shared
        title, message, resource, image, endpoint, symbol, excerpt = self._redact_all(
            record.title, record.message, record.resource, record.image, record.endpoint, record.symbol, record.excerpt
        )
        risk_class = record.risk_class or CLASS_OF_CATEGORY[record.category]
        suppression = record.suppression
        justification = ""
        if suppression is not None:
            justification = self._redact(suppression.justification) or "Suppressed in the report, without a reason."
        # Cut once more: what stands for a secret may be longer than the secret was.
        said = "\t".join(
            (
                text(title[: bounds.TITLE]),
                text(message),
                f"{record.severity}\t{_RANK[record.severity]}\t{record.severity_source}\t{record.category}",
                f"{risk_class}\t{record.outcome or ''}",
                text(shared(record.rule)[: bounds.RULE]),
                text(shared(record.rule_name)[: bounds.NAME]),
                text(shared(record.check)[:_CHECK]),
                text(shared(record.scanner)[:_SCANNER]),
                text(shared(record.path)[: bounds.PATH]),
                number(record.line),
                number(record.end_line),
                text(resource[: bounds.NAME]),
                text(shared(record.namespace)[: bounds.NAMESPACE]),
                text(image[: bounds.NAME]),
                text(shared(record.package)[: bounds.PACKAGE]),
                text(shared(record.package_version)[: bounds.VERSION]),
                text(endpoint[: bounds.NAME]),
                text(symbol[: bounds.NAME]),
                array(record.identifiers),  # of a fixed form
                text(self._evidence(record, excerpt)),
                self._lane(record.severity, risk_class),
                self._team(record),
                boolean(value=suppression is not None),
                text(justification),
            )
        )
        digest = blake2b(said.encode(), digest_size=16).hexdigest()
        return f"{ordinal}\t{record.fingerprint}\t{digest}\t{said}\n"

"""A record as a line for COPY: redacted, with its lane and team, and with a hash of what it says.

The hash covers all that would be stored but the team, so an unchanged record is known by it and writes nothing. It is
taken before redaction, which is most of the work; so it is keyed, or a secret could be guessed by it.
"""

from collections.abc import Callable, Set
from functools import lru_cache
from hashlib import blake2b, sha256
from operator import attrgetter
from typing import Any

import msgspec

from findings.risk import lanes
from findings.scans import bounds
from findings.scans.records import FindingRecord
from findings.vocabulary import CLASS_OF_CATEGORY, RiskClass, Severity
from platform_risk.core.copy import array, boolean, number, text
from platform_risk.core.redaction import Redactor

COLUMNS = (
    "ordinal", "fingerprint", "content_hash", "severity_rank", "suppressed",
    "title", "message", "rule", "rule_name", "check_id", "scanner", "path", "resource", "namespace", "image", "package",
    "package_version", "endpoint", "symbol", "evidence", "justification",
    "quantities", "remedies", "identifiers", "line", "end_line", "severity", "severity_source", "category",
    "risk_class", "exploit", "outcome", "lane", "lane_reason", "team_id", "team_from",
)  # fmt: skip
_COMPARED = 5
# All that a line of an unchanged record holds: the rest is not stored anew.
_NOTHING_MORE = "\t\\N" * (len(COLUMNS) - _COMPARED) + "\n"

_CHECK, _SCANNER = 60, 100
_RANK = {severity: rank for rank, severity in enumerate(Severity)}
# Raise it when something else is stored of a record (redaction, bounds, evidence): every finding is then written anew.
_FORM = 1
# All of a record but its fingerprint and where in the report it stood.
_SAID = attrgetter(
    *(name for name in FindingRecord.__struct_fields__ if name not in ("fingerprint", "pointer", "entry"))
)
_RULE = attrgetter("rule_help", "help_uri", "tags")
# (path, image, namespace) → (team id, how it was found)
TeamOf = Callable[[str, str, str], tuple[int | None, str]]


class Stager:
    """Turns records into lines; keeps what many records share (lane, team, a rule's words) so that it is worked out
    once. Records whose fingerprint and hash, as one string, are `known` get a line without what is known."""

    def __init__(self, *, redactor: Redactor, team_of: TeamOf, key: bytes, known: Set[str] = frozenset()) -> None:
        self._redact_all = redactor.texts
        # For what many records share: a rule's words, paths, packages, tags.
        self._redact_shared = lru_cache(maxsize=20_000)(redactor.text)
        self._array = lru_cache(maxsize=10_000)(array)
        self._team_of = team_of
        self._key = sha256(key).digest()
        self._known = known
        self._lanes: dict[tuple[Severity, RiskClass], str] = {}
        self._teams: dict[tuple[str, str, str], str] = {}
        self._of_rules: dict[tuple[str, str, tuple[str, ...]], dict[str, object]] = {}
        self._json = msgspec.json.Encoder().encode
        self._packed = msgspec.msgpack.Encoder().encode

    def line(self, ordinal: int, record: FindingRecord) -> str:
        risk_class = record.risk_class or CLASS_OF_CATEGORY[record.category]
        lane = self._lane(record.severity, risk_class)
        said = self._packed((_FORM, lane, _SAID(record)))
        digest = blake2b(said, key=self._key, digest_size=16).hexdigest()
        suppressed = boolean(value=record.suppression is not None)
        compared = f"{ordinal}\t{record.fingerprint}\t{digest}\t{_RANK[record.severity]}\t{suppressed}"
        if record.fingerprint + digest in self._known:
            return compared + _NOTHING_MORE
        return (
            f"{compared}\t{self._texts(record)}\t{self._quantities(record)}\t{self._array(record.remedies)}"
            f"\t{self._array(record.identifiers)}\t{number(record.line)}"
            f"\t{number(record.end_line)}\t{record.severity}\t{record.severity_source}\t{record.category}"
            f"\t{risk_class}\t{record.exploit}\t{record.outcome or ''}\t{lane}\t{self._team(record)}\n"
        )

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

    def _texts(self, record: FindingRecord) -> str:
        """The columns from title to justification. Escaped as one text, in which NUL, which no record holds, parts
        them: most have nothing to escape, and finding that out column by column took longer than all else."""
        shared = self._redact_shared
        suppression = record.suppression
        title, message, resource, image, endpoint, symbol, excerpt, justification, *related = self._redact_all(
            record.title, record.message, record.resource, record.image, record.endpoint, record.symbol,
            record.excerpt, "" if suppression is None else suppression.justification,
            *(text for place in record.related for text in (place.path, place.message)),
        )  # fmt: skip
        if suppression is not None and not justification:
            justification = "Suppressed in the report, without a reason."
        # Cut once more: what stands for a secret may be longer than the secret was.
        joined = "\x00".join(
            (
                title[: bounds.TITLE],
                message,
                shared(record.rule)[: bounds.RULE],
                shared(record.rule_name)[: bounds.NAME],
                shared(record.check)[:_CHECK],
                shared(record.scanner)[:_SCANNER],
                shared(record.path)[: bounds.PATH],
                resource[: bounds.NAME],
                shared(record.namespace)[: bounds.NAMESPACE],
                image[: bounds.NAME],
                shared(record.package)[: bounds.PACKAGE],
                shared(record.package_version)[: bounds.VERSION],
                endpoint[: bounds.NAME],
                symbol[: bounds.NAME],
                self._evidence(record, excerpt, related),
                justification,
            )
        )
        return text(joined).replace("\x00", "\t")

    def _quantities(self, record: FindingRecord) -> str:
        if not record.quantities:
            return "\\N"
        return text(self._json(redacted(record.quantities, self._redact_shared)).decode())

    def _evidence(self, record: FindingRecord, excerpt: str, related: list[str]) -> str:
        """`related` holds path and message of each related place."""
        of_rule = self._of_rule(_RULE(record))
        if not excerpt and not related:
            return self._json(of_rule).decode()
        evidence: dict[str, object] = {}
        if excerpt:
            evidence["excerpt"] = excerpt
            evidence["excerpt_line"] = record.excerpt_line
        if related:
            evidence["related"] = [
                {"path": path, "line": place.line, "message": message}
                for place, path, message in zip(record.related, related[::2], related[1::2], strict=True)
            ]
        return self._json(evidence | of_rule).decode()

    def _of_rule(self, rule: tuple[str, str, tuple[str, ...]]) -> dict[str, object]:
        if rule not in self._of_rules:
            if len(self._of_rules) >= 10_000:
                self._of_rules.clear()
            help_text, link, tags = rule
            stated = {
                "help": self._redact_shared(help_text),
                "help_uri": self._redact_shared(link),
                "tags": [self._redact_shared(tag) for tag in tags],
            }
            self._of_rules[rule] = {name: value for name, value in stated.items() if value}
        return self._of_rules[rule]


def redacted(value: Any, redact: Callable[[str], str]) -> Any:
    """Every text in a tree of plain values without its secrets."""
    if isinstance(value, str):
        return redact(value)
    if isinstance(value, list | tuple):
        return [redacted(each, redact) for each in value]
    if isinstance(value, dict):
        return {key: redacted(each, redact) for key, each in value.items()}
    return value

"""Alert rules and what can fail, as they are kept with an import and read again: so that the rules of one import are
held against what another one describes. PURE."""

import json
from collections.abc import Iterable, Mapping
from hashlib import blake2b
from typing import Any

from findings.checks.alert_rules import Rule
from findings.checks.signals import Sense
from findings.checks.subjects import Subject
from findings.platform.promql import Matcher
from platform_risk.quantities.sourced import NOWHERE, Place

MOST = 5_000
# Of a rule that not everybody may see who is told that it notices something.
HIDDEN = "an alert of another import"


def as_json(subjects: Iterable[Subject], rules: Iterable[Rule], *, only_own: bool = False) -> dict[str, Any]:
    """Plain values. Rules that tell of no failure mode, and are understood, are left out."""
    every, failing = list(rules), list(subjects)
    telling = [rule_as_json(each) for each in every if each.senses or each.reason][:MOST]
    return {
        "rules_count": len(every),
        "pairs_count": sum(len(each.modes) for each in failing),
        "only_own": only_own,
        "rules_digest": "" if only_own or not telling else _digest(telling),
        "rules": telling,
        "subjects": [subject_as_json(each) for each in failing[:MOST]],
    }


def _digest(rules: list[dict[str, Any]]) -> str:
    return blake2b(json.dumps(rules, sort_keys=True).encode(), digest_size=16).hexdigest()


def rule_as_json(rule: Rule) -> dict[str, Any]:
    return {
        "name": rule.name,
        "language": rule.language,
        "severity": rule.severity,
        "path": rule.place.path,
        "line": rule.place.line,
        "best_seconds": rule.best,
        "worst_seconds": rule.worst,
        "wait_reason": rule.wait_reason,
        "reason": rule.reason,
        "hints": list(rule.hints),
        "senses": [
            [sense.mode, sense.metric, [[each.label, each.operator, each.value] for each in sense.matchers]]
            for sense in rule.senses
        ],
    }


def rule(told: Mapping[str, Any], *, origin: int = 0, hidden: bool = False) -> Rule:
    """`origin`: the import that it is kept with. Hidden: what it notices and when counts, and nothing else is told."""
    senses = tuple(
        Sense(mode, metric, tuple(Matcher(*each) for each in matchers)) for mode, metric, matchers in told["senses"]
    )
    return Rule(
        HIDDEN if hidden else told["name"],
        told["language"],
        senses,
        ("it is not understood" if hidden else told["reason"]) if told["reason"] else "",
        NOWHERE if hidden else Place(told["path"], told["line"]),
        told["best_seconds"],
        told["worst_seconds"],
        "" if hidden else told["wait_reason"],
        "" if hidden else told["severity"],
        tuple(told["hints"]),
        origin,
        hidden,
    )


def subject_as_json(subject: Subject) -> dict[str, Any]:
    return {
        "id": subject.id,
        "path": subject.place.path,
        "line": subject.place.line,
        "modes": list(subject.modes),
        "namespace": subject.namespace,
        "names": sorted(subject.names),
        "kind": subject.kind,
    }


def subject(told: Mapping[str, Any]) -> Subject:
    return Subject(
        told["id"],
        Place(told["path"], told["line"]),
        tuple(told["modes"]),
        told["namespace"],
        frozenset(told["names"]),
        told["kind"],
    )

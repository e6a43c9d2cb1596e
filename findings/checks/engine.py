"""Runs the checks over a platform and makes findings of what fails. PURE."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from findings.checks.base import Check, Fail, Pass, Unsure
from findings.checks.identity import Identity, identities
from findings.checks.registry import CHECKS
from findings.platform.comments import Comment
from findings.platform.model import Platform, once
from findings.platform.uncollected import uncollected
from findings.vocabulary import CLASS_OF_CATEGORY, RiskClass, Severity
from platform_risk.quantities.records import record

_PARTS = {"check": None, "subject": None, "reason": None, "expires_on": None}.keys()  # of a suppression in the facts
_RANKS = {severity: rank for rank, severity in enumerate(Severity)}


@dataclass(frozen=True)
class Suppression:
    reason: str
    expires_on: date | None = None
    kind: str = "external"  # inSource for a comment, as SARIF has it


@record(frozen=True, slots=True)
class Found:
    """One failure, ready to be told."""

    check: Check
    fail: Fail
    identity: Identity
    severity: Severity
    risk_class: RiskClass
    suppressed: Suppression | None = None

    @property
    def fingerprint(self) -> str:
        return self.identity.fingerprint


@dataclass
class Tally:
    """What one check made of the platform."""

    check: Check
    failed: int = 0
    passed: int = 0
    unsure: list[Unsure] = field(default_factory=list)


@dataclass(frozen=True)
class Outcome:
    tallies: tuple[Tally, ...]
    found: tuple[Found, ...]


_FLATTER = "the same, as people write it"


@uncollected
def run(platform: Platform, checks: Iterable[Check] | None = None, *, today: date | None = None) -> Outcome:
    tallies: list[Tally] = []
    failed: list[tuple[Check, Fail]] = []
    for check in CHECKS.values() if checks is None else checks:
        tally = Tally(check)
        try:
            for verdict in check.run(platform):
                if isinstance(verdict, Pass):
                    tally.passed += 1
                elif isinstance(verdict, Unsure):
                    tally.unsure.append(verdict)
                else:
                    tally.failed += 1
                    failed.append((check, verdict))
        except RecursionError:
            tally.unsure.append(Unsure("these files", "something in them is nested too deeply to be judged", _FLATTER))
        tallies.append(tally)
    named = identities(platform, [(check.meta.id, fail) for check, fail in failed])
    found = [
        _found(check, fail, identity, platform, today) for (check, fail), identity in zip(failed, named, strict=True)
    ]
    found.sort(key=lambda each: (_RANKS[each.severity], each.check.meta.id, each.fail.subject))
    return Outcome(tuple(tallies), tuple(found))


def _found(check: Check, fail: Fail, identity: Identity, platform: Platform, today: date | None) -> Found:
    meta = check.meta
    return Found(
        check,
        fail,
        identity,
        fail.severity or meta.severity,
        meta.risk_class or CLASS_OF_CATEGORY[meta.category],
        suppression(platform, check.meta.id, fail, today),
    )


def suppression(platform: Platform, check_id: str, fail: Fail, today: date | None) -> Suppression | None:
    """By a comment beside the place (`# platform-risk: ignore check-id: reason`) or in the facts (`suppress:`)."""
    held = _comments(platform)
    for place in fail.places if held else ():
        for comment in held.get((place.path, check_id), ()):
            if comment.line <= (place.line or 0) <= comment.last:
                return Suppression(comment.reason or "no reason given", kind="inSource")
    stated = platform.facts.tree.get("suppress")
    for each in stated if isinstance(stated, list) else []:
        found = _stated(each, check_id, fail, today)
        if found is not None:
            return found
    return None


@once
def _comments(platform: Platform) -> dict[tuple[str, str], list[Comment]]:
    """(path, check) → the comments there that ask for it to be ignored."""
    found: dict[tuple[str, str], list[Comment]] = {}
    for comment in platform.comments:
        for name in comment.checks:
            found.setdefault((comment.path, name), []).append(comment)
    return found


def without_effect(platform: Platform, outcome: Outcome) -> list[str]:
    """Comments that suppress nothing: in a wrong place, or of something that is mended."""
    lines: dict[tuple[str, str], set[int]] = {}
    for each in outcome.found:
        for place in each.fail.places:
            lines.setdefault((place.path, each.check.meta.id), set()).add(place.line or 0)
    return [
        f"{comment.path}, line {comment.line}: nothing is found here by {name}, so it suppresses nothing"
        for comment in platform.comments
        for name in comment.checks
        if name in CHECKS
        and not any(comment.line <= line <= comment.last for line in lines.get((comment.path, name), ()))
    ]


def _stated(each: Any, check_id: str, fail: Fail, today: date | None) -> Suppression | None:
    if not isinstance(each, dict) or each.get("check") != check_id:
        return None
    if each.get("subject") not in (None, fail.subject):
        return None
    expires = None
    try:
        expires = date.fromisoformat(str(each["expires_on"])) if each.get("expires_on") else None
    except ValueError:
        return None  # an expiry that is no date suppresses nothing
    if expires is not None and today is not None and expires <= today:
        return None
    return Suppression(str(each.get("reason") or "").strip() or "no reason given", expires)


def suppression_problems(platform: Platform, today: date | None = None) -> list[str]:
    """What is wrong with the suppressions that were given: said, so that none is ignored in silence."""
    found: list[str] = []
    for comment in platform.comments:
        place = f"{comment.path}, line {comment.line}"
        if not comment.words:
            found.append(f"{place}: it says not which check to ignore")
            continue
        found += (f"{place}: there is no check {name}" for name in comment.checks if name not in CHECKS)
        if not comment.reason:
            found.append(f"{place}: it gives no reason")
    stated = platform.facts.tree.get("suppress")
    if stated is None:
        return found
    path = platform.facts.path
    if not isinstance(stated, list):
        return [*found, f"{path}: suppress is a list"]
    for number, each in enumerate(stated, start=1):
        found += (f"{path}, suppress {number}: {problem}" for problem in _problems(each, today))
    return found


def _problems(each: Any, today: date | None) -> Iterator[str]:
    if not isinstance(each, dict):
        yield "it is a mapping with check, reason and expires_on"
        return
    if each.get("check") not in CHECKS:
        yield f"there is no check {each.get('check')}"
    if not str(each.get("reason") or "").strip():
        yield "it gives no reason"
    others = sorted(str(key) for key in each.keys() - _PARTS)
    if others:
        yield f"it has {', '.join(_PARTS)}, and nothing reads {', '.join(others)}"
    stated = each.get("expires_on")
    if not stated:
        return
    try:
        expires = date.fromisoformat(str(stated))
    except ValueError:
        yield f"expires_on {stated} is no date, so it suppresses nothing"
        return
    if today is not None and expires <= today:
        yield f"it expired on {expires}, so it suppresses nothing"

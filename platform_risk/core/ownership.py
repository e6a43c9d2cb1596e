"""Who owns what: ordered rules, the first that matches wins, and an explanation of each step. PURE.

Path patterns are those of CODEOWNERS files (a subset of gitignore's): a leading slash or one in the middle anchors the
pattern at the root, otherwise it matches at any depth; `*` stays within one folder, `**` crosses folders, `?` is one
character; a pattern that matches a folder matches everything in it; no `!` and no `[ ]`. Image, namespace and service
patterns are globs over the whole text in which `*` matches anything.
"""

import functools
import re
from collections.abc import Sequence
from dataclasses import dataclass

KINDS = ("path", "image", "namespace", "service")


@dataclass(frozen=True)
class Rule:
    id: int
    kind: str  # one of KINDS
    pattern: str
    team: int


@dataclass(frozen=True)
class Subject:
    path: str = ""
    image: str = ""
    namespace: str = ""
    service: str = ""


@dataclass(frozen=True)
class Step:
    """One rule that was tried, and what came of it in words."""

    rule: Rule
    matched: bool
    why: str


@dataclass(frozen=True)
class Explained:
    rule: Rule | None
    steps: tuple[Step, ...] = ()


class PatternError(ValueError):
    """The pattern uses what is not supported."""


_PIECES = re.compile(r"\*\*/|/\*\*|\*\*|\*|\?|[^*?/]+|/")
_GLOB = {"**/": "(?:.*/)?", "/**": "/.*", "**": ".*", "*": "[^/]*", "?": "[^/]"}


@functools.lru_cache(maxsize=4096)
def _path_expression(pattern: str) -> re.Pattern[str]:
    if pattern.startswith("!") or "[" in pattern:
        raise PatternError(f"{pattern}: `!` and `[ ]` are not supported in ownership patterns.")
    body = pattern.rstrip("/")
    anchored = "/" in body
    body = body.removeprefix("/")
    expression = "".join(_GLOB.get(piece, re.escape(piece)) for piece in _PIECES.findall(body))
    # CODEOWNERS: `docs/*` is the files of docs alone, not those of its folders; anything else owns what is below it.
    below = "" if body.endswith("/*") or (body == "*" and anchored) else "(?:/.*)?"
    return re.compile(("" if anchored else "(?:.*/)?") + expression + below + r"\Z", re.DOTALL)


@functools.lru_cache(maxsize=4096)
def _text_expression(pattern: str) -> re.Pattern[str]:
    pieces = re.findall(r"\*+|\?|[^*?]+", pattern)
    parts = [".*" if piece.startswith("*") else "." if piece == "?" else re.escape(piece) for piece in pieces]
    return re.compile("".join(parts) + r"\Z", re.DOTALL)


def check_pattern(kind: str, pattern: str) -> None:
    """Raises PatternError for what could never be matched as meant."""
    if kind not in KINDS:
        raise PatternError(f"A rule is about one of {', '.join(KINDS)}.")
    if not pattern.strip() or len(pattern) > 500 or "\x00" in pattern:
        raise PatternError("A pattern has 1 to 500 characters.")
    if kind == "path":
        _path_expression(pattern)


def matches(rule: Rule, subject: Subject) -> bool:
    value: str = getattr(subject, rule.kind)
    if not value:
        return False
    if rule.kind == "path":
        return _path_expression(rule.pattern).match(value.lstrip("/")) is not None
    return _text_expression(rule.pattern).match(value) is not None


def first_match(rules: Sequence[Rule], subject: Subject) -> Explained:
    for rule in rules:
        if matches(rule, subject):
            return Explained(rule)
    return Explained(None)


def explain(rules: Sequence[Rule], subject: Subject) -> Explained:
    """As first_match, with every step: for the tester."""
    steps: list[Step] = []
    for rule in rules:
        value: str = getattr(subject, rule.kind)
        if not value:
            steps.append(Step(rule, matched=False, why=f"There is no {rule.kind} to compare."))
        elif matches(rule, subject):
            steps.append(Step(rule, matched=True, why=f"{rule.pattern} matches {value}."))
            return Explained(rule, tuple(steps))
        else:
            steps.append(Step(rule, matched=False, why=f"{rule.pattern} does not match {value}."))
    return Explained(None, tuple(steps))


def parse_codeowners(text: str) -> list[tuple[str, tuple[str, ...]]]:
    """(pattern, owners) in OUR order: there the last match wins, here the first, so the file is turned round.

    Raises PatternError that names the line. A line without owners says that nobody owns it: it comes out with ().
    """
    found: list[tuple[str, tuple[str, ...]]] = []
    for number, raw in enumerate(text.splitlines(), start=1):
        line = re.sub(r"(?<!\\)#.*", "", raw).strip()
        if not line or line.startswith(("[", "^[")):
            continue  # GitLab's section headings
        pattern, *owners = line.split()
        try:
            _path_expression(pattern)
        except PatternError as error:
            raise PatternError(f"Line {number}: {error}") from error
        for owner in owners:
            if not re.fullmatch(r"@[\w./-]+|[^@\s]+@[^@\s]+", owner):
                raise PatternError(f"Line {number}: {owner[:60]} is no owner (@team, @user or an e-mail address).")
        found.append((pattern, tuple(owners)))
    return found[::-1]

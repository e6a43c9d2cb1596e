"""Who owns what: ordered rules, the first that matches wins, and an explanation of each step. PURE.

Path patterns are those of CODEOWNERS files (a subset of gitignore's): a leading slash or one in the middle anchors the
pattern at the root, otherwise it matches at any depth; `*` stays within one folder, `**` crosses folders, `?` is one
character; a pattern that matches a folder matches everything in it; no `!` and no `[ ]`. Image, namespace, service and
account patterns are globs over the whole text in which `*` matches anything; so are tag and label patterns, over each
`key=value`. Accounts, tags and labels are of costs, findings have none.
"""

import functools
import re
from collections.abc import Sequence
from dataclasses import dataclass

KINDS = ("path", "image", "namespace", "service", "account", "tag", "label")
_PAIRS = ("tag", "label")  # a subject has many of them, each as `key=value`


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
    account: str = ""
    tag: tuple[str, ...] = ()  # key=value
    label: tuple[str, ...] = ()


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


# One part of a path pattern: a literal, an expression, or None for `**`, which is any number of folders.
_Part = str | re.Pattern[str] | None


@functools.lru_cache(maxsize=4096)
def _path_parts(pattern: str) -> tuple[_Part, ...]:
    if pattern.startswith("!") or "[" in pattern:
        raise PatternError(f"{pattern[:60]}: `!` and `[ ]` are not supported in ownership patterns.")
    body = pattern.rstrip("/")
    anchored = "/" in body
    names = body.removeprefix("/").split("/")
    if not body or "" in names:
        raise PatternError(f"{pattern[:60]}: a path pattern has a name between its slashes.")
    parts = [None if name == "**" else _glob(name) if "*" in name or "?" in name else name for name in names]
    if not anchored:
        parts.insert(0, None)
    if parts[-1] is None and len(names) > 1:
        parts.insert(-1, _glob("*"))  # `docs/**` is what is below docs
    # CODEOWNERS: `docs/*` is the files of docs alone, not those of its folders; anything else owns what is below it.
    if not (anchored and names[-1] == "*"):
        parts.append(None)
    return tuple(parts)


def _path_matches(pattern: str, path: str) -> bool:
    """Never more than parts × folders steps: a later `**` may take over what an earlier one has begun."""
    parts, names = _path_parts(pattern), path.strip("/").split("/")
    part = name = 0
    star = retry = -1
    while name < len(names):
        wanted = parts[part] if part < len(parts) else ""  # no folder has an empty name
        if wanted is None:
            star, retry = part, name
            part += 1
        elif wanted == names[name] if isinstance(wanted, str) else wanted.match(names[name]):
            part, name = part + 1, name + 1
        elif star >= 0:
            retry += 1
            part, name = star + 1, retry
        else:
            return False
    return all(wanted is None for wanted in parts[part:])


@functools.lru_cache(maxsize=4096)
def _glob(pattern: str) -> re.Pattern[str]:
    """`*` is anything, `?` one character. What stands between stars is taken where it first fits, for good (an atomic
    group): trying the later places as well could find nothing more, and takes time without bounds."""
    first, *others = ("".join("." if c == "?" else re.escape(c) for c in run) for run in re.split(r"\*+", pattern))
    last = f".*{others.pop()}" if others else ""
    between = "".join(f"(?>.*?{run})" for run in others if run)
    return re.compile(first + between + last + r"\Z", re.DOTALL)


def glob(pattern: str, value: str) -> bool:
    """Whether the whole value is like the pattern: `*` is anything, `?` one character."""
    return _glob(pattern).match(value) is not None


def check_pattern(kind: str, pattern: str) -> None:
    """Raises PatternError for what could never be matched as meant."""
    if kind not in KINDS:
        raise PatternError(f"A rule is about one of {', '.join(KINDS)}.")
    if not pattern.strip() or len(pattern) > 500 or "\x00" in pattern:
        raise PatternError("A pattern has 1 to 500 characters, and no NUL.")
    if kind == "path":
        _path_parts(pattern)
    if kind in _PAIRS and not pattern.partition("=")[0].strip("*? "):
        raise PatternError(f"A {kind} pattern is key=value, such as team=pay*: the key is needed.")


def matches(rule: Rule, subject: Subject) -> bool:
    value: str | tuple[str, ...] = getattr(subject, rule.kind)
    if not value:
        return False
    if isinstance(value, tuple):
        pattern = rule.pattern if "=" in rule.pattern else f"{rule.pattern}=*"
        return any(_glob(pattern).match(pair) for pair in value)
    if rule.kind == "path":
        return _path_matches(rule.pattern, value)
    return _glob(rule.pattern).match(value) is not None


def first_match(rules: Sequence[Rule], subject: Subject) -> Explained:
    for rule in rules:
        if matches(rule, subject):
            return Explained(rule)
    return Explained(None)


def explain(rules: Sequence[Rule], subject: Subject) -> Explained:
    """As first_match, with every step: for the tester."""
    steps: list[Step] = []
    for rule in rules:
        value: str | tuple[str, ...] = getattr(subject, rule.kind)
        if not value:
            steps.append(Step(rule, matched=False, why=f"There is no {rule.kind} to compare."))
        elif matches(rule, subject):
            steps.append(Step(rule, matched=True, why=f"{rule.pattern} matches {_words(value)}."))
            return Explained(rule, tuple(steps))
        else:
            steps.append(Step(rule, matched=False, why=f"{rule.pattern} does not match {_words(value)}."))
    return Explained(None, tuple(steps))


def _words(value: str | tuple[str, ...]) -> str:
    return value if isinstance(value, str) else ", ".join(value)


# GitLab's sections: `[Docs] @docs`, `^[Optional][2]`; their owners are those of the lines that name none.
_SECTION = re.compile(r"\^?\[[^\]]*\](?:\[\d+\])?(.*)")
_OWNER = re.compile(r"@[\w./-]+|[^@\s]+@[^@\s]+")


def parse_codeowners(text: str) -> list[tuple[str, tuple[str, ...]]]:
    """(pattern, owners) in OUR order: there the last match wins, here the first, so the file is turned round.

    Raises PatternError that names the line. A line without owners says that nobody owns it: it comes out with ().
    """
    found: list[tuple[str, tuple[str, ...]]] = []
    usual: tuple[str, ...] = ()
    for number, raw in enumerate(text.removeprefix("\ufeff").splitlines(), start=1):
        line = re.sub(r"(?<!\\)#.*", "", raw).strip()
        if not line:
            continue
        section = _SECTION.fullmatch(line)
        if section is not None:
            usual = _owners(section[1].split(), number)
            continue
        pattern, *owners = re.split(r"(?<!\\)\s+", line)
        pattern = re.sub(r"\\([ #])", r"\1", pattern)
        try:
            check_pattern("path", pattern)
        except PatternError as error:
            raise PatternError(f"Line {number}: {error}") from error
        found.append((pattern, _owners(owners, number) or usual))
    return found[::-1]


def _owners(stated: list[str], number: int) -> tuple[str, ...]:
    for owner in stated:
        if not _OWNER.fullmatch(owner):
            raise PatternError(f"Line {number}: {owner[:60]} is no owner (@team, @user or an e-mail address).")
    return tuple(stated)

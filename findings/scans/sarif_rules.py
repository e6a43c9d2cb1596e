"""Rules of a SARIF run: found by index, id or reference, cleaned once and kept. PURE."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from findings.scans import bounds, exploited
from findings.scans.sarif_shape import Component, Descriptor, Override, Reference, Result, Run, Text, ToolComponent
from findings.vocabulary import Category, Severity

# Tools that look at code in general; all else that speaks SARIF is a security tool unless its tags say otherwise.
_CATEGORY_OF_TOOL = {
    "eslint": Category.ARCHITECTURE,
    "pylint": Category.ARCHITECTURE,
    "ruff": Category.ARCHITECTURE,
    "golangci-lint": Category.ARCHITECTURE,
    "pmd": Category.ARCHITECTURE,
    "clippy": Category.ARCHITECTURE,
    "hadolint": Category.OPERATIONS,
    "kube-linter": Category.OPERATIONS,
    "infracost": Category.COST,
}
# By tag, in order: a rule that is tagged security and performance is about security.
_CATEGORY_OF_TAG = {
    "security": Category.SECURITY,
    "vulnerability": Category.SECURITY,
    "performance": Category.PERFORMANCE,
    "efficiency": Category.PERFORMANCE,
    "cost": Category.COST,
    "dependencies": Category.DEPENDENCIES,
    "dependency": Category.DEPENDENCIES,
    "data-consistency": Category.DATA_CONSISTENCY,
    "operations": Category.OPERATIONS,
    "operability": Category.OPERATIONS,
    "architecture": Category.ARCHITECTURE,
    "reliability": Category.ARCHITECTURE,
    "maintainability": Category.ARCHITECTURE,
    "correctness": Category.ARCHITECTURE,
}
_LEVELS = {"error": Severity.HIGH, "warning": Severity.MEDIUM, "note": Severity.LOW, "none": Severity.INFO}
_PLACEHOLDER = re.compile(r"\{\{|\}\}|\{(\d{1,4})\}")


@dataclass(frozen=True)
class Rule:
    """One rule, cleaned: what every result of it shares."""

    id: str = ""
    name: str = ""
    title: str = ""
    help: str = ""
    help_uri: str = ""
    level: str = ""
    score: Severity | None = None  # from security-severity
    category: Category = Category.SECURITY
    tags: tuple[str, ...] = ()
    identifiers: tuple[str, ...] = ()
    exploit: str = ""
    messages: dict[str, Text] = field(default_factory=dict)


class Rules:
    """The rules of one run. Looking one up costs a dictionary access after the first time."""

    def __init__(self, run: Run, scanner: str) -> None:
        tool = run.tool
        self._driver = (tool.driver if tool is not None else None) or ToolComponent()
        self._extensions = (tool.extensions if tool is not None else None) or []
        self._default = _CATEGORY_OF_TOOL.get(scanner, Category.SECURITY)
        self._by_id: dict[str, Descriptor] = {}
        for component in (*reversed(self._extensions), self._driver):  # the driver's win
            self._by_id.update((rule.id, rule) for rule in component.rules or () if rule.id)
        self._cache: dict[tuple[str, int, Reference | None], Rule] = {}
        self._overrides: Sequence[dict[str, str]] = [
            _overridden(invocation.overrides or ()) for invocation in run.invocations or ()
        ]

    def of(self, result: Result) -> Rule:
        reference = result.rule
        index = -1 if result.rule_index is None else result.rule_index
        if reference is not None:
            return self._cleaned(result.rule_id or reference.id or "", self._found(result.rule_id, index, reference))
        key = (result.rule_id or "", index, None)
        rule = self._cache.get(key)
        if rule is None:
            rule = self._cache[key] = self._cleaned(key[0], self._found(key[0], index, None))
        return rule

    def level(self, result: Result, rule: Rule) -> str:
        """The result's own, else an override of its invocation, else the rule's, else warning (3.27.10)."""
        if result.level:
            return result.level
        stated = result.provenance.invocation if result.provenance is not None else None
        if stated is not None and 0 <= stated < len(self._overrides):
            overrides = self._overrides[stated : stated + 1]
        else:
            overrides = self._overrides
        for known in reversed(overrides):
            if rule.id in known:
                return known[rule.id]
        return rule.level or "warning"

    def message(self, message: Text | None, rule: Rule) -> str:
        if message is None:
            return ""
        text = message.text or message.markdown
        if not text and message.id:
            known = rule.messages.get(message.id) or (self._driver.messages or {}).get(message.id)
            text = (known.text or known.markdown) if known is not None else ""
        arguments = message.arguments
        return filled(text or "", arguments) if arguments else text or ""

    def _found(self, rule_id: str | None, index: int, reference: Reference | None) -> Descriptor | None:
        rules = self._driver.rules or []
        if reference is not None:
            rules = self._component(reference.component).rules or []
            index = reference.index if reference.index is not None else index
            rule_id = rule_id or reference.id
        by_index = rules[index] if 0 <= index < len(rules) else None
        if by_index is not None and (not rule_id or _belongs(rule_id, by_index.id or "")):
            return by_index
        # An index that points to another rule than the id says is the generator's slip: the id is what it means.
        name = rule_id or ""
        while name:
            if name in self._by_id:
                return self._by_id[name]
            name = name.rpartition("/")[0]  # CA1000/1 is a case of CA1000 (3.5.4)
        return by_index

    def _component(self, component: Component | None) -> ToolComponent:
        if component is None:
            return self._driver
        if component.index is not None and 0 <= component.index < len(self._extensions):
            return self._extensions[component.index]
        return next(
            (known for known in self._extensions if component.name and known.name == component.name), self._driver
        )

    def _cleaned(self, rule_id: str, rule: Descriptor | None) -> Rule:
        if rule is None:
            name = bounds.line(rule_id, bounds.RULE)
            return Rule(id=name, category=self._default, identifiers=bounds.identifiers(name))
        properties = rule.properties or {}
        name = bounds.line(rule_id or rule.id or "", bounds.RULE)
        tags = tags_of(properties)
        score = score_of(properties)
        help_text = plain(rule.help) or plain(rule.full)
        return Rule(
            id=name,
            name=bounds.line(rule.name or "", bounds.NAME),
            title=bounds.line(plain(rule.short), bounds.TITLE),
            help=bounds.text(help_text, bounds.HELP),
            help_uri=bounds.link(rule.help_uri),
            level=(rule.configuration.level or "") if rule.configuration is not None else "",
            score=score,
            category=Category.SECURITY if score is not None else category_of(tags, self._default),
            tags=tags,
            identifiers=bounds.identifiers(name, *tags, bounds.text(properties.get("cwe"), bounds.NAME)),
            exploit=exploit_of(properties),
            messages=rule.messages or {},
        )


def severity_of(level: str) -> Severity:
    return _LEVELS.get(level, Severity.MEDIUM)


def score_of(properties: dict[str, Any]) -> Severity | None:
    """`security-severity`, a CVSS score as text or number: the bands GitHub documents, 0 being none."""
    stated = properties.get("security-severity")
    if stated is None or isinstance(stated, bool) or not isinstance(stated, str | int | float):
        return None
    try:
        score = float(stated)
    except (ValueError, OverflowError):
        return None
    bands = ((9, Severity.CRITICAL), (7, Severity.HIGH), (4, Severity.MEDIUM))
    if not 0 <= score <= 10:
        return None
    return next((name for least, name in bands if score >= least), Severity.LOW if score > 0 else Severity.INFO)


def category_of(tags: tuple[str, ...], default: Category) -> Category:
    lowered = {tag.lower() for tag in tags}
    if any(tag.startswith("external/cwe/") for tag in lowered):
        return Category.SECURITY
    return next((category for tag, category in _CATEGORY_OF_TAG.items() if tag in lowered), default)


def exploit_of(properties: dict[str, Any]) -> str:
    """From a property bag, by the names that tools give to it."""
    named = {re.sub(r"[^a-z]", "", str(name)[:60].lower()): value for name, value in properties.items()}
    kev = next((named[name] for name in exploited.KEV_NAMES if name in named), None)
    epss = next((named[name] for name in exploited.EPSS_NAMES if name in named), None)
    if isinstance(epss, dict):
        epss = epss.get("score", epss.get("epss"))
    return exploited.exploit_of(kev, epss)


def tags_of(properties: dict[str, Any]) -> tuple[str, ...]:
    tags = properties.get("tags")
    if not isinstance(tags, list):
        return ()
    cleaned = (bounds.line(tag, bounds.RULE) for tag in tags[: bounds.MOST_TAGS])
    return tuple(dict.fromkeys(tag for tag in cleaned if tag))


def plain(text: Text | None) -> str:
    return (text.text or text.markdown or "") if text is not None else ""


def filled(text: str, arguments: list[str]) -> str:
    """Placeholders {0} replaced, doubled braces made single (3.11.5); what has no argument stays as it is."""

    def one(match: re.Match[str]) -> str:
        if match[1] is None:
            return match[0][0]
        index = int(match[1])
        # A thousand placeholders for one argument of megabytes must not multiply.
        return arguments[index][:1_000] if index < len(arguments) else match[0]

    return _PLACEHOLDER.sub(one, text[: bounds.MESSAGE])


def _belongs(rule_id: str, known: str) -> bool:
    return not known or rule_id == known or rule_id.startswith(known + "/")


def _overridden(overrides: Iterable[Override]) -> dict[str, str]:
    found: dict[str, str] = {}
    for override in overrides:
        descriptor, configuration = override.descriptor, override.configuration
        if descriptor is not None and descriptor.id and configuration is not None and configuration.level:
            found[descriptor.id] = configuration.level
    return found

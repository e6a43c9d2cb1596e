"""Alert conditions as they are declared for New Relic, CloudWatch, Datadog and Prometheus. PURE."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from findings.platform.config_files import ConfigFile
from findings.platform.model import Block, Platform, Resource, all_once, normal, once
from findings.platform.nodes import find, items, mapping
from findings.platform.promql import MOST_LETTERS
from findings.platform.settings import parsed
from findings.platform.units import seconds
from findings.platform.yaml_reader import Map, Seq
from platform_risk.quantities.records import record
from platform_risk.quantities.sourced import Place, Source, Sourced, Unknown

Stated = Sourced[Any] | Unknown
_PAGING = re.compile(r"critical|page|pager|emergency|sev-?1|p1", re.IGNORECASE)
_ABSENCE = re.compile(
    r"\babsent(?:_over_time)?\s*\(|\bup\b(?:\{[^{}]*(?:\{[^{}]*\}[^{}]*)*\})?[^<>=!]{0,80}"
    r"(?:==\s*(?:bool\s+)?0|!=\s*1|<\s*(?:1|0?\.[0-9]))"
)
_MONITORS = re.compile(
    r"(?:metric|query|log|trace-analytics|rum|event(?:-v2)?|slo|process) alert|service check|composite"
)
_LINKS = 20  # levels of nesting in the arguments of a module


_MOST_LEVELS = 6  # of a file of values above the groups within it


@dataclass(frozen=True)
class Nrql:
    """A New Relic NRQL condition. `term` is its critical threshold, else its warning; None where none is stated."""

    id: str
    place: Place
    stated: Mapping[str, Stated]
    term: Mapping[str, Stated] | None
    is_fragment: bool = False
    query: Stated | None = None

    def get(self, name: str) -> Stated | None:
        return self.stated.get(name)


@all_once
def nrql_conditions(platform: Platform) -> Iterator[Nrql]:
    """Resources, the same in a module's arguments, and bare `aggregation_…` lines."""
    for block in platform.blocks:
        if block.kind == "newrelic_nrql_alert_condition" and block.type == "resource":
            query = next((each.get("query") for each in block.inner("nrql")), None)
            yield Nrql(block.id, block.place(), block.attributes, _term(block), query=query)
        elif block.type == "module":
            for name, value in block.attributes.items():
                if isinstance(value, Sourced):
                    yield from _within(value.value, f"{block.id}.{name}", block, value.place, 0)
        elif block.type == "" and {"aggregation_delay", "aggregation_window"} & set(block.attributes):
            yield Nrql(
                block.path,
                Place(block.path, block.line),
                block.attributes,
                _own_term(block.attributes),
                is_fragment=True,
            )
    for config in platform.configs:
        if isinstance(config.root, Map) and {"aggregation_delay", "aggregation_window"} & set(config.root):
            stated = {name: Sourced(value, Source.FILE, config.place(config.root.lines.get(name)))
                      for name, value in config.root.items() if value is not None}  # fmt: skip
            yield Nrql(config.path, config.place(config.root.line), stated, _own_term(stated), is_fragment=True)


def _own_term(stated: Mapping[str, Any]) -> Mapping[str, Any] | None:
    return stated if "threshold_duration" in stated else None


def _term(block: Block) -> Mapping[str, Stated] | None:
    for name in ("critical", "warning"):
        for each in block.inner(name):
            return each.attributes
    terms = block.inner("term")
    for each in terms:
        priority = each.get("priority")
        if priority is None or (isinstance(priority, Sourced) and priority.value == "critical"):
            return each.attributes
    return terms[0].attributes if terms else None


def _within(node: Any, name: str, block: Block, place: Place, depth: int) -> Iterator[Nrql]:
    """Conditions in the arguments of a module: maps that have a query and a threshold."""
    if depth > _LINKS:
        return
    if isinstance(node, Map) and isinstance(node.get("nrql"), Map) and {"critical", "warning"} & set(node):
        term = node.get("critical") or node.get("warning")
        here = Place(block.path, node.line or place.line, name)
        query = _as_stated(node["nrql"], block.path, name).get("query")
        yield Nrql(name, here, _as_stated(node, block.path, name), _as_stated(term, block.path, name), query=query)
    elif isinstance(node, Map):
        for key, value in node.items():
            yield from _within(value, f'{name}["{key}"]', block, place, depth + 1)
    elif isinstance(node, Seq):
        for number, value in enumerate(node):
            yield from _within(value, f"{name}[{number}]", block, place, depth + 1)


def _as_stated(node: Any, path: str, resource: str) -> dict[str, Stated]:
    if not isinstance(node, Map):
        return {}
    return {
        key: value
        if isinstance(value, Unknown)
        else Sourced(value, Source.FILE, Place(path, node.lines[key], resource))
        for key, value in node.items()
        if value is not None
    }


@dataclass(frozen=True)
class Alarm:
    """A CloudWatch alarm on one metric, or on what its queries make of several."""

    id: str
    place: Place
    stated: Mapping[str, Stated]
    queries: tuple[Block, ...] = ()


@all_once
def cloudwatch_alarms(platform: Platform) -> Iterator[Alarm]:
    for block in alarm_blocks(platform):
        yield Alarm(block.id, block.place(), block.attributes, tuple(block.inner("metric_query")))


@all_once
def alarm_blocks(platform: Platform) -> Iterator[Block]:
    """Resources, and modules with the same arguments."""
    for block in platform.blocks:
        is_alarm = block.type == "resource" and block.kind == "aws_cloudwatch_metric_alarm"
        if is_alarm or (
            block.type == "module" and {"comparison_operator", "evaluation_periods"} <= set(block.attributes)
        ):
            yield block


@dataclass(frozen=True)
class Monitor:
    """A Datadog monitor."""

    id: str
    place: Place
    stated: Mapping[str, Stated]


def datadog_monitors(platform: Platform, *, of_metrics: bool = True) -> Iterator[Monitor]:
    """Those of metrics alone, or all of them: of logs, traces, service checks and other monitors too. Terraform's,
    those of the operator, and those that the API gives out as JSON."""
    for monitor in _monitors(platform):
        kind = monitor.stated.get("type")
        if not of_metrics or not isinstance(kind, Sourced) or str(kind.value) in ("metric alert", "query alert"):
            yield monitor


@all_once
def _monitors(platform: Platform) -> Iterator[Monitor]:
    for block in platform.terraform("datadog_monitor"):
        yield Monitor(block.id, block.place(), block.attributes)
    for block in platform.terraform("datadog_monitor_json"):
        stated = block.get("monitor")
        root = (
            parsed(stated.value, "monitor.json")
            if isinstance(stated, Sourced) and isinstance(stated.value, str)
            else None
        )
        if isinstance(root, Map) and "query" in root:
            pairs = (pair for each in (root, mapping(root, "options")) for pair in each.items())
            plain = ((key, value) for key, value in pairs if value is not None and not isinstance(value, Map | Seq))
            found = {normal(key): Sourced(value, Source.FILE, block.place()) for key, value in plain}
            yield Monitor(block.id, block.place(), found)
    for resource in platform.of_kind("DatadogMonitor"):
        spec = mapping(resource.body, "spec")
        if "query" in spec:
            yield Monitor(resource.id, resource.place(), _of_monitor(spec, resource))
    for config in platform.configs:
        if {"query", "type", "message"} <= config.keys:
            within = items(config.root, "monitors") or (config.root if isinstance(config.root, Seq) else [config.root])
            for node in within:
                if isinstance(node, Map) and _MONITORS.fullmatch(str(node.get("type"))) and "query" in node:
                    name = f"{config.path} {node.get('name') or node.get('id') or ''}".strip()
                    yield Monitor(name, config.place(node.lines["query"]), _of_monitor(node, config))


def _of_monitor(node: Map, of: Resource | ConfigFile) -> dict[str, Stated]:
    """What a monitor and its options state, under the names that Terraform has for it."""
    return {
        normal(key): Sourced(value, Source.FILE, of.place(each.lines[key]))
        for each in (node, mapping(node, "options"))
        for key, value in each.items()
        if value is not None and not isinstance(value, Map | Seq)
    }


@record(frozen=True, slots=True)
class PrometheusAlert:
    name: str
    expression: str
    hold: Sourced[float] | Unknown  # seconds it has to be true for
    pages: bool
    place: Place
    severity: str = ""
    words: str = ""  # its name and what its annotations say
    labels: tuple[tuple[str, str], ...] = ()  # as its rule states them, with its group's

    @property
    def watches_absence(self) -> bool:
        return watches_absence(self.expression)


def watches_absence(expression: str) -> bool:
    """Whether it asks for what is gone."""
    return bool(_ABSENCE.search(expression[:MOST_LETTERS]))


@record(frozen=True)
class RuleFile:
    """The alerts of one PrometheusRule or rule file."""

    id: str
    place: Place
    alerts: tuple[PrometheusAlert, ...]
    interval: Sourced[float] | None  # the longest that a group states
    records: Mapping[str, str] = field(default_factory=dict)  # recording rules: expression by name


def prometheus_rules(platform: Platform) -> list[RuleFile]:
    """Files with alerts in them."""
    return [each for each in _rule_files(platform) if each.alerts]


@once
def recording_rules(platform: Platform) -> dict[str, str]:
    """Expression by name, of all files; the first of a name counts."""
    found: dict[str, str] = {}
    for each in _rule_files(platform):
        for name, expression in each.records.items():
            found.setdefault(name, expression)
    return found


@all_once
def _rule_files(platform: Platform) -> Iterator[RuleFile]:
    for resource in platform.of_kind("PrometheusRule"):
        yield from _rules(items(resource.body, "spec.groups"), resource.id, resource)
    for config in platform.configs:
        if "groups" in config.keys and not config.keys.isdisjoint(("alert", "record")):
            name = f"{config.resource.id} {config.path}" if config.resource else config.path
            yield from _rules(list(_groups(config.root, 0)), name, config)


def _groups(node: Any, depth: int) -> Iterator[Any]:
    """At the top of a file, or in values of Helm below other keys."""
    if depth > _MOST_LEVELS or not isinstance(node, Map | Seq):
        return
    yield from items(node, "groups")
    for value in node.values() if isinstance(node, Map) else node:
        yield from _groups(value, depth + 1)


def _rules(groups: list[Any], id_: str, of: Resource | ConfigFile) -> Iterator[RuleFile]:
    alerts: list[PrometheusAlert] = []
    intervals: list[Sourced[float]] = []
    records: dict[str, str] = {}
    for group in groups:
        stated_rules = [rule for rule in items(group, "rules") if isinstance(rule, Map) and "expr" in rule]
        for rule in stated_rules:
            if "record" in rule:
                records.setdefault(str(rule["record"]), str(rule["expr"]))
        rules = [rule for rule in stated_rules if "alert" in rule]
        alerts += [_alert(rule, of, mapping(group, "labels")) for rule in rules]
        stated = find(group, "interval")
        length = seconds(stated[0]) if stated and rules else None
        if stated and length:
            intervals.append(Sourced(length, Source.FILE, of.place(stated[1])))
    if alerts or records:
        longest = max(intervals, key=lambda each: each.value, default=None)
        yield RuleFile(id_, of.place(), tuple(alerts), longest, records)


def _alert(rule: Map, of: Resource | ConfigFile, of_group: Map) -> PrometheusAlert:
    place = of.place(rule.lines["alert"])
    hold: Sourced[float] | Unknown = Sourced(0.0, Source.PROVIDER_DEFAULT, place, "Prometheus: for defaults to 0 s")
    if rule.get("for") is not None:
        length = seconds(rule["for"])
        at = of.place(rule.lines["for"])
        hold = Unknown(f"for is {rule['for']!r}", "a duration under for", at) if length is None else Sourced(
            length, Source.FILE, at)  # fmt: skip
    labels = {name: str(value) for name, value in (of_group | mapping(rule, "labels")).items()}
    severity = labels.get("severity", "")
    words = " ".join((str(rule["alert"]), *(str(each) for each in mapping(rule, "annotations").values())))
    return PrometheusAlert(
        str(rule["alert"]), str(rule["expr"]), hold, pages(severity), place, severity, words[:2000],
        tuple(labels.items()),
    )  # fmt: skip


def pages(severity: str) -> bool:
    """Whether somebody is called for it, by the label that nearly everybody gives it."""
    return bool(_PAGING.fullmatch(severity))


@dataclass(frozen=True)
class PrometheusTimes:
    """How often Prometheus looks, and how long Alertmanager gathers, in seconds."""

    scrape: Sourced[float] | Unknown
    evaluation: Sourced[float] | Unknown
    group_wait: Sourced[float] | Unknown


@once
def prometheus_times(platform: Platform) -> PrometheusTimes:
    """From the facts `alerting.prometheus.…_seconds`, prometheus.yml, a Prometheus object, or Alertmanager's route."""
    scrape = _fact(platform, "scrape_interval")
    evaluation = _fact(platform, "evaluation_interval")
    wait = _fact(platform, "group_wait")
    for resource in platform.of_kind("Prometheus"):
        scrape = scrape or _duration(resource, "spec.scrapeInterval", 30, "Prometheus Operator")
        evaluation = evaluation or _duration(resource, "spec.evaluationInterval", 30, "Prometheus Operator")
    for config in platform.configs:
        if not isinstance(config.root, Map) or config.root.keys().isdisjoint(("scrape_configs", "global", "route")):
            continue
        if (
            config.at("scrape_configs")
            or config.at("global.scrape_interval")
            or config.at("global.evaluation_interval")
        ):
            scrape = scrape or _duration(config, "global.scrape_interval", 60, "Prometheus")
            evaluation = evaluation or _duration(config, "global.evaluation_interval", 60, "Prometheus")
        if config.at("route.receiver") and config.at("receivers"):
            wait = wait or _duration(config, "route.group_wait", 30, "Alertmanager")
    for resource in platform.of_kind("AlertmanagerConfig"):
        wait = wait or _duration(resource, "spec.route.groupWait", 30, "Alertmanager")
    return PrometheusTimes(
        scrape or _missing("scrape_interval"),
        evaluation or _missing("evaluation_interval"),
        wait or _missing("group_wait"),
    )


def _fact(platform: Platform, name: str) -> Sourced[float] | None:
    return platform.facts.number(f"alerting.prometheus.{name}_seconds")


def _missing(name: str) -> Unknown:
    return Unknown(f"Prometheus' {name} is not stated", f"facts: alerting.prometheus.{name}_seconds")


def _duration(of: Resource | ConfigFile, dotted: str, default: float, who: str) -> Sourced[float] | None:
    stated = of.at(dotted)
    if stated is None:
        return Sourced(default, Source.PROVIDER_DEFAULT, of.place(), f"{who}: {dotted} defaults to {default:g} s")
    length = seconds(stated.value)
    return None if length is None else stated.map(lambda _: length)

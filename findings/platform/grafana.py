"""Alert rules that Grafana itself evaluates: from its provisioning files, Terraform and its operator. PURE.

A rule is a graph of queries and expressions by their refId, of which one is the condition. What it comes to is written
as one expression of PromQL, which the reader of Prometheus' rules understands.
Source: Grafana, provision alerting resources with files; expressions (threshold, classic conditions, reduce, math);
Terraform provider grafana, grafana_rule_group; Grafana Operator, GrafanaAlertRuleGroup.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from findings.platform import alerts, mute_times
from findings.platform.config_files import ConfigFile
from findings.platform.model import Block, Platform, Resource, all_once
from findings.platform.nodes import find, items, mapping
from findings.platform.promql import MOST_LETTERS
from findings.platform.units import number, seconds
from findings.platform.yaml_reader import Document, Map, Seq, read
from platform_risk.quantities.sourced import Place, Source, Sourced, Unknown

_MOST_LEVELS = 6  # of a file of values above the groups within it
_MOST_STEPS = 20  # from the condition to its query
_MOST_READ = 100  # steps in all: each of twenty may name the one before it more than once
_EXPRESSIONS = ("__expr__", "-100")
_PASSING = ("resample", "reduce")
_COMPARES = {"gt": ">", "gte": ">=", "lt": "<", "lte": "<=", "eq": "==", "ne": "!="}
_OVER_ITS_RANGE = ("mean", "avg", "sum", "median", "count", "min", "max")
_VARIABLE = re.compile(r"\$\{?([A-Za-z_]\w*)\}?")
# Its own names for the step and the range of a graph.
_LENGTH = re.compile(r"\$\{?__(?:rate_interval|interval|range)(?:_m?s)?\}?")
_STRINGS = re.compile(r"\"[^\"]*\"|'[^']*'")
_BRACES = re.compile(r"\{[^{}]*\}")
_FILTER = re.compile(r"(?:[<>]=?|==|!=)(?!\s*bool\b)|\babsent(?:_over_time)?\s*\(|\bunless\b")


class NotRead(ValueError):
    """What the condition comes to is not read here. The message says why."""


@dataclass(frozen=True)
class Query:
    """One step of a rule: what a data source is asked, or an expression over other steps."""

    ref: str
    model: Map | None  # None: it is not known
    is_expression: bool
    range_seconds: float


@dataclass(frozen=True)
class GrafanaRule:
    title: str
    place: Place
    expression: str  # in PromQL; "" where it is not read
    reason: str  # why not
    hold: Sourced[float] | Unknown  # seconds it has to be true for
    range_seconds: float  # that the condition gathers: 0 for the last value alone
    needs_whole_range: bool  # all of it has to be bad, as for a minimum above
    is_below: bool  # it opens when something is too low
    filters: bool  # its query returns nothing while all is well: it compares within, or asks for what is absent
    no_data: str  # Alerting, NoData, OK, KeepLast; "" where it is not known
    no_data_place: Place
    labels: tuple[tuple[str, str], ...]
    words: str
    receiver: str = ""  # the contact point that it names itself, past all policies
    muted_in: tuple[str, ...] = ()  # and the times at which it is muted there, or active alone
    active_in: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        return self.title

    @property
    def pages(self) -> bool:
        return alerts.pages(self.severity)

    @property
    def severity(self) -> str:
        return dict(self.labels).get("severity", "")

    @property
    def is_silent_on_loss(self) -> bool:
        """Whether it stays as it is when its query returns nothing. Source: Grafana, no data and error states."""
        return self.no_data.lower() in ("ok", "keeplast", "keep_last", "keep last", "keeplaststate")


@dataclass(frozen=True)
class Group:
    """Rules that are evaluated together."""

    id: str
    place: Place
    interval: Sourced[float] | Unknown
    rules: tuple[GrafanaRule, ...]


@all_once
def groups(platform: Platform) -> Iterator[Group]:
    for config in platform.configs:
        if {"groups", "rules", "condition", "data"} <= config.keys:
            name = f"{config.resource.id} {config.path}" if config.resource else config.path
            for node in _within(config.root, 0):
                yield from _group(node, config, f"{name} {node.get('name') or ''}".strip())
    for resource in platform.of_kind("GrafanaAlertRuleGroup"):
        yield from _group(mapping(resource.body, "spec"), resource, resource.id)
    for block in platform.terraform("grafana_rule_group"):
        yield _of_block(block)


def _within(node: Any, depth: int) -> Iterator[Map]:
    """Groups in a file: at its top, or in values of Helm below other keys."""
    if not isinstance(node, Map) or depth > _MOST_LEVELS:
        return
    for group in items(node, "groups"):
        if any(isinstance(each, Map) and isinstance(each.get("data"), Seq) for each in items(group, "rules")):
            yield group
    for value in node.values():
        yield from _within(value, depth + 1)


# -- YAML and JSON


def _group(node: Map, of: ConfigFile | Resource, id_: str) -> Iterator[Group]:
    rules = [each for each in items(node, "rules") if isinstance(each, Map) and each.get("isPaused") is not True]
    found = tuple(_rule(each, of) for each in rules if "condition" in each)
    if found:
        place = of.place(node.lines.get("name") or node.line)
        yield Group(id_, place, _duration(find(node, "interval"), of, "interval", place), found)


def _duration(
    stated: tuple[Any, int | None] | None, of: ConfigFile | Resource, name: str, place: Place
) -> Sourced[float] | Unknown:
    if stated is None or stated[0] is None:
        return Unknown(f"{name} of the rule group is not stated", f"{name} of the group", place)
    length = seconds(stated[0])
    at = of.place(stated[1])
    return Unknown(f"{name} is {stated[0]!r}", f"a duration as {name}", at) if length is None else Sourced(
        length, Source.FILE, at)  # fmt: skip


def _rule(node: Map, of: ConfigFile | Resource) -> GrafanaRule:
    place = of.place(node.lines.get("title") or node.lines.get("uid") or node.line)
    hold: Sourced[float] | Unknown = _at_once(place)
    if node.get("for") is not None:
        hold = _duration(find(node, "for"), of, "for", place)
    no_data = Sourced(str(node.get("noDataState") or "NoData"), Source.FILE, of.place(node.lines.get("noDataState")))
    labels = {name: str(value) for name, value in mapping(node, "labels").items()}
    words = " ".join(str(each) for each in mapping(node, "annotations").values())
    queries = [_query(each) for each in items(node, "data") if isinstance(each, Map)]
    title = str(node.get("title") or node.get("uid") or "")
    settings = mapping(node, "notification_settings") or mapping(node, "notificationSettings")
    made = _made(title, place, str(node.get("condition")), queries, hold, no_data, labels, words)
    return replace(
        made,
        receiver=str(settings.get("receiver") or ""),
        muted_in=tuple(mute_times.names_under(settings, "mute_time_intervals", "muteTimeIntervals")),
        active_in=tuple(mute_times.names_under(settings, "active_time_intervals", "activeTimeIntervals")),
    )


def _query(node: Map) -> Query:
    asked = mapping(node, "relativeTimeRange")
    length = (number(asked.get("from")) or 0) - (number(asked.get("to")) or 0)
    model = node.get("model")
    uid = str(node.get("datasourceUid") or mapping(node, "model.datasource").get("uid"))
    return Query(str(node.get("refId")), model if isinstance(model, Map) else None, uid in _EXPRESSIONS, length)


def _at_once(place: Place) -> Sourced[float]:
    return Sourced(0.0, Source.PROVIDER_DEFAULT, place, "Grafana: for defaults to 0 s")


# -- Terraform


def _of_block(block: Block) -> Group:
    place = block.place()
    stated = block.get("interval_seconds")
    interval: Sourced[float] | Unknown = Unknown("interval_seconds is not stated", "interval_seconds", place)
    if isinstance(stated, Unknown):
        interval = stated
    elif stated is not None and (length := number(stated.value)) is not None:
        interval = stated.map(lambda _: float(length))
    found = tuple(_of_rule(each) for each in block.inner("rule") if not _is_true(each.get("is_paused")))
    return Group(block.id, place, interval, found)


def _is_true(stated: Sourced[Any] | Unknown | None) -> bool:
    return isinstance(stated, Sourced) and stated.value is True


def _of_rule(block: Block) -> GrafanaRule:
    place = Place(block.path, block.line, block.address)
    hold: Sourced[float] | Unknown = _at_once(place)
    stated = block.get("for")
    if isinstance(stated, Unknown):
        hold = stated
    elif stated is not None:
        length = seconds(stated.value)
        hold = Unknown(f"for is {stated.value!r}", "a duration as for", stated.place) if length is None else stated.map(
            lambda _: length)  # fmt: skip
    no_data = block.get("no_data_state") or Sourced("NoData", Source.PROVIDER_DEFAULT, place)
    labels, words = _texts(block.get("labels")), " ".join(_texts(block.get("annotations")).values())
    queries = [_of_data(each) for each in block.inner("data")]
    title, condition = _known(block.get("name")), _known(block.get("condition"))
    made = _made(title, place, condition, queries, hold, no_data, labels, words)
    settings = next(iter(block.inner("notification_settings")), None)
    if settings is None:
        return made
    muted, active = (names_of(settings.get(name)) for name in ("mute_timings", "active_timings"))
    return replace(made, receiver=_known(settings.get("contact_point")), muted_in=muted, active_in=active)


def names_of(stated: Sourced[Any] | Unknown | None) -> tuple[str, ...]:
    """Those of a list in Terraform that are known."""
    held = stated.value if isinstance(stated, Sourced) and isinstance(stated.value, list) else []
    return tuple(each for each in held if isinstance(each, str))


def _of_data(block: Block) -> Query:
    asked = next((each.attributes for each in block.inner("relative_time_range")), {})
    ends = [stated.value if isinstance(stated := asked.get(name), Sourced) else 0 for name in ("from", "to")]
    model = block.get("model")
    text = model.partial if isinstance(model, Unknown) else str(model.value) if model is not None else ""
    root = next((each.root for each in read(text) if isinstance(each, Document)), None)
    is_expression = _known(block.get("datasource_uid")) in _EXPRESSIONS
    length = (number(ends[0]) or 0) - (number(ends[1]) or 0)
    return Query(_known(block.get("ref_id")), root if isinstance(root, Map) else None, is_expression, length)


def _known(stated: Sourced[Any] | Unknown | None) -> str:
    return str(stated.value) if isinstance(stated, Sourced) else ""


def _texts(stated: Sourced[Any] | Unknown | None) -> dict[str, str]:
    held = stated.value if isinstance(stated, Sourced) and isinstance(stated.value, Mapping) else {}
    return {name: str(value) for name, value in held.items() if not isinstance(value, Unknown)}


# -- what a condition comes to


def _made(
    title: str,
    place: Place,
    condition: str,
    queries: list[Query],
    hold: Sourced[float] | Unknown,
    no_data: Sourced[Any] | Unknown,
    labels: dict[str, str],
    words: str,
) -> GrafanaRule:
    steps = _Steps({each.ref: each for each in queries})
    try:
        expression, reason = steps.text(condition, 0), ""
    except NotRead as error:
        expression, reason = "", str(error)
    return GrafanaRule(
        title, place, expression, reason, hold, steps.range_seconds, steps.needs_whole_range, steps.is_below,
        steps.filters, _known(no_data),
        no_data.place if isinstance(no_data, Sourced) and no_data.place.line else place,
        tuple(labels.items()), f"{title} {words}"[:2000],
    )  # fmt: skip


class _Steps:
    """The steps of a rule, and how long the range is that its condition gathers."""

    def __init__(self, queries: Mapping[str, Query]) -> None:
        self._queries = queries
        self.range_seconds = 0.0
        self.needs_whole_range = False
        self.is_below = False
        self.filters = False
        self._reducer = ""
        self._read = 0

    def text(self, ref: str, depth: int) -> str:
        """A step as PromQL. Raises NotRead."""
        query = self._queries.get(ref)
        if query is None:
            raise NotRead(f"its step {ref[:40] or 'of the condition'} is not there")
        self._read += 1
        if depth > _MOST_STEPS or self._read > _MOST_READ:
            raise NotRead("its steps lead in a circle, or are too many")
        if query.model is None:
            raise NotRead(f"what its step {ref[:40]} asks is not known")
        if query.is_expression:
            return self._expression(query.model, depth + 1)
        expr = query.model.get("expr")
        if not isinstance(expr, str) or not expr.strip():
            raise NotRead("what its data source is asked is no PromQL")
        if len(expr) > MOST_LETTERS:
            raise NotRead(f"its query is longer than {MOST_LETTERS:,} letters")
        if "…" in expr:
            raise NotRead("a part of its query is not known")
        if query.model.get("instant") is not True:
            self._gathers(query.range_seconds)
        self.filters = self.filters or _FILTER.search(_BRACES.sub("", _STRINGS.sub("", expr))) is not None
        return f"({_LENGTH.sub('5m', expr)})"

    def _gathers(self, length: float) -> None:
        if self._reducer in _OVER_ITS_RANGE:
            self.range_seconds = max(self.range_seconds, length)

    def _expression(self, model: Map, depth: int) -> str:
        kind = str(model.get("type"))
        if kind in _PASSING:
            self._reducer = str(model.get("reducer") or "").lower() if kind == "reduce" else self._reducer
            return self.text(_named(model.get("expression")), depth)
        if kind == "threshold":
            first = mapping(model, "conditions.0")
            ref = model.get("expression") or next(iter(items(first, "query.params")), "")
            return self._compared(_named(ref), mapping(first, "evaluator"), depth)
        if kind == "classic_conditions":
            return self._classic(model, depth)
        if kind == "math":
            stated = str(model.get("expression"))
            self.is_below = self.is_below or ("<" in stated and ">" not in stated)
            text = _VARIABLE.sub(lambda found: self.text(found[1], depth), stated)
            return f"({text.replace('&&', ' and ').replace('||', ' or ')})"
        raise NotRead(f"an expression of type {kind[:40]} is not read")

    def _classic(self, model: Map, depth: int) -> str:
        parts: list[str] = []
        for each in items(model, "conditions"):
            self._reducer = str(mapping(each, "reducer").get("type") or "").lower()
            operator = str(mapping(each, "operator").get("type") or "and").lower()
            text = self._compared(
                _named(next(iter(items(each, "query.params")), "")), mapping(each, "evaluator"), depth
            )
            parts += [f" {'or' if operator == 'or' else 'and'} ", text] if parts else [text]
        if not parts:
            raise NotRead("its condition compares nothing")
        return "".join(parts)

    def _compared(self, ref: str, evaluator: Map, depth: int) -> str:
        kind = str(evaluator.get("type"))
        values = [number(each) for each in items(evaluator, "params")]
        first = values[0] if values else None
        self.is_below = self.is_below or kind in ("lt", "lte") or (kind == "eq" and first == 0)
        inner = self.text(ref, depth)
        if kind == "no_value":
            return f"absent({inner})"
        if first is None:
            raise NotRead("its threshold is not known")
        if kind in _COMPARES:
            down = kind.startswith("l")
            self.needs_whole_range = self._reducer == ("max" if down else "min")
            return f"({inner} {_COMPARES[kind]} {first})"
        second = values[1] if len(values) > 1 else None
        if second is not None and kind.startswith("within_range"):
            return f"({inner} > {first} and {inner} < {second})"
        if second is not None and kind.startswith("outside_range"):
            return f"({inner} < {first} or {inner} > {second})"
        raise NotRead(f"a comparison of type {kind[:40]} is not read")


def _named(ref: Any) -> str:
    return str(ref or "").strip().strip("${}")

"""Whom Alertmanager tells of an alert of Prometheus: which receivers its route tree leads to, and what they do. PURE.

Source: Alertmanager, configuration: route, matchers, continue, receivers, mute_time_intervals, active_time_intervals;
Prometheus Operator, AlertmanagerConfig. A label that a rule does not state may be anything, since the series brings it:
every way is followed that it may take.
"""

import base64
import binascii
import re
import zlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Protocol, TypeVar

from findings.platform import alerts, mute_times, settings
from findings.platform.alarm_actions import Reach
from findings.platform.alerts import PrometheusAlert
from findings.platform.config_files import ConfigFile
from findings.platform.model import Platform, Resource, all_once, once
from findings.platform.mute_times import Times
from findings.platform.nodes import items, mapping
from findings.platform.patterns import globs, matches_any
from findings.platform.promql import Matcher
from findings.platform.yaml_reader import Map, Seq
from platform_risk.quantities.sourced import Place

_MATCHER = re.compile(
    r'\s*"?(?P<label>[^"=!~{},\s]+)"?\s*(?P<how>=~|!~|!=|=)\s*'
    r'(?:"(?P<quoted>(?:[^"\\]|\\.)*)"\s*|(?P<bare>[^,{}"\s][^,{}"]*)?)(?:,|\Z)'
)
_FILLED_IN = re.compile(r"\{\{|\$\{|\$\(|<[^<>]*>|%\(")
_SECRET_KEYS = ("alertmanager.yaml", "alertmanager.yml", "alertmanager.yaml.gz")
_MOST_UNPACKED = 1_000_000  # bytes: a Secret holds one MiB, and a configuration is far smaller
_MOST_LEVELS = 5  # of a file of values above the configuration within it
_MOST_ENDS = 50  # of one alert


@dataclass(frozen=True)
class Receiver:
    name: str
    reach: Reach
    place: Place
    reason: str = ""


@dataclass(frozen=True, eq=False)
class Route:
    receiver: Receiver
    matchers: tuple[Matcher | None, ...]  # None: one that cannot be read
    goes_on: bool  # continue: its siblings below are asked too
    muted: str  # why what ends here is never sent; "" where it is
    routes: tuple["Route", ...]
    place: Place

    @property
    def silent(self) -> str:
        """Why what ends here is told to nobody; "" where it is, or may be."""
        return self.muted or (self.receiver.reason if self.receiver.reach is Reach.NOBODY else "")


@dataclass(frozen=True, eq=False)
class Routing:
    """One configuration of Alertmanager, or what one AlertmanagerConfig adds to it for its namespace."""

    id: str
    place: Place
    root: Route
    receivers: tuple[Receiver, ...]
    is_whole: bool  # every alert comes by
    of: str = "Alertmanager"  # or Grafana, whose policies are routes too

    @property
    def tells_nobody(self) -> bool:
        return self.is_whole and all(each.reach is Reach.NOBODY for each in self.receivers)


class Alert(Protocol):
    """Of Prometheus, or of Grafana's own."""

    @property
    def name(self) -> str: ...

    @property
    def expression(self) -> str: ...

    @property
    def severity(self) -> str: ...

    @property
    def pages(self) -> bool: ...

    @property
    def place(self) -> Place: ...


@dataclass(frozen=True)
class Told:
    alert: Alert
    reach: Reach
    ends: tuple[Route, ...] = ()  # where it ends, or may end, and nobody is told
    routing: Routing | None = None


@once
def told(platform: Platform) -> dict[PrometheusAlert, Told]:
    """Of every alert of Prometheus. Empty where no configuration of Alertmanager is among the files."""
    found = routings(platform)
    if not any(each.is_whole for each in found):
        return {}
    relabelled = _relabelled(platform)
    answers: dict[PrometheusAlert, Told] = {}
    by_routing: dict[tuple[Routing, ...], list[PrometheusAlert]] = {}
    for file in alerts.prometheus_rules(platform):
        near = platform.near.of_one_environment(file.place.path, found, lambda each: each.place.path)
        if any(each.is_whole for each in near):
            by_routing.setdefault(tuple(near), []).extend(file.alerts)
    for near_by, of_it in by_routing.items():
        answers |= followed(((alert, _labels(alert, relabelled)) for alert in of_it), near_by)
    return answers


A = TypeVar("A", bound=Alert)


def followed(labelled: Iterable[tuple[A, Mapping[str, str | None]]], found: tuple[Routing, ...]) -> dict[A, Told]:
    """Of alerts, each with those of its labels whose value is known, whom routes tell."""
    asked = sorted({each.label for routing in found for each in _matchers_below(routing.root) if each is not None})
    alike: dict[tuple[str | None, ...], Told] = {}  # by what routes ask for: most alerts differ in nothing else
    answers: dict[A, Told] = {}
    for alert, labels in labelled:
        key = tuple(labels.get(name) for name in asked)
        if key not in alike:
            alike[key] = _told(alert, found, labels)
        answers[alert] = replace(alike[key], alert=alert)
    return answers


def _matchers_below(route: Route) -> Iterator[Matcher | None]:
    yield from route.matchers
    for below in route.routes:
        yield from _matchers_below(below)


def is_for_nobody(platform: Platform, alert: PrometheusAlert) -> bool:
    found = told(platform).get(alert)
    return found is not None and found.reach is Reach.NOBODY


def _told(alert: Alert, found: tuple[Routing, ...], labels: Mapping[str, str | None]) -> Told:
    ends: dict[int, Route] = {}
    outcomes = [(routing, _from(routing, labels, ends)) for routing in found]
    if any(each == {True} for _, each in outcomes):
        return Told(alert, Reach.PEOPLE)
    reach = Reach.UNKNOWN if any(True in each for _, each in outcomes) else Reach.NOBODY
    of = next((routing for routing, each in outcomes if False in each and routing.is_whole), found[0])
    return Told(alert, reach, tuple(ends.values())[:_MOST_ENDS], of)


def _from(routing: Routing, labels: Mapping[str, str | None], ends: dict[int, Route]) -> set[bool]:
    fits = _fits_all(routing.root.matchers, labels)
    if fits is False:
        return {False}
    return _outcomes(routing.root, labels, ends) | ({False} if fits is None else set())


def _outcomes(route: Route, labels: Mapping[str, str | None], ends: dict[int, Route]) -> set[bool]:
    """Whether somebody is told of what has come to this route, in every way that it may take from here."""
    going = {(False, False)}  # (a route below has taken it, somebody is told)
    ended: set[bool] = set()
    for below in route.routes:
        fits = _fits_all(below.matchers, labels)
        if fits is False:
            continue
        inside = _outcomes(below, labels, ends)
        went = {(True, is_told or each) for _, is_told in going for each in inside}
        passed = going if fits is None else set()
        if below.goes_on:
            going = went | passed
        else:
            ended |= {is_told for _, is_told in went}
            going = passed
    for is_taken, is_told in going:
        ended |= {is_told} if is_taken else _own(route, ends)
    return ended


def _own(route: Route, ends: dict[int, Route]) -> set[bool]:
    if route.silent:
        ends[id(route)] = route
        return {False}
    return {True} if route.receiver.reach is Reach.PEOPLE else {True, False}


def _fits_all(matchers: tuple[Matcher | None, ...], labels: Mapping[str, str | None]) -> bool | None:
    answers = [_fits(each, labels) for each in matchers]
    if False in answers:
        return False
    return None if None in answers else True


def _fits(matcher: Matcher | None, labels: Mapping[str, str | None]) -> bool | None:
    """None: the label is not known, or the expression is more than a list of names."""
    if matcher is None:
        return None
    if matcher.operator == "=~" and matcher.value == ".*":
        return True
    value = labels.get(matcher.label)
    if value is None or _FILLED_IN.search(matcher.value):
        return None
    if matcher.operator in ("=", "!="):
        hit: bool | None = value == matcher.value
    else:
        parts = globs(matcher.value)
        hit = None if parts is None else matches_any(parts, (value,))
    return hit if hit is None or matcher.operator in ("=", "=~") else not hit


def _labels(alert: PrometheusAlert, relabelled: "frozenset[str] | None") -> dict[str, str | None]:
    """Those whose value is known. `relabelled`: those that Prometheus may change on the way; None, any."""
    if relabelled is None:
        return {}
    found: dict[str, str | None] = {name: value for name, value in alert.labels if not _FILLED_IN.search(value)}
    found["alertname"] = alert.name
    return {name: value for name, value in found.items() if name not in relabelled}


def _relabelled(platform: Platform) -> frozenset[str] | None:
    found: set[str] = set()
    for config in platform.configs:
        for each in items(config.root, "alerting.alert_relabel_configs"):
            action = str(mapping(each).get("action") or "replace").lower()
            names = globs(str(mapping(each).get("regex"))) if action == "labeldrop" else None
            if action == "replace":
                found.add(str(mapping(each).get("target_label")))
            elif action not in ("keep", "drop"):
                if names is None or any("*" in name for name in names):
                    return None
                found.update(names)
    for resource in platform.of_kind("Prometheus"):
        if resource.at("spec.additionalAlertRelabelConfigs") is not None:
            return None
    return frozenset(found)


# -- configurations


@all_once
def routings(platform: Platform) -> Iterator[Routing]:
    for config in platform.configs:
        if {"route", "receivers"} <= config.keys:
            id_ = f"{config.resource.id} {config.path}" if config.resource else config.path
            yield from (Reader(config, id_).routing(node) for node in _within(config.root, 0))
    for resource in platform.of_kind("Secret"):
        yield from _of_secret(resource)
    managers = platform.of_kind("Alertmanager")
    for resource in platform.of_kind("AlertmanagerConfig"):
        yield from _of_object(resource, managers)


def _within(node: Any, depth: int) -> Iterator[Map]:
    """Configurations in a file: itself, or in values of Helm one below other keys."""
    if not isinstance(node, Map) or depth > _MOST_LEVELS:
        return
    route, receivers = node.get("route"), node.get("receivers")
    if isinstance(route, Map) and isinstance(receivers, Seq) and route.get("receiver") and not _is_of_objects(node):
        yield node
        return
    for value in node.values():
        yield from _within(value, depth + 1)


def _is_of_objects(node: Map) -> bool:
    """Whether it is spelled like an AlertmanagerConfig, whose head is elsewhere."""
    return any(key.endswith("Configs") for each in node["receivers"] if isinstance(each, Map) for key in each)


def _of_secret(secret: Resource) -> Iterator[Routing]:
    """What a Secret holds in Base64 as Prometheus Operator asks for it. Of its text only routes are read."""
    data = mapping(secret.body, "data")
    for key in _SECRET_KEYS:
        try:
            packed = base64.b64decode("".join(str(data.get(key) or "").split()), validate=True)
            text = (_unpacked(packed) if key.endswith(".gz") else packed).decode()
        except (binascii.Error, UnicodeDecodeError, zlib.error):
            continue
        root = settings.parsed(text, key.removesuffix(".gz"))
        if isinstance(root, Map):
            for node in _within(root, 0):
                yield Reader(secret, f"{secret.id} {key}", data.lines[key]).routing(node)


def _unpacked(packed: bytes) -> bytes:
    """Of gzip, as Prometheus Operator writes what it made; what unpacks to more than any configuration is cut off."""
    return zlib.decompressobj(wbits=31).decompress(packed, _MOST_UNPACKED)


def _of_object(resource: Resource, managers: list[Resource]) -> Iterator[Routing]:
    """An AlertmanagerConfig adds a first route for alerts of its namespace, and those of other routes go on; one that
    an Alertmanager names as its configuration is asked about every alert."""
    spec = mapping(resource.body, "spec")
    if not mapping(spec, "route").get("receiver"):
        return
    named = {
        (each.namespace, str(mapping(each.body, "spec.alertmanagerConfiguration").get("name"))) for each in managers
    }
    is_whole = (resource.namespace, resource.name) in named
    strategies = {
        str(mapping(each.body, "spec.alertmanagerConfigMatcherStrategy").get("type") or "OnNamespace")
        for each in managers
    }
    # Where none or another strategy is stated, whether its namespace is asked for is not known.
    of_namespace = Matcher("namespace", "=", resource.namespace) if strategies <= {"OnNamespace"} else None
    yield Reader(resource, resource.id).routing(spec, () if is_whole else (of_namespace,))


@dataclass
class Reader:
    """Routes and receivers of one file or object."""

    of: ConfigFile | Resource
    id: str
    line: int | None = None  # where all of it stands, if lines within it mean nothing
    receivers: dict[str, Receiver] = field(default_factory=dict)
    mutes: dict[str, Times] = field(default_factory=dict)

    def place(self, line: int | None) -> Place:
        return self.of.place(self.line or line)

    def routing(self, root: Map, only: tuple[Matcher | None, ...] = ()) -> Routing:
        """`only`: what an alert has to have to come by at all; of a whole configuration every alert does."""
        for node in items(root, "receivers"):
            if isinstance(node, Map):
                receiver = self._receiver(node)
                self.receivers[receiver.name] = receiver
        for key, inner in (("time_intervals", "time_intervals"), ("mute_time_intervals", "time_intervals"),
                           ("muteTimeIntervals", "timeIntervals")):  # fmt: skip
            for node in items(root, key):
                if isinstance(node, Map):
                    self.mutes[str(node.get("name"))] = mute_times.of(items(node, inner))
        top = self.route(mapping(root, "route"))
        # By the root of a whole one every alert comes, and none is muted: Alertmanager refuses what says otherwise.
        first = replace(top, matchers=(*top.matchers, *only)) if only else replace(top, matchers=(), muted="")
        return Routing(self.id, top.place, first, tuple(self.receivers.values()), not only)

    def _receiver(self, node: Map) -> Receiver:
        name = str(node.get("name"))
        place = self.place(node.lines.get("name") or node.line)
        ways = [value for key, value in node.items() if key.endswith(("_configs", "Configs")) and value is not None]
        if any(not isinstance(each, Seq) for each in ways):
            return Receiver(name, Reach.UNKNOWN, place)
        if any(ways):
            return Receiver(name, Reach.PEOPLE, place)
        return Receiver(name, Reach.NOBODY, place, f"the receiver {name} has no configuration")

    def route(self, node: Map, above: Receiver | None = None) -> Route:
        name = str(node.get("receiver") or (above.name if above is not None else ""))
        place = self.place(node.lines.get("receiver") or node.line)
        # One that is not in the list: Alertmanager would refuse the file, so that this cannot be all of it.
        receiver = self.receivers.get(name) or Receiver(name, Reach.UNKNOWN, place)
        return Route(
            receiver,
            tuple(_matchers(node)),
            node.get("continue") is True,
            mute_times.muted(
                self.mutes,
                mute_times.names_under(node, "mute_time_intervals", "muteTimeIntervals"),
                mute_times.names_under(node, "active_time_intervals", "activeTimeIntervals"),
            ),
            tuple(self.route(each, receiver) for each in items(node, "routes") if isinstance(each, Map)),
            place,
        )


def _matchers(node: Map) -> Iterator[Matcher | None]:
    stated = node.get("matchers")
    for each in stated if isinstance(stated, Seq) else [stated] if stated is not None else []:
        if isinstance(each, Map) and "name" in each:
            yield _of_fields(each)
        else:
            yield from parsed(str(each))
    for each in items(node, "object_matchers"):  # as Grafana writes them
        yield Matcher(*map(str, each)) if isinstance(each, Seq) and len(each) == 3 else None
    for key, how in (("match", "="), ("match_re", "=~")):
        for label, value in mapping(node, key).items():
            yield Matcher(label, how, str(value))


def _of_fields(node: Map) -> Matcher:
    """A matcher of an AlertmanagerConfig, or of Grafana's operator."""
    is_regex = node.get("regex") is True or node.get("isRegex") is True
    negated = "!~" if is_regex else "!="
    plain = "=~" if is_regex else "="
    how = str(node.get("matchType") or (negated if node.get("isEqual") is False else plain))
    return Matcher(str(node["name"]), how, str(node.get("value") or ""))


def parsed(text: str) -> list[Matcher | None]:
    """`severity = critical`, `{team="a", env=~"x|y"}`; None for what is none."""
    text = text.strip()
    if text.startswith("{") and text.endswith("}"):
        text = text[1:-1].strip()
    found: list[Matcher | None] = []
    at = 0
    while at < len(text):
        match = _MATCHER.match(text, at)
        if match is None or match.end() == at:
            return [None]
        quoted = match["quoted"]
        value = re.sub(r"\\(.)", r"\1", quoted) if quoted is not None else (match["bare"] or "").rstrip()
        found.append(Matcher(match["label"], match["how"], value))
        at = match.end()
    return found

"""Which alert would notice which failure of what: rules, what can fail, and every pair of them. PURE.

Three answers for each failure mode of each subject: covered by these rules; unknown, because a rule that points there
is not understood; none.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from fnmatch import fnmatchcase
from functools import cached_property
from typing import Any

from findings.checks import alert_delay, signals
from findings.checks.alert_delay import Opens, prometheus_seconds
from findings.checks.base import Unsure
from findings.checks.signal_loss import opens_on_loss
from findings.checks.signals import Meaning, Sense
from findings.platform import alerts, brokers, cells, databases, kafka, pools, rotation
from findings.platform.model import Platform, Workload, find, mapping
from findings.platform.promql import Matcher
from findings.platform.serving import long_running
from findings.platform.units import number
from platform_risk.quantities.sourced import NOWHERE, Place, Sourced, Unknown

PLATFORM = "the platform"


class State(StrEnum):
    COVERED = "covered"
    UNKNOWN = "unknown"
    NONE = "none"


@dataclass(frozen=True)
class Rule:
    """One alert. Seconds until it opens: `worst` is None when only a lower bound is known, `best` when nothing is."""

    name: str
    language: str
    senses: tuple[Sense, ...]
    reason: str  # why it is not understood, or not as a whole
    place: Place
    best: float | None = None
    worst: float | None = None
    wait_reason: str = ""
    severity: str = ""
    hints: tuple[str, ...] = ()  # modes that it may be about although it is not understood


@dataclass(frozen=True)
class Subject:
    """Something that can fail, and how."""

    id: str
    place: Place
    modes: tuple[str, ...]
    namespace: str = ""
    names: frozenset[str] = frozenset()
    kind: str = ""


@dataclass(frozen=True)
class Cell:
    subject: Subject
    mode: str
    state: State
    rules: tuple[Rule, ...] = ()  # that cover it, the fastest first; of unknown, those that may
    why: str = ""  # of unknown

    @property
    def best(self) -> float | None:
        return min((each.best for each in self.rules if each.best is not None), default=None)

    @property
    def worst(self) -> float | None:
        """Of the rule that opens first at the latest."""
        return min((each.worst for each in self.rules if each.worst is not None), default=None)


@dataclass(frozen=True)
class Coverage:
    rules: tuple[Rule, ...]
    cells: tuple[Cell, ...]
    is_whole: bool  # the files hold every alert that there is, as far as they or the facts say

    @cached_property
    def _by_subject(self) -> dict[int, list[Cell]]:
        found: dict[int, list[Cell]] = {}
        for each in self.cells:
            found.setdefault(id(each.subject), []).append(each)
        return found

    def of(self, subject: Subject) -> list[Cell]:
        return self._by_subject.get(id(subject), [])

    @property
    def subjects(self) -> list[Subject]:
        return list({id(each.subject): each.subject for each in self.cells}.values())


def coverage(platform: Platform) -> Coverage:
    found = tuple(rules(platform))
    complete = platform.facts.get("alerting.complete")
    is_whole = bool(found) or (complete is not None and complete.value is True)
    told = _by_mode(found)
    none = _Told()
    pairs = [
        _cell(subject, mode, told.get(mode, none).about(subject))
        for subject in subjects(platform)
        for mode in subject.modes
    ]
    return Coverage(found, tuple(pairs), is_whole)


# -- rules


def rules(platform: Platform) -> Iterator[Rule]:
    for each in (*_prometheus(platform), *_newrelic(platform), *_cloudwatch(platform), *_datadog(platform)):
        yield _as_stated(platform, each)


def _as_stated(platform: Platform, rule: Rule) -> Rule:
    """The facts say what a rule notices that nothing here understands: `alerting.notices.NAME`."""
    stated = platform.facts.get("alerting.notices")
    listed = stated.value.get(rule.name) if stated is not None and isinstance(stated.value, Mapping) else None
    if not isinstance(listed, list):
        return rule
    named = [str(each) for each in listed if str(each) in signals.modes()]
    senses = tuple(Sense(mode, "stated in the facts") for mode in named)
    return _but(rule, senses=(*rule.senses, *senses), reason="", hints=())


def _but(rule: Rule, **fields: Any) -> Rule:
    return Rule(**({name: getattr(rule, name) for name in Rule.__dataclass_fields__} | fields))


def _made(name: str, language: str, meaning: Meaning, place: Place, words: str, **fields: Any) -> Rule:
    hints = signals.hinted(f"{name} {words}") if meaning.reason else ()
    return Rule(name, language, meaning.senses, meaning.reason, place, hints=hints, **fields)


def _prometheus(platform: Platform) -> Iterator[Rule]:
    records, times = alerts.recording_rules(platform), alerts.prometheus_times(platform)
    for file in alerts.prometheus_rules(platform):
        for alert in file.alerts:
            meaning = signals.of_promql(alert.expression, records)
            words = f"{alert.words} {alert.expression}"
            waits = _prometheus_wait(alert, file, times)
            yield _made(alert.name, "promql", meaning, alert.place, words, severity=alert.severity, **waits)


def _prometheus_wait(
    alert: alerts.PrometheusAlert, file: alerts.RuleFile, times: alerts.PrometheusTimes
) -> dict[str, Any]:
    if isinstance(alert.hold, Unknown):
        return {"wait_reason": alert.hold.reason}
    scrape, evaluation, wait = times.scrape, file.interval or times.evaluation, times.group_wait
    if isinstance(scrape, Unknown) or isinstance(evaluation, Unknown) or isinstance(wait, Unknown):
        missing = next(each for each in (scrape, evaluation, wait) if isinstance(each, Unknown))
        return {"best": alert.hold.value, "wait_reason": missing.reason}
    best, worst = prometheus_seconds(scrape.value, evaluation.value, alert.hold.value, wait.value)
    return {"best": best, "worst": worst}


def _wait(opens: "Opens | Unsure | None") -> dict[str, Any]:
    if isinstance(opens, Opens):
        reason = opens.missing.reason if opens.missing is not None else ""
        return {"best": opens.best, "worst": opens.worst, "wait_reason": reason}
    return {"wait_reason": opens.reason if opens is not None else ""}


def _text(stated: Any) -> str:
    """As far as it is known."""
    if isinstance(stated, Unknown):
        return stated.partial
    return str(stated.value) if isinstance(stated, Sourced) else ""


def _newrelic(platform: Platform) -> Iterator[Rule]:
    for condition in alerts.nrql_conditions(platform):
        opens = alert_delay.newrelic(condition)
        if opens is None or condition.is_fragment:
            continue
        query = _text(condition.query)
        operator = _text((condition.term or {}).get("operator")) or _text(condition.get("baseline_direction"))
        if not query:
            known = condition.query
            meaning = Meaning(reason=known.reason if isinstance(known, Unknown) else "its query is not stated")
        elif not operator:
            meaning = Meaning(reason="whether it opens above or below its threshold is not known")
        else:
            meaning = signals.of_nrql(query, signals.directions_of(operator))
        expiration, on_loss = condition.get("expiration_duration"), condition.get("open_violation_on_expiration")
        seconds = number(expiration.value) if isinstance(expiration, Sourced) else None
        if opens_on_loss(seconds, opens=isinstance(on_loss, Sourced) and on_loss.value is True):
            meaning = Meaning((*meaning.senses, Sense("signal-lost", "expiration_duration")), meaning.reason)
        name = _text(condition.get("name")) or condition.id
        yield _made(name, "nrql", meaning, condition.place, f"{condition.id} {query}", **_wait(opens))


def _cloudwatch(platform: Platform) -> Iterator[Rule]:
    for alarm in alerts.cloudwatch_alarms(platform):
        opens = alert_delay.cloudwatch(alarm)
        if opens is None:
            continue
        stated = alarm.stated
        metric, space = _text(stated.get("metric_name")), _text(stated.get("namespace"))
        operator = _text(stated.get("comparison_operator"))
        if not metric or not space or not operator:
            meaning = Meaning(reason="its metric, namespace or comparison is not known")
        else:
            directions = signals.directions_of(operator)
            meaning = signals.of_metric("cloudwatch", f"{space}/{metric}", directions, _dimensions(alarm))
        if _text(stated.get("treat_missing_data")).lower() == "breaching":
            meaning = Meaning((*meaning.senses, Sense("signal-lost", "treat_missing_data")), meaning.reason)
        name = _text(stated.get("alarm_name")) or alarm.id
        words = f"{alarm.id} {metric} {_text(stated.get('alarm_description'))}"
        yield _made(name, "cloudwatch", meaning, alarm.place, words, **_wait(opens))


def _dimensions(alarm: alerts.Alarm) -> tuple[Matcher, ...]:
    stated = alarm.stated.get("dimensions")
    held = stated.value if isinstance(stated, Sourced) and isinstance(stated.value, Mapping) else {}
    return tuple(Matcher(signals.NAMED, "=", value) for value in held.values() if isinstance(value, str))


def _datadog(platform: Platform) -> Iterator[Rule]:
    for monitor in alerts.datadog_monitors(platform):
        query = _text(monitor.stated.get("query"))
        meaning = signals.of_datadog(query) if query else Meaning(reason="its query is not known")
        missing, new = monitor.stated.get("notify_no_data"), _text(monitor.stated.get("on_missing_data"))
        if (isinstance(missing, Sourced) and missing.value is True) or new == "show_and_notify_no_data":
            meaning = Meaning((*meaning.senses, Sense("signal-lost", "notify_no_data")), meaning.reason)
        name = _text(monitor.stated.get("name")) or monitor.id
        yield _made(
            name, "datadog", meaning, monitor.place, f"{monitor.id} {query}", **_wait(alert_delay.datadog(monitor))
        )


# -- what can fail

_DATABASE_IMAGES = ("postgres", "mysql", "mariadb", "pgbouncer")
_CACHE = re.compile(r"(?:^|/)(?:redis|valkey|memcached|keydb|dragonfly)[^/]*\Z")


@dataclass
class _Gathered:
    place: Place
    traits: set[str] = field(default_factory=set)
    namespace: str = ""
    names: set[str] = field(default_factory=set)
    kind: str = ""


def subjects(platform: Platform) -> list[Subject]:
    """Workloads, brokers, databases, credentials and the platform under them, each with the ways in which it fails."""
    found: dict[str, _Gathered] = {}
    for workload in long_running(platform):
        found[workload.id] = _workload(platform, workload)
    _clients(platform, found)
    for cluster in brokers.clusters(platform):
        _add(found, cluster.subject, cluster.place, "broker", cluster.name)
    for database in databases.databases(platform):
        _add(found, database.subject, database.place, "database", database.name)
    for routing in cells.routings(platform):
        _add(found, routing.subject, routing.place, "cells", routing.host)
    for each in rotation.rotations(platform):
        _add(found, each.subject, each.place, "credential", each.secret, each.namespace)
    for quota in platform.of_kind("ResourceQuota"):
        _add(found, quota.id, quota.place(), "quota", quota.name, quota.namespace)
    for block in platform.terraform("aws_cloudwatch_log_group"):
        _add(found, "log groups", block.place(), "logs")
    if platform.workloads:
        _add(found, PLATFORM, platform.workloads[0].resource.place(), "platform")
        if alerts_on_metrics(platform):
            _add(found, PLATFORM, NOWHERE, "metrics")
    return [made for id_, gathered in found.items() if (made := _subject(id_, gathered)).modes]


def alerts_on_metrics(platform: Platform) -> bool:
    """Whether the platform has a store of metrics that can be flooded."""
    return bool(platform.of_kind("Prometheus", "ServiceMonitor", "PodMonitor")) or any(
        each.at("scrape_configs") for each in platform.configs
    )


def _subject(id_: str, gathered: _Gathered) -> Subject:
    fitting = tuple(mode.id for mode in signals.modes().values() if mode.applies_to & gathered.traits)
    return Subject(
        id_, gathered.place, fitting, gathered.namespace, frozenset(gathered.names - {""}), gathered.kind
    )  # fmt: skip


def _add(found: dict[str, _Gathered], id_: str, place: Place, trait: str, name: str = "", namespace: str = "") -> None:
    parts = id_.split("/")
    kind = parts[0] if len(parts) > 1 else ""
    held = found.setdefault(
        id_, _Gathered(place, namespace=namespace or (parts[1] if len(parts) == 3 else ""), kind=kind)
    )
    held.traits.add(trait)
    held.names.add(name or parts[-1])


def _workload(platform: Platform, workload: Workload) -> _Gathered:
    resource = workload.resource
    traits = {"workload"}
    services = platform.services_of(workload)
    images = [each.image.value for each in workload.containers if each.image is not None]
    bare = [str(image).partition("@")[0].rpartition(":")[0] or str(image) for image in images]
    is_store = any(_CACHE.search(image) or image.rpartition("/")[2].startswith(_DATABASE_IMAGES) for image in bare)
    if services and not is_store:
        traits.add("serving")
    if any(find(each.node, "resources.limits.cpu") for each in workload.containers):
        traits.add("limited")
    if platform.autoscaler_of(workload) is not None:
        traits.add("autoscaled")
    if any(_CACHE.search(image) for image in bare):
        traits.add("cache")
    if resource.kind == "StatefulSet" and find(resource.body, "spec.volumeClaimTemplates"):
        traits.add("volume")
    names = {resource.name, *(each.name for each in services), *(each.name for each in workload.containers)}
    labels = mapping(workload.template, "metadata.labels")
    names |= {str(labels[key]) for key in ("app", "app.kubernetes.io/name") if key in labels}
    return _Gathered(resource.place(), traits, resource.namespace, names, resource.kind)


def _clients(platform: Platform, found: dict[str, _Gathered]) -> None:
    for client in pools.clients(platform):
        if client.workload.id in found:
            found[client.workload.id].traits.add("database-client")
    for consumer in kafka.consumers(platform, kafka.topics(platform)):
        if consumer.workload is not None and consumer.workload.id in found:
            found[consumer.workload.id].traits.add("consumer")
        else:
            _add(found, consumer.subject, consumer.place, "consumer", consumer.name)


# -- who notices what


_Telling = tuple[int, "Rule", list["Sense"]]  # where it stands among all, the rule, and what of it is about a failure


@dataclass
class _Told:
    """The rules about one failure. Most name one workload: those are looked up by that name, not tried on all."""

    everywhere: list[_Telling] = field(default_factory=list)
    named: dict[str, list[_Telling]] = field(default_factory=dict)

    def add(self, telling: _Telling) -> None:
        names = {_named(sense) for sense in telling[2]}
        if names and None not in names:
            for name in names:
                self.named.setdefault(str(name), []).append(telling)
        else:
            self.everywhere.append(telling)

    def about(self, subject: Subject) -> list[_Telling]:
        """Those that are not about something else by name, in their order."""
        names = self.named if subject.id == PLATFORM else subject.names & self.named.keys()
        if not names:
            return self.everywhere
        found = {telling[0]: telling for name in names for telling in self.named[name]}
        return sorted([*self.everywhere, *found.values()], key=lambda telling: telling[0])


def _named(sense: Sense) -> str | None:
    """The one name that a subject has to have; None where none is asked for by itself."""
    return next(
        (each.value for each in sense.matchers if each.operator == "=" and each.value and each.label in _BY_NAME), None
    )


def _by_mode(found: tuple[Rule, ...]) -> dict[str, _Told]:
    """For each failure the rules that may be about it, with what of them is: most rules are about one or two."""
    told: dict[str, _Told] = {}
    for at, rule in enumerate(found):
        of_rule: dict[str, list[Sense]] = {mode: [] for mode in rule.hints}
        for sense in rule.senses:
            of_rule.setdefault(sense.mode, []).append(sense)
        for mode, senses in of_rule.items():
            told.setdefault(mode, _Told()).add((at, rule, senses))
    return told


def _cell(subject: Subject, mode: str, told: list[_Telling]) -> Cell:
    covering: list[Rule] = []
    doubtful: list[tuple[Rule, str]] = []
    for _, rule, senses in told:
        answers = [_applies(sense, subject) for sense in senses]
        if True in answers:
            covering.append(rule)
        elif None in answers:
            doubtful.append((rule, "whether it is about this one is not known"))
        elif rule.reason and mode in rule.hints and not answers:
            doubtful.append((rule, rule.reason))
    if covering:
        covering.sort(key=lambda each: (each.worst is None, each.worst or each.best or 0.0, each.name))
        return Cell(subject, mode, State.COVERED, tuple(covering))
    if doubtful:
        why = "; ".join(f"{rule.name}: {reason}" for rule, reason in doubtful[:3])
        return Cell(subject, mode, State.UNKNOWN, tuple(rule for rule, _ in doubtful), why)
    return Cell(subject, mode, State.NONE)


_NAMING = {
    "deployment": "Deployment", "statefulset": "StatefulSet", "daemonset": "DaemonSet", "replicaset": "ReplicaSet",
}  # fmt: skip
_BY_NAME = ("app", "service", "workload", "container", "pod", "destination_workload", "destination_service_name",
            "service_name", "strimzi_io_cluster", "horizontalpodautoscaler", "consumergroup", "name",
            "kubernetes_pod_name", "kubernetes_name")  # fmt: skip
_CLAIM = ("persistentvolumeclaim",)
_IN_NAMESPACE = ("namespace", "exported_namespace", "kubernetes_namespace", "destination_service_namespace")
_OF_EXPORTERS = re.compile(r"(?:kube|node|container|kubelet|machine)_")
_OF_A_KIND = re.compile(r"kube_(deployment|statefulset|daemonset|replicaset)_")
_IN_CLUSTER = re.compile(r"(?:kube|kubelet|container|node)_|kubernetes|K8s|ContainerInsights")


def _applies(sense: Sense, subject: Subject) -> bool | None:
    """Whether what is watched includes the subject, by the labels that name it. None: they cannot be read so far."""
    kind = _OF_A_KIND.match(sense.metric)
    if kind and subject.kind in _NAMING.values() and _NAMING[kind[1]] != subject.kind:
        return False
    if "." in subject.id.partition("/")[0] and _IN_CLUSTER.match(sense.metric):
        return False  # what Terraform makes is outside the cluster
    answers = [_fits(matcher, sense, subject) for matcher in sense.matchers]
    if False in answers:
        return False
    return None if None in answers else True


def _fits(matcher: Matcher, sense: Sense, subject: Subject) -> bool | None:
    if subject.id == PLATFORM:
        return True
    if matcher.label in _IN_NAMESPACE:
        return _matches(matcher, {subject.namespace}) if subject.namespace else None
    if matcher.label in _NAMING:
        return _matches(matcher, subject.names)
    if matcher.label in _BY_NAME:
        return _matches(matcher, subject.names)
    if matcher.label == "job" and not _OF_EXPORTERS.match(sense.metric):
        return _matches(matcher, subject.names)
    if matcher.label in _CLAIM:
        return None
    if matcher.label == signals.NAMED:
        return _matches(matcher, subject.names) or None
    return True


def _matches(matcher: Matcher, names: "frozenset[str] | set[str]") -> bool | None:
    """Regular expressions only as far as they are lists of names with wildcards: what an upload brings is not run."""
    pattern = matcher.value.removeprefix("^").removesuffix("$")
    if matcher.operator in ("=", "!="):
        hit: bool | None = matcher.value in names if matcher.value else None
        if matcher.value == "" and matcher.operator == "!=":
            return True
    else:
        hit = _any_glob(pattern, names)
    if hit is None or matcher.operator in ("=", "=~"):
        return hit
    return not hit


_WILD = re.compile(r"\.[*+]|\(-?\[0-9\]\+\)\?|\[0-9\]\+|\\d\+|\(\.[*+]\)")


def _any_glob(pattern: str, names: "frozenset[str] | set[str]") -> bool | None:
    parts = _WILD.sub("*", pattern).split("|")
    if len(parts) > 1 and parts[0].startswith("(") and parts[-1].endswith(")"):
        parts[0], parts[-1] = parts[0][1:], parts[-1][:-1]
    if not all(re.fullmatch(r"[\w.:/*-]*", part) and part.count("*") <= 5 for part in parts):
        return None
    # A pod is called like its workload with more behind.
    return any(fnmatchcase(name, part) or fnmatchcase(f"{name}-0", part) for part in parts for name in names)


# -- as it is kept with an import

MOST_CELLS = 5_000


def as_json(found: Coverage) -> dict[str, Any]:
    """Plain values. Cells name their rules by their place in the list; only rules that cover or may cover something,
    or that are not understood, are kept."""
    shown = found.cells[:MOST_CELLS]
    named = {id(rule): rule for cell in shown for rule in cell.rules}
    kept = [rule for rule in found.rules if id(rule) in named or rule.reason][:MOST_CELLS]
    place = {id(rule): number for number, rule in enumerate(kept)}
    return {
        "is_whole": found.is_whole,
        "rules_count": len(found.rules),
        "cells_count": len(found.cells),
        "rules": [_rule_as_json(each) for each in kept],
        "cells": [
            {
                "subject": each.subject.id,
                "path": each.subject.place.path,
                "line": each.subject.place.line,
                "mode": each.mode,
                "state": each.state.value,
                "rules": [place[id(rule)] for rule in each.rules if id(rule) in place],
                "why": each.why,
            }
            for each in shown
        ],
    }


def _rule_as_json(rule: Rule) -> dict[str, Any]:
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
    }

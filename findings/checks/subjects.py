"""What can fail on a platform, and in which ways. PURE."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache

from findings.checks import signals
from findings.checks.alert_rules import Rule
from findings.platform import brokers, cells, databases, kafka, pools, rotation
from findings.platform.model import Platform, Workload
from findings.platform.nodes import find, mapping
from findings.platform.serving import long_running
from platform_risk.quantities.records import record
from platform_risk.quantities.sourced import NOWHERE, Place

PLATFORM = "the platform"


@record(frozen=True, slots=True)
class Subject:
    """Something that can fail, and how."""

    id: str
    place: Place
    modes: tuple[str, ...]
    namespace: str = ""
    names: frozenset[str] = frozenset()
    kind: str = ""


_DATABASE_IMAGES = ("postgres", "mysql", "mariadb", "pgbouncer")
_CACHE = re.compile(r"(?:^|/)(?:redis|valkey|memcached|keydb|dragonfly)[^/]*\Z")


@dataclass
class _Gathered:
    place: Place
    traits: set[str] = field(default_factory=set)
    namespace: str = ""
    names: set[str] = field(default_factory=set)
    kind: str = ""


def subjects(platform: Platform, rules: Iterable[Rule] = ()) -> list[Subject]:
    """Workloads, brokers, databases, credentials and the platform under them, each with the ways in which it fails.

    The platform itself is looked at where the files hold some of it, or alerts on it: a service's own folder does not.
    """
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
    if platform.workloads and _holds_the_platform(platform, rules):
        _add(found, PLATFORM, platform.workloads[0].resource.place(), "platform")
        if _stores_metrics(platform):
            _add(found, PLATFORM, NOWHERE, "metrics")
    return [made for id_, gathered in found.items() if (made := _subject(id_, gathered)).modes]


def _holds_the_platform(platform: Platform, rules: Iterable[Rule]) -> bool:
    if _stores_metrics(platform) or platform.of_kind("DaemonSet"):
        return True
    if any(each.resource.namespace == "kube-system" for each in platform.workloads):
        return True
    of_platform = {mode.id for mode in signals.modes().values() if "platform" in mode.applies_to}
    return any(sense.mode in of_platform for rule in rules for sense in rule.senses)


def _stores_metrics(platform: Platform) -> bool:
    """Whether a store of metrics is here, which can be flooded."""
    return bool(platform.of_kind("Prometheus", "ServiceMonitor", "PodMonitor")) or any(
        each.at("scrape_configs") for each in platform.configs
    )


def _subject(id_: str, gathered: _Gathered) -> Subject:
    modes = _fitting(frozenset(gathered.traits))
    return Subject(
        id_, gathered.place, modes, gathered.namespace, frozenset(gathered.names - {""}), gathered.kind
    )  # fmt: skip


@lru_cache(maxsize=256)
def _fitting(traits: frozenset[str]) -> tuple[str, ...]:
    """The ways in which something of these traits fails."""
    return tuple(mode.id for mode in signals.modes().values() if mode.applies_to & traits)


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
    for consumer in kafka.consumers(platform):
        if consumer.workload is not None and consumer.workload.id in found:
            found[consumer.workload.id].traits.add("consumer")
        elif consumer.workload is None or not consumer.workload.is_compose:
            _add(found, consumer.subject, consumer.place, "consumer", consumer.name)

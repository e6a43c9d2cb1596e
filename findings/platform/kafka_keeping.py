"""Where brokers, controllers and ZooKeeper keep what they are sent, and how often Kafka keeps its own topics. PURE.

Sources: Strimzi, storage of Kafka, KafkaNodePool and ZooKeeper; Kubernetes, emptyDir; Kafka, broker configuration
offsets.topic.replication.factor and transaction.state.log.replication.factor (3 unless stated).
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from findings.platform import brokers, compose
from findings.platform.model import Container, Platform, Resource, Workload
from findings.platform.nodes import items, mapping
from findings.platform.units import stated_count
from findings.platform.yaml_reader import Map
from platform_risk.quantities.sourced import Place, Source, Sourced

BROKERS, CONTROLLERS, ZOOKEEPER = "brokers", "controllers", "ZooKeeper"


@dataclass(frozen=True)
class Storage:
    """Where what one object describes keeps what it is sent."""

    subject: str
    cluster: str  # its name
    place: Place
    ephemeral: tuple[Sourced[str], ...]  # volumes that are deleted with their pod
    count: Sourced[int] | None  # of its pods
    of: str = BROKERS


def storages(platform: Platform) -> Iterator[Storage]:
    """Of node pools; of the cluster itself where it has none, else Strimzi does not look at it. And of workloads of
    one's own."""
    with_pools: set[str] = set()
    for pool in platform.of_kind("KafkaNodePool"):
        cluster_name = str(pool.labels.get("strimzi.io/cluster") or "")
        roles = items(pool.body, "spec.roles")
        if "broker" in roles:
            with_pools.add(cluster_name)
            yield from _strimzi(pool, cluster_name, "spec", BROKERS)
        elif "controller" in roles:
            yield from _strimzi(pool, cluster_name, "spec", CONTROLLERS)
    for cluster in platform.of_kind("Kafka"):
        if cluster.api.startswith("kafka.strimzi.io/"):
            if cluster.name not in with_pools:
                yield from _strimzi(cluster, cluster.name, "spec.kafka", BROKERS)
            if cluster.annotations.get("strimzi.io/kraft") != "enabled":
                yield from _strimzi(cluster, cluster.name, "spec.zookeeper", ZOOKEEPER)
    yield from _own(platform)


def _strimzi(resource: Resource, cluster: str, below: str, of: str) -> Iterator[Storage]:
    stated = resource.at(f"{below}.storage")
    if stated is None or not isinstance(stated.value, Map):
        return
    kinds = [resource.sourced(each, "type") for each in (stated.value, *items(stated.value, "volumes"))]
    ephemeral = tuple(kind for kind in kinds if kind is not None and kind.value == "ephemeral")
    count = stated_count(resource.at(f"{below}.replicas"))
    yield Storage(resource.id, cluster, stated.place, ephemeral, count, of)


# Where images keep their data: Apache's and Confluent's, Bitnami's, Redpanda's, Wurstmeister's; ZooKeeper's. Kafka's
# own default is below the temporary folder, in brackets here, since no path of ours may be there (tests/test_house.py).
_DATA = {
    BROKERS: re.compile(r"/var/lib/(?:kafka|redpanda)(?:/data)?/?\Z|/bitnami/kafka(?:/data)?/?\Z"
                        r"|/kafka(?:/(?:data|logs|kafka-logs\S*))?/?\Z|/(?:tmp)/(?:kafka-logs|kraft-combined-logs)/?\Z"),
    ZOOKEEPER: re.compile(r"/var/lib/zookeeper(?:/(?:data|log))?/?\Z|/bitnami/zookeeper(?:/data)?/?\Z"
                          r"|/data(?:log)?/?\Z"),
}  # fmt: skip
_ZOOKEEPER = re.compile(r"(?:.*/)?(?:cp-)?zookeeper(?:[:@].*)?")
_DIRS = ("KAFKA_LOG_DIRS", "KAFKA_CFG_LOG_DIRS", "KAFKA_LOG_DIR", "KAFKA_CFG_LOG_DIR")


def _own(platform: Platform) -> Iterator[Storage]:
    """Of StatefulSets and Deployments. ZooKeeper may serve others: it is looked at beside brokers alone."""
    found = [each for each in platform.workloads if each.resource.kind in ("StatefulSet", "Deployment")]
    kinds = [(workload, *_kind(workload)) for workload in found]
    has_brokers = any(kind == BROKERS for _, kind, _ in kinds) or bool(platform.of_kind("Kafka"))
    for workload, kind, container in kinds:
        if container is None or (kind == ZOOKEEPER and not has_brokers):
            continue
        mounts = list(_mounts(container, kind))
        if mounts:
            count = workload.replicas if isinstance(workload.replicas, Sourced) else None
            ephemeral = tuple(_fleeting(workload, mounts))
            place = workload.resource.place(mounts[0].lines.get("mountPath"))
            yield Storage(workload.id, workload.id, place, ephemeral, count, kind)
        elif kind == BROKERS and not _keeps_anything(workload):
            count = workload.replicas if isinstance(workload.replicas, Sourced) else None
            place = workload.resource.place(container.node.line)
            yield Storage(workload.id, workload.id, place, (Sourced("none", Source.FILE, place),), count, kind)


# Volumes that hold what comes from elsewhere, or end with the pod.
_FLEETING = ("emptyDir", "configMap", "secret", "projected", "downwardAPI")


def _keeps_anything(workload: Workload) -> bool:
    """Whether any of its volumes outlives its pod; what is in none of them is in the container, and ends with it."""
    if items(workload.resource.body, "spec.volumeClaimTemplates"):
        return True
    volumes = [each for each in items(workload.pod, "volumes") if isinstance(each, Map)]
    return any(not any(kind in each for kind in _FLEETING) for each in volumes)


def _kind(workload: Workload) -> tuple[str, Container | None]:
    for container in workload.containers:
        roles = "" if container.is_init else brokers.roles_of(container)
        if roles:
            return BROKERS if "broker" in roles else CONTROLLERS, container
        if not container.is_init and container.image is not None and _ZOOKEEPER.fullmatch(container.image.value):
            return ZOOKEEPER, container
    return "", None


def _mounts(container: Container, kind: str) -> Iterator[Map]:
    """What is mounted where its data is."""
    stated = [variable.value.value for name in _DIRS if (variable := container.env.get(name)) and variable.value]
    folders = [f"{each.strip().rstrip('/')}/" for text in stated for each in text.split(",") if each.strip()]
    usual = _DATA[ZOOKEEPER if kind == ZOOKEEPER else BROKERS]
    for mount in items(container.node, "volumeMounts"):
        path = str(mount.get("mountPath")) if isinstance(mount, Map) else ""
        is_it = any(each.startswith(f"{path.rstrip('/')}/") for each in folders) if folders else usual.match(path)
        if path and is_it:
            yield mount


def _fleeting(workload: Workload, mounts: list[Map]) -> Iterator[Sourced[str]]:
    volumes = [each for each in items(workload.pod, "volumes") if isinstance(each, Map)]
    empty = [each.get("name") for each in volumes if "emptyDir" in each]  # of any shape, so no set
    for mount in mounts:
        if mount.get("name") in empty:
            yield Sourced("emptyDir", Source.FILE, workload.resource.place(mount.lines.get("mountPath")))


# -- Kafka's own topics

_OWN_TOPICS = {
    "offsets": ("offsets.topic.replication.factor", "offsets_topic_replication_factor"),
    "transactions": ("transaction.state.log.replication.factor", "transaction_state_log_replication_factor"),
}


@dataclass(frozen=True)
class OwnTopics:
    """How often several brokers keep the topics in which Kafka notes what consumers have read, and transactions."""

    subject: str
    brokers: Sourced[int]
    factors: tuple[tuple[str, Sourced[int]], ...]  # of those that are stated: offsets, transactions
    is_sure: bool = True  # whether anybody but a developer uses it


def own_topics(platform: Platform) -> Iterator[OwnTopics]:
    for cluster in brokers.clusters(platform):
        if cluster.brokers is not None and cluster.brokers.value > 1:
            factors = tuple(_of_strimzi(platform, cluster.subject))
            if factors:
                yield OwnTopics(cluster.subject, cluster.brokers, factors)
    for workload in platform.workloads:
        if brokers.broker_of(workload) is not None and isinstance(workload.replicas, Sourced):
            factors = tuple(_of_settings(platform, [workload]))
            if factors and workload.replicas.value > 1:
                yield OwnTopics(workload.id, workload.replicas, factors)
    if platform.workloads or brokers.clusters(platform):
        return  # a compose file beside a cluster is for a developer's machine
    for services in compose.projects(platform.compose_services).values():
        found = [each for each in services if brokers.broker_of(each) is not None]
        counts = [each.replicas for each in found if isinstance(each.replicas, Sourced)]
        number = sum(each.value for each in counts)
        factors = tuple(_of_settings(platform, found))
        if len(counts) == len(found) and number > 1 and factors:
            is_sure = compose.is_for_production(platform, found[0])
            yield OwnTopics(found[0].id, replace(counts[0], value=number), factors, is_sure)


def _of_strimzi(platform: Platform, subject: str) -> Iterator[tuple[str, Sourced[int]]]:
    resource = next((each for each in platform.of_kind("Kafka") if each.id == subject), None)
    config = mapping(resource.body, "spec.kafka.config") if resource is not None else Map(0)
    for name, (key, _) in _OWN_TOPICS.items():
        stated: Any = config.get(key)
        if resource is not None and stated is not None:
            count = stated_count(Sourced(stated, Source.FILE, resource.place(config.lines[key])))
            if count is not None:
                yield name, count


def _of_settings(platform: Platform, workloads: list[Workload]) -> Iterator[tuple[str, Sourced[int]]]:
    """Which broker makes the topic is chance: the least that one of them states counts."""
    for name, (_, key) in _OWN_TOPICS.items():
        found = [
            count for each in workloads if (count := brokers.named(platform.settings_of(each.id), key)) is not None
        ]
        if found:
            yield name, min(found, key=lambda each: each.value)

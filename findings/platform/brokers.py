"""Kafka clusters and producers: what has to be in sync before a message counts as written. PURE."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from findings.platform import compose
from findings.platform.model import Block, Container, Platform, Resource, Setting, Workload, once
from findings.platform.nodes import items, mapping
from findings.platform.patterns import of_names
from findings.platform.units import stated_count
from platform_risk.quantities.sourced import Place, Source, Sourced, Unknown

_ACKS = of_names(r"(?:.*_)?acks")
_ISR = "min.insync.replicas"
_FACTOR = "default.replication.factor"
_UNCLEAN = "unclean.leader.election.enable"
_PARTITIONS, _AUTO = "num.partitions", "auto.create.topics.enable"
_PRODUCERS = ("KafkaProducer", "AIOKafkaProducer")


@dataclass(frozen=True)
class Cluster:
    name: str
    subject: str
    factor: Sourced[int] | Unknown  # default.replication.factor
    min_isr: Sourced[int] | Unknown  # min.insync.replicas
    place: Place
    brokers: Sourced[int] | None = None
    unclean: Sourced[Any] | None = None
    partitions: Sourced[int] | None = None  # of a topic that makes itself; None where none does, or it is not stated
    makes_topics: bool = False  # auto.create.topics.enable is stated as true


@dataclass(frozen=True)
class Producer:
    subject: str
    name: str  # of the setting; tells two producers of one workload apart
    acks: Sourced[str]  # 0, 1 or all
    idempotence: Sourced[Any] | None = None


@once
def clusters(platform: Platform) -> list[Cluster]:
    return [*_strimzi(platform), *_msk(platform), *_configured(platform)]


def cluster_named(platform: Platform, name: str, path: str) -> Cluster | None:
    """The cluster of a name as seen from a file, else the only one of its environment, or that there is."""
    known = clusters(platform)
    named_so = [each for each in known if each.name == name] if name else known
    same = platform.near.of_one_environment(path, named_so, lambda each: each.place.path)
    here = platform.near.environment_of(path)
    for near in (
        [each for each in same if each.place.path == path],
        [each for each in same if each.place.path.rpartition("/")[0] == path.rpartition("/")[0]],
        [each for each in same if platform.near.environment_of(each.place.path) == here],
        same,
    ):
        if len(near) == 1:
            return near[0]
    return None


def _strimzi(platform: Platform) -> Iterator[Cluster]:
    for resource in platform.of_kind("Kafka"):
        if not resource.api.startswith("kafka.strimzi.io/"):
            continue
        config = mapping(resource.body, "spec.kafka.config")
        here = resource.place(config.line or None)

        def stated(key: str, config: Any = config, resource: Resource = resource) -> Sourced[Any] | None:
            if config.get(key) is None:
                return None
            return Sourced(config[key], Source.FILE, resource.place(config.lines[key]))

        yield Cluster(
            resource.name,
            resource.id,
            stated_count(stated(_FACTOR)) or _default(_FACTOR, here),
            stated_count(stated(_ISR)) or _default(_ISR, here),
            here,
            stated_count(resource.at("spec.kafka.replicas")) or _pool(platform, resource),
            stated(_UNCLEAN),
            *_self_made(stated(_AUTO), stated_count(stated(_PARTITIONS)), here),
        )


def _self_made(
    auto: Sourced[Any] | None, count: Sourced[int] | None, place: Place, *, otherwise: bool = True
) -> tuple[Sourced[int] | None, bool]:
    """Partitions of a topic that makes itself, and whether it is stated that topics do. `otherwise`: whether they do
    where nothing is stated, as Kafka's do and MSK's do not."""
    makes = str(auto.value).lower() == "true" if auto is not None else otherwise
    if not makes or (auto is None and count is None):
        return None, False
    if count is None:
        count = Sourced(1, Source.PROVIDER_DEFAULT, place, "Kafka: num.partitions defaults to 1")
    elif not count.note:
        count = Sourced(count.value, count.source, count.place, "nothing declares the topic, so it makes itself")
    return count, auto is not None


def _default(key: str, place: Place) -> Sourced[int]:
    return Sourced(1, Source.PROVIDER_DEFAULT, place, f"Kafka: {key} defaults to 1")


def _pool(platform: Platform, cluster: Resource) -> Sourced[int] | None:
    """Brokers of the only node pool of a cluster, in the same file."""
    found = [
        each
        for each in broker_pools(platform)
        if each.labels.get("strimzi.io/cluster") == cluster.name and each.path == cluster.path
    ]
    return stated_count(found[0].at("spec.replicas")) if len(found) == 1 else None


def broker_pools(platform: Platform) -> list[Resource]:
    """Node pools of Strimzi that run brokers, alone or beside controllers."""
    return [each for each in platform.of_kind("KafkaNodePool") if "broker" in items(each.body, "spec.roles")]


@dataclass(frozen=True)
class OnlyBroker:
    """The one broker that a project of docker-compose starts."""

    service: Workload
    brokers: Sourced[int]
    factor: Sourced[int]  # default.replication.factor
    is_for_production: bool


def only_brokers(platform: Platform) -> Iterator[OnlyBroker]:
    """Where a cluster is in the files, a compose file is for a developer's machine, and nothing of it is told."""
    if platform.workloads or clusters(platform):
        return
    for services in compose.projects(platform.compose_services).values():
        found = [each for each in services if broker_of(each) is not None]
        counts = [each.replicas for each in found if isinstance(each.replicas, Sourced)]
        if len(found) == len(counts) == 1 and counts[0].value == 1:
            service = found[0]
            place = service.resource.place()
            factor = named(platform.settings_of(service.id), "default_replication_factor") or _default(_FACTOR, place)
            for_production = compose.is_for_production(platform, service)
            yield OnlyBroker(service, counts[0], factor, for_production)


_BROKER = re.compile(
    r"(?:.*/)?(?:confluentinc/(?:cp-kafka|cp-server|confluent-local)|apache/kafka(?:-native)?|bitnami(?:legacy)?/kafka"
    r"|wurstmeister/kafka|(?:redpandadata|vectorized)/redpanda)(?:[:@].*)?"
)
_TOOLS = re.compile(r"kafka-(?:topics|configs|acls|console|storage)|kafka-ready|rpk (?:topic|cluster)")


# What it tells clients to reach it by: an image that is built here, or named by a variable, is a broker's by that.
_ADVERTISED = of_names(r"KAFKA_(?:CFG_)?ADVERTISED_(?:LISTENERS|HOST_NAME)")


def broker_of(workload: Workload) -> Container | None:
    """Its container that runs a broker, by its image or its listeners; the same image starts controllers too, and the
    tools that make topics."""
    return next((each for each in workload.containers if not each.is_init and "broker" in roles_of(each)), None)


def roles_of(container: Container) -> str:
    """What a container of Kafka's is: broker, controller or both; "" for any other."""
    is_by_image = container.image is not None and _BROKER.fullmatch(container.image.value)
    if not is_by_image and not any(map(_ADVERTISED, container.env)):
        return ""
    if _TOOLS.search(" ".join(container.words)) or _is_script(container):
        return ""
    named = (container.env.get(name) for name in ("KAFKA_PROCESS_ROLES", "KAFKA_CFG_PROCESS_ROLES"))
    return next((each.value.value for each in named if each is not None and each.value is not None), "broker")


_SHELL = re.compile(r"(?:/\S*/)?(?:ba|da|a)?sh\b")


def _is_script(container: Container) -> bool:
    """Whether it runs a script instead, and is told nothing that a broker is told: it makes topics, or users."""
    is_told = any("kafka" in name.lower() for name in container.env)
    return not is_told and _SHELL.match(" ".join(container.words)) is not None


def _msk(platform: Platform) -> Iterator[Cluster]:
    for block in platform.blocks:
        if block.kind == "aws_msk_configuration":
            text = block.get("server_properties")
            if isinstance(text, Sourced) and isinstance(text.value, str):
                yield _of_properties(block, _lines(text.value), text.place)
            elif isinstance(text, Unknown) and _is_by_line(text.partial):
                yield _of_properties(block, _lines(text.partial), block.place(), is_partly=True)
            elif isinstance(text, Unknown):
                yield Cluster(block.labels[-1], block.id, text, text, block.place())
        elif block.type == "module":
            stated = block.get("configuration_server_properties")
            if isinstance(stated, Sourced) and isinstance(stated.value, Mapping):
                yield _of_properties(block, stated.value, stated.place)


def _lines(text: str) -> dict[str, str]:
    pairs = (line.partition("=") for line in text.splitlines() if "=" in line and not line.lstrip().startswith("#"))
    return {key.strip(): value.strip() for key, _, value in pairs}


def _is_by_line(partial: str) -> bool:
    """Whether each part that is not known is the value of a key: else it could be any line, min.insync.replicas too."""
    return bool(partial) and all("…" not in line.partition("=")[0] for line in partial.splitlines())


def _of_properties(block: Block, properties: Mapping[str, Any], place: Place, *, is_partly: bool = False) -> Cluster:
    """`is_partly`: some of its values, with … in them, are not known."""

    def stated(key: str, otherwise: str) -> Sourced[int] | Unknown:
        if is_partly and "…" in str(properties.get(key)):
            return Unknown(f"{key} is made of what is not known here", f"a number as {key}", place)
        found = stated_count(Sourced(properties.get(key), Source.FILE, place))
        reason = f"{key} is not stated; MSK's default is {otherwise}"
        return found or Unknown(reason, f"{key} in the server properties of {block.id}", place)

    def known(key: str) -> Sourced[Any] | None:
        value = properties.get(key)
        return None if value is None or "…" in str(value) else Sourced(value, Source.FILE, place)

    return Cluster(
        block.labels[-1],
        block.id,
        stated(_FACTOR, "3 in three zones and 2 in two"),
        stated(_ISR, "2 in three zones and 1 in two"),
        place,
        None,
        known(_UNCLEAN),
        *_self_made(known(_AUTO), stated_count(known(_PARTITIONS)), place, otherwise=False),
    )


def _configured(platform: Platform) -> Iterator[Cluster]:
    """server.properties, or the environment of a broker's container."""
    brokers = {
        workload.id
        for workload in platform.workloads
        for each in workload.containers
        if "KAFKA_LISTENERS" in each.env
        or "KAFKA_CFG_LISTENERS" in each.env
        or (not each.is_init and "broker" in roles_of(each))
    }
    loose = [scope for scope in platform.loose_settings if scope.endswith("server.properties")]
    for scope in (*sorted(brokers), *loose):
        settings = platform.settings_of(scope)
        isr, factor = named(settings, "min_insync_replicas"), named(settings, "default_replication_factor")
        first = isr or factor
        if first is not None:
            isr = isr or _default(_ISR, first.place)
            made = _of_settings(settings, first.place)
            yield Cluster(scope, scope, factor or _default(_FACTOR, first.place), isr, first.place, None, None, *made)


def _of_settings(settings: list[Setting], place: Place) -> tuple[Sourced[int] | None, bool]:
    return _self_made(_stated(settings, "auto_create_topics_enable"), named(settings, "num_partitions"), place)


def self_made(platform: Platform, path: str, *, are_declared: bool) -> Sourced[int] | None:
    """Partitions of a topic that nothing declares, as seen from a file: where topics make themselves. Where others
    are declared, only if that is stated."""
    cluster = cluster_named(platform, "", path)
    if cluster is not None:
        return cluster.partitions if cluster.makes_topics or not are_declared else None
    if clusters(platform) or are_declared:
        return None
    found = [_of_settings(platform.settings_of(each.id), each.resource.place()) for each in platform.running
             if broker_of(each) is not None]  # fmt: skip
    counts = {count.value: count for count, _ in found if count is not None}
    return next(iter(counts.values())) if len(counts) == 1 and all(count for count, _ in found) else None


def named(settings: list[Setting], name: str) -> Sourced[int] | None:
    return stated_count(_stated(settings, name))


def _stated(settings: list[Setting], name: str) -> Sourced[Any] | None:
    return next((each.value for each in settings if each.name in (name, f"kafka_{name}", f"kafka_cfg_{name}")), None)


def producers(platform: Platform) -> list[Producer]:
    # By file too: a workload of one name in several environments states its own in each.
    found: dict[tuple[str, str, str], Producer] = {}
    beside: dict[str, Sourced[Any] | None] = {}  # whether producers of a scope are idempotent
    for setting in platform.settings:
        if _ACKS(setting.name):
            acks = _acks(setting.value)
            if acks is not None:
                if setting.scope not in beside:
                    own = platform.settings_of(setting.scope)
                    beside[setting.scope] = next(
                        (each.value for each in own if each.name.endswith("enable_idempotence")), None
                    )
                idempotence = beside[setting.scope]
                key = (setting.scope, setting.name, setting.value.place.path)
                found.setdefault(key, Producer(setting.scope, setting.name, acks, idempotence))
    for call in platform.calls_of(*_PRODUCERS):
        stated = call.arguments.get("acks")
        acks = _acks(stated) if stated is not None else None
        if acks is None and call.name.endswith("AIOKafkaProducer") and not _decides(call.arguments, call.computed):
            acks = Sourced("1", Source.PROVIDER_DEFAULT, call.place, "aiokafka: acks defaults to 1")
        if acks is not None:
            path = call.place.path
            idempotence = call.arguments.get("enable_idempotence")
            found.setdefault((path, call.name, path), Producer(path, call.name, acks, idempotence))
    return list(found.values())


def _decides(arguments: Mapping[str, Sourced[Any]], computed: tuple[str, ...]) -> bool:
    """Whether acks is computed, or follows from idempotence."""
    idempotence = arguments.get("enable_idempotence")
    is_on = idempotence is not None and idempotence.value is True
    return is_on or bool({"acks", "enable_idempotence", "**"} & set(computed))


def _acks(stated: Sourced[Any]) -> Sourced[str] | None:
    text = str(stated.value).strip().lower()
    if isinstance(stated.value, bool) or text not in ("0", "1", "all", "-1"):
        return None
    return stated.map(lambda _: "all" if text == "-1" else text)

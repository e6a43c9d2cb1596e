"""Topics, who consumes them with how many members, and what brokers and producers promise. PURE."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from operator import itemgetter
from typing import Any

from findings.platform.model import Autoscaler, Platform, Setting, Workload, all_once, normal, once
from findings.platform.nodes import find, items, mapping
from findings.platform.patterns import of_names
from findings.platform.pools import mounted
from findings.platform.processes import max_pods
from findings.platform.units import stated_count
from findings.platform.yaml_reader import Map, Seq
from platform_risk.quantities.sourced import Place, Source, Sourced, Unknown

_GROUP = of_names(r"(?:.*_)?(?:consumer_group(?:_id|_name)?|kafka_group(?:_id)?|group_id|kafka_application_id)")
_TOPIC = of_names(r"(?:.*_)?topics?(?:_name)?")
_OUT = re.compile(r"target|output|(?:^|_)out(?:_|$)|sink|produce|publish|dlq|dead_letter")
_THREADS = of_names(
    r"(?:.*_)?(?:kafka_(?:consumer_)?threads|consumer_threads|num_stream_threads|stream_threads|listener_concurrency"
    r"|consumer_concurrency|worker_threads|consumers_per_pod|num_consumers|consumer_workers)"
)
_ONE = "a consumer is one thread unless told otherwise"


@dataclass(frozen=True)
class Topic:
    name: str
    subject: str
    partitions: Sourced[int] | Unknown
    place: Place
    replicas: Sourced[int] | None = None
    min_isr: Sourced[int] | None = None
    cluster: str = ""
    group: str = ""  # a consumer group named beside it


@dataclass(frozen=True)
class Consumer:
    """Members of one consumer group: the pods of a workload, with so many consuming threads each."""

    name: str
    subject: str
    topics: tuple[str, ...]  # names; () when none is stated
    pods: Sourced[int] | Unknown
    threads: Sourced[int]
    place: Place
    workload: Workload | None = None
    scaler: Autoscaler | None = None
    trigger: Map | None = None  # metadata of KEDA's kafka trigger


@all_once
def topics(platform: Platform) -> list[Topic]:
    found = [*_resources(platform), *_blocks(platform), *_configured(platform)]
    named = {each.name for each in found}
    stated = platform.facts.get("kafka.topics")
    for name in stated.value if stated is not None and isinstance(stated.value, dict) else ():
        partitions = stated_count(platform.facts.get(f"kafka.topics.{name}.partitions"))
        if name not in named and partitions is not None:
            found.append(Topic(name, f"topic {name}", partitions, partitions.place))
    return found


def unstated_partitions(name: str, place: Place) -> Unknown:
    shown = name or "NAME"
    return Unknown(
        f"the partitions of the topic {shown} are not stated" if name else "the partitions it reads are not stated",
        f"facts: kafka.topics.{shown}.partitions",
        place,
    )


def _resources(platform: Platform) -> Iterator[Topic]:
    for resource in platform.of_kind("KafkaTopic"):
        name = resource.at("spec.topicName")
        shown = str(name.value) if name else resource.name
        partitions = stated_count(resource.at("spec.partitions"))
        config = mapping(resource.body, "spec.config")
        stated = config.get("min.insync.replicas")
        min_isr = Sourced(stated, Source.FILE, resource.place(config.lines.get("min.insync.replicas")))
        yield Topic(
            shown,
            resource.id,
            partitions or unstated_partitions(shown, resource.place()),
            resource.place(),
            stated_count(resource.at("spec.replicas")),
            stated_count(min_isr),
            str(resource.labels.get("strimzi.io/cluster") or ""),
        )


def _blocks(platform: Platform) -> Iterator[Topic]:
    for block in platform.terraform("kafka_topic", "confluent_kafka_topic", "aws_msk_topic"):
        name = block.get("topic_name") or block.get("name")
        shown = str(name.value) if isinstance(name, Sourced) else block.labels[-1]
        count = block.get("partitions_count" if block.kind == "confluent_kafka_topic" else "partitions")
        count = count or block.get("partition_count")
        if count is None and block.kind == "confluent_kafka_topic":
            count = Sourced(6, Source.PROVIDER_DEFAULT, block.place(), "Confluent: partitions_count defaults to 6")
        partitions = stated_count(count) if isinstance(count, Sourced) else None
        replicas = block.get("replication_factor")
        yield Topic(
            shown,
            block.id,
            partitions or unstated_partitions(shown, block.place()),
            block.place(),
            stated_count(replicas) if isinstance(replicas, Sourced) else None,
            _in_config(block.get("config")),
        )


def _in_config(config: "Sourced[Any] | Unknown | None") -> Sourced[int] | None:
    if not isinstance(config, Sourced) or not isinstance(config.value, dict):
        return None
    return stated_count(Sourced(config.value.get("min.insync.replicas"), config.source, config.place))


def _configured(platform: Platform) -> Iterator[Topic]:
    """`topics:` of an application's configuration, as a list or by name."""
    for config in platform.configs:
        for node in _topic_lists(config.root) if "topics" in config.keys else ():
            pairs = (
                [(str(each.get("name") or each.get("topic") or ""), each) for each in node if isinstance(each, Map)]
                if isinstance(node, Seq)
                else [(name, each) for name, each in node.items() if isinstance(each, Map)]
            )
            for name, each in pairs:
                partitions = stated_count(
                    Sourced(each.get("partitions"), Source.FILE, config.place(each.lines.get("partitions")))
                )
                if name and partitions is not None:
                    group = str(each.get("consumer_group") or each.get("consumerGroup") or each.get("group") or "")
                    factor = each.get("replication_factor", each.get("replicas"))
                    replicas = stated_count(Sourced(factor, Source.FILE, partitions.place))
                    subject = f"{config.resource.id if config.resource else config.path}#{name}"
                    yield Topic(name, subject, partitions, partitions.place, replicas, group=group)


def _topic_lists(root: Any, depth: int = 0) -> Iterator[Any]:
    if depth > 8 or not isinstance(root, Map | Seq):
        return
    for key, value in root.items() if isinstance(root, Map) else enumerate(root):
        if not isinstance(value, Map | Seq):
            continue
        if key == "topics":
            yield value
        else:
            yield from _topic_lists(value, depth + 1)


@once
def _by_name(platform: Platform) -> dict[str, list[Topic]]:
    found: dict[str, list[Topic]] = {}
    for topic in topics(platform):
        found.setdefault(topic.name, []).append(topic)
    return found


def topic_named(platform: Platform, name: str, path: str) -> Topic | None:
    """The topic of a name as seen from a file: of the same file, else of its folder, else of its environment, else the
    only one there is."""
    near_by = platform.near
    same = near_by.of_one_environment(path, _by_name(platform).get(name, ()), lambda each: each.place.path)
    here = near_by.environment_of(path)
    folder = path.rpartition("/")[0]
    for near in (
        [each for each in same if each.place.path == path],
        [each for each in same if each.place.path.rpartition("/")[0] == folder],
        [each for each in same if near_by.environment_of(each.place.path) == here],
        same,
    ):
        counts = {each.partitions.value for each in near if isinstance(each.partitions, Sourced)}
        if near and (len(near) == 1 or len(counts) == 1):
            return near[0]
    return None


@once
def consumers(platform: Platform) -> list[Consumer]:
    """Of the cluster; where none consumes there, of compose files, which else repeat the same ones on one machine."""
    known = topics(platform)
    names = {each.name for each in known}
    for workloads in (platform.workloads, platform.compose_services):
        found = [made for workload in workloads if (made := _consumer(platform, workload, names, known)) is not None]
        if found:
            return found
    return list(_loose(platform))


def _consumer(platform: Platform, workload: Workload, names: set[str], known: Sequence[Topic]) -> Consumer | None:
    settings = _own_settings(platform, workload)
    settings += platform.settings_by_name(workload)
    settings += (each for scope in mounted(workload) for each in platform.settings_of(scope))
    speaks_kafka = any("kafka" in each.name or "kafka" in str(each.value.value).lower() for each in settings)
    scaler = platform.autoscaler_of(workload)
    trigger = kafka_trigger(scaler) if scaler is not None else None
    group = any(_GROUP(each.name) for each in settings)
    threads = next((each for each in settings if _THREADS(each.name) and stated_count(each.value)), None)
    read = [
        str(each.value.value)
        for each in settings
        if (_TOPIC(each.name) or str(each.value.value) in names) and not _OUT.search(each.name)
    ]
    in_code = speaks_kafka and not _consumed_in_code(platform).isdisjoint(read)
    group = group or (speaks_kafka and _beside(platform, workload, "spring_kafka_consumer_group_id") is not None)
    is_consumer = trigger is not None or (group and speaks_kafka) or in_code
    if not is_consumer and (threads is None or not (speaks_kafka or known)):
        return None
    if trigger is not None and trigger.get("topic"):
        read.append(str(trigger["topic"]))
    if threads is None:
        threads = _beside(platform, workload, "spring_kafka_listener_concurrency")
    count = stated_count(threads.value) if threads is not None else None
    place = threads.value.place if threads is not None else workload.resource.place()
    return Consumer(
        workload.resource.name,
        workload.id,
        tuple(dict.fromkeys(topic for each in read for topic in re.split(r"[,\s]+", each) if topic)),
        max_pods(platform, workload),
        count or Sourced(1, Source.ASSUMPTION, place, _ONE),
        place,
        workload,
        scaler,
        trigger,
    )


@once
def _consumed_in_code(platform: Platform) -> set[str]:
    """Topics that Python source subscribes to as a member of a group."""
    calls = platform.calls_of("KafkaConsumer", "AIOKafkaConsumer")
    named = (call for call in calls if "group_id" in call.arguments or "group_id" in call.computed)
    return {str(value.value) for call in named for name, value in call.arguments.items() if name.isdigit()}


def _beside(platform: Platform, workload: Workload, name: str) -> Setting | None:
    """What a file of Spring's beside it says, where all of them say the same: in its folder or one of those above, or
    anywhere where nothing else runs."""
    found = [
        each
        for each in _of_spring(platform).get(name, ())
        if len(platform.workloads) == 1 or platform.near.share_a_folder(each.value.place.path, workload.resource.path)
    ]
    return found[0] if len({str(each.value.value) for each in found}) == 1 else None


@once
def _of_spring(platform: Platform) -> dict[str, list[Setting]]:
    """By name, of files of no workload."""
    names = ("spring_kafka_listener_concurrency", "spring_kafka_consumer_group_id")
    loose = platform.loose_settings
    return {name: [each for each in platform.settings_like(name) if each.scope in loose] for name in names}


def _own_settings(platform: Platform, workload: Workload) -> list[Setting]:
    """Settings of another workload of the same name in another file are not its own."""
    if _times(platform)[workload.id] == 1:
        return [*platform.settings_of(workload.id)]
    by_file, of_others = _by_file(platform)[workload.id]
    own = by_file.get(workload.resource.path, [])
    return [setting for _, setting in (sorted((*own, *of_others), key=itemgetter(0)) if of_others else own)]


@once
def _times(platform: Platform) -> Counter[str]:
    return Counter(workload.id for workload in platform.running)


_Numbered = tuple[int, Setting]


@once
def _by_file(platform: Platform) -> dict[str, tuple[dict[str, list[_Numbered]], list[_Numbered]]]:
    """Settings of each workload's name with their order: by the file that states them there, and what others give."""
    found: dict[str, tuple[dict[str, list[_Numbered]], list[_Numbered]]] = {}
    for id_ in (each for each, count in _times(platform).items() if count > 1):
        by_file, of_others = found[id_] = ({}, [])
        for numbered in enumerate(platform.settings_of(id_)):
            place = numbered[1].value.place
            (by_file.setdefault(place.path, []) if place.resource == id_ else of_others).append(numbered)
    return found


def kafka_trigger(scaler: Autoscaler) -> Map | None:
    """The metadata of KEDA's kafka trigger; None when it has none."""
    for trigger in items(scaler.node, "triggers"):
        if isinstance(trigger, Map) and trigger.get("type") in ("kafka", "apache-kafka"):
            found = find(trigger, "metadata")
            return found[0] if found is not None and isinstance(found[0], Map) else None
    return None


def capped(platform: Platform) -> tuple[Autoscaler, ...]:
    """The platform's autoscalers, none of which asks for more pods than KEDA's kafka trigger does: one per partition,
    unless idle consumers are allowed or another trigger asks too. Source: KEDA, Apache Kafka scaler."""
    return tuple(_capped(platform, each) for each in platform.autoscalers)


def _capped(platform: Platform, scaler: Autoscaler) -> Autoscaler:
    trigger = kafka_trigger(scaler) if len(items(scaler.node, "triggers")) == 1 else None
    most = scaler.maximum
    if trigger is None or str(trigger.get("allowIdleConsumers")).lower() == "true" or isinstance(most, Unknown):
        return scaler
    topic = topic_named(platform, str(trigger.get("topic")), scaler.place.path)
    count = topic.partitions if topic is not None else None
    if not isinstance(count, Sourced) or not 0 < count.value < most.value:
        return scaler
    bound = Sourced(count.value, Source.PROVIDER_DEFAULT, most.place, "KEDA: no more pods than partitions")
    return replace(scaler, maximum=bound)


def _loose(platform: Platform) -> Iterator[Consumer]:
    """Thread counts that stand in a file of settings without a workload."""
    for scope, settings in platform.loose_settings.items():
        setting = next((each for each in settings if _THREADS(each.name) and stated_count(each.value)), None)
        count = stated_count(setting.value) if setting is not None else None
        if count is None:
            continue
        read = [str(each.value.value) for each in settings if _TOPIC(each.name) and not _OUT.search(each.name)]
        one = Sourced(1, Source.ASSUMPTION, count.place, "no workload is stated: the figures are those of one pod")
        pods = stated_count(platform.facts.get("kafka.consumer_pods")) or one
        yield Consumer(scope, scope, tuple(dict.fromkeys(read)), pods, count, count.place)


def option(platform: Platform, scope: str, *names: str) -> Sourced[Any] | None:
    """A client option by its dotted name, whatever stands before it: of a scope, else of files of no workload."""
    wanted = {normal(name) for name in names}
    ends = tuple(f"_{each}" for each in wanted)
    if any(platform.names_ending(each) for each in wanted):
        for settings in (platform.settings_of(scope), *platform.loose_settings.values()):
            for setting in settings:
                if setting.name.endswith(ends) or setting.name in wanted:
                    return setting.value
    calls = platform.calls_of("KafkaConsumer", "AIOKafkaConsumer", "KafkaProducer", "AIOKafkaProducer")
    stated = [call.arguments[name] for call in calls for name in wanted if name in call.arguments]
    return stated[0] if len({repr(each.value) for each in stated}) == 1 else None

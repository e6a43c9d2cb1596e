"""4.1: messages that were acknowledged and are gone when a broker fails."""

from collections.abc import Iterator

from findings.checks.base import Fail, Meta, Pass, Unsure, Verdict
from findings.platform import brokers, kafka, kafka_keeping
from findings.platform.brokers import Cluster, OnlyBroker, Producer
from findings.platform.kafka import Topic
from findings.platform.kafka_keeping import BROKERS, OwnTopics, Storage
from findings.platform.model import Platform, places
from findings.platform.units import stated_count, stated_number
from findings.vocabulary import Category, Outcome, Severity
from platform_risk.quantities.sourced import Input, Quantity, Sourced, Unknown, input_of

META = Meta(
    id="kafka-durability",
    seed="4.1",
    title="A failing broker takes acknowledged messages with it",
    severity=Severity.HIGH,
    category=Category.DATA_CONSISTENCY,
    outcome=Outcome.DATA_LOSS,
    means="A message counts as written before a second broker has it: the producer asks for the leader's word only "
    "(acks=1), or for none, or min.insync.replicas is 1, or there is but one replica; or what brokers, "
    "controllers or ZooKeeper keep is on volumes that are deleted with their pods; or several brokers keep once what "
    "consumers have read.",
    why="When the leader fails in that moment, another broker takes over without the message, and nobody is told: the "
    "producer has its acknowledgement. It takes the failure of a leader; a pod that restarts loses only what it had "
    "not sent, and a consumer that crashes before its commit reads some messages again and loses none.",
    not_a_problem="The messages are metrics or logs of which a few may be lost, or can be produced again.",
    remedy="acks=all with enable.idempotence, three replicas and min.insync.replicas=2; transactions and "
    "read_committed where an effect leaves Kafka.",
    patch="""KAFKA_PRODUCER_ACKS: "all"
KAFKA_ENABLE_IDEMPOTENCE: "true"
# and of the topic or the cluster: replicas 3, min.insync.replicas 2""",
    analysis="It loses 350 messages at each pod restart, 3,500 a day. 350 are at risk when every leader fails "
    "before it is copied, 117 when one of three brokers does. A restart of a consumer repeats records and "
    "loses none; a producer killed without a flush loses what lingers, 700.",
    remedies=("kafka-exactly-once",),
    references=(
        "https://kafka.apache.org/documentation/#producerconfigs_acks",
        "https://kafka.apache.org/documentation/#brokerconfigs_min.insync.replicas",
        "https://docs.aws.amazon.com/msk/latest/developerguide/msk-default-configuration.html",
        "https://kafka.apache.org/documentation/#brokerconfigs_offsets.topic.replication.factor",
        "https://kafka.apache.org/documentation/#kraft",
        "https://strimzi.io/docs/operators/latest/deploying#assembly-storage-str",
    ),
)

_SEED = "Per failure of a leader, not per restart of a pod, which loses only what it has not sent yet."


def losses_survived(acks: str, min_isr: int) -> int:
    """Brokers that may fail at once without loss of an acknowledged message: min.insync.replicas − 1, and none unless
    acks is all. Source: Kafka, producer configuration acks and topic configuration min.insync.replicas."""
    return max(0, min_isr - 1) if acks == "all" else 0


def losses_while_writable(factor: int, min_isr: int) -> int:
    """Brokers that may fail while producers with acks=all still get through: replicas − min.insync.replicas."""
    return max(0, factor - min_isr)


def safe_losses(acks: str, factor: int, min_isr: int) -> int:
    """Brokers that may fail with neither loss nor standstill: the lesser of the two."""
    return min(losses_survived(acks, min_isr), losses_while_writable(factor, min_isr))


def quorum_losses_survived(members: int) -> int:
    """Controllers, or members of ZooKeeper, that may lose their disks while a majority still has the metadata.

    Source: Kafka, KRaft: a majority of the controllers has to be alive."""
    return max(0, (members - 1) // 2)


def messages_at_risk(per_second: float, lag_ms: float, brokers_count: int = 1) -> float:
    """Messages acknowledged and not yet replicated when a leader fails: rate × lag, shared out over the brokers."""
    return per_second * lag_ms / 1000 / brokers_count


def unsent_messages(per_second: float, linger_ms: float) -> float:
    """Messages that a producer holds back and loses when it is killed without a flush: rate × linger.ms."""
    return per_second * linger_ms / 1000


def duplicates(batch: int) -> int:
    """Messages read again when a consumer crashes before its commit: at most the batch; none is lost."""
    return batch


def run(platform: Platform) -> Iterator[Verdict]:
    clusters = brokers.clusters(platform)
    producers = brokers.producers(platform)
    missing: dict[str, Unsure] = {}
    for producer in producers:
        yield _producer(platform, producer, clusters, missing)
    yield from missing.values()
    for cluster in clusters:
        yield from _cluster(cluster)
    for storage in kafka_keeping.storages(platform):
        yield _storage(platform, storage) if storage.of == BROKERS else _quorum(storage)
    for own in kafka_keeping.own_topics(platform):
        yield _own_topics(own)
    for only in brokers.only_brokers(platform):
        yield _only_broker(only)
    for topic in kafka.topics(platform):
        yield from _topic(platform, topic)
    waits = [each for each in producers if each.acks.value == "all"]
    if waits and not clusters and stated_count(platform.facts.get("kafka.min_insync_replicas")) is None:
        reason = "acks=all waits for min.insync.replicas brokers, and their number is not stated"
        yield Unsure("kafka", reason, "facts: kafka.min_insync_replicas", waits[0].acks.place)


def _producer(platform: Platform, producer: Producer, clusters: list[Cluster], missing: dict[str, Unsure]) -> Verdict:
    acks = producer.acks
    if acks.value == "all":
        return Pass(producer.subject, places(acks))
    term = input_of(producer.name, acks, "")
    survived = Quantity(
        "broker_losses_survived", 0, "brokers", "min.insync.replicas − 1 with acks=all, else 0", (term,)
    )
    quantities = (survived, *_at_risk(platform, producer, term, clusters, missing))
    if producer.idempotence is not None and str(producer.idempotence.value).lower() == "true":
        return Fail(
            producer.subject,
            f"acks={acks.value} and enable.idempotence=true exclude each other",
            "An idempotent producer needs acks=all; with both stated the client refuses to start.",
            places(acks, producer.idempotence),
            quantities,
            None,
            producer.name,
        )
    whom = "only the leader's word" if acks.value == "1" else "nobody's word"
    return Fail(
        producer.subject,
        f"acks={acks.value}: an acknowledged message survives the loss of no broker",
        f"The producer takes {whom} for it and switches implicit idempotence off.",
        places(acks),
        quantities,
        None,
        producer.name,
    )


def _at_risk(
    platform: Platform, producer: Producer, term: Input, clusters: list[Cluster], missing: dict[str, Unsure]
) -> Iterator[Quantity]:
    rate = platform.facts.number("kafka.messages_per_second")
    lag = platform.facts.number("kafka.replication_lag_ms")
    for name, stated in (("messages_per_second", rate), ("replication_lag_ms", lag)):
        if stated is None:
            dotted = f"kafka.{name}"
            reason = f"{name} is not stated, so messages_at_risk is left out"
            missing[dotted] = Unsure(producer.subject, reason, f"facts: {dotted}", producer.acks.place)
    if rate is not None and lag is not None:
        terms = (input_of("messages_per_second", rate, "1/s"), input_of("replication_lag", lag, "ms"), term)
        value = messages_at_risk(rate.value, lag.value)
        yield Quantity("messages_at_risk", value, "messages", "messages per second × replication lag", terms, (_SEED,))
        count = stated_count(platform.facts.get("kafka.brokers")) or (
            clusters[0].brokers if len(clusters) == 1 else None
        )
        if count is not None and count.value > 1:
            one = messages_at_risk(rate.value, lag.value, count.value)
            inputs = (*terms, input_of("brokers", count, "brokers"))
            yield Quantity("messages_at_risk_one_broker", one, "messages", "rate × lag ÷ brokers", inputs)
    linger = stated_number(kafka.option(platform, producer.subject, "linger.ms"))
    if rate is not None and linger is not None and linger.value > 0:
        held = unsent_messages(rate.value, linger.value)
        inputs_held = (input_of("messages_per_second", rate, "1/s"), input_of("linger", linger, "ms"))
        yield Quantity("messages_unsent_when_killed", held, "messages", "messages per second × linger.ms", inputs_held)


def _cluster(cluster: Cluster) -> Iterator[Verdict]:
    if isinstance(cluster.min_isr, Unknown):
        yield Unsure(cluster.subject, cluster.min_isr.reason, cluster.min_isr.provide, cluster.min_isr.place)
        return
    if cluster.unclean is not None and str(cluster.unclean.value).lower() == "true":
        term = input_of("unclean.leader.election.enable", cluster.unclean, "")
        yield Fail(
            cluster.subject,
            "A broker that missed messages may become leader",
            "Unclean election lets a replica that is behind take over: what it does not have is gone.",
            places(cluster.unclean),
            (Quantity("broker_losses_survived", 0, "brokers", "0 where a replica out of sync may lead", (term,)),),
            None,
            "unclean",
        )
    factor = cluster.factor if isinstance(cluster.factor, Sourced) else None
    yield _judged(cluster.subject, factor, cluster.min_isr)


def _judged(subject: str, factor: Sourced[int] | None, min_isr: Sourced[int]) -> Verdict:
    terms = tuple(
        input_of(name, stated, "replicas")
        for name, stated in (("replication_factor", factor), ("min_insync_replicas", min_isr))
        if stated is not None
    )
    # With fewer replicas than min.insync.replicas nothing is written at all; what one replica holds is lost with it.
    kept = min(min_isr.value, factor.value) if factor is not None else min_isr.value
    survived = losses_survived("all", kept)
    found = places(min_isr, factor)
    quantities: tuple[Quantity, ...] = (
        Quantity("broker_losses_survived", survived, "brokers", "min(min.insync.replicas, replicas) − 1", terms),
    )
    if factor is not None:
        writable = losses_while_writable(factor.value, min_isr.value)
        formula = "max(0, replicas − min.insync.replicas)"
        quantities += (Quantity("broker_losses_while_writable", writable, "brokers", formula, terms),)
    if survived == 0:
        return Fail(
            subject,
            "Even acks=all survives the loss of no broker",
            f"A message counts as written once {kept} replica has it.",
            found,
            quantities,
        )
    if factor is not None and losses_while_writable(factor.value, min_isr.value) == 0:
        title = f"Writing stops with the first broker: {factor.value} replicas, {min_isr.value} must be in sync"
        why = "Nothing is lost, but a restart of one broker is an outage for producers with acks=all."
        return Fail(subject, title, why, found, quantities, Severity.MEDIUM, "standstill")
    return Pass(subject, found)


def _only_broker(only: OnlyBroker) -> Verdict:
    """Compose is mostly for a developer's machine, where one broker is what everybody wants."""
    subject = only.service.id
    if not only.is_for_production:
        reason = "its project starts one broker, and whether anything but a developer's machine runs it is not said"
        return Unsure(subject, reason, "the file for production, or the brokers that serve users", only.factor.place)
    terms = (input_of("brokers", only.brokers, "brokers"), input_of("replication_factor", only.factor, "replicas"))
    quantity = Quantity("broker_losses_survived", 0, "brokers", "min(brokers, replicas) − 1", terms)
    return Fail(
        subject,
        "One broker holds the only copy of every message",
        "A second replica has nowhere to go: what its disk holds is gone with it, and while it restarts nobody writes.",
        places(only.service.resource.place(), only.factor),
        (quantity,),
        Severity.MEDIUM,
        "only broker",
    )


def _storage(platform: Platform, storage: Storage) -> Verdict:
    """A pod that is deleted is a lost disk: with replicas that others hold, what one loses can be copied again."""
    if not storage.ephemeral:
        return Pass(storage.subject, (storage.place,))
    terms = tuple(input_of("storage", each, "") for each in storage.ephemeral)
    quantities: tuple[Quantity, ...] = ()
    if storage.count is not None:
        count = input_of("brokers", storage.count, "brokers")
        quantities += (
            Quantity("brokers_with_ephemeral_storage", storage.count.value, "brokers", "replicas", (count, *terms)),
        )
    survived = 0
    cluster = brokers.cluster_named(platform, storage.cluster, storage.place.path)
    if cluster is not None and isinstance(cluster.min_isr, Sourced) and isinstance(cluster.factor, Sourced):
        survived = losses_survived("all", min(cluster.min_isr.value, cluster.factor.value))
        stated = (("replication_factor", cluster.factor), ("min_insync_replicas", cluster.min_isr))
        found = tuple(input_of(name, each, "replicas") for name, each in stated)
        formula = "min(min.insync.replicas, replicas) − 1"
        quantities += (Quantity("broker_losses_survived", survived, "brokers", formula, (*found, *terms)),)
    deleted = f"{survived + 1} pods that are deleted together" if survived else "a pod that is deleted"
    return Fail(
        storage.subject,
        f"Its brokers' storage is ephemeral: {deleted} may take acknowledged messages along",
        f"{_what(storage)} goes with its pod, and the pod goes with an eviction, a drained or lost node, or a cluster "
        "that is stopped for the night: each is a lost disk, not a restart.",
        places(*storage.ephemeral),
        quantities,
        Severity.MEDIUM if survived else None,
        "ephemeral",
    )


def _what(storage: Storage) -> str:
    return "Without a volume data is in the container, which" if storage.ephemeral[0].value == "none" else "An emptyDir"


def _quorum(storage: Storage) -> Verdict:
    """Of controllers or ZooKeeper: what a minority of them loses, the others still have."""
    if not storage.ephemeral:
        return Pass(storage.subject, (storage.place,))
    terms = tuple(input_of("storage", each, "") for each in storage.ephemeral)
    quantities: tuple[Quantity, ...] = ()
    deleted, severity = "pods that are deleted together", Severity.MEDIUM
    if storage.count is not None:
        survived = quorum_losses_survived(storage.count.value)
        deleted = f"{survived + 1} pods that are deleted together" if survived else "a pod that is deleted"
        severity = Severity.MEDIUM if survived else Severity.HIGH
        count = input_of("members", storage.count, "pods")
        formula = "(members − 1) ÷ 2, rounded down"
        quantities = (Quantity("quorum_losses_survived", survived, "pods", formula, (count, *terms)),)
    return Fail(
        storage.subject,
        f"The storage of its {storage.of} is ephemeral: {deleted} may take the metadata of the cluster along",
        "Which topics there are, and which broker has what, is kept there: without it brokers cannot use what their "
        "own disks hold. An emptyDir goes with its pod, at each eviction, drain or loss of a node.",
        places(*storage.ephemeral),
        quantities,
        severity,
        f"ephemeral {storage.of}",
    )


def _own_topics(own: OwnTopics) -> Verdict:
    single = [(name, factor) for name, factor in own.factors if factor.value <= 1]
    found = places(*(factor for _, factor in own.factors))
    if not single:
        return Pass(own.subject, found)
    names = " and ".join(name for name, _ in single)
    if not own.is_sure:
        reason = (
            f"its {own.brokers.value} brokers keep {names} once, and whether anything but a developer's machine runs "
        )
        return Unsure(own.subject, f"{reason}it is not said", "the file for production", found[0])
    terms = tuple(input_of(f"replicas_of_{name}", factor, "replicas") for name, factor in single)
    count = input_of("brokers", own.brokers, "brokers")
    quantity = Quantity("broker_losses_survived", 0, "brokers", "min(brokers, replicas) − 1", (count, *terms))
    return Fail(
        own.subject,
        f"{own.brokers.value} brokers keep Kafka's own topics once: {names}",
        "While the one broker that has it is gone, its consumer groups and transactions stand still; when its disk is "
        "lost, groups begin anew where auto.offset.reset says, and read again or skip.",
        places(*(factor for _, factor in single)),
        (quantity,),
        Severity.MEDIUM,
        "own topics",
    )


def _topic(platform: Platform, topic: Topic) -> Iterator[Verdict]:
    cluster = brokers.cluster_named(platform, topic.cluster, topic.place.path)
    factor = topic.replicas
    if factor is None and cluster is not None and isinstance(cluster.factor, Sourced):
        factor = cluster.factor
    if factor is None:
        return  # nothing is said of its replicas here, and the cluster answers for its default
    declared = stated_count(platform.facts.get("kafka.min_insync_replicas"))
    inherited = cluster.min_isr if cluster is not None and isinstance(cluster.min_isr, Sourced) else declared
    min_isr = topic.min_isr or inherited
    if factor.value <= 1:
        term = input_of("replicas", factor, "replicas")
        quantity = Quantity("broker_losses_survived", 0, "brokers", "min(min.insync.replicas, replicas) − 1", (term,))
        why = "What its only broker holds is gone or out of reach with it, whatever producers ask for."
        yield Fail(topic.subject, f"{topic.name} has one replica", why, places(factor), (quantity,))
    elif min_isr is None:
        reason = f"{topic.name} has {factor.value} replicas; how many must be in sync is not stated"
        yield Unsure(
            topic.subject, reason, "facts: kafka.min_insync_replicas, or min.insync.replicas of the topic", topic.place
        )
    elif topic.min_isr is not None or topic.replicas is not None:
        yield _judged(topic.subject, factor, min_isr)

"""1.1: members of a consumer group against the partitions they share."""

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from findings.checks.base import Fail, Meta, Pass, Unsure, Verdict
from findings.checks.words import counted
from findings.platform import brokers, kafka, kafka_users
from findings.platform.kafka import Consumer, Topic
from findings.platform.model import Call, Platform, places
from findings.platform.nodes import items
from findings.platform.units import stated_count, stated_number
from findings.vocabulary import Category, Outcome, Severity
from platform_risk.quantities.sourced import Input, Place, Quantity, Source, Sourced, Unknown, input_of

META = Meta(
    id="kafka-consumers",
    seed="1.1",
    title="Consumers and partitions do not match",
    severity=Severity.MEDIUM,
    category=Category.ARCHITECTURE,
    outcome=Outcome.CASCADE,
    means="A consumer group has more members than its topic has partitions, or a number that does not share them out "
    "evenly, or only one; or what it has fetched waits in a queue without a bound; or a quota lets less through than "
    "arrives.",
    why="A partition is read by one member of a group. Members beyond the partitions do nothing but cost money and "
    "take part in every rebalance; with an uneven share the busiest member sets the pace of all. Every partition is "
    "assigned, so none starves, unless each worker is pinned to one.",
    not_a_problem="The load is far below what one member can take, or idle members are kept as a reserve on purpose.",
    remedy="Choose partitions as a multiple of the largest number of members and cap the autoscaler there; use "
    "cooperative assignment with static membership, and bound every queue between fetching and working.",
    patch="""env:
  - {name: KAFKA_CONSUMER_THREADS, value: "4"}            # 3 pods × 4 = 12 partitions
  - {name: KAFKA_PARTITION_ASSIGNMENT_STRATEGY,
     value: org.apache.kafka.clients.consumer.CooperativeStickyAssignor}""",
    analysis="It says that 5 of 12 partitions (42 %) have no reader with 7 workers. That holds only where each "
    "worker is pinned to one partition: a group assigns all twelve, so five members read 2 and two read "
    "1, and the busiest has 1.17 times its fair share.",
    remedies=("worker-partition-alignment",),
    references=(
        "https://kafka.apache.org/documentation/#consumerconfigs",
        "https://keda.sh/docs/latest/scalers/apache-kafka/",
        "https://docs.python.org/3/library/queue.html",
    ),
)

_IMBALANCE = 1.1  # of the fair share: below it the busiest member is hardly busier than the others
_SEED = "Partitions without a member of their own are not left unread: the group assigns all of them."
_QUEUES = ("Queue", "SimpleQueue", "LifoQueue", "PriorityQueue", "deque")
_HOLDS = re.compile(r"queue|buffer|backlog|inbox|fetched|messages|records|batch", re.IGNORECASE)  # what is fetched
_CLIENTS = ("KafkaConsumer", "AIOKafkaConsumer", "DeserializingConsumer", "AvroConsumer")


def idle_members(partitions: int, members: int) -> int:
    """Members without a partition: max(0, M − P). Source: Kafka, a partition goes to one member of a group."""
    return max(0, members - partitions)


def busiest(partitions: int, members: int) -> int:
    """Partitions on the member that has most: ceil(P ÷ M)."""
    return math.ceil(partitions / members) if members else 0


def imbalance(partitions: int, members: int) -> float:
    """How many times its fair share the busiest member has: ceil(P ÷ M) ÷ (P ÷ M)."""
    return busiest(partitions, members) * members / partitions if partitions else 0.0


def parallelism(partitions: int, members: int) -> float:
    """Members' worth of work that is done at saturation, when the busiest sets the pace: P ÷ ceil(P ÷ M)."""
    each = busiest(partitions, members)
    return partitions / each if each else 0.0


def unserved_partitions(partitions: int, workers: int) -> int:
    """Partitions nobody reads when each worker is pinned to one: max(0, P − W)."""
    return max(0, partitions - workers)


def range_assignment(partitions: Sequence[int], members: int) -> list[int]:
    """Partitions per member over several topics under the range assignor, which gives the first members of every
    topic's list its remainder. Source: Kafka, RangeAssignor."""
    return [sum(count // members + (number < count % members) for count in partitions) for number in range(members)]


def busiest_under_range(partitions: Sequence[int], members: int) -> int:
    """Partitions on the first member, which gets the remainder of every topic: sum(ceil(P ÷ M))."""
    return sum(busiest(count, members) for count in partitions)


def rebalances_per_rollout(pods: int, *, is_static: bool) -> int:
    """Rebalances when every pod is replaced once: each leaves and each joins; none under static membership.

    Source: Kafka, consumer configuration group.instance.id.
    """
    return 0 if is_static else 2 * pods


def poll_budget_ms(interval_ms: float, records: int) -> float:
    """Milliseconds that a record may take before its member is thrown out: max.poll.interval.ms ÷ max.poll.records."""
    return interval_ms / records


def quota_bytes_per_second(rate: float, brokers: int, partitions: int) -> float:
    """What a user's clients may fetch from all brokers: rate × brokers that lead a partition of what they read.

    Source: Kafka, quotas: they hold for each broker and for all clients of a user together.
    """
    return rate * min(brokers, partitions)


@dataclass(frozen=True)
class Group:
    """A consumer with the topics it reads and its members at the most."""

    consumer: Consumer
    topics: tuple[Topic, ...]
    partitions: tuple[Sourced[int], ...]
    pods: Sourced[int]
    pinned: Sourced[str] | None

    @property
    def members(self) -> int:
        return self.pods.value * self.consumer.threads.value

    @property
    def total(self) -> int:
        return sum(each.value for each in self.partitions)

    @property
    def terms(self) -> tuple[Input, ...]:
        return (
            *(
                input_of(f"partitions_{topic.name}" if len(self.topics) > 1 else "partitions", count, "partitions")
                for topic, count in zip(self.topics, self.partitions, strict=True)
            ),
            input_of("pods", self.pods, "pods"),
            input_of("threads_per_pod", self.consumer.threads, "members per pod"),
        )


def run(platform: Platform) -> Iterator[Verdict]:
    known = kafka.topics(platform)
    found = kafka.consumers(platform)
    for consumer in found:
        group = _group(platform, consumer, known)
        if isinstance(group, Unknown):
            yield Unsure(consumer.subject, group.reason, group.provide, group.place)
            continue
        yield _judged(platform, group)
        yield from _throttled(platform, group)
    yield from _unread(platform, found, known)
    yield from _queues(platform)


def _group(platform: Platform, consumer: Consumer, known: Sequence[Topic]) -> Group | Unknown:
    if isinstance(consumer.pods, Unknown):
        return consumer.pods
    names = consumer.topics or (tuple({each.name for each in known}) if len({each.name for each in known}) == 1 else ())
    if not names:
        asked = kafka.unstated_partitions("", consumer.place)
        members = consumer.pods.value * consumer.threads.value
        return Unknown(f"{members} members, but {asked.reason}", asked.provide, asked.place)
    topics: list[Topic] = []
    partitions: list[Sourced[int]] = []
    for name in names:
        topic = kafka.topic_named(platform, name, consumer.place.path)
        if topic is None:
            made = brokers.self_made(platform, consumer.place.path, are_declared=bool(known))
            if made is None:
                return kafka.unstated_partitions(name, consumer.place)
            topic = Topic(name, f"topic {name}", made, made.place)
        if isinstance(topic.partitions, Unknown):
            return topic.partitions
        topics.append(topic)
        partitions.append(topic.partitions)
    pinned = _pinned(platform, consumer)
    return Group(consumer, tuple(topics), tuple(partitions), _capped(consumer, partitions), pinned)


def _capped(consumer: Consumer, partitions: list[Sourced[int]]) -> Sourced[int]:
    """KEDA's kafka trigger that names no topic stops at one pod per partition of all that the group reads, unless idle
    consumers are allowed or another trigger asks too. For one with a topic the autoscaler's maximum says so already."""
    assert isinstance(consumer.pods, Sourced)
    trigger, scaler = consumer.trigger, consumer.scaler
    if trigger is None or scaler is None or trigger.get("topic") or len(items(scaler.node, "triggers")) > 1:
        return consumer.pods
    most = sum(each.value for each in partitions)
    if consumer.pods.value <= most or str(trigger.get("allowIdleConsumers")).lower() == "true":
        return consumer.pods
    return Sourced(most, Source.PROVIDER_DEFAULT, consumer.pods.place, "KEDA: no more pods than partitions")


def _pinned(platform: Platform, consumer: Consumer) -> Sourced[str] | None:
    stated = platform.facts.get(f"kafka.consumers.{consumer.name}.assignment") or kafka.option(
        platform, consumer.subject, "partition.assignment", "consumer.assignment"
    )
    is_pinned = stated is not None and str(stated.value).lower() in ("pinned", "manual", "static")
    return stated if is_pinned else None


def _judged(platform: Platform, group: Group) -> Verdict:
    consumer, members, total = group.consumer, group.members, group.total
    found = places(consumer.threads, group.pods, *group.partitions)
    if _is_started_by_hand(consumer):
        reason = f"compose starts one container of it unless --scale says otherwise; {total} partitions are to be read"
        return Unsure(consumer.subject, reason, f"facts: services.{consumer.name}.max_pods", consumer.place)
    if members <= 0 or total <= 0:
        return Pass(consumer.subject, found)
    if group.pinned is not None and unserved_partitions(total, members):
        return _unserved(group, found)
    counts = [each.value for each in group.partitions]
    most = busiest_under_range(counts, members)
    idle = idle_members(max(counts), members)
    ratio = most * members / total
    topics = ", ".join(topic.name for topic in group.topics)
    if idle:
        title = f"{idle} of {members} members have no partition of {topics} to read"
        why = f"{topics} has {total} partitions and the group grows to {members} members."
        return _failed(platform, group, most, title, why, found, None)
    if members == 1 and total > 1:
        title = f"One member reads all {total} partitions of {topics}"
        why = f"{topics} could be read by {total} members at once; there is one, with no other to take over."
        return _failed(platform, group, most, title, why, found, Severity.LOW)
    if ratio > _IMBALANCE:
        title = f"The busiest of {members} members reads {most} partitions, {ratio:.2f} times its share"
        why = f"{total} partitions of {topics} do not divide by {members} members."
        return _failed(platform, group, most, title, why, found, Severity.LOW)
    return Pass(consumer.subject, found)


def _is_started_by_hand(consumer: Consumer) -> bool:
    """A service of docker-compose that states no replicas: how many run is said by whoever starts it."""
    is_untold = isinstance(consumer.pods, Sourced) and consumer.pods.source is Source.PROVIDER_DEFAULT
    return is_untold and consumer.workload is not None and consumer.workload.is_compose


def _failed(
    platform: Platform,
    group: Group,
    most: int,
    title: str,
    why: str,
    found: tuple[Place, ...],
    severity: Severity | None,
) -> Fail:
    terms, members, total = group.terms, group.members, group.total
    idle = idle_members(max(each.value for each in group.partitions), members)
    quantities = (
        Quantity("idle_members", idle, "members", "max(0, pods × threads − partitions)",
                 terms),
        Quantity("partitions_on_busiest_member", most, "partitions", "ceil(partitions ÷ (pods × threads))",
                 terms, (_SEED,) if members < total else ()),
        Quantity("imbalance_ratio", max(most * members / total, 1.0) if members <= total else 1.0,
                 "× fair share", "ceil(P ÷ M) ÷ (P ÷ M); 1 when every member has one or none", terms),
        Quantity("effective_parallelism", total / most, "members", "partitions ÷ those of the busiest", terms),
        *_rhythm(platform, group),
    )  # fmt: skip
    return Fail(group.consumer.subject, title, why, found, quantities, severity, "partitions")


def _rhythm(platform: Platform, group: Group) -> Iterator[Quantity]:
    """What a rollout and a slow record do to the group."""
    scope, place = group.consumer.subject, group.consumer.place
    static = kafka.option(platform, scope, "group.instance.id")
    pods = input_of("pods", group.pods, "pods")
    inputs = (pods, input_of("group_instance_id", static, "")) if static is not None else (pods,)
    note = () if static is not None else ("group.instance.id is not stated: every pod joins as a new member.",)
    value = rebalances_per_rollout(group.pods.value, is_static=static is not None)
    yield Quantity("rebalances_per_rollout", value, "rebalances", "2 × pods; 0 with group.instance.id", inputs, note)
    interval = stated_number(kafka.option(platform, scope, "max.poll.interval.ms")) or Sourced(
        300_000, Source.PROVIDER_DEFAULT, place, "Kafka: max.poll.interval.ms defaults to 300000"
    )
    records = stated_count(kafka.option(platform, scope, "max.poll.records")) or Sourced(
        500, Source.PROVIDER_DEFAULT, place, "Kafka: max.poll.records defaults to 500"
    )
    if records.value:
        terms = (input_of("max_poll_interval", interval, "ms"), input_of("max_poll_records", records, "records"))
        budget = poll_budget_ms(interval.value, records.value)
        formula = "max.poll.interval.ms ÷ max.poll.records"
        yield Quantity("poll_budget_ms_per_record", budget, "ms", formula, terms)


def _throttled(platform: Platform, group: Group) -> Iterator[Verdict]:
    """A quota of the user it signs in as, against what arrives in its topics."""
    quota = kafka_users.quota_of(platform, group.consumer)
    if quota is None:
        return
    subject, place = group.consumer.subject, quota.rate.place
    if quota.brokers is None:
        reason = f"the quota of {quota.user} holds for each broker, and how many there are is not stated"
        yield Unsure(subject, reason, "facts: kafka.brokers", place)
        return
    arriving: list[Input] = []
    for topic in group.topics:
        stated = platform.facts.number(f"kafka.topics.{topic.name}.bytes_per_second")
        if stated is None:
            reason = f"{quota.user} has a quota; how much arrives in {topic.name} is not stated"
            yield Unsure(subject, reason, f"facts: kafka.topics.{topic.name}.bytes_per_second", place)
            return
        arriving.append(input_of(f"arriving_{topic.name}", stated, "bytes/s"))
    most = quota_bytes_per_second(quota.rate.value, quota.brokers.value, group.total)
    coming = sum(each.value for each in arriving)
    if coming <= most:
        yield Pass(subject, (place,))
        return
    terms = (
        input_of("consumer_byte_rate", quota.rate, "bytes/s from each broker"),
        input_of("brokers", quota.brokers, "brokers"),
        *group.terms,
    )
    yield Fail(
        subject,
        f"Its quota lets {most:,.0f} bytes a second through, and {coming:,.0f} arrive",
        f"Brokers slow down all clients of {quota.user} together, so more members do not help: the lag grows for as "
        "long as that much arrives.",
        places(quota.rate, group.consumer.place),
        (
            Quantity("quota_bytes_per_second", most, "bytes/s", "consumerByteRate × min(brokers, partitions)", terms),
            Quantity("backlog_bytes_per_hour", (coming - most) * 3600, "bytes",
                     "(arriving − quota) × 3600", (*arriving, *terms)),
        ),
        None,
        "quota",
    )  # fmt: skip


def _unserved(group: Group, found: tuple[Place, ...]) -> Fail:
    assert group.pinned is not None
    members, total = group.members, group.total
    unserved = unserved_partitions(total, members)
    terms = (*group.terms, input_of("assignment", group.pinned, ""))
    return Fail(
        group.consumer.subject,
        f"{unserved} of {total} partitions are read by nobody",
        f"{'Each of ' if members > 1 else ''}{counted(members, 'workers')} is pinned to one partition, and nothing "
        "assigns the others.",
        found,
        (
            Quantity("unserved_partitions", unserved, "partitions", "max(0, partitions − pods × threads)", terms),
            Quantity("unserved_percent", unserved / total * 100, "%", "unserved ÷ partitions", terms),
        ),
        Severity.HIGH,
        "pinned",
    )


def _unread(platform: Platform, found: list[Consumer], known: Sequence[Topic]) -> Iterator[Verdict]:
    """Topics that a workload names without saying how many partitions there are, or who reads them."""
    read = {name for consumer in found for name in consumer.topics} | {topic.name for topic in known}
    for setting in platform.settings:
        if not setting.name.endswith(("kafka_topic", "kafka_topic_name")):
            continue
        name = setting.value.value
        if isinstance(name, str) and name and name not in read:
            read.add(name)
            asked = kafka.unstated_partitions(name, setting.value.place)
            yield Unsure(f"topic {name}", f"{asked.reason}, nor who reads it", asked.provide, asked.place)


def _queues(platform: Platform) -> Iterator[Verdict]:
    """Queues without a bound where something consumes from Kafka: in its class, or in its file and no other class. A
    deque may hold anything, so its name has to say that it holds what is fetched."""
    consuming: dict[str, set[str]] = {}
    for call in platform.calls_of(*_CLIENTS):
        consuming.setdefault(call.place.path, set()).add(call.owner)
    for call in platform.calls_of(*_QUEUES):
        owners = consuming.get(call.place.path, set())
        is_deque = call.name.rpartition(".")[2] == "deque"
        if owners and (not call.owner or owners & {"", call.owner}) and (not is_deque or _HOLDS.search(call.target)):
            yield _queue(call)


def _queue(call: Call) -> Verdict:
    last = call.name.rpartition(".")[2]
    bound = ("1", "maxlen") if last == "deque" else ("0", "maxsize")
    given = next((call.arguments[name] for name in bound if name in call.arguments), None)
    if any(name in call.computed for name in (*bound, "**")):
        return Unsure(call.place.path, "the bound of its queue is computed", "a literal maxsize", call.place)
    size = stated_count(given)
    if size is not None and size.value > 0:
        return Pass(call.place.path, (call.place,))
    note = f"{last} without {bound[1]} has no bound" if given is None else "0 is no bound"
    source = Source.PROVIDER_DEFAULT if given is None else Source.FILE
    term = Input(bound[1], 0, "items", source, call.place.path, call.place.line, note)
    return Fail(
        call.place.path,
        "What is fetched waits in a queue without a bound",
        "When the work behind it slows down, the queue grows until the process is killed, and its partitions move to "
        "the next member, which has the same queue.",
        (call.place,),
        (Quantity("buffer_bytes", None, "bytes", "maxsize × size of an item; no maxsize is no bound", (term,)),),
        None,
        f"queue {last}",
    )

"""Members of a consumer group against the partitions they share."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from findings.checks import kafka_consumers
from tests.examples import examples
from tests.findings.checks import reading

TOPIC = """
apiVersion: kafka.strimzi.io/v1
kind: KafkaTopic
metadata: {{name: {name}}}
spec: {{partitions: {partitions}, replicas: 3}}
"""
CONSUMER = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: collector}
spec:
  replicas: 7
  template:
    spec:
      containers:
        - name: collector
          image: registry.example/collector:1
          env:
            - {name: KAFKA_TOPICS, value: "orders,payments"}
            - {name: KAFKA_GROUP_ID, value: collector}
"""


def test_pinned_workers_leave_five_of_twelve_partitions_unread() -> None:
    assert kafka_consumers.unserved_partitions(12, 7) == 5
    assert kafka_consumers.unserved_partitions(12, 7) / 12 * 100 == pytest.approx(41.6667, rel=1e-5)


def test_a_group_assigns_every_partition() -> None:
    assert kafka_consumers.busiest(12, 7) == 2
    assert kafka_consumers.imbalance(12, 7) == pytest.approx(1.1667, rel=1e-4)
    assert kafka_consumers.parallelism(12, 7) == 6.0


def test_the_range_assignor_stacks_the_remainders_of_two_topics() -> None:
    assert kafka_consumers.range_assignment([12, 6], 7) == [3, 3, 3, 3, 3, 2, 1]


@pytest.mark.parametrize(("pods", "each", "idle"), [(50, 1, 38), (50, 7, 338)])
def test_members_beyond_the_partitions_are_idle(pods: int, each: int, idle: int) -> None:
    assert kafka_consumers.idle_members(12, pods * each) == idle


def test_of_350_members_on_12_partitions_nearly_all_are_idle() -> None:
    assert kafka_consumers.idle_members(12, 350) / 350 * 100 == pytest.approx(96.6, abs=0.05)


def test_two_topics_of_one_group_are_judged_together() -> None:
    (fail,) = reading.fails(
        "kafka-consumers",
        a_yaml=TOPIC.format(name="orders", partitions=12),
        b_yaml=TOPIC.format(name="payments", partitions=6),
        c_yaml=CONSUMER,
    )
    figures = reading.figures(fail)
    assert figures["partitions_on_busiest_member"] == 3
    assert figures["idle_members"] == 0


def test_static_members_do_not_rebalance_when_they_are_replaced() -> None:
    assert kafka_consumers.rebalances_per_rollout(5, is_static=True) == 0
    assert kafka_consumers.rebalances_per_rollout(5, is_static=False) == 10


def test_without_settings_a_record_has_600_milliseconds() -> None:
    assert kafka_consumers.poll_budget_ms(300_000, 500) == 600


def test_a_worker_pool_that_has_nothing_to_do_with_kafka_is_not_looked_at() -> None:
    outcome = reading.outcome("kafka-consumers", loader_py="num_workers: int = 4\nloader = DataLoader(num_workers=4)\n")
    assert (outcome.found, outcome.tallies[0].unsure, outcome.tallies[0].passed) == ((), [], 0)


def test_a_queue_in_a_file_without_kafka_is_not_looked_at() -> None:
    assert reading.fails("kafka-consumers", jobs_py="from queue import Queue\nq = Queue()\n") == []


@given(st.integers(1, 300), st.integers(1, 300))
@settings(max_examples=examples(200), deadline=None)
def test_every_partition_is_assigned_and_idle_members_are_those_without(partitions: int, members: int) -> None:
    shares = kafka_consumers.range_assignment([partitions], members)
    assert sum(shares) == partitions
    assert max(shares) == kafka_consumers.busiest(partitions, members)
    assert shares.count(0) == kafka_consumers.idle_members(partitions, members)


@given(st.lists(st.integers(1, 60), min_size=1, max_size=4), st.integers(1, 80))
@settings(max_examples=examples(200), deadline=None)
def test_of_several_topics_the_first_member_has_most(partitions: list[int], members: int) -> None:
    shares = kafka_consumers.range_assignment(partitions, members)
    assert max(shares) == shares[0] == kafka_consumers.busiest_under_range(partitions, members)
    assert shares.count(0) == kafka_consumers.idle_members(max(partitions), members)


@given(st.integers(1, 300), st.integers(1, 300))
@settings(max_examples=examples(200), deadline=None)
def test_one_more_member_never_makes_the_busiest_busier(partitions: int, members: int) -> None:
    assert kafka_consumers.busiest(partitions, members + 1) <= kafka_consumers.busiest(partitions, members)
    assert kafka_consumers.idle_members(partitions, members + 1) >= kafka_consumers.idle_members(partitions, members)


def group(pods: int, *partitions: int, env: str = "", threads: int = 1) -> dict[str, str]:
    names = [f"topic-{number}" for number in range(len(partitions))]
    topics = "---".join(
        TOPIC.format(name=name, partitions=count) for name, count in zip(names, partitions, strict=True)
    )
    text = CONSUMER.replace("replicas: 7", f"replicas: {pods}").replace("orders,payments", ",".join(names))
    text += f'            - {{name: KAFKA_CONSUMER_THREADS, value: "{threads}"}}\n{env}'
    return {"a_yaml": topics, "b_yaml": text}


@pytest.mark.parametrize(
    ("files", "severity", "title"),
    [
        (group(12, 12), "", ""),
        (group(13, 12), "medium", "1 of 13 members have no partition of topic-0 to read"),
        (group(4, 12, threads=4), "medium", "4 of 16 members have no partition of topic-0 to read"),
        (group(1, 2), "low", "One member reads all 2 partitions of topic-0"),
        (group(1, 1), "", ""),
        (group(0, 12), "", ""),
        (group(10, 99), "", ""),  # 10 of 9.9: hardly busier than the others
        (group(10, 100), "", ""),
        (group(10, 91), "", ""),  # 10 of 9.1 is 1.099 times
        (group(10, 81), "low", "The busiest of 10 members reads 9 partitions, 1.11 times its share"),
        (group(7, 12, 6), "low", "The busiest of 7 members reads 3 partitions, 1.17 times its share"),
        (group(12, 12, 6), "low", "The busiest of 12 members reads 2 partitions, 1.33 times its share"),
        (group(13, 12, 6), "medium", "1 of 13 members have no partition of topic-0, topic-1 to read"),
    ],
)
def test_members_and_partitions_match_or_do_not(files: dict[str, str], severity: str, title: str) -> None:
    outcome = reading.outcome("kafka-consumers", **files)
    assert [(str(each.severity), each.fail.title) for each in outcome.found] == (
        [(severity, title)] if severity else []
    )
    assert outcome.tallies[0].passed == (not severity)


def test_the_share_of_the_busiest_is_fair_where_every_member_has_one_or_none() -> None:
    (fail,) = reading.fails("kafka-consumers", **group(13, 12))
    figures = reading.figures(fail)
    assert (figures["imbalance_ratio"], figures["partitions_on_busiest_member"], figures["effective_parallelism"]) == (
        1, 1, 12,
    )  # fmt: skip
    assert fail.quantities[1].assumptions == ()
    (uneven,) = reading.fails("kafka-consumers", **group(7, 12))
    assert "the group assigns all of them" in uneven.quantities[1].assumptions[0]


def test_inputs_name_their_topic_where_there_are_several() -> None:
    (one,) = reading.fails("kafka-consumers", **group(7, 12))
    (two,) = reading.fails("kafka-consumers", **group(7, 12, 6))
    assert [each.name for each in one.quantities[0].inputs] == ["partitions", "pods", "threads_per_pod"]
    assert [each.name for each in two.quantities[0].inputs][:2] == ["partitions_topic-0", "partitions_topic-1"]


SETTING = '            - {{name: {}, value: "{}"}}\n'


def test_what_a_rollout_and_a_slow_record_do_follows_the_settings_and_else_the_defaults() -> None:
    (plain,) = reading.fails("kafka-consumers", **group(7, 12))
    assert (reading.figures(plain)["rebalances_per_rollout"], reading.figures(plain)["poll_budget_ms_per_record"]) == (
        14, 600,
    )  # fmt: skip
    by_name = {each.name: each for each in plain.quantities}
    budget = [(each.value, each.source) for each in by_name["poll_budget_ms_per_record"].inputs]
    assert budget == [(300_000, "provider_default"), (500, "provider_default")]
    assert by_name["rebalances_per_rollout"].assumptions
    env = "".join(SETTING.format(*each) for each in (
        ("KAFKA_GROUP_INSTANCE_ID", "$(HOSTNAME)"), ("KAFKA_MAX_POLL_INTERVAL_MS", 60_000),
        ("KAFKA_MAX_POLL_RECORDS", 100)))  # fmt: skip
    (told,) = reading.fails("kafka-consumers", **group(7, 12, env=env))
    assert (reading.figures(told)["rebalances_per_rollout"], reading.figures(told)["poll_budget_ms_per_record"]) == (
        0, 600,
    )  # fmt: skip
    by_name = {each.name: each for each in told.quantities}
    assert [each.source for each in by_name["poll_budget_ms_per_record"].inputs] == ["file", "file"]
    assert [each.name for each in by_name["rebalances_per_rollout"].inputs] == ["pods", "group_instance_id"]
    assert by_name["rebalances_per_rollout"].assumptions == ()


SCALED = """apiVersion: keda.sh/v1alpha1
kind: ScaledObject
metadata: {name: collector}
spec:
  scaleTargetRef: {name: collector}
  maxReplicaCount: 50
  triggers:
    - type: kafka
      metadata: {bootstrapServers: "kafka:9092", consumerGroup: collector, lagThreshold: "100"MORE}
"""
BY_USE = "    - {type: cpu, metricType: Utilization, metadata: {value: '60'}}\n"


@pytest.mark.parametrize(
    ("partitions", "more", "pods"),
    [
        ((12, 6), ", topic: topic-0", 12),  # of the topic that it scales by
        ((12, 6), ", topic: topic-1", 6),
        ((12, 6), "", 18),
        ((12, 6), ", allowIdleConsumers: 'true'", 50),
        ((12, 38), "", 50),
        ((12,), ", topic: topic-0, allowIdleConsumers: 'true'", 50),
        ((12,), ", topic: topic-0, allowIdleConsumers: 'false'", 12),
        ((60,), ", topic: topic-0", 50),
    ],
)
def test_keda_stops_at_one_pod_per_partition_of_what_it_scales_by(
    partitions: tuple[int, ...], more: str, pods: int
) -> None:
    files = group(3, *partitions, threads=2)
    scaled = SCALED.replace("MORE", more)
    (fail,) = reading.fails("kafka-consumers", **files, c_yaml=scaled)
    (told,) = [each for each in fail.quantities[0].inputs if each.name == "pods"]
    assert (told.value, told.source) == (pods, "file" if pods == 50 else "provider_default")
    # Another trigger may ask for more pods than there are partitions.
    (fail,) = reading.fails("kafka-consumers", **files, c_yaml=scaled + BY_USE)
    assert [each.value for each in fail.quantities[0].inputs if each.name == "pods"] == [50]


@pytest.mark.parametrize(
    ("assignment", "is_pinned"), [("pinned", True), ("manual", True), ("static", True), ("range", False)]
)
def test_who_pins_its_workers_leaves_partitions_unread(assignment: str, is_pinned: bool) -> None:
    facts = f"kafka: {{consumers: {{collector: {{assignment: {assignment}}}}}}}"
    outcome = reading.outcome("kafka-consumers", **group(7, 12), facts=facts)
    assert ["unserved_partitions" in reading.figures(each.fail) for each in outcome.found] == [is_pinned]
    assert [str(each.severity) for each in outcome.found] == ["high" if is_pinned else "low"]
    assert reading.fails("kafka-consumers", **group(12, 12), facts=facts) == []


def test_a_topic_without_partitions_and_without_a_reader_is_asked_for_once() -> None:
    app = "kafka_topic: {}\n"
    asked = reading.unsure(
        "kafka-consumers", a_yaml=app.format("orders"), b_yaml=app.format("orders"), c_yaml=app.format("7")
    )
    assert [(each.subject, each.provide) for each in asked] == [
        ("topic orders", "facts: kafka.topics.orders.partitions")
    ]
    known = "kafka: {topics: {orders: {partitions: 3}}}"
    assert reading.unsure("kafka-consumers", a_yaml=app.format("orders"), facts=known) == []


QUEUE = """from collections import deque
from queue import Queue
from kafka import KafkaConsumer
KafkaConsumer("a")
fetched = {}
"""


@pytest.mark.parametrize(
    ("call", "verdict"),
    [
        ("Queue()", "provider_default"), ("Queue(0)", "file"), ("Queue(maxsize=0)", "file"), ("Queue(-1)", "file"),
        ("Queue(1)", "passes"), ("Queue(maxsize=100)", "passes"), ("Queue(maxsize=size)", "unknown"),
        ("deque()", "provider_default"), ("deque([], 5)", "passes"), ("deque(maxlen=5)", "passes"),
        ("deque([], maxlen=n)", "unknown"), ("Queue(**options)", "unknown"),
    ],
)  # fmt: skip
def test_a_queue_is_bounded_by_what_its_call_says(call: str, verdict: str) -> None:
    outcome = reading.outcome("kafka-consumers", app_py=QUEUE.format(call))
    (tally,) = outcome.tallies
    asked = [each for each in tally.unsure if "queue" in each.reason]
    assert (len(outcome.found), tally.passed, len(asked)) == (
        int(verdict not in ("passes", "unknown")), int(verdict == "passes"), int(verdict == "unknown"),
    )  # fmt: skip
    for found in outcome.found:
        (quantity,) = found.fail.quantities
        assert (quantity.value, quantity.inputs[0].value, quantity.inputs[0].source) == (None, 0, verdict)


QUOTA = """---
apiVersion: kafka.strimzi.io/v1
kind: KafkaUser
metadata: {name: collector, labels: {strimzi.io/cluster: events}}
spec: {authentication: {type: scram-sha-512}, quotas: {consumerByteRate: 1000}}
"""
CLUSTER = """---
apiVersion: kafka.strimzi.io/v1
kind: Kafka
metadata: {name: events}
spec: {kafka: {replicas: 3}}
"""
PASSWORD = "            - {name: KAFKA_PASSWORD, valueFrom: {secretKeyRef: {name: collector, key: password}}}\n"


@pytest.mark.parametrize(
    ("cluster", "facts", "backlog", "asked"),
    [
        (CLUSTER, "kafka: {topics: {topic-0: {bytes_per_second: 3000}}}", None, []),
        (CLUSTER, "kafka: {topics: {topic-0: {bytes_per_second: 3001}}}", 3600, []),
        (CLUSTER, "", None, ["facts: kafka.topics.topic-0.bytes_per_second"]),
        ("", "kafka: {topics: {topic-0: {bytes_per_second: 3001}}}", None, ["facts: kafka.brokers"]),
        ("", "kafka: {brokers: 2, topics: {topic-0: {bytes_per_second: 3000}}}", 1000 * 3600, []),
    ],
)
def test_a_quota_of_each_broker_is_held_against_what_arrives(
    cluster: str, facts: str, backlog: int | None, asked: list[str]
) -> None:
    outcome = reading.outcome("kafka-consumers", **group(12, 12, env=PASSWORD), c_yaml=cluster + QUOTA, facts=facts)
    told = [reading.figures(each.fail)["backlog_bytes_per_hour"] for each in outcome.found]
    assert told == ([] if backlog is None else [backlog])
    assert [each.provide for each in outcome.tallies[0].unsure] == asked
    assert outcome.tallies[0].passed == (2 if backlog is None and not asked else 1)


@pytest.mark.parametrize(("workers", "why"), [(1, "1 worker is pinned"), (7, "Each of 7 workers is pinned")])
def test_who_is_pinned_is_said(workers: int, why: str) -> None:
    facts = "kafka: {consumers: {collector: {assignment: pinned}}}"
    (fail,) = reading.fails("kafka-consumers", **group(workers, 12), facts=facts)
    assert fail.why.startswith(why)

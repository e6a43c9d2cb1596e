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

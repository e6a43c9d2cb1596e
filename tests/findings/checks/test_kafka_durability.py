"""What is gone when a broker fails."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from findings.checks import engine, kafka_durability
from findings.checks.base import Fail
from findings.vocabulary import Severity
from tests.examples import examples
from tests.findings.checks import reading


def test_350_messages_are_not_replicated_yet_when_a_leader_fails() -> None:
    assert kafka_durability.messages_at_risk(7000, 50) == 350.0


def test_one_of_three_brokers_leads_a_third_of_them() -> None:
    assert kafka_durability.messages_at_risk(7000, 50, 3) == pytest.approx(116.6667, rel=1e-6)


def test_ten_failures_a_day_lose_3500_messages() -> None:
    assert 10 * kafka_durability.messages_at_risk(7000, 50) == 3500


def test_a_producer_killed_without_a_flush_loses_what_lingers() -> None:
    assert kafka_durability.unsent_messages(7000, 100) == 700.0


def test_a_consumer_that_crashes_before_its_commit_repeats_its_batch_at_most() -> None:
    assert kafka_durability.duplicates(1000) == 1000


@pytest.mark.parametrize(
    ("acks", "factor", "min_isr", "safe"),
    [("all", 3, 1, 0), ("all", 3, 2, 1), ("1", 3, 2, 0), ("0", 3, 2, 0), ("all", 3, 3, 0), ("all", 5, 3, 2)],
)
def test_losses_survived_while_still_writable(acks: str, factor: int, min_isr: int, safe: int) -> None:
    assert kafka_durability.safe_losses(acks, factor, min_isr) == safe


def test_acks_all_is_not_enough_with_one_replica_in_sync() -> None:
    assert kafka_durability.losses_survived("all", 1) == 0


def test_the_analysis_is_put_right_beside_its_figure() -> None:
    (fail,) = reading.fails(
        "kafka-durability",
        values_yaml='KAFKA_PRODUCER_ACKS: "1"\n',
        facts="kafka: {messages_per_second: 7000, replication_lag_ms: 50}",
    )
    risk = next(each for each in fail.quantities if each.name == "messages_at_risk")
    assert risk.value == 350.0
    assert "not per restart of a pod" in risk.assumptions[0]


def test_what_is_missing_for_the_messages_at_risk_is_asked_for_once() -> None:
    asked = reading.unsure(
        "kafka-durability", a_yaml='KAFKA_PRODUCER_ACKS: "1"\nKAFKA_DLQ_ACKS: 1\n', b_yaml="producer: {acks: 0}\n"
    )
    assert [each.provide for each in asked] == ["facts: kafka.messages_per_second", "facts: kafka.replication_lag_ms"]


def test_the_producer_of_a_dead_letter_queue_is_a_finding_of_its_own() -> None:
    fails = reading.fails("kafka-durability", a_yaml='KAFKA_PRODUCER_ACKS: "1"\nKAFKA_DLQ_ACKS: 1\n')
    assert [each.detail for each in fails] == ["kafka_producer_acks", "kafka_dlq_acks"]


def test_a_producer_that_waits_for_all_is_no_failure() -> None:
    outcome = reading.outcome("kafka-durability", a_yaml="acks: all\n", facts="kafka: {min_insync_replicas: 2}")
    assert (outcome.found, outcome.tallies[0].passed, outcome.tallies[0].unsure) == ((), 1, [])


@given(st.integers(1, 9), st.integers(1, 9), st.integers(1, 5))
@settings(max_examples=examples(200), deadline=None)
def test_larger_replication_never_survives_less(factor: int, min_isr: int, more: int) -> None:
    assert kafka_durability.safe_losses("all", factor + more, min_isr) >= kafka_durability.safe_losses(
        "all", factor, min_isr
    )


@given(st.floats(0, 1e6), st.floats(0, 1e5), st.integers(1, 99))
@settings(max_examples=examples(200), deadline=None)
def test_more_brokers_never_put_more_messages_at_risk(rate: float, lag: float, brokers: int) -> None:
    assert kafka_durability.messages_at_risk(rate, lag, brokers + 1) <= kafka_durability.messages_at_risk(
        rate, lag, brokers
    )


KAFKA = """
apiVersion: kafka.strimzi.io/v1beta2
kind: Kafka
metadata: {{name: ingest}}
spec:
  kafka:
    replicas: {replicas}
    storage: {storage}
    config: {{default.replication.factor: {replicas}, min.insync.replicas: {in_sync}}}
"""


def ephemeral(**values: object) -> list[Fail]:
    return [
        fail for fail in reading.fails("kafka-durability", a_yaml=KAFKA.format(**values)) if fail.detail == "ephemeral"
    ]


def test_storage_that_goes_with_a_pod_is_told_beside_replicas_that_are_enough() -> None:
    (fail,) = ephemeral(replicas=3, in_sync=2, storage="{type: ephemeral, sizeLimit: 10Gi}")
    assert "2 pods that are deleted together" in fail.title
    assert fail.severity is Severity.MEDIUM
    assert reading.figures(fail) == {"brokers_with_ephemeral_storage": 3, "broker_losses_survived": 1}


def test_without_a_second_copy_it_is_worse() -> None:
    (fail,) = ephemeral(replicas=1, in_sync=1, storage="{type: ephemeral}")
    assert (fail.severity, "a pod that is deleted" in fail.title) == (None, True)


def test_claims_are_kept_when_a_pod_is_deleted() -> None:
    assert ephemeral(replicas=1, in_sync=1, storage="{type: persistent-claim, size: 10Gi}") == []


BROKER = """
services:
  kafka:
    image: {image}
    environment: {environment}
    {more}
"""


def of_compose(image: str, environment: str = "{}", more: str = "", **others: str) -> engine.Outcome:
    base = BROKER.format(image=image, environment=environment, more=more)
    return reading.outcome("kafka-durability", **{"docker-compose_yml": base, **others})


PRODUCTION = {"docker-compose.prod_yml": "services:\n  kafka:\n    restart: always\n"}


@pytest.mark.parametrize(
    "image",
    ["confluentinc/cp-kafka:7.6.0", "apache/kafka:3.8.0", "docker.io/bitnami/kafka", "redpandadata/redpanda:v24.1.1"],
)
def test_the_only_broker_of_a_file_for_production_is_told(image: str) -> None:
    (found,) = of_compose(image, **PRODUCTION).found
    assert (found.severity, reading.figures(found.fail)) == (Severity.MEDIUM, {"broker_losses_survived": 0})


def test_on_a_developers_machine_one_broker_is_not_held_against_anybody() -> None:
    outcome = of_compose("apache/kafka:3.8.0")
    assert outcome.found == ()
    assert "developer's machine" in outcome.tallies[0].unsure[0].reason


@pytest.mark.parametrize(
    ("image", "environment", "more"),
    [
        ("apache/kafka:3.8.0", "{KAFKA_PROCESS_ROLES: controller}", ""),
        ("confluentinc/cp-kafka:7.6.0", "{}", "command: kafka-topics --create --topic orders"),
        ("provectuslabs/kafka-ui", "{}", ""),
        ("apache/kafka:3.8.0", "{}", "deploy: {replicas: 3}"),
    ],
)
def test_controllers_tools_and_more_than_one_are_no_only_broker(image: str, environment: str, more: str) -> None:
    outcome = of_compose(image, environment, more, **PRODUCTION)
    assert (outcome.found, outcome.tallies[0].unsure) == ((), [])


def test_a_profile_is_started_by_whoever_asks_for_it() -> None:
    assert of_compose("apache/kafka:3.8.0", more="profiles: [local]", **PRODUCTION).found == ()


def test_beside_a_cluster_a_compose_file_is_for_developers() -> None:
    cluster = KAFKA.format(replicas=3, in_sync=2, storage="{type: persistent-claim}")
    outcome = of_compose("apache/kafka:3.8.0", **PRODUCTION, kafka_yaml=cluster)
    assert (outcome.found, outcome.tallies[0].unsure) == ((), [])


STATEFUL = """
apiVersion: apps/v1
kind: StatefulSet
metadata: {{name: kafka, namespace: ingest}}
spec:
  replicas: {replicas}
  template:
    spec:
      containers:
        - name: kafka
          image: apache/kafka:3.8.0
          env: {env}
          volumeMounts: [{{name: data, mountPath: {path}}}]
      volumes: [{{name: data, {volume}}}]
"""


@pytest.mark.parametrize(
    ("path", "volume", "env", "is_told"),
    [
        ("/var/lib/kafka/data", "emptyDir: {}", "[]", True),
        ("/bitnami/kafka", "emptyDir: {medium: Memory}", "[]", True),
        ("/mnt/logs", "emptyDir: {}", "[{name: KAFKA_LOG_DIRS, value: '/mnt/logs/a,/mnt/more'}]", True),
        ("/mnt", "emptyDir: {}", "[{name: KAFKA_LOG_DIRS, value: /mnt/logs}]", True),
        # Data is in the container where no volume has it, and none that could is kept.
        ("/var/lib/kafka/data", "emptyDir: {}", "[{name: KAFKA_LOG_DIRS, value: /mnt/logs}]", True),
        ("/opt/kafka/config", "configMap: {name: kafka}", "[]", True),
        ("/opt/kafka/data", "persistentVolumeClaim: {claimName: data}", "[]", False),
        ("/var/lib/kafka/data", "persistentVolumeClaim: {claimName: data}", "[]", False),
    ],
)
def test_brokers_of_ones_own_on_an_empty_dir_are_told(path: str, volume: str, env: str, is_told: bool) -> None:
    text = STATEFUL.format(replicas=3, path=path, volume=volume, env=env)
    assert [each.detail for each in reading.fails("kafka-durability", kafka_yaml=text)] == ["ephemeral"] * is_told


@pytest.mark.parametrize(("members", "survived"), [(0, 0), (1, 0), (2, 0), (3, 1), (5, 2)])
def test_a_majority_keeps_the_metadata(members: int, survived: int) -> None:
    assert kafka_durability.quorum_losses_survived(members) == survived


def test_controllers_of_ones_own_are_judged_as_a_quorum() -> None:
    env = "[{name: KAFKA_PROCESS_ROLES, value: controller}]"
    text = STATEFUL.format(replicas=1, path="/var/lib/kafka/data", volume="emptyDir: {}", env=env)
    (fail,) = reading.fails("kafka-durability", kafka_yaml=text)
    assert (fail.severity, fail.detail) == (Severity.HIGH, "ephemeral controllers")


def test_zookeeper_that_serves_no_broker_here_is_not_looked_at() -> None:
    text = STATEFUL.format(replicas=1, path="/data", volume="emptyDir: {}", env="[]")
    assert reading.fails("kafka-durability", zookeeper_yaml=text.replace("apache/kafka:3.8.0", "zookeeper:3.9")) == []


@pytest.mark.parametrize(
    ("replicas", "factor", "is_told"), [(3, 1, True), (3, 3, False), (1, 1, False), (3, "many", False)]
)
def test_several_brokers_that_keep_offsets_once_are_told(replicas: int, factor: object, is_told: bool) -> None:
    env = f"[{{name: KAFKA_OFFSETS_TOPIC_REPLICATION_FACTOR, value: '{factor}'}}]"
    claim = "persistentVolumeClaim: {claimName: data}"
    text = STATEFUL.format(replicas=replicas, path="/var/lib/kafka/data", volume=claim, env=env)
    found = reading.fails("kafka-durability", kafka_yaml=text)
    assert [each.detail for each in found] == ["own topics"] * is_told

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


def producer(acks: object, more: str = "", facts: str = "", cluster: str = "") -> engine.Outcome:
    text = f'KAFKA_PRODUCER_ACKS: "{acks}"\n{more}'
    return reading.outcome("kafka-durability", values_yaml=text, cluster_yaml=cluster, facts=facts)


def kafka(config: str, name: str = "a", replicas: int = 3) -> str:
    return (
        f"---\napiVersion: kafka.strimzi.io/v1\nkind: Kafka\nmetadata: {{name: {name}}}\n"
        f"spec: {{kafka: {{replicas: {replicas}, config: {{{config}}}}}}}\n"
    )


SAFE = "default.replication.factor: 3, min.insync.replicas: 2, offsets.topic.replication.factor: 3"


@pytest.mark.parametrize(
    ("acks", "more", "title", "whose"),
    [
        (1, "", "acks=1: an acknowledged message survives the loss of no broker", "only the leader's word"),
        (0, "", "acks=0: an acknowledged message survives the loss of no broker", "nobody's word"),
        (1, "KAFKA_ENABLE_IDEMPOTENCE: true\n", "acks=1 and enable.idempotence=true exclude each other",
         "needs acks=all"),
        (1, "KAFKA_ENABLE_IDEMPOTENCE: false\n", "acks=1: an acknowledged message survives the loss of no broker",
         "only the leader's word"),
    ],
)  # fmt: skip
def test_a_producer_says_whose_word_it_takes(acks: int, more: str, title: str, whose: str) -> None:
    (found,) = producer(acks, more).found
    assert found.fail.title == title
    assert whose in found.fail.why
    assert str(found.severity) == "high"


RATE = "kafka: {messages_per_second: 900, replication_lag_ms: 100%s}"


@pytest.mark.parametrize(
    ("facts", "cluster", "one_broker"),
    [
        (RATE % ", brokers: 3", "", 30),
        (RATE % ", brokers: 1", "", None),
        (RATE % "", "", None),
        (RATE % "", kafka(SAFE, replicas=9), 10),
        (RATE % ", brokers: 3", kafka(SAFE, replicas=9), 30),
        (RATE % "", kafka(SAFE) + kafka(SAFE, "b"), None),  # which of the two it writes to is not known
    ],
)
def test_one_of_several_brokers_leads_its_share(facts: str, cluster: str, one_broker: float | None) -> None:
    (found,) = producer(1, facts=facts, cluster=cluster).found
    figures = reading.figures(found.fail)
    assert (figures["messages_at_risk"], figures.get("messages_at_risk_one_broker")) == (90, one_broker)


@pytest.mark.parametrize(
    ("facts", "figures", "asked"),
    [
        ("", set(), ["messages_per_second", "replication_lag_ms"]),
        ("kafka: {messages_per_second: 900}", {"messages_unsent_when_killed"}, ["replication_lag_ms"]),
        ("kafka: {replication_lag_ms: 900}", set(), ["messages_per_second"]),
        (RATE % "", {"messages_at_risk", "messages_unsent_when_killed"}, []),
    ],
)
def test_what_is_at_risk_is_said_as_far_as_rate_and_lag_are_known(
    facts: str, figures: set[str], asked: list[str]
) -> None:
    outcome = producer(1, "KAFKA_PRODUCER_LINGER_MS: 20\n", facts)
    told = {
        name: value for name, value in reading.figures(outcome.found[0].fail).items() if name.startswith("messages")
    }
    assert told.keys() == figures
    assert told.get("messages_unsent_when_killed") in (None, 18)
    assert [each.provide for each in outcome.tallies[0].unsure] == [f"facts: kafka.{name}" for name in asked]
    assert "messages_unsent_when_killed" not in reading.figures(
        producer(1, "KAFKA_PRODUCER_LINGER_MS: 0\n", facts).found[0].fail
    )


def test_waiting_for_all_needs_the_number_that_must_be_in_sync() -> None:
    asked = producer("all").tallies[0]
    assert ([each.provide for each in asked.unsure], asked.passed) == (["facts: kafka.min_insync_replicas"], 1)
    assert producer("all", facts="kafka: {min_insync_replicas: 2}").tallies[0].unsure == []
    assert producer("all", cluster=kafka(SAFE)).tallies[0].unsure == []
    assert [each.provide for each in producer(1, facts=RATE % "").tallies[0].unsure] == []


@pytest.mark.parametrize(
    ("config", "title", "severity", "survived"),
    [
        (SAFE, "", "", None),
        (SAFE.replace("replicas: 2", "replicas: 1"), "Even acks=all survives the loss of no broker", "high", 0),
        (SAFE.replace("factor: 3", "factor: 1", 1), "Even acks=all survives the loss of no broker", "high", 0),
        (SAFE.replace("replicas: 2", "replicas: 3"),
         "Writing stops with the first broker: 3 replicas, 3 must be in sync", "medium", 2),
        (f"{SAFE}, unclean.leader.election.enable: false", "", "", None),
        (f"{SAFE}, unclean.leader.election.enable: true", "A broker that missed messages may become leader", "high", 0),
    ],
)  # fmt: skip
def test_a_cluster_keeps_what_it_acknowledged_or_does_not(
    config: str, title: str, severity: str, survived: int | None
) -> None:
    outcome = reading.outcome("kafka-durability", a_yaml=kafka(config))
    told = [(each.fail.title, str(each.severity)) for each in outcome.found if each.fail.detail != "own topics"]
    assert told == ([(title, severity)] if title else [])
    if title:
        assert reading.figures(outcome.found[0].fail)["broker_losses_survived"] == survived


def a_topic(spec: str, label: str = "") -> str:
    labels = f", labels: {{strimzi.io/cluster: {label}}}" if label else ""
    return f"---\napiVersion: kafka.strimzi.io/v1\nkind: KafkaTopic\nmetadata: {{name: t{labels}}}\nspec: {{{spec}}}\n"


@pytest.mark.parametrize(
    ("text", "facts", "verdict"),
    [
        (a_topic("partitions: 3, replicas: 1"), "", "t has one replica"),
        (a_topic("partitions: 3, replicas: 2"), "", "unknown"),
        (a_topic("partitions: 3, replicas: 2"), "kafka: {min_insync_replicas: 1}",
         "Even acks=all survives the loss of no broker"),
        (a_topic("partitions: 3, replicas: 3"), "kafka: {min_insync_replicas: 2}", "passes"),
        (a_topic("partitions: 3, replicas: 3, config: {min.insync.replicas: 2}"), "kafka: {min_insync_replicas: 1}",
         "passes"),
        (a_topic("partitions: 3"), "kafka: {min_insync_replicas: 1}", "nothing"),
        (kafka(SAFE) + a_topic("partitions: 3", "a"), "", "nothing"),  # the cluster answers for its default
        (kafka(SAFE) + a_topic("partitions: 3, config: {min.insync.replicas: 1}", "a"), "",
         "Even acks=all survives the loss of no broker"),
        (kafka(SAFE) + a_topic("partitions: 3, replicas: 2", "a"), "",
         "Writing stops with the first broker: 2 replicas, 2 must be in sync"),
        (kafka(SAFE) + a_topic("partitions: 3, replicas: 3", "a"), "", "passes"),
    ],
)  # fmt: skip
def test_a_topic_is_judged_by_its_own_numbers_and_else_by_those_of_its_cluster(
    text: str, facts: str, verdict: str
) -> None:
    outcome = reading.outcome("kafka-durability", a_yaml=text, facts=facts)
    tally, of_cluster = outcome.tallies[0], 1 if "kind: Kafka\n" in text else 0
    told = [each.fail.title for each in outcome.found if each.fail.subject == "KafkaTopic/t"]
    assert told == ([] if verdict in ("unknown", "passes", "nothing") else [verdict])
    assert len(tally.unsure) == (verdict == "unknown")
    if not of_cluster:
        assert tally.passed == (verdict == "passes")


@pytest.mark.parametrize(
    ("replicas", "severity", "title"),
    [
        (1, "high", "a pod that is deleted may take the metadata"),
        (2, "high", "a pod that is deleted may take the metadata"),
        (3, "medium", "2 pods that are deleted together may take the metadata"),
        (5, "medium", "3 pods that are deleted together may take the metadata"),
    ],
)
def test_a_majority_of_controllers_has_to_keep_its_disks(replicas: int, severity: str, title: str) -> None:
    pool = (
        "apiVersion: kafka.strimzi.io/v1\nkind: KafkaNodePool\nmetadata: {name: c, labels: {strimzi.io/cluster: a}}\n"
        f"spec: {{replicas: {replicas}, roles: [controller], storage: {{type: ephemeral}}}}\n"
    )
    found = reading.outcome("kafka-durability", a_yaml=pool + kafka(SAFE)).found
    told = [each for each in found if "controllers" in each.fail.title]
    assert [(str(each.severity), title in each.fail.title) for each in told] == [(severity, True)]

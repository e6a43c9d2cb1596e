"""Figures again, with other inputs: the same functions, so the same figures, and each bends the way it must."""

from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from findings import charts, figures
from findings.checks import engine, recomputing, what_if
from findings.platform import files, reader

SAMPLES = Path(__file__).resolve().parents[2] / "samples" / "checks"
# Inputs by which this figure counts things that are not kept with it.
COUNTED = {
    ("cell-failover", "ephemeral_route_cache"), ("secret-in-env", "workloads_sharing_secret"),
    ("kafka-consumers", "buffer_bytes"), ("backups", "restore_tested"), ("dns", "dependencies_by_name"),
    ("dns", "node_local_caches"), ("kafka-durability", "brokers_with_ephemeral_storage"),
}  # fmt: skip
NOT_NUMBERS = (
    "contradiction", "image-trust", "network-egress", "secret-in-env", "deployment-windows", "probes", "signal-loss",
    "request-timeouts", "resource-quota", "disruption-budget", "single-replica", "topology-spread", "alert-coverage",
)  # fmt: skip


@cache
def of_all_samples() -> list[tuple[str, str, list[dict[str, Any]]]]:
    """By whoever runs a test of this file, and not by every process that collects them."""
    return list(_found())


def _found() -> Iterator[tuple[str, str, list[dict[str, Any]]]]:
    for folder in sorted(SAMPLES.iterdir()):
        for path in sorted(folder.iterdir()):
            platform = reader.read(files.walk([path]))
            for each in engine.run(platform).found:
                yield f"{folder.name}/{path.name}", each.check.meta.id, [q.as_json() for q in each.fail.quantities]


def test_every_figure_of_every_sample_follows_from_the_inputs_that_it_shows() -> None:
    tried = 0
    for sample, check, quantities in of_all_samples():
        again = {each.name: each for each in what_if.outcome(check, quantities, {}).figures}
        for quantity in quantities:
            key = (check, quantity["name"])
            if key in COUNTED or check in NOT_NUMBERS or not any(
                recomputing.is_number(each["value"]) for each in quantity["inputs"]
            ):  # fmt: skip
                continue
            assert quantity["name"] in again, (sample, key)
            assert again[quantity["name"]].value == quantity["value"], (sample, key)
            tried += 1
    assert tried > 100


def test_every_figure_that_can_be_computed_is_in_a_sample() -> None:
    seen = {(check, quantity["name"]) for _, check, quantities in of_all_samples() for quantity in quantities}
    assert set(recomputing.FIGURES) - seen == set()


def of_sample(name: str) -> tuple[str, list[dict[str, Any]]]:
    return next((check, quantities) for sample, check, quantities in of_all_samples() if sample == name)


def values(outcome: what_if.Outcome) -> dict[str, Any]:
    return {each.name: each.value for each in outcome.figures}


def test_a_figure_that_rests_on_another_follows_it() -> None:
    check, quantities = next((c, q) for _, c, q in of_all_samples() if c == "alert-delay" and len(q) == 3)
    before = what_if.outcome(check, quantities, {})
    assert not any(each.name.startswith("time_to_open") for each in before.inputs)
    after = values(what_if.outcome(check, quantities, {"aggregation_delay": 600}))
    assert after["time_to_open_worst_seconds"] > values(before)["time_to_open_worst_seconds"]
    assert after["error_budget_burned_percent"] > values(before)["error_budget_burned_percent"]


def test_a_share_moves_all_that_follows_from_the_largest() -> None:
    check, quantities = next(
        (c, q) for _, c, q in of_all_samples() if "users_affected_percent" in {each["name"] for each in q}
    )
    assert "largest_share" not in {each.name for each in what_if.outcome(check, quantities, {}).inputs}
    after = values(what_if.outcome(check, quantities, {"share_us-core-ops": 50, "share_us-alt-mule": 50}))
    assert after["survivor_load_percent"] == 200
    assert after["users_affected_percent"] == 5


def test_connections_are_needed_for_every_pod_that_one_adds() -> None:
    check, quantities = of_sample("db-connections/fail_two_services.yaml")
    outcome = what_if.outcome(check, quantities, {"collector_max_pods": 60})
    assert values(outcome)["connections_needed"] == (60 + 50) * 20
    assert values(outcome)["connections_per_scale_step"] >= 440


@pytest.mark.parametrize("value", [0, 10**9, 0.5])
def test_inputs_that_make_no_sense_are_said_and_end_nothing(value: float) -> None:
    for _, check, quantities in of_all_samples():
        names = [each.name for each in what_if.outcome(check, quantities, {}).inputs]
        outcome = what_if.outcome(check, quantities, dict.fromkeys(names, value))
        charts.of_finding(check, outcome, outcome)
        for figure in outcome.figures:
            assert figure.value is not None or figure.problem or figure.stated is None, (check, figure)


def test_what_is_typed_and_is_no_number_is_said_at_its_field() -> None:
    check, quantities = of_sample("db-connections/fail_two_services.yaml")
    shown = figures.changed(check, quantities, {"set-collector_max_pods": "many", "set-nothing": "1"})
    assert shown is not None
    assert [(each.name, each.error) for each in shown.fields if each.error] == [
        ("collector_max_pods", "This is not a number.")
    ]
    assert not shown.is_changed


@pytest.mark.parametrize("text", ["nan", "inf", "-1", "1e300"])
def test_numbers_beyond_sense_are_refused(text: str) -> None:
    check, quantities = of_sample("db-connections/fail_two_services.yaml")
    shown = figures.changed(check, quantities, {"set-collector_max_pods": text})
    assert shown is not None
    assert [each.error for each in shown.fields if each.error] == ["A number from 0 to 1,000,000,000,000,000."]


def test_no_objective_is_beyond_all_requests() -> None:
    check, quantities = of_sample("cell-failover/fail_partial")
    shown = figures.changed(check, quantities, {"set-slo": "120", "set-cell_error": "100.5"})
    assert shown is not None
    assert {each.error for each in shown.fields if each.error} == {"A number from 0 to 100."}


def test_fewer_connections_than_are_reserved_are_none() -> None:
    check, quantities = of_sample("db-connections/fail_two_services.yaml")
    after = values(what_if.outcome(check, quantities, {"max_connections": 1}))
    assert after["connections_available"] == after["breakpoint_pods"] == 0
    assert after["connections_refused_percent"] == 100


def test_the_chart_says_when_the_connections_are_used_up() -> None:
    check, quantities = of_sample("db-connections/fail_two_services.yaml")
    shown = figures.changed(check, quantities, {"set-collector_max_pods": "80"})
    assert shown is not None
    assert shown.chart is not None
    assert [each.name for each in shown.chart.series] == ["needed, as read", "needed, your inputs", "available"]
    assert shown.chart.sentence.startswith("More than the 97 connections are needed 0 s after the scaling begins")
    rows = shown.chart.table
    assert rows[0][0] == 0
    assert rows[-1][1][1] == 80 * 20 + 50 * 20


def test_every_check_in_which_time_matters_has_a_chart() -> None:
    drawn = set()
    for _, check, quantities in of_all_samples():
        outcome = what_if.outcome(check, quantities, {})
        if charts.of_finding(check, outcome, None) is not None:
            drawn.add(check)
    assert drawn == {"autoscaling", "db-connections", "alert-delay", "log-retention", "time-sync"}


def test_figures_of_an_older_version_are_shown_and_cannot_be_changed() -> None:
    check, quantities = of_sample("db-connections/fail_two_services.yaml")
    odd = [{**each, "value": 7} for each in quantities]
    assert what_if.outcome(check, odd, {}).figures == ()
    assert figures.changed(check, odd, {}) is None
    assert len(figures.laid_open(odd)) == len(quantities)


def test_a_broker_more_in_sync_survives_a_loss_more() -> None:
    terms = {"replication_factor": (3, "replicas"), "min_insync_replicas": (1, "replicas")}
    quantity = _quantity("broker_losses_survived", 0, "min(min.insync.replicas, replicas) − 1", terms)
    assert _again("kafka-durability", quantity, min_insync_replicas=2) == 1
    assert _again("kafka-durability", quantity, min_insync_replicas=5) == 2


def test_twice_the_pods_rebalance_twice_as_often_in_a_rollout() -> None:
    quantity = _quantity("rebalances_per_rollout", 100, "2 × pods; 0 with group.instance.id", {"pods": (50, "pods")})
    assert _again("kafka-consumers", quantity, pods=100) == 200


def test_what_an_input_comes_from_is_shown_and_is_no_field() -> None:
    terms = {
        "instance_memory": (4 * 2**30, "bytes"), "max_connections": (450, "connections"),
        "reserved_connections": (5, "connections"),
    }  # fmt: skip
    quantity = _quantity("connections_available", 445, "max_connections − reserved_connections", terms)
    shown = figures.changed("db-connections", [quantity], {})
    assert shown is not None
    assert [each.name for each in shown.fields] == ["max_connections", "reserved_connections"]


def test_a_maximum_below_the_minimum_makes_no_figure() -> None:
    terms = {"min_replicas": (2, "pods"), "max_replicas": (50, "pods"), "percent_per_30_s": (100, "%")}
    quantity = _quantity("seconds_to_max", 150, "", terms)
    (figure,) = what_if.outcome("autoscaling", [quantity], {"max_replicas": 1}).figures
    assert (figure.value, figure.problem) == (None, "the maximum is below the minimum")


@pytest.mark.parametrize(
    ("value", "unit", "shown"),
    [
        (1, "brokers", "1 broker"), (2, "brokers", "2 brokers"), (3.5e-7, "messages", "less than 0.0001 messages"),
        (0.00231, "%", "0.00231 %"), (34.72222222, "d", "34.7222 d"), (0, "%", "0 %"), (1234.0, "ms", "1,234 ms"),
        (0.03, "USD per_gb_month", "0.03 USD per GB stored and month"),
    ],
)  # fmt: skip
def test_figures_read_as_people_write_them(value: float, unit: str, shown: str) -> None:
    (figure,) = figures.laid_open([{"name": "x", "value": value, "unit": unit}])
    assert figure.value == shown


@pytest.mark.parametrize("tolerance", ["1", "30000", "1e14"])
def test_no_sentence_of_a_chart_has_a_power_of_ten(tolerance: str) -> None:
    terms = {"tolerance": (300, "s"), "drift": (100, "ppm")}
    quantity = _quantity("days_to_tolerance", 300 / 8.64, "", terms)
    shown = figures.changed("time-sync", [quantity], {"set-tolerance": tolerance, "set-drift": "1"})
    assert shown is not None
    assert shown.chart is not None
    assert "e+" not in shown.chart.sentence


def test_a_bound_is_told_in_digits_and_a_comma_is_explained() -> None:
    quantity = _quantity("rebalances_per_rollout", 100, "", {"pods": (50, "pods")})
    for text, error in (
        ("-1", "A number from 0 to 1,000,000,000,000,000."),
        ("1,5", "This is not a number. Decimals stand behind a point."),
    ):
        shown = figures.changed("kafka-consumers", [quantity], {"set-pods": text})
        assert shown is not None
        assert [each.error for each in shown.fields] == [error]


def test_a_figure_that_counts_stands_beside_those_that_are_computed() -> None:
    computed = _quantity(
        "messages_at_risk", 350, "", {"messages_per_second": (7000, "1/s"), "replication_lag": (50, "ms")}
    )
    counts = {
        "name": "broker_losses_survived",
        "value": 0,
        "unit": "brokers",
        "inputs": [{"name": "acks", "value": "1"}],
    }
    shown = figures.changed("kafka-durability", [counts, computed], {"set-replication_lag": "100"})
    assert shown is not None
    assert [(each.name, each.stated, each.value, each.problem) for each in shown.rows] == [
        ("broker_losses_survived", "0 brokers", "0 brokers", "not computed anew"),
        ("messages_at_risk", "350", "700", ""),
    ]


S, POLICY = "s", "percent_per_30_s"
SERVICES = {
    "api_min_pods": (1, "pods"), "api_max_pods": (10, "pods"), "api_processes": (2, "processes"),
    "api_pool_size": (10, "connections"), "api_max_overflow": (5, "connections"), "api_percent_per_30_s": (100, "%"),
    "web_min_pods": (1, "pods"), "web_max_pods": (10, "pods"), "web_processes": (1, "processes"),
    "web_pool_size": (4, "connections"), "web_pods_per_30_s": (1, "pods"),
}  # fmt: skip
KNATIVE = {
    "min_replicas": (1, "pods"), "max_replicas": (10, "pods"), "percent_per_2_s": (900, "%"), "stable_window": (60, S),
    "panic_window_percentage": (10, "%"),
}  # fmt: skip
GROUP = {"partitions": (12, "partitions"), "pods": (6, "pods"), "threads_per_pod": (2, "threads")}
LOGS = {"disk": (100, "GB"), "stored": (40, "GB"), "gb_per_day": (10, "GB/d")}


@pytest.mark.parametrize(
    ("check", "name", "terms", "stated", "changes", "expected"),
    [
        # What opens at the end of a window, when its points are in; a timer that is not stated is none.
        ("alert-delay", "time_to_open_worst_seconds", {"aggregation_window": (60, S), "aggregation_delay": (120, S)},
         180, {"aggregation_delay": 30}, 90),
        ("alert-delay", "time_to_open_best_seconds", {"aggregation_window": (60, S)}, 60, {"aggregation_window": 5}, 5),
        ("alert-delay", "time_to_open_best_seconds", {"for": (120, S)}, 120, {"for": 45}, 45),
        # 1, 10 pods in one step, after a tenth of the window, as whole seconds.
        ("autoscaling", "replicas_after_seconds", KNATIVE, [[6, 1], [6, 10]], {"stable_window": 65}, [[7, 1], [7, 10]]),
        ("autoscaling", "seconds_to_max", KNATIVE, 8, {"stable_window": 601}, 63),
        # From 1 by 2 and 4 to 8 within two and a half minutes; the shorter of two periods begins it.
        ("autoscaling", "seconds_to_max", {"min_replicas": (4, "pods"), "max_replicas": (8, "pods"),
         "pods_per_15_s": (4, "pods"), "pods_per_60_s": (4, "pods")}, 15, {"max_replicas": 4}, 15),
        # The largest step of each: 4 of 8 pods of 30 connections, 1 of 4.
        ("db-connections", "connections_per_scale_step", SERVICES, 4 * 30 + 4, {"web_pool_size": 9}, 4 * 30 + 9),
        ("db-connections", "connections_per_scale_step", SERVICES, 124, {"api_max_overflow": 0}, 4 * 20 + 4),
        ("db-connections", "connections_per_scale_step", SERVICES, 124, {"api_min_pods": 10, "web_min_pods": 10}, 0),
        ("db-connections", "connections_needed", {"pooler_instances": (2, ""), "default_pool_size": (20, ""),
         "pools": (3, ""), "max_db_connections": (50, "")}, 100, {"max_db_connections": 10}, 20),
        ("db-connections", "breakpoint_pods", {"max_connections": (100, ""), "reserved_connections": (3, ""),
         "a_max_pods": (5, ""), "a_processes": (1, ""), "a_pool_size": (0, ""), "b_max_pods": (5, ""),
         "b_processes": (1, ""), "b_pool_size": (10, "")}, 9, {"b_pool_size": 0}, "no pod connects"),
        ("backups", "regions", {"copies_elsewhere": (1, "regions")}, 2, {"copies_elsewhere": 2}, 3),
        ("cell-failover", "breaker_blind_from_percent", {"slo": (99.9, "%")}, 0.1, {"slo": 99.99}, 0.01),
        ("kafka-consumers", "idle_members", GROUP, 0, {"pods": 7}, 2),
        ("kafka-consumers", "imbalance_ratio", GROUP, 1, {"pods": 4}, 4 / 3),
        ("kafka-consumers", "idle_members", GROUP, 0, {"pods": 0},
         "a group has a member and a topic a partition at least"),
        ("kafka-consumers", "idle_members", GROUP, 0, {"partitions": 0},
         "a group has a member and a topic a partition at least"),
        ("kafka-consumers", "idle_members", {"partitions": (1, ""), "pods": (1, "")}, 0, {"pods": 3}, 2),
        ("kafka-consumers", "backlog_bytes_per_hour", {"consumer_byte_rate": (100, ""), "brokers": (3, ""),
         "partitions": (3, ""), "arriving_a": (400, "")}, 100 * 3600, {"arriving_a": 10}, 0),
        ("log-retention", "days_until_full", LOGS, 6, {"stored": 90}, 1),
        ("log-retention", "days_until_full", LOGS, 6, {"stored": 200}, 0),
        ("log-retention", "days_until_full", {"disk": (100, "GB"), "gb_per_day": (10, "GB/d")}, 10, {"disk": 50}, 5),
        ("kafka-durability", "broker_losses_survived", {"replication_factor": (1, "")}, 0,
         {"replication_factor": 3}, "how many replicas must be in sync is not stated"),
    ],
)  # fmt: skip
def test_a_figure_bends_with_its_inputs_as_the_arithmetic_says(
    check: str, name: str, terms: Mapping[str, tuple[float, str]], stated: Any, changes: dict[str, float], expected: Any
) -> None:
    quantity = _quantity(name, stated, "", terms)
    (figure,) = what_if.outcome(check, [quantity], changes).figures
    if isinstance(expected, str):
        assert (figure.value, figure.problem) == (None, expected)
    else:
        assert (figure.value, figure.problem) == (
            pytest.approx(expected) if isinstance(expected, float) else expected, ""
        )  # fmt: skip


def test_as_many_pods_are_simulated_as_any_cluster_has() -> None:
    terms = {"min_replicas": (1, "pods"), "max_replicas": (2, "pods"), POLICY: (100, "%")}
    quantity = _quantity("replicas_after_seconds", [[0, 1], [0, 2]], "", terms)
    assert _again("autoscaling", quantity, max_replicas=100_000)[-1][1] == 100_000
    (figure,) = what_if.outcome("autoscaling", [quantity], {"max_replicas": 100_001}).figures
    assert (figure.value, figure.problem) == (None, "more than 100,000 pods are not simulated")


def _quantity(name: str, value: Any, formula: str, inputs: Mapping[str, tuple[float, str]]) -> dict[str, Any]:
    shown = [{"name": each, "value": number, "unit": unit} for each, (number, unit) in inputs.items()]
    return {"name": name, "value": value, "unit": "", "formula": formula, "inputs": shown}


def _again(check: str, quantity: dict[str, Any], **changes: float) -> Any:
    (figure,) = what_if.outcome(check, [quantity], changes).figures
    return figure.value

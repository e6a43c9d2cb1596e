"""What a CPU limit does to threads within a period."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from findings.checks import cpu_throttling
from findings.vocabulary import Severity
from tests.examples import examples
from tests.findings.checks import reading

CORES = st.floats(0.01, 64)
CONTAINER = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: api}
spec:
  template:
    spec:
      containers:
        - name: api
          image: registry.example/api:1
          env: [{name: WORKER_THREADS, value: "8"}]
          resources: {limits: {cpu: "1"}}
"""
RULE = """
apiVersion: monitoring.coreos.com/v1
kind: PrometheusRule
metadata: {name: cpu}
spec:
  groups:
    - name: cpu
      rules:
        - alert: CPUThrottlingHigh
          expr: rate(container_cpu_cfs_throttled_periods_total[5m]) / rate(container_cpu_cfs_periods_total[5m]) > 0.25
"""


def test_half_of_the_limit_is_all_of_the_request() -> None:
    assert cpu_throttling.utilization_percent(500, 1000) == 50.0
    assert cpu_throttling.utilization_percent(500, 500) == 100.0


def test_the_autoscaler_adds_pods_at_its_target_of_the_request() -> None:
    assert cpu_throttling.scale_point(60, 500) == 300


def test_eight_threads_on_one_core_are_stopped_for_most_of_a_period() -> None:
    assert cpu_throttling.throttled_ms(limit_cores=1.0, threads=8) == 87.5


def test_a_burst_waits_for_the_next_period_once_its_quota_is_gone() -> None:
    assert cpu_throttling.burst_ms(cpu_ms=150, threads=8, limit_cores=1.0) == 106.25
    assert cpu_throttling.burst_ms(cpu_ms=150, threads=8, limit_cores=8.0) == 18.75


def test_a_burst_of_exactly_one_quota_does_not_wait() -> None:
    assert cpu_throttling.burst_ms(cpu_ms=100, threads=8, limit_cores=1.0) == 12.5


def test_a_rule_that_watches_throttling_makes_it_less_severe() -> None:
    alone = reading.outcome("cpu-throttling", a_yaml=CONTAINER)
    watched = reading.outcome("cpu-throttling", a_yaml=CONTAINER, b_yaml=RULE)
    assert [each.severity for each in alone.found] == [Severity.MEDIUM]
    assert [each.severity for each in watched.found] == [Severity.LOW]


def test_without_a_request_the_limit_is_the_request() -> None:
    (fail,) = reading.fails("cpu-throttling", a_yaml=CONTAINER)
    ratio = next(each for each in fail.quantities if each.name == "request_percent_of_limit")
    assert ratio.value == 100.0
    assert ratio.inputs[0].source == "provider_default"


def test_resources_of_a_values_file_are_read() -> None:
    fails = reading.fails("cpu-throttling", values_yaml="server: {resources: {limits: {cpu: 250m, memory: 1Gi}}}\n")
    assert [(each.detail, reading.figures(each)["throttled_ms_per_period"]) for each in fails] == [
        ("server.resources", 75.0)
    ]


@pytest.mark.parametrize("cpu", ['"many"', "0", "{}"])
def test_a_limit_that_is_no_amount_is_no_limit(cpu: str) -> None:
    assert reading.fails("cpu-throttling", values_yaml=f"resources: {{limits: {{cpu: {cpu}}}}}\n") == []


@given(CORES, st.integers(1, 64))
@settings(max_examples=examples(200), deadline=None)
def test_more_threads_are_never_stopped_for_less(limit: float, threads: int) -> None:
    less, more = cpu_throttling.throttled_ms(limit, threads), cpu_throttling.throttled_ms(limit, threads + 1)
    assert 0 <= less <= more < 100


@given(st.floats(0.1, 10_000), CORES, st.integers(1, 64))
@settings(max_examples=examples(200), deadline=None)
def test_a_limit_never_makes_a_burst_faster(cpu_ms: float, limit: float, threads: int) -> None:
    assert cpu_throttling.burst_ms(cpu_ms, threads, limit) >= cpu_ms / threads * (1 - 1e-9)

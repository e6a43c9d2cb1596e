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


def container(limit: str, threads: str = "", more: str = "") -> str:
    env = f'          env: [{{name: WORKER_THREADS, value: "{threads}"}}]\n' if threads else ""
    text = CONTAINER.replace('          env: [{name: WORKER_THREADS, value: "8"}]\n', env)
    return text.replace('resources: {limits: {cpu: "1"}}', f"resources: {{limits: {{cpu: {limit}}}{more}}}")


@pytest.mark.parametrize(
    ("text", "verdict"),
    [
        (container('"8"', "8"), "passes"),
        (container("7999m", "8"), "medium"),
        (container("999m"), "low"),  # one thread at least
        (container('"1"'), "unknown"),  # how many there are decides
        (container("0"), "passes"),
        (container("null"), "passes"),
        (container("250m", "1"), "medium"),
    ],
)
def test_threads_are_held_against_the_limit(text: str, verdict: str) -> None:
    outcome = reading.outcome("cpu-throttling", a_yaml=text)
    assert [str(each.severity) for each in outcome.found] == ([verdict] if verdict in ("low", "medium") else [])
    assert outcome.tallies[0].passed == (verdict == "passes")
    asked = ["facts: services.api.threads"] if verdict == "unknown" else []
    assert [each.provide for each in outcome.tallies[0].unsure] == asked


def test_what_happens_within_a_period_is_told() -> None:
    (one,) = reading.fails("cpu-throttling", a_yaml=container("250m"))
    assert one.title == "api: stopped 75 ms of every 100 ms under load"
    assert one.why.startswith("One busy thread uses up 250 millicores × 100 ms after 25 ms;")
    assert [each.source for each in one.quantities[0].inputs] == ["file", "assumption"]
    (many,) = reading.fails("cpu-throttling", a_yaml=container('"2"', "8"))
    assert many.why.startswith("8 busy threads use up 2000 millicores × 100 ms after 25 ms;")
    assert "A rule watches" not in many.why


SCALER = """apiVersion: autoscaling/{version}
kind: HorizontalPodAutoscaler
metadata: {{name: api}}
spec: {{maxReplicas: 3, scaleTargetRef: {{kind: Deployment, name: api}}, {target}}}
"""


def target(field: str, name: str, more: str = "", aim: str = "type: Utilization, averageUtilization: 60") -> str:
    return f"metrics: [{{type: Any, {field}: {{{more}name: {name}, target: {{{aim}}}}}}}]"


@pytest.mark.parametrize(
    ("version", "metrics", "point"),
    [
        ("v2", target("resource", "cpu"), 300),
        ("v2", target("resource", "memory"), None),
        ("v2", target("containerResource", "cpu", "container: api, "), 300),
        ("v2", target("containerResource", "cpu", "container: b, "), None),
        ("v2", target("resource", "cpu", aim="type: AverageValue, averageValue: 1"), None),
        ("v1", "targetCPUUtilizationPercentage: 60", 300),
    ],
)
def test_the_point_at_which_pods_are_added_is_of_the_request(version: str, metrics: str, point: float | None) -> None:
    text = container('"1"', "8", more=", requests: {cpu: 500m}")
    (fail,) = reading.fails("cpu-throttling", a_yaml=text, b_yaml=SCALER.format(version=version, target=metrics))
    assert reading.figures(fail).get("scale_point_millicores") == point


def test_processors_that_follow_the_limit_are_never_stopped() -> None:
    by_limit = "{name: GOMAXPROCS, valueFrom: {resourceFieldRef: {resource: limits.cpu}}}"
    text = CONTAINER.replace('{name: WORKER_THREADS, value: "8"}', by_limit)
    assert reading.outcome("cpu-throttling", a_yaml=text).tallies[0].passed == 1
    part = text.replace('cpu: "1"', "cpu: 2500m")  # three of two and a half
    (fail,) = reading.fails("cpu-throttling", a_yaml=part)
    assert reading.figures(fail)["throttled_ms_per_period"] == pytest.approx(100 / 6)
    for other in (by_limit.replace("limits", "requests"), by_limit.replace("GOMAXPROCS", "OTHER")):
        assert reading.unsure("cpu-throttling", a_yaml=text.replace(by_limit, other))


COMPOSE = (
    'services:\n  api:\n    image: a\n    deploy: {{resources: {{limits: {{cpus: "{}"}}}}}}\n    environment: {{{}}}\n'
)


def test_a_service_of_compose_is_judged_where_it_states_limit_and_threads() -> None:
    silent = reading.outcome("cpu-throttling", **{"docker-compose_yaml": COMPOSE.format("0.5", "")})
    assert (silent.found, silent.tallies[0].passed, silent.tallies[0].unsure) == ((), 0, [])
    (found,) = reading.outcome("cpu-throttling", **{
        "docker-compose_yaml": COMPOSE.format("0.5", "WORKER_THREADS: 2"), "b_yaml": RULE,
    }).found  # fmt: skip
    assert str(found.severity) == "low"
    assert reading.figures(found.fail) == {
        "throttled_ms_per_period": 75,
        "limit_millicores": 500,
    }  # nothing is its request


def test_every_resources_of_a_values_file_is_read_however_deep() -> None:
    text = "a: {resources: {limits: {memory: 1Gi}}}\nb: [{resources: {limits: {cpu: 100m}, requests: {cpu: 50m}}}]\n"
    text += "c: {d: {e: {resources: {limits: {cpu: 200m}}}}}\nresources: {cpu: {limits: {cpu: 300m}}}\n"
    fails = reading.fails("cpu-throttling", values_yaml=text)
    told = [(each.detail, reading.figures(each).get("request_percent_of_limit"), each.places[0].line) for each in fails]
    assert told == [("b.0.resources", 50.0, 2), ("c.d.e.resources", None, 3)]
    assert reading.fails("cpu-throttling", values_yaml="f: {limits: {cpu: 1m}}\n") == []


def test_an_init_container_is_gone_when_requests_come() -> None:
    text = CONTAINER.replace("      containers:", "      initContainers:", 1)
    assert reading.fails("cpu-throttling", a_yaml=text) == []


def test_a_request_that_is_no_amount_is_the_limit() -> None:
    (fail,) = reading.fails("cpu-throttling", a_yaml=container('"1"', "8", more=", requests: {cpu: many}"))
    assert reading.figures(fail)["request_percent_of_limit"] == 100
    (loose,) = reading.fails("cpu-throttling", v_yaml="resources: {limits: {cpu: 500m}, requests: {cpu: many}}\n")
    assert reading.figures(loose) == {"throttled_ms_per_period": 50, "limit_millicores": 500}
    assert [each.source for each in loose.quantities[0].inputs] == ["file", "assumption"]

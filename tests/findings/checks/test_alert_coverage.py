"""Which alert notices which failure: a reviewed table over the metrics of public rules, and who is looked at."""

import contextlib
import csv
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from findings.checks import alert_rules, coverage, engine, queries, signals
from findings.checks.coverage import State
from findings.platform import promql
from findings.platform.promql import Binary, Call, Matcher, Metric, NotUnderstood
from tests.findings.checks.reading import fails, outcome, platform, unsure

SAMPLE = Path(__file__).resolve().parents[2] / "samples" / "alerts" / "reviewed.tsv"


def reviewed() -> list[dict[str, str]]:
    """Every alert of kube-prometheus, Strimzi and the Terraform modules of New Relic and CloudWatch that was read, by
    its name, in an expression of our own. `-`: understood, and about none of our failure modes; `?`: not understood."""
    with SAMPLE.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))


def test_the_table_of_public_alerts_was_read_to_its_end() -> None:
    assert len(reviewed()) > 100
    assert {row["language"] for row in reviewed()} == {"promql", "nrql", "cloudwatch"}


@pytest.mark.parametrize("row", reviewed(), ids=lambda row: row["alert"])
def test_a_public_alert_notices_what_was_judged(row: dict[str, str]) -> None:
    directions = signals.directions_of(row["operator"])
    if row["language"] == "promql":
        meaning = signals.of_promql(row["expression"])
    elif row["language"] == "nrql":
        meaning = queries.of_nrql(row["expression"], directions)
    else:
        meaning = queries.of_metric(row["language"], row["expression"], directions)
    noticed = "?" if meaning.reason else " ".join(sorted({each.mode for each in meaning.senses})) or "-"
    assert noticed == row["noticed"], meaning.reason


# More expressions over the same metrics; each verdict was reached by reading what the metric counts and which way the
# comparison goes. "" is: understood, and about none of our failure modes.
REVIEWED = (
    # pods
    ('max_over_time(kube_pod_container_status_waiting_reason{reason="CrashLoopBackOff"}[3m]) >= 1',
     "containers-restarting"),
    ('sum by (pod) (kube_pod_status_phase{phase=~"Pending|Unknown"}) > 0', "replicas-unavailable"),
    ('sum by (pod) (kube_pod_status_phase{phase=~"Pending|Running"}) > 0', ""),
    ('kube_pod_status_phase{phase="Running"} == 1 and on (pod) kube_pod_status_ready{condition="true"} == 0',
     "replicas-unavailable"),
    ("kube_deployment_spec_replicas > kube_deployment_status_replicas_available", "replicas-unavailable"),
    ("kube_deployment_spec_replicas < kube_deployment_status_replicas_available", ""),
    ("kube_statefulset_status_replicas_ready != kube_statefulset_replicas", "replicas-unavailable"),
    ("kube_poddisruptionbudget_status_desired_healthy - kube_poddisruptionbudget_status_current_healthy > 0",
     "replicas-unavailable"),
    ('absent(container_last_seen{container="kafka"})', "replicas-unavailable"),
    # The same metric on both sides: how much more often it was seen, not that it is gone.
    ("count(count_over_time(container_last_seen[5m])) > 2 * count(container_last_seen)", "containers-restarting"),
    # rollouts
    ("kube_deployment_status_observed_generation != kube_deployment_metadata_generation", "rollout-stuck"),
    ('kube_deployment_status_condition{condition="Progressing",status="false"} != 0', "rollout-stuck"),
    ("kube_daemonset_status_number_misscheduled > 0", "rollout-stuck"),
    # limits
    ("kube_horizontalpodautoscaler_status_current_replicas == kube_horizontalpodautoscaler_spec_max_replicas",
     "scaling-limit"),
    ('kube_resourcequota{type="used"} / ignoring (type) (kube_resourcequota{type="hard"} > 0) > 0.9 < 1',
     "quota-exhausted"),
    ('sum(kube_resourcequota{type="hard",resource="cpu"}) / sum(kube_node_status_allocatable{resource="cpu"}) > 1.5',
     ""),
    ("increase(container_cpu_cfs_throttled_periods_total[5m]) / increase(container_cpu_cfs_periods_total[5m]) > 0.25",
     "cpu-throttled"),
    # volumes and disks
    ("kubelet_volume_stats_available_bytes / kubelet_volume_stats_capacity_bytes < 0.03", "disk-full"),
    ("kubelet_volume_stats_available_bytes * 100 / kubelet_volume_stats_capacity_bytes > 15", ""),
    ("kubelet_volume_stats_inodes_free / kubelet_volume_stats_inodes < 0.03 and kubelet_volume_stats_inodes_used > 0",
     "disk-full"),
    ("predict_linear(node_filesystem_avail_bytes[6h], 24 * 60 * 60) < 0 and node_filesystem_readonly == 0",
     "node-disk-full"),
    # nodes
    ('kube_node_status_condition{condition="Ready",status="true"} == 0 and on (node) kube_node_spec_unschedulable == 0',
     "node-lost"),
    ('kube_node_status_condition{condition=~"(MemoryPressure|PIDPressure)",status="true"} == 1', "node-lost"),
    ('sum(changes(kube_node_status_condition{condition="Ready",status="true"}[15m])) by (node) > 2', "node-lost"),
    ('count(kube_node_info) unless on (cluster) count(up{job="kubelet"} == 1)', "node-lost signal-lost"),
    ("100 - (node_memory_MemAvailable_bytes / node_memory_MemTotal_bytes * 100) > 90", "node-lost"),
    ("rate(node_network_receive_errs_total[2m]) / rate(node_network_receive_packets_total[2m]) > 0.01", ""),
    ("node_load1 / count without (cpu) (node_cpu_seconds_total) > 2", ""),
    # clocks
    ("node_timex_offset_seconds > 0.05 and deriv(node_timex_offset_seconds[5m]) >= 0", "clock-drifting"),
    ("min_over_time(node_timex_sync_status[5m]) == 0 and node_timex_maxerror_seconds >= 16", "clock-drifting"),
    ("min_over_time(node_timex_sync_status[5m]) == 1", ""),
    # what is watched stops
    ("up == 0", "signal-lost"),
    ("up == 1", ""),
    ("0 == up", "signal-lost"),
    ('absent(up{job="api"} == 1)', "signal-lost"),
    # the control plane's own: no failure mode of the platform that runs on it
    ("apiserver_request:burnrate1h > 14.4 * 0.01", ""),
    ("sum(increase(aggregator_unavailable_apiservice_total[1m])) > 0", ""),
    ("kubelet_certificate_manager_client_ttl_seconds < 86400", ""),
    # Kafka
    ("kafka_server_replicamanager_underreplicatedpartitions > 0", "partitions-at-risk"),
    ("sum(kafka_controller_kafkacontroller_activecontrollercount) != 1", "partitions-at-risk"),
    ("kafka_server_replicamanager_underminisrpartitioncount > 0", "partitions-at-risk"),
    ("kafka_log_logmanager_offlinelogdirectorycount > 0", "partitions-at-risk"),
    ("sum by (consumergroup) (kafka_consumergroup_lag) > 10000", "consumers-behind"),
    ("sum by (consumergroup) (kafka_consumergroup_lag) < 10000", ""),
    # requests
    ('sum(rate(http_requests_total{code=~"5.."}[5m])) / sum(rate(http_requests_total[5m])) > 0.05', "requests-failing"),
    ('sum(rate(http_requests_total{code=~"2.."}[5m])) / sum(rate(http_requests_total[5m])) > 0.05', ""),
    ('1 - sum(rate(http_requests_total{code!~"2.."}[5m])) / sum(rate(http_requests_total[5m])) < 0.9',
     "requests-failing"),
    ("sum(rate(http_requests_total[5m])) == 0", "traffic-lost"),
    ("histogram_quantile(0.99, sum by (le) (rate(http_request_duration_seconds_bucket[5m]))) > 1", "requests-slow"),
    ("pg_stat_activity_count / on () pg_settings_max_connections > 0.8", "connections-exhausted"),
    ("time() - velero_backup_last_successful_timestamp > 86400", "backup-failed"),
    ("certmanager_certificate_expiration_timestamp_seconds - time() < 604800", "credential-expiring"),
    ("vector(1)", ""),
)  # fmt: skip


@pytest.mark.parametrize(("expression", "noticed"), REVIEWED)
def test_a_reviewed_expression_notices_what_was_judged(expression: str, noticed: str) -> None:
    meaning = signals.of_promql(expression)
    assert meaning.reason == ""
    assert sorted({each.mode for each in meaning.senses}) == noticed.split()


@pytest.mark.parametrize(
    "expression",
    [
        "shop_orders_stuck > 5",  # a metric of their own
        "up == 0 and shop_is_open == 1",  # one that is known, held back by one that is not
        "up == 0 and on () hour() > 6",  # at certain times only
        "sum(rate(http_requests_total[5m]))",  # nothing to compare with
        "up{",
        "((((",
        "not promql at all",
        "{job='x'} > 1",
        "x" * 30_000,
        "1 +" * 3_000 + "up",
    ],
)
def test_what_is_not_understood_says_why_and_covers_nothing(expression: str) -> None:
    meaning = signals.of_promql(expression)
    assert meaning.reason
    assert not meaning.senses


def test_a_recording_rule_stands_for_its_expression() -> None:
    records = {
        "job:errors:ratio": 'sum(rate(http_requests_total{code=~"5.."}[5m])) / sum(rate(http_requests_total[5m]))'
    }
    assert signals.of_promql('job:errors:ratio{service="a"} > 0.1').reason
    (sense,) = signals.of_promql('job:errors:ratio{service="a"} > 0.1', records).senses
    assert (sense.mode, sense.matchers[-1]) == ("requests-failing", Matcher("service", "=", "a"))
    loops = {"a": "b", "b": "a"}
    assert signals.of_promql("a > 1", loops).reason


# Golden signals as New Relic's Terraform modules write them, the queries our own.
@pytest.mark.parametrize(
    ("query", "operator", "noticed"),
    [
        ("SELECT count(*) FROM TransactionError", "above", "requests-failing"),
        ("SELECT percentage(count(*), WHERE error IS true) FROM Transaction FACET appName", "above",
         "requests-failing"),
        ("SELECT filter(count(newrelic.timeslice.value), WHERE metricTimesliceName = 'Errors/all') / 2 FROM Metric",
         "above", "requests-failing"),
        (("SELECT filter(average(newrelic.timeslice.value), WHERE metricTimesliceName = 'HttpDispatcher') FROM Metric "
         "WHERE appId IN (…)"), "above", "requests-slow"),
        ("SELECT filter(count(newrelic.timeslice.value), WHERE metricTimesliceName = 'HttpDispatcher') FROM Metric",
         "below", "traffic-lost"),
        ("FROM Transaction SELECT percentile(duration, 99)", "above", "requests-slow"),
        ("SELECT average(cpuPercent) FROM SystemSample", "above", ""),
        ("SELECT latest(podsMissing) FROM K8sDeploymentSample", "above", "replicas-unavailable"),
    ],
)  # fmt: skip
def test_a_reviewed_query_notices_what_was_judged(query: str, operator: str, noticed: str) -> None:
    meaning = queries.of_nrql(query, signals.directions_of(operator))
    assert meaning.reason == ""
    assert " ".join(each.mode for each in meaning.senses) == noticed


@pytest.mark.parametrize(
    ("query", "operator"),
    [
        ("SELECT count(*) FROM ShopOrder", "below"),
        ("SELECT average(duration) FROM Transaction", "below"),  # fast requests are no failure
        ("SELECT uniqueCount(host) FROM SystemSample", "above"),
        ("SHOW EVENT TYPES", "above"),
    ],
)
def test_a_query_about_something_else_or_the_other_way_is_not_understood(query: str, operator: str) -> None:
    assert queries.of_nrql(query, signals.directions_of(operator)).reason


def test_alarms_and_monitors_go_by_their_metric_and_direction() -> None:
    def cloudwatch(metric: str, operator: str) -> list[str]:
        meaning = queries.of_metric("cloudwatch", metric, signals.directions_of(operator))
        return [each.mode for each in meaning.senses]

    assert cloudwatch("AWS/ApplicationELB/UnHealthyHostCount", "GreaterThanThreshold") == ["backends-unhealthy"]
    assert cloudwatch("AWS/ApplicationELB/UnHealthyHostCount", "LessThanThreshold") == []
    assert cloudwatch("AWS/RDS/FreeStorageSpace", "LessThanOrEqualToThreshold") == ["disk-full"]
    assert queries.of_metric("cloudwatch", "MyApp/ErrorCount", frozenset(("rises",))).reason
    (sense,) = queries.of_datadog("avg(last_5m):sum:kubernetes.containers.restarts{service:api} by {pod} > 5").senses
    assert (sense.mode, sense.matchers[0].value) == ("containers-restarting", "api")
    assert queries.of_datadog('logs("error").index("*").rollup("count").last("5m") > 1').reason


HITS = "avg(last_4h):anomalies(sum:trace.http.request.hits{service:api}, 'agile', 3"


@pytest.mark.parametrize(
    ("kind", "query", "noticed"),
    [
        ("query alert", "avg(last_4h):anomalies(avg:trace.http.request.errors{service:api}, 'basic', 2) >= 1",
         "requests-failing"),
        ("query alert", f"{HITS}, direction='below') >= 0.9", "traffic-lost"),
        ("query alert", f"{HITS}, direction='above') >= 0.9", "-"),
        ("query alert", "avg(last_4h):anomalies(avg:shop.basket{*}, 'basic', 2) >= 1", "?"),
        ("query alert", "avg(last_30m):outliers(avg:system.disk.in_use{*} by {host}, 'dbscan', 2) > 0", "?"),
        ("metric alert", "max(next_1w):forecast(avg:system.disk.in_use{*} by {host}, 'linear', 1) >= 0.9",
         "node-disk-full"),
        ("log alert", 'logs("service:api @http.status_code:[500 TO 599]").index("*").rollup("count").last("5m") > 20',
         "requests-failing"),
        ("log alert", 'logs("service:api -@http.status_code:5*").index("*").rollup("count").last("5m") > 20', "?"),
        ("log alert", 'logs("service:api @http.status_code:5*").index("*").rollup("count").last("5m") < 1', "?"),
        ("log alert", 'logs("status:error").index("*").rollup("count").last("5m") > 20', "?"),
        ("trace-analytics alert",
         'trace-analytics("service:api @http.status_code:5*").rollup("count").last("5m") > 5', "requests-failing"),
        ("service check", '"postgres.can_connect".over("host:main").last(3).count_by_status()', "database-down"),
        ("service check", '"shop.is_open".over("*").last(3).count_by_status()', "?"),
        ("composite", "1234 && 5678", "?"),
        ("event-v2 alert", 'events("source:deploy").rollup("count").last("5m") > 5', "?"),
    ],
)  # fmt: skip
def test_a_monitor_is_a_claim_where_it_is_clear_and_not_understood_elsewhere(
    kind: str, query: str, noticed: str
) -> None:
    meaning = queries.of_datadog(query, kind)
    told = "?" if meaning.reason else " ".join(each.mode for each in meaning.senses) or "-"
    assert told == noticed
    assert not (meaning.reason and meaning.senses)


ALARMS = """
resource "aws_cloudwatch_metric_alarm" "%s" {
  alarm_name          = "alarm"
  alarm_actions       = ["arn:aws:sns:eu-central-1:123456789012:on-call"]
  comparison_operator = "%s"
  evaluation_periods  = 2
  threshold           = 5
  %s
  metric_query {
    id = "bad"
    %s
    metric {
      metric_name = "HTTPCode_Target_5XX_Count"
      namespace   = "AWS/ApplicationELB"
      period      = 60
      stat        = "Sum"
      dimensions  = { LoadBalancer = "api" }
    }
  }
  metric_query {
    id = "all"
    metric {
      metric_name = "RequestCount"
      namespace   = "AWS/ApplicationELB"
      period      = 60
      stat        = "Sum"
    }
  }
  %s
}
"""


@pytest.mark.parametrize(
    ("expression", "operator", "noticed"),
    [
        ("100 * bad / all", "GreaterThanThreshold", "requests-failing"),
        ("bad / (bad + all)", "GreaterThanThreshold", "requests-failing"),
        ("100 * bad / all", "LessThanThreshold", "-"),
        ("1 - bad / all", "LessThanThreshold", "requests-failing"),
        ("all - bad", "LessThanThreshold", "requests-failing traffic-lost"),
        ("IF(all > 100, bad / all, 0)", "GreaterThanThreshold", "?"),
        ("FILL(bad, 0)", "GreaterThanThreshold", "?"),
        ("bad / other", "GreaterThanThreshold", "requests-failing"),
        ("other / bad", "GreaterThanThreshold", "?"),
        ("", "GreaterThanThreshold", "requests-failing"),  # the metric itself is what is compared
    ],
)
def test_metric_math_is_read_as_far_as_it_is_sums_and_ratios(expression: str, operator: str, noticed: str) -> None:
    asked = f'metric_query {{\n id = "e"\n expression = "{expression}"\n return_data = true\n }}' if expression else ""
    text = ALARMS % ("a", operator, "", "" if expression else "return_data = true", asked)
    (rule,) = alert_rules.rules(platform(main_tf=text))
    told = "?" if rule.reason else " ".join(sorted({each.mode for each in rule.senses})) or "-"
    assert told == noticed, rule.reason


def test_an_alarm_on_a_band_goes_by_its_operator_and_a_combined_one_is_not_understood() -> None:
    band = 'metric_query {\n id = "b"\n expression = "ANOMALY_DETECTION_BAND(bad, 2)"\n }'
    text = ALARMS % ("a", "GreaterThanUpperThreshold", 'threshold_metric_id = "b"', "return_data = true", band)
    text += (
        'resource "aws_cloudwatch_composite_alarm" "c" {\n alarm_name = "any"\n alarm_rule = "ALARM(a) OR ALARM(b)"\n'
        ' alarm_actions = ["arn:aws:sns:eu-central-1:123456789012:on-call"]\n}'
    )
    found = {rule.name: rule for rule in alert_rules.rules(platform(main_tf=text))}
    assert [each.mode for each in found["alarm"].senses] == ["requests-failing"]
    assert (found["any"].senses, found["any"].reason) == ((), queries.COMBINES)


def test_every_row_of_the_data_has_a_source_and_a_failure_mode_that_exists() -> None:
    assert len(signals.signals()) > 200
    for each in signals.signals():
        assert each.source.startswith("https://")
        assert set(each.modes) <= set(signals.modes())
    watched = {mode for each in signals.signals() for mode in each.modes}
    assert watched == set(signals.modes()), "a failure mode that no signal tells of could never be covered"


API = """apiVersion: apps/v1
kind: Deployment
metadata: {name: api, namespace: shop}
spec: {replicas: 3, template: {metadata: {labels: {app: api}}, spec: {containers: [{name: api}]}}}
"""


def state(expression: str, mode: str, about: str = API) -> coverage.Cell:
    rules = f"groups: [{{name: g, interval: 30s, rules: [{{alert: A, expr: '{expression}', for: 2m}}]}}]"
    found = coverage.coverage(platform(api_yaml=about, rules_yaml=rules))
    return next(each for each in found.cells if each.mode == mode and each.subject.id.endswith("api"))


@pytest.mark.parametrize(
    ("labels", "wanted"),
    [
        ("", State.COVERED),
        ('namespace="shop"', State.COVERED),
        ('namespace="search"', State.NONE),
        ('namespace=~"shop|search"', State.COVERED),
        ('namespace!~"openshift-.+"', State.COVERED),
        ('deployment="web"', State.NONE),
        ('deployment=~"ap.*"', State.COVERED),
        ('pod=~"api-[a-z0-9]{5}(x+)+$"', State.UNKNOWN),  # a pattern of an upload is never run
        ('job="kube-state-metrics"', State.COVERED),  # the exporter, not who is watched
        ('namespace!=""', State.COVERED),
    ],
)
def test_labels_say_whose_failure_is_noticed(labels: str, wanted: State) -> None:
    expression = f"kube_deployment_status_replicas_available{{{labels}}} < 1"
    assert state(expression, "replicas-unavailable").state == wanted


def test_an_alert_on_deployments_watches_no_stateful_set() -> None:
    about = API.replace("kind: Deployment", "kind: StatefulSet")
    assert state("kube_deployment_status_replicas_available < 1", "replicas-unavailable", about).state == State.NONE
    assert state("kube_statefulset_status_replicas_ready < 1", "replicas-unavailable", about).state == State.COVERED


def test_the_time_to_open_is_the_rules_own_and_a_bound_where_something_is_not_stated() -> None:
    cell = state("up == 0", "signal-lost")
    assert (cell.best, cell.worst) == (120, None)
    assert cell.rules[0].wait_reason == "Prometheus' scrape_interval is not stated"
    assert (cell.rules[0].place.path, cell.rules[0].place.line) == ("rules.yaml", 1)


def test_a_rule_that_is_not_understood_makes_what_its_words_point_at_unknown_and_nothing_covered() -> None:
    cell = state("shop_memory_left < 5", "memory-exhausted")
    assert (cell.state, cell.why) == (State.UNKNOWN, "A: what shop_memory_left measures is not known")
    assert state("shop_memory_left < 5", "signal-lost").state == State.NONE


def test_without_any_rule_nothing_is_said_to_be_missing() -> None:
    assert fails("alert-coverage", api_yaml=API) == []
    (told,) = unsure("alert-coverage", api_yaml=API)
    assert told.provide.startswith("the alert rules")


names = st.sampled_from(["up", "kube_pod_status_ready", "node_load1", "own_metric"])
numbers = st.integers(0, 99).map(str)
expressions = st.recursive(
    names | numbers,
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from(["+", "-", "*", "/", ">", "<", "==", "and", "or", "unless"]), inner).map(
            lambda each: f"({each[0]} {each[1]} {each[2]})"
        ),
        inner.map(lambda each: f"sum by (pod) ({each})"),
    ),
    max_leaves=8,
)


@given(expressions)
def test_whatever_parses_is_judged_and_what_has_an_unknown_metric_covers_nothing(text: str) -> None:
    meaning = signals.of_promql(text)
    if "own_metric" in text:
        assert meaning.reason
        assert not meaning.senses


@given(st.text(max_size=60))
def test_no_text_ends_the_reader(text: str) -> None:
    with contextlib.suppress(NotUnderstood):
        assert list(promql.metrics(promql.parse(text))) is not None


def test_precedence_is_prometheus_own() -> None:
    node = promql.parse("a + b * 2 > 1 and c or d")
    assert isinstance(node, Binary)
    assert node.operator == "or"
    assert isinstance(node.left, Binary)
    assert node.left.operator == "and"
    assert promql.parse('sum by (x) (rate(m{l="v"}[5m] offset 1h))') == Call(
        "sum", (Call("rate", (Metric("m", (Matcher("l", "=", "v"),)),)),)
    )


UP, FEW = "up == 0", "kube_deployment_status_replicas_available < 1"


def judged(*expressions: str, facts: str = "", about: str = API, **files: str) -> engine.Outcome:
    """Of alerts A, B and so on."""
    rules = "".join(
        f"  - {{alert: {name}, expr: '{expression}', for: 2m}}\n"
        for name, expression in zip("ABCDEFG", expressions, strict=False)
    )
    text = f"groups:\n- name: g\n  rules:\n{rules}"
    return outcome("alert-coverage", api_yaml=about, rules_yaml=text, **({"facts": facts} if facts else {}), **files)


NOTICED = "alerting: {notices: {B: [%s]}}"
ALL_BUT = "containers-restarting, rollout-stuck, signal-lost"


@pytest.mark.parametrize(
    ("expressions", "notices", "severity", "title"),
    [
        (["node_load1 > 9"], "", "high", "api: no alert for 5 of 5 ways to fail"),
        ([UP], "", "high", "api: no alert for 4 of 5 ways to fail"),
        ([FEW], "", "medium", "api: no alert for 4 of 5 ways to fail"),
        (["shop_replicas_missing > 0"], "", "medium", "api: no alert for 4 of 5 ways to fail"),
        ([FEW, "shop_a > 1"], ALL_BUT, "low", "api: no alert when memory runs out"),
        ([UP, "shop_a > 1"], f"{ALL_BUT}, memory-exhausted", "high",
         "api: no alert when fewer pods are ready than wanted"),
        ([FEW, "shop_a > 1"], "signal-lost, rollout-stuck, memory-exhausted", "medium",
         "api: no alert when containers crash, or never start"),
    ],
)  # fmt: skip
def test_what_nothing_notices_weighs_most_where_no_alert_would_tell_of_an_outage(
    expressions: list[str], notices: str, severity: str, title: str
) -> None:
    (found,) = judged(*expressions, facts=NOTICED % notices if notices else "").found
    assert (str(found.severity), found.fail.title) == (severity, title)


def test_what_is_missing_is_told_beside_what_notices_the_rest() -> None:
    (found,) = judged(FEW, "shop_a > 1", facts=NOTICED % "signal-lost, rollout-stuck").found
    assert found.fail.why == (
        "No rule that is known here would tell when containers crash, or never start; memory runs out. "
        "Others are noticed, by A, B."
    )
    (quantity,) = found.fail.quantities
    assert (quantity.value, quantity.unit) == (2, "failure modes")
    told = {each.name: (each.value, each.source, each.path, each.line) for each in quantity.inputs}
    assert told == {
        "replicas-unavailable": ("A opens after 120 s at the soonest", "file", "rules.yaml", 4),
        "rollout-stuck": ("B opens after 120 s at the soonest", "file", "rules.yaml", 5),
        "signal-lost": ("B opens after 120 s at the soonest", "file", "rules.yaml", 5),
        "containers-restarting": ("none", "file", "api.yaml", 1),
        "memory-exhausted": ("none", "file", "api.yaml", 1),
    }
    (alone,) = judged("node_load1 > 9").found
    assert "Others" not in alone.fail.why


def test_the_fastest_alert_is_the_one_that_notices() -> None:
    """One whose latest time is not known comes after those with one; what is later is told in seconds."""
    times = "global: {scrape_interval: 15s, evaluation_interval: 30s}\n"
    notified = "route: {receiver: a, group_wait: 10s}\nreceivers: [{name: a, pagerduty_configs: [{}]}]\n"
    rules = """groups:
- name: g
  rules:
  - {alert: A, expr: 'up == 0', for: "{{ wait }}"}
  - {alert: B, expr: 'up == 0', for: 5m}
  - {alert: C, expr: 'up == 0', for: 1m}
"""
    found = coverage.coverage(platform(api_yaml=API, rules_yaml=rules, prometheus_yml=times, alertmanager_yml=notified))
    cell = next(each for each in found.cells if each.mode == "signal-lost" and each.subject.id.endswith("api"))
    assert [each.name for each in cell.rules] == ["C", "B", "A"]
    assert (cell.best, cell.worst) == (70, 115)
    (fail,) = fails("alert-coverage", api_yaml=API, rules_yaml=rules, prometheus_yml=times, alertmanager_yml=notified)
    assert [each.value for each in fail.quantities[0].inputs if each.name == "signal-lost"] == [
        "C opens after 115 s at the latest"
    ]


def test_a_rule_that_is_not_understood_and_points_nowhere_is_asked_for_by_itself() -> None:
    def asked(*expressions: str, facts: str = "") -> list[tuple[str, str]]:
        return [(each.subject, each.provide) for each in judged(*expressions, facts=facts).tallies[0].unsure]

    assert asked("shop_is_open < 1") == [("A", "facts: alerting.notices.A")]
    assert asked("shop_memory_left < 5") == [("Deployment/shop/api", "facts: alerting.notices.A")]
    assert asked(FEW) == []
    assert asked(FEW, "shop_is_open < 1", facts="alerting: {notices: {B: [requests-failing, nonsense]}}") == []
    # Understood, and about no failure.
    condition = CONDITION % ("a", "a", "", "SELECT average(cpuPercent) FROM SystemSample", "above")
    found = outcome("alert-coverage", api_yaml=API, main_tf=condition)
    assert found.tallies[0].unsure == []


def test_what_is_noticed_in_every_way_passes_and_what_may_be_is_unknown() -> None:
    every = f"{ALL_BUT}, memory-exhausted"
    tally = judged(FEW, "shop_a > 1", facts=NOTICED % every).tallies[0]
    assert (tally.failed, tally.passed, tally.unsure) == (0, 1, [])
    tally = judged(FEW, "shop_a > 1", "shop_memory_left < 5", facts=NOTICED % ALL_BUT).tallies[0]
    assert (tally.failed, tally.passed, [each.reason for each in tally.unsure]) == (0, 0, [
        "whether an alert notices when memory runs out: C: what shop_memory_left measures is not known"
    ])  # fmt: skip


CONDITION = """resource "newrelic_nrql_alert_condition" "%s" {
  name               = "%s"
  aggregation_window = 60
  aggregation_delay  = 120
  %s
  nrql {
    query = "%s"
  }
  critical {
    operator              = "%s"
    threshold             = 5
    threshold_duration    = 300
    threshold_occurrences = "all"
  }
}
"""
ERRORS = "SELECT count(*) FROM TransactionError"
ONE = CONDITION % ("a", "errors", "", ERRORS, "above")
LOSS = "expiration_duration = 300\n  open_violation_on_expiration = %s"
MONITOR = """resource "datadog_monitor" "a" {
  name    = "restarts"
  type    = "metric alert"
  query   = "avg(last_5m):sum:kubernetes.containers.restarts{service:api} by {pod} > 5"
  message = "@on-call"
  %s
}
"""
ALARM = """resource "aws_cloudwatch_metric_alarm" "%s" {
  alarm_name          = "%s"
  alarm_actions       = [%s]
  comparison_operator = "GreaterThanThreshold"
  evaluation_periods  = 2
  period              = 60
  threshold           = 5
  metric_name         = "UnHealthyHostCount"
  namespace           = "AWS/ApplicationELB"
  %s
}
"""
TOPIC = '"arn:aws:sns:eu-central-1:123456789012:on-call"'
NOT_KNOWN = "its metric, namespace or comparison is not known"


@pytest.mark.parametrize(
    ("text", "name", "noticed", "why_not"),
    [
        (ONE, "errors", "requests-failing", ""),
        (CONDITION % ("a", "", "", ERRORS, "above"), "newrelic_nrql_alert_condition.a", "requests-failing", ""),
        (ONE.replace('operator              = "above"', ""), "errors", "",
         "whether it opens above or below its threshold is not known"),
        (ONE.replace('operator              = "above"', "").replace("  nrql",
         '  type = "baseline"\n  baseline_direction = "upper_only"\n  nrql'), "errors", "requests-failing", ""),
        (ONE.replace(f'"{ERRORS}"', "var.query"), "errors", "", "variable query is not declared here"),
        (ONE.replace(f'query = "{ERRORS}"', ""), "errors", "", "its query is not stated"),
        (CONDITION % ("a", "a", LOSS % "true", ERRORS, "above"), "a", "requests-failing signal-lost", ""),
        (CONDITION % ("a", "a", LOSS % "false", ERRORS, "above"), "a", "requests-failing", ""),
        (MONITOR % "", "restarts", "containers-restarting", ""),
        (MONITOR % "notify_no_data = true", "restarts", "containers-restarting signal-lost", ""),
        (MONITOR % "notify_no_data = false", "restarts", "containers-restarting", ""),
        (MONITOR % 'on_missing_data = "show_and_notify_no_data"', "restarts", "containers-restarting signal-lost", ""),
        (MONITOR % 'on_missing_data = "resolve"', "restarts", "containers-restarting", ""),
        (ALARM % ("a", "hosts", TOPIC, ""), "hosts", "backends-unhealthy", ""),
        (ALARM % ("a", "", TOPIC, ""), "aws_cloudwatch_metric_alarm.a", "backends-unhealthy", ""),
        (ALARM % ("a", "hosts", TOPIC, 'treat_missing_data = "breaching"'), "hosts",
         "backends-unhealthy signal-lost", ""),
        (ALARM % ("a", "hosts", TOPIC, 'treat_missing_data = "missing"'), "hosts", "backends-unhealthy", ""),
        ((ALARM % ("a", "hosts", TOPIC, "")).replace('metric_name         = "UnHealthyHostCount"', ""), "hosts", "",
         NOT_KNOWN),
        ((ALARM % ("a", "hosts", TOPIC, "")).replace('namespace           = "AWS/ApplicationELB"', ""), "hosts", "",
         NOT_KNOWN),
        ((ALARM % ("a", "hosts", TOPIC, "")).replace('comparison_operator = "GreaterThanThreshold"', ""), "hosts", "",
         NOT_KNOWN),
    ],
)  # fmt: skip
def test_an_alert_notices_what_it_compares_and_what_it_says_of_lost_data(
    text: str, name: str, noticed: str, why_not: str
) -> None:
    (rule,) = alert_rules.rules(platform(main_tf=text))
    assert (rule.name, " ".join(each.mode for each in rule.senses), rule.reason) == (name, noticed, why_not)


def test_alerts_after_one_that_tells_nobody_count() -> None:
    alarms = ALARM % ("s", "silent", "", "") + ALARM % ("a", "hosts", TOPIC, "")
    combined = 'resource "aws_cloudwatch_composite_alarm" "%s" {\n alarm_name = "%s"\n alarm_rule = "ALARM(x)"\n%s}\n'
    both = combined % ("s", "quiet", "") + combined % ("l", "loud", f" alarm_actions = [{TOPIC}]\n")
    assert [each.name for each in alert_rules.rules(platform(main_tf=alarms + both))] == ["hosts", "loud"]
    rules = """groups:
- name: g
  rules:
  - {alert: A, expr: 'up == 0', labels: {severity: quiet}}
  - {alert: B, expr: 'up == 0', labels: {severity: page}}
"""
    routes = """route: {receiver: a, routes: [{receiver: none, match: {severity: quiet}}]}
receivers: [{name: a, pagerduty_configs: [{}]}, {name: none}]
"""
    assert [each.name for each in alert_rules.rules(platform(r_yaml=rules, alertmanager_yml=routes))] == ["B"]


@pytest.mark.parametrize(
    ("group", "world", "route", "worst", "why"),
    [
        ("interval: 30s", "scrape_interval: 15s, evaluation_interval: 60s", "group_wait: 10s", 175, ""),
        ("limit: 9", "scrape_interval: 15s, evaluation_interval: 60s", "group_wait: 10s", 205, ""),
        ("limit: 9", "evaluation_interval: 15s", "group_wait: 10s", 205, ""),  # a minute, by default
        ("limit: 9", "scrape_interval: 15s", "group_wait: 10s", 205, ""),
        ("limit: 9", "scrape_interval: 15s, evaluation_interval: 60s", "group_interval: 5m", 225, ""),
        ("limit: 9", "scrape_interval: '{{ a }}', evaluation_interval: 15s", "group_wait: 10s", None, "scrape"),
        ("limit: 9", "scrape_interval: 15s, evaluation_interval: '{{ a }}'", "group_wait: 10s", None, "evaluation"),
        ("limit: 9", "scrape_interval: 15s, evaluation_interval: 15s", "group_wait: '{{ a }}'", None, "group_wait"),
    ],
)
def test_the_latest_time_until_an_alert_of_prometheus_opens_needs_every_interval(
    group: str, world: str, route: str, worst: int | None, why: str
) -> None:
    (rule,) = alert_rules.rules(platform(
        rules_yaml=f"groups: [{{name: g, {group}, rules: [{{alert: A, expr: 'up == 0', for: 2m}}]}}]",
        prometheus_yml=f"global: {{{world}}}\n",
        alertmanager_yml=f"route: {{receiver: a, {route}}}\nreceivers: [{{name: a, pagerduty_configs: [{{}}]}}]\n",
    ))  # fmt: skip
    assert rule.worst == worst
    assert why in rule.wait_reason


SERVES = API.replace("[{name: api}]", "[{name: api, ports: [{containerPort: 80}]}]") + (
    "---\napiVersion: v1\nkind: Service\nmetadata: {name: api, namespace: shop}\n"
    "spec: {selector: {app: api}, ports: [{port: 80}]}\n"
)
FAILING = 'sum(rate(http_requests_total{service="api", code=~"5.."}[5m])) > 5'


@pytest.mark.parametrize(
    ("expression", "severity", "count"),
    [
        ("node_load1 > 9", "high", 8),
        (FEW, "medium", 7),  # requests that fail are noticed by nothing, and pods that are gone by one
        (FAILING, "medium", 7),
        ("shop_replicas_missing > 0", "medium", 7),  # which may be one
        (UP, "high", 7),
    ],
)
def test_one_alert_that_would_tell_of_an_outage_leaves_another_way_to_fail_less_grave(
    expression: str, severity: str, count: int
) -> None:
    (found,) = judged(expression, about=SERVES).found
    assert (str(found.severity), found.fail.quantities[0].value) == (severity, count)
    assert found.fail.title == f"api: no alert for {count} of 8 ways to fail"


@pytest.mark.parametrize(("facts", "is_told"), [("true", True), ("false", False)])
def test_that_there_is_no_other_alert_is_taken_from_the_facts_alone(facts: str, is_told: bool) -> None:
    found = outcome("alert-coverage", api_yaml=API, facts=f"alerting: {{complete: {facts}}}")
    assert [each.fail.title for each in found.found] == (["api: no alert for 5 of 5 ways to fail"] if is_told else [])
    assert len(found.tallies[0].unsure) == (not is_told)


def test_a_digest_changes_with_any_answer_and_with_nothing_else() -> None:
    def digest(*expressions: str) -> str:
        rules = "".join(f"{{alert: A{at}, expr: '{each}'}}, " for at, each in enumerate(expressions))
        return coverage.digest(
            coverage.coverage(platform(api_yaml=API, r_yaml=f"groups: [{{name: g, rules: [{rules}]}}]"))
        )

    assert digest(FEW) == digest(FEW, FEW) == digest("kube_deployment_status_replicas_ready < 1")
    assert len({digest("node_load1 > 9"), digest(FEW), digest(UP), digest("shop_replicas_missing > 0")}) == 4


@pytest.mark.parametrize(
    ("labels", "wanted"),
    [
        ('pod="api-0"', State.NONE), ('pod=~"api-0"', State.COVERED), ('pod="api"', State.COVERED),
        ('deployment!="api"', State.NONE), ('deployment!="web"', State.COVERED), ('deployment=""', State.UNKNOWN),
        ('persistentvolumeclaim="data"', State.UNKNOWN), ('deployment="api", namespace="search"', State.NONE),
    ],
)  # fmt: skip
def test_a_name_is_the_subjects_own_or_another_ones(labels: str, wanted: State) -> None:
    expression = f"kube_deployment_status_replicas_available{{{labels}}} < 1"
    assert state(expression, "replicas-unavailable").state == wanted


def test_rules_by_name_and_rules_for_all_notice_together_in_their_order() -> None:
    named, other = FEW.replace(" <", '{deployment="api"} <'), FEW.replace(" <", '{deployment="web"} <')
    rules = "".join(f"{{alert: A{at}, expr: '{each}'}}, " for at, each in enumerate((other, FEW, named)))
    found = coverage.coverage(platform(api_yaml=API, r_yaml=f"groups: [{{name: g, rules: [{rules}]}}]"))
    (cell,) = [each for each in found.cells if each.mode == "replicas-unavailable"]
    assert [each.name for each in cell.rules] == ["A1", "A2"]

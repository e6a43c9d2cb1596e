"""What rules of Grafana's own come to."""

import json
from typing import Any

import pytest

from findings.checks import alert_rules, signals
from findings.checks.alert_delay import grafana_seconds
from findings.platform import grafana
from findings.platform.grafana import GrafanaRule
from tests.findings.checks.reading import fails, platform, unsure

ERRORS = 'sum(rate(http_requests_total{code=~"5.."}[5m]))'


def query(expr: str, ref: str = "A", **more: Any) -> dict[str, Any]:
    return {"refId": ref, "datasourceUid": "prometheus", "relativeTimeRange": {"from": 600, "to": 0},
            "model": {"expr": expr} | more}  # fmt: skip


def step(ref: str, **model: Any) -> dict[str, Any]:
    return {"refId": ref, "datasourceUid": "__expr__", "model": model}


def compared(kind: str, *params: Any, **more: Any) -> dict[str, Any]:
    return {"evaluator": {"type": kind, "params": list(params)}} | more


def provisioned(data: list[dict[str, Any]], **fields: Any) -> str:
    rule = {"uid": "r", "title": "rule", "condition": data[-1]["refId"], "for": "2m", "data": data} | fields
    return json.dumps({"apiVersion": 1, "groups": [{"name": "g", "interval": "1m", "rules": [rule]}]})


def rule(data: list[dict[str, Any]], **fields: Any) -> GrafanaRule:
    (group,) = grafana.groups(platform(rules_json=provisioned(data, **fields)))
    return group.rules[0]


@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        ([step("B", type="threshold", expression="A", conditions=[compared("gt", 5)])], "((x) > 5)"),
        ([step("B", type="threshold", expression="$A", conditions=[compared("lt", 5)])], "((x) < 5)"),
        ([step("B", type="threshold", expression="A", conditions=[compared("within_range", 1, 2)])],
         "((x) > 1 and (x) < 2)"),
        ([step("B", type="threshold", expression="A", conditions=[compared("outside_range", 1, 2)])],
         "((x) < 1 or (x) > 2)"),
        ([step("B", type="threshold", conditions=[compared("gte", 0.5, query={"params": ["A"]})])], "((x) >= 0.5)"),
        ([step("B", type="reduce", expression="A", reducer="last"),
          step("C", type="threshold", expression="B", conditions=[compared("gt", 5)])], "((x) > 5)"),
        ([step("B", type="math", expression="$A / 2 > 0.1 && ${A} < 7")], "((x) / 2 > 0.1  and  (x) < 7)"),
        ([step("B", type="classic_conditions", conditions=[
            compared("gt", 5, query={"params": ["A"]}, reducer={"type": "last"}),
            compared("no_value", query={"params": ["A"]}, operator={"type": "or"})])], "((x) > 5) or absent((x))"),
        ([], "(x)"),
    ],
)  # fmt: skip
def test_a_condition_is_written_as_one_expression(steps: list[dict[str, Any]], expected: str) -> None:
    assert rule([query("x"), *steps]).expression == expected


@pytest.mark.parametrize(
    ("data", "why"),
    [
        ([step("B", type="threshold", expression="A", conditions=[compared("gt", 5)])], "its step A is not there"),
        ([step("A", type="reduce", expression="B"), step("B", type="reduce", expression="A")], "lead in a circle"),
        ([query("x") | {"model": {"rawSql": "SELECT 1"}}], "no PromQL"),
        ([query("x"), step("B", type="sql", expression="SELECT 1")], "type sql is not read"),
        ([query("x"), step("B", type="threshold", expression="A", conditions=[compared("gt")])], "threshold"),
        ([query("x"), step("B", type="threshold", expression="A", conditions=[compared("odd", 1)])], "type odd"),
        ([query("x"), step("B", type="classic_conditions", conditions=[])], "compares nothing"),
    ],
)
def test_what_is_not_read_says_why(data: list[dict[str, Any]], why: str) -> None:
    found = rule(data)
    assert found.expression == ""
    assert why in found.reason


def test_a_rule_notices_what_its_query_and_threshold_say() -> None:
    threshold = step("B", type="threshold", expression="A", conditions=[compared("gt", 5)])
    text = provisioned([query(ERRORS.replace("5m", "$__rate_interval")), threshold], noDataState="OK")
    (found,) = alert_rules.rules(platform(rules_json=text))
    assert ([each.mode for each in found.senses], found.reason) == (["requests-failing"], "")
    assert (found.best, found.worst) == (120, 180)
    (other,) = alert_rules.rules(platform(rules_json=text.replace('"gt"', '"lt"')))
    assert other.senses == ()


def test_a_rule_that_opens_without_data_notices_that_it_stops() -> None:
    threshold = step("B", type="threshold", expression="A", conditions=[compared("gt", 5)])
    for state, noticed in (("NoData", True), ("Alerting", True), ("OK", False), ("KeepLast", False)):
        text = provisioned([query(ERRORS), threshold], noDataState=state)
        (found,) = alert_rules.rules(platform(rules_json=text))
        assert ("signal-lost" in {each.mode for each in found.senses}) is noticed, state


def test_a_query_of_another_language_is_not_understood() -> None:
    (found,) = alert_rules.rules(platform(rules_json=provisioned([query('sum(rate({app="x"} |= "error" [5m])) > 1')])))
    assert found.reason
    assert {each.mode for each in found.senses} <= {"signal-lost"}
    assert not signals.of_promql("").senses


def test_a_paused_rule_is_none() -> None:
    assert list(grafana.groups(platform(rules_json=provisioned([query("x")], isPaused=True)))) == []


@pytest.mark.parametrize(
    ("reducer", "kind", "instant", "expected"),
    [
        ("last", "gt", False, (0, False)),
        ("mean", "gt", False, (600, False)),
        ("min", "gt", False, (600, True)),
        ("max", "gt", False, (600, False)),
        ("max", "lt", False, (600, True)),
        ("mean", "gt", True, (0, False)),
    ],
)
def test_what_is_gathered_over_a_range_opens_later(
    reducer: str, kind: str, instant: bool, expected: tuple[float, bool]
) -> None:
    reduce = step("B", type="reduce", expression="A", reducer=reducer)
    found = rule([query("x", instant=instant), reduce,
                  step("C", type="threshold", expression="B", conditions=[compared(kind, 5)])])  # fmt: skip
    assert (found.range_seconds, found.needs_whole_range) == expected


def test_it_fires_at_the_first_look_at_which_its_pending_period_is_over() -> None:
    assert grafana_seconds(60, 0, 0, whole=False) == (0, 60)
    assert grafana_seconds(60, 90, 0, whole=False) == (120, 180)
    assert grafana_seconds(60, 120, 600, whole=False) == (120, 780)
    assert grafana_seconds(60, 120, 600, whole=True) == (720, 780)


def test_values_of_helm_and_config_maps_hold_groups() -> None:
    inner = json.loads(provisioned([query("x")]))
    assert len(grafana.groups(platform(values_json=json.dumps({"grafana": {"alerting": {"rules.yaml": inner}}})))) == 1
    text = json.dumps(inner, indent=1)
    config_map = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}, "data": {"rules.yaml": text}}
    (group,) = grafana.groups(platform(map_json=json.dumps(config_map)))
    assert group.id.startswith("ConfigMap/a")


def test_one_group_has_one_failure_that_counts_its_silent_rules() -> None:
    low = step("B", type="threshold", expression="A", conditions=[compared("lt", 5)])
    text = provisioned([query("kube_deployment_status_replicas_available"), low], noDataState="KeepLast")
    (fail,) = fails("signal-loss", rules_json=text)
    assert fail.subject == "rules.json g"
    high = text.replace('"lt"', '"gt"')
    assert not fails("signal-loss", rules_json=high)
    assert len(unsure("signal-loss", rules_json=high)) == 1


def test_of_alerts_that_page_the_slowest_is_held_against_the_objective() -> None:
    data = [query("x > 1", instant=True)]
    text = provisioned(data, labels={"severity": "critical"})
    (told,) = unsure("alert-delay", rules_json=text)
    assert "1 of its alerts page" in told.reason
    assert fails("alert-delay", rules_json=text, facts="slo: {target: 99}") == []
    slow = text.replace('"2m"', '"30m"')
    (fail,) = fails("alert-delay", rules_json=slow, facts="slo: {target: 99.9}")
    assert "1800 to 1860 s" in fail.title


def test_steps_that_each_name_the_one_before_several_times_are_too_many() -> None:
    """Written out as one expression they would have six letters to the power of twenty."""
    steps = [step(f"S{n}", type="math", expression=" + ".join([f"$S{n - 1}"] * 6)) for n in range(1, 20)]
    found = rule([query("x", ref="S0"), *steps])
    assert (found.expression, found.reason) == ("", "its steps lead in a circle, or are too many")

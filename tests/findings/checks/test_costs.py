"""The three checks of cost, beside their samples: what they pass over, and what they do not make up."""

from tests.findings.checks.reading import fails, figures, outcome, unsure

NO_PRICE = "logs: {gb_per_day: 10}"
GROUP = 'resource "aws_cloudwatch_log_group" "edge" {}\n'


def test_without_a_price_there_are_gigabytes_and_no_money() -> None:
    (fail,) = fails("log-retention", logs_tf=GROUP, facts=NO_PRICE)
    assert figures(fail) == {"stored_gb_after_12_months": 3650}
    assert [each.provide for each in unsure("log-retention", logs_tf=GROUP, facts=NO_PRICE)] == ["facts: logs.price"]


def test_several_groups_ask_for_their_own_volumes() -> None:
    two = GROUP + GROUP.replace("edge", "core")
    asked = {each.provide for each in unsure("log-retention", logs_tf=two, facts=NO_PRICE)}
    assert asked == {
        "facts: logs.groups.aws_cloudwatch_log_group.edge.gb_per_day",
        "facts: logs.groups.aws_cloudwatch_log_group.core.gb_per_day",
    }


def test_loki_deletes_only_when_its_compactor_is_told_to() -> None:
    loki = "schema_config: {configs: []}\nlimits_config: {retention_period: 744h}\ncompactor: {retention_enabled: %s}\n"
    assert not fails("log-retention", loki_yaml=loki % "true")
    assert len(fails("log-retention", loki_yaml=loki % "false")) == 1


def test_an_index_lifecycle_without_a_phase_that_deletes_keeps_everything() -> None:
    policy = '{"policy": {"phases": {"hot": {}%s}}}'
    assert len(fails("log-retention", ilm_json=policy % "")) == 1
    assert not fails("log-retention", ilm_json=policy % ', "delete": {"min_age": "30d"}')


def test_pods_are_counted_at_the_most_that_their_autoscaler_allows() -> None:
    app = """apiVersion: apps/v1
kind: Deployment
metadata: {name: api}
spec: {template: {spec: {containers: [{name: api, image: a}]}}}
---
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {name: api}
spec: {maxReplicas: 50, scaleTargetRef: {kind: Deployment, name: api}}
"""
    facts = "metrics: {series_per_pod: 100, interval_seconds: 30, environments: 3, price: 0.30}"
    (fail,) = fails("metric-volume", app_yaml=app, facts=facts)
    assert figures(fail) == {
        "data_points_per_month": 1_296_000_000, "cost_per_month": 388.8, "cost_per_year": 4665.6,
    }  # fmt: skip


def test_a_platform_that_scrapes_nothing_is_not_judged() -> None:
    tally = outcome("metric-volume", app_yaml="a: 1\n").tallies[0]
    assert (tally.failed, tally.passed, tally.unsure) == (0, 0, [])


def test_an_expiry_that_nobody_knows_is_asked_for() -> None:
    definition = "domain: X\ntype: Y\nconfiguration: {entityExpirationTime: SOMETIMES}\n"
    (asked,) = unsure("entity-churn", definition_yml=definition, facts="entities: {churn_per_day: 100}")
    assert "entities.lifetime_days" in asked.provide
    (fail,) = fails("entity-churn", definition_yml=definition, facts="entities: {churn_per_day: 100, lifetime_days: 8}")
    assert figures(fail) == {"zombie_entities": 800}


def test_a_group_is_sized_by_what_is_stated_under_its_address() -> None:
    facts = "logs: {groups: {aws_cloudwatch_log_group.edge: {gb_per_day: 2}}, price: 0.03}"
    (fail,) = fails("log-retention", logs_tf=GROUP, facts=facts)
    assert figures(fail)["stored_gb_after_12_months"] == 730
    assert fail.quantities[0].inputs[0].path == "platform-risk.yaml"
    assert fail.quantities[0].inputs[0].line == 1

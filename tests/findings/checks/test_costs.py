"""The three checks of cost, beside their samples: what they pass over, and what they do not make up."""

import pytest

from tests.findings.checks import reading
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


@pytest.mark.parametrize(
    ("expiry", "churn", "zombies"),
    [
        ("FOUR_HOURS", 599, None),  # fewer than a hundred are nothing to tell
        ("FOUR_HOURS", 600, 100),
        ("DAILY", 100, 100),
        ("EIGHT_DAYS", 12, None),
        ("EIGHT_DAYS", 13, 104),
    ],
)
def test_entities_outlive_their_pods_by_what_their_definition_says(
    expiry: str, churn: int, zombies: int | None
) -> None:
    definition = f"domain: X\ntype: Y\nconfiguration:\n  entityExpirationTime: {expiry}\n"
    outcome = reading.outcome("entity-churn", definition_yml=definition, facts=f"entities: {{churn_per_day: {churn}}}")
    assert [reading.figures(each.fail) for each in outcome.found] == ([{"zombie_entities": zombies}] if zombies else [])
    assert outcome.tallies[0].passed == (zombies is None)
    for found in outcome.found:
        lifetime = found.fail.quantities[0].inputs[1]
        assert (lifetime.source, lifetime.line, lifetime.note) == ("file", 4, expiry)


@pytest.mark.parametrize("text", ["domain: X\n", "type: Y\n", "domain: ''\ntype: Y\n"])
def test_what_is_no_definition_of_an_entity_is_left_alone(text: str) -> None:
    tally = outcome("entity-churn", a_yml=text, facts="entities: {churn_per_day: 100, lifetime_days: 8}").tallies[0]
    assert (tally.failed, tally.passed, tally.unsure) == (0, 0, [])


SCRAPED = "metrics: {pods: %d, series_per_pod: 1000, price: 0.30%s}"
MONITOR = """apiVersion: monitoring.coreos.com/v1
kind: ServiceMonitor
metadata: {name: api}
spec: {endpoints: [%s]}
"""


@pytest.mark.parametrize(
    ("endpoints", "more", "interval", "source"),
    [
        ("{port: web}", "", 30, "provider_default"),
        ("{port: web, interval: 15s}", "", 15, "file"),
        ("{port: web, interval: 60s}, {port: b, interval: 10s}", "", 10, "file"),  # the shortest
        ("{port: web, interval: 15s}", ", interval_seconds: 60", 60, "facts"),
        ("{port: web, interval: 15s}", ", interval_seconds: 0", 15, "file"),
        ("{port: web, interval: often}", "", 30, "provider_default"),
        ("{port: web, interval: 0s}", "", 30, "provider_default"),
    ],
)
def test_pods_are_asked_as_often_as_it_says(endpoints: str, more: str, interval: int, source: str) -> None:
    (fail,) = fails("metric-volume", a_yaml=MONITOR % endpoints, facts=SCRAPED % (1000, more))
    told = {each.name: (each.value, each.source) for each in fail.quantities[0].inputs}
    assert told["interval"] == (interval, source)
    assert figures(fail)["data_points_per_month"] == 1000 * 1000 * 86_400 // interval * 30


@pytest.mark.parametrize(("days", "volume"), [(30, 0), (31, 100_440_000)])
def test_a_hundred_million_points_a_month_are_many(days: int, volume: int) -> None:
    """Thirty-seven and a half pods' worth: 40 pods of 81 series every 86.4 s are 3.24 million a day."""
    facts = f"metrics: {{pods: 40, series_per_pod: 81, interval_seconds: 86.4, days_per_month: {days}}}"
    outcome = reading.outcome("metric-volume", facts=facts)
    assert [figures(each.fail)["data_points_per_month"] for each in outcome.found] == ([volume] if volume else [])
    assert outcome.tallies[0].passed == (not volume)


def test_a_hundred_million_points_exactly_are_many_too() -> None:
    facts = "metrics: {pods: 1000, series_per_pod: 100, interval_seconds: 86.4, days_per_month: 1}"
    (fail,) = fails("metric-volume", facts=facts)
    assert (fail.title, figures(fail)) == ("100 million data points a month", {"data_points_per_month": 100_000_000})
    assert [each.provide for each in unsure("metric-volume", facts=facts)] == [
        "facts: metrics.price and metrics.price_unit"
    ]


@pytest.mark.parametrize(
    ("price", "costs"),
    [
        ("price: 0.5", (5.0, 60.0)),  # per million points, of which there are ten
        ("price: 0.5, price_unit: per_active_series_month", (500_000.0, 6_000_000.0)),
        ("price: 0.5, price_unit: per_gb_ingested, bytes_per_point: 100", (500.0, 6000.0)),
        ("price: 0.5, price_unit: per_gb_ingested", None),
        ("price: -1", None),
        ("price_unit: per_million_points", None),
    ],
)
def test_points_cost_what_their_price_is_for(price: str, costs: tuple[float, float] | None) -> None:
    scale = "pods: 1000, series_per_pod: 1000, interval_seconds: 8640, days_per_month: 1000"
    (fail,) = fails("metric-volume", facts=f"metrics: {{{scale}, {price}}}")
    told = figures(fail)
    assert told["data_points_per_month"] == 10_000_000_000
    expected = costs if costs is None or "unit" in price else (5000.0, 60_000.0)
    assert (told.get("cost_per_month"), told.get("cost_per_year")) == (expected or (None, None))


def test_pods_that_are_not_in_the_files_are_asked_for() -> None:
    facts = "metrics: {series_per_pod: 100, interval_seconds: 30}"
    assert [each.provide for each in unsure("metric-volume", facts=facts)] == ["facts: metrics.pods"]
    assert [each.provide for each in unsure("metric-volume", facts="metrics: {pods: 1, interval_seconds: 30}")] == [
        "facts: metrics.series_per_pod"
    ]


@pytest.mark.parametrize(
    ("text", "verdict"),
    [
        ("", "fails"), ("retention_in_days = 0", "fails"), ("retention_in_days = null", "fails"),
        ("retention_in_days = 1", "passes"), ("retention_in_days = var.d", "unknown"),
        ('retention_in_days = "long"', "unknown"),
    ],
)  # fmt: skip
def test_a_group_of_logs_expires_where_it_says_so(text: str, verdict: str) -> None:
    group = f'resource "aws_cloudwatch_log_group" "edge" {{\n  {text}\n}}\n'
    outcome = reading.outcome("log-retention", logs_tf=group, facts="logs: {gb_per_day: 10, price: 1}")
    tally = outcome.tallies[0]
    assert (tally.failed, tally.passed, len(tally.unsure)) == tuple(
        int(verdict == each) for each in ("fails", "passes", "unknown")
    )
    for found in outcome.found:
        assert found.fail.why == (
            "Nothing says when its logs are deleted." if "0" in text
            else "Terraform aws_cloudwatch_log_group: retention_in_days absent or 0 never expires."
        )  # fmt: skip


@pytest.mark.parametrize(
    ("facts", "told"),
    [
        ("logs: {gb_per_day: 10, stored_gb: 350, disk_gb: 1000}",
         {"stored_gb_after_12_months": 4000, "days_until_full": 65}),
        ("logs: {gb_per_day: 10, stored_gb: 1350, disk_gb: 1000}",
         {"stored_gb_after_12_months": 5000, "days_until_full": 0}),
        ("logs: {gb_per_day: 10, price: 0.03, wanted_retention_days: 90}",
         {"stored_gb_after_12_months": 3650, "cost_per_month_after_12_months": 109.5, "cost_first_year": 658.8,
          "cost_per_month_with_retention": 27}),
        ("logs: {gb_per_day: 0}", {}),
        ("", {}),
    ],
)  # fmt: skip
def test_what_never_leaves_is_sized_as_far_as_it_is_known(facts: str, told: dict[str, float]) -> None:
    (fail,) = fails("log-retention", logs_tf=GROUP, facts=facts)
    assert figures(fail) == told
    assert fail.title == (
        f"{told['stored_gb_after_12_months']:,} GB of logs after a year, and none ever leaves" if told
        else "Its logs never expire"
    )  # fmt: skip


def test_the_retention_that_costs_are_held_against_is_stated_or_assumed() -> None:
    for facts, retention in (("", (30, "assumption")), (", wanted_retention_days: 90", (90, "facts"))):
        (fail,) = fails("log-retention", logs_tf=GROUP, facts=f"logs: {{gb_per_day: 10, price: 0.03{facts}}}")
        kept = next(each for each in fail.quantities if each.name == "cost_per_month_with_retention")
        assert (kept.inputs[-1].value, kept.inputs[-1].source) == retention


@pytest.mark.parametrize("name", ["/shop/edge", "aws_cloudwatch_log_group.edge", "edge"])
def test_facts_may_call_a_group_by_its_name_its_address_or_its_label(name: str) -> None:
    two = GROUP.replace("{}", '{\n  name = "/shop/edge"\n}') + GROUP.replace("edge", "core")
    found = fails("log-retention", logs_tf=two, facts=f"logs: {{groups: {{'{name}': {{gb_per_day: 2}}}}}}")
    assert {each.subject: figures(each) for each in found} == {
        "aws_cloudwatch_log_group.edge": {"stored_gb_after_12_months": 730}, "aws_cloudwatch_log_group.core": {},
    }  # fmt: skip


@pytest.mark.parametrize(
    ("text", "verdict"),
    [
        ("limits_config: {retention_period: 744h}\ncompactor: {retention_enabled: true}\n", "passes"),
        ("limits_config: {retention_period: 0s}\ncompactor: {retention_enabled: true}\n", "fails"),
        ("limits_config: {retention_period: 0h}\ncompactor: {retention_enabled: true}\n", "fails"),
        ("limits_config: {}\ncompactor: {retention_enabled: true}\n", "fails"),
        ("limits_config: {retention_period: 744h}\nschema_config: {configs: []}\n", "fails"),
        ("limits_config: {retention_period: 744h}\ningester: {a: 1}\n", "fails"),
        ("limits_config: {max_streams: 1}\n", "nothing"),  # of something else
        ("schema_config: {configs: []}\n", "nothing"),
    ],
)
def test_loki_keeps_what_nothing_deletes(text: str, verdict: str) -> None:
    tally = outcome("log-retention", loki_yaml=text).tallies[0]
    assert (tally.failed, tally.passed) == (int(verdict == "fails"), int(verdict == "passes"))

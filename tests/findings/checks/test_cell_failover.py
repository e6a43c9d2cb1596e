"""What is left when a cell fails, whole or in part."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from findings.checks import cell_failover
from findings.platform import dns_failover
from platform_risk.quantities import budget
from tests.examples import examples
from tests.findings.checks import reading

POSITIVE = st.lists(st.floats(1, 1e5), min_size=2, max_size=6)


def test_the_survivor_gets_150_percent_more_which_is_250_percent_of_its_load() -> None:
    assert cell_failover.extra_load_percent([60, 40]) == 150.0
    assert cell_failover.survivor_load_percent([60, 40]) == 250.0


def test_the_safe_load_is_what_is_left_without_the_largest_cell() -> None:
    assert cell_failover.safe_load([7000, 5000]) == 5000
    assert cell_failover.safe_load([7000, 5000]) / 12000 * 100 == pytest.approx(41.7, abs=0.05)


def test_ten_percent_of_a_cell_with_sixty_percent_is_six_percent_of_the_requests() -> None:
    assert cell_failover.affected_percent(60, 10) == pytest.approx(6.0)


def test_a_breaker_at_fifty_percent_does_not_see_ten() -> None:
    assert not cell_failover.breaker_trips(10, 50)
    assert cell_failover.breaker_trips(50, 50)


def test_six_percent_of_errors_burn_the_budget_120_times_too_fast() -> None:
    burn = budget.burn_rate(6.0, 99.95)
    assert burn == pytest.approx(120.0)
    assert budget.exhausted_minutes(burn, window_days=7) == pytest.approx(84.0)


def test_three_independent_attempts_leave_one_request_in_1700() -> None:
    assert cell_failover.affected_percent(60, 10, attempts=3) == pytest.approx(0.06)


def test_the_figure_of_the_analysis_is_put_right() -> None:
    text = "cells: [{name: a, capacity_percentage: 60}, {name: b, capacity_percentage: 40}]\n"
    (fail,) = reading.fails("cell-failover", a_yaml=text)
    extra = next(each for each in fail.quantities if each.name == "extra_load_percent")
    assert "not 150 % of its capacity" in extra.assumptions[0]
    assert [each.line for each in extra.inputs] == [1, 1]


def test_cells_inside_a_config_map_are_found_with_their_line() -> None:
    text = """
apiVersion: v1
kind: ConfigMap
metadata: {name: routes}
data:
  routes.yaml: |
    cells:
      - {name: a, weight: 60}
      - {name: b, weight: 40}
"""
    (fail,) = reading.fails("cell-failover", a_yaml=text)
    assert (fail.subject, fail.places[0].line) == ("ConfigMap/routes", 7)


def test_a_cell_that_stands_by_without_traffic_is_asked_for_its_capacity() -> None:
    text = "cells: [{name: a, weight: 100}, {name: b, weight: 0}]\n"
    assert reading.fails("cell-failover", a_yaml=text) == []
    assert [each.provide for each in reading.unsure("cell-failover", a_yaml=text)] == ["facts: cells.a.capacity_rps"]


@pytest.mark.parametrize("text", ["cells: [{name: a}, {name: b}]\n", "cells: [1, 2]\n", "cells: 5\n"])
def test_other_cells_are_left_alone(text: str) -> None:
    outcome = reading.outcome("cell-failover", a_yaml=text)
    assert (outcome.found, outcome.tallies[0].unsure) == ((), [])


@given(POSITIVE, st.floats(1, 1e6))
@settings(max_examples=examples(200), deadline=None)
def test_up_to_the_safe_load_nothing_is_turned_away(capacities: list[float], load: float) -> None:
    shed = cell_failover.shed_percent(load, capacities)
    safe = cell_failover.safe_load(capacities)
    assert 0 <= shed < 100
    if load <= safe:
        assert shed == pytest.approx(0, abs=1e-9)
    elif load > safe * 1.000001:
        assert shed > 0


@given(POSITIVE, st.floats(1, 1e5))
@settings(max_examples=examples(200), deadline=None)
def test_one_more_cell_never_lowers_the_safe_load(capacities: list[float], more: float) -> None:
    assert cell_failover.safe_load([*capacities, more]) >= cell_failover.safe_load(capacities) * (1 - 1e-9)


@given(st.floats(0, 100), st.floats(0, 100), st.integers(1, 5))
@settings(max_examples=examples(200), deadline=None)
def test_one_more_attempt_never_fails_more_requests(share: float, error: float, attempts: int) -> None:
    assert cell_failover.affected_percent(share, error, attempts + 1) <= cell_failover.affected_percent(
        share, error, attempts
    )


def test_route_53_moves_clients_after_its_checks_and_what_resolvers_remember() -> None:
    assert dns_failover.seconds_to_fail_over(30, 3, 60) == 150
    assert dns_failover.seconds_to_fail_over(10, 3, 60) == 90


@pytest.mark.parametrize(("most", "regions", "share"), [(10, 2, 20), (50, 2, 100), (100, 3, 100)])
def test_a_share_of_all_endpoints_is_a_larger_share_of_one_region(most: float, regions: int, share: float) -> None:
    assert cell_failover.ejected_of_a_region_percent(most, regions) == share


def test_a_subset_inherits_outlier_detection_and_may_switch_the_failover_off() -> None:
    rule = (
        "apiVersion: networking.istio.io/v1\nkind: DestinationRule\nmetadata: {name: a}\n"
        "spec:\n  host: a\n  trafficPolicy:\n    outlierDetection: {maxEjectionPercent: 100}\n  subsets:\n"
        "    - {name: v1, trafficPolicy: {loadBalancer:\n"
        "        {localityLbSetting: {enabled: %s, failover: [{from: a, to: b}]}}}}\n"
    )
    assert reading.fails("cell-failover", rule_yaml=rule % "true") == []
    off = (rule % "false").replace("outlierDetection", "ignored")
    assert [each.detail for each in reading.fails("cell-failover", rule_yaml=off)] == ["outlierDetection"]


SETTING = "localityLbSetting: {enabled: true, failover: [{from: eu-central-1, to: eu-west-1}]}"
OPERATOR = f"apiVersion: install.istio.io/v1alpha1\nkind: IstioOperator\nspec:\n  meshConfig:\n    {SETTING}\n"
CONFIG_MAP = (
    "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: istio, namespace: istio-system}\n"
    f"data:\n  mesh: |-\n    {SETTING}\n    enableTracing: true\n"
)
VALUES = f"meshConfig:\n  {SETTING}\n"
RULE = (
    "apiVersion: networking.istio.io/v1\nkind: DestinationRule\nmetadata: {name: api, namespace: shop}\n"
    "spec:\n  host: HOST\n  trafficPolicy: POLICY\n"
)


def by_mesh(mesh: str, policy: str, host: str = "api.shop.svc.cluster.local") -> list[tuple[str, str]]:
    rule = RULE.replace("HOST", host).replace("POLICY", policy)
    fails = reading.fails("cell-failover", mesh_yaml=mesh, rule_yaml=rule)
    return [(each.detail, ",".join(place.path for place in each.places)) for each in fails]


@pytest.mark.parametrize("mesh", [OPERATOR, CONFIG_MAP, VALUES])
def test_the_meshs_own_failover_needs_outlier_detection_of_every_service(mesh: str) -> None:
    assert by_mesh(mesh, "{connectionPool: {}}") == [("locality", "rule.yaml,mesh.yaml")]
    assert by_mesh(mesh, "{outlierDetection: {maxEjectionPercent: 100}}") == []


@pytest.mark.parametrize(
    "policy",
    [
        "{loadBalancer: {localityLbSetting: {enabled: false}}}",
        "{loadBalancer: {localityLbSetting: {distribute: [{from: a, to: {b: 100}}]}}}",
    ],
)
def test_a_rule_that_says_otherwise_replaces_what_the_mesh_says(policy: str) -> None:
    assert by_mesh(OPERATOR, policy) == [("outlierDetection", "rule.yaml")]


@pytest.mark.parametrize("host", ["maps.googleapis.com", '"*.local"'])
def test_what_is_outside_the_mesh_or_stands_for_many_is_not_moved_by_it(host: str) -> None:
    assert by_mesh(OPERATOR, "{connectionPool: {}}", host) == [("outlierDetection", "rule.yaml")]


def test_a_mesh_that_switches_it_off_and_several_meshes_say_nothing() -> None:
    off = OPERATOR.replace("enabled: true", "enabled: false")
    assert by_mesh(off, "{connectionPool: {}}") == [("outlierDetection", "rule.yaml")]
    assert by_mesh(f"{OPERATOR}---\n{CONFIG_MAP}", "{connectionPool: {}}") == [("outlierDetection", "rule.yaml")]


def test_a_mesh_alone_does_not_say_which_services_are_watched() -> None:
    (asked,) = reading.unsure("cell-failover", mesh_yaml=CONFIG_MAP)
    assert (asked.provide, asked.place.path, asked.place.line) == ("their DestinationRules", "mesh.yaml", 6)

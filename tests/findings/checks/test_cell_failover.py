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
    (other,) = reading.fails("cell-failover", a_yaml=text.replace("60", "70"))
    assert [each.assumptions for each in other.quantities if each.name == "extra_load_percent"] == [()]


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


def shares(*percents: float) -> str:
    return "cells:\n" + "".join(
        f"  - {{name: c{at}, capacity_percentage: {each}}}\n" for at, each in enumerate(percents)
    )


@pytest.mark.parametrize(
    ("text", "verdict"),
    [
        (shares(33, 67), "high"),
        (shares(1, 2), "high"),
        (shares(100, 100, 100), "high"),  # half as much again for each of two
        (shares(100, 100, 100, 1), "none"),  # 49.75 % more: the usual headroom
        (shares(25, 25, 25, 25), "none"),
    ],
)
def test_the_surviving_cells_are_too_few_from_half_as_much_again(text: str, verdict: str) -> None:
    outcome = reading.outcome("cell-failover", a_yaml=text)
    assert [str(each.severity) for each in outcome.found] == ([] if verdict == "none" else [verdict])
    assert [each.provide for each in outcome.tallies[0].unsure] == ["facts: cells.c0.capacity_rps"]


ROOM = "cells: {c0: {capacity_rps: 100}, c1: {capacity_rps: 50}, c2: {capacity_rps: 100}}\n"


@pytest.mark.parametrize(
    ("facts", "shed", "asked"),
    [
        (ROOM, None, ["facts: routing.load_rps"]),
        (f"{ROOM}routing: {{load_rps: 150}}", None, []),
        (f"{ROOM}routing: {{load_rps: 200}}", 25, []),
        ("cells: {c0: {capacity_rps: 100}}\nrouting: {load_rps: 10}", None, ["facts: cells.c1.capacity_rps"]),
    ],
)
def test_capacities_and_load_decide_where_both_are_stated(facts: str, shed: float | None, asked: list[str]) -> None:
    """Of 100, 50 and 100 the loss of one of the larger leaves 150: shares alone would say that all is well."""
    outcome = reading.outcome("cell-failover", a_yaml=shares(20, 40, 40), facts=facts)
    figures = [reading.figures(each.fail) for each in outcome.found]
    if shed is not None:
        assert [(each["safe_load"], each["shed_percent"]) for each in figures] == [(150, shed)]
        assert outcome.found[0].fail.title == "Without its largest cell 25 % of the load is turned away"
    elif not asked:
        assert (figures, outcome.tallies[0].passed) == ([], 1)
    else:
        assert not any("shed_percent" in each for each in figures)
    assert [each.provide for each in outcome.tallies[0].unsure] == asked


def test_a_load_above_what_is_left_fails_however_even_the_shares_are() -> None:
    facts = "cells: {c0: {capacity_rps: 10}, c1: {capacity_rps: 10}, c2: {capacity_rps: 10}, c3: {capacity_rps: 10}}\n"
    text = shares(25, 25, 25, 25)
    (found,) = reading.outcome("cell-failover", a_yaml=text, facts=f"{facts}routing: {{load_rps: 40}}").found
    assert (str(found.severity), reading.figures(found.fail)["shed_percent"]) == ("high", 25)


@pytest.mark.parametrize(
    ("settings", "facts", "band"),
    [
        ("circuit_breaker: {failure_threshold: 0.5}", "slo: {target: 99.9}", (0.1, 50)),
        ("circuit_breaker: {failure_threshold: 1}", "slo: {target: 99.9}", (0.1, 100)),
        ("circuit_breaker: {failure_threshold: 50}", "slo: {target: 99.9}", (0.1, 50)),
        ("circuit_breaker: {failure_threshold: 0}", "slo: {target: 99.9}", None),
        ("circuit_breaker: {failure_threshold: often}", "slo: {target: 99.9}", None),
        ("", "slo: {target: 99.9}\nrouting: {breaker_percent: 30}", (0.1, 30)),
        ("circuit_breaker: {failure_threshold: 0.5}", "", None),
        ("", "slo: {target: 99.9}", None),
    ],
)
def test_what_a_breaker_is_blind_for_needs_its_threshold_and_an_objective(
    settings: str, facts: str, band: tuple[float, float] | None
) -> None:
    (fail,) = reading.fails("cell-failover", a_yaml=shares(60, 40), b_yaml=f"{settings}\n", facts=facts)
    figures = reading.figures(fail)
    names = ("breaker_blind_from_percent", "breaker_blind_to_percent")
    assert tuple(figures.get(name) for name in names) == (band or (None, None))


@pytest.mark.parametrize(
    ("settings", "facts", "figures"),
    [
        ("", "routing: {cell_error_percent: 10}", {"users_affected_percent": 6}),
        ("", "routing: {cell_error_percent: 10}\nslo: {target: 99.5}", {"users_affected_percent": 6, "burn_rate": 12}),
        ("retry_policy: {num_retries: 2}", "routing: {cell_error_percent: 10}",
         {"users_affected_percent": 6, "users_affected_after_attempts_percent": 0.6}),
        ("", "routing: {cell_error_percent: 10, attempts: 2}",
         {"users_affected_percent": 6, "users_affected_after_attempts_percent": 0.6}),
        ("", "routing: {cell_error_percent: 10, attempts: 1}",
         {"users_affected_percent": 6, "users_affected_after_attempts_percent": 6}),
        ("", "routing: {cell_error_percent: 10, attempts: 0}", {"users_affected_percent": 6}),
        ("retry_policy: {num_retries: 2}", "", {}),
    ],
)  # fmt: skip
def test_what_a_partial_failure_costs_is_said_as_far_as_it_is_known(
    settings: str, facts: str, figures: dict[str, float]
) -> None:
    (fail,) = reading.fails("cell-failover", a_yaml=shares(30, 20), b_yaml=f"{settings}\n", facts=facts)
    told = {name: value for name, value in reading.figures(fail).items() if name.startswith(("users", "burn"))}
    assert told == pytest.approx(figures)


@pytest.mark.parametrize(
    ("name", "volume", "is_told"),
    [
        ("cell-router", "{name: route-cache, emptyDir: {}}", True),
        ("cell-router", "{name: scratch, emptyDir: {}}", False),
        ("cell-router", "{name: route-cache, hostPath: {path: /x}}", False),
        ("worker", "{name: route-cache, emptyDir: {}}", False),
    ],
)
def test_a_router_forgets_what_it_keeps_in_a_volume_that_ends_with_its_pod(
    name: str, volume: str, is_told: bool
) -> None:
    router = f"""apiVersion: apps/v1
kind: Deployment
metadata: {{name: {name}}}
spec:
  template: {{spec: {{containers: [{{name: a, image: b}}], volumes: [{{name: tmp, emptyDir: {{}}}}, {volume}]}}}}
"""
    (fail,) = reading.fails("cell-failover", a_yaml=shares(60, 40), b_yaml=router)
    assert reading.figures(fail).get("ephemeral_route_cache") == (1 if is_told else None)


def test_fixed_weights_of_a_mesh_name_the_cell_that_is_moved_over() -> None:
    text = """apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: checkout}
spec:
  hosts: [checkout]
  http:
    - route:
        - {destination: {host: checkout, subset: small}, weight: 20}
        - {destination: {host: checkout, subset: large}, weight: 80}
"""
    (found,) = reading.outcome("cell-failover", a_yaml=text).found
    assert found.fail.title == "The others get 500 % of their load when large of checkout is moved over"
    assert str(found.severity) == "low"
    assert reading.unsure("cell-failover", a_yaml=text) == []


@pytest.mark.parametrize(("ttl", "is_slow"), [(59, False), (60, False), (61, True)])
def test_clients_that_are_moved_within_150_seconds_are_soon_enough(ttl: int, is_slow: bool) -> None:
    text = f"""resource "aws_route53_health_check" "a" {{
  request_interval  = 30
  failure_threshold = 3
}}
resource "aws_route53_record" "a" {{
  name            = "api.shop.example"
  ttl             = {ttl}
  set_identifier  = "a"
  health_check_id = aws_route53_health_check.a.id
  failover_routing_policy {{ type = "PRIMARY" }}
}}
resource "aws_route53_record" "b" {{
  name           = "api.shop.example"
  ttl            = 60
  set_identifier = "b"
  failover_routing_policy {{ type = "SECONDARY" }}
}}
"""
    outcome = reading.outcome("cell-failover", dns_tf=text)
    told = [reading.figures(each.fail) for each in outcome.found]
    assert told == ([{"seconds_to_fail_over": 151}] if is_slow else [])
    assert outcome.tallies[0].passed == (not is_slow)


@pytest.mark.parametrize(("most", "verdict"), [(14, "unknown"), (15, "passes")])
def test_a_region_passes_requests_on_when_enough_of_it_may_be_ejected(most: int, verdict: str) -> None:
    """Of two regions 14 % of all endpoints are 28 % of one: it stays above the 71.4 % that Envoy calls healthy."""
    rule = RULE.replace("HOST", "api").replace(
        "POLICY",
        "{loadBalancer: {localityLbSetting: {failover: [{from: eu-central-1, to: eu-west-1}]}}, "
        f"outlierDetection: {{maxEjectionPercent: {most}}}}}",
    )
    tally = reading.outcome("cell-failover", rule_yaml=rule).tallies[0]
    assert (tally.failed, tally.passed, len(tally.unsure)) == (0, int(verdict == "passes"), int(verdict == "unknown"))

"""Connections that pods, processes and pools add up to, against what the database takes."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from findings.checks import db_connections
from findings.platform import azure_sizes, databases
from tests.examples import examples
from tests.findings.checks import reading

COUNTS = st.integers(0, 500)
DEPLOYMENT = """
apiVersion: apps/v1
kind: Deployment
metadata: {{name: {name}}}
spec:
  replicas: {pods}
  template:
    spec:
      containers:
        - name: {name}
          image: registry.example/{name}:1
          env:
            - {{name: DATABASE_URL, value: "postgresql://aurora.internal/shop"}}
            - {{name: DATABASE_POOL_SIZE, value: "20"}}
"""
LIMIT = "databases: {aurora: {max_connections: 1000, connection_memory_mb: 2}}"


def two_services(facts: str = LIMIT) -> dict[str, str]:
    return {
        "a_yaml": DEPLOYMENT.format(name="collector", pods=50),
        "b_yaml": DEPLOYMENT.format(name="processor", pods=50),
        "facts": facts,
    }


@pytest.mark.parametrize(("services", "needed"), [(2, 2000), (3, 3000)])
def test_connections_needed_are_pods_times_processes_times_pool(services: int, needed: int) -> None:
    assert db_connections.connections_needed([(50, 1, 20)] * services) == needed


@pytest.mark.parametrize(
    ("needed", "available", "percent"), [(2000, 1000, 50.0), (3000, 1000, 66.6667), (900, 1000, 0)]
)
def test_what_is_above_the_limit_is_refused(needed: int, available: int, percent: float) -> None:
    assert db_connections.refused_percent(needed, available) == pytest.approx(percent, rel=1e-6)


def test_two_services_of_twenty_connections_meet_a_thousand_at_25_pods_each() -> None:
    assert db_connections.breakpoint_pods(1000, [20, 20]) == 25


@pytest.mark.parametrize(("instance_class", "limit"), [("db.t4g.medium", 450), ("db.r6g.large", 1802)])
def test_the_default_limit_follows_the_memory_of_the_instance(instance_class: str, limit: int) -> None:
    memory = databases.instance_memory(instance_class)
    assert memory is not None
    assert databases.default_max_connections(memory) == limit


def test_the_default_limit_never_passes_five_thousand() -> None:
    assert databases.default_max_connections(768 * 2**30) == 5000


def test_a_class_that_is_not_known_has_no_memory() -> None:
    assert databases.instance_memory("db.serverless") is None
    assert databases.instance_memory("main") is None


def test_pgbouncer_bounds_the_connections_of_the_server() -> None:
    assert db_connections.pooled_connections(instances=3, pool_size=100, pools=4, most=100) == 300


def test_the_whole_sum_of_the_analysis_is_told_with_every_input() -> None:
    (fail,) = reading.fails("db-connections", **two_services())
    figures = reading.figures(fail)
    assert figures["connections_needed"] == 2000
    assert figures["connections_available"] == 1000
    assert figures["connections_refused_percent"] == 50.0
    assert figures["breakpoint_pods"] == 25
    assert figures["connection_memory_mb"] == 4000
    needed = next(each for each in fail.quantities if each.name == "connections_needed")
    stated = [(each.name, each.value, each.source, each.path, each.line) for each in needed.inputs]
    assert stated[:3] == [
        ("collector_max_pods", 50, "file", "a.yaml", 6),
        ("collector_processes", 1, "assumption", "a.yaml", 2),
        ("collector_pool_size", 20, "file", "a.yaml", 14),
    ]
    assert [each[0] for each in stated[3:]] == ["processor_max_pods", "processor_processes", "processor_pool_size"]


def test_each_process_has_a_pool_of_its_own() -> None:
    with_workers = DEPLOYMENT.format(name="api", pods=10) + '          args: ["gunicorn", "-w", "4", "shop.wsgi"]\n'
    (fail,) = reading.fails("db-connections", a_yaml=with_workers, facts="databases: {aurora: {max_connections: 500}}")
    assert reading.figures(fail)["connections_needed"] == 800


def test_one_step_of_the_autoscaler_opens_the_pools_of_all_pods_it_adds() -> None:
    scaler = """
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {name: api}
spec:
  scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: api}
  minReplicas: 8
  maxReplicas: 64
"""
    deployment = DEPLOYMENT.format(name="api", pods=8)
    (fail,) = reading.fails("db-connections", a_yaml=deployment, b_yaml=scaler, facts=LIMIT)
    assert reading.figures(fail)["connections_per_scale_step"] == 32 * 20


def test_the_memory_of_a_connection_is_asked_for_where_it_is_not_stated() -> None:
    asked = reading.unsure("db-connections", **two_services("databases: {aurora: {max_connections: 1000}}"))
    assert [each.provide for each in asked] == ["facts: databases.aurora.connection_memory_mb"]


def test_services_are_told_apart_by_the_host_they_name() -> None:
    facts = "databases: {aurora: {max_connections: 5000}, ledger: {max_connections: 100}}"
    outcome = reading.outcome("db-connections", a_yaml=DEPLOYMENT.format(name="api", pods=20), facts=facts)
    assert outcome.found == ()
    assert outcome.tallies[0].passed == 1


@given(st.lists(st.tuples(COUNTS, COUNTS, COUNTS), max_size=5), st.integers(0, 4), st.integers(1, 50))
@settings(max_examples=examples(200), deadline=None)
def test_more_pods_never_need_fewer_connections(services: list[tuple[int, int, int]], which: int, more: int) -> None:
    grown = [
        (pods + more, each, pool) if number == which else (pods, each, pool)
        for number, (pods, each, pool) in enumerate(services)
    ]
    assert db_connections.connections_needed(grown) >= db_connections.connections_needed(services)


@given(st.integers(1, 10_000), st.lists(st.integers(1, 500), min_size=1, max_size=5))
@settings(max_examples=examples(200), deadline=None)
def test_nothing_is_refused_up_to_the_breakpoint_and_something_right_after(available: int, per_pod: list[int]) -> None:
    pods = db_connections.breakpoint_pods(available, per_pod)
    at = db_connections.connections_needed((pods, 1, each) for each in per_pod)
    after = db_connections.connections_needed((pods + 1, 1, each) for each in per_pod)
    assert db_connections.refused_percent(at, available) == 0
    assert db_connections.refused_percent(after, available) > 0


@given(st.integers(1, 9), st.integers(1, 200), st.integers(1, 9), st.integers(1, 300))
@settings(max_examples=examples(200), deadline=None)
def test_a_pooler_never_opens_more_than_its_bound(instances: int, size: int, pools: int, most: int) -> None:
    assert db_connections.pooled_connections(instances, size, pools, most) <= instances * most


@pytest.mark.parametrize(("pods", "stated", "added"), [(50, "25%", 13), (4, "25%", 1), (10, 3, 3), (10, "0%", 0)])
def test_a_rollout_adds_its_surge_rounded_up(pods: int, stated: int | str, added: int) -> None:
    assert db_connections.surge(pods, stated) == added


@pytest.mark.parametrize(
    ("variable", "value", "args", "needed"),
    [
        ("SPRING_DATASOURCE_URL", "jdbc:postgresql://aurora.internal/shop", [], 200),
        ("DJANGO_SETTINGS_MODULE", "shop.settings", ["gunicorn", "-w", "3", "--threads", "4", "shop.wsgi"], 240),
    ],
)
def test_a_framework_that_is_told_nothing_opens_its_default(
    variable: str, value: str, args: list[str], needed: int
) -> None:
    text = DEPLOYMENT.format(name="api", pods=20).replace("DATABASE_POOL_SIZE", variable).replace('"20"', f'"{value}"')
    text += f"          args: {args}\n".replace("'", '"')
    (fail,) = reading.fails("db-connections", a_yaml=text, facts="databases: {aurora: {max_connections: 100}}")
    assert reading.figures(fail)["connections_needed"] == needed


@pytest.mark.parametrize(
    ("engine", "sku", "connections"),
    [
        ("mysql", "B_Standard_B1ms", 171),
        ("mysql", "GP_Standard_D4ads_v5", 1365),
        ("mysql", "MO_Standard_E20ds_v4", 13653),
        ("postgresql", "B_Standard_B2s", 429),
        ("postgresql", "GP_Standard_D8s_v3", 3437),
        ("postgresql", "MO_Standard_E96ads_v5", 5000),
        ("mysql", "GP_Standard_D96ds_v5", None),  # in no table
        ("postgresql", "Standard_D2s_v3", None),
        ("mysql", "", None),
    ],
)
def test_azures_servers_take_by_their_size_what_its_tables_say(engine: str, sku: str, connections: int | None) -> None:
    assert azure_sizes.default_max_connections(engine, sku) == connections

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


def stated(*services: str, limit: int = 1000, more: str = "") -> dict[str, str]:
    return {"facts": f"services: {{{', '.join(services)}}}\ndatabases: {{main: {{max_connections: {limit}{more}}}}}\n"}


@pytest.mark.parametrize(
    ("facts", "needed"),
    [
        (stated("api: {max_pods: 50, connections_per_process: 20}"), None),
        (stated("api: {max_pods: 50, connections_per_process: 20}", limit=999), 1000),
        (stated("api: {max_pods: 50, connections_per_process: 20}", more=", reserved_connections: 1"), 1000),
        (stated("api: {max_pods: 25, processes: 2, connections_per_process: 20}", limit=999), 1000),
        (stated("api: {max_pods: 10, connections_per_process: 20}", "web: {max_pods: 40, connections_per_process: 20}",
                limit=999), 1000),
        (stated("api: {max_pods: 50}", limit=1), None),
        (stated("api: {connections_per_process: 50}", limit=1), None),
        (stated("web: {max_pods: 9}", "api: {max_pods: 50, connections_per_process: 20}", limit=999), 1000),
    ],
)  # fmt: skip
def test_services_of_the_facts_fit_up_to_the_last_connection(facts: dict[str, str], needed: int | None) -> None:
    fails = reading.fails("db-connections", **facts)
    assert [reading.figures(each)["connections_needed"] for each in fails] == ([] if needed is None else [needed])


def test_what_the_facts_do_not_say_of_a_service_is_called_an_assumption() -> None:
    (fail,) = reading.fails("db-connections", **stated("api: {max_pods: 50, connections_per_process: 30}"))
    sources = {each.name: str(each.source) for each in fail.quantities[0].inputs}
    assert sources == {"api_max_pods": "facts", "api_processes": "assumption", "api_pool_size": "facts"}
    assert reading.figures(fail)["connections_needed_in_rollout"] == 1500  # how it is rolled out is not known


def test_a_service_uses_the_database_that_the_facts_name() -> None:
    deployment = DEPLOYMENT.format(name="api", pods=50)
    both = "databases: {aurora: {max_connections: 100}, ledger: {max_connections: 200}}\n"
    (by_host,) = reading.fails("db-connections", a_yaml=deployment, facts=both)
    assert reading.figures(by_host)["connections_available"] == 100
    (named,) = reading.fails(
        "db-connections", a_yaml=deployment, facts=f"{both}services: {{api: {{database: ledger}}}}"
    )
    assert reading.figures(named)["connections_available"] == 200


@pytest.mark.parametrize(
    ("strategy", "rollout"),
    [
        ("", 1260),
        ("strategy: {type: Recreate}", 1000),
        ("strategy: {rollingUpdate: {maxSurge: 0}}", 1000),
        ("strategy: {rollingUpdate: {maxSurge: 1}}", 1020),
        ("strategy: {rollingUpdate: {maxSurge: 10%}}", 1100),
        ("strategy: {rollingUpdate: {maxSurge: many}}", 1000),
    ],
)
def test_a_rollout_asks_for_the_pods_that_its_strategy_adds(strategy: str, rollout: int) -> None:
    text = DEPLOYMENT.format(name="api", pods=50).replace("  replicas: 50", f"  replicas: 50\n  {strategy}")
    files = {"a_yaml": text, "facts": "databases: {aurora: {max_connections: %d, connection_memory_mb: 1}}"}
    fits = reading.outcome("db-connections", **files | {"facts": files["facts"] % rollout})
    assert (fits.found, fits.tallies[0].passed, fits.tallies[0].unsure) == ((), 1, [])
    (found,) = reading.outcome("db-connections", **files | {"facts": files["facts"] % (rollout - 1)}).found
    assert (
        reading.figures(found.fail)["connections_needed_in_rollout" if rollout > 1000 else "connections_needed"]
        == rollout
    )
    if rollout > 1000:
        assert found.fail.title == f"A rollout needs {rollout} connections, {rollout - 1} are available"
        assert reading.figures(found.fail)["connections_refused_percent"] == pytest.approx(100 / rollout)


def test_a_stateful_set_replaces_a_pod_before_it_starts_the_next() -> None:
    text = DEPLOYMENT.format(name="api", pods=50).replace("kind: Deployment", "kind: StatefulSet")
    assert reading.fails("db-connections", a_yaml=text, facts="databases: {aurora: {max_connections: 1000}}") == []


def test_what_fits_does_not_pass_while_another_service_is_unknown() -> None:
    other = DEPLOYMENT.format(name="web", pods=5).replace("DATABASE_POOL_SIZE", "SOMETHING")
    both = {"a_yaml": DEPLOYMENT.format(name="api", pods=5), "b_yaml": other}
    fits = reading.outcome("db-connections", **both, facts=LIMIT)
    assert (fits.found, fits.tallies[0].passed) == ((), 0)
    assert [each.subject for each in fits.tallies[0].unsure] == ["Deployment/web"]
    (fail,) = reading.fails("db-connections", **both, facts=LIMIT.replace("1000", "90"))
    assert reading.figures(fail)["connections_needed"] == 100


CLUSTER = """apiVersion: postgresql.cnpg.io/v1
kind: Cluster
metadata: {{name: orders}}
spec: {{instances: 1, postgresql: {{parameters: {{max_connections: "{limit}"}}}}}}
"""


def test_the_default_limit_without_a_pooler_is_told_although_no_client_is_known() -> None:
    default = CLUSTER.format(limit=100).replace(', postgresql: {parameters: {max_connections: "100"}}', "")
    outcome = reading.outcome("db-connections", a_yaml=default)
    (found,) = outcome.found
    assert (str(found.severity), reading.figures(found.fail)) == ("low", {"connections_available": 97})
    assert [each.reason for each in outcome.tallies[0].unsure] == [
        "nothing says which services connect to it, with what pools"
    ]
    stated_so = reading.outcome("db-connections", a_yaml=CLUSTER.format(limit=100))
    assert (stated_so.found, len(stated_so.tallies[0].unsure)) == ((), 1)


POOLER = """---
apiVersion: postgresql.cnpg.io/v1
kind: Pooler
metadata: {{name: orders-{type}}}
spec:
  cluster: {{name: orders}}
  instances: {instances}
  type: {type}
  pgbouncer: {{poolMode: transaction, parameters: {{default_pool_size: "20"{most}}}}}
"""


@pytest.mark.parametrize(
    ("poolers", "limit", "needed"),
    [
        (POOLER.format(type="rw", instances=3, most=""), 63, None),  # three are kept for administrators
        (POOLER.format(type="rw", instances=3, most=""), 62, 60),
        (POOLER.format(type="rw", instances=3, most=', max_db_connections: "15"'), 47, 45),
        (POOLER.format(type="rw", instances=3, most="") + POOLER.format(type="ro", instances=2, most=""), 102, 100),
    ],
)
def test_behind_poolers_their_own_connections_count(poolers: str, limit: int, needed: int | None) -> None:
    fails = reading.fails("db-connections", a_yaml=CLUSTER.format(limit=limit) + poolers)
    assert [reading.figures(each)["connections_needed"] for each in fails] == ([] if needed is None else [needed])


def test_a_pooler_whose_database_is_not_here_passes() -> None:
    assert (
        reading.outcome("db-connections", a_yaml=POOLER.format(type="rw", instances=1, most="")).tallies[0].passed == 1
    )


def test_services_of_one_name_in_two_namespaces_are_told_apart_in_the_inputs() -> None:
    text = DEPLOYMENT.format(name="api", pods=50)
    two = {f"{name}_yaml": text.replace("{name: api}", f"{{name: api, namespace: {name}}}", 1) for name in ("eu", "us")}
    (fail,) = reading.fails("db-connections", **two, facts="databases: {aurora: {max_connections: 100}}")
    names = [each.name for each in fail.quantities[0].inputs]
    assert names[0::3] == ["eu-api_max_pods", "us-api_max_pods"]
    assert reading.figures(fail)["connections_needed"] == 2000


def test_the_larger_of_a_service_that_stands_twice_counts() -> None:
    files = {
        f"{name}_yaml": DEPLOYMENT.format(name="api", pods=pods) for name, pods in (("a", 40), ("b", 50), ("c", 45))
    }
    (fail,) = reading.fails("db-connections", **files, facts="databases: {aurora: {max_connections: 100}}")
    assert reading.figures(fail)["connections_needed"] == 1000


def test_services_that_do_not_scale_add_nothing_to_a_step() -> None:
    scaler = """
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {name: NAME}
spec:
  scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: NAME}
  minReplicas: 10
  maxReplicas: 50
  behavior: {scaleUp: {policies: [{type: Pods, value: 5, periodSeconds: 15}]}}
"""
    texts = {f"{name}_yaml": DEPLOYMENT.format(name=name, pods=10) for name in ("api", "jobs", "web")}
    scaled = {f"{name}-hpa_yaml": scaler.replace("NAME", name) for name in ("api", "web")}
    (fail,) = reading.fails("db-connections", **texts, **scaled, facts=LIMIT)
    assert reading.figures(fail)["connections_per_scale_step"] == 2 * 5 * 20
    step = next(each for each in fail.quantities if each.name == "connections_per_scale_step")
    assert [each.name for each in step.inputs if "per_15_s" in each.name] == ["api_pods_per_15_s", "web_pods_per_15_s"]


@pytest.mark.parametrize(
    ("pods", "stated", "added"), [(50, "5%", 3), (10_000, "25%", 2500), (7, "x%", 0), (7, "%", 0), (7, "some", 0)]
)
def test_a_surge_of_one_digit_and_of_many_pods_is_read_and_what_is_none_adds_nothing(
    pods: int, stated: str, added: int
) -> None:
    assert db_connections.surge(pods, stated) == added


def test_nothing_is_refused_where_nothing_is_needed() -> None:
    assert db_connections.refused_percent(0, 0) == 0
    assert db_connections.breakpoint_pods(100, []) == 0


COMPOSE = """services:
  db: {image: "postgres:16"}
  api:
    image: shop/api
    deploy: {replicas: PODS}
    environment: {DATABASE_URL: "postgresql://HOST/shop", DATABASE_POOL_SIZE: "20", WEB_CONCURRENCY: "1"}
"""


@pytest.mark.parametrize(
    ("pods", "host", "verdict"), [(4, "db", "passes"), (5, "db", "medium"), (5, "elsewhere.example", "nothing")]
)
def test_what_compose_starts_is_held_against_the_database_beside_it(pods: int, host: str, verdict: str) -> None:
    text = COMPOSE.replace("PODS", str(pods)).replace("HOST", host)
    outcome = reading.outcome("db-connections", **{"docker-compose_yaml": text})
    assert [str(each.severity) for each in outcome.found] == (["medium"] if verdict == "medium" else [])
    assert outcome.tallies[0].passed == (verdict == "passes")


SERVER = """apiVersion: apps/v1
kind: StatefulSet
metadata: {name: orders}
spec: {template: {spec: {containers: [{name: db, image: "postgres:16"}]}}}
"""


def test_a_service_that_names_another_database_does_not_count() -> None:
    api = DEPLOYMENT.format(name="api", pods=10).replace("aurora.internal", "orders")
    web = DEPLOYMENT.format(name="web", pods=50).replace("aurora.internal", "ledger")
    (fail,) = reading.fails("db-connections", a_yaml=api, b_yaml=web, c_yaml=SERVER)
    assert reading.figures(fail)["connections_needed"] == 200
    (both,) = reading.fails("db-connections", a_yaml=api, b_yaml=web.replace("ledger", "orders"), c_yaml=SERVER)
    assert reading.figures(both)["connections_needed"] == 1200


def test_what_kubernetes_does_in_a_rollout_by_itself_is_called_its_default() -> None:
    files = {"a_yaml": DEPLOYMENT.format(name="api", pods=50), "facts": "databases: {aurora: {max_connections: 1200}}"}
    (fail,) = reading.fails("db-connections", **files)
    rollout = next(each for each in fail.quantities if each.name == "connections_needed_in_rollout")
    assert [(each.name, each.value, each.source) for each in rollout.inputs][-1] == (
        "api_max_surge", 13, "provider_default",
    )  # fmt: skip
    overflow = DEPLOYMENT.format(name="api", pods=50) + '            - {name: DATABASE_MAX_OVERFLOW, value: "5"}\n'
    (more,) = reading.fails("db-connections", a_yaml=overflow, facts=files["facts"])
    assert reading.figures(more)["connections_needed"] == 1250
    assert ("api_max_overflow", 5) in [(each.name, each.value) for each in more.quantities[0].inputs]

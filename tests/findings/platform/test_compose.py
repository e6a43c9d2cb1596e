"""Services of docker-compose: merged, filled in, and kept apart from what a cluster schedules."""

from typing import Any

import pytest

from findings.checks import engine
from findings.platform import reader
from findings.platform.files import File
from findings.platform.model import Platform, Workload
from platform_risk.quantities.sourced import Source, Sourced, Unknown


def read(**files: str) -> Platform:
    """`base=…` is shop/compose.yaml, `override=…` what overrides it, `env=…` its .env, others by their name."""
    names = {"base": "compose.yaml", "override": "compose.override.yaml", "env": ".env"}
    return reader.read([File(f"shop/{names.get(name, name)}", text) for name, text in files.items()])


def service(platform: Platform, name: str = "api") -> Workload:
    return next(each for each in platform.compose_services if each.resource.name == name)


def value(stated: Any) -> Any:
    return stated.value if isinstance(stated, Sourced) else stated


def variables(workload: Workload) -> dict[str, Any]:
    return {name: value(each.value) for name, each in workload.containers[0].env.items()}


def test_an_override_changes_single_variables_and_the_rest_stays() -> None:
    platform = read(
        base="services:\n  api:\n    image: api:1\n    environment: {A: 1, B: two}\n    deploy: {replicas: 2}\n",
        override="services:\n  api:\n    environment:\n      - B=three\n    deploy:\n      replicas: 5\n",
    )
    api = service(platform)
    assert api.id == "ComposeService/shop/api"
    assert variables(api) == {"A": "1", "B": "three"}
    b = api.containers[0].env["B"].value
    assert b is not None
    assert (b.place.path, b.place.line) == ("shop/compose.override.yaml", 4)
    assert isinstance(api.replicas, Sourced)
    assert (api.replicas.value, api.replicas.place.line) == (5, 6)


def test_a_variant_of_the_same_services_is_not_added_to_them() -> None:
    base = "services:\n  api: {image: 'api:1', environment: {A: base}}\n"
    platform = read(
        base=base,
        **{
            "compose.test.yaml": "services:\n  api: {image: 'api:2', environment: {A: test}}\n",
            "compose.jobs.yaml": "services:\n  jobs: {image: 'jobs:1'}\n",
        },
    )
    assert [each.resource.name for each in platform.compose_services] == ["api", "jobs"]
    assert variables(service(platform)) == {"A": "base"}
    # What the variant says is still a setting, as that of any other file is.
    assert any(each.value.value == "test" for each in platform.settings)


def test_a_service_of_another_file_is_extended_and_not_started_itself() -> None:
    platform = read(
        base="services:\n  api:\n    extends: {file: common/services.yaml, service: web}\n"
        "    environment: {B: mine}\n  lost:\n    extends: {file: nowhere.yaml, service: web}\n",
        **{
            "common/services.yaml": "services:\n  web:\n    extends: {service: any}\n    image: shop/web:2\n"
            "    environment: {B: web}\n    env_file: web.env\n"
            "  any:\n    image: shop/any:1\n    environment: {A: any, B: any}\n    deploy: {replicas: 3}\n",
            "common/web.env": "C=3\n",
        },
    )
    assert [each.resource.name for each in platform.compose_services] == ["api", "lost"]
    api = service(platform)
    assert variables(api) == {"A": "any", "B": "mine", "C": "3"}
    assert value(api.containers[0].image) == "shop/web:2"
    assert isinstance(api.replicas, Sourced)
    assert (api.replicas.value, api.replicas.place.path) == (3, "shop/common/services.yaml")


def test_files_that_extend_each_other_in_a_circle_end() -> None:
    one = "services:\n  api:\n    image: api:1\n    extends: {{file: {}, service: api}}\n    environment: {{{}: 1}}\n"
    platform = read(base=one.format("two.yaml", "A"), **{"two.yaml": one.format("compose.yaml", "B")})
    assert variables(service(platform)) == {"A": "1", "B": "1"}


def test_what_is_started_for_production_counts_more_than_what_a_developer_overrides() -> None:
    platform = read(
        base="services:\n  api: {build: ., environment: {A: base, B: base}}\n  db: {image: 'postgres:16'}\n",
        override="services:\n  api: {environment: {A: mine}}\n",
        **{
            "docker-compose.prod.yml": "services:\n  api:\n    image: api:2\n    deploy: {replicas: 4}\n"
            "    environment: {A: p}\n"
        },
    )
    assert variables(service(platform)) == {"A": "p", "B": "base"}
    assert value(service(platform).replicas) == 4
    assert {each.resource.name for each in platform.compose_services} == {"api", "db"}


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("${KNOWN}", "4"),
        ("$KNOWN", "4"),
        ("${KNOWN:-9}", "4"),
        ("${OTHER:-9}", "9"),
        ("${OTHER-9}", "9"),
        ("${EMPTY:-9}", "9"),
        ("${EMPTY-9}", ""),
        ("${KNOWN:+yes}", "yes"),
        ("${OTHER:+yes}", ""),
        ("$$KNOWN", "$KNOWN"),
        ("at ${OTHER:?say it}", "at ${OTHER:?say it}"),
        ("${OTHER}", None),
        ("${OTHER:?say it}", None),
    ],
)
def test_variables_are_put_in_as_compose_does(written: str, meant: str | None) -> None:
    platform = read(
        base=f"services:\n  api:\n    image: api:1\n    environment:\n      A: '{written}'\n", env="KNOWN=4\nEMPTY=\n"
    )
    variable = service(platform).containers[0].env["A"]
    assert value(variable.value) == meant
    assert variable.secret == ("OTHER" if meant is None else "")


def test_a_default_that_was_taken_says_that_it_may_be_another() -> None:
    platform = read(base="services:\n  api: {image: a, deploy: {replicas: '${N:-3}'}}\n")
    replicas = service(platform).replicas
    assert isinstance(replicas, Sourced)
    assert replicas.value == 3
    assert "may set another" in replicas.note


@pytest.mark.parametrize(
    "listed", ["shop.env", "[shop.env]", "[{path: ./shop.env, required: false}]", "[missing.env, ../shop/shop.env]"]
)
def test_files_of_variables_are_taken_over_and_single_ones_win(listed: str) -> None:
    platform = read(
        base=f"services:\n  api:\n    image: a\n    env_file: {listed}\n    environment: {{B: own}}\n",
        **{"shop.env": "A=file\nB=file\n"},
    )
    assert variables(service(platform)) == {"A": "file", "B": "own"}
    a = service(platform).containers[0].env["A"].value
    assert a is not None
    assert (a.place.path, a.place.line) == ("shop/shop.env", 1)


def test_what_extends_a_service_of_another_file_is_read_as_it_stands() -> None:
    platform = read(
        base="services:\n  api: {image: a, extends: {file: common.yaml, service: base}, environment: {A: 1}}\n"
    )
    assert variables(service(platform)) == {"A": "1"}


@pytest.mark.parametrize(
    ("stated", "count", "source"),
    [
        ("deploy: {replicas: 3}", 3, Source.FILE),
        ("deploy: {replicas: 0}", 0, Source.FILE),
        ("scale: 2", 2, Source.FILE),
        ("restart: always", 1, Source.PROVIDER_DEFAULT),
        ("deploy: {mode: global}", None, None),
        ("deploy: {replicas: many}", None, None),
    ],
)
def test_replicas_are_those_that_are_stated(stated: str, count: int | None, source: Source | None) -> None:
    replicas = service(read(base=f"services:\n  api:\n    image: a\n    {stated}\n")).replicas
    if isinstance(replicas, Unknown):
        assert count is None
        assert replicas.provide
    else:
        assert (replicas.value, replicas.source) == (count, source)


def test_a_service_that_extends_itself_in_a_circle_is_read_once() -> None:
    platform = read(
        base="services:\n  a: {image: a, extends: b, environment: {X: 1}}\n"
        "  b: {image: b, extends: {service: a}, environment: {Y: 2}}\n"
    )
    assert variables(service(platform, "a")) == {"X": "1", "Y": "2"}
    image = service(platform, "a").containers[0].image
    assert image is not None
    assert image.value == "a"


@pytest.mark.parametrize(
    "text",
    [
        "services: [api, db]\n",
        "services: {}\n",
        "services:\n  api: {port: 80}\n",
        "services:\n  api: {image: {repository: api, tag: 1}}\n",
        "stages: [build]\nservices:\n  api: {image: api}\n",
        "services:\n  api: text\n",
    ],
)
def test_what_only_looks_like_it_is_none(text: str) -> None:
    assert read(**{"values.yaml": text}).compose_services == ()


def test_no_check_of_what_a_cluster_schedules_speaks_of_a_compose_file() -> None:
    """A database without a spare, no probes, no limits, no policies: on one machine that is how it is."""
    platform = read(
        base="services:\n"
        "  api:\n    image: api:latest\n    environment: {DATABASE_URL: 'postgresql://db/x', URL: 'https://example.com'}\n"
        "  db: {image: 'postgres:16', environment: {POSTGRES_PASSWORD: postgres}}\n"
        "  kafka: {image: 'apache/kafka:3.7.0', environment: {KAFKA_LISTENERS: 'PLAINTEXT://:9092',"
        " KAFKA_DEFAULT_REPLICATION_FACTOR: 1}}\n"
    )
    outcome = engine.run(platform)
    assert outcome.found == ()
    spoke = {each.check.meta.id for each in outcome.tallies if each.passed or each.unsure}
    of_processes = {"db-connections", "secret-in-env", "kafka-consumers", "kafka-durability", "cpu-throttling"}
    assert spoke <= {*of_processes, "alert-coverage"}

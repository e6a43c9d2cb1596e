"""How many processes and threads a container starts, and what pools they hold."""

import pytest

from findings.platform import pools, processes, reader
from findings.platform.files import File
from findings.platform.model import Container, Platform, Workload
from platform_risk.quantities.sourced import Source, Sourced, Unknown


def read(container: str, **files: str) -> tuple[Platform, Workload, Container]:
    text = f"""
apiVersion: apps/v1
kind: Deployment
metadata: {{name: api}}
spec:
  template:
    spec:
      containers:
        - {{name: api, image: "registry.example/shop/api:1", {container}}}
"""
    named = [File(name.replace("__", "/").replace("_py", ".py"), each) for name, each in files.items()]
    platform = reader.read([File("api.yaml", text), *named])
    workload = platform.workloads[0]
    return platform, workload, workload.containers[0]


def env(**variables: str) -> str:
    return "env: [" + ", ".join(f'{{name: {name}, value: "{value}"}}' for name, value in variables.items()) + "]"


@pytest.mark.parametrize(
    ("container", "count", "source"),
    [
        ('args: ["gunicorn", "-w", "4", "shop.wsgi"]', 4, Source.FILE),
        ('args: ["gunicorn", "-w4", "shop.wsgi"]', 4, Source.FILE),
        ('args: ["gunicorn", "--workers=6", "shop.wsgi"]', 6, Source.FILE),
        ('command: [sh, -c, "exec gunicorn --workers 3 shop.wsgi"]', 3, Source.FILE),
        ('args: [gunicorn, shop.wsgi], env: [{name: WEB_CONCURRENCY, value: "5"}]', 5, Source.FILE),
        ('args: [gunicorn, -w, $(N), shop.wsgi], env: [{name: N, value: "7"}]', 7, Source.FILE),
        ("command: [sh, -c, 'gunicorn -w ${N:-2} shop.wsgi']", 2, Source.FILE),
        ('args: [gunicorn, shop.wsgi], env: [{name: GUNICORN_CMD_ARGS, value: "--workers=8"}]', 8, Source.FILE),
        ("args: [gunicorn, shop.wsgi]", 1, Source.PROVIDER_DEFAULT),
        ("args: [uvicorn, shop:app, --workers, '2']", 2, Source.FILE),
        ("args: [celery, -A, shop, worker, -c, '10']", 10, Source.FILE),
        ("args: [celery, -A, shop, worker, --pool=threads, -c, '10']", 1, Source.FILE),
        ("args: [celery, -A, shop, beat]", 1, Source.FILE),
        ("command: [/bin/server]", 1, Source.ASSUMPTION),
    ],
)
def test_processes_are_counted_by_the_command_line_and_the_environment(
    container: str, count: int, source: Source
) -> None:
    found = processes.processes(*read(container))
    assert isinstance(found, Sourced)
    assert (found.value, found.source) == (count, source)


def test_a_celery_worker_without_concurrency_is_not_guessed() -> None:
    found = processes.processes(*read("args: [celery, -A, shop, worker]"))
    assert isinstance(found, Unknown)
    assert "services.api.processes" in found.provide


def test_a_dockerfile_says_what_the_manifest_does_not() -> None:
    docker = "FROM python:3.11\nENV WEB_CONCURRENCY=6\nCMD gunicorn shop.wsgi\n"
    found = processes.processes(*read(env(A="1"), api__Dockerfile=docker))
    assert isinstance(found, Sourced)
    assert (found.value, found.place.path, found.place.line) == (6, "api/Dockerfile", 2)


def test_of_several_dockerfiles_that_in_the_folder_of_the_image_counts() -> None:
    found = processes.processes(
        *read(
            env(A="1"), api__Dockerfile="FROM a\nCMD gunicorn -w 3 a\n", web__Dockerfile="FROM a\nCMD gunicorn -w 9 a\n"
        )
    )
    assert isinstance(found, Sourced)
    assert found.value == 3


def test_the_workers_of_a_gunicorn_configuration_are_read() -> None:
    found = processes.processes(*read("args: [gunicorn, shop.wsgi]", gunicorn_conf_py="workers = 4\n"))
    assert isinstance(found, Sourced)
    assert found.value == 4


@pytest.mark.parametrize(
    ("container", "count"),
    [
        ("args: [gunicorn, -w, '4', --threads, '2', shop.wsgi]", 8),
        (env(GOMAXPROCS="3", WORKER_THREADS="9"), 3),
        (env(JAVA_TOOL_OPTIONS="-Xmx1g -XX:ActiveProcessorCount=2"), 2),
        (env(WORKER_THREADS="7"), 7),
        ("command: [/bin/server]", None),
    ],
)
def test_threads_are_those_that_can_run_at_once(container: str, count: int | None) -> None:
    found = processes.threads(*read(container))
    assert (found.value if found else None) == count


@pytest.mark.parametrize(
    ("container", "most"),
    [
        (env(DATABASE_POOL_SIZE="20"), 20),
        (env(DB_POOL_SIZE="5", DB_MAX_OVERFLOW="7"), 12),
        (env(SQLALCHEMY_POOL_SIZE="5"), 15),
        (env(DATABASE_URL="postgresql://db/shop?connection_limit=9"), 9),
        (env(SPRING_DATASOURCE_HIKARI_MAXIMUM_POOL_SIZE="12"), 12),
    ],
)
def test_a_pool_is_its_size_and_what_it_may_grow_by(container: str, most: int) -> None:
    (client,) = pools.clients(read(container)[0])
    assert isinstance(client.pool, pools.Pool)
    assert client.pool.most == most


@pytest.mark.parametrize(
    "container",
    [env(REDIS_POOL_SIZE="20", THREAD_POOL_SIZE="8", KAFKA_POOL_SIZE="3"), env(API_URL="https://example.com")],
)
def test_pools_of_something_else_make_no_client_of_a_database(container: str) -> None:
    assert list(pools.clients(read(container)[0])) == []


@pytest.mark.parametrize("image", ["postgres:17", "docker.io/library/mysql:8", "bitnami/pgbouncer:1.24"])
def test_a_database_or_a_pooler_is_no_client(image: str) -> None:
    pod = f"""
apiVersion: v1
kind: Pod
metadata: {{name: db}}
spec: {{containers: [{{name: db, image: "{image}", {env(POSTGRES_HOST="db")}}}]}}
"""
    platform = reader.read([File("pod.yaml", pod)])
    assert len(platform.workloads) == 1
    assert list(pools.clients(platform)) == []


def test_two_engines_that_differ_leave_the_pool_unknown() -> None:
    platform, _, _ = read(
        env(DB_HOST="db"),
        a_py="from sqlalchemy import create_engine\ne = create_engine('x', pool_size=5)\n",
        b_py="from sqlalchemy import create_engine\ne = create_engine('x', pool_size=50)\n",
    )
    (client,) = pools.clients(platform)
    assert isinstance(client.pool, Unknown)

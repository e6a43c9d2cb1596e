"""1.3: more connections than the database takes, once every pod of every service holds its pool."""

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from findings.checks import autoscaling
from findings.checks.base import Fail, Meta, Pass, Unsure, Verdict
from findings.checks.words import counted
from findings.platform import compose, databases, ecs, pools, processes
from findings.platform.databases import Database, Pooler
from findings.platform.model import COMPOSE, Autoscaler, Platform, Resource, Workload, all_once, places
from findings.platform.nearness import ELSEWHERE, Nearness
from findings.platform.nodes import mapping
from findings.platform.units import stated_count
from findings.vocabulary import Category, Outcome, Severity
from platform_risk.quantities.records import record
from platform_risk.quantities.sourced import Input, Place, Quantity, Source, Sourced, Unknown, input_of

META = Meta(
    id="db-connections",
    seed="1.3",
    title="The database refuses connections before the services have scaled out",
    severity=Severity.CRITICAL,
    category=Category.ARCHITECTURE,
    outcome=Outcome.OUTAGE,
    means="At their largest, the services may open more connections than the database accepts: pods × processes × pool "
    "is above its limit. A pool belongs to one process, so each worker process has one of its own.",
    why="The connection that is one too many is refused, and it is refused under load, when the services scale out or "
    "when a rollout doubles part of the pods. Each connection also costs the database memory, used or not.",
    not_a_problem="The maximum is never reached in practice, and an alert tells well before; or a pooler that this "
    "configuration does not show stands between.",
    remedy="Put a pooler before the database (PgBouncer, RDS Proxy, a CloudNativePG Pooler), or make the pool smaller, "
    "until pods × processes × pool stays below the limit at the maximum and during a rollout.",
    patch="""apiVersion: postgresql.cnpg.io/v1
kind: Pooler
metadata: {name: main-rw}
spec:
  cluster: {name: main}
  instances: 2
  type: rw
  pgbouncer:
    poolMode: transaction
    parameters: {max_db_connections: "40"}""",
    analysis="It counts 2 services × 50 pods × 20 connections against 1,000: half are refused, and so it is. But a "
    "pool belongs to a process, so pods with several multiply it, and 1,000 is no limit of Aurora: the "
    "default follows the instance's memory, 1,802 at most for db.r6g.large and 450 for db.t4g.medium.",
    remedies=("connection-pooling", "circuit-breakers"),
    references=(
        "https://www.postgresql.org/docs/current/runtime-config-connection.html",
        "https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/CHAP_Limits.html",
        "https://www.pgbouncer.org/config.html",
    ),
)

_SEED = "Aurora has no limit of 1000: what it takes follows from the instance's memory, or from a parameter."


def connections_needed(services: Iterable[tuple[int, int, int]]) -> int:
    """Connections of all services at their largest: (pods, processes per pod, pool per process) each.

    Source: a pool belongs to a process (SQLAlchemy, HikariCP: documentation of their pools).
    """
    return sum(pods * each * pool for pods, each, pool in services)


def refused_percent(needed: int, available: int) -> float:
    """Share of the connections that are refused when all are asked for: 1 − available ÷ needed."""
    return max(0, needed - available) * 100 / needed if needed else 0.0


def breakpoint_pods(available: int, per_pod: Iterable[int]) -> int:
    """Pods of each service at which the limit is met, when all grow alike: available ÷ sum(connections per pod)."""
    total = sum(per_pod)
    return available // total if total else 0


def pooled_connections(instances: int, pool_size: int, pools: int, most: int | None = None) -> int:
    """Server connections behind PgBouncer: instances × the lesser of max_db_connections and pools × pool size.

    Source: PgBouncer, configuration: default_pool_size, max_db_connections.
    """
    each = pools * pool_size
    return instances * (min(most, each) if most else each)


def surge(pods: int, max_surge: int | str = "25%") -> int:
    """Pods that a rolling update adds. Source: Kubernetes, Deployments: maxSurge is 25 % and rounded up."""
    text = str(max_surge)
    if text.endswith("%") and text[:-1].isdigit():
        return math.ceil(pods * int(text[:-1]) / 100)
    return int(text) if text.isdigit() else 0


@record(frozen=True)
class Service:
    """One service at its largest."""

    name: str
    subject: str
    pods: Sourced[int]
    added: Sourced[int]  # by a rollout
    processes: Sourced[int]
    pool: pools.Pool
    hosts: tuple[str, ...] = ()
    scaler: Autoscaler | None = None
    path: str = ""  # of the file that states it

    @property
    def per_pod(self) -> int:
        return self.processes.value * self.pool.most

    @property
    def terms(self) -> tuple[Input, ...]:
        overflow = self.pool.overflow
        return (
            input_of(f"{self.name}_max_pods", self.pods, "pods"),
            input_of(f"{self.name}_processes", self.processes, "processes per pod"),
            input_of(f"{self.name}_pool_size", self.pool.size, "connections per process"),
            *((input_of(f"{self.name}_max_overflow", overflow, "connections per process"),) if overflow else ()),
        )


def run(platform: Platform) -> Iterator[Verdict]:
    clients = list(pools.clients(platform))
    known = databases.databases(platform)
    own = {
        project: found
        for project, services in compose.projects(platform.compose_services).items()
        if (found := databases.of_compose(platform, services))
    }
    services, incomplete = _services(platform, [each for each in clients if _is_shared(platform, each, own)])
    services += _declared(platform, {service.name for service in services})
    yield from incomplete
    for database, used_by in _assigned(platform, known, services):
        yield from _judged(platform, database, used_by, is_complete=not incomplete)
    if services and not known:
        yield _without_database(services)
    yield from (Pass(each.id, (each.place(),)) for each in _lone_poolers(platform, known))
    for project, found in own.items():
        yield from _of_project(platform, found, [each for each in clients if _project(each) == project])


def _project(client: pools.Client) -> str:
    return compose.project_of(client.workload) if client.workload.is_compose else ""


def _is_shared(platform: Platform, client: pools.Client, own: Mapping[str, list[Database]]) -> bool:
    """Whether it counts toward the databases of the platform: what compose starts does not where a cluster runs the
    same services, nor where it has a database of its own beside it."""
    return not client.workload.is_compose or (not platform.workloads and _project(client) not in own)


def _of_project(platform: Platform, known: list[Database], clients: list[pools.Client]) -> Iterator[Verdict]:
    """A database that docker-compose starts, with the services beside it that do not connect elsewhere."""
    names = {each.resource.name for each in platform.compose_services}
    services, incomplete = _services(platform, [each for each in clients if not each.hosts or names & set(each.hosts)])
    yield from incomplete
    for database, used_by in _assigned(platform, known, services):
        if not used_by and not database.poolers:
            continue
        for verdict in _judged(platform, database, used_by, is_complete=not incomplete):
            # Whether users depend on what a compose file starts, the file does not say.
            yield replace(verdict, severity=Severity.MEDIUM) if isinstance(verdict, Fail) else verdict


def _services(platform: Platform, clients: list[pools.Client]) -> tuple[list[Service], list[Unsure]]:
    services: list[Service] = []
    incomplete: list[Unsure] = []
    for client in clients:
        made = _service(platform, client)
        if isinstance(made, Unknown):
            incomplete.append(Unsure(client.workload.id, made.reason, made.provide, made.place))
        else:
            services.append(made)
    return services, incomplete


def _lone_poolers(platform: Platform, known: list[Database]) -> Iterator[Resource]:
    used = {pooler.subject for database in known for pooler in database.poolers}
    yield from (each for each in platform.of_kind("Pooler") if each.id not in used)


def _service(platform: Platform, client: pools.Client) -> Service | Unknown:
    if isinstance(client.pool, Unknown):
        return client.pool
    workload = client.workload
    counted = processes.processes(platform, workload, client.container)
    if isinstance(counted, Unknown):
        return counted
    pods = processes.max_pods(platform, workload)
    if isinstance(pods, Unknown):
        return pods
    name = workload.resource.name
    scaler = platform.autoscaler_of(workload)
    added = ecs.surge(platform, workload, pods.value) if ecs.is_task(workload) else _surge_of(workload, pods)
    path = workload.resource.path
    return Service(name, workload.id, pods, added, counted, client.pool, client.hosts, scaler, path)


def _surge_of(workload: Workload, pods: Sourced[int]) -> Sourced[int]:
    place = workload.resource.place()
    if workload.resource.kind != "Deployment":
        return Sourced(0, Source.PROVIDER_DEFAULT, place, "only a Deployment starts new pods before it ends old ones")
    strategy = mapping(workload.resource.body, "spec.strategy")
    if strategy.get("type") == "Recreate":
        return Sourced(0, Source.FILE, place, "Recreate ends the old pods first")
    stated = workload.resource.sourced(strategy, "rollingUpdate.maxSurge")
    if stated is None:
        note = "Kubernetes: maxSurge defaults to 25 %, rounded up"
        return Sourced(surge(pods.value), Source.PROVIDER_DEFAULT, place, note)
    return stated.map(lambda value: surge(pods.value, value))


def _declared(platform: Platform, known: set[str]) -> Iterator[Service]:
    """Services that only the facts speak of."""
    for name in platform.facts.names("services"):
        prefix = f"services.{name}"
        pods = stated_count(platform.facts.get(f"{prefix}.max_pods"))
        size = stated_count(platform.facts.get(f"{prefix}.connections_per_process"))
        if name in known or pods is None or size is None:
            continue
        each = stated_count(platform.facts.get(f"{prefix}.processes")) or Sourced(
            1, Source.ASSUMPTION, pods.place, "one process per pod"
        )
        none = Sourced(0, Source.ASSUMPTION, pods.place, "how it is rolled out is not stated")
        yield Service(name, prefix, pods, none, each, pools.Pool(size))


def _assigned(
    platform: Platform, known: list[Database], services: list[Service]
) -> Iterator[tuple[Database, list[Service]]]:
    """Every database with the services that use it: all of them when there is but one, else by name."""
    alike: dict[str, list[Database]] = {}
    for database in known:
        alike.setdefault(database.kind_of, []).append(database)
    is_only = len(alike) == 1
    asked = [
        (each, platform.facts.get(f"services.{each.name}.database"), [host.lower() for host in each.hosts])
        for each in (() if is_only else services)
    ]
    for database in known:
        users = services if is_only else [each for each, stated, hosts in asked if _uses(database, stated, hosts)]
        yield database, _called_apart(_of_one_environment(platform.near, database, alike[database.kind_of], users))


def _of_one_environment(
    nearness: Nearness, database: Database, same: list[Database], services: list[Service]
) -> list[Service]:
    """Several environments hold databases and services of one name. A service uses the database beside it, and of a
    service that stands twice the larger counts: no cluster runs both. Nor do services of two environments count
    together for a database that names none: each has one of it, and the environment that needs the most counts."""
    largest: dict[str, Service] = {}
    for each in services:
        if database.names and each.hosts and not database.names & {host.partition(".")[0] for host in each.hosts}:
            continue  # it names another one
        near = nearness.shared_folders(each.path, database.beside)
        if near == ELSEWHERE or any(nearness.shared_folders(each.path, other.beside) > near for other in same):
            continue
        held = largest.get(each.subject)
        if held is None or each.pods.value * each.per_pod > held.pods.value * held.per_pod:
            largest[each.subject] = each
    found = list(largest.values())
    by_environment: dict[str, list[Service]] = {}
    for each in found:
        by_environment.setdefault(nearness.environment_of(each.path)[0], []).append(each)
    of_all = by_environment.pop("", [])
    if len(by_environment) < 2 or _share_a_host(by_environment.values()):
        return found
    return [*max(by_environment.values(), key=lambda own: connections_needed(_plain(own))), *of_all]


def _called_apart(services: list[Service]) -> list[Service]:
    """Services of one name in several namespaces, each with its namespace: their inputs are told by it."""
    times = Counter(each.name for each in services)
    return [
        replace(each, name="-".join(each.subject.split("/")[1:])) if times[each.name] > 1 else each for each in services
    ]


def _share_a_host(groups: Iterable[list[Service]]) -> bool:
    """Whether services of two environments name one server: a name of one cluster alone is another server in each."""
    named = [{host for each in own for host in each.hosts if "." in host and ".svc" not in host} for own in groups]
    return len(set().union(*named)) < sum(map(len, named))


def _uses(database: Database, stated: Sourced[Any] | None, hosts: list[str]) -> bool:
    """Whether a service does, by the name of its database that the facts state, else by the hosts that it names."""
    if stated is not None:
        return bool(stated.value == database.name)
    name = database.name.lower()
    return any(name in host for host in hosts)


def _without_database(services: list[Service]) -> Unsure:
    host = next((host.partition(".")[0] for each in services for host in each.hosts), "main")
    needed = connections_needed(_plain(services))
    first = services[0]
    reason = f"they may need {counted(needed, 'connections')}; how many the database takes is not stated"
    return Unsure(first.subject, reason, f"facts: databases.{host}.max_connections", first.pool.size.place)


def _plain(services: list[Service]) -> list[tuple[int, int, int]]:
    return [(each.pods.value, each.processes.value, each.pool.most) for each in services]


def _judged(platform: Platform, database: Database, services: list[Service], *, is_complete: bool) -> Iterator[Verdict]:
    if isinstance(database.limit, Unknown):
        yield Unsure(database.subject, database.limit.reason, database.limit.provide, database.limit.place)
        return
    if database.proxy is not None:
        yield Pass(database.subject, places(database.place, database.proxy))
        return
    poolers = database.poolers
    if not poolers and not database.subject.startswith(f"{COMPOSE}/"):
        poolers = _of_cluster(platform)
    if poolers:
        yield _behind_poolers(database, poolers)
        return
    if not services:
        yield from _without_services(database)
        return
    yield from _direct(platform, database, services, is_complete=is_complete)


@all_once
def _of_cluster(platform: Platform) -> Iterator[Pooler]:
    return databases.pgbouncers(platform, platform.workloads)


def _behind_poolers(database: Database, poolers: tuple[Pooler, ...]) -> Verdict:
    available = database.available or 0
    needed = 0
    terms: list[Input] = []
    for pooler in poolers:
        if isinstance(pooler.instances, Unknown):
            return Unsure(pooler.subject, pooler.instances.reason, pooler.instances.provide, pooler.place)
        most = pooler.most.value if pooler.most else None
        needed += pooled_connections(pooler.instances.value, pooler.size.value, pooler.pools.value, most)
        terms += [
            input_of("pooler_instances", pooler.instances, "instances"),
            input_of("pools", pooler.pools, "pools"),
            input_of("default_pool_size", pooler.size, "connections"),
            *((input_of("max_db_connections", pooler.most, "connections"),) if pooler.most else ()),
        ]
    found = places(database.place, *(each.place for each in poolers))
    if needed <= available:
        return Pass(database.subject, found)
    formula = "sum(pooler instances × min(max_db_connections, pools × default_pool_size))"
    return _failed(database, found, needed, formula, tuple(terms))


def _failed(
    database: Database,
    found: tuple[Place, ...],
    needed: int,
    formula: str,
    terms: tuple[Input, ...],
    more: tuple[Quantity, ...] = (),
    severity: Severity | None = None,
) -> Fail:
    available = database.available or 0
    refused = refused_percent(needed, available)
    quantities = (
        Quantity("connections_needed", needed, "connections", formula, terms),
        _available(database),
        Quantity(
            "connections_refused_percent", refused, "%", "max(0, 1 − available ÷ needed)", (*terms, *database.terms)
        ),
        *more,
    )
    title = f"{needed} connections needed, {available} available"
    why = f"At their largest its clients may open {needed} connections and {database.name} gives them {available}."
    return Fail(database.subject, title, why, found, quantities, severity)


def _available(database: Database) -> Quantity:
    note = (_SEED,) if database.memory is not None else ()
    return Quantity(
        "connections_available",
        database.available,
        "connections",
        "max_connections − reserved_connections",
        database.terms,
        note,
    )


def _without_services(database: Database) -> Iterator[Verdict]:
    """PostgreSQL's own default of a hundred, and nothing that shares it out: told although no client is known."""
    assert isinstance(database.limit, Sourced)
    if database.limit.source is Source.PROVIDER_DEFAULT and database.limit.value <= 100:
        yield Fail(
            database.subject,
            f"{database.available} connections for all clients together, and no pooler",
            "The limit is PostgreSQL's default and no pooler stands before it: a few processes with pools of their own "
            "use it up.",
            places(database.place),
            (_available(database),),
            Severity.LOW,
            "no pooler",
        )
    yield Unsure(
        database.subject,
        "nothing says which services connect to it, with what pools",
        "facts: services.NAME.connections_per_process and services.NAME.max_pods",
        database.place,
    )


def _direct(platform: Platform, database: Database, services: list[Service], *, is_complete: bool) -> Iterator[Verdict]:
    available = database.available or 0
    needed = connections_needed(_plain(services))
    rollout = connections_needed((s.pods.value + s.added.value, s.processes.value, s.pool.most) for s in services)
    found = places(*(each.pool.size for each in services), *(each.pods for each in services), database.place)
    if rollout <= available:
        if is_complete:
            yield Pass(database.subject, found)
        return
    terms = tuple(term for each in services for term in each.terms)
    added = tuple(input_of(f"{each.name}_max_surge", each.added, "pods") for each in services)
    more = [
        Quantity("connections_needed_in_rollout", rollout, "connections",
                 "sum((max_pods + max_surge) × processes × pool)", (*terms, *added)),
        Quantity("breakpoint_pods", breakpoint_pods(available, [each.per_pod for each in services]), "pods per service",
                 "floor(available ÷ sum(processes × pool))", (*terms, *database.terms)),
    ]  # fmt: skip
    step = _scale_step(services)
    if step is not None:
        more.append(step)
    memory = platform.facts.number(f"databases.{database.name}.connection_memory_mb")
    if memory is not None:
        inputs = (*terms, input_of("memory_per_connection", memory, "MB"))
        more.append(Quantity("connection_memory_mb", needed * memory.value, "MB", "needed × memory each", inputs))
    formula = "sum(max_pods × processes × pool)"
    if needed > available:
        yield _failed(database, found, needed, formula, terms, tuple(more))
    else:
        yield _only_in_rollout(database, found, needed, rollout, (*terms, *added), tuple(more))
    if memory is None:
        yield Unsure(
            database.subject,
            "the memory of a connection is not stated, so connection_memory_mb is left out",
            f"facts: databases.{database.name}.connection_memory_mb",
            database.place,
        )


def _only_in_rollout(
    database: Database,
    found: tuple[Place, ...],
    needed: int,
    rollout: int,
    terms: tuple[Input, ...],
    more: tuple[Quantity, ...],
) -> Fail:
    available = database.available or 0
    refused = Quantity(
        "connections_refused_percent",
        refused_percent(rollout, available),
        "%",
        "max(0, 1 − available ÷ needed in a rollout)",
        (*terms, *database.terms),
    )
    steady = Quantity("connections_needed", needed, "connections", "sum(max_pods × processes × pool)", terms)
    return Fail(
        database.subject,
        f"A rollout needs {rollout} connections, {available} are available",
        f"{needed} connections fit, but a rolling update starts new pods before it ends the old ones.",
        found,
        (steady, _available(database), refused, *more),
        Severity.HIGH,
        "rollout",
    )


def _scale_step(services: list[Service]) -> Quantity | None:
    """The most connections that one step of the autoscalers adds."""
    total = 0
    terms: list[Input] = []
    for service in services:
        scaler = service.scaler
        if scaler is None or not isinstance(scaler.minimum, Sourced) or not isinstance(scaler.maximum, Sourced):
            continue
        pods = autoscaling.largest_step(scaler)
        if pods is None:
            continue
        total += pods * service.per_pod
        policies = (replace(each, name=f"{service.name}_{each.name}") for each in autoscaling.policy_terms(scaler))
        terms += [input_of(f"{service.name}_min_pods", scaler.minimum, "pods"), *service.terms, *policies]
    if not total:
        return None
    formula = "sum(pods that the largest step adds × processes × pool)"
    return Quantity("connections_per_scale_step", total, "connections", formula, tuple(terms))

"""Which containers connect to a database, and how many connections one of their processes may hold. PURE."""

import re
from collections.abc import Iterable, Iterator

from findings.platform import ecs
from findings.platform.model import Container, Platform, Setting, Workload, all_once, normal, once
from findings.platform.nodes import find, items
from findings.platform.patterns import of_names
from findings.platform.processes import started
from findings.platform.units import stated_count
from findings.platform.yaml_reader import Map
from platform_risk.quantities.records import record
from platform_risk.quantities.sourced import Source, Sourced, Unknown

_DSN = re.compile(
    r"(?:postgres(?:ql)?|mysql|mariadb|jdbc:(?:postgresql|mysql|mariadb))(?:\+\w+)?://([^/?\s]*)", re.IGNORECASE
)
_HOST = re.compile(r"(?:[^@]*@)?(?:\$\{\w+:-?)?([A-Za-z0-9.-]+)")  # `${DB_HOST:main}` has a default
_LIMIT = re.compile(r"[?&](?:connection_limit|pool_size|maxPoolSize|maximumPoolSize|pool_max_conns)=([0-9]+)")
_CONNECTS = of_names(
    r"(?:.*_)?(?:database|db|postgres(?:ql)?|pg|mysql|aurora|sqlalchemy_database|spring_datasource)_?"
    r"(?:url|uri|dsn|host|hostname|host_name|endpoint|connection_string)|pghost|database_url"
)
_WORDS = r"(?:database|db|postgres(?:ql)?|pg|mysql|sql|sqlalchemy|hikari|datasource|engine|aurora|rds)"
_POOL = of_names(
    rf"(?:.*_)?{_WORDS}(?:_.*)?_(?:pool_size|max_pool_size|pool_max|pool_max_size|maximum_pool_size|max_open_conns?"
    r"|pool_max_connections)|pool_size|(?:db|database|pg|postgres)_(?:max_)?connections(?:_per_pod)?"
)
_OVERFLOW = of_names(r"(?:.*_)?max_overflow")
_NOT = re.compile(r"redis|http|thread|worker|kafka|valkey|memcached|amqp|rabbit")
_SERVERS = ("postgres", "mysql", "mariadb", "pgbouncer", "pgpool", "odyssey", "pgcat", "postgis", "timescaledb")


@record(frozen=True)
class Pool:
    """Connections that one process may hold: a pool's size and what it may grow by."""

    size: Sourced[int]
    overflow: Sourced[int] | None = None

    @property
    def most(self) -> int:
        return self.size.value + (self.overflow.value if self.overflow else 0)


@record(frozen=True)
class Client:
    workload: Workload
    container: Container
    hosts: tuple[str, ...]  # host names in its environment
    pool: Pool | Unknown


@all_once
def clients(platform: Platform) -> Iterator[Client]:
    """Containers that state a database's address or a pool of connections to one."""
    for workload in (*platform.running, *ecs.tasks(platform)):
        for container in workload.containers:
            if container.is_init or is_server(container):
                continue
            own = _own_pool(platform, workload, container)
            told = platform.settings_by_name(workload)
            hosts = (*_hosts(container), *_addresses(told))
            if own is None and (not (_connects(container) or hosts) or _is_itself(platform, workload, hosts)):
                continue
            pool = (
                own
                or _shared_pool(platform)
                or _fact(platform, workload)
                or _of_framework(platform, workload, container)
                or _missing(workload, container)
            )
            yield Client(workload, container, hosts, pool)


def _is_itself(platform: Platform, workload: Workload, hosts: tuple[str, ...]) -> bool:
    """Whether every address that it states is its own: the server's, which its clients read from the same place."""
    names = {workload.resource.name, *(each.name for each in platform.services_of(workload))}
    return bool(hosts) and all(host.partition(".")[0] in names for host in hosts)


def _addresses(settings: Iterable[Setting]) -> list[str]:
    """Hosts of databases that connection strings in settings name."""
    strings = (each.value.value for each in settings if isinstance(each.value.value, str))
    named = (_HOST.match(found[1]) for string in strings if (found := _DSN.search(string)))
    return [host[1] for host in named if host is not None]


def is_server(container: Container) -> bool:
    """Whether it is the database or a pooler itself."""
    name = container.image.value.rpartition("/")[2].lower() if container.image else ""
    return name.partition(":")[0].startswith(_SERVERS) or container.name.lower().startswith("pgbouncer")


def _connects(container: Container) -> bool:
    for name, variable in container.env.items():
        if _CONNECTS(normal(name)) and (variable.secret or variable.value is not None):
            return True
        if variable.value is not None and _DSN.search(variable.value.value):
            return True
    return False


def _hosts(container: Container) -> Iterator[str]:
    for name, variable in container.env.items():
        if variable.value is None:
            continue
        found = _DSN.search(variable.value.value)
        host = _HOST.match(found[1]) if found else None
        if host is None and _CONNECTS(normal(name)):
            host = _HOST.match(variable.value.value)
        if host is not None:
            yield host[1]


def _own_pool(platform: Platform, workload: Workload, container: Container) -> Pool | None:
    run = started(platform, workload, container)
    for stated in run.env.values():
        limit = _LIMIT.search(stated.value) if _DSN.search(stated.value) else None
        if limit is not None:
            return Pool(Sourced(int(limit[1]), stated.source, stated.place))
    files = mounted(workload)
    own = [Setting(name, value, workload.id) for name, value in run.env.items()]
    of_files = [each for scope in files for each in platform.settings_of(scope)]
    # Variables win over a mounted file, and that over the one that the image brings.
    return _pool_of([*own, *of_files, *platform.settings_by_name(workload)])


def mounted(workload: Workload) -> list[str]:
    """Ids of the ConfigMaps that it mounts."""
    names = []
    for volume in items(workload.pod, "volumes"):
        found = find(volume, "configMap.name") if isinstance(volume, Map) else None
        if found is not None:
            names.append(str(found[0]))
    namespace = workload.resource.namespace
    return ["/".join(part for part in ("ConfigMap", namespace, name) if part) for name in names]


def _pool_of(settings: list[Setting]) -> Pool | None:
    sizes = [
        (each, count)
        for each in settings
        if _POOL(each.name) and not _NOT.search(each.name)
        and (count := stated_count(each.value)) is not None and count.value > 0
    ]  # fmt: skip
    if not sizes:
        return None
    setting, size = sizes[0]
    grown = [stated_count(each.value) for each in settings if _OVERFLOW(each.name)]
    overflow = next((each for each in grown if each is not None), None)
    if overflow is None and "sqlalchemy" in setting.name:
        overflow = Sourced(10, Source.PROVIDER_DEFAULT, size.place, "SQLAlchemy: max_overflow defaults to 10")
    return Pool(size, overflow)


@once
def _shared_pool(platform: Platform) -> Pool | None:
    """What the code says, or a file of settings of no workload: when all of them agree on one."""
    engines = platform.calls_of("create_engine", "create_async_engine")
    if len(engines) == 1:
        call = engines[0]
        size = stated_count(call.arguments.get("pool_size")) or Sourced(
            5, Source.PROVIDER_DEFAULT, call.place, "SQLAlchemy: pool_size defaults to 5"
        )
        overflow = stated_count(call.arguments.get("max_overflow")) or Sourced(
            10, Source.PROVIDER_DEFAULT, call.place, "SQLAlchemy: max_overflow defaults to 10"
        )
        return Pool(size, overflow)
    loose = [each for scope, each in platform.loose_settings.items() if not scope.startswith("ConfigMap/")]
    found = [pool for each in loose if (pool := _pool_of(each)) is not None]
    return found[0] if len({pool.most for pool in found}) == 1 else None


def _of_framework(platform: Platform, workload: Workload, container: Container) -> Pool | None:
    """What a framework does that is recognized by its variables and told nothing else."""
    variable = next((each for name, each in container.env.items() if name.startswith("SPRING_DATASOURCE_")), None)
    told = platform.settings_by_name(workload)
    place = variable.place if variable is not None else next(
        (each.value.place for each in told if each.key.startswith("spring.datasource.")), None
    )  # fmt: skip
    if place is not None:
        note = "HikariCP, Spring Boot's pool: maximumPoolSize defaults to 10"
        return Pool(Sourced(10, Source.PROVIDER_DEFAULT, place, note))
    run = started(platform, workload, container)
    if any(_RAILS.fullmatch(word) for word in run.words):
        note = "Rails: pool of config/database.yml is RAILS_MAX_THREADS, else 5"
        threads = run.number("RAILS_MAX_THREADS")
        return Pool(Sourced(threads.value if threads else 5, Source.PROVIDER_DEFAULT, run.place, note))
    django = container.env.get("DJANGO_SETTINGS_MODULE")
    place = django.place if django is not None else run.place if _is_django(platform, run.words) else None
    if place is None:
        return None
    threads = run.option("--threads")
    note = "Django without a pool: one connection per thread"
    return Pool(Sourced(threads.value if threads else 1, Source.PROVIDER_DEFAULT, place, note))


_RAILS = re.compile(r"(?:.*/)?(?:puma|rails)")
_WSGI = re.compile(r"[\w.]+\.[wa]sgi(?::\w+)?")


def _is_django(platform: Platform, words: Iterable[str]) -> bool:
    """Whether what it serves is an application of Django's, whose settings are among the files."""
    if not any(_WSGI.fullmatch(word) for word in words):
        return False
    engines = platform.settings_like(r"databases_\w+_engine")
    return any(str(each.value.value).startswith("django.db.backends.") for each in engines)


def _fact(platform: Platform, workload: Workload) -> Pool | None:
    stated = stated_count(platform.facts.get(f"services.{workload.resource.name}.connections_per_process"))
    return Pool(stated) if stated is not None else None


def _missing(workload: Workload, container: Container) -> Unknown:
    return Unknown(
        "the size of its connection pool is not stated",
        f"facts: services.{workload.resource.name}.connections_per_process",
        workload.resource.place(container.node.line),
    )

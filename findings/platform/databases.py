"""Databases with the number of connections they take, and the poolers before them. PURE."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from findings.platform import azure_sizes, pools
from findings.platform.model import Block, Platform, Resource, Workload, once
from findings.platform.nodes import mapping
from findings.platform.units import stated_count
from platform_risk.quantities.sourced import NOWHERE, Input, Place, Source, Sourced, Unknown, input_of

# GiB of an instance class by family and size: the smallest size of the family, then doubled from size to size.
_FAMILIES: dict[str, float] = {
    **dict.fromkeys(("t2", "t3", "t4g"), 8), **dict.fromkeys(("m4", "m5", "m5d", "m6g", "m6gd", "m6i", "m6id"), 8),
    **dict.fromkeys(("m7g", "m7i", "m8g"), 8), **dict.fromkeys(("r3", "r4"), 15.25),
    **dict.fromkeys(("r5", "r5b", "r5d", "r6g", "r6gd", "r6i", "r6id", "r7g", "r7i", "r8g"), 16),
    **dict.fromkeys(("x2g", "x2iedn"), 32), **dict.fromkeys(("m3",), 7.5),
}  # fmt: skip
_SIZES = {
    "micro": 0.125, "small": 0.25, "medium": 0.5, "large": 1, "xlarge": 2, "2xlarge": 4, "4xlarge": 8, "8xlarge": 16,
    "10xlarge": 20, "12xlarge": 24, "16xlarge": 32, "24xlarge": 48, "32xlarge": 64, "48xlarge": 96,
}  # fmt: skip
_RESERVED = 3  # superuser_reserved_connections
_RESERVED_RDS = 2  # rds.rds_superuser_reserved_connections
_RESERVED_NOTE = "PostgreSQL: superuser_reserved_connections defaults to 3"
_RESERVED_RDS_NOTE = f"{_RESERVED_NOTE}; RDS keeps 2 more for its own superuser"
_FORMULA_NOTE = "RDS for PostgreSQL: max_connections defaults to LEAST(DBInstanceClassMemory ÷ 9531392, 5000)"


@dataclass(frozen=True)
class Pooler:
    """What stands between clients and a database and bounds the connections it sees."""

    subject: str
    instances: Sourced[int] | Unknown
    size: Sourced[int]  # of one pool, on the server's side
    most: Sourced[int] | None  # of one instance over all its pools
    pools: Sourced[int]
    place: Place


@dataclass(frozen=True)
class Database:
    name: str
    subject: str
    limit: Sourced[int] | Unknown
    reserved: Sourced[int]  # of the limit, for others than applications
    place: Place
    poolers: tuple[Pooler, ...] = ()
    proxy: Place | None = None  # a proxy that never opens more than a share of the limit
    memory: Sourced[int] | None = None  # bytes, where the limit follows from it
    names: frozenset[str] = frozenset()  # host names that lead to it; empty where nobody can tell
    block: Block | None = None  # of Terraform

    @property
    def kind_of(self) -> str:
        """What it has in common with those of other environments."""
        return self.block.own_address if self.block is not None else self.subject

    @property
    def beside(self) -> str:
        """The path by which it is near others: of Terraform where it is applied, not where its module is."""
        return f"{self.block.root}/".lstrip("/") if self.block is not None else self.place.path

    @property
    def available(self) -> int | None:
        return max(self.limit.value - self.reserved.value, 0) if isinstance(self.limit, Sourced) else None

    @property
    def terms(self) -> tuple[Input, ...]:
        if not isinstance(self.limit, Sourced):
            return ()
        memory = (input_of("instance_memory", self.memory, "bytes"),) if self.memory else ()
        return (
            *memory,
            input_of("max_connections", self.limit, "connections"),
            input_of("reserved_connections", self.reserved, "connections"),
        )


def instance_memory(instance_class: str) -> int | None:
    """Bytes of memory of an RDS instance class, as nominal: db.r6g.large has 16 GiB.

    Source: Amazon RDS, hardware specifications for DB instance classes.
    """
    _, family, size = [*instance_class.split("."), "", ""][:3]
    if family not in _FAMILIES or size not in _SIZES:
        return None
    gib = _FAMILIES[family] * _SIZES[size]
    return int(gib * 2**30)


def default_max_connections(memory_bytes: int) -> int:
    """What PostgreSQL on RDS or Aurora takes without a parameter of one's own; an upper bound, since the memory that
    the formula knows is a little below the nominal.

    Source: Amazon RDS, quotas and constraints: LEAST({DBInstanceClassMemory/9531392}, 5000).
    """
    return min(memory_bytes // 9_531_392, 5000)


@once
def databases(platform: Platform) -> list[Database]:
    """Of clusters, clouds and facts; those that compose files start are `of_compose`."""
    of_clouds = (*_in_terraform(platform), *_of_google(platform), *_of_azure(platform))
    found = [*of_clouds, *_in_kubernetes(platform), *_own(platform)]
    own = {each.resource.name for each in platform.compose_services if _engine(each)}
    names = [name for name in platform.facts.names("databases") if name not in own]
    unmatched = [name for name in names if not any(_same(name, each.name) for each in found)]
    declared = [_with_facts(platform, each, names, unmatched, len(found)) for each in found]
    used = {name for name in names if any(_same(name, each.name) for each in found)}
    if len(found) == 1 and len(unmatched) == 1 and isinstance(found[0].limit, Unknown):
        used.add(unmatched[0])
    return declared + [_from_facts(platform, name) for name in names if name not in used]


def _same(name: str, other: str) -> bool:
    def plain(text: str) -> str:
        return re.sub(r"[^a-z0-9]", "", text.lower())

    return plain(name) == plain(other)


def _with_facts(platform: Platform, found: Database, names: list[str], unmatched: list[str], count: int) -> Database:
    """What somebody declares of a database wins over what follows from defaults."""
    name = next((each for each in names if _same(each, found.name)), "")
    if not name and count == 1 and len(unmatched) == 1 and isinstance(found.limit, Unknown):
        name = unmatched[0]
    if not name:
        return found
    declared = _from_facts(platform, name)
    if isinstance(declared.limit, Unknown):
        return found
    return replace(found, limit=declared.limit, reserved=declared.reserved, memory=None)


def _from_facts(platform: Platform, name: str) -> Database:
    limit = stated_count(platform.facts.get(f"databases.{name}.max_connections"))
    place = limit.place if limit else Place(platform.facts.path, platform.facts.lines.get(f"databases.{name}"))
    reserved = stated_count(platform.facts.get(f"databases.{name}.reserved_connections")) or Sourced(
        0, Source.ASSUMPTION, place, "what is declared is taken as open to applications"
    )
    missing = Unknown("max_connections is not declared", f"facts: databases.{name}.max_connections", place)
    return Database(name, f"databases.{name}", limit or missing, reserved, place)


def _in_terraform(platform: Platform) -> Iterator[Database]:
    proxy = next((each.place() for each in platform.terraform("aws_db_proxy_default_target_group")), None)
    for block in platform.terraform("aws_db_instance", "aws_rds_cluster"):
        if isinstance(block.get("replicate_source_db"), Sourced):
            continue
        name = block.labels[1] if len(block.labels) > 1 else block.id
        instance_class = _instance_class(platform, block)
        limit, memory = _limit(platform, block, name, instance_class)
        engine = _text(block.get("engine"))
        reserved = (
            Sourced(0, Source.PROVIDER_DEFAULT, block.place(), "MySQL keeps one connection beyond max_connections")
            if "mysql" in engine or "mariadb" in engine
            else Sourced(_RESERVED + _RESERVED_RDS, Source.PROVIDER_DEFAULT, block.place(), _RESERVED_RDS_NOTE)
        )
        yield Database(name, block.id, limit, reserved, block.place(), (), proxy, memory, block=block)


def _of_google(platform: Platform) -> Iterator[Database]:
    """Cloud SQL: a flag, else what the machine's size gives, of which nothing is known here."""
    for block in platform.terraform("google_sql_database_instance"):
        if "master_instance_name" in block.attributes:
            continue
        name = block.labels[1] if len(block.labels) > 1 else block.id
        flags = (flag for settings in block.inner("settings") for flag in settings.inner("database_flags"))
        value = next((each.get("value") for each in flags if _text(each.get("name")) == "max_connections"), None)
        limit = value if isinstance(value, Unknown) else stated_count(value)
        version = _text(block.get("database_version"))
        if limit is None:
            reason = f"max_connections of {version or 'Cloud SQL'} follows from its machine and is not stated"
            limit = Unknown(reason, f"facts: databases.{name}.max_connections", block.place())
        kept = _RESERVED if version.startswith("POSTGRES") else 0
        note = _RESERVED_NOTE if kept else "MySQL keeps one connection beyond max_connections"
        reserved = Sourced(kept, Source.PROVIDER_DEFAULT, block.place(), note)
        place = limit.place if isinstance(limit, Sourced) else block.place()
        yield Database(name, block.id, limit, reserved, place, block=block)


def _of_azure(platform: Platform) -> Iterator[Database]:
    """Flexible servers of PostgreSQL and MySQL, by what their configuration states, else by their size.

    Source: Azure Database for PostgreSQL, limits: 15 connections are kept for replication and monitoring.
    """
    for engine, kept, note, names in (
        ("postgresql", 15, "Azure keeps 15 connections for replication and monitoring", "server_id"),
        ("mysql", 0, "MySQL keeps one connection beyond max_connections", "server_name"),
    ):
        kind = f"azurerm_{engine}_flexible_server"
        for block in platform.terraform(kind):
            if "source_server_id" in block.attributes:
                continue
            name = block.labels[1] if len(block.labels) > 1 else block.id
            limit = _of_size(engine, name, block)
            for each in platform.terraform(f"{kind}_configuration"):
                if _text(each.get("name")) == "max_connections" and _belongs(each, block, names):
                    limit = _stated_or(each.get("value"), limit, name)
            reserved = Sourced(kept, Source.PROVIDER_DEFAULT, block.place(), note)
            place = limit.place if isinstance(limit, Sourced) else block.place()
            yield Database(name, block.id, limit, reserved, place, block=block)


def _of_size(engine: str, name: str, block: Block) -> Sourced[int] | Unknown:
    sku = block.get("sku_name")
    default = azure_sizes.default_max_connections(engine, _text(sku))
    if default is None or not isinstance(sku, Sourced):
        reason = "max_connections follows from its size and is not stated"
        return Unknown(reason, f"facts: databases.{name}.max_connections", block.place())
    note = f"Azure: max_connections of {sku.value} defaults to {default}"
    return Sourced(default, Source.PROVIDER_DEFAULT, sku.place, note)


def _stated_or(
    value: Sourced[Any] | Unknown | None, otherwise: Sourced[int] | Unknown, name: str
) -> Sourced[int] | Unknown:
    """What is set wins over the default, also where it is not known."""
    if isinstance(value, Unknown):
        return Unknown(value.reason, f"facts: databases.{name}.max_connections", value.place)
    return stated_count(value) or otherwise


def _text(stated: object) -> str:
    return stated.value if isinstance(stated, Sourced) and isinstance(stated.value, str) else ""


def _instance_class(platform: Platform, block: Block) -> Sourced[str] | None:
    if block.kind == "aws_db_instance":
        candidates = [block.get("instance_class")]
    else:
        candidates = [
            each.get("instance_class")
            for each in platform.terraform("aws_rds_cluster_instance")
            if _belongs(each, block, "cluster_identifier")
        ]
    known = [each for each in candidates if isinstance(each, Sourced)]
    # The writer may be any of a cluster's instances: the smallest decides.
    known = [each for each in known if instance_memory(str(each.value)) is not None]
    return min(known, key=lambda each: instance_memory(str(each.value)) or 0) if known else None


def _belongs(block: Block, other: Block, *attributes: str) -> bool:
    """Whether a block refers to another; in the same module when it names nothing that is known."""
    if any(block.references.get(each) for each in attributes):
        return block.refers_to(other, *attributes)
    return (block.root, block.module, block.folder) == (other.root, other.module, other.folder)


def _limit(
    platform: Platform, block: Block, name: str, instance_class: Sourced[str] | None
) -> tuple[Sourced[int] | Unknown, Sourced[int] | None]:
    parameter = _parameter(platform, block)
    if parameter is not None:
        return parameter, None
    engine = _text(block.get("engine"))
    provide = f"facts: databases.{name}.max_connections"
    if instance_class is None:
        return Unknown("neither max_connections nor a known instance class is stated", provide, block.place()), None
    memory = instance_class.map(lambda each: instance_memory(each) or 0)
    memory = Sourced(memory.value, memory.source, memory.place, f"nominal memory of {instance_class.value}")
    if "postgres" in engine:
        value = default_max_connections(memory.value)
        return Sourced(value, Source.PROVIDER_DEFAULT, instance_class.place, _FORMULA_NOTE), memory
    if engine in ("mysql", "mariadb"):
        note = "RDS for MySQL: max_connections defaults to DBInstanceClassMemory ÷ 12582880"
        return Sourced(memory.value // 12_582_880, Source.PROVIDER_DEFAULT, instance_class.place, note), memory
    default = _aurora_mysql(str(instance_class.value)) if engine == "aurora-mysql" else None
    if default is not None:
        note = f"Aurora MySQL: max_connections of {instance_class.value} defaults to {default}"
        return Sourced(default, Source.PROVIDER_DEFAULT, instance_class.place, note), None
    return Unknown(f"max_connections of the engine {engine or 'not stated'} is not known", provide, block.place()), None


_AURORA_MYSQL = {
    "t": {"small": 45, "medium": 90, "large": 135},
    "r": {"large": 1000, "xlarge": 2000, "2xlarge": 3000, "4xlarge": 4000, "8xlarge": 5000, "12xlarge": 6000,
          "16xlarge": 6000, "24xlarge": 7000},
}  # fmt: skip


def _aurora_mysql(instance_class: str) -> int | None:
    """What an instance takes without a parameter of its own; None for a class that the table does not hold.

    Source: Amazon Aurora, maximum connections to an Aurora MySQL DB instance.
    """
    _, family, size = [*instance_class.split("."), "", ""][:3]
    return _AURORA_MYSQL.get(family[:1], {}).get(size)


_PARAMETERS = ("parameter_group_name", "db_cluster_parameter_group_name", "db_instance_parameter_group_name")


def _parameter(platform: Platform, block: Block) -> Sourced[int] | None:
    """max_connections of the parameter group it names, else of the only one in its folder that states it."""
    found = []
    for group in platform.terraform("aws_db_parameter_group", "aws_rds_cluster_parameter_group"):
        if not _belongs(block, group, *_PARAMETERS):
            continue
        for each in group.inner("parameter"):
            if _text(each.get("name")) == "max_connections":
                value = each.get("value")
                count = stated_count(value) if isinstance(value, Sourced) else None
                if count is not None:
                    found.append(count)
    return found[0] if len(found) == 1 else None


def _in_kubernetes(platform: Platform) -> Iterator[Database]:
    for resource in platform.of_kind("Cluster", "postgresql"):
        if resource.api.startswith("postgresql.cnpg.io/") or resource.api.startswith("acid.zalan.do/"):
            dotted = "spec.postgresql.parameters.max_connections"
            limit = stated_count(resource.at(dotted)) or Sourced(
                100, Source.PROVIDER_DEFAULT, resource.place(), "PostgreSQL: max_connections defaults to 100"
            )
            reserved = Sourced(_RESERVED, Source.PROVIDER_DEFAULT, resource.place(), _RESERVED_NOTE)
            poolers = (*_cnpg_poolers(platform, resource), *_own_pooler(resource))
            yield Database(resource.name, resource.id, limit, reserved, limit.place, poolers)


def _own(platform: Platform) -> Iterator[Database]:
    """Servers that run as workloads of one's own: those that a client with a known pool names, or the only one behind a
    pooler."""
    servers = [each for each in platform.workloads if each.resource.kind in _RUN_BY and _engine(each)]
    if not servers:
        return
    clients = [each for each in pools.clients(platform) if isinstance(each.pool, pools.Pool)]
    asked = {host.partition(".")[0] for client in clients for host in client.hosts}
    behind = len(servers) == 1 and next(pgbouncers(platform, platform.workloads), None) is not None
    for server in servers:
        names = frozenset({server.resource.name, *(each.name for each in platform.services_of(server))})
        if names & asked or behind:
            found = _of_service(platform, server, _engine(server), ())
            yield replace(found, names=names)


def _cnpg_poolers(platform: Platform, cluster: Resource) -> Iterator[Pooler]:
    for resource in platform.of_kind("Pooler"):
        same = mapping(resource.body, "spec.cluster").get("name") == cluster.name
        if same and resource.namespace == cluster.namespace:
            yield cnpg_pooler(platform, resource)


def cnpg_pooler(platform: Platform, resource: Resource) -> Pooler:
    here = resource.place()
    instances = stated_count(resource.at("spec.instances")) or Sourced(
        1, Source.PROVIDER_DEFAULT, here, "CloudNativePG: a Pooler has 1 instance unless told otherwise"
    )
    parameters = "spec.pgbouncer.parameters"
    size = stated_count(resource.at(f"{parameters}.default_pool_size")) or Sourced(
        20, Source.PROVIDER_DEFAULT, here, "PgBouncer: default_pool_size defaults to 20"
    )
    most = stated_count(resource.at(f"{parameters}.max_db_connections"))
    return Pooler(resource.id, instances, size, most, _pools(platform, here), here)


def _pools(platform: Platform, here: Place) -> Sourced[int]:
    return stated_count(platform.facts.get("poolers.pools")) or Sourced(
        1, Source.ASSUMPTION, here, "one pair of user and database"
    )


def _own_pooler(resource: Resource) -> Iterator[Pooler]:
    """Zalando's operator runs PgBouncer beside the cluster when asked."""
    asked = resource.at("spec.enableConnectionPooler")
    if asked is None or asked.value is not True:
        return
    instances = stated_count(resource.at("spec.connectionPooler.numberOfInstances")) or Sourced(
        2, Source.PROVIDER_DEFAULT, asked.place, "Postgres Operator: 2 pooler instances unless told otherwise"
    )
    most = stated_count(resource.at("spec.connectionPooler.maxDBConnections")) or Sourced(
        60, Source.PROVIDER_DEFAULT, asked.place, "Postgres Operator: 60 connections over all pooler instances"
    )
    # Stated over all instances; each takes its share.
    share = most.map(lambda total: -(-total // max(instances.value, 1)))
    one = Sourced(1, Source.ASSUMPTION, NOWHERE, "one pair of user and database")
    yield Pooler(resource.id, instances, share, share, one, asked.place)


# Servers by their image: how many connections they take untold, and how many of them are kept back.
_SERVERS = {
    "postgres": (100, _RESERVED, "PostgreSQL"), "postgresql": (100, _RESERVED, "PostgreSQL"),
    "postgis": (100, _RESERVED, "PostgreSQL"), "timescaledb": (100, _RESERVED, "PostgreSQL"),
    "pgvector": (100, _RESERVED, "PostgreSQL"), "mysql": (151, 0, "MySQL"), "mariadb": (151, 0, "MariaDB"),
}  # fmt: skip
_RUN_BY = ("StatefulSet", "Deployment")
_LIMIT_FLAG = re.compile(r"(?:--)?max[_-]connections=([0-9]{1,6})\Z")


def of_compose(platform: Platform, services: list[Workload]) -> list[Database]:
    """The databases that one project of docker-compose starts for itself."""
    poolers = tuple(pgbouncers(platform, services))
    return [_of_service(platform, each, engine, poolers) for each in services if (engine := _engine(each))]


def _engine(service: Workload) -> str:
    image = service.containers[0].image if service.containers else None
    name = image.value.rpartition("/")[2].partition(":")[0].partition("@")[0].lower() if image is not None else ""
    return name if name in _SERVERS else ""


def _of_service(platform: Platform, service: Workload, engine: str, poolers: tuple[Pooler, ...]) -> Database:
    default, kept, product = _SERVERS[engine]
    name, place = service.resource.name, service.resource.place()
    provide = f"facts: databases.{name}.max_connections"
    limit: Sourced[int] | Unknown | None = stated_count(platform.facts.get(f"databases.{name}.max_connections"))
    container = service.containers[0]
    of_image = container.env.get("POSTGRESQL_MAX_CONNECTIONS")  # Bitnami's
    limit = limit or stated_count(of_image.value if of_image is not None else None)
    for word in container.words:
        flag = _LIMIT_FLAG.match(word)
        at = service.resource.place(container.node.lines.get("args"))
        if flag is not None:
            limit = limit or Sourced(int(flag[1]), Source.FILE, at)
        elif re.match(r"(?:--)?(?:config[_-]file|defaults-(?:extra-)?file)=", word):
            limit = limit or Unknown("its max_connections stands in a file that is not read", provide, at)
    limit = limit or Sourced(
        default, Source.PROVIDER_DEFAULT, place, f"{product}: max_connections defaults to {default}"
    )
    note = _RESERVED_NOTE if kept else "MySQL keeps one connection beyond max_connections"
    reserved = Sourced(kept, Source.PROVIDER_DEFAULT, place, note)
    return Database(name, service.id, limit, reserved, limit.place, poolers)


def pgbouncers(platform: Platform, workloads: Iterable[Workload]) -> Iterator[Pooler]:
    """PgBouncer that runs as a workload of its own."""
    for workload in workloads:
        for container in workload.containers:
            if container.image is None or "pgbouncer" not in container.image.value.lower():
                continue
            variables = {name.upper(): each.value for name, each in container.env.items()}
            size = _first(platform, variables, "DEFAULT_POOL_SIZE", "PGBOUNCER_DEFAULT_POOL_SIZE")
            most = _first(platform, variables, "MAX_DB_CONNECTIONS", "PGBOUNCER_MAX_DB_CONNECTIONS")
            here = workload.resource.place(container.node.line)
            default = Sourced(20, Source.PROVIDER_DEFAULT, here, "PgBouncer: default_pool_size defaults to 20")
            yield Pooler(workload.id, workload.replicas, size or default, most, _pools(platform, here), here)


def _first(platform: Platform, variables: dict[str, Sourced[str] | None], *names: str) -> Sourced[int] | None:
    for name in names:
        found = stated_count(variables.get(name))
        if found is not None:
            return found
    wanted = rf"(?:pgbouncer_)?{names[0].lower()}"
    stated = [
        each.value for each in platform.settings_like(wanted) if each.scope.lower().endswith((".ini", "pgbouncer"))
    ]
    return stated_count(stated[0]) if len(stated) == 1 else None

"""Redis, Valkey and KeyDB: how much they may hold, and what they do when they are full. PURE."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from findings.platform.model import Block, Container, Platform, Resource, Workload
from findings.platform.pools import mounted
from findings.platform.processes import started
from findings.platform.units import amount, number
from findings.platform.yaml_reader import Seq
from platform_risk.quantities.sourced import Place, Source, Sourced

_SERVER = re.compile(r"(?:redis|valkey|keydb)(?:-stack(?:-server)?|-server|-cluster)?\Z")
_SIZE = re.compile(r"([0-9]{1,18})(b|kb?|mb?|gb?)?\Z", re.IGNORECASE)
_UNITS = {"": 1, "b": 1, "k": 10**3, "kb": 2**10, "m": 10**6, "mb": 2**20, "g": 10**9, "gb": 2**30}
_FLAGS = ("REDIS_ARGS", "REDIS_EXTRA_FLAGS", "VALKEY_EXTRA_FLAGS", "KEYDB_EXTRA_FLAGS")
_CACHE = re.compile(r"(?:.*_)?caches?(?:_.*)?")
_BROKER = re.compile(r"(?:.*_)?broker(?:_url|_uri|_host|_server)?")
_ROLES = ("app.kubernetes.io/component", "component", "role", "tier")
_MOST_TEXT = 400
_POLICY = "Redis: maxmemory-policy defaults to noeviction"
_MANAGED = {
    "aws_elasticache_parameter_group": "ElastiCache", "google_redis_instance": "Memorystore",
    "google_memorystore_instance": "Memorystore", "azurerm_redis_cache": "Azure Cache",
}  # fmt: skip
_FAILOVER = "databases.spotahome.com/"
_OPSTREE = "redis.redis.opstreelabs.in/"


@dataclass(frozen=True)
class Server:
    """`most` is maxmemory in bytes; None where nothing bounds it. `limit` is the container's, in bytes."""

    subject: str
    policy: Sourced[str]
    most: Sourced[int] | None
    limit: Sourced[int] | None
    place: Place
    is_cache: bool
    broker: Place | None  # where somebody names it as the broker of a queue
    is_managed: bool = False


def servers(platform: Platform) -> Iterator[Server]:
    found = [
        (workload, container)
        for workload in platform.running
        for container in workload.containers
        if not container.is_init and _is_server(container)
    ]
    operated = list(_operated(platform))
    caches, brokers = (_hosts(platform, each) if found or operated else {} for each in (_CACHE, _BROKER))
    for workload, container in found:
        yield _of_container(platform, workload, container, caches, brokers)
    for resource in operated:
        yield _of_operator(platform, resource, caches, brokers)
    for block in platform.terraform(*_MANAGED):
        made = _managed(block)
        if made is not None:
            yield made


def _is_server(container: Container) -> bool:
    image = container.image.value if container.image is not None else ""
    return bool(_SERVER.match(image.rpartition("/")[2].partition(":")[0].partition("@")[0]))


def _of_container(
    platform: Platform,
    workload: Workload,
    container: Container,
    caches: Mapping[str, Place],
    brokers: Mapping[str, Place],
) -> Server:
    place = workload.resource.place(container.node.line)
    stated = _stated(platform, workload, container)
    names = {workload.resource.name, *(each.name for each in platform.services_of(workload))}
    limit = _memory(workload.resource.sourced(container.node, "resources.limits.memory"))
    return _server(workload.resource, place, stated, _bytes(stated.get("maxmemory")), limit, names, caches, brokers)


def _server(
    resource: Resource,
    place: Place,
    stated: Mapping[str, Sourced[Any]],
    most: Sourced[int] | None,
    limit: Sourced[int] | None,
    names: set[str],
    caches: Mapping[str, Place],
    brokers: Mapping[str, Place],
) -> Server:
    policy = stated.get("maxmemory-policy")
    return Server(
        resource.id,
        policy.map(str) if policy is not None else Sourced("noeviction", Source.PROVIDER_DEFAULT, place, _POLICY),
        most if most is not None and most.value > 0 else None,
        limit,
        place,
        "cache" in resource.name.lower() or _is_labelled(resource) or not names.isdisjoint(caches),
        next((brokers[name] for name in sorted(names) if name in brokers), None),
    )


def _is_labelled(resource: Resource) -> bool:
    return any(str(resource.labels.get(key)).lower() == "cache" for key in _ROLES)


def _operated(platform: Platform) -> Iterator[Resource]:
    """Objects of which an operator makes servers: Spotahome's and Opstree's."""
    yield from (each for each in platform.of_kind("RedisFailover") if each.api.startswith(_FAILOVER))
    for each in platform.of_kind("Redis", "RedisReplication", "RedisCluster"):
        named = _configured(each, "additionalRedisConfig")
        # Whether a file that is not here bounds it, nobody can tell.
        is_here = named is None or platform.named("ConfigMap", each.namespace, str(named.value)) is not None
        if each.api.startswith(_OPSTREE) and is_here:
            yield each


def _of_operator(
    platform: Platform, resource: Resource, caches: Mapping[str, Place], brokers: Mapping[str, Place]
) -> Server:
    """The names of its Services follow from its own.

    Source: redis-operator of Spotahome (rfr-, rfrm- and rfs-) and of Opstree (-master and -replica, and of a cluster
    -leader and -follower).
    """
    name = resource.name
    if resource.kind == "RedisFailover":
        stated = _lines(resource, resource.at("spec.redis.customConfig"))
        limit = _memory(resource.at("spec.redis.resources.limits.memory"))
        names = {f"rfr-{name}", f"rfrm-{name}", f"rfs-{name}"}
    else:
        stated = _additional(platform, resource) | _lines(resource, _configured(resource, "dynamicConfig"))
        of_leaders = resource.at("spec.redisLeader.resources")
        where = "spec.kubernetesConfig" if of_leaders is None else "spec.redisLeader"
        limit = _memory(resource.at(f"{where}.resources.limits.memory"))
        names = {name, *(f"{name}-{role}" for role in ("master", "replica", "leader", "follower"))}
    most = _bytes(stated.get("maxmemory")) or _share(resource, limit)
    return _server(resource, resource.place(), stated, most, limit, names, caches, brokers)


def _configured(resource: Resource, name: str) -> Sourced[Any] | None:
    """Of Opstree's; of a cluster what its leaders are told, which its followers are told too, else all of it."""
    of_leaders = resource.at(f"spec.redisLeader.redisConfig.{name}") if resource.kind == "RedisCluster" else None
    return of_leaders or resource.at(f"spec.redisConfig.{name}")


def _lines(resource: Resource, listed: Sourced[Any] | None) -> dict[str, Sourced[Any]]:
    """Lines of redis.conf as a list."""
    found: dict[str, Sourced[Any]] = {}
    if listed is not None and isinstance(listed.value, Seq):
        for number_, each in enumerate(listed.value):
            key, _, value = str(each).strip().partition(" ")
            found[key.lower()] = Sourced(value.strip(), Source.FILE, resource.place(listed.value.lines[number_]))
    return found


def _additional(platform: Platform, resource: Resource) -> dict[str, Sourced[Any]]:
    """The ConfigMap that it names holds lines of redis.conf."""
    named = _configured(resource, "additionalRedisConfig")
    scope = "/".join(part for part in ("ConfigMap", resource.namespace, str(named.value) if named else "") if part)
    return {each.key: each.value for each in platform.settings_of(scope)} if named is not None else {}


def _share(resource: Resource, limit: Sourced[int] | None) -> Sourced[int] | None:
    """maxmemory where it is stated as percent of the container's limit."""
    percent = _configured(resource, "maxMemoryPercentOfLimit")
    part = number(percent.value) if percent is not None else None
    if percent is None or limit is None or not part:
        return None
    return percent.map(lambda _: int(limit.value * part / 100))


def _stated(platform: Platform, workload: Workload, container: Container) -> dict[str, Sourced[Any]]:
    """Of the files it mounts, then of its command line, which wins."""
    found: dict[str, Sourced[Any]] = {}
    for scope in mounted(workload):
        found |= {each.key: each.value for each in platform.settings_of(scope) if each.key.startswith("maxmemory")}
    run = started(platform, workload, container)
    texts = [(list(run.words), run.place)]
    texts += [(run.env[name].value.split(), run.env[name].place) for name in _FLAGS if name in run.env]
    for words, place in texts:
        for word, value in pairwise(words):
            if word in ("--maxmemory", "--maxmemory-policy"):
                found[word.removeprefix("--")] = Sourced(value, Source.FILE, place)
    return found


def _bytes(stated: Sourced[Any] | None) -> Sourced[int] | None:
    """100mb is 100 MiB and 100m is a hundred million. Source: Redis, redis.conf."""
    found = _SIZE.match(str(stated.value).strip()) if stated is not None else None
    if stated is None or found is None:
        return None
    return stated.map(lambda _: int(found[1]) * _UNITS[(found[2] or "").lower()])


def _memory(stated: Sourced[Any] | None) -> Sourced[int] | None:
    """Bytes of a quantity of Kubernetes; 0 is no limit."""
    size = amount(stated.value) if stated is not None else None
    return stated.map(lambda _: int(size)) if stated is not None and size is not None and size >= 1 else None


def _hosts(platform: Platform, pattern: re.Pattern[str]) -> dict[str, Place]:
    """The hosts that settings of such a name name, by the first part of their name, and where."""
    found: dict[str, Place] = {}
    for setting in platform.settings_like(pattern):
        value = setting.value.value
        if isinstance(value, str) and len(value) < _MOST_TEXT:
            for each in value.partition("://")[2].split(",") if "://" in value else value.split(","):
                host = each.partition("/")[0].rpartition("@")[2]
                found.setdefault(re.split(r"[.:]", host)[0], setting.value.place)
    return found


def _managed(block: Block) -> Server | None:
    """Of a service of a cloud, where its policy is stated: all of them evict keys with a time to live by default."""
    stated = _policy(block)
    if stated is None:
        return None
    return Server(block.id, stated, None, None, stated.place, "cache" in _words(block), None, is_managed=True)


def _policy(block: Block) -> Sourced[str] | None:
    for each in block.inner("parameter"):
        name, value = each.get("name"), each.get("value")
        if isinstance(name, Sourced) and name.value == "maxmemory-policy" and isinstance(value, Sourced):
            return value.map(str)
    for each in block.inner("redis_configuration"):
        value = each.get("maxmemory_policy")
        if isinstance(value, Sourced):
            return value.map(str)
    for name_ in ("redis_configs", "engine_configs"):
        configs = block.get(name_)
        if isinstance(configs, Sourced) and isinstance(configs.value, dict) and configs.value.get("maxmemory-policy"):
            return configs.map(lambda value: str(value["maxmemory-policy"]))
    return None


def _words(block: Block) -> str:
    name = block.get("name")
    return " ".join((*block.labels[1:], str(name.value) if isinstance(name, Sourced) else "")).lower()

"""4.2: what a shared cache does when it is full: parts of `cache-staleness`. PURE."""

from collections.abc import Iterator

from findings.checks.base import Fail, Pass, Unsure, Verdict
from findings.platform import cache_servers
from findings.platform.cache_servers import Server
from findings.platform.model import Platform, places
from findings.vocabulary import Severity
from platform_risk.quantities.sourced import Input, Quantity, Source, Sourced, input_of

_KEPT = "What the server needs beside its entries (clients, replication, a copy while it saves) comes on top."


def verdicts(platform: Platform) -> Iterator[Verdict]:
    for server in cache_servers.servers(platform):
        yield from _judged(server)


def memory_percent(most: int, limit: int) -> float:
    """How much of its container's limit a server may fill with entries: maxmemory ÷ limit."""
    return most * 100 / limit


def _judged(server: Server) -> Iterator[Verdict]:
    most, limit = server.most, server.limit
    if most is not None and limit is not None and most.value >= limit.value:
        yield _killed_first(server, most, limit)
    elif server.broker is not None and server.policy.value.startswith("allkeys"):
        yield _loses_tasks(server)
    elif server.is_cache and server.broker is None:
        yield from _cache(server)


def _killed_first(server: Server, most: Sourced[int], limit: Sourced[int]) -> Fail:
    terms = (input_of("maxmemory", most, "bytes"), input_of("memory_limit", limit, "bytes"))
    return Fail(
        server.subject,
        f"It is killed at {_mib(limit.value)} before it is full at {_mib(most.value)}",
        "The kernel ends it at its container's limit, which it reaches before its own: instead of dropping the oldest "
        "entries it loses all of them, and everything asks the database at once.",
        places(most, limit),
        (Quantity("maxmemory_percent_of_limit", memory_percent(most.value, limit.value), "%",
                  "maxmemory ÷ memory limit", terms, (_KEPT,)),),
        Severity.MEDIUM,
        "maxmemory",
    )  # fmt: skip


def _loses_tasks(server: Server) -> Fail:
    assert server.broker is not None
    policy = input_of("maxmemory_policy", server.policy, "")
    named = Input("broker", server.subject, "", Source.FILE, server.broker.path, server.broker.line)
    return Fail(
        server.subject,
        f"It drops queued tasks when it is full: {server.policy.value} on the broker of a queue",
        "What waits in a queue is a key like any other: with this policy it is dropped, and nobody is told. A broker "
        "must refuse instead (noeviction), and a cache belongs into a server of its own.",
        places(server.policy, server.broker),
        (Quantity("queues_that_evict", 1, "queues", "1 where a broker evicts keys without a time to live",
                  (policy, named)),),
        Severity.MEDIUM,
        "eviction",
    )  # fmt: skip


def _cache(server: Server) -> Iterator[Verdict]:
    """What is known to be a cache."""
    policy, most, limit = server.policy, server.most, server.limit
    if most is None and not server.is_managed:
        if limit is not None:
            yield _unbounded(server, limit)
        return
    if policy.value == "noeviction":
        yield _refusing(server)
    elif policy.value.startswith("volatile"):
        reason = f"{policy.value} drops only entries with a time to live; whether all have one is not stated"
        yield Unsure(server.subject, reason, "allkeys-lru or allkeys-lfu as its maxmemory-policy", policy.place)
    else:
        yield Pass(server.subject, places(policy, most))


def _refusing(server: Server) -> Fail:
    policy, most = server.policy, server.most
    quantities = [Quantity("caches_that_refuse", 1, "caches", "1 where a cache has noeviction and a bound",
                           (input_of("maxmemory_policy", policy, ""),))]  # fmt: skip
    if most is not None:
        terms = (input_of("maxmemory", most, "bytes"),)
        quantities.append(Quantity("bytes_until_writes_fail", most.value, "bytes", "maxmemory", terms))
    return Fail(
        server.subject,
        "A full cache refuses what is new and keeps what is old",
        "With noeviction a write fails once its memory is used up: what is in it stays as it is until its time to "
        "live is over, and what is not in it is asked of the database each time.",
        places(policy, server.place),
        tuple(quantities),
        Severity.LOW,
        "eviction",
    )


def _unbounded(server: Server, limit: Sourced[int]) -> Fail:
    none = Input("maxmemory", 0, "bytes", Source.PROVIDER_DEFAULT, server.place.path, server.place.line,
                 "Redis: maxmemory defaults to 0, which is no bound")  # fmt: skip
    return Fail(
        server.subject,
        f"A cache without a bound is killed at {_mib(limit.value)} and starts empty",
        "It never drops an entry, so it grows until the kernel ends it at its container's limit.",
        places(limit, server.place),
        (Quantity("bytes_until_killed", limit.value, "bytes", "memory limit, without maxmemory",
                  (input_of("memory_limit", limit, "bytes"), none)),),
        Severity.LOW,
        "maxmemory",
    )  # fmt: skip


def _mib(size: int) -> str:
    return f"{size / 2**20:,.0f} MiB"

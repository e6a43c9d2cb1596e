"""3.3: containers that are stopped within every period because their threads use up the CPU limit."""

import math
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from findings.checks.base import Fail, Meta, Pass, Unsure, Verdict
from findings.checks.limit_ranges import by_default
from findings.checks.words import counted
from findings.platform import processes
from findings.platform.model import Autoscaler, Container, Platform, Workload, places
from findings.platform.nodes import find, items, mapping
from findings.platform.units import amount, stated_count, stated_number
from findings.platform.yaml_reader import Map, Seq
from findings.vocabulary import Category, Outcome, Severity
from platform_risk.quantities.records import record
from platform_risk.quantities.sourced import Input, Place, Quantity, Source, Sourced, input_of

META = Meta(
    id="cpu-throttling",
    seed="3.3",
    title="The CPU limit stops a container that looks half idle",
    severity=Severity.MEDIUM,
    category=Category.PERFORMANCE,
    outcome=Outcome.OUTAGE,
    means="More threads can run at once than the CPU limit has cores: together they use up the quota of a 100 ms "
    "period early, and the kernel stops all of them until the next one begins.",
    why="Requests wait for tens of milliseconds while the average says that there is CPU to spare: an autoscaler looks "
    "at usage over the request, the kernel at the limit per period. The tail latency grows first.",
    not_a_problem="The work is batch work without a deadline, or the threads mostly wait for the network; or a rule "
    "watches throttled periods and stays quiet.",
    remedy="Set the limit to at least the threads that can run, or cap the threads at the limit (GOMAXPROCS, workers). "
    "Without a limit the request and a quota have to hold noisy neighbours: scanners that demand a limit see only that "
    "side, so decide it once and write it down.",
    patch="""resources:
  requests: {cpu: 500m}
  limits: {cpu: "2"}          # at least the threads that run
env:
  - {name: GOMAXPROCS, value: "2"}""",
    analysis="It watches usage at 50 % of the limit. The autoscaler sees 100 % of the request there, and the "
    "kernel counts per 100 ms: 8 threads on one core use up a period's quota in 12.5 ms and stand still "
    "for 87.5. A number of throttled periods says nothing without the number of periods.",
    remedies=("cpu-limits",),
    references=(
        "https://kubernetes.io/docs/concepts/configuration/manage-resources-containers/",
        "https://docs.kernel.org/scheduler/sched-bwc.html",
    ),
)

_PERIOD = 100.0  # ms, cpu.cfs_period_us of the kubelet
_LATENCY = ("Half of the limit is the whole request: usage over the request reads 100 % there, not 50 %.",)
_AT_LEAST_ONE = "a container runs one thread at least; more of them are stopped longer"
_WATCHED = "container_cpu_cfs_throttled"


def throttled_ms(limit_cores: float, threads: float, period_ms: float = _PERIOD) -> float:
    """Milliseconds of each period in which busy threads are stopped: period × (1 − limit ÷ threads).

    Source: Linux, CFS bandwidth control: quota = limit × period, spent by all threads together.
    """
    return max(0.0, period_ms * (1 - limit_cores / threads)) if threads > 0 else 0.0


def burst_ms(cpu_ms: float, threads: float, limit_cores: float, period_ms: float = _PERIOD) -> float:
    """How long a burst of so much CPU time takes: whole periods for each quota it fills, then the rest on all threads.

    Source: the same; threads spread evenly, at a period's start.
    """
    quota = limit_cores * period_ms
    if limit_cores >= threads:
        return cpu_ms / threads
    filled = math.floor(cpu_ms / quota)
    rest = cpu_ms - filled * quota
    return filled * period_ms + rest / threads if rest else (filled - 1) * period_ms + quota / threads


def scale_point(target_percent: float, request_millicores: float) -> float:
    """Millicores per pod at which the autoscaler adds pods: target × request.

    Source: Kubernetes, Horizontal Pod Autoscaling: utilization is of the request.
    """
    return target_percent * request_millicores / 100


def utilization_percent(usage_millicores: float, of_millicores: float) -> float:
    """Usage over request is what the autoscaler sees; over the limit is what the kernel acts on."""
    return usage_millicores * 100 / of_millicores


@record(frozen=True)
class Limited:
    """A container with a CPU limit."""

    subject: str
    name: str
    limit: Sourced[float]  # cores
    request: Sourced[float] | None
    threads: Sourced[int] | None
    target: Sourced[float] | None = None  # % of the request, of its autoscaler
    provide: str = "facts: services.NAME.threads"


def run(platform: Platform) -> Iterator[Verdict]:
    is_watched = any(_WATCHED in str(rule.body) for rule in platform.of_kind("PrometheusRule"))
    for workload in platform.workloads:
        scaler = platform.autoscaler_of(workload)
        for container in workload.containers:
            if not container.is_init:
                yield _judged(
                    _limited(platform, workload, container, scaler), workload.resource.place(), is_watched=is_watched
                )
    yield from _composed(platform)
    for limited in _loose(platform):
        yield _judged(limited, limited.limit.place, is_watched=is_watched)


def _composed(platform: Platform) -> Iterator[Verdict]:
    """Services of docker-compose that state both a limit and how many threads run: the kernel stops them alike."""
    for service in platform.compose_services:
        limited = _limited(platform, service, service.containers[0], None)
        if isinstance(limited, Limited) and limited.threads is not None:
            verdict = _judged(limited, service.resource.place(), is_watched=False)
            yield replace(verdict, severity=Severity.LOW) if isinstance(verdict, Fail) else verdict


def _limited(platform: Platform, workload: Workload, container: Container, scaler: Autoscaler | None) -> Limited | str:
    resource = workload.resource
    limit = resource.sourced(container.node, "resources.limits.cpu")
    requested_by_default = None
    if limit is None and not workload.is_compose:
        limit = by_default(platform, resource.namespace, "limits", "cpu")
        requested_by_default = by_default(platform, resource.namespace, "requests", "cpu")
    cores = amount(limit.value) if limit is not None else None
    if limit is None or cores is None or cores <= 0:
        return workload.id
    # One that states a limit of its own has that for its request before a LimitRange is asked.
    request = resource.sourced(container.node, "resources.requests.cpu") or requested_by_default
    asked = amount(request.value) if request is not None else None
    otherwise = None if workload.is_compose else _as_limit(limit, cores)
    return Limited(
        workload.id,
        container.name,
        limit.map(lambda _: cores),
        request.map(lambda _: asked) if request is not None and asked is not None else otherwise,
        _threads(platform, workload, container, limit.map(lambda _: cores)),
        _target(scaler, container.name) if scaler is not None else None,
        f"facts: services.{resource.name}.threads",
    )


def _as_limit(limit: Sourced[Any], cores: float) -> Sourced[float]:
    return Sourced(
        cores, Source.PROVIDER_DEFAULT, limit.place, "Kubernetes: without a request, the limit is the request"
    )


def _threads(
    platform: Platform, workload: Workload, container: Container, limit: Sourced[float]
) -> Sourced[int] | None:
    for each in items(container.node, "env"):
        named = isinstance(each, Map) and each.get("name") == "GOMAXPROCS"
        if named and mapping(each, "valueFrom.resourceFieldRef").get("resource") == "limits.cpu":
            return limit.map(math.ceil)
    return processes.threads(platform, workload, container)


def _target(scaler: Autoscaler, name: str) -> Sourced[float] | None:
    """averageUtilization of CPU, of the pods or of this container."""
    if scaler.resource is None:
        return None
    for metric in items(scaler.node, "metrics"):
        for field in ("resource", "containerResource"):
            inner = mapping(metric, field)
            if inner.get("name") == "cpu" and inner.get("container") in (None, name):
                found = stated_number(scaler.resource.sourced(inner, "target.averageUtilization"))
                if found is not None:
                    return found
    return stated_number(scaler.resource.sourced(scaler.node, "targetCPUUtilizationPercentage"))


def _loose(platform: Platform) -> Iterator[Limited]:
    """`resources:` in values files and fragments; their threads are declared when the facts speak of one service."""
    stated = platform.facts.get("services")
    names = list(stated.value) if stated is not None and isinstance(stated.value, dict) else []
    threads = stated_count(platform.facts.get(f"services.{names[0]}.threads")) if len(names) == 1 else None
    for config in platform.configs:
        if config.resource is None and "resources" in config.keys:
            for name, node in _resources(config.root, "", 0):
                found = find(node, "limits.cpu")
                cores = amount(found[0]) if found is not None else None
                if found is None or cores is None or cores <= 0:
                    continue
                asked = find(node, "requests.cpu")
                request = amount(asked[0]) if asked is not None else None
                yield Limited(
                    config.path,
                    name,
                    Sourced(cores, Source.FILE, config.place(found[1])),
                    Sourced(request, Source.FILE, config.place(asked[1])) if asked and request is not None else None,
                    threads,
                    provide="facts: services.NAME.threads, of the one service that uses these resources",
                )


def _resources(node: Any, prefix: str, depth: int) -> Iterator[tuple[str, Map]]:
    if depth > 12 or not isinstance(node, Map | Seq):
        return
    for key, value in node.items() if isinstance(node, Map) else enumerate(node):
        name = f"{prefix}.{key}" if prefix else str(key)
        if key == "resources" and isinstance(value, Map) and isinstance(value.get("limits"), Map):
            yield name, value
        else:
            yield from _resources(value, name, depth + 1)


def _judged(limited: Limited | str, place: Place, *, is_watched: bool) -> Verdict:
    if isinstance(limited, str):
        return Pass(limited, (place,))
    threads = limited.threads
    found = places(limited.limit, threads)
    if threads is None and limited.limit.value >= 1:
        reason = f"a limit of {counted(limited.limit.value, 'cores')}; how many threads run at once is not stated"
        return Unsure(limited.subject, reason, limited.provide, limited.limit.place)
    if threads is not None and threads.value <= limited.limit.value:
        return Pass(limited.subject, found)
    running = threads or Sourced(1, Source.ASSUMPTION, limited.limit.place, _AT_LEAST_ONE)
    stopped = throttled_ms(limited.limit.value, running.value)
    millicores = round(limited.limit.value * 1000, 6)
    many = "One busy thread uses" if running.value == 1 else f"{running.value} busy threads use"
    why = (
        f"{many} up {millicores:g} millicores × 100 ms after {_PERIOD - stopped:g} ms; for the rest of the period"
        " nothing runs."
    )
    if is_watched:
        why += " A rule watches throttled periods."
    is_lower = threads is None or is_watched
    return Fail(
        limited.subject,
        f"{limited.name}: stopped {stopped:g} ms of every 100 ms under load",
        why,
        found,
        tuple(_quantities(limited, running, stopped, millicores)),
        Severity.LOW if is_lower else None,
        limited.name,
    )


def _quantities(limited: Limited, threads: Sourced[int], stopped: float, millicores: float) -> Iterator[Quantity]:
    limit = input_of("limit", limited.limit, "cores")
    terms: tuple[Input, ...] = (limit, input_of("threads", threads, "threads"))
    yield Quantity("throttled_ms_per_period", stopped, "ms per 100 ms", "100 ms × (1 − limit ÷ threads)", terms)
    yield Quantity("limit_millicores", millicores, "millicores", "limit × 1000", (limit,))
    if limited.request is None:
        return
    request = input_of("request", limited.request, "cores")
    ratio = utilization_percent(limited.request.value, limited.limit.value)
    yield Quantity("request_percent_of_limit", ratio, "% of limit", "request ÷ limit", (request, limit), _LATENCY)
    if limited.target is not None:
        point = scale_point(limited.target.value, limited.request.value * 1000)
        inputs = (input_of("target", limited.target, "% of request"), request)
        yield Quantity("scale_point_millicores", point, "millicores", "target × request", inputs)

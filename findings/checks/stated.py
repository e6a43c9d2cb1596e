"""What configuration states beside what is wrong with it: pods, requests, intervals, retentions. PURE.

The costs side counts on it, and people see what their configuration says. Names are those of platform-risk.yaml where
it has one; workloads and log stores have names of their own (`workloads.ID.…`, `logs.stores.NAME.…`).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from findings.checks import entity_churn, log_retention, metric_volume
from findings.platform import facts, processes
from findings.platform.model import Container, Platform, Workload
from findings.platform.units import amount
from platform_risk.quantities.sourced import Source, Sourced


@dataclass(frozen=True, slots=True)
class Stated:
    """One value under its name; None is "for ever" of a retention."""

    name: str
    value: Sourced[Any]
    unit: str = ""


def stated(platform: Platform) -> Iterator[Stated]:
    """Everything once; facts of a file first, so that they stand for what they outdo."""
    seen: set[str] = set()
    for each in (*_facts(platform), *_metrics(platform), *_logs(platform), *_entities(platform), *_pods(platform)):
        if each.name not in seen:
            seen.add(each.name)
            yield each


def _facts(platform: Platform) -> Iterator[Stated]:
    for name, value, _ in facts.leaves(platform.facts):
        found = platform.facts.get(name)
        if found is not None and name not in platform.facts.said:
            yield Stated(name, found.map(lambda _, value=value: _plain(value)))  # type: ignore[misc]


def _plain(value: Any) -> Any:
    return [str(each) if not isinstance(each, int | float | bool) else each for each in value] if isinstance(
        value, list
    ) else value  # fmt: skip


def _metrics(platform: Platform) -> Iterator[Stated]:
    interval = metric_volume.interval_of(platform)
    if interval is not None:
        yield Stated("metrics.interval_seconds", interval, "s")
    pods = metric_volume.pods_of(platform)
    if isinstance(pods, Sourced):
        yield Stated("metrics.pods", pods.map(int), "pods")


def _logs(platform: Platform) -> Iterator[Stated]:
    for name, kept in log_retention.stores(platform):
        # Loki and index policies are read for whether they delete at all, not for when.
        if isinstance(kept, Sourced) and (kept.value == 0 or kept.value > 1):
            yield Stated(f"logs.stores.{name}.retention_days", kept.map(lambda days: int(days) or None), "days")


def _entities(platform: Platform) -> Iterator[Stated]:
    for _, _, lifetime in entity_churn.definitions(platform):
        if lifetime is not None:
            yield Stated("entities.lifetime_days", lifetime, "days")


def _pods(platform: Platform) -> Iterator[Stated]:
    for workload in platform.workloads:
        name = f"workloads.{workload.id}"
        scaler = platform.autoscaler_of(workload)
        least = scaler.minimum if scaler is not None else workload.replicas
        most = scaler.maximum if scaler is not None else workload.replicas
        if isinstance(least, Sourced):
            yield Stated(f"{name}.min_pods", least, "pods")
        if isinstance(most, Sourced):
            yield Stated(f"{name}.max_pods", most, "pods")
        for container in workload.containers:
            if not container.is_init:
                yield from _container(platform, workload, container, name)


def _container(platform: Platform, workload: Workload, container: Container, before: str) -> Iterator[Stated]:
    name = f"{before}.{container.name}" if len(workload.containers) > 1 else before
    for dotted, word, unit, factor in _RESOURCES:
        found = workload.resource.sourced(container.node, dotted)
        number = amount(found.value) if found is not None else None
        if found is not None and number is not None:
            yield Stated(f"{name}.{word}", found.map(lambda _, n=number, f=factor: _round(float(n * f))), unit)  # type: ignore[misc]
    counted = processes.processes(platform, workload, container)
    if isinstance(counted, Sourced) and counted.source is not Source.ASSUMPTION:
        yield Stated(f"{name}.processes", counted, "processes per pod")


def _round(value: float) -> float | int:
    return int(value) if value.is_integer() else round(value, 3)


_RESOURCES = (
    ("resources.requests.cpu", "cpu_request_millicores", "millicores", 1000),
    ("resources.limits.cpu", "cpu_limit_millicores", "millicores", 1000),
    ("resources.requests.memory", "memory_request_mib", "MiB", 1 / 2**20),
    ("resources.limits.memory", "memory_limit_mib", "MiB", 1 / 2**20),
)

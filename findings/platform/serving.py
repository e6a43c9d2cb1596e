"""What runs for long, what sends it traffic, and how many of it there are at least. PURE."""

import re
from collections.abc import Iterator

from findings.platform.kubernetes import is_patch
from findings.platform.model import Platform, Resource, Workload, all_once, once
from findings.platform.nodes import items, mapping
from findings.platform.selecting import selects
from findings.platform.yaml_reader import Map
from platform_risk.quantities.sourced import Sourced, Unknown

LONG = ("Deployment", "StatefulSet", "ReplicaSet", "Rollout", "DeploymentConfig", "ReplicationController")


@all_once
def long_running(platform: Platform) -> Iterator[Workload]:
    """What keeps a number of pods running; neither jobs nor one pod per node, nor a patch of what stands elsewhere."""
    kept = (workload for workload in platform.workloads if workload.resource.kind in LONG)
    return (workload for workload in kept if not is_patch(workload.resource))


_SCRAPED = re.compile(r"metric|prometheus", re.IGNORECASE)


def requested_through(platform: Platform, workload: Workload) -> list[Resource]:
    """The Services that bring it requests: not those with nothing but ports for metrics, which a scraper asks again."""
    return _requested(platform).get(workload, [])


@once
def _requested(platform: Platform) -> dict[Workload, list[Resource]]:
    return {
        workload: [each for each in platform.services_of(workload) if not _is_scraped_only(each)]
        for workload in platform.workloads
    }


def _is_scraped_only(service: Resource) -> bool:
    ports = [each for each in items(service.body, "spec.ports") if isinstance(each, Map)]
    return bool(ports) and all(_SCRAPED.search(str(each.get("name", ""))) for each in ports)


def budgets_of(platform: Platform, workload: Workload) -> list[Resource]:
    """The PodDisruptionBudgets that cover its pods; of several of one name, as several environments have them, the one
    beside it: a cluster holds only one."""
    named: dict[str, list[Resource]] = {}
    for budget in platform.in_namespace("PodDisruptionBudget", workload.resource.namespace):
        selector = mapping(budget.body, "spec.selector")
        if selector and selects(selector, workload.labels):
            named.setdefault(budget.name, []).append(budget)
    near = (platform.near.beside(workload.resource.path, same, lambda each: each.path) for same in named.values())
    return [each for each in near if each is not None]


def least_replicas(platform: Platform, workload: Workload) -> Sourced[int] | Unknown:
    """The autoscaler's minimum where there is one, else its replicas."""
    scaler = platform.autoscaler_of(workload)
    return scaler.minimum if scaler is not None else workload.replicas


def most_replicas(platform: Platform, workload: Workload) -> Sourced[int] | Unknown:
    scaler = platform.autoscaler_of(workload)
    return scaler.maximum if scaler is not None else workload.replicas


def is_dns(workload: Workload) -> bool:
    """Whether it is the cluster's DNS."""
    if workload.labels.get("k8s-app") == "kube-dns":
        return True
    images = [container.image.value for container in workload.containers if container.image is not None]
    return any(re.search(r"(?:^|/)(?:coredns|k8s-dns-kube-dns)(?:[:@]|\Z)", image) for image in images)

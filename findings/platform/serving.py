"""What runs for long, what sends it traffic, and how many of it there are at least. PURE."""

import re
from collections.abc import Mapping
from typing import Any

from findings.platform.model import Platform, Resource, Workload, mapping, selects
from platform_risk.quantities.sourced import Sourced, Unknown

LONG = ("Deployment", "StatefulSet", "ReplicaSet", "Rollout", "DeploymentConfig", "ReplicationController")


def long_running(platform: Platform) -> list[Workload]:
    """What keeps a number of pods running; neither jobs nor one pod per node."""
    return [workload for workload in platform.workloads if workload.resource.kind in LONG]


def services_of(platform: Platform, workload: Workload) -> list[Resource]:
    """The Services that send traffic to its pods."""
    return [
        service
        for service in platform.of_kind("Service")
        if service.namespace == workload.resource.namespace
        and _matches(mapping(service.body, "spec.selector"), workload)
    ]


def _matches(selector: Mapping[str, Any], workload: Workload) -> bool:
    return bool(selector) and all(workload.labels.get(key) == value for key, value in selector.items())


def budgets_of(platform: Platform, workload: Workload) -> list[Resource]:
    """The PodDisruptionBudgets that cover its pods."""
    return [
        budget
        for budget in platform.of_kind("PodDisruptionBudget")
        if budget.namespace == workload.resource.namespace
        and mapping(budget.body, "spec.selector")
        and selects(mapping(budget.body, "spec.selector"), workload.labels)
    ]


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

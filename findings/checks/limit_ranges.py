"""What a namespace's LimitRange gives containers that state nothing of their own. PURE."""

from typing import Any

from findings.platform.model import Platform
from findings.platform.nodes import items
from findings.platform.yaml_reader import Map
from platform_risk.quantities.sourced import Sourced

# In the order in which they stand in for one another.
# Source: Kubernetes, LimitRange: default follows from max, defaultRequest from default, then from min.
_FROM = {"limits": ("default", "max"), "requests": ("defaultRequest", "default", "max", "min")}


def by_default(platform: Platform, namespace: str, kind: str, resource: str) -> Sourced[Any] | None:
    """`kind` is limits or requests, `resource` cpu or memory. A container that states a limit has that for its request
    before a LimitRange is asked."""
    for ranges in platform.in_namespace("LimitRange", namespace):
        for number, each in enumerate(items(ranges.body, "spec.limits")):
            if not isinstance(each, Map) or each.get("type") != "Container":
                continue
            for name in _FROM[kind]:
                stated = ranges.at(f"spec.limits.{number}.{name}.{resource}")
                if stated is not None:
                    return stated
    return None

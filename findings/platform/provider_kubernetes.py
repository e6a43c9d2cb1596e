"""Kubernetes objects that Terraform makes with its provider for Kubernetes, as the objects that they are. PURE.

Source: Terraform provider kubernetes: the blocks and attributes of a resource are the fields of the object, in
snake_case; what is a list there is a block that repeats, named in the singular. `kubernetes_manifest` holds the object.
ConfigMaps and Secrets are not among them: what they hold is told of the block.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace

from findings.platform import kubernetes
from findings.platform.model import Block, Resource, normal
from findings.platform.yaml_reader import Map, Seq
from platform_risk.quantities.sourced import Sourced, Unknown

_KINDS = {
    "deployment": ("apps/v1", "Deployment"), "stateful_set": ("apps/v1", "StatefulSet"),
    "daemonset": ("apps/v1", "DaemonSet"), "daemon_set": ("apps/v1", "DaemonSet"), "job": ("batch/v1", "Job"),
    "cron_job": ("batch/v1", "CronJob"), "pod": ("v1", "Pod"), "service": ("v1", "Service"),
    "namespace": ("v1", "Namespace"), "resource_quota": ("v1", "ResourceQuota"),
    "horizontal_pod_autoscaler": ("autoscaling/v2", "HorizontalPodAutoscaler"),
    "pod_disruption_budget": ("policy/v1", "PodDisruptionBudget"),
    "network_policy": ("networking.k8s.io/v1", "NetworkPolicy"),
}  # fmt: skip
_TYPE = re.compile(r"kubernetes_(\w+?)(?:_v\d\w*)?")
_LISTS = {
    "container": "containers", "init_container": "initContainers", "env": "env", "env_from": "envFrom",
    "port": "ports", "ports": "ports", "volume": "volumes", "volume_mount": "volumeMounts", "metric": "metrics",
    "policy": "policies", "toleration": "tolerations", "topology_spread_constraint": "topologySpreadConstraints",
    "egress": "egress", "ingress": "ingress", "to": "to", "from": "from", "match_expressions": "matchExpressions",
    "volume_claim_template": "volumeClaimTemplates", "option": "options",
    "required_during_scheduling_ignored_during_execution": "requiredDuringSchedulingIgnoredDuringExecution",
    "preferred_during_scheduling_ignored_during_execution": "preferredDuringSchedulingIgnoredDuringExecution",
}  # fmt: skip
_OTHERWISE = {"target_cpu_utilization_percentage": "targetCPUUtilizationPercentage", "cluster_ip": "clusterIP"}
_MOST_LEVELS = 20
# Fields whose default would be taken for what is only not known here.
_COUNTS = ("replicas", "min_replicas", "max_replicas", "min_available", "max_unavailable", "max_surge")


def resources(blocks: Iterable[Block]) -> Iterator[Resource]:
    for block in blocks:
        if block.type != "resource" or not block.kind.startswith("kubernetes_"):
            continue
        if block.kind == "kubernetes_manifest":
            stated = block.get("manifest")
            if isinstance(stated, Sourced):
                yield from _of_manifest(stated.value, block)
            continue
        known = _known(block)
        if known is not None:
            yield _resource(block, *known)


def _of_manifest(root: object, block: Block) -> Iterator[Resource]:
    """Without what only a plan knows; a name of which that is so is the block's."""
    if not isinstance(root, Map) or not _has_unknown(root):
        yield from kubernetes.resources(root, block.path)
        return
    for made in kubernetes.resources(_without_unknown(root), block.path):
        yield made if made.name else replace(made, name=block.labels[-1])


def _has_unknown(node: object) -> bool:
    if isinstance(node, Map):
        return any(map(_has_unknown, node.values()))
    return isinstance(node, Unknown) or (isinstance(node, Seq) and any(map(_has_unknown, node)))


def _without_unknown(node: Map) -> Map:
    made = Map(node.line)
    made.size = node.size
    for key, value in node.items():
        if isinstance(value, Unknown) and normal(key) not in _COUNTS:
            continue
        made[key] = kubernetes.UNKNOWN_COUNT if isinstance(value, Unknown) else _bare(value)
        made.lines[key] = node.lines[key]
    return made


def _bare(value: object) -> object:
    """Items of a list stay, known or not: without them it would say something else."""
    if isinstance(value, Map):
        return _without_unknown(value)
    if not isinstance(value, Seq):
        return value
    made = Seq(value.line)
    made.size = value.size
    made.extend(map(_bare, value))
    made.lines = value.lines
    return made


def _known(block: Block) -> tuple[str, str] | None:
    found = _TYPE.fullmatch(block.kind)
    return _KINDS.get(found[1]) if found is not None else None


def _resource(block: Block, api: str, kind: str) -> Resource:
    body = _fields(block, 0)
    metadata = body.get("metadata")
    name = metadata.get("name") if isinstance(metadata, Map) else None
    namespace = metadata.get("namespace") if isinstance(metadata, Map) else None
    shown = str(name) if isinstance(name, str) else block.labels[-1]
    return Resource(kind, api, namespace if isinstance(namespace, str) else "", shown, body, block.path, block.line)


def _fields(block: Block, depth: int) -> Map:
    made = Map(block.line)
    for name, stated in block.attributes.items():
        key = _OTHERWISE.get(name) or _camel(name)
        if isinstance(stated, Unknown):
            if name in _COUNTS:
                made[key] = kubernetes.UNKNOWN_COUNT
                made.lines[key] = stated.place.line or block.line
        elif stated.value is not None:
            made[key] = _counted(name, stated.value)
            made.lines[key] = stated.place.line or block.line
    for inner in block.blocks if depth < _MOST_LEVELS else ():
        node = _fields(inner, depth + 1)
        key = _LISTS.get(inner.type, "")
        if not key:
            key = _camel(inner.type)
            made[key] = node
            made.lines[key] = inner.line
            continue
        if not isinstance(made.get(key), Seq):
            made[key] = Seq(inner.line)
            made.lines[key] = inner.line
        made[key].append(node)
        made[key].lines.append(inner.line)
    return made


def _counted(name: str, value: object) -> object:
    """Numbers of pods may be written as texts."""
    return int(value) if name in _COUNTS and isinstance(value, str) and value.isdigit() and len(value) < 10 else value


def _camel(name: str) -> str:
    first, *others = name.split("_")
    return first + "".join(each.capitalize() for each in others)

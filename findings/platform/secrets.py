"""Who takes which Secret, and how: as a variable, as files or as a single file. PURE."""

from collections.abc import Iterator
from enum import StrEnum
from typing import Any

from findings.platform.model import Platform, Resource, Workload, all_once, once, unique
from findings.platform.nodes import find, items, mapping
from findings.platform.yaml_reader import Map, Seq
from platform_risk.quantities.records import record
from platform_risk.quantities.sourced import Place

_MOST_DEPTH = 60


class How(StrEnum):
    ENV = "env"
    VOLUME = "volume"
    SUB_PATH = "subPath"  # a single file of a volume, which is never updated
    CSI = "csi"  # files that the Secrets Store driver writes


@record(frozen=True, slots=True)
class SecretUse:
    """One use of a Secret by a workload, or by a fragment whose workload is not among the files."""

    namespace: str
    secret: str
    key: str  # "" for all its keys
    how: How
    variable: str  # "" for files; for a whole Secret the prefix of its variables
    subject: str  # id of the workload, else the path of the fragment
    place: Place
    workload: Workload | None = None


# Kinds of which a platform has many and whose schema has no room for a container.
_NO_PODS = frozenset((
    "ConfigMap", "Service", "Secret", "NetworkPolicy", "PodDisruptionBudget", "HorizontalPodAutoscaler", "Namespace",
    "ServiceAccount", "Role", "ClusterRole", "RoleBinding", "ClusterRoleBinding", "Ingress", "PrometheusRule",
    "ServiceMonitor", "PodMonitor", "ResourceQuota", "LimitRange", "KafkaTopic", "PersistentVolumeClaim",
    "CustomResourceDefinition",
))  # fmt: skip


@all_once
def uses(platform: Platform) -> list[SecretUse]:
    found: list[SecretUse] = []
    for workload in platform.workloads:
        found += of_workload(workload)
    known = {id(workload.resource.body) for workload in platform.workloads}
    for resource in platform.resources:
        if id(resource.body) not in known and resource.kind not in _NO_PODS:
            found += _below(resource.body, resource.namespace, resource.id, resource)
    for config in platform.configs:
        if config.keys.isdisjoint(_REFERRING):
            continue
        subject = config.resource.id if config.resource else config.path
        found += _below(config.root, "", subject, config)
    return found


@once
def by_secret(platform: Platform) -> dict[tuple[str, str], list[SecretUse]]:
    """The uses of each Secret, by its namespace and name."""
    found: dict[tuple[str, str], list[SecretUse]] = {}
    for use in uses(platform):
        found.setdefault((use.namespace, use.secret), []).append(use)
    return found


def of_workload(workload: Workload) -> Iterator[SecretUse]:
    """Variables and files that its containers take from Secrets."""
    resource = workload.resource
    for container in workload.containers:
        for variable in (*container.env.values(), *container.secrets):
            if variable.secret:
                yield SecretUse(
                    resource.namespace, variable.secret, variable.key, How.ENV, variable.name, workload.id,
                    variable.place, workload,
                )  # fmt: skip
    for name, secret, key, line in _volumes(workload.pod):
        for mount in _mounts(workload, name):
            how = How.SUB_PATH if mount.get("subPath") or mount.get("subPathExpr") else How.VOLUME
            yield SecretUse(
                resource.namespace, secret, key, how, "", workload.id, resource.place(line), workload,
            )  # fmt: skip
    for name, provided, line in classes_of(workload.pod):
        for mount in _mounts(workload, name):
            how = How.SUB_PATH if mount.get("subPath") or mount.get("subPathExpr") else How.CSI
            yield SecretUse(
                resource.namespace, class_key(provided), "", how, "", workload.id, resource.place(line), workload,
            )  # fmt: skip


CLASS = "SecretProviderClass "
_STORE = "secrets-store.csi.k8s.io"


def class_key(name: str) -> str:
    """What stands for the Secret's name where files come from a SecretProviderClass and no Secret is made."""
    return f"{CLASS}{name}"


def classes_of(pod: Map) -> Iterator[tuple[str, str, int]]:
    """(name of the volume, SecretProviderClass, line)"""
    for volume in items(pod, "volumes"):
        csi = mapping(volume, "csi")
        attributes = mapping(csi, "volumeAttributes")
        if csi.get("driver") == _STORE and attributes.get("secretProviderClass"):
            line = attributes.lines["secretProviderClass"]
            yield str(volume.get("name")), str(attributes["secretProviderClass"]), line


def synced(resource: Resource) -> list[Map]:
    """The Secrets that the driver makes of a class, while a pod mounts it."""
    return [each for each in items(resource.body, "spec.secretObjects") if mapping(each).get("secretName")]


def _volumes(pod: Map) -> Iterator[tuple[str, str, str, int]]:
    """(name of the volume, Secret, key, line)"""
    for volume in items(pod, "volumes"):
        if not isinstance(volume, Map):
            continue
        secret = mapping(volume, "secret")
        if secret.get("secretName"):
            yield str(volume.get("name")), str(secret["secretName"]), _only_key(secret), secret.lines["secretName"]
        for source in items(volume, "projected.sources"):
            inner = mapping(source, "secret")
            if inner.get("name"):
                yield str(volume.get("name")), str(inner["name"]), _only_key(inner), inner.lines["name"]


def _only_key(secret: Map) -> str:
    keys = [str(each.get("key")) for each in items(secret, "items") if isinstance(each, Map)]
    return keys[0] if len(keys) == 1 else ""


def _mounts(workload: Workload, volume: str) -> Iterator[Map]:
    for container in workload.containers:
        for mount in items(container.node, "volumeMounts"):
            if isinstance(mount, Map) and mount.get("name") == volume:
                yield mount


def _below(node: Any, namespace: str, subject: str, holder: Any, depth: int = 0) -> Iterator[SecretUse]:
    """Variables from Secrets anywhere below a node: fragments, values files, objects that hold a pod's template."""
    if depth > _MOST_DEPTH:
        return
    if isinstance(node, Map):
        use = _reference(node)
        if use is not None:
            variable, secret, key, line = use
            yield SecretUse(namespace, secret, key, How.ENV, variable, subject, holder.place(line))
        for value in node.values():
            if isinstance(value, Map | Seq):
                yield from _below(value, namespace, subject, holder, depth + 1)
    elif isinstance(node, Seq):
        for value in node:
            if isinstance(value, Map | Seq):
                yield from _below(value, namespace, subject, holder, depth + 1)


_REFERRING = frozenset(("valueFrom", "envName", "secretRef"))


def _reference(node: Map) -> tuple[str, str, str, int] | None:
    """(variable, Secret, key, line) of an item of an `env` or `envFrom` list, also as Helm charts spell it."""
    if node.keys().isdisjoint(_REFERRING):  # as nearly every mapping is
        return None
    found = find(node, "valueFrom.secretKeyRef.name")
    if found and isinstance(node.get("name"), str) and found[0]:
        key = mapping(node, "valueFrom.secretKeyRef").get("key")
        return node["name"], str(found[0]), str(key or ""), found[1] or node.line
    if isinstance(node.get("envName"), str) and node.get("secretName"):
        return node["envName"], str(node["secretName"]), str(node.get("secretKey") or ""), node.lines["secretName"]
    found = find(node, "secretRef.name")
    if found and found[0] and set(node) <= {"secretRef", "prefix"}:
        return str(node.get("prefix") or ""), str(found[0]), "", found[1] or node.line
    return None


def keys_of(platform: Platform, namespace: str, secret: str) -> list[str] | None:
    """The keys of a Secret, from whatever makes it or from the facts; None when these files do not say."""
    stated = platform.facts.get(f"secrets.{secret}.keys")
    if stated is not None and isinstance(stated.value, list):
        return [str(each) for each in stated.value]
    for resource in _making(platform).get((namespace, secret), ()):
        keys = _keys(resource)
        if keys is not None:
            return keys
    for resource in platform.in_namespace("SecretProviderClass", namespace):
        for each in synced(resource):
            if each["secretName"] == secret:
                return [str(part.get("key")) for part in items(each, "data") if isinstance(part, Map)]
    return None


@once
def _making(platform: Platform) -> dict[tuple[str, str], list[Resource]]:
    """What makes each Secret, by its namespace and name."""
    found: dict[tuple[str, str], list[Resource]] = {}
    for resource in platform.of_kind("Secret", "SealedSecret", "ExternalSecret", "KafkaUser"):
        found.setdefault((resource.namespace, made_by(resource)), []).append(resource)
    return found


def made_by(resource: Resource) -> str:
    """The name of the Secret that an object is, or makes; "" when it makes none."""
    dotted = {
        "Secret": "metadata.name", "SealedSecret": "metadata.name", "ExternalSecret": "spec.target.name",
        "VaultStaticSecret": "spec.destination.name", "VaultDynamicSecret": "spec.destination.name",
        "VaultPKISecret": "spec.destination.name", "Certificate": "spec.secretName", "KafkaUser": "metadata.name",
    }.get(resource.kind)  # fmt: skip
    if dotted is None:
        return ""
    stated = resource.at(dotted)
    if resource.kind == "KafkaUser" and resource.at("spec.authentication.type") is None:
        return ""
    if stated is None and resource.kind == "ExternalSecret":
        return resource.name  # its target's name defaults to its own
    return str(stated.value) if stated is not None else ""


def has_certificate(user: Resource) -> bool:
    """Whether Strimzi issues a certificate for a KafkaUser; for the others it makes a password, or nothing."""
    kind = user.at("spec.authentication.type")
    return kind is not None and kind.value == "tls"


def _keys(resource: Resource) -> list[str] | None:
    if resource.kind == "KafkaUser":
        return ["ca.crt", "user.crt", "user.key", "user.p12", "user.password"] if has_certificate(resource) else [
            "password", "sasl.jaas.config"]  # fmt: skip
    if resource.kind == "ExternalSecret":
        if items(resource.body, "spec.dataFrom"):
            return None
        return [str(each.get("secretKey")) for each in items(resource.body, "spec.data") if isinstance(each, Map)]
    if resource.kind == "SealedSecret":
        return list(mapping(resource.body, "spec.encryptedData"))
    return unique([*mapping(resource.body, "data"), *mapping(resource.body, "stringData")])

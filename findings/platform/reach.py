"""What workloads say they connect to, and whether the union of their network policies lets them. PURE."""

import ipaddress
import re
from collections.abc import Iterable, Iterator
from fnmatch import fnmatchcase

from findings.platform.model import Platform, Resource, Workload, once
from findings.platform.network import EVERY_ADDRESS, NAME_LABEL, Allow, Peer, Policy, maps
from findings.platform.nodes import find, mapping
from findings.platform.selecting import selects
from platform_risk.quantities.records import record
from platform_risk.quantities.sourced import Place


@record(frozen=True, slots=True)
class Destination:
    """What a workload says it connects to."""

    workload: Workload
    variable: str
    host: str
    port: int | None
    place: Place


_TARGET = re.compile(
    r"(?:(?P<scheme>[a-z][a-z0-9+.-]*)://)?(?:[^@/\s,]*@)?(?P<host>[a-z0-9][a-z0-9_.-]*[a-z0-9]|[a-z0-9])"
    r"(?::(?P<port>\d{1,5}))?(?:[/?].*)?\Z",
    re.IGNORECASE | re.ASCII,
)
_DEFAULT_PORTS = {
    "http": 80, "https": 443, "postgres": 5432, "postgresql": 5432, "mysql": 3306, "redis": 6379, "rediss": 6379,
    "amqp": 5672, "amqps": 5671, "mongodb": 27017, "nats": 4222, "grpc": None,
}  # fmt: skip
_LETTER = re.compile(r"[a-z]", re.IGNORECASE)
_OWN = re.compile(r"localhost|127\.[\d.]+|0\.0\.0\.0|host\.docker\.internal", re.IGNORECASE)


def destinations(workload: Workload) -> Iterator[Destination]:
    """URLs and host:port of its environment. Its own host is none."""
    for container in workload.containers:
        for name, variable in container.env.items():
            if variable.value is None or len(variable.value.value) > 2000:
                continue
            for part in variable.value.value.split(","):
                found = _TARGET.match(part.strip())
                if found is None or not (found["scheme"] or found["port"]) or _OWN.fullmatch(found["host"]):
                    continue
                if not _LETTER.search(found["host"]) and not _address(found["host"]):
                    continue
                port = int(found["port"]) if found["port"] else _DEFAULT_PORTS.get((found["scheme"] or "").lower())
                yield Destination(workload, name, found["host"].lower().rstrip("."), port, variable.value.place)


def _address(host: str) -> int | None:
    if not host.replace(".", "").isdigit():
        return None
    try:
        return int(ipaddress.IPv4Address(host))
    except ValueError:
        return None


def reachable(platform: Platform, covering: Iterable[Policy], to: Destination) -> bool | None:
    """Whether the union of these policies lets a destination be reached; None when it cannot be told."""
    covering = list(covering)
    allows = [allow for policy in covering for allow in policy.allows]
    if not allows:
        return False
    address = _address(to.host)
    if address is not None:
        return _reaches_address(allows, covering, address, to.port)
    if any(each.is_anything and each.on(to.port) for each in allows):
        return True
    if any(not each.is_readable for each in allows):
        return None
    service = _service(platform, to)
    if service is not None:
        return _reaches_service(platform, allows, service, to.port)
    namespace = _namespace_of(to.host)
    if namespace is not None:
        met = any(_selects_namespace(platform, peer, namespace) is not False for each in allows for peer in each.peers)
        return None if met or "." not in to.host else False
    if any(each.on(to.port) and fnmatchcase(to.host, pattern) for each in allows for pattern in each.names):
        return True
    if any(each.on(to.port) and EVERY_ADDRESS in each.spans for each in allows):
        return True
    return None if any((each.spans or each.prefix6 is not None) and each.on(to.port) for each in allows) else False


def _reaches_address(allows: list[Allow], covering: list[Policy], address: int, port: int | None) -> bool:
    if any(low <= address < high for policy in covering for low, high in policy.denied):
        return False
    return any(
        each.on(port) and (each.is_anything or any(low <= address < high for low, high in each.spans))
        for each in allows
    )


def _service(platform: Platform, to: Destination) -> Resource | None:
    name, _, rest = to.host.partition(".")
    namespace = rest.partition(".")[0] or to.workload.resource.namespace
    return platform.named("Service", namespace, name)


def _namespace_of(host: str) -> str | None:
    """The namespace that the name of a Service tells; "" for a name without one; None for a name outside."""
    parts = host.split(".")
    if len(parts) == 1:
        return ""
    if len(parts) >= 3 and parts[2] == "svc":
        return parts[1]
    return None


def _reaches_service(platform: Platform, allows: list[Allow], service: Resource, port: int | None) -> bool | None:
    selector = mapping(service.body, "spec.selector")
    if not selector:
        return None
    # A policy sees the packet after the Service's address was replaced: the pod's port counts.
    inner = _pod_port(service, port)
    behind = [each.labels for each in platform.selected(selector, service.namespace)]
    outcome: bool | None = False
    for allow in allows:
        for peer in allow.peers:
            met = _selects_namespace(platform, peer, service.namespace)
            if met is False or not allow.on(inner):
                continue
            if met and any(selects(peer.pods, labels) for labels in behind or [selector]):
                return True
            if met is None or not behind:
                outcome = None
    return outcome


def _pod_port(service: Resource, port: int | None) -> int | None:
    for each in maps(mapping(service.body, "spec"), "ports"):
        if each.get("port") == port or port is None:
            target = each.get("targetPort", each.get("port"))
            return target if isinstance(target, int) else None
    return None


def _selects_namespace(platform: Platform, peer: Peer, namespace: str) -> bool | None:
    if peer.namespaces is None:
        return True
    if isinstance(peer.namespaces, str):
        return peer.namespaces == namespace
    resource = platform.named("Namespace", "", namespace)
    if resource is None:
        return None
    return selects(peer.namespaces, {NAME_LABEL: namespace, **resource.labels})


@once
def namespaces_of(platform: Platform) -> dict[str, Place]:
    """The namespaces that these files name, each with where."""
    found: dict[str, Place] = {}
    for resource in platform.resources:
        name = resource.name if resource.kind == "Namespace" else resource.namespace
        if name and name not in found:
            line = find(resource.body, "metadata.name" if resource.kind == "Namespace" else "metadata.namespace")
            found[name] = resource.place(line[1] if line else None)
    return found


def named(platform: Platform, peer: Peer) -> set[str] | None:
    """The namespaces that a peer names; None when they cannot be told. Not for peers in every namespace."""
    if isinstance(peer.namespaces, str):
        return {peer.namespaces}
    met = {
        each.name
        for each in platform.of_kind("Namespace")
        if peer.namespaces is None or selects(peer.namespaces, {NAME_LABEL: each.name, **each.labels})
    }
    return met or None

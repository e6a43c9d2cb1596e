"""Host names that settings name as places to connect to. PURE."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from findings.platform.model import Platform, Workload
from platform_risk.quantities.sourced import Place

_ADDRESS = re.compile(
    r"(?:[a-z][a-z0-9+.-]*://)?(?:[^@/\s,]*@)?(?P<host>[a-z0-9](?:[a-z0-9_-]*[a-z0-9])?(?:\.[a-z0-9_-]+)*\.?)(?P<port>:\d{2,5})?(?:[/?].*)?\Z",
    re.IGNORECASE | re.ASCII,
)
_CLUSTER_ENDS = (".svc", ".svc.cluster.local", ".cluster.local", ".internal.cluster")
_LOCAL = ("localhost", "host.docker.internal", "metadata.google.internal")


@dataclass(frozen=True)
class Host:
    name: str  # as written, without a port
    in_cluster: bool
    workload: Workload
    variable: str
    place: Place

    @property
    def dots(self) -> int:
        return self.name.rstrip(".").count(".")


def hosts(platform: Platform) -> Iterator[Host]:
    """Every host name that an environment variable gives as a URL or with a port. Addresses and localhost are none."""
    services = {(each.name, each.namespace) for each in platform.of_kind("Service")}
    for workload in platform.workloads:
        for container in workload.containers:
            for name, variable in container.env.items():
                if variable.value is None or len(variable.value.value) > 2000:
                    continue
                for part in variable.value.value.split(","):
                    host = host_of(part.strip())
                    if host:
                        inside = _is_in_cluster(host, services)
                        yield Host(host, inside, workload, name, variable.value.place)


def host_of(text: str) -> str:
    """The host of a URL or of host:port; "" for anything else."""
    found = _ADDRESS.match(text)
    if found is None or not ("://" in text or found["port"]):
        return ""
    host = found["host"].lower()
    if host.rstrip(".") in _LOCAL or not re.search(r"[a-z]", host):
        return ""
    return host


def _is_in_cluster(host: str, services: set[tuple[str, str]]) -> bool:
    name = host.rstrip(".")
    parts = name.split(".")
    return len(parts) == 1 or name.endswith(_CLUSTER_ENDS) or (parts[0], parts[1]) in services

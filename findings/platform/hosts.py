"""Host names that settings name as places to connect to. PURE."""

import re
from collections.abc import Iterator

from findings.platform.model import Platform, Workload
from platform_risk.quantities.records import record
from platform_risk.quantities.sourced import Place

_ADDRESS = re.compile(
    r"(?:[a-z][a-z0-9+.-]*://)?(?:[^@/\s,]*@)?(?P<host>[a-z0-9](?:[a-z0-9_-]*[a-z0-9])?(?:\.[a-z0-9_-]+)*\.?)(?P<port>:\d{2,5})?(?:[/?].*)?\Z",
    re.IGNORECASE | re.ASCII,
)
_CLUSTER_ENDS = (".svc", ".svc.cluster.local", ".cluster.local", ".internal.cluster")
# Ends under which names of two parts are on the internet: `acme.io`, and not `redis.cache`, which the search domains
# complete. Of the generic ones those that companies use.
_PUBLIC = re.compile(
    r"[a-z]{2}|com|org|net|edu|gov|mil|int|info|biz|dev|app|cloud|tech|online|site|xyz|tools|systems|services|network|"
    r"digital|software|company|email|health|global|world|group|xn--.*"
)
_LOCAL = ("localhost", "host.docker.internal", "metadata.google.internal")


@record(frozen=True)
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
    namespaces = {each.namespace for each in platform.resources} | {each.name for each in platform.of_kind("Namespace")}
    for workload in platform.workloads:
        for container in workload.containers:
            for name, variable in container.env.items():
                if variable.value is None or len(variable.value.value) > 2000:
                    continue
                for part in variable.value.value.split(","):
                    host = host_of(part.strip())
                    if host:
                        inside = _is_in_cluster(host, services, namespaces)
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


def _is_in_cluster(host: str, services: set[tuple[str, str]], namespaces: set[str]) -> bool:
    name = host.rstrip(".")
    parts = name.split(".")
    if len(parts) == 1 or name.endswith(_CLUSTER_ENDS) or (parts[0], parts[1]) in services:
        return True
    # `service.namespace`: the second search domain completes it.
    return len(parts) == 2 and (parts[1] in namespaces or _PUBLIC.fullmatch(parts[1]) is None)

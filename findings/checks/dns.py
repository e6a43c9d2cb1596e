"""7.1: what hangs on the cluster's DNS, and how many questions a lookup asks it."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from findings.checks.base import Fail, Meta, Pass, Unsure, Verdict
from findings.checks.words import counted
from findings.platform.hosts import Host, hosts
from findings.platform.model import Platform, Workload, places, unique
from findings.platform.nodes import find, items, mapping
from findings.platform.serving import is_dns
from findings.platform.units import number
from findings.platform.yaml_reader import Map
from findings.vocabulary import Category, Outcome, Severity
from platform_risk.quantities.sourced import Input, Place, Quantity, Source, Sourced, Unknown, input_of

META = Meta(
    id="dns",
    seed="7.1",
    title="Every dependency is found through one DNS",
    severity=Severity.MEDIUM,
    category=Category.DEPENDENCIES,
    outcome=Outcome.CASCADE,
    means="Services find each other by name, and the DNS that answers has a single replica, no spread over nodes, or "
    "nothing that keeps its answers while it is gone.",
    why="When names do not resolve, every call fails at once, however healthy the services are. Names outside the "
    "cluster are asked for several times over, so load on the DNS is a multiple of the lookups.",
    not_a_problem="A cache on every node answers while the cluster's DNS is gone, or the provider runs it for you and "
    "promises its availability.",
    remedy="Run a cache on every node, let it serve stale answers, spread at least two replicas over nodes, and end "
    "names outside the cluster with a dot or lower ndots. Fixed addresses instead of names are no remedy.",
    patch="""dnsConfig:
  options:
    - name: ndots
      value: "2\"""",
    remedies=("dns-resilience",),
    references=(
        "https://kubernetes.io/docs/concepts/services-networking/dns-pod-service/",
        "https://kubernetes.io/docs/tasks/administer-cluster/nodelocaldns/",
        "https://coredns.io/plugins/cache/",
    ),
)

_NDOTS = 5
_SEARCH = 3  # namespace.svc.cluster.local, svc.cluster.local, cluster.local
_MANY = 5  # dependencies by name: fewer are no platform
_CITE = "Kubernetes: ClusterFirst pods have ndots:5 and three search domains"


def queries_per_lookup(dots: int, ndots: int, search: int) -> int:
    """Questions for one name that no search domain completes: A and AAAA for each domain, then for the name itself.

    A name with at least ndots dots, or that ends with one, is asked for as it is.
    Source: resolv.conf(5), ndots and search.
    """
    return (search + 1) * 2 if dots < ndots else 2


def run(platform: Platform) -> Iterator[Verdict]:
    for server in _servers(platform):
        yield _server(platform, server)
    found = list(hosts(platform))
    # A full name inside the cluster is completed by no search domain either.
    full = [host for host in found if not host.in_cluster or host.name.endswith(".cluster.local")]
    yield from _outside(platform, full)
    yield from _by_name(platform, found)


# The servers


def _servers(platform: Platform) -> Iterator[Workload]:
    for workload in platform.workloads:
        if workload.resource.kind == "Deployment" and is_dns(workload):
            yield workload


def _server(platform: Platform, server: Workload) -> Verdict:
    if isinstance(server.replicas, Unknown):
        return Unsure(server.id, server.replicas.reason, server.replicas.provide, server.replicas.place)
    scaler = platform.autoscaler_of(server)
    low = scaler.minimum if scaler is not None else server.replicas
    if isinstance(low, Unknown):
        return Unsure(server.id, low.reason, low.provide, low.place)
    term = input_of("replicas", low, "pods")
    quantity = Quantity("replicas", low.value, "pods", "replicas", (term,))
    if low.value < 2:
        how = _how_kept(platform, server)
        title = f"{low.value} replica answers for every name: its loss stops every lookup"
        why = f"One pod is the cluster's DNS.{how}"
        return Fail(server.id, title, why, places(low, server.resource.place()), (quantity,), Severity.HIGH)
    if not _is_spread(server):
        title = f"{low.value} replicas may all stand on one node"
        why = "Nothing keeps its replicas on different nodes."
        return Fail(server.id, title, why, places(low, server.resource.place()), (quantity,))
    return Pass(server.id, places(low))


def _is_spread(server: Workload) -> bool:
    return bool(
        mapping(server.pod, "affinity.podAntiAffinity") or find(server.pod, "topologySpreadConstraints") is not None
    )


def _how_kept(platform: Platform, server: Workload) -> str:
    """What its Corefile says about keeping answers."""
    for each in platform.of_kind("ConfigMap"):
        text = mapping(each.body, "data").get("Corefile")
        if each.namespace == server.resource.namespace and isinstance(text, str):
            kept = re.search(r"^\s*cache\s+(\d+)", text, re.MULTILINE)
            stale = " and serves stale ones" if "serve_stale" in text else ", but serves none that is stale"
            return f" It keeps answers for {kept[1]} s{stale}." if kept else " Its Corefile keeps no answers."
    return ""


# Names that no search domain completes


@dataclass(frozen=True)
class _Resolver:
    ndots: Sourced[int]
    search: Sourced[int]


def _resolver(workload: Workload) -> _Resolver | None:
    """None where the node's own resolv.conf decides."""
    policy = workload.pod.get("dnsPolicy") or "ClusterFirst"
    here = workload.resource.place()
    default: Sourced[int] = Sourced(_NDOTS, Source.PROVIDER_DEFAULT, here, _CITE)
    for each in items(workload.pod, "dnsConfig.options"):
        if isinstance(each, Map) and each.get("name") == "ndots" and number(each.get("value")) is not None:
            default = Sourced(
                int(number(each["value"]) or 0), Source.FILE, workload.resource.place(each.lines["value"])
            )
    own = len(items(workload.pod, "dnsConfig.searches"))
    if policy == "None":
        return _Resolver(default, Sourced(own, Source.FILE, here))
    if policy == "Default" or (workload.pod.get("hostNetwork") is True and policy == "ClusterFirst"):
        return None
    return _Resolver(default, Sourced(_SEARCH + own, Source.PROVIDER_DEFAULT, here, _CITE))


def _outside(platform: Platform, found: list[Host]) -> Iterator[Verdict]:
    """One failure for all names that are asked for several times over, in the place of the most questions."""
    worst: list[tuple[int, Host, _Resolver]] = []
    for host in found:
        resolver = _resolver(host.workload)
        if resolver is None or host.name.endswith("."):
            continue
        questions = queries_per_lookup(host.dots, resolver.ndots.value, resolver.search.value)
        if questions > 2:
            worst.append((questions, host, resolver))
        else:
            yield Pass(f"{host.workload.id} {host.name}", places(host.place))
    if not worst or _has_node_cache(platform) is not None:
        return
    questions, host, resolver = max(worst, key=lambda each: each[0])
    terms = (
        Input("dots", host.dots, "dots", Source.FILE, host.place.path, host.place.line),
        input_of("ndots", resolver.ndots, "dots"),
        input_of("search_domains", resolver.search, "domains"),
    )
    names = unique([host.name, *(each.name for _, each, _ in worst)])
    more = f" and {len(names) - 1} more" if len(names) > 1 else ""
    yield Fail(
        "names that no search domain completes",
        f"Each lookup of {names[0]}{more} asks {questions} questions",
        "Every search domain is tried first, for both kinds of addresses, and none of them can answer.",
        places(*(each.place for _, each, _ in worst)),
        (Quantity("queries_per_lookup", questions, "queries", "(search domains + 1) × 2", terms),),
        Severity.LOW,
    )


# What keeps answers


def _has_node_cache(platform: Platform) -> Place | None:
    """Where a cache on every node is stated."""
    stated = platform.facts.get("dns.node_local_cache")
    if stated is not None and stated.value is True:
        return stated.place
    for workload in platform.workloads:
        if workload.resource.kind == "DaemonSet" and re.search(r"node-?local-?dns", workload.resource.name):
            return workload.resource.place()
    for setting in platform.settings_like("enable_nodelocaldns"):
        if setting.value.value is True:
            return setting.value.place
    return None


def _by_name(platform: Platform, found: list[Host]) -> Iterator[Verdict]:
    for setting in platform.settings_like("enable_nodelocaldns"):
        if setting.value.value is False:
            term = input_of("enable_nodelocaldns", setting.value, "")
            quantity = Quantity("node_local_caches", 0, "per node", "enable_nodelocaldns", (term,))
            yield Fail(
                setting.scope,
                "The cache on every node is switched off",
                "Every lookup goes to the cluster's DNS.",
                places(setting.value),
                (quantity,),
                Severity.LOW,
            )
    cache = _has_node_cache(platform)
    if cache is not None:
        yield Pass("cache on every node", places(cache))
        return
    names: dict[str, Host] = {}
    for host in found:
        names.setdefault(host.name, host)
    if not names:
        return
    if len(names) < _MANY:
        reason = f"whether a cache on every node keeps the answers for {counted(len(names), 'names')} is not stated"
        yield Unsure("cache on every node", reason, "facts: dns.node_local_cache", next(iter(names.values())).place)
        return
    terms = tuple(
        Input(host.variable, name, "", Source.FILE, host.place.path, host.place.line) for name, host in names.items()
    )
    yield Fail(
        "dependencies by name",
        f"{len(names)} dependencies are found by name, and nothing here keeps the answers",
        "When the cluster's DNS is gone, every one of them is: no cache on the nodes is configured here. If one is "
        "elsewhere, the fact dns.node_local_cache says so.",
        places(*(host.place for host in names.values())),
        (Quantity("dependencies_by_name", len(names), "names", "distinct host names in environments", terms),),
        Severity.LOW,
    )

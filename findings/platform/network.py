"""What network policies let out of pods: Kubernetes', Cilium's and Calico's in one form. PURE."""

import ipaddress
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from findings.platform.config_files import ConfigFile
from findings.platform.model import Platform, Resource, Workload, all_once, once
from findings.platform.nodes import items, mapping
from findings.platform.selecting import selects
from findings.platform.yaml_reader import Map, Seq
from platform_risk.quantities.records import record
from platform_risk.quantities.sourced import Place

Span = tuple[int, int]  # IPv4 addresses as numbers, the end not included
EVERY_ADDRESS: Span = (0, 2**32)
_MOST_DEPTH = 30
_NAMESPACE_LABELS = ("k8s:io.kubernetes.pod.namespace", "io.kubernetes.pod.namespace")
NAME_LABEL = "kubernetes.io/metadata.name"


@record(frozen=True, slots=True)
class Ports:
    low: int
    high: int
    protocol: str = "TCP"


@record(frozen=True, slots=True)
class Peer:
    """Pods that may be reached. `namespaces`: None is every namespace, a name is that one, a mapping selects labels."""

    namespaces: Mapping[str, Any] | str | None
    pods: Mapping[str, Any]  # a label selector; empty: every pod

    @property
    def is_every_namespace(self) -> bool:
        return self.namespaces is None and not self.pods

    @property
    def left_out(self) -> tuple[str, ...]:
        """What every namespace is selected but, where a selector says only that: whoever adds one has added it."""
        if self.pods or not isinstance(self.namespaces, Mapping) or self.namespaces.get("matchLabels"):
            return ()
        found: list[str] = []
        for each in items(self.namespaces, "matchExpressions"):
            key, operator = mapping(each).get("key"), mapping(each).get("operator")
            if operator == "NotIn":
                values = [str(value) for value in items(each, "values")]
                found += values if key == NAME_LABEL else [f"those with {key} {' or '.join(values)}"]
            elif operator == "DoesNotExist":
                found.append(f"those with {key}")
            else:
                return ()
        return tuple(found)


@record(frozen=True, slots=True)
class Allow:
    """What one rule lets out: these destinations on these ports. No ports: every port."""

    place: Place
    ports: tuple[Ports, ...] = ()
    spans: tuple[Span, ...] = ()
    peers: tuple[Peer, ...] = ()
    names: tuple[str, ...] = ()
    is_anything: bool = False  # any destination, pods and addresses
    is_readable: bool = True  # False: it holds what cannot be told here, so it may let out more
    prefix6: int | None = None  # of its widest block of IPv6, in bits

    @property
    def is_dns(self) -> bool:
        return bool(self.ports) and all((each.low, each.high) == (53, 53) for each in self.ports)

    def on(self, port: int | None, protocol: str = "TCP") -> bool:
        """Whether it covers a port; a port that is not known may be covered."""
        return not self.ports or any(
            (port is None or each.low <= port <= each.high) and each.protocol in (protocol, "ANY")
            for each in self.ports
        )


@dataclass(frozen=True, eq=False)
class Policy:
    """One policy that restricts what leaves the pods it selects."""

    subject: str
    namespace: str | None  # None: every namespace
    selector: Mapping[str, Any] | None  # None: cannot be told
    allows: tuple[Allow, ...]
    place: Place
    denied: tuple[Span, ...] = ()

    def covers(self, workload: Workload) -> bool:
        if self.selector is None or self.namespace not in (None, workload.resource.namespace):
            return False
        return selects(self.selector, workload.labels)


@all_once
def policies(platform: Platform) -> list[Policy]:
    """Every policy with a say on what leaves; also fragments of one in configuration without a kind."""
    found: list[Policy] = []
    for resource in platform.of_kind("NetworkPolicy"):
        if resource.api.startswith("networking.k8s.io/"):
            found += _kubernetes(resource)
        elif "projectcalico.org" in resource.api:
            found += _calico(resource, resource.namespace)
    for resource in platform.of_kind("GlobalNetworkPolicy"):
        found += _calico(resource, None)
    for resource in platform.of_kind("CiliumNetworkPolicy"):
        found += _cilium(resource, resource.namespace)
    for resource in platform.of_kind("CiliumClusterwideNetworkPolicy"):
        found += _cilium(resource, None)
    for config in platform.configs:
        if "egress" in config.keys:
            found += _fragments(config, config.root)
    return found


@once
def covered(platform: Platform) -> dict[Policy, list[Workload]]:
    """The workloads whose pods each policy selects."""
    found: dict[Policy, list[Workload]] = {}
    for policy in policies(platform):
        if policy.selector is None:
            found[policy] = []
        elif policy.namespace is None:
            found[policy] = [each for each in platform.workloads if policy.covers(each)]
        else:
            found[policy] = platform.selected(policy.selector, policy.namespace)
    return found


@once
def covering(platform: Platform) -> dict[Workload, list[Policy]]:
    """The policies that select each workload's pods; nothing for one that none selects."""
    found: dict[Workload, list[Policy]] = {}
    for policy, workloads in covered(platform).items():
        for workload in workloads:
            found.setdefault(workload, []).append(policy)
    return found


def _kubernetes(resource: Resource) -> Iterator[Policy]:
    spec = mapping(resource.body, "spec")
    types = [str(each) for each in items(spec, "policyTypes")]
    if "Egress" not in types if types else "egress" not in spec:
        return
    allows = tuple(_kubernetes_rule(rule, resource.namespace, resource.place(rule.line)) for rule in maps(spec))
    selector = mapping(spec, "podSelector")
    yield Policy(resource.id, resource.namespace, selector, allows, resource.place(spec.lines.get("egress")))


def maps(spec: Map, name: str = "egress") -> list[Map]:
    return [each for each in items(spec, name) if isinstance(each, Map)]


def _kubernetes_rule(rule: Map, namespace: str, place: Place) -> Allow:
    ports = tuple(_port(each) for each in maps(rule, "ports"))
    to = maps(rule, "to")
    if not to:
        return Allow(place, ports, is_anything=True)
    spans: list[Span] = []
    peers: list[Peer] = []
    wide6 = prefix6(mapping(each, "ipBlock").get("cidr") for each in to)
    for each in to:
        block = mapping(each, "ipBlock")
        if block:
            spans += without(spans_of([block.get("cidr")]), spans_of(items(block, "except")))
            continue
        pods = mapping(each, "podSelector")
        if "namespaceSelector" in each:
            peers.append(Peer(_namespaces(mapping(each, "namespaceSelector")), pods))
        elif "podSelector" in each:
            peers.append(Peer(namespace, pods))
    return Allow(place, ports, tuple(merged(spans)), tuple(peers), prefix6=wide6)


def _namespaces(selector: Map) -> Mapping[str, Any] | str | None:
    if not selector or (not mapping(selector, "matchLabels") and not items(selector, "matchExpressions")):
        return None
    labels = mapping(selector, "matchLabels")
    if list(labels) == [NAME_LABEL] and not items(selector, "matchExpressions"):
        return str(labels[NAME_LABEL])
    return selector


def _port(node: Map) -> Ports:
    low, high = node.get("port"), node.get("endPort")
    protocol = str(node.get("protocol") or "TCP").upper()
    if isinstance(low, str) and low.isdigit():
        low = int(low)
    if low in (None, 0) or isinstance(low, bool):
        return Ports(0, 65535, protocol)
    if not isinstance(low, int):  # by name: dns, http; any port may be called so
        return Ports(53, 53, protocol) if str(low).startswith("dns") else Ports(0, 65535, protocol)
    return Ports(low, high if isinstance(high, int) else low, protocol)


def spans_of(blocks: Iterable[Any]) -> list[Span]:
    """IPv4 blocks as ranges of numbers; IPv6 and what is no block are left out."""
    found: list[Span] = []
    for block in blocks:
        try:
            network = ipaddress.IPv4Network(str(block), strict=False)
        except ValueError:
            continue
        begin = int(network.network_address)
        found.append((begin, begin + network.num_addresses))
    return found


def prefix6(blocks: Iterable[Any]) -> int | None:
    """The bits of the shortest prefix among blocks of IPv6, which is the widest; None where there is none."""
    found: list[int] = []
    for block in blocks:
        if ":" not in str(block):
            continue
        try:
            found.append(ipaddress.IPv6Network(str(block), strict=False).prefixlen)
        except ValueError:
            continue
    return min(found, default=None)


def merged(spans: Iterable[Span]) -> list[Span]:
    """The same addresses, each once, in order."""
    found: list[Span] = []
    for begin, end in sorted(spans):
        if found and begin <= found[-1][1]:
            found[-1] = (found[-1][0], max(end, found[-1][1]))
        elif begin < end:
            found.append((begin, end))
    return found


def without(spans: Iterable[Span], gone: Iterable[Span]) -> list[Span]:
    """The addresses that are not in `gone`."""
    left = merged(spans)
    for begin, end in merged(gone):
        left = [
            part for low, high in left for part in ((low, min(high, begin)), (max(low, end), high)) if part[0] < part[1]
        ]
    return left


def _cilium(resource: Resource, namespace: str | None) -> Iterator[Policy]:
    for spec in (mapping(resource.body, "spec"), *(each for each in items(resource.body, "specs"))):
        if not isinstance(spec, Map) or ("egress" not in spec and "egressDeny" not in spec):
            continue
        allows = tuple(_cilium_rule(rule, namespace, resource.place(rule.line)) for rule in maps(spec))
        denied = [span for rule in maps(spec, "egressDeny") for span in _cilium_blocks(rule)]
        selector = mapping(spec, "endpointSelector") if "endpointSelector" in spec else None
        place = resource.place(spec.lines.get("egress"))
        yield Policy(resource.id, namespace, selector, allows, place, tuple(merged(denied)))


def _cilium_rule(rule: Map, namespace: str | None, place: Place) -> Allow:
    ports = tuple(_port(port) for group in maps(rule, "toPorts") for port in maps(group, "ports"))
    to = [key for key in rule if key.startswith("to") and key != "toPorts"]
    if not to:
        # An empty rule lets nothing out; one with ports alone lets everything out on them.
        return Allow(place, ports, is_anything=bool(ports))
    entities = {str(each) for each in items(rule, "toEntities")}
    names = tuple(str(each.get("matchName") or each.get("matchPattern") or "") for each in maps(rule, "toFQDNs"))
    spans = _cilium_blocks(rule)
    if "world" in entities or "world-ipv4" in entities or "*" in names:
        spans = [EVERY_ADDRESS]
    peers = [_cilium_peer(each, namespace) for each in maps(rule, "toEndpoints")]
    if "cluster" in entities:
        peers.append(Peer(None, {}))
    for each in maps(rule, "toServices"):
        service = mapping(each, "k8sService")
        if service.get("namespace"):
            peers.append(Peer(str(service["namespace"]), {"unread": "service"}))
    readable = not {"toServices", "toGroups", "toNodes"} & set(to)
    blocks = (*items(rule, "toCIDR"), *(each.get("cidr") for each in maps(rule, "toCIDRSet")))
    wide6 = 0 if "world-ipv6" in entities else prefix6(blocks)
    return Allow(place, ports, tuple(merged(spans)), tuple(peers), names, "all" in entities, readable, wide6)


def _cilium_blocks(rule: Map) -> list[Span]:
    spans = spans_of(items(rule, "toCIDR"))
    for each in maps(rule, "toCIDRSet"):
        spans += without(spans_of([each.get("cidr")]), spans_of(items(each, "except")))
    return spans


def _cilium_peer(selector: Map, namespace: str | None) -> Peer:
    labels = dict(mapping(selector, "matchLabels"))
    expressions = items(selector, "matchExpressions")
    where: str | None = namespace
    for key in _NAMESPACE_LABELS:
        if key in labels:
            where = str(labels.pop(key))
        for each in expressions:
            if isinstance(each, Map) and each.get("key") == key and each.get("operator") == "Exists":
                where = None
    rest = [each for each in expressions if not (isinstance(each, Map) and each.get("key") in _NAMESPACE_LABELS)]
    plain = {key.removeprefix("k8s:").removeprefix("any:"): value for key, value in labels.items()}
    return Peer(where, {"matchLabels": plain, "matchExpressions": rest} if plain or rest else {})


_CALICO_TERM = re.compile(r"\s*([\w./-]+)\s*==\s*[\"']([^\"']*)[\"']\s*\Z")


def _calico_selector(text: Any) -> Mapping[str, Any] | None:
    """`a == 'b' && c == 'd'` and all() as labels; None for any other expression."""
    if text in (None, "", "all()"):
        return {}
    terms = [_CALICO_TERM.match(part) for part in str(text).split("&&")]
    return {term[1]: term[2] for term in terms if term} if all(terms) else None


def _calico(resource: Resource, namespace: str | None) -> Iterator[Policy]:
    spec = mapping(resource.body, "spec")
    types = [str(each) for each in items(spec, "types")]
    if "Egress" not in types if types else "egress" not in spec:
        return
    allows: list[Allow] = []
    denied: list[Span] = []
    for rule in maps(spec):
        action = str(rule.get("action") or "")
        if action == "Deny":
            denied += spans_of(items(rule, "destination.nets"))
        elif action == "Allow":
            # The first rule that matches decides: what an earlier one denies stays denied.
            allows.append(_calico_rule(rule, namespace, resource.place(rule.line), denied))
    selector = _calico_selector(spec.get("selector"))
    yield Policy(resource.id, namespace, selector, tuple(allows), resource.place(spec.lines.get("egress")))


def _calico_rule(rule: Map, namespace: str | None, place: Place, denied: list[Span]) -> Allow:
    to = mapping(rule, "destination")
    protocol = str(rule.get("protocol") or "ANY").upper()
    ports = tuple(_calico_port(each, protocol) for each in items(to, "ports"))
    nets, except_ = spans_of(items(to, "nets")), spans_of(items(to, "notNets"))
    names = tuple(str(each) for each in items(to, "domains"))
    by_pods = [key for key in ("selector", "namespaceSelector", "services") if to.get(key)]
    wide6 = prefix6(items(to, "nets"))
    if not nets and wide6 is None and not names and not by_pods:
        if except_ or denied:
            return Allow(place, ports, tuple(without([EVERY_ADDRESS], [*except_, *denied])), (Peer(None, {}),))
        return Allow(place, ports, is_anything=not {"notSelector", "serviceAccounts"} & set(to))
    peers: tuple[Peer, ...] = ()
    readable = True
    if by_pods:
        pods, spaces = _calico_selector(to.get("selector")), _calico_selector(to.get("namespaceSelector"))
        readable = pods is not None and spaces is not None and "services" not in by_pods
        where = (spaces or None) if "namespaceSelector" in by_pods else namespace
        if readable:
            peers = (Peer(where, pods or {}),)
    spans = tuple(without(nets, [*except_, *denied]))
    return Allow(place, ports, spans, peers, names, is_readable=readable, prefix6=wide6)


def _calico_port(value: Any, protocol: str) -> Ports:
    low, _, high = str(value).partition(":")
    if not low.isdigit():
        return Ports(0, 65535, protocol)
    return Ports(int(low), int(high) if high.isdigit() else int(low), protocol)


def _fragments(config: ConfigFile, node: Any, depth: int = 0) -> Iterator[Policy]:
    """Lists named `egress` in values files and snippets. What is switched off, and empty ones, say nothing."""
    if depth > _MOST_DEPTH or not isinstance(node, Map | Seq):
        return
    if isinstance(node, Map):
        rules = node.get("egress")
        if isinstance(rules, Seq) and rules and node.get("enabled") is not False and _are_rules(rules):
            yield _fragment(config, node, rules)
        for value in node.values():
            yield from _fragments(config, value, depth + 1)
    else:
        for value in node:
            yield from _fragments(config, value, depth + 1)


def _are_rules(rules: Seq) -> bool:
    known = {"to", "ports", "action", "destination", "protocol"}
    return all(
        isinstance(rule, Map) and all(key in known or re.match("to[A-Z]", key) for key in rule) for rule in rules
    )


def _fragment(config: ConfigFile, node: Map, rules: Seq) -> Policy:
    keys = {key for rule in rules for key in rule}
    place = config.place(node.lines["egress"])
    subject = config.resource.id if config.resource else config.path
    if any(re.match("to[A-Z]", key) for key in keys):
        allows = [_cilium_rule(rule, "", config.place(rule.line)) for rule in rules]
    elif keys & {"action", "destination"}:
        allows = [
            _calico_rule(rule, "", config.place(rule.line), []) for rule in rules if rule.get("action") == "Allow"
        ]
    else:
        allows = [_kubernetes_rule(rule, "", config.place(rule.line)) for rule in rules]
    return Policy(subject, "", None, tuple(allows), place)

"""2.2: what may leave the pods, as the union of the policies that select them, and which dependencies may not."""

from collections.abc import Iterable, Iterator, Sequence

from findings.checks.base import Fail, Meta, Pass, Unsure, Verdict
from findings.checks.words import counted
from findings.platform import network, reach
from findings.platform.kubernetes import is_patch
from findings.platform.model import Platform, Workload, once, places, unique
from findings.platform.network import EVERY_ADDRESS, Allow, Policy, Span
from findings.platform.reach import Destination
from findings.vocabulary import Category, Outcome, Severity
from platform_risk.quantities.sourced import Input, Quantity, Source, input_of

META = Meta(
    id="network-egress",
    seed="2.2",
    title="Network policies let pods connect to nearly everything, or not to what they need",
    severity=Severity.HIGH,
    category=Category.SECURITY,
    outcome=Outcome.BREACH,
    means="Taken together, the policies that select these pods let them out to every namespace, to any address or to "
    "whole networks; or they shut them off from a dependency that their own configuration names.",
    why="Whoever takes over one pod goes from there: to every service that listens inside, or out with the data. "
    "A policy that lets everything out is none, though it looks like one. And what is blocked by mistake fails only "
    "when it is called.",
    not_a_problem="The pods are a proxy or a scraper whose work is to reach everything, and they are watched for it.",
    remedy="Deny by default, then allow each dependency by namespace, pod label and port; addresses outside by block "
    "or, where the network plugin can, by name. Allow DNS on UDP 53 and TCP 53.",
    patch="""egress:
  - to:
      - namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: payments}}
        podSelector: {matchLabels: {app: ledger}}
    ports: [{protocol: TCP, port: 8443}]
  - to:
      - namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: kube-system}}
        podSelector: {matchLabels: {k8s-app: kube-dns}}
    ports: [{protocol: UDP, port: 53}, {protocol: TCP, port: 53}]""",
    analysis="It says that an empty namespace selector on port 443 reaches the cloud's metadata service. It "
    "selects pods of every namespace and no address outside: metadata needs an ipBlock, and is on port "
    "80.",
    remedies=("tight-network-policies",),
    references=(
        "https://kubernetes.io/docs/concepts/services-networking/network-policies/",
        "https://docs.cilium.io/en/stable/security/policy/",
        "https://docs.tigera.io/calico/latest/reference/resources/networkpolicy",
    ),
)

# The largest network that one VPC of AWS has is a /16: what is larger is no list of dependencies.
WIDE = 65_536
# And of IPv6 a /56.
_WIDE_BITS = 56
_METADATA = 0xA9FEA9FE  # 169.254.169.254
_MOST_TERMS, _MOST_NAMED = 200, 8  # rules that a figure lists, and policies that a sentence names
_DNS = "Rules for port 53 alone are not counted."
_PODS = "A namespace selector selects pods; addresses outside the cluster and the metadata service need an ipBlock."
_AT_LEAST = "Namespaces that these files do not name are not counted."


def addresses_reachable(spans: Iterable[Span]) -> int:
    """IPv4 addresses in the union of blocks, exceptions taken out, each counted once.

    Source: Kubernetes, Network Policies: ipBlock with except; rules add up.
    """
    return sum(end - begin for begin, end in network.merged(spans))


def namespaces_reachable(total: int | None, named: Iterable[str], *, every: bool) -> int | None:
    """Namespaces whose pods may be reached: all of them, or those that the rules name. None: how many is not known.

    Source: Kubernetes, Network Policies: an empty namespaceSelector selects all namespaces.
    """
    return total if every else len(set(named))


def dependencies_blocked(outcomes: Iterable[bool | None]) -> int:
    """Declared dependencies that no policy lets through; what cannot be told is not counted."""
    return sum(outcome is False for outcome in outcomes)


def run(platform: Platform) -> Iterator[Verdict]:
    policies = network.policies(platform)
    uncounted: list[Unsure] = []
    known: _Known = {}
    for policy in policies:
        for verdict in _judged(platform, policy, policies, known):
            if isinstance(verdict, Unsure):
                uncounted.append(verdict)
            else:
                yield verdict
    # The same is missing for each of them: said once for each thing to provide.
    yield from {each.provide: each for each in reversed(uncounted)}.values()
    uncovered: dict[str, list[Workload]] = {}
    for workload in platform.workloads:
        if is_patch(workload.resource):
            continue  # of a workload that stands in another file
        covering = network.covering(platform).get(workload, [])
        if covering:
            yield from _dependencies(platform, workload, covering)
        elif workload.pod.get("hostNetwork") is not True:
            uncovered.setdefault(workload.resource.namespace, []).append(workload)
    for namespace, workloads in uncovered.items():
        yield _uncovered(platform, namespace, workloads)


# Figures of policies that are judged together, by which they are: all policies of a namespace may select all its pods.
_Known = dict[tuple[int, ...], tuple[Quantity, ...]]


def _judged(platform: Platform, policy: Policy, policies: Sequence[Policy], known: _Known) -> Iterator[Verdict]:
    counted = [allow for allow in policy.allows if not allow.is_dns]
    width = _width(counted)
    if not width:
        yield Pass(policy.subject, (policy.place,))
        return
    union = _overlapping(platform, policy, policies)
    allows = [allow for each in union for allow in each.allows if not allow.is_dns]
    denied = [span for each in union for span in each.denied]
    together = tuple(map(id, union))
    if together not in known:
        known[together] = tuple(_addresses(allows, denied))
    quantities = [*known[together]]
    inside = _namespaces(platform, policy, allows)
    if isinstance(inside, Unsure):
        yield inside
    else:
        quantities.append(inside)
    quantities += _blocked_of(platform, policy)
    others = [each.subject for each in union if each is not policy]
    more = f" and {len(others) - _MOST_NAMED} more" if len(others) > _MOST_NAMED else ""
    along = (
        f" Judged together with {', '.join(others[:_MOST_NAMED])}{more}, which select the same pods." if others else ""
    )
    ports = _ports(counted)
    everything = any(allow.is_anything and not allow.ports for allow in counted)
    yield Fail(
        policy.subject,
        f"{policy.subject.rpartition('/')[2]}: {ports} to {width}",
        f"What it lets out: {ports} to {width}.{along}",
        places(*(allow.place for allow in counted if _is_wide(allow)), policy.place),
        tuple(quantities),
        None if everything else Severity.MEDIUM,
    )


def _is_wide(allow: Allow) -> bool:
    everywhere = any(each.is_every_namespace or each.left_out for each in allow.peers)
    return allow.is_anything or everywhere or _count([allow]) > WIDE or _is_wide6([allow])


def _is_wide6(allows: Iterable[Allow]) -> bool:
    bits = _bits6(allows)
    return bits is not None and bits < _WIDE_BITS


def _bits6(allows: Iterable[Allow]) -> int | None:
    return min((each.prefix6 for each in allows if each.prefix6 is not None), default=None)


def _count(allows: Iterable[Allow]) -> int:
    return addresses_reachable(span for allow in allows for span in _spans(allow))


def _spans(allow: Allow) -> tuple[Span, ...]:
    return (EVERY_ADDRESS,) if allow.is_anything else allow.spans


def _width(allows: list[Allow]) -> str:
    """What makes it wide, in words; "" when it is not."""
    count = _count(allows)
    every = any(peer.is_every_namespace for allow in allows for peer in allow.peers)
    but = unique(name for allow in allows for peer in allow.peers for name in peer.left_out)
    if any(allow.is_anything for allow in allows):
        return f"all {count:,} addresses and every namespace"
    parts = ["every pod of every namespace"] if every else []
    if but and not every:
        parts.append(f"every pod of every namespace but {', '.join(but[:4])}")
    if count > WIDE:
        parts.append(f"{count:,} addresses")
    elif _is_wide6(allows):
        parts.append(f"IPv6 networks as wide as /{_bits6(allows)}")
    elif every or but:
        parts.append("no address outside" if not count else f"{count:,} addresses")
    return ", ".join(parts)


def _ports(allows: list[Allow]) -> str:
    wide = [allow for allow in allows if _is_wide(allow)]
    if any(not allow.ports for allow in wide):
        return "Every port"
    shown = unique(
        f"{port.protocol} {port.low}" if port.low == port.high else f"{port.protocol} {port.low}–{port.high}"
        for allow in wide
        for port in allow.ports
    )
    return ", ".join(shown[:6])


def _overlapping(platform: Platform, policy: Policy, policies: Sequence[Policy]) -> list[Policy]:
    """The policies that select pods which this one selects: rules add up."""
    covering = network.covering(platform)
    near = {each for workload in network.covered(platform)[policy] for each in covering[workload]}
    return [
        each
        for each in policies
        if each is policy
        or (
            each.selector is not None
            and policy.selector is not None
            and (each.namespace is None or policy.namespace is None or each.namespace == policy.namespace)
            and (not each.selector or each.selector == policy.selector or each in near)
        )
    ]


def _addresses(allows: list[Allow], denied: list[Span]) -> Iterator[Quantity]:
    spans = network.without([span for allow in allows for span in _spans(allow)], denied)
    terms = tuple(
        Input(_told(allow), addresses_reachable(_spans(allow)), "addresses", Source.FILE, allow.place.path,
              allow.place.line)
        for allow in allows[:_MOST_TERMS]
    )  # fmt: skip
    notes: tuple[str, ...] = (_DNS, _PODS, "IPv4 alone is counted.")
    if len(allows) > _MOST_TERMS:
        notes += (f"Of {len(allows)} rules the first {_MOST_TERMS} are listed.",)
    yield Quantity("addresses_reachable", addresses_reachable(spans), "addresses",
                   "size of the union of all blocks, less their exceptions", terms, notes)  # fmt: skip
    bits = _bits6(allows)
    if bits is not None:
        blocks = tuple(
            Input(_told(each), each.prefix6, "bits", Source.FILE, each.place.path, each.place.line)
            for each in allows
            if each.prefix6 is not None
        )
        yield Quantity("ipv6_prefix_bits", bits, "bits", "shortest prefix of all blocks of IPv6", blocks)
    metadata = any(
        allow.on(80) and any(low <= _METADATA < high for low, high in network.without(_spans(allow), denied))
        for allow in allows
    )
    yield Quantity("metadata_service_reachable", int(metadata), "0 or 1", "whether a rule covers 169.254.169.254:80",
                   terms, (_PODS,))  # fmt: skip


def _told(allow: Allow) -> str:
    if allow.is_anything:
        return "rule without a destination"
    return "rule with blocks" if allow.spans or allow.prefix6 is not None else "rule with pods"


def _namespaces(platform: Platform, policy: Policy, allows: list[Allow]) -> Quantity | Unsure:
    every = any(allow.is_anything or any(peer.is_every_namespace for peer in allow.peers) for allow in allows)
    known = reach.namespaces_of(platform)
    stated = platform.facts.number("network.namespaces")
    name, unit = "namespaces_reachable", "namespaces"
    if every and stated is not None:
        return Quantity(name, namespaces_reachable(int(stated.value), (), every=True), unit, "all namespaces",
                        (input_of("namespaces", stated, unit),))  # fmt: skip
    if every and not platform.of_kind("Namespace"):
        return Unsure(
            policy.subject,
            "every namespace may be reached, and how many there are is not in these files",
            "facts: network.namespaces, or the Namespace objects",
            policy.place,
        )
    left_out = {name for allow in allows for peer in allow.peers for name in peer.left_out}
    if left_out and stated is not None and not any(" " in name for name in left_out):
        count = max(int(stated.value) - len(left_out), 0)
        return Quantity(name, count, unit, "all namespaces − those that are left out",
                        (input_of("namespaces", stated, unit),))  # fmt: skip
    found: set[str] = set(known) if every else set()
    for peer in () if every else (peer for allow in allows for peer in allow.peers):
        names = reach.named(platform, peer)
        if names is None:
            return Unsure(policy.subject, "which namespaces its selector selects is not in these files",
                          "the Namespace objects with their labels", policy.place)  # fmt: skip
        found |= names
    terms = tuple(
        Input(each, 1, unit, Source.FILE, known[each].path, known[each].line)
        if each in known
        else Input(each or "its own", 1, unit, Source.FILE, policy.place.path, policy.place.line)
        for each in sorted(found)
    ) or tuple(Input(_told(allow), 0, unit, Source.FILE, allow.place.path, allow.place.line) for allow in allows)
    return Quantity(name, namespaces_reachable(len(found), found, every=every), unit,
                    "namespaces that a rule selects", terms, (_DNS, _AT_LEAST))  # fmt: skip


def _blocked_of(platform: Platform, policy: Policy) -> Iterator[Quantity]:
    """Over all workloads that the policy selects; nothing when they declare no dependency."""
    judged = [pair for workload in network.covered(platform)[policy] for pair in blocked(platform, workload)]
    if judged:
        yield _blocked_quantity(judged)


def _blocked_quantity(judged: list[tuple[Destination, bool | None]]) -> Quantity:
    words = {True: "reached", False: "blocked", None: "cannot be told"}
    terms = tuple(
        Input(f"{to.workload.resource.name} {to.variable}", words[outcome], "", Source.FILE, to.place.path,
              to.place.line)
        for to, outcome in judged
    )  # fmt: skip
    return Quantity("dependencies_blocked", dependencies_blocked(outcome for _, outcome in judged), "dependencies",
                    "addresses in the environment that no rule lets through", terms)  # fmt: skip


def blocked(platform: Platform, workload: Workload) -> list[tuple[Destination, bool | None]]:
    """Each dependency that a workload declares, and whether its policies let it through."""
    return _blocked(platform).get(workload, [])


@once
def _blocked(platform: Platform) -> dict[Workload, list[tuple[Destination, bool | None]]]:
    covered = network.covering(platform).items()
    return {workload: _judged_dependencies(platform, workload, covering) for workload, covering in covered}


def _judged_dependencies(
    platform: Platform, workload: Workload, covering: list[Policy]
) -> list[tuple[Destination, bool | None]]:
    resolves = any(allow.on(53, "UDP") for policy in covering for allow in policy.allows) or _has_node_cache(platform)
    found: dict[tuple[str, int | None], tuple[Destination, bool | None]] = {}
    for to in reach.destinations(workload):
        outcome = reach.reachable(platform, covering, to)
        if outcome and not resolves and any(letter.isalpha() for letter in to.host):
            outcome = False  # allowed, but its name cannot be resolved
        found.setdefault((to.host, to.port), (to, outcome))
    return list(found.values())


@once
def _has_node_cache(platform: Platform) -> bool:
    """A resolver on each node is reached whatever the policy says: Kubernetes lets pods talk to their own node."""
    return any(each.resource.name == "node-local-dns" for each in platform.workloads)


def _dependencies(platform: Platform, workload: Workload, covering: list[Policy]) -> Iterator[Verdict]:
    judged = blocked(platform, workload)
    gone = [to for to, outcome in judged if outcome is False]
    if not gone:
        yield Pass(workload.id, (workload.resource.place(),))
        return
    if not any(policy.allows for policy in covering) and not _is_complete(platform):
        yield Unsure(
            workload.id,
            f"{', '.join(each.subject for each in covering)} denies everything, and what allows "
            f"{', '.join(to.variable for to in gone[:5])} is not in these files",
            "the policy that selects it, or facts: network.policies_complete",
            covering[0].place,
        )
        return
    names = ", ".join(to.variable for to in gone[:5])
    by = ", ".join(policy.subject for policy in covering)
    dns = any(allow.on(53, "UDP") for policy in covering for allow in policy.allows)
    yield Fail(
        workload.id,
        f"{len(gone)} of {len(judged)} dependencies cannot be reached: {names}",
        f"{by} select its pods, and no rule lets {', '.join(sorted({to.host for to in gone}))} through."
        + ("" if dns else " No rule allows DNS (UDP 53), so no name can be resolved."),
        places(*(to.place for to in gone), *(policy.place for policy in covering)),
        (_blocked_quantity(judged),),
        detail="blocked",
    )


def _is_complete(platform: Platform) -> bool:
    """Whether somebody stated that these files hold every policy there is."""
    stated = platform.facts.get("network.policies_complete")
    return stated is not None and stated.value is True


def _of(count: int, total: int) -> str:
    return f"{count} of {counted(total, 'workloads')}" if total > 1 else "its only workload"


def _uncovered(platform: Platform, namespace: str, workloads: list[Workload]) -> Verdict:
    subject = f"Namespace/{namespace or 'not stated'}"
    count, total = (
        len(workloads),
        sum(each.resource.namespace == namespace and not is_patch(each.resource) for each in platform.workloads),
    )
    complete = platform.facts.get("network.policies_complete")
    first = workloads[0].resource.place()
    if complete is None or not _is_complete(platform):
        return Unsure(
            subject,
            f"no policy in these files limits what leaves {_of(count, total)}",
            "a NetworkPolicy with policyTypes [Egress] that selects them, or facts: network.policies_complete",
            first,
        )
    terms = (
        input_of("policies_complete", complete, ""),
        *(Input(each.id, "no policy", "", Source.FILE, each.resource.path, each.resource.line) for each in workloads),
    )
    return Fail(
        subject,
        f"No policy limits what leaves {_of(count, total)}",
        f"Without a policy everything is let out: {', '.join(each.id for each in workloads[:8])}.",
        places(*(each.resource.place() for each in workloads)),
        (Quantity("addresses_reachable", addresses_reachable([EVERY_ADDRESS]), "addresses",
                  "every IPv4 address: without a policy nothing is held back", terms),),
    )  # fmt: skip

"""Section 8: how many pods one node or one zone can take along."""

from collections.abc import Iterator

from findings.checks.base import Fail, Meta, Pass, Unsure, Verdict
from findings.platform.model import Platform, Workload, places
from findings.platform.nodes import find, items, mapping
from findings.platform.selecting import selects
from findings.platform.serving import least_replicas, long_running, requested_through
from findings.platform.units import stated_count
from findings.platform.yaml_reader import Map
from findings.vocabulary import Category, Outcome, Severity
from platform_risk.quantities.sourced import Input, Quantity, Sourced, Unknown, input_of

META = Meta(
    id="topology-spread",
    seed="8",
    title="All pods may stand in one place",
    severity=Severity.LOW,
    category=Category.ARCHITECTURE,
    outcome=Outcome.OUTAGE,
    means="Nothing keeps the pods of a service on different nodes or in different zones.",
    why="Several replicas guard against the loss of a node or a zone only where they do not share it. The scheduler "
    "prefers to spread them, and gives that up when nodes are full.",
    not_a_problem="The cluster sets default constraints of its own, or has a single zone and few nodes.",
    remedy="Spread over zones with a constraint, and over nodes with a second one or with anti-affinity.",
    patch="""topologySpreadConstraints:
  - maxSkew: 1
    topologyKey: topology.kubernetes.io/zone
    whenUnsatisfiable: DoNotSchedule
    labelSelector: {matchLabels: {app: api}}""",
    remedies=("spread-pods",),
    references=(
        "https://kubernetes.io/docs/concepts/scheduling-eviction/topology-spread-constraints/",
        "https://kubernetes.io/docs/concepts/scheduling-eviction/assign-pod-node/#inter-pod-affinity-and-anti-affinity",
    ),
)


def run(platform: Platform) -> Iterator[Verdict]:
    zones = stated_count(platform.facts.get("zones"))
    for workload in long_running(platform):
        if not requested_through(platform, workload):
            continue
        low = least_replicas(platform, workload)
        if isinstance(low, Unknown):
            yield Unsure(workload.id, low.reason, low.provide, low.place)
        elif low.value > 1:
            yield _judged(workload, low, zones)


def _judged(workload: Workload, low: Sourced[int], zones: Sourced[int] | None) -> Verdict:
    stated = list(_terms(workload))
    of_its_own = [each for each in stated if _selects_its_own(each, workload)]
    if any(not _allows_all(each, low.value) for each in of_its_own):
        return Pass(workload.id, (workload.resource.place(),))
    terms: list[Input] = [input_of("replicas", low, "pods")]
    where = "node"
    if zones is not None and zones.value > 1:
        terms.append(input_of("zones", zones, "zones"))
        where = f"node, or in one of {zones.value} zones"
    quantity = Quantity("pods_lost_with_one_node", low.value, "pods", "replicas, without a constraint", tuple(terms))
    return Fail(
        workload.id,
        f"All {low.value} pods may stand on one {where}",
        f"A skew of up to {of_its_own[0]['maxSkew']} lets all of them stand in one place."
        if of_its_own
        else "What is stated about their places selects other pods than these."
        if stated
        else "Neither topologySpreadConstraints nor anti-affinity keeps them apart.",
        places(low, workload.resource.place()),
        (quantity,),
    )


def _terms(workload: Workload) -> Iterator[Map]:
    """What is stated about where its pods may stand beside others."""
    anti = mapping(workload.pod, "affinity.podAntiAffinity")
    yield from (each for each in items(workload.pod, "topologySpreadConstraints") if isinstance(each, Map))
    yield from (each for each in items(anti, "requiredDuringSchedulingIgnoredDuringExecution") if isinstance(each, Map))
    for each in items(anti, "preferredDuringSchedulingIgnoredDuringExecution"):
        yield mapping(each, "podAffinityTerm")


def _allows_all(term: Map, replicas: int) -> bool:
    """Whether a constraint holds nothing back: all pods in one place and none in another are a skew of their number."""
    skew = term.get("maxSkew")
    return isinstance(skew, int) and skew >= replicas


def _selects_its_own(term: Map, workload: Workload) -> bool:
    return find(term, "labelSelector") is None or selects(mapping(term, "labelSelector"), workload.labels)

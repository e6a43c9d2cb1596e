"""Section 8: what a namespace may ask for when its autoscalers are at their maximum."""

from collections.abc import Iterator
from dataclasses import dataclass

from findings.checks.base import Fail, Meta, Pass, Unsure, Verdict
from findings.platform.model import Platform, Resource, Workload, find, mapping, places
from findings.platform.serving import long_running, most_replicas
from findings.platform.units import amount
from findings.vocabulary import Category, Outcome, Severity
from platform_risk.quantities.sourced import Input, Place, Quantity, Source, Unknown, input_of

META = Meta(
    id="resource-quota",
    seed="8",
    title="Nothing bounds what a namespace may ask for",
    severity=Severity.LOW,
    category=Category.OPERATIONS,
    outcome=Outcome.COST,
    means="Autoscalers of this namespace can ask for many pods, and no quota bounds them; or the quota is smaller than "
    "what they ask for at their maximum.",
    why="A runaway autoscaler takes the nodes of its neighbours and buys new ones. A quota that is too small stops it "
    "short of its maximum, in the peak that the maximum was meant for.",
    not_a_problem="The namespace has nodes of its own with a bound, or what its autoscalers can ask for is small.",
    remedy="Give each namespace a quota that its autoscalers' maxima fit into, and little more.",
    patch="""apiVersion: v1
kind: ResourceQuota
metadata: {name: bounds, namespace: shop}
spec:
  hard: {pods: "60", requests.cpu: "30", requests.memory: 60Gi}""",
    remedies=("resource-quotas",),
    references=("https://kubernetes.io/docs/concepts/policy/resource-quotas/",),
)


@dataclass(frozen=True)
class _Need:
    """At the maximum: pods, and their requests where every container states them."""

    pods: int
    cpu: float | None  # cores
    memory: float | None  # bytes
    terms: tuple[Input, ...]


def at_maximum(maximum: int, per_pod: float) -> float:
    """What a workload asks for at its maximum: pods × requests. Source: Kubernetes, resource quotas."""
    return maximum * per_pod


def run(platform: Platform) -> Iterator[Verdict]:
    by_namespace: dict[str, list[Workload]] = {}
    for workload in long_running(platform):
        by_namespace.setdefault(workload.resource.namespace, []).append(workload)
    for namespace, workloads in sorted(by_namespace.items()):
        if not any(platform.autoscaler_of(workload) for workload in workloads):
            continue
        subject = f"Namespace/{namespace or 'default'}"
        need = _need(platform, workloads)
        if isinstance(need, Unsure):
            yield need
            continue
        quotas = platform.in_namespace("ResourceQuota", namespace)
        if quotas:
            yield _compared(subject, need, quotas[0])
        elif platform.named("Namespace", "", namespace):
            yield _unbounded(subject, need, workloads)
        else:
            reason = f"whether a quota bounds the {need.pods} pods that it can ask for is not here"
            yield Unsure(subject, reason, f"a ResourceQuota of {namespace or 'default'}", workloads[0].resource.place())


def _need(platform: Platform, workloads: list[Workload]) -> _Need | Unsure:
    pods, terms = 0, []
    totals: dict[str, float | None] = {"cpu": 0.0, "memory": 0.0}
    for workload in workloads:
        high = most_replicas(platform, workload)
        if isinstance(high, Unknown):
            return Unsure(workload.id, high.reason, high.provide, high.place)
        pods += high.value
        terms.append(input_of(f"max pods of {workload.resource.name}", high, "pods"))
        for name, total in totals.items():
            asked = _requests(workload, name)
            totals[name] = None if total is None or asked is None else total + at_maximum(high.value, asked)
    return _Need(pods, totals["cpu"], totals["memory"], tuple(terms))


def _requests(workload: Workload, name: str) -> float | None:
    """Of one pod; None where a container states none."""
    total = 0.0
    for container in workload.containers:
        if container.is_init:
            continue
        resources = mapping(container.node, "resources")
        stated = find(resources, f"requests.{name}") or find(resources, f"limits.{name}")
        asked = amount(stated[0]) if stated is not None else None
        if asked is None:
            return None
        total += asked
    return total


def _unbounded(subject: str, need: _Need, workloads: list[Workload]) -> Fail:
    cpu = f" and {need.cpu:g} cores" if need.cpu is not None else ""
    return Fail(
        subject,
        f"Its autoscalers can ask for {need.pods} pods{cpu}, and no quota bounds them",
        "The namespace is made here, without a ResourceQuota.",
        places(*(workload.resource.place() for workload in workloads)),
        _quantities(need),
    )


def _quantities(need: _Need) -> tuple[Quantity, ...]:
    found = [Quantity("pods_at_maximum", need.pods, "pods", "sum of the maxima", need.terms)]
    if need.cpu is not None:
        found.append(Quantity("cpu_cores_at_maximum", need.cpu, "cores", "sum(max pods × requests)", need.terms))
    return tuple(found)


def _compared(subject: str, need: _Need, quota: Resource) -> Verdict:
    hard = mapping(quota.body, "spec.hard")
    asked = {
        "pods": need.pods, "count/pods": need.pods, "requests.cpu": need.cpu, "cpu": need.cpu,
        "requests.memory": need.memory, "memory": need.memory,
    }  # fmt: skip
    for name, wanted in asked.items():
        bound = amount(hard.get(name))
        if bound is None or wanted is None or wanted <= bound:
            continue
        at = quota.place(hard.lines[name])
        term = Input(f"hard {name}", hard[name], "", Source.FILE, at.path, at.line)
        share = Quantity(
            "share_of_maximum_percent", bound / wanted * 100, "%", "quota ÷ asked for", (*need.terms, term)
        )
        return Fail(
            subject,
            f"The quota stops its autoscalers at {bound / wanted * 100:.3g} % of their maximum",
            f"{quota.id} allows {hard[name]} of {name}; the maxima ask for {wanted:g}.",
            _at(at, quota),
            (*_quantities(need), share),
            Severity.MEDIUM,
        )
    return Pass(subject, (quota.place(),))


def _at(place: Place, quota: Resource) -> tuple[Place, ...]:
    return places(place, quota.place())

"""Section 8: what a namespace may ask for when its autoscalers are at their maximum."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from findings.checks.base import Fail, Meta, Pass, Unsure, Verdict
from findings.checks.limit_ranges import by_default
from findings.platform.model import Platform, Resource, Workload, places
from findings.platform.nearness import Nearness
from findings.platform.nodes import find, mapping
from findings.platform.serving import long_running, most_replicas
from findings.platform.units import amount
from findings.vocabulary import Category, Outcome, Severity
from platform_risk.quantities.sourced import Input, Quantity, Source, Unknown, input_of

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
    amounts: Mapping[str, float | None]  # requests.cpu, limits.cpu in cores; requests.memory, limits.memory in bytes
    terms: tuple[Input, ...]

    def of(self, name: str) -> float | None:
        return self.pods if name == "pods" else self.amounts[name]

    @property
    def cpu(self) -> float | None:
        return self.amounts["requests.cpu"]


def at_maximum(maximum: int, per_pod: float) -> float:
    """What a workload asks for at its maximum: pods × requests. Source: Kubernetes, resource quotas."""
    return maximum * per_pod


def run(platform: Platform) -> Iterator[Verdict]:
    by_namespace: dict[str, list[Workload]] = {}
    for workload in long_running(platform):
        by_namespace.setdefault(workload.resource.namespace, []).append(workload)
    for namespace, found in sorted(by_namespace.items()):
        groups = list(_by_environment(platform.near, found))
        homes = [workloads[0].resource.path for _, workloads in groups]
        for number, (folder, workloads) in enumerate(groups):
            others = (*homes[:number], *homes[number + 1 :])
            for verdict in _judged(platform, namespace, folder, workloads):
                yield replace(verdict, homes=(homes[number], *others)) if isinstance(verdict, Fail) else verdict


def _by_environment(nearness: Nearness, workloads: list[Workload]) -> Iterator[tuple[str, list[Workload]]]:
    """Those of each environment that a folder or file names, which are of clusters of their own; with those of none."""
    found: dict[str, list[Workload]] = {}
    for each in workloads:
        found.setdefault(nearness.environment_of(each.resource.path)[1], []).append(each)
    shared = found.pop("", [])
    if not found:
        yield "", shared
    yield from ((folder, [*own, *shared]) for folder, own in found.items())


def _judged(platform: Platform, namespace: str, folder: str, workloads: list[Workload]) -> Iterator[Verdict]:
    if not any(platform.autoscaler_of(workload) for workload in workloads):
        return
    subject = f"Namespace/{namespace or 'default'}"
    need = _need(platform, workloads)
    if isinstance(need, Unsure):
        yield need
        return
    found = [each for each in platform.in_namespace("ResourceQuota", namespace) if not _is_scoped(each)]
    near = platform.near.of_one_environment(workloads[0].resource.path, found, lambda each: each.path)
    quotas = [each for each in near if platform.near.environment_of(each.path)[1] in ("", folder)] or near
    if quotas:
        yield _compared(subject, need, quotas)
    elif platform.named("Namespace", "", namespace):
        yield _unbounded(subject, need, workloads)
    else:
        reason = f"whether a quota bounds the {need.pods} pods that it can ask for is not here"
        yield Unsure(subject, reason, f"a ResourceQuota of {namespace or 'default'}", workloads[0].resource.place())


def _is_scoped(quota: Resource) -> bool:
    return find(quota.body, "spec.scopes") is not None or find(quota.body, "spec.scopeSelector") is not None


def _need(platform: Platform, workloads: list[Workload]) -> _Need | Unsure:
    pods, terms = 0, []
    totals: dict[str, float | None] = dict.fromkeys(_AMOUNTS, 0.0)
    for workload in workloads:
        high = most_replicas(platform, workload)
        if isinstance(high, Unknown):
            return Unsure(workload.id, high.reason, high.provide, high.place)
        pods += high.value
        terms.append(input_of(f"max pods of {workload.resource.name}", high, "pods"))
        for name, total in totals.items():
            asked = _of_one_pod(platform, workload, name)
            totals[name] = None if total is None or asked is None else total + at_maximum(high.value, asked)
    return _Need(pods, totals, tuple(terms))


_AMOUNTS = ("requests.cpu", "requests.memory", "limits.cpu", "limits.memory")


def _of_one_pod(platform: Platform, workload: Workload, name: str) -> float | None:
    """None where a container has none. A request that is not stated is the limit, and then what a LimitRange gives."""
    kind, _, resource = name.partition(".")
    total = 0.0
    for container in workload.containers:
        if container.is_init:
            continue
        resources = mapping(container.node, "resources")
        stated = find(resources, name) or find(resources, name.replace("requests.", "limits."))
        given = None if stated is not None else by_default(platform, workload.resource.namespace, kind, resource)
        value = stated[0] if stated is not None else given.value if given is not None else None
        asked = amount(value)
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


_ASKED = {
    "pods": "pods", "count/pods": "pods", "requests.cpu": "requests.cpu", "cpu": "requests.cpu",
    "requests.memory": "requests.memory", "memory": "requests.memory", "limits.cpu": "limits.cpu",
    "limits.memory": "limits.memory",
}  # fmt: skip


def _compared(subject: str, need: _Need, quotas: list[Resource]) -> Verdict:
    """The tightest of what its quotas bound. One with scopes counts some of the pods only, and is left out."""
    bounds: list[tuple[float, Resource, str, float]] = []
    lacking: tuple[Resource, str] | None = None
    for quota in quotas:
        for name in mapping(quota.body, "spec.hard"):
            bound = amount(mapping(quota.body, "spec.hard")[name])
            if name not in _ASKED or bound is None:
                continue
            wanted = need.of(_ASKED[name])
            if wanted is None:
                lacking = lacking or (quota, _ASKED[name])
            elif round(wanted, 9) > bound:  # three times 100m is 300m, and not a little more
                bounds.append((bound / wanted, quota, name, wanted))
    if bounds:
        return _too_small(subject, need, *min(bounds, key=lambda each: each[0]))
    if lacking is not None:
        quota, name = lacking
        reason = f"{quota.id} bounds {name}, and not every container says how much of it it takes"
        return Unsure(subject, reason, f"resources.{name} of every container", quota.place())
    return Pass(subject, tuple(quota.place() for quota in quotas))


def _too_small(subject: str, need: _Need, share: float, quota: Resource, name: str, wanted: float) -> Fail:
    hard = mapping(quota.body, "spec.hard")
    at = quota.place(hard.lines[name])
    term = Input(f"hard {name}", hard[name], "", Source.FILE, at.path, at.line)
    quantity = Quantity("share_of_maximum_percent", share * 100, "%", "quota ÷ asked for", (*need.terms, term))
    return Fail(
        subject,
        f"The quota stops its autoscalers at {share * 100:.3g} % of their maximum",
        f"{quota.id} allows {hard[name]} of {name}; the maxima ask for {_shown(_ASKED[name], wanted)}.",
        places(at, quota.place()),
        (*_quantities(need), quantity),
        Severity.MEDIUM,
    )


def _shown(name: str, wanted: float) -> str:
    return f"{wanted / 2**30:.4g}Gi" if name.endswith("memory") else f"{wanted:g}"

"""Section 8: a service that stands on one pod, and how long it is gone with its node."""

from collections.abc import Iterator

from findings.checks.base import Fail, Meta, Pass, Unsure, Verdict
from findings.platform.model import Platform, Resource, Workload, places
from findings.platform.nodes import find, items, mapping
from findings.platform.objectives import Objective, objective
from findings.platform.serving import is_dns, least_replicas, long_running, requested_through
from findings.platform.units import number, stated_count
from findings.platform.yaml_reader import Map
from findings.vocabulary import Category, Outcome, Severity
from platform_risk.quantities.budget import burned_percent
from platform_risk.quantities.sourced import Quantity, Source, Sourced, Unknown, input_of

META = Meta(
    id="single-replica",
    seed="8",
    title="A service stands on one pod",
    severity=Severity.LOW,
    category=Category.ARCHITECTURE,
    outcome=Outcome.OUTAGE,
    means="A Service sends its traffic to a workload of one pod: when its node is lost, nothing answers until the pod "
    "is given up and started elsewhere.",
    why="Kubernetes waits before it believes that a node is gone, and again before it moves the pods. For all that "
    "time the service is down, and so is what calls it.",
    not_a_problem="Callers get along without it for some minutes, or it can only exist once and its restart is fast.",
    remedy="Run at least two, on different nodes. Where only one may exist, shorten how long its pod tolerates a node "
    "that is unreachable.",
    patch="""spec:
  replicas: 2""",
    remedies=("second-replica",),
    references=(
        "https://kubernetes.io/docs/concepts/scheduling-eviction/taint-and-toleration/#taint-based-evictions",
        "https://kubernetes.io/docs/concepts/architecture/nodes/#node-heartbeats",
    ),
)

_START = "Its start comes on top."
_GRACE = 50
_MUCH = 10  # percent of the error budget that one lost node may spend before it is more than low
_TOLERATES = 300
_UNREACHABLE = "node.kubernetes.io/unreachable"


def seconds_down(grace: float, tolerates: float) -> float:
    """Seconds from the loss of a node until its pods are started elsewhere, without the start itself.

    Source: Kubernetes, node-monitor-grace-period and taint-based evictions.
    """
    return grace + tolerates


def run(platform: Platform) -> Iterator[Verdict]:
    held = objective(platform)
    for workload in long_running(platform):
        services = requested_through(platform, workload)
        if not services or is_dns(workload):  # the check of DNS judges that one
            continue
        low = least_replicas(platform, workload)
        if isinstance(low, Unknown):
            yield Unsure(workload.id, low.reason, low.provide, low.place)
        elif low.value == 1:
            yield _fail(platform, workload, services[0].name, low, held)
        elif low.value > 1:
            yield Pass(workload.id, places(low))
    yield from _clusters(platform)


def _clusters(platform: Platform) -> Iterator[Verdict]:
    """CloudNativePG: with one instance there is no standby that could be promoted. RabbitMQ's operator: with one node
    no other takes its connections. Source: RabbitMQ Cluster Kubernetes Operator: replicas is 1 unless stated."""
    for cluster in platform.of_kind("Cluster", "postgresql"):
        instances = (
            stated_count(cluster.at("spec.instances")) if cluster.api.startswith("postgresql.cnpg.io/") else None
        )
        if instances is not None:
            yield from _cluster(cluster, instances, "instance", "no standby takes over when its node is lost")
    for cluster in platform.of_kind("RabbitmqCluster"):
        stated = cluster.at("spec.replicas")
        default = Sourced(1, Source.PROVIDER_DEFAULT, cluster.place(), "RabbitMQ's operator: replicas is 1")
        nodes = stated_count(stated) if stated is not None else default
        if nodes is not None:
            yield from _cluster(cluster, nodes, "node", "nobody publishes or consumes while it is gone")


def _cluster(cluster: Resource, count: Sourced[int], what: str, then: str) -> Iterator[Verdict]:
    if count.value > 1:
        yield Pass(cluster.id, places(count))
    elif count.value == 1:
        yield Fail(
            cluster.id,
            f"One {what}: {then}",
            f"{cluster.name} has one {what}, so it is down until its pod runs again with its volume.",
            places(count, cluster.place()),
            (Quantity("replicas", 1, "pods", f"{what}s", (input_of(f"{what}s", count, "pods"),)),),
            Severity.MEDIUM,
        )


def _fail(platform: Platform, workload: Workload, service: str, low: Sourced[int], held: Objective | Unknown) -> Fail:
    here = workload.resource.place()
    replicas = Quantity("replicas", low.value, "pods", "replicas", (input_of("replicas", low, "pods"),))
    few = "One pod at low load" if platform.autoscaler_of(workload) is not None else "One pod"
    behind = f"Service {service} has {few.lower()} behind it."
    tolerates = _tolerates(workload)
    if tolerates is None:
        return Fail(
            workload.id,
            f"{few}: {service} is down until its lost node is back",
            f"{behind} It tolerates a node that is unreachable without end, so it is never moved.",
            places(low, here),
            (replicas,),
            Severity.MEDIUM,
        )
    grace: Sourced[int] = Sourced(
        _GRACE, Source.PROVIDER_DEFAULT, here, "Kubernetes: node-monitor-grace-period is 50 s (40 s before 1.32)"
    )
    down = seconds_down(grace.value, tolerates.value)
    terms = (input_of("node_monitor_grace", grace, "s"), input_of("toleration", tolerates, "s"))
    longer = tuple(_longer(platform, workload))
    quantities = [
        replicas,
        Quantity("seconds_down_on_node_loss", down, "s", "grace + toleration", terms, (_START, *longer)),
    ]
    noticed = f"A lost node is noticed after {grace.value} s, and its pods are moved {tolerates.value:g} s later."
    severity = Severity.LOW
    if isinstance(held, Objective):
        share = burned_percent(down, held.target.value, held.days.value)
        spent = (*terms, input_of("slo_target", held.target, "%"), input_of("slo_window", held.days, "d"))
        formula = "seconds down ÷ ((1 − target) × window)"
        quantities.append(Quantity("error_budget_burned_percent", share, "%", formula, spent))
        severity = Severity.HIGH if share >= 100 else Severity.MEDIUM if share >= _MUCH else Severity.LOW
    return Fail(
        workload.id,
        f"{few}: {service} is down for at least {down:g} s when its node is lost",
        " ".join((behind, noticed, *longer)),
        places(low, here),
        tuple(quantities),
        severity,
    )


def _longer(platform: Platform, workload: Workload) -> Iterator[str]:
    """What keeps it down beyond the figure."""
    if workload.resource.kind == "StatefulSet":
        yield "A StatefulSet starts a pod again only when the old one, or its node, is deleted."
    if _holds_a_disk(platform, workload):
        yield "Its volume stays attached to the lost node for up to six minutes more."


def _holds_a_disk(platform: Platform, workload: Workload) -> bool:
    """A volume that one node at a time may mount: by a claim among the files, or one that it makes itself."""
    if find(workload.resource.body, "spec.volumeClaimTemplates"):
        return True
    names = [mapping(each, "persistentVolumeClaim").get("claimName") for each in items(workload.pod, "volumes")]
    claims = (platform.named("PersistentVolumeClaim", workload.resource.namespace, str(name)) for name in names if name)
    return any(_is_for_one(claim) for claim in claims if claim is not None)


def _is_for_one(claim: Resource) -> bool:
    modes = items(claim.body, "spec.accessModes")
    return bool(modes) and all(mode in ("ReadWriteOnce", "ReadWriteOncePod") for mode in modes)


def _tolerates(workload: Workload) -> Sourced[float] | None:
    """Seconds; None: without end, by a toleration that states none."""
    for each in items(workload.pod, "tolerations"):
        if not isinstance(each, Map) or each.get("effect") not in (None, "", "NoExecute"):
            continue
        if each.get("key") != _UNREACHABLE and not (each.get("key") is None and each.get("operator") == "Exists"):
            continue
        stated = number(each.get("tolerationSeconds"))
        if stated is None:
            return None
        return Sourced(stated, Source.FILE, workload.resource.place(each.lines["tolerationSeconds"]))
    note = "Kubernetes: pods tolerate an unreachable node for 300 s"
    return Sourced(_TOLERATES, Source.PROVIDER_DEFAULT, workload.resource.place(), note)

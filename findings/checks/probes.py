"""Section 8: traffic to pods that are not ready, and restarts that come too soon."""

from collections.abc import Iterator

from findings.checks.base import Fail, Meta, Pass, Unsure, Verdict
from findings.platform.model import Container, Platform, Workload, items, mapping, places
from findings.platform.serving import long_running
from findings.platform.units import number
from findings.platform.yaml_reader import Map
from findings.vocabulary import Category, Outcome, Severity
from platform_risk.quantities.sourced import Input, Quantity, Source

META = Meta(
    id="probes",
    seed="8",
    title="Traffic reaches pods that are not ready",
    severity=Severity.LOW,
    category=Category.OPERATIONS,
    outcome=Outcome.OUTAGE,
    means="A container that a Service sends traffic to says nothing about whether it is ready, or a liveness probe "
    "restarts it within seconds.",
    why="Without a readiness probe a pod gets requests from its first moment, at each rollout and each scale-up, and "
    "keeps them while it hangs. A hasty liveness probe restarts pods because they are busy, and so makes the rest "
    "busier.",
    not_a_problem="It answers as soon as its process runs, or a proxy beside it holds the traffic back.",
    remedy="Give it a readiness probe that asks what serving needs. Let liveness fail only for what a restart cures, "
    "and give a slow start a startup probe.",
    patch="""readinessProbe:
  httpGet: {path: /readyz, port: 8080}
  periodSeconds: 5
  failureThreshold: 3""",
    remedies=("health-probes",),
    references=(
        "https://kubernetes.io/docs/tasks/configure-pod-container/configure-liveness-readiness-startup-probes/",
    ),
)

_HASTY = 10  # seconds until a restart: shorter than a long collection of garbage or a throttled burst
_DEFAULTS = {"periodSeconds": 10, "failureThreshold": 3, "timeoutSeconds": 1}


def seconds_until_restart(period: float, failures: float) -> float:
    """Seconds that a container may fail its liveness probe: period × failures. Source: Kubernetes, configure probes."""
    return period * failures


def run(platform: Platform) -> Iterator[Verdict]:
    for workload in long_running(platform):
        if not platform.services_of(workload):
            continue
        if not workload.containers:
            reason, wanted = "its containers are not here", "the list of containers of its pods"
            yield Unsure(workload.id, reason, wanted, workload.resource.place())
            continue
        found = [*_unready(workload), *_hasty(workload)]
        yield from found
        if not found:
            yield Pass(workload.id, (workload.resource.place(),))


def _serving(workload: Workload) -> list[Container]:
    """Its containers with ports; all of them where none states one."""
    running = [each for each in workload.containers if not each.is_init]
    return [each for each in running if items(each.node, "ports")] or running


def _unready(workload: Workload) -> Iterator[Fail]:
    without = [each for each in _serving(workload) if not mapping(each.node, "readinessProbe")]
    if not without:
        return
    path = workload.resource.path
    terms = tuple(Input("container", each.name, "", Source.FILE, path, each.node.line) for each in without)
    names = ", ".join(each.name for each in without)
    yield Fail(
        workload.id,
        f"Requests reach {names} before {'it is' if len(without) == 1 else 'they are'} ready",
        "Without a readiness probe a pod counts as ready as soon as its process runs.",
        places(*(workload.resource.place(each.node.line) for each in without)),
        (Quantity("containers_without_readiness", len(without), "containers", "count", terms),),
        detail="readiness",
    )


def _hasty(workload: Workload) -> Iterator[Fail]:
    for container in workload.containers:
        probe = mapping(container.node, "livenessProbe")
        if not probe:
            continue
        terms = [_term(workload, probe, name) for name in ("periodSeconds", "failureThreshold")]
        seconds = seconds_until_restart(float(terms[0].value), float(terms[1].value))
        if seconds < _HASTY:
            yield Fail(
                workload.id,
                f"{container.name} is restarted after {seconds:g} s without an answer",
                "A pause of that length is common under load, and a restart adds to it.",
                places(workload.resource.place(container.node.lines["livenessProbe"])),
                (Quantity("seconds_until_restart", seconds, "s", "period × failures", tuple(terms)),),
                detail=f"liveness {container.name}",
            )


def _term(workload: Workload, probe: Map, name: str) -> Input:
    stated = number(probe.get(name))
    if stated is not None:
        return Input(name, stated, "s", Source.FILE, workload.resource.path, probe.lines[name])
    default = _DEFAULTS[name]
    note = f"Kubernetes: {name} defaults to {default}"
    return Input(name, default, "s", Source.PROVIDER_DEFAULT, workload.resource.path, probe.line, note)

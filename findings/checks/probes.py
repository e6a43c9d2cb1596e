"""Section 8: traffic to pods that are not ready, and restarts that come too soon."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from findings.checks.base import Fail, Meta, Pass, Unsure, Verdict
from findings.platform.model import Container, Platform, Resource, Workload, places
from findings.platform.nodes import items, mapping
from findings.platform.serving import long_running, requested_through
from findings.platform.units import number
from findings.platform.yaml_reader import Map
from findings.vocabulary import Category, Outcome, Severity
from platform_risk.quantities.sourced import Input, Place, Quantity, Source

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
_DEFAULTS = {"periodSeconds": 10, "failureThreshold": 3}


def seconds_until_restart(period: float, failures: float) -> float:
    """Seconds that a container may fail its liveness probe: period × failures. Source: Kubernetes, configure probes."""
    return period * failures


@dataclass(frozen=True)
class _Part:
    """One thing that is wrong with the probes of a workload."""

    title: str
    why: str
    places: tuple[Place, ...]
    quantity: Quantity


def run(platform: Platform) -> Iterator[Verdict]:
    for workload in long_running(platform):
        services = [each for each in requested_through(platform, workload) if _waits(each)]
        if services and not workload.containers:
            reason, wanted = "its containers are not here", "the list of containers of its pods"
            yield Unsure(workload.id, reason, wanted, workload.resource.place())
            continue
        among = _doubtful(services, workload)
        if among:
            asked, wanted = f"which of {len(among)} containers", "containerPort of the one that the Service reaches"
            yield Unsure(workload.id, f"{asked} its Service reaches, no port says", wanted, workload.resource.place())
            services = []
        found = [*(_unready(services, workload) if services else ()), *_hasty(workload)]
        if found:
            yield _fail(workload, found)
        elif services:
            yield Pass(workload.id, (workload.resource.place(),))


def _waits(service: Resource) -> bool:
    """Whether it sends nothing to a pod that is not ready."""
    return mapping(service.body, "spec").get("publishNotReadyAddresses") is not True


def _fail(workload: Workload, found: list[_Part]) -> Fail:
    """One for each workload, whatever is wrong with its probes."""
    first, *others = (each.title for each in found)
    title = first + "".join(f"; {each}" for each in others[:1]) + (" …" if others[1:] else "")
    return Fail(
        workload.id,
        title,
        " ".join(each.why for each in found),
        places(*(place for each in found for place in each.places)),
        tuple({each.quantity.name: each.quantity for each in reversed(found)}.values())[::-1],
        detail="readiness",  # as its findings have been called from the beginning
    )


def _running(workload: Workload) -> list[Container]:
    """Those that stay: a sidecar is an init container that is always restarted."""
    return [each for each in workload.containers if not each.is_init or each.node.get("restartPolicy") == "Always"]


def _serving(services: list[Resource], workload: Workload) -> list[Container]:
    """The containers whose ports the Services name; those with ports where none is named; else all of them."""
    running = _running(workload)
    return _asked(services, running) or [each for each in running if items(each.node, "ports")] or running


def _asked(services: list[Resource], running: list[Container]) -> list[Container]:
    asked = {
        str(each.get("targetPort", each.get("port")))
        for service in services
        for each in items(service.body, "spec.ports")
        if isinstance(each, Map)
    }
    return [each for each in running if asked & set(_ports(each))]


def _doubtful(services: list[Resource], workload: Workload) -> list[Container]:
    """Containers of which one may be what the Services reach, where none has such a port and some have no probe."""
    found = _to_be_ready(services, workload)
    if not services or len(found) < 2 or _asked(services, found) or all(_has_probe(each) for each in found):
        return []
    return found


def _to_be_ready(services: list[Resource], workload: Workload) -> list[Container]:
    """A pod is ready when all of it is: a proxy needs no probe of its own where what it stands before has one."""
    found = _serving(services, workload)
    if not any(_has_probe(each) for each in _running(workload)):
        return found
    return [each for each in found if _has_probe(each) or not _PROXY.search(each.image.value if each.image else "")]


def _ports(container: Container) -> Iterator[str]:
    for each in items(container.node, "ports"):
        if isinstance(each, Map):
            yield from (str(each[key]) for key in ("containerPort", "name") if key in each)


def _has_probe(container: Container) -> bool:
    return bool(mapping(container.node, "readinessProbe"))


def _unready(services: list[Resource], workload: Workload) -> Iterator[_Part]:
    without = [each for each in _to_be_ready(services, workload) if not _has_probe(each)]
    starting = [each for each in without if mapping(each.node, "startupProbe")]
    never = [each for each in without if each not in starting]
    if never:
        it = "it is" if len(never) == 1 else "they are"
        yield _of(workload, never, f"Requests reach {_names(never)} before {it} ready", _AT_ONCE)
    if starting:
        it = "it does" if len(starting) == 1 else "they do"
        yield _of(
            workload, starting, f"Requests keep coming to {_names(starting)} while {it} not answer", _ONLY_AT_START
        )


_AT_ONCE = "Without a readiness probe a pod counts as ready as soon as its process runs."
_ONLY_AT_START = "Its startup probe asks until it has started; without a readiness probe nothing asks afterwards."
_PROXY = re.compile(
    r"(?:^|/)(?:kube-rbac-proxy|oauth2-proxy|proxyv2|proxy-init|envoy|linkerd2?-proxy|proxy)(?:[:@]|\Z)"
)


def _names(containers: list[Container]) -> str:
    return ", ".join(each.name for each in containers)


def _of(workload: Workload, without: list[Container], title: str, why: str) -> _Part:
    resource = workload.resource
    terms = tuple(Input("container", each.name, "", Source.FILE, resource.path, each.node.line) for each in without)
    counted = Quantity("containers_without_readiness", len(without), "containers", "count", terms)
    return _Part(title, why, tuple(resource.place(each.node.line) for each in without), counted)


def _hasty(workload: Workload) -> Iterator[_Part]:
    """The hastiest of its containers."""
    found: list[tuple[float, str, Map, tuple[Input, ...]]] = []
    for container in workload.containers:
        probe = mapping(container.node, "livenessProbe")
        if not probe:
            continue
        terms = tuple(_term(workload, probe, name) for name in ("periodSeconds", "failureThreshold"))
        seconds = seconds_until_restart(float(terms[0].value), float(terms[1].value))
        if seconds < _HASTY:
            found.append((seconds, container.name, container.node, terms))
    if not found:
        return
    seconds, name, _, terms = min(found, key=lambda each: each[0])
    others = f", and {len(found) - 1} more within {_HASTY} s" if len(found) > 1 else ""
    yield _Part(
        f"{name} is restarted after {seconds:g} s without an answer{others}",
        "A pause of that length is common under load, and a restart adds to it.",
        tuple(workload.resource.place(node.lines["livenessProbe"]) for _, _, node, _ in found),
        Quantity("seconds_until_restart", seconds, "s", "period × failures", terms),
    )


def _term(workload: Workload, probe: Map, name: str) -> Input:
    stated = number(probe.get(name))
    if stated is not None:
        return Input(name, stated, "s", Source.FILE, workload.resource.path, probe.lines[name])
    default = _DEFAULTS[name]
    note = f"Kubernetes: {name} defaults to {default}"
    return Input(name, default, "s", Source.PROVIDER_DEFAULT, workload.resource.path, probe.line, note)

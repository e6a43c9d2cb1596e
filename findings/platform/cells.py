"""Cells that share the traffic: their shares and capacities, as routing tables, meshes and DNS state them. PURE."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from findings.platform.config_files import ConfigFile
from findings.platform.model import Block, Platform, Resource, all_once, normal
from findings.platform.nodes import items, mapping
from findings.platform.units import stated_number
from findings.platform.yaml_reader import Map, Seq
from platform_risk.quantities.sourced import Place, Source, Sourced

_SHARES = ("capacity_percentage", "traffic_percentage", "traffic_percent", "percentage", "share", "weight")
_WEIGHT = "Gateway API: weight defaults to 1"
# Of the Gateway API.
_ROUTES = ("HTTPRoute", "GRPCRoute", "TLSRoute", "TCPRoute", "UDPRoute")
_CAPACITIES = ("max_rps", "capacity_rps", "rps", "max_requests_per_second")


@dataclass(frozen=True)
class Cell:
    name: str
    share: Sourced[float] | None  # in percent, or a weight
    capacity: Sourced[float] | None  # requests per second


@dataclass(frozen=True)
class Routing:
    """Cells between which one router, mesh route or DNS name divides its requests."""

    subject: str
    cells: tuple[Cell, ...]
    place: Place
    kind: str  # cells, mesh or dns
    host: str = ""
    detail: str = ""


@all_once
def routings(platform: Platform) -> Iterator[Routing]:
    for config in platform.configs:
        for node, line in _lists(config.root, 0) if "cells" in config.keys else ():
            made = _of_config(platform, config, node, line)
            if made is not None:
                yield made
    shifted = set(_shifted(platform))
    for resource in platform.of_kind("VirtualService", *_ROUTES):
        if (resource.namespace, resource.name) not in shifted:
            yield from _of_mesh(resource) if resource.kind == "VirtualService" else _of_gateway(resource)
    yield from _of_dns(platform)


def _lists(root: Any, depth: int) -> Iterator[tuple[Seq, int | None]]:
    if depth > 8 or not isinstance(root, Map | Seq):
        return
    if isinstance(root, Seq):
        for each in root:
            yield from _lists(each, depth + 1)
        return
    for key, value in root.items():
        if key == "cells" and isinstance(value, Seq):
            yield value, root.lines.get(key)
        else:
            yield from _lists(value, depth + 1)


def _of_config(platform: Platform, config: ConfigFile, node: Seq, line: int | None) -> Routing | None:
    found = []
    for each in node:
        if not isinstance(each, Map) or not isinstance(each.get("name"), str):
            return None
        stated = {
            normal(key): Sourced(value, Source.FILE, config.place(each.lines[key])) for key, value in each.items()
        }
        name = each["name"]
        capacity = _first(stated, _CAPACITIES) or stated_number(platform.facts.get(f"cells.{name}.capacity_rps"))
        found.append(Cell(name, _first(stated, _SHARES), capacity))
    if len(found) < 2 or not any(each.share or each.capacity for each in found):
        return None
    subject = config.resource.id if config.resource else config.path
    return Routing(subject, tuple(found), config.place(line), "cells")


def _first(stated: dict[str, Sourced[Any]], names: tuple[str, ...]) -> Sourced[float] | None:
    return next((found for name in names if (found := stated_number(stated.get(name))) is not None), None)


def _shifted(platform: Platform) -> Iterator[tuple[str, str]]:
    """Routes whose weights Argo Rollouts or Flagger change from step to step: a release on its way."""
    for rollout in platform.of_kind("Rollout"):
        routing = mapping(rollout.body, "spec.strategy.canary.trafficRouting")
        istio = mapping(routing, "istio")
        for each in (mapping(istio, "virtualService"), *items(istio, "virtualServices")):
            if isinstance(each, Map) and each.get("name"):
                yield rollout.namespace, str(each["name"])
        gateway = mapping(mapping(routing, "plugins").get("argoproj-labs/gatewayAPI"))
        for name, space in _routed_by(gateway, rollout.namespace):
            yield space, name
    for canary in platform.of_kind("Canary"):
        for dotted in ("spec.service.name", "spec.targetRef.name"):
            stated = canary.at(dotted)
            if stated is not None:
                yield canary.namespace, str(stated.value)


def _routed_by(gateway: Map, namespace: str) -> Iterator[tuple[str, str]]:
    """(name, namespace) of the routes that Argo Rollouts' plugin for the Gateway API is told of."""
    space = str(gateway.get("namespace") or namespace)
    for kind in ("http", "grpc", "tcp", "tls"):
        if gateway.get(f"{kind}Route"):
            yield str(gateway[f"{kind}Route"]), space
        yield from ((str(mapping(each).get("name")), space) for each in items(gateway, f"{kind}Routes"))


def _of_mesh(resource: Resource) -> Iterator[Routing]:
    for number, http in enumerate(items(resource.body, "spec.http")):
        found, host = [], ""
        for each in items(http, "route"):
            destination = mapping(each, "destination")
            weight = stated_number(resource.sourced(each, "weight"))
            host = str(destination.get("host") or "")
            name = str(destination.get("subset") or host)
            if weight is not None and weight.value > 0:
                found.append(Cell(name, weight, None))
        if len(found) > 1 and found[0].share is not None:
            yield Routing(resource.id, tuple(found), found[0].share.place, "mesh", host, f"route {number}")


def _of_gateway(resource: Resource) -> Iterator[Routing]:
    """Source: Gateway API, BackendRef: weight is 1 unless stated, and with 0 nothing is sent there."""
    for number, rule in enumerate(items(resource.body, "spec.rules")):
        found = []
        for each in items(rule, "backendRefs"):
            stated = resource.sourced(each, "weight")
            weight = stated_number(stated)
            if stated is None and isinstance(each, Map):
                weight = Sourced(1.0, Source.PROVIDER_DEFAULT, resource.place(each.line), _WEIGHT)
            if weight is not None and weight.value > 0:
                found.append(Cell(str(mapping(each).get("name") or ""), weight, None))
        if len(found) > 1 and found[0].share is not None:
            yield Routing(resource.id, tuple(found), found[0].share.place, "mesh", resource.name, f"route {number}")


def _of_dns(platform: Platform) -> Iterator[Routing]:
    """Weighted records of one name."""
    named: dict[tuple[str, str, str], list[tuple[Block, Cell]]] = {}
    for block in platform.terraform("aws_route53_record"):
        name, zone = block.get("name"), block.references.get("zone_id", ())
        for policy in block.inner("weighted_routing_policy"):
            weight = policy.get("weight")
            share = stated_number(weight) if isinstance(weight, Sourced) else None
            if isinstance(name, Sourced) and share is not None:
                key = (str(name.value), ",".join(zone), block.path.rpartition("/")[0])
                identifier = block.get("set_identifier")
                shown = str(identifier.value) if isinstance(identifier, Sourced) else block.labels[-1]
                named.setdefault(key, []).append((block, Cell(shown, share, None)))
    for (name_, _, _), found in named.items():
        if len(found) > 1:
            first = found[0][0]
            yield Routing(first.id, tuple(cell for _, cell in found), first.place(), "dns", name_)

"""Locality failover of a mesh: where requests go when a region fails, and whether anything tells that it does. PURE."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from findings.platform import settings
from findings.platform.model import Platform, Resource
from findings.platform.nodes import items, mapping
from findings.platform.units import stated_number
from findings.platform.yaml_reader import Map
from platform_risk.quantities.sourced import Place, Source, Sourced

_EJECTED_NOTE = "Istio: maxEjectionPercent defaults to 10"


@dataclass(frozen=True)
class Moving:
    """One policy that names other localities for the case that one fails."""

    rule: Resource
    regions: tuple[str, ...]  # those it names; () where it names labels instead
    place: Place
    ejects: bool
    most: Sourced[float]  # percent of all endpoints that may be ejected at once
    mesh: Place | None = None  # where the mesh names them, for every service that does not say otherwise


def movings(platform: Platform) -> Iterator[Moving]:
    of_mesh = mesh(platform)
    for rule in platform.of_kind("DestinationRule"):
        top = mapping(rule.body, "spec.trafficPolicy")
        subsets = [mapping(each, "trafficPolicy") for each in items(rule.body, "spec.subsets")]
        policies = [top, *subsets]
        made = next((found for policy in policies if (found := _moving(rule, policy, top)) is not None), None)
        # A rule that has a setting of its own, even to switch it off, replaces the mesh's as a whole.
        if made is None and of_mesh is not None and _is_inside(rule) and not any(_own(each) for each in policies):
            ports = [each for each in items(top, "portLevelSettings") if isinstance(each, Map)]
            outliers = (mapping(each, "outlierDetection") for each in (*policies, *ports))
            outlier = next((each for each in outliers if each), None)
            made = _made(rule, of_mesh.value, outlier, rule.place(), of_mesh.place)
        if made is not None:
            yield made


def _is_inside(rule: Resource) -> bool:
    """Whether its host is a service of the mesh, and one: what is outside is in no locality, and for many services
    other rules may say more."""
    host = str(mapping(rule.body, "spec").get("host") or "")
    return "*" not in host and (host.count(".") < 2 or ".svc" in host)


def mesh(platform: Platform) -> Sourced[Map] | None:
    """The failover that the mesh's own configuration sets; None where there are several meshes, or none says any."""
    stated = [
        *(each.at("spec.meshConfig.localityLbSetting") for each in platform.of_kind("IstioOperator")),
        *(each.at("spec.values.meshConfig.localityLbSetting") for each in platform.of_kind("Istio")),
        *(each.at("meshConfig.localityLbSetting") for each in platform.configs if "meshConfig" in each.keys),
        *(_of_config_map(each) for each in platform.of_kind("ConfigMap") if each.name.startswith("istio")),
    ]
    found = [each for each in stated if each is not None and isinstance(each.value, Map)]
    return found[0] if len(found) == 1 and _moves(found[0].value) else None


def _of_config_map(config_map: Resource) -> Sourced[Any] | None:
    """Istio's ConfigMap holds YAML under a key that does not say so."""
    text = config_map.at("data.mesh")
    if text is None or not isinstance(text.value, str):
        return None
    root = settings.parsed(text.value, "mesh.yaml", offset=text.place.line or 0)
    return config_map.sourced(root, "localityLbSetting")


def _own(policy: Map) -> Map:
    return mapping(policy, "loadBalancer.localityLbSetting")


def _moves(locality: Map) -> bool:
    return locality.get("enabled") is not False and bool(
        items(locality, "failover") or items(locality, "failoverPriority")
    )


def _moving(rule: Resource, policy: Map, top: Map) -> Moving | None:
    """A subset's policy replaces the rule's, field by field."""
    locality = _own(policy)
    if not _moves(locality):
        return None
    outlier = mapping(policy, "outlierDetection") or mapping(top, "outlierDetection")
    return _made(rule, locality, outlier, rule.place(locality.line), None)


def _made(rule: Resource, locality: Map, outlier: Map | None, place: Place, of_mesh: Place | None) -> Moving:
    pairs = [each for each in items(locality, "failover") if isinstance(each, Map)]
    regions = tuple(dict.fromkeys(str(each[key]) for each in pairs for key in ("from", "to") if each.get(key)))
    most = stated_number(rule.sourced(outlier, "maxEjectionPercent")) or Sourced(
        10, Source.PROVIDER_DEFAULT, rule.place(outlier.line or None if outlier else None), _EJECTED_NOTE
    )
    return Moving(rule, regions, place, bool(outlier), most, of_mesh)

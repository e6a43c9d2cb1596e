"""Locality failover of a mesh: where requests go when a region fails, and whether anything tells that it does. PURE."""

from collections.abc import Iterator
from dataclasses import dataclass

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


def movings(platform: Platform) -> Iterator[Moving]:
    for rule in platform.of_kind("DestinationRule"):
        top = mapping(rule.body, "spec.trafficPolicy")
        for policy in (top, *(mapping(each, "trafficPolicy") for each in items(rule.body, "spec.subsets"))):
            made = _moving(rule, policy, top)
            if made is not None:
                yield made
                break


def _moving(rule: Resource, policy: Map, top: Map) -> Moving | None:
    """A subset's policy replaces the rule's, field by field."""
    locality = mapping(policy, "loadBalancer.localityLbSetting")
    pairs = [each for each in items(locality, "failover") if isinstance(each, Map)]
    if locality.get("enabled") is False or not (pairs or items(locality, "failoverPriority")):
        return None
    regions = tuple(dict.fromkeys(str(each[key]) for each in pairs for key in ("from", "to") if each.get(key)))
    outlier = mapping(policy, "outlierDetection") or mapping(top, "outlierDetection")
    most = stated_number(rule.sourced(outlier, "maxEjectionPercent")) or Sourced(
        10, Source.PROVIDER_DEFAULT, rule.place(outlier.line or None), _EJECTED_NOTE
    )
    return Moving(rule, regions, rule.place(locality.line), bool(outlier), most)

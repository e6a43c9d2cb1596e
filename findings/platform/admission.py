"""Whether an admission policy keeps out what breaks it, or only reports that it came in. PURE.

Sources: Kyverno, failureAction and its overrides; Gatekeeper, enforcementAction; Kubernetes, validationActions of a
ValidatingAdmissionPolicyBinding; Sigstore, mode of a ClusterImagePolicy.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from findings.platform.model import Platform, Resource
from findings.platform.nodes import items, mapping
from findings.platform.yaml_reader import Map
from platform_risk.quantities.sourced import Source, Sourced

# Of Gatekeeper's points of enforcement, those where objects come in.
_AT_ADMISSION = ("validation.gatekeeper.sh", "vap.k8s.io", "*")


@dataclass(frozen=True)
class Override:
    """Another action for some namespaces."""

    namespaces: tuple[str, ...]  # patterns; () where labels choose them, which is not read
    denies: bool


@dataclass(frozen=True)
class Enforcement:
    only_reports: Sourced[str] | None = None  # what says so, as "failureAction: Audit"
    overrides: tuple[Override, ...] = ()  # the first that fits a namespace counts

    @property
    def denies(self) -> bool:
        """Wherever no override says otherwise."""
        return self.only_reports is None

    def denies_in(self, namespace: str) -> bool:
        for each in self.overrides:
            if any(fnmatchcase(namespace, pattern) for pattern in each.namespaces):
                return each.denies
        return self.denies

    @property
    def is_readable(self) -> bool:
        return all(each.namespaces or each.denies == self.denies for each in self.overrides)


DENIES = Enforcement()


def kyverno(policy: Resource, rule: Map) -> Enforcement:
    """The action of one rule of a ClusterPolicy or Policy: its own, else the policy's, which is Audit by default."""
    admission = policy.at("spec.admission")
    if admission is not None and admission.value is False:
        return Enforcement(admission.map(lambda _: "admission: false"))
    validate = mapping(rule, "validate")
    own = _overrides(items(validate, "failureActionOverrides"))
    stated = [
        action
        for each in (validate, *items(rule, "verifyImages"))
        if (action := policy.sourced(each, "failureAction")) is not None
    ]
    if stated:
        # Of several images verified by one rule, one that enforces is enough.
        audits = None if any(_enforces(each.value) for each in stated) else stated[0]
        return Enforcement(audits and audits.map(lambda value: f"failureAction: {value}"), own)
    overrides = own or _overrides(items(policy.body, "spec.validationFailureActionOverrides"))
    inherited = policy.at("spec.validationFailureAction")
    if inherited is None:
        note = "Kyverno: failureAction defaults to Audit"
        default = Sourced("failureAction: Audit", Source.PROVIDER_DEFAULT, policy.place(rule.line), note)
        return Enforcement(default, overrides)
    if _enforces(inherited.value):
        return Enforcement(None, overrides)
    return Enforcement(inherited.map(lambda value: f"validationFailureAction: {value}"), overrides)


def _enforces(action: Any) -> bool:
    return str(action).lower() == "enforce"


def _overrides(nodes: Sequence[Any]) -> tuple[Override, ...]:
    return tuple(
        Override(
            () if "namespaceSelector" in each else tuple(str(name) for name in items(each, "namespaces")),
            _enforces(each.get("action")),
        )
        for each in nodes
        if isinstance(each, Map) and ("namespaces" in each or "namespaceSelector" in each)
    )


def gatekeeper(constraint: Resource) -> Enforcement:
    """A constraint denies unless told otherwise; `scoped` by what it says for the points where objects come in."""
    action = constraint.at("spec.enforcementAction")
    if action is None or action.value == "deny":
        return DENIES
    if action.value != "scoped":
        return Enforcement(action.map(lambda value: f"enforcementAction: {value}"))
    for each in items(constraint.body, "spec.scopedEnforcementActions"):
        points = (mapping(point).get("name") for point in items(each, "enforcementPoints"))
        if mapping(each).get("action") == "deny" and any(point in _AT_ADMISSION for point in points):
            return DENIES
    return Enforcement(action.map(lambda _: "enforcementAction: scoped, and deny nowhere at admission"))


def actions(policy: Resource) -> Enforcement:
    """Kyverno's policies in CEL: they deny unless their actions leave that out."""
    return _by_actions([policy])


def bindings(platform: Platform, policy: Resource) -> Enforcement:
    """A ValidatingAdmissionPolicy of Kubernetes: what puts it into force says what follows. Where that is in no file,
    it is taken as one that denies."""
    return _by_actions(
        [
            each
            for each in platform.of_kind("ValidatingAdmissionPolicyBinding")
            if mapping(each.body, "spec").get("policyName") == policy.name
        ]
    )


def _by_actions(stating: Sequence[Resource]) -> Enforcement:
    """One that denies is enough."""
    stated = [each.at("spec.validationActions") for each in stating]
    without = [each for each in stated if each is not None and items(each.value) and "Deny" not in each.value]
    if not without or len(without) < len(stated):
        return DENIES
    return Enforcement(without[0].map(lambda value: f"validationActions: {', '.join(map(str, value))}"))


def sigstore(policy: Resource) -> Enforcement:
    """A ClusterImagePolicy enforces unless its mode is warn. OpenShift's of the same name has no mode."""
    mode = policy.at("spec.mode")
    if mode is None or mode.value != "warn":
        return DENIES
    return Enforcement(mode.map(lambda value: f"mode: {value}"))

"""What Kubernetes' RBAC objects allow whom. PURE."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from findings.platform.model import Platform, Resource
from findings.platform.nodes import items, mapping
from findings.platform.selecting import selects
from findings.platform.yaml_reader import Map
from platform_risk.quantities.sourced import Place

ROLES = ("Role", "ClusterRole")
BINDINGS = ("RoleBinding", "ClusterRoleBinding")


@dataclass(frozen=True)
class Rule:
    groups: tuple[str, ...]
    resources: tuple[str, ...]
    verbs: tuple[str, ...]
    names: tuple[str, ...] = ()  # empty: all

    def allows(self, group: str, resource: str, verbs: tuple[str, ...]) -> bool:
        """Whether it allows one of the verbs on a resource (`secrets`, `pods/exec`), whatever the names."""
        subresource = f"*/{resource.partition('/')[2]}" if "/" in resource else resource
        return (
            any(each in self.groups for each in (group, "*"))
            and any(each in self.resources for each in (resource, subresource, "*"))
            and any(each in self.verbs for each in (*verbs, "*"))
        )


@dataclass(frozen=True)
class Grant:
    """One rule that one binding gives one principal."""

    principal: str  # User alice, Group sre, ServiceAccount shop/api
    namespace: str | None  # None: every namespace
    rule: Rule
    role: str
    place: Place


@dataclass(frozen=True)
class Rights:
    grants: tuple[Grant, ...]
    unread: tuple[tuple[str, str | None], ...] = field(default=())  # (role that is not here, namespace it is bound in)


# Kubernetes, RBAC, user-facing roles: what every cluster has. `view` shows no Secrets and opens no shell.
_WORKS = Rule(("",), ("secrets", "pods/exec", "pods/attach", "pods"), ("get", "list", "watch", "create", "delete"))
_BUILT_IN = {
    "cluster-admin": (Rule(("*",), ("*",), ("*",)),),
    "admin": (_WORKS,),
    "edit": (_WORKS,),
    "view": (Rule(("",), ("pods",), ("get", "list", "watch")),),
}


def rights(platform: Platform) -> Rights:
    grants: list[Grant] = []
    unread: list[tuple[str, str | None]] = []
    for binding in platform.of_kind(*BINDINGS):
        namespace = binding.namespace if binding.kind == "RoleBinding" else None
        reference = mapping(binding.body, "roleRef")
        role = str(reference.get("name") or "")
        rules = _rules(platform, str(reference.get("kind")), role, binding.namespace)
        if rules is None:
            unread.append((role, namespace))
            continue
        for principal, line in _subjects(binding):
            grants += (Grant(principal, namespace, rule, role, binding.place(line)) for rule in rules)
    return Rights(tuple(grants), tuple(unread))


def _rules(platform: Platform, kind: str, name: str, namespace: str) -> tuple[Rule, ...] | None:
    role = platform.named(kind, namespace if kind == "Role" else "", name)
    if role is None:
        return _BUILT_IN.get(name) if kind == "ClusterRole" else None
    return tuple(_read(platform, role))


def _read(platform: Platform, role: Resource) -> Iterator[Rule]:
    for each in items(role.body, "rules"):
        yield Rule(*(tuple(str(one) for one in items(each, name)) for name in _FIELDS))
    for selector in items(role.body, "aggregationRule.clusterRoleSelectors"):
        for other in platform.of_kind("ClusterRole"):
            if other is not role and isinstance(selector, Map) and selects(selector, other.labels):
                for each in items(other.body, "rules"):
                    yield Rule(*(tuple(str(one) for one in items(each, name)) for name in _FIELDS))


_FIELDS = ("apiGroups", "resources", "verbs", "resourceNames")


def _subjects(binding: Resource) -> Iterator[tuple[str, int]]:
    for subject in items(binding.body, "subjects"):
        if not isinstance(subject, Map):
            continue
        kind, name = str(subject.get("kind")), str(subject.get("name"))
        if kind == "ServiceAccount":
            name = f"{subject.get('namespace') or binding.namespace}/{name}"
        yield f"{kind} {name}", subject.line

"""Kubernetes objects out of documents, and what runs pods out of objects. PURE."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from posixpath import join, normpath
from typing import Any

from findings.platform.config_files import ConfigFile
from findings.platform.knative import is_knative
from findings.platform.model import Autoscaler, Container, EnvVar, Resource, Workload
from findings.platform.nearness import Nearness
from findings.platform.nodes import find, items, mapping
from findings.platform.yaml_reader import Map, Seq
from platform_risk.quantities.sourced import Place, Source, Sourced, Unknown

TEMPLATES = {
    "Deployment": "spec.template", "StatefulSet": "spec.template", "DaemonSet": "spec.template",
    "ReplicaSet": "spec.template", "ReplicationController": "spec.template", "Rollout": "spec.template",
    "DeploymentConfig": "spec.template", "Job": "spec.template", "CronJob": "spec.jobTemplate.spec.template",
}  # fmt: skip
UNKNOWN_COUNT = "…"  # of pods, where Terraform makes the object and a plan alone knows it
_SELECTING = ("Deployment", "StatefulSet", "DaemonSet", "ReplicaSet")
_OWNED = ("Pod", "ReplicaSet", "ReplicationController", "Job")
KUSTOMIZATIONS = ("kustomization.yaml", "kustomization.yml", "Kustomization")
_OF_CLUSTER = ("Namespace", "ClusterRole", "ClusterRoleBinding", "PersistentVolume", "StorageClass", "PriorityClass")
_NONE: Mapping[tuple[str, str], Place] = {}
_SCALED = ("Deployment", "StatefulSet", "ReplicaSet", "ReplicationController", "Rollout", "DeploymentConfig")


def resources(root: Any, path: str) -> Iterator[Resource]:
    """Every object of a document: itself, or the items of a List."""
    if not isinstance(root, Map):
        return
    kind, api = root.get("kind"), root.get("apiVersion")
    if not isinstance(kind, str) or not isinstance(api, str):
        return
    if kind.endswith("List") and isinstance(root.get("items"), Seq):
        for item in root["items"]:
            yield from resources(item, path)
        return
    metadata = mapping(root, "metadata")
    yield Resource(
        kind, api, _text(metadata.get("namespace")), _text(metadata.get("name")) or _text(metadata.get("generateName")),
        root, path, root.line,
    )  # fmt: skip


def is_template(root: Any) -> bool:
    """An object whose name is still to be filled in: YAML reads `name: {name}` as a mapping."""
    if (
        not isinstance(root, Map)
        or not isinstance(root.get("kind"), str)
        or not isinstance(root.get("apiVersion"), str)
    ):
        return False
    metadata = mapping(root, "metadata")
    return any(isinstance(metadata.get(key), Map | Seq) for key in ("name", "namespace"))


def _text(value: Any) -> str:
    return value if isinstance(value, str) else "" if value is None else str(value)


def replicas_changed(found: Iterable[Resource], configs: Iterable[ConfigFile]) -> dict[tuple[str, str], Place]:
    """(kind, name) of what a patch or a kustomization gives another number of pods, and where; "" is any kind. Which of
    several overlays is meant, files do not say."""
    changed: dict[tuple[str, str], Place] = {}
    for resource in found:
        if resource.kind in _SCALED and is_patch(resource):
            stated = resource.at("spec.replicas")
            if stated is not None:
                changed.setdefault((resource.kind, resource.name), stated.place)
        elif resource.api.startswith("kustomize.config.k8s.io/"):
            _add_counts(resource.body, resource, changed)
    for config in configs:
        if config.path.rpartition("/")[2] in KUSTOMIZATIONS:
            _add_counts(config.root, config, changed)
    return changed


def _add_counts(root: Any, of: Resource | ConfigFile, changed: dict[tuple[str, str], Place]) -> None:
    for each in items(root, "replicas"):
        if isinstance(each, Map):
            changed.setdefault(("", _text(each.get("name"))), of.place(each.lines.get("count")))


def placed(found: Iterable[Resource], configs: Iterable[ConfigFile]) -> tuple[Resource, ...]:
    """Objects that state no namespace have that of the kustomization in their folder. It matters where others beside
    them state it; where none does, they match each other, and are left as they are."""
    resources = tuple(found)
    spaces = _spaces(resources, configs)
    stated = {(_folder(each.path), each.namespace) for each in resources}
    mixed = {space for folder, space in spaces.items() if (folder, space) in stated}
    if not mixed:
        return resources
    return tuple(
        replace(each, namespace=spaces[_folder(each.path)], is_placed=True)
        if not each.namespace and each.kind not in _OF_CLUSTER and spaces.get(_folder(each.path)) in mixed
        else each
        for each in resources
    )


def _spaces(resources: Iterable[Resource], configs: Iterable[ConfigFile]) -> dict[str, str]:
    """Folders of kustomizations with the namespace that each states, or, where it states none, the only one of the
    folders that it begins with."""
    listed = [(each.path, each.body) for each in resources]
    listed += [(each.path, each.root) for each in configs if each.resource is None and isinstance(each.root, Map)]
    roots = {_folder(path): root for path, root in listed if path.rpartition("/")[2] in KUSTOMIZATIONS}
    spaces = {folder: _text(root["namespace"]) for folder, root in roots.items() if root.get("namespace")}
    for folder in roots.keys() - spaces.keys():
        below = [normpath(join(folder, _text(each))) for each in items(roots[folder], "resources")]
        theirs = {spaces[each] for each in below if each in spaces}
        if len(theirs) == 1:
            spaces[folder] = theirs.pop()
    return spaces


def _folder(path: str) -> str:
    return path.rpartition("/")[0]


def is_patch(resource: Resource) -> bool:
    """Whether it changes an object of another file, and is none by itself: a Deployment has to have a selector."""
    if resource.kind not in _SELECTING or find(resource.body, "spec.selector") is not None:
        return False
    return not _stands_alone(mapping(resource.body, TEMPLATES[resource.kind]))


class _ConfigMaps:
    """Several environments have one of the same name: the one beside what uses it is meant."""

    def __init__(self, found: Iterable[Resource], near: Nearness) -> None:
        self._near = near
        self._named: dict[tuple[str, str], list[Resource]] = {}
        for each in found:
            if each.kind == "ConfigMap":
                self._named.setdefault((each.namespace, each.name), []).append(each)

    def used_by(self, resource: Resource, name: Any) -> Resource | None:
        found = self._named.get((resource.namespace, _text(name)))
        return self._near.beside(resource.path, found, lambda each: each.path) if found else None


def workloads(
    found: tuple[Resource, ...], near: Nearness, changed: Mapping[tuple[str, str], Place] = _NONE
) -> Iterator[Workload]:
    config_maps = _ConfigMaps(found, near)
    named = {(each.kind, each.namespace, each.name) for each in found if each.kind in TEMPLATES}
    for resource in found:
        if resource.kind in _OWNED and any(owner in named for owner in _owners(resource)):
            continue  # an export lists what a Deployment made beside it: the same pods a second time
        if resource.kind == "Pod":
            template = resource.body
        elif resource.kind in TEMPLATES or is_knative(resource):
            template = mapping(resource.body, TEMPLATES.get(resource.kind, "spec.template"))
        else:
            continue
        if not template:
            continue
        pod = mapping(template, "spec")
        containers = tuple(
            _container(resource, node, config_maps, is_init=name == "initContainers")
            for name in ("containers", "initContainers")
            for node in items(pod, name)
            if isinstance(node, Map)
        )
        elsewhere = changed.get((resource.kind, resource.name)) or changed.get(("", resource.name))
        counted = _replicas(resource)
        if elsewhere is not None and resource.kind in _SCALED and not is_patch(resource):
            counted = Unknown(
                f"{elsewhere.path} changes its replicas", "what kustomize build prints for this environment", elsewhere
            )
        yield Workload(resource, template, containers, counted)


def _stands_alone(template: Map) -> bool:
    """Whether it says what its pods run, or how they are called: somebody's short form, and no patch."""
    images = (find(each, "image") for each in items(template, "spec.containers"))
    return bool(mapping(template, "metadata.labels")) or any(image is not None for image in images)


def _owners(resource: Resource) -> Iterator[tuple[str, str, str]]:
    for each in items(resource.body, "metadata.ownerReferences"):
        if isinstance(each, Map):
            yield _text(each.get("kind")), resource.namespace, _text(each.get("name"))


def _replicas(resource: Resource) -> Sourced[int] | Unknown:
    if resource.kind not in _SCALED:
        if resource.kind == "DaemonSet":
            return Unknown("a DaemonSet runs one pod per node", "facts: nodes", resource.place())
        return Sourced(1, Source.PROVIDER_DEFAULT, resource.place(), f"a {resource.kind} runs one pod at a time")
    stated = resource.at("spec.replicas")
    if stated is None:
        return Sourced(1, Source.PROVIDER_DEFAULT, resource.place(), "Kubernetes: replicas defaults to 1")
    if isinstance(stated.value, bool) or not isinstance(stated.value, int):
        shown = "not worked out" if stated.value == UNKNOWN_COUNT else repr(stated.value)
        return Unknown(f"replicas is {shown}", "a number under spec.replicas", stated.place)
    return stated


def _container(resource: Resource, node: Map, config_maps: _ConfigMaps, *, is_init: bool) -> Container:
    env: dict[str, EnvVar] = {}
    secrets: list[EnvVar] = []
    for source in items(node, "envFrom"):
        if not isinstance(source, Map):
            continue
        prefix = _text(source.get("prefix"))
        config = config_maps.used_by(resource, mapping(source, "configMapRef").get("name"))
        if config is not None:
            data = mapping(config.body, "data")
            for key, value in data.items():
                stated = Sourced(_text(value), Source.FILE, config.place(data.lines.get(key)))
                env[prefix + key] = EnvVar(prefix + key, stated, stated.place)
        secret = mapping(source, "secretRef")
        if secret.get("name"):
            secrets.append(EnvVar(prefix, None, resource.place(secret.lines["name"]), _text(secret["name"])))
    for each in items(node, "env"):
        if isinstance(each, Map) and isinstance(each.get("name"), str):
            env[each["name"]] = _variable(resource, each, config_maps)
    return Container(_text(node.get("name")), _string(resource, node, "image"), env, tuple(secrets), node, is_init)


def _string(resource: Resource, node: Map, key: str) -> Sourced[str] | None:
    stated = resource.sourced(node, key)
    return stated.map(_text) if stated is not None else None


def _variable(resource: Resource, each: Map, config_maps: _ConfigMaps) -> EnvVar:
    name: str = each["name"]
    place = resource.place(each.lines["name"])
    secret = mapping(each, "valueFrom.secretKeyRef")
    if secret.get("name"):
        return EnvVar(name, None, resource.place(secret.lines["name"]), _text(secret["name"]), _text(secret.get("key")))
    reference = mapping(each, "valueFrom.configMapKeyRef")
    if reference:
        config = config_maps.used_by(resource, reference.get("name"))
        if config is not None:
            data = mapping(config.body, "data")
            key = _text(reference.get("key"))
            if key in data:
                return EnvVar(name, Sourced(_text(data[key]), Source.FILE, config.place(data.lines[key])), place)
        return EnvVar(name, None, place)
    stated = resource.sourced(each, "value")
    return EnvVar(name, stated.map(_text) if stated is not None else None, place)


def autoscalers(found: tuple[Resource, ...]) -> Iterator[Autoscaler]:
    for resource in found:
        if resource.kind not in ("HorizontalPodAutoscaler", "ScaledObject"):
            continue
        spec = mapping(resource.body, "spec")
        if resource.kind == "HorizontalPodAutoscaler" and "scaledobject.keda.sh/name" in resource.labels:
            continue  # an export lists what KEDA made of its ScaledObject
        if resource.kind == "HorizontalPodAutoscaler":
            target = mapping(spec, "scaleTargetRef")
            low = _count(resource, "spec.minReplicas", Sourced(
                1, Source.PROVIDER_DEFAULT, resource.place(), "Kubernetes: minReplicas defaults to 1"))  # fmt: skip
            high = _count(resource, "spec.maxReplicas", Unknown(
                "maxReplicas is not stated", "spec.maxReplicas", resource.place()))  # fmt: skip
        else:
            target = mapping(spec, "scaleTargetRef")
            low = _count(resource, "spec.minReplicaCount", Sourced(
                0, Source.PROVIDER_DEFAULT, resource.place(), "KEDA: minReplicaCount defaults to 0"))  # fmt: skip
            high = _count(resource, "spec.maxReplicaCount", Sourced(
                100, Source.PROVIDER_DEFAULT, resource.place(), "KEDA: maxReplicaCount defaults to 100"))  # fmt: skip
        kind = _text(target.get("kind")) or "Deployment"
        name = "/".join(part for part in (kind, resource.namespace, _text(target.get("name"))) if part)
        yield Autoscaler(resource, name if target.get("name") else "", low, high, resource.place(), spec)


def _count(resource: Resource, dotted: str, otherwise: Sourced[int] | Unknown) -> Sourced[int] | Unknown:
    stated = resource.at(dotted)
    if stated is None:
        return otherwise
    if isinstance(stated.value, bool) or not isinstance(stated.value, int):
        shown = "not worked out" if stated.value == UNKNOWN_COUNT else repr(stated.value)
        return Unknown(f"{dotted} is {shown}", f"a number under {dotted}", stated.place)
    return stated


def embedded(resource: Resource) -> Iterator[tuple[str, str, int]]:
    """(name, text, line) of the files that a ConfigMap or Secret holds."""
    if resource.kind not in ("ConfigMap", "Secret"):
        return
    for field in ("data", "stringData"):
        if resource.kind == "Secret" and field == "data":
            continue  # base64, and nobody's business
        data = find(resource.body, field)
        if data is None or not isinstance(data[0], Map):
            continue
        for key, value in data[0].items():
            if isinstance(value, str) and "\n" in value:
                yield key, value, data[0].lines[key]


VALUED = ("HelmRelease", "HelmChart", "HelmChartConfig", "Application")


def values_of(resource: Resource) -> Iterator[tuple[Any, int | None]]:
    """(values, line) that an object gives to a chart of Helm: a mapping, or a text of one, which begins on the line
    after. Of Flux' HelmRelease, k3s' HelmChart and Argo CD's Application."""
    if resource.kind == "HelmRelease":
        found = [find(resource.body, "spec.values")]
    elif resource.kind in ("HelmChart", "HelmChartConfig"):
        found = [find(resource.body, "spec.valuesContent")]
    elif resource.kind == "Application":
        spec = mapping(resource.body, "spec")
        sources = (mapping(spec, "source"), *items(spec, "sources"))
        found = [find(each, f"helm.{name}") for each in sources for name in ("values", "valuesObject")]
    else:
        return
    yield from (each for each in found if each is not None)

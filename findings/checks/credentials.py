"""Where credentials are written out beside ConfigMaps: environments of pods, Terraform, values of Helm. PURE."""

import re
from collections.abc import Container, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from findings.checks import written_out
from findings.platform import compose, ecs
from findings.platform.kubernetes import VALUED
from findings.platform.model import Block, Platform, Workload
from findings.platform.nodes import items, mapping
from findings.platform.settings import flat
from findings.platform.terraform import VALUES, is_default
from findings.platform.yaml_reader import Document, Map, read
from findings.vocabulary import Severity
from platform_risk.quantities.sourced import Place, Sourced, Unknown

# Whose attributes are generated, or kept where secrets belong.
_KEEPING = ("random_", "vault_", "kubernetes_secret", "aws_secretsmanager_", "azurerm_key_vault_", "google_secret_")
_CONTAINER = ("env", "environment", "environment_variable")
# values.yaml, values-prod.yaml, grafana-values.yaml, prod.values.yaml; values/prod.yaml
_VALUES = re.compile(r"[^/]*/(?:.*[-_.])?values(?:[-_.].*)?\.ya?ml|(?:helm-?)?values/.*\.ya?ml")
# application-prod.yml, appsettings.Production.json, .env.production, prod.env
_OF_PRODUCTION = re.compile(
    r"(?:.*[-_.])?(?:prod|production|live)(?:[-_.].*)?\.(?:ya?ml|json|toml|properties|env|ini|cfg|conf)"
    r"|\.env\.(?:prod|production|live)(?:\.local)?",
    re.IGNORECASE,
)
_MOST_LEVELS = 12
_MOST_LETTERS = 500  # more is a script or a document


@dataclass
class Held:
    """What one subject holds: names with their places and values. The values are nobody's business."""

    subject: str
    where: str  # within a sentence: written out in …
    why: str
    severity: Severity = Severity.HIGH
    found: dict[str, tuple[Place, str]] = field(default_factory=dict)

    def add(self, name: str, value: Any, place: Place) -> None:
        if isinstance(value, str) and len(value) <= _MOST_LETTERS and written_out.is_credential(name, value):
            self.found.setdefault(name, (place, value))

    def add_key(self, name: str, value: Any, place: Place) -> None:
        """Of an API, where such a name leaves no doubt."""
        if isinstance(value, str) and len(value) <= _MOST_LETTERS and written_out.is_key_of_api(name, value):
            self.found.setdefault(name, (place, value))


def everywhere(platform: Platform, told: Container[tuple[str, int | None]] = ()) -> Iterator[Held]:
    """In the order in which it is read, without subjects that hold none and places of which something was told."""
    of_terraform = list(_terraform(platform))
    used = {value for held in of_terraform for _, value in held.found.values()}
    found = (
        *_workloads(platform), *_compose(platform, for_production=True), *of_terraform, *_variables(platform, used),
        *_tasks(platform), *_values(platform), *_settings(platform), *_values_of_objects(platform),
        *_connectors(platform),
    )  # fmt: skip
    yield from _beyond(found, told)


def of_compose(platform: Platform, told: Container[tuple[str, int | None]], *, for_production: bool) -> Iterator[Held]:
    yield from _beyond(_compose(platform, for_production=for_production), told)


def _beyond(found: Iterable[Held], told: Container[tuple[str, int | None]]) -> Iterator[Held]:
    for held in found:
        held.found = {name: at for name, at in held.found.items() if (at[0].path, at[0].line) not in told}
        if held.found:
            yield held


def _workloads(platform: Platform) -> Iterator[Held]:
    why = "The role view reads pods and no Secrets, and whoever has the repository or its past has this file."
    of_terraform = {block.path for block in platform.blocks}  # told of the block, which knows what a caller sets
    for workload in platform.workloads:
        if workload.resource.path in of_terraform:
            continue
        held = Held(workload.id, "the environment of a pod", why)
        for name, value, place in _own_variables(workload):
            held.add(name, value, place)
        yield held


def _compose(platform: Platform, *, for_production: bool) -> Iterator[Held]:
    why = "Whoever may ask Docker has it, and whoever has the repository or its past has this file."
    for service in platform.compose_services:
        if compose.is_for_production(platform, service) is for_production:
            held = Held(service.id, "the environment of a service", why)
            for container in service.containers:
                for name, variable in container.env.items():
                    if variable.value is not None:
                        held.add(name, variable.value.value, variable.value.place)
            yield held


def _own_variables(workload: Workload) -> Iterator[tuple[str, str, Place]]:
    """Not those that a ConfigMap gives: they are told there."""
    for container in workload.containers:
        for name, variable in container.env.items():
            if variable.value is not None and variable.value.place.resource == workload.id:
                yield name, variable.value.value, variable.value.place


def _terraform(platform: Platform) -> Iterator[Held]:
    why = "Whoever has the repository or its past has this file, and the state has the value too."
    for block in platform.blocks:
        is_plan = block.path.endswith(".json") and not block.path.endswith(".tf.json")
        if block.type in ("resource", "module", "provider") and not is_plan and not block.kind.startswith(_KEEPING):
            held = Held(block.id, "Terraform", why)
            _of_block(block, held, 0)
            if block.type == "provider":
                _of_provider(block, held)
            yield held


def _of_provider(block: Block, held: Held) -> None:
    """Keys of the API that it talks to, whose names leave no doubt here."""
    for name, stated in block.attributes.items():
        if isinstance(stated, Sourced) and not is_default(stated):
            held.add_key(name, stated.value, stated.place)


def _variables(platform: Platform, told: set[str]) -> Iterator[Held]:
    """Defaults of variables, and files of values; not those that are told where they are used."""
    for block in platform.blocks:
        if block.type == "variable" and block.labels:
            why = "Whoever applies this and states no other has it, and whoever has the repository or its past."
            held = Held(block.id, "the default of a variable", why, Severity.MEDIUM)
            stated = block.get("default")
            if isinstance(stated, Sourced):
                held.add(block.labels[0], stated.value, stated.place)
                held.add_key(block.labels[0], stated.value, stated.place)
            yield held
        elif block.type == VALUES:
            held = Held(block.path, "values of Terraform", "Whoever has the repository or its past has this file.")
            for name, stated in block.attributes.items():
                if isinstance(stated, Sourced) and str(stated.value) not in told:
                    _of_attribute(name, stated.value, stated.place, held)
                    held.add_key(name, stated.value, stated.place)
            yield held


def _of_block(block: Block, held: Held, depth: int) -> None:
    name, value = block.get("name"), block.get("value")
    if block.type in _CONTAINER and isinstance(name, Sourced) and isinstance(value, Sourced):
        if not is_default(value):
            held.add(str(name.value), value.value, value.place)
        return
    for attribute, stated in block.attributes.items():
        if isinstance(stated, Sourced) and not is_default(stated):
            _of_attribute(attribute, stated.value, stated.place, held)
        if attribute == "container_definitions" and stated is not None:
            _of_containers(stated, held)
    if block.kind == "helm_release":
        _of_release(block, held)
    for inner in block.blocks if depth < _MOST_LEVELS else ():
        _of_block(inner, held, depth + 1)


def _of_release(block: Block, held: Held) -> None:
    """Values that Terraform gives to a chart: `set` as blocks, or, since its third version, as a list; and `values`,
    whose texts are YAML."""
    for each in block.inner("set"):
        name, value = each.get("name"), each.get("value")
        if isinstance(name, Sourced) and isinstance(value, Sourced) and not is_default(value):
            held.add(str(name.value), value.value, value.place)
    listed, texts = block.get("set"), block.get("values")
    for pair in listed.value if isinstance(listed, Sourced) and isinstance(listed.value, list) else ():
        if isinstance(pair, Mapping):
            held.add(str(pair.get("name")), pair.get("value"), block.place())
    for text in texts.value if isinstance(texts, Sourced) and isinstance(texts.value, list) else ():
        root = next((each.root for each in read(str(text)) if isinstance(each, Document)), None)
        for key, value, _ in flat(root) if isinstance(root, Map) else ():
            held.add(key, value, texts.place if isinstance(texts, Sourced) else block.place())


def _of_attribute(attribute: str, value: Any, place: Place, held: Held) -> None:
    """A text, or a map of names as variables of a function and the data of a ConfigMap are."""
    held.add(attribute, value, place)
    if isinstance(value, Map):
        for name, each in value.items():
            held.add(name, each, Place(place.path, value.lines.get(name) or place.line, place.resource))


def _of_containers(stated: Sourced[Any] | Unknown, held: Held) -> None:
    """Of a task of ECS."""
    for container in ecs.definitions(stated):
        for each in items(container, "environment"):
            if isinstance(each, Mapping) and "…" not in str(each.get("value")):
                held.add(str(each.get("name")), each.get("value"), stated.place)


def _tasks(platform: Platform) -> Iterator[Held]:
    """Definitions of tasks of ECS, as files of their own."""
    why = "Whoever may describe tasks, or has the repository or its past, has it."
    for config in platform.configs:
        if {"containerDefinitions", "environment"} <= config.keys:
            held = Held(config.path, "a task definition", why)
            for container in items(config.root, "containerDefinitions"):
                for each in items(container, "environment"):
                    if isinstance(each, Map) and "value" in each:
                        held.add(str(each.get("name")), each["value"], config.place(each.lines["value"]))
            yield held


def _is_values(path: str) -> bool:
    return _VALUES.fullmatch("/".join(["", *path.split("/")][-2:])) is not None


def _values(platform: Platform) -> Iterator[Held]:
    """Values beside a chart, whose values.yaml everybody has who states no others; and files that are called so, for a
    chart that is fetched from elsewhere."""
    charts = {each.path.rpartition("/")[0] for each in platform.configs if each.path.rpartition("/")[2] == "Chart.yaml"}
    for config in platform.configs:
        folder, _, name = config.path.rpartition("/")
        if config.resource is not None or not _is_values(config.path):
            continue
        held = Held(config.path, "values of Helm", "Whoever has the repository or its past has this file.")
        if name in ("values.yaml", "values.yml"):
            held.severity = Severity.MEDIUM  # may be what a chart begins with
            if folder in charts:
                held.why = f"Whoever installs the chart and states no other has these. {held.why}"
        for key, value, line in flat(config.root):
            held.add(key, value, config.place(line))
        yield held


def _settings(platform: Platform) -> Iterator[Held]:
    """Settings of an application whose file says that they are those of production; of others nobody can tell."""
    composed = {service.resource.path for service in platform.compose_services}  # told of each service
    for config in platform.configs:
        name = config.path.rpartition("/")[2]
        if config.resource is not None or config.path in composed or not _OF_PRODUCTION.fullmatch(name):
            continue
        if not _is_values(config.path) and "containerDefinitions" not in config.keys:
            held = Held(config.path, "settings of production", "Whoever has the repository or its past has this file.")
            for key, value, line in flat(config.root):
                held.add(key, value, config.place(line))
            yield held


def _values_of_objects(platform: Platform) -> Iterator[Held]:
    """Values that an object gives to a chart: of Flux' HelmRelease, k3s' HelmChart, Argo CD's Application."""
    why = "Whoever may read the object, or has the repository or its past, has it."
    for config in platform.configs:
        if config.resource is not None and config.resource.kind in VALUED:
            held = Held(config.resource.id, "values of Helm", why)
            for key, value, line in flat(config.root):
                held.add(key, value, config.place(line))
            yield held
    for resource in platform.of_kind("Application"):
        held = Held(resource.id, "values of Helm", why)
        for each in items(resource.body, "spec.source.helm.parameters"):
            if isinstance(each, Map) and "value" in each:
                held.add(str(each.get("name")), each["value"], resource.place(each.lines["value"]))
        yield held


def _connectors(platform: Platform) -> Iterator[Held]:
    """What Kafka Connect is told: the databases that its connectors read are named with their logins."""
    why = "Whoever may read the object, or has the repository or its past, has it."
    for resource in platform.of_kind("KafkaConnector", "KafkaConnect"):
        held = Held(resource.id, "what Kafka Connect is told", why)
        for key, value, line in flat(mapping(resource.body, "spec.config")):
            held.add(key, value, resource.place(line))
        yield held

"""Services of docker-compose as workloads of a runtime of their own, which no cluster schedules. PURE.

Source: Compose specification: services, merge, interpolation, env_file, deploy.
"""

import posixpath
import re
import shlex
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from findings.platform.config_files import ConfigFile
from findings.platform.model import COMPOSE, Container, EnvVar, Platform, Resource, Workload, once
from findings.platform.nodes import find, items
from findings.platform.units import stated_count
from findings.platform.yaml_reader import Map, Seq
from platform_risk.quantities.sourced import Place, Source, Sourced, Unknown

_BASES = ("compose.yaml", "compose.yml", "docker-compose.yaml", "docker-compose.yml")
_NAMED = re.compile(r"(?:docker-)?(?:compose|stack)(?:[.-][\w.-]+)?\.ya?ml\Z", re.IGNORECASE)
_OVERRIDES = tuple(name.replace(".", ".override.") for name in _BASES)
_PRODUCTION = re.compile(r"[.-]prod(?:uction)?[.-]", re.IGNORECASE)
_TOP = {"version", "name", "services", "networks", "volumes", "configs", "secrets", "include", "models"}
_STARTS = ("image", "build", "extends")
_REFERENCE = re.compile(
    r"\$(?:(?P<escaped>\$)|(?P<bare>[A-Za-z_]\w*)|\{(?P<name>[A-Za-z_]\w*)(?:(?P<how>:?[-+?])(?P<word>[^}]*))?\})"
)
_MEMORY = re.compile(r"([0-9]+(?:\.[0-9]+)?)\s*([bkmgt]?)b?\Z", re.IGNORECASE)
_UNITS = {"": 1, "b": 1, "k": 2**10, "m": 2**20, "g": 2**30, "t": 2**40}
_MOST_BASES = 8  # services that extend each other


@dataclass(frozen=True)
class Composed:
    services: tuple[Workload, ...]
    files: frozenset[int]  # identities of the files whose variables are those of services


@dataclass(frozen=True)
class _Layer:
    """What one file says of a service; later ones win."""

    config: ConfigFile
    node: Map
    line: int | None


@dataclass(frozen=True)
class _Project:
    """The files of one folder that are started together."""

    folder: str
    name: str
    layers: dict[str, list[_Layer]]
    variables: Mapping[str, Any]  # of its .env
    files: Mapping[str, ConfigFile]


def read(configs: list[ConfigFile]) -> Composed:
    files = {each.path: each for each in configs if each.resource is None}
    folders: dict[str, list[ConfigFile]] = {}
    services: list[Workload] = []
    used: set[int] = set()
    composed = [each for each in configs if is_compose(each)]
    extended = {path for config in composed for path in _extended(config)}
    for config in composed:
        folder, _, file_name = config.path.rpartition("/")
        if config.path in extended and file_name not in _BASES:
            used.add(id(config))  # nothing of it is started but by those that extend it
        else:
            folders.setdefault(folder, []).append(config)
    for folder, found in folders.items():
        project = _project(folder, found, files, used)
        services += (_workload(project, name) for name in project.layers)
    return Composed(tuple(services), frozenset(used))


def is_compose(config: ConfigFile) -> bool:
    """By its shape; what has no image is one by its file's name."""
    root = config.root
    if config.resource is not None or not isinstance(root, Map) or not isinstance(root.get("services"), Map):
        return False
    if not all(key in _TOP or key.startswith("x-") for key in root):
        return False
    nodes = list(root["services"].values())
    if not nodes or not all(isinstance(each, Map) for each in nodes):
        return False
    if _NAMED.match(config.path.rpartition("/")[2]):
        return True
    return all(any(key in each for key in _STARTS) and isinstance(each.get("image", ""), str) for each in nodes)


def _extended(config: ConfigFile) -> Iterator[str]:
    """Paths of the other files that its services extend."""
    for node in config.root["services"].values():
        stated = node.get("extends")
        path = _beside(config, stated.get("file")) if isinstance(stated, Map) and stated.get("file") else config.path
        if path != config.path:
            yield path


def _beside(config: ConfigFile, path: Any) -> str:
    return posixpath.normpath(posixpath.join(posixpath.dirname(config.path), str(path)))


def _project(folder: str, found: list[ConfigFile], files: Mapping[str, ConfigFile], used: set[int]) -> _Project:
    """The base, what is started over it, and files that state other services. Another one that states a service again
    is a variant for another occasion: it is left out."""
    together = _together(found)
    others = [each for each in found if not any(each is one for one in together)]
    layers: dict[str, list[_Layer]] = {}
    name = posixpath.basename(folder)
    for config in (*together, *others):
        services: Map = config.root["services"]
        if not any(config is one for one in together) and layers.keys() & services:
            continue
        used.add(id(config))
        name = str(config.root.get("name") or name)
        for service, node in services.items():
            layers.setdefault(service, []).append(_Layer(config, node, services.lines[service]))
    beside = files.get(posixpath.join(folder, ".env"))
    variables = beside.root if beside is not None and isinstance(beside.root, Map) else {}
    return _Project(folder, name, layers, variables, files)


def _together(found: list[ConfigFile]) -> list[ConfigFile]:
    """The base and the file for production where there is one, since that is what users get; else the override, which
    Compose takes by itself."""
    by_name = {each.path.rpartition("/")[2]: each for each in found}
    base = next((name for name in _BASES if name in by_name), "")
    if not base:
        return []
    production = [each for name, each in by_name.items() if _PRODUCTION.search(name)]
    override = [by_name[name] for name in _OVERRIDES if name in by_name]
    return [by_name[base], *(production or override)[:1]]


def _workload(project: _Project, name: str) -> Workload:
    layers = _with_bases(project, name)
    own = project.layers[name][0]
    resource = Resource(COMPOSE, "compose", project.name, name, own.node, own.config.path, own.line or own.node.line)
    service = _Service(project, resource, layers)
    container = Container(name, service.text("image"), service.env(), (), service.node())
    return Workload(resource, Map(own.node.line), (container,), service.replicas())


def _with_bases(project: _Project, name: str) -> list[_Layer]:
    """Its layers after those of the services that it extends, of the same project or of another file."""
    layers: list[_Layer] = []
    seen: set[tuple[str, str]] = set()
    own, path = project.layers.get(name, []), ""
    while own and (path, name) not in seen and len(seen) < _MOST_BASES:
        seen.add((path, name))
        layers = [*own, *layers]
        extending = next((each for each in reversed(own) if "extends" in each.node), None)
        if extending is None:
            break
        stated = extending.node["extends"]
        name = str(stated.get("service")) if isinstance(stated, Map) else str(stated or "")
        if isinstance(stated, Map) and stated.get("file"):
            path = _beside(extending.config, stated["file"])
        own = _in_file(project.files.get(path), name) if path else project.layers.get(name, [])
    return layers


def _in_file(config: ConfigFile | None, name: str) -> list[_Layer]:
    """What a file that is extended says of a service, without what overrides the file."""
    services = config.root.get("services") if config is not None and isinstance(config.root, Map) else None
    if config is None or not isinstance(services, Map) or not isinstance(services.get(name), Map):
        return []
    return [_Layer(config, services[name], services.lines[name])]


@dataclass(frozen=True)
class _Service:
    project: _Project
    resource: Resource
    layers: list[_Layer]

    def at(self, dotted: str) -> Sourced[Any] | None:
        """What the last layer that states it says, with variables put in."""
        for layer in reversed(self.layers):
            found = find(layer.node, dotted)
            if found is not None and found[0] is not None:
                return self.filled(found[0], self.place(layer, found[1]))
        return None

    def place(self, layer: _Layer, line: int | None) -> Place:
        return Place(layer.config.path, line or layer.line, self.resource.id)

    def filled(self, value: Any, place: Place) -> Sourced[Any]:
        if not isinstance(value, str) or "$" not in value:
            return Sourced(value, Source.FILE, place)
        text, note = _filled(value, self.project.variables)
        return Sourced(text, Source.FILE, place, note)

    def text(self, dotted: str) -> Sourced[str] | None:
        stated = self.at(dotted)
        return stated.map(_text) if stated is not None and not isinstance(stated.value, Map | Seq) else None

    def env(self) -> dict[str, EnvVar]:
        found: dict[str, EnvVar] = {}
        for layer in self.layers:
            for path in _paths(layer.node.get("env_file")):
                found |= self._of_file(_beside(layer.config, path))
        for layer in self.layers:
            for name, value, line in _pairs(layer.node.get("environment")):
                found[name] = self._variable(name, value, self.place(layer, line))
        return found

    def _of_file(self, path: str) -> Iterator[tuple[str, EnvVar]]:
        config = self.project.files.get(path)
        if config is not None and isinstance(config.root, Map):
            for name, value in config.root.items():
                if not isinstance(value, Map | Seq):
                    place = Place(path, config.root.lines.get(name), self.resource.id)
                    yield name, EnvVar(name, Sourced(_text(value), Source.FILE, place), place)

    def _variable(self, name: str, value: Any, place: Place) -> EnvVar:
        if value is None:  # taken over from whoever starts it
            value = f"${{{name}}}"
        text = _text(value)
        stated = self.filled(text, place)
        whole = _REFERENCE.fullmatch(text) if stated.value == text else None
        if whole is not None:  # one reference, to what is set nowhere
            return EnvVar(name, None, place, whole["bare"] or whole["name"], name)
        return EnvVar(name, stated.map(_text), place)

    def replicas(self) -> Sourced[int] | Unknown:
        here = self.resource.place()
        mode = self.at("deploy.mode")
        if mode is not None and mode.value == "global":
            wanted = f"facts: services.{self.resource.name}.max_pods"
            return Unknown("a global service runs one container per node", wanted, mode.place)
        stated = self.at("deploy.replicas") or self.at("scale")
        if stated is None:
            note = "Compose: one container unless told otherwise"
            return Sourced(1, Source.PROVIDER_DEFAULT, here, note)
        return stated_count(stated) or Unknown(
            f"replicas is {stated.value!r}", "a number under deploy.replicas", stated.place
        )

    def node(self) -> Map:
        """What Kubernetes would call its container: command, args, resources; and what it is built from."""
        made = Map(self.resource.line)
        self._put(made, "command", self._words("entrypoint"))
        self._put(made, "args", self._words("command"))
        limits, requests = Map(made.line), Map(made.line)
        self._put(limits, "cpu", self.at("deploy.resources.limits.cpus") or self.at("cpus"))
        self._put(limits, "memory", _bytes(self.at("deploy.resources.limits.memory") or self.at("mem_limit")))
        self._put(requests, "cpu", self.at("deploy.resources.reservations.cpus"))
        resources = Map(made.line)
        for key, inner in (("limits", limits), ("requests", requests)):
            if inner:
                resources[key] = inner
                resources.lines[key] = made.line
        if resources:
            made["resources"] = resources
            made.lines["resources"] = made.line
        made["dockerfile"] = self._dockerfile()
        made.lines["dockerfile"] = made.line
        return made

    def _put(self, into: Map, key: str, stated: Sourced[Any] | None) -> None:
        if stated is not None:
            into[key] = stated.value
            # A line of another file would be told as one of this.
            own = stated.place.path == self.resource.path
            into.lines[key] = (stated.place.line if own else None) or into.line

    def _words(self, name: str) -> Sourced[Seq] | None:
        stated = self.at(name)
        if stated is None:
            return None
        made = Seq(stated.place.line or 1)
        if isinstance(stated.value, Seq):
            made.extend(_text(self.filled(each, stated.place).value) for each in stated.value)
        else:
            made.extend(_split(_text(stated.value)))
        made.lines = [made.line] * len(made)
        return stated.map(lambda _: made)

    def _dockerfile(self) -> str:
        """The path of what it is built from; "" where it is given as an image."""
        build = self.at("build")
        if build is None:
            return ""
        stated = build.value if isinstance(build.value, Map) else {"context": build.value}
        context = posixpath.join(self.project.folder, _text(stated.get("context") or "."))
        return posixpath.normpath(posixpath.join(context, _text(stated.get("dockerfile") or "Dockerfile")))


def _filled(text: str, variables: Mapping[str, Any]) -> tuple[str, str]:
    """A text with its variables put in, and a note when a default was taken. What is set nowhere stays as written."""
    notes: list[str] = []

    def value(found: re.Match[str]) -> str:
        if found["escaped"]:
            return "$"
        name, how, word = found["bare"] or found["name"], found["how"] or "", found["word"] or ""
        stated = variables.get(name)
        if stated is not None and (stated != "" or ":" not in how):
            return word if how.endswith("+") else _text(stated)
        if how.endswith("-"):
            notes.append(f"the default of {name}; whoever starts it may set another")
            return word
        return "" if how.endswith("+") else found[0]

    filled = _REFERENCE.sub(value, text)
    return filled, "; ".join(dict.fromkeys(notes))


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else "" if value is None else str(value)


def _split(text: str) -> list[str]:
    try:
        return shlex.split(text)
    except ValueError:
        return text.split()


def _pairs(node: Any) -> Iterator[tuple[str, Any, int | None]]:
    """(name, value, line) of an environment, as a mapping or as a list of NAME=value."""
    if isinstance(node, Map):
        for name, value in node.items():
            if not isinstance(value, Map | Seq):
                yield name, value, node.lines[name]
    elif isinstance(node, Seq):
        for each, line in zip(node, node.lines, strict=True):
            name, has, value = _text(each).partition("=")
            yield name, value if has else None, line


def _paths(node: Any) -> Iterable[str]:
    if isinstance(node, str):
        return [node]
    return [str(each.get("path") if isinstance(each, Map) else each) for each in items(node)]


def _bytes(stated: Sourced[Any] | None) -> Sourced[int] | None:
    """Compose counts in powers of two, whatever the case: 512m is 512 MiB."""
    found = _MEMORY.match(_text(stated.value).strip()) if stated is not None else None
    if stated is None or found is None:
        return None
    return stated.map(lambda _: int(float(found[1]) * _UNITS[found[2].lower()]))


def project_of(workload: Workload) -> str:
    """What tells the services of one project from those of another."""
    return f"{workload.resource.path.rpartition('/')[0]}#{workload.resource.namespace}"


def projects(services: Iterable[Workload]) -> dict[str, list[Workload]]:
    found: dict[str, list[Workload]] = {}
    for service in services:
        found.setdefault(project_of(service), []).append(service)
    return found


def is_for_production(platform: Platform, service: Workload) -> bool:
    """Whether a file for production starts it: its own, or one over the base. A profile has to be asked for."""
    folder, _, name = service.resource.path.rpartition("/")
    if "profiles" in service.resource.body:
        return False
    if name not in _BASES:
        return _PRODUCTION.search(name) is not None
    return folder in _over_bases(platform)


@once
def _over_bases(platform: Platform) -> frozenset[str]:
    """Folders with a file for production."""
    named = (each.path.rpartition("/") for each in platform.configs if is_compose(each))
    return frozenset(folder for folder, _, name in named if _PRODUCTION.search(name))

"""What was read, as one immutable model. Checks see nothing else. PURE."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property, lru_cache, wraps
from typing import Any, TypeVar

from findings.platform.comments import Comment
from findings.platform.config_files import ConfigFile
from findings.platform.files import Skipped
from findings.platform.nearness import ELSEWHERE, Nearness
from findings.platform.nodes import find, items, mapping
from findings.platform.selecting import selects
from findings.platform.yaml_reader import Map, Seq
from platform_risk.quantities.records import record
from platform_risk.quantities.sourced import Facts, Place, Source, Sourced, Unknown


@record(frozen=True)
class Resource:
    """One Kubernetes object, or anything else of the shape apiVersion, kind, metadata, spec."""

    kind: str
    api: str
    namespace: str
    name: str
    body: Map
    path: str
    line: int
    is_placed: bool = False  # its namespace is Kustomize's, and no part of what it is called

    @cached_property
    def id(self) -> str:
        return "/".join(filter(None, (self.kind, "" if self.is_placed else self.namespace, self.name)))

    @cached_property
    def key(self) -> str:
        """What objects that refer to it by kind, namespace and name mean."""
        return "/".join(filter(None, (self.kind, self.namespace, self.name)))

    def place(self, line: int | None = None) -> Place:
        return Place(self.path, line or self.line, self.id)

    def at(self, dotted: str) -> Sourced[Any] | None:
        """What stands at a path; None when nothing does, or null."""
        found = find(self.body, dotted)
        if found is None or found[0] is None:
            return None
        return Sourced(found[0], Source.FILE, self.place(found[1]))

    def sourced(self, node: Any, dotted: str) -> Sourced[Any] | None:
        """The same below one of its nodes."""
        found = find(node, dotted)
        if found is None or found[0] is None:
            return None
        return Sourced(found[0], Source.FILE, self.place(found[1]))

    @property
    def labels(self) -> Mapping[str, Any]:
        return mapping(self.body, "metadata.labels")

    @property
    def annotations(self) -> Mapping[str, Any]:
        return mapping(self.body, "metadata.annotations")


@record(frozen=True, slots=True)
class EnvVar:
    """One environment variable of a container: a value, or a reference to a secret's key."""

    name: str
    value: Sourced[str] | None
    place: Place
    secret: str = ""  # name of the Secret, when it comes from one; in compose, of the variable of whoever starts it
    key: str = ""  # "" when the whole Secret is taken over (envFrom)


@dataclass(frozen=True, eq=False)
class Container:
    name: str
    image: Sourced[str] | None
    env: Mapping[str, EnvVar]
    secrets: tuple[EnvVar, ...]  # whole Secrets taken over by envFrom
    node: Map
    is_init: bool = False

    @property
    def words(self) -> list[str]:
        """command and args as written."""
        return [str(word) for word in (*items(self.node, "command"), *items(self.node, "args"))]


COMPOSE = "ComposeService"


@dataclass(frozen=True, eq=False)
class Workload:
    """What runs pods: Deployment, StatefulSet, DaemonSet, Job, CronJob, Pod, ReplicaSet, Rollout; or the containers of
    a service of docker-compose, which is of the kind COMPOSE and has no pod."""

    resource: Resource
    template: Map  # metadata and spec of its pods
    containers: tuple[Container, ...]
    replicas: Sourced[int] | Unknown

    @cached_property
    def id(self) -> str:
        return self.resource.id

    @property
    def is_compose(self) -> bool:
        return self.resource.kind == COMPOSE

    @cached_property
    def pod(self) -> Map:
        return mapping(self.template, "spec")

    @cached_property
    def labels(self) -> Mapping[str, Any]:
        return mapping(self.template, "metadata.labels")

    @property
    def annotations(self) -> Mapping[str, Any]:
        return mapping(self.template, "metadata.annotations")

    @property
    def service_account(self) -> str:
        return str(self.pod.get("serviceAccountName") or self.pod.get("serviceAccount") or "default")


@record(frozen=True, slots=True)
class Autoscaler:
    """A HorizontalPodAutoscaler, a KEDA ScaledObject, or a policy of the same meaning in another file."""

    resource: Resource | None
    target: str  # key of the workload, or ""
    minimum: Sourced[int] | Unknown
    maximum: Sourced[int] | Unknown
    place: Place
    node: Map  # its spec


@record(frozen=True, slots=True)
class Block:
    """One Terraform block. Attributes whose value cannot be told from the files are Unknown."""

    type: str  # resource, data, variable, module …
    labels: tuple[str, ...]
    attributes: Mapping[str, "Sourced[Any] | Unknown"]
    blocks: tuple["Block", ...]
    path: str
    line: int
    # Where it is not type and name alone: module.db.aws_db_instance.main["a"]; with the folder of its root module where
    # another root has the same: module.db.aws_db_instance.main (live:prod).
    address: str = ""
    references: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # attribute → aws_rds_cluster.main, …
    written: frozenset[str] = frozenset()  # attributes that stand there, those that are null too
    root: str = ""  # the folder of the module that is applied
    module: str = ""  # in it, the module that this is of: module.db

    @property
    def id(self) -> str:
        if self.address:
            return self.address
        return ".".join(self.labels) if self.type == "resource" else ".".join((self.type, *self.labels))

    @property
    def kind(self) -> str:
        """aws_db_instance, for a resource."""
        return self.labels[0] if self.type == "resource" and self.labels else self.type

    @property
    def folder(self) -> str:
        """Where its module is: what is referred to stands there."""
        return self.path.rpartition("/")[0]

    def place(self) -> Place:
        return Place(self.path, self.line, self.id)

    def get(self, name: str) -> "Sourced[Any] | Unknown | None":
        return self.attributes.get(name)

    @property
    def own_address(self) -> str:
        """Within its root module, without an index."""
        own = self.labels if self.type == "resource" else (self.type, *self.labels)
        return ".".join((self.module, *own) if self.module else own)

    def refers_to(self, other: "Block", *attributes: str) -> bool:
        """Whether one of these attributes names another block of the same module; each instance has its own."""
        if (self.root, self.module, self.folder) != (other.root, other.module, other.folder):
            return False
        name = ".".join(other.labels if other.type == "resource" else (other.type, *other.labels))
        return any(name in self.references.get(attribute, ()) for attribute in attributes)

    def inner(self, type_: str) -> list["Block"]:
        return [block for block in self.blocks if block.type == type_]


@record(frozen=True, slots=True)
class Setting:
    """One application setting, wherever it stands: environment, configuration file, ConfigMap, default in code."""

    key: str  # as written, levels joined by dots: kafka.producer.acks
    value: Sourced[Any]
    scope: str  # id of the workload or resource, else the file's path
    name: str = field(init=False, repr=False, compare=False)  # for comparing: kafka_producer_acks, however it is spelt

    def __post_init__(self) -> None:
        object.__setattr__(self, "name", normal(self.key))


_BOUNDARY = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_NOT_WORD = re.compile(r"[^a-z0-9]+")


@lru_cache(maxsize=16_384)
def normal(key: str) -> str:
    """camelCase, kebab-case, dots and CAPITALS as one: kafka_producer_acks."""
    return _NOT_WORD.sub("_", _BOUNDARY.sub("_", key[-_LONGEST:]).lower()).strip("_")


_LONGEST = 1_000  # letters of a name: what is longer is none, and patterns are tried on it


@record(frozen=True)
class Call:
    """A call in Python source with its literal keyword arguments."""

    name: str  # dotted as written: sqlalchemy.create_engine
    arguments: Mapping[str, Sourced[Any]]
    place: Place
    computed: tuple[str, ...] = ()  # names of the arguments that are no literals
    owner: str = ""  # the class that it stands in
    target: str = ""  # what its result is called


@dataclass(frozen=True)
class Platform:
    resources: tuple[Resource, ...] = ()
    workloads: tuple[Workload, ...] = ()  # what a cluster schedules
    compose_services: tuple[Workload, ...] = ()  # what docker-compose starts: a check that means them asks for them
    autoscalers: tuple[Autoscaler, ...] = ()
    blocks: tuple[Block, ...] = ()
    configs: tuple[ConfigFile, ...] = ()
    settings: tuple[Setting, ...] = ()
    calls: tuple[Call, ...] = ()
    facts: Facts = field(default_factory=Facts)
    files_read: tuple[str, ...] = ()
    near: Nearness = field(default_factory=Nearness, repr=False, compare=False)  # of the files that were read
    skipped: tuple[Skipped, ...] = ()
    comments: tuple[Comment, ...] = ()  # that ask for a check to be ignored
    # Alert rules of other imports, as they are kept (checks.kept): they may watch what is described here.
    elsewhere: tuple[Mapping[str, Any], ...] = ()
    derived: dict[Any, Any] = field(default_factory=dict, init=False, repr=False, compare=False)

    @cached_property
    def running(self) -> tuple[Workload, ...]:
        """What a cluster schedules, and what docker-compose starts. For checks of what a process does, wherever it
        runs; those of what a cluster schedules ask for `workloads`."""
        return (*self.workloads, *self.compose_services)

    @cached_property
    def _by_kind(self) -> dict[str, list[Resource]]:
        found: dict[str, list[Resource]] = {}
        for resource in self.resources:
            found.setdefault(resource.kind, []).append(resource)
        return found

    def of_kind(self, *kinds: str) -> list[Resource]:
        return [resource for kind in kinds for resource in self._by_kind.get(kind, [])]

    @cached_property
    def _by_namespace(self) -> dict[tuple[str, str], list[Resource]]:
        found: dict[tuple[str, str], list[Resource]] = {}
        for resource in self.resources:
            found.setdefault((resource.kind, resource.namespace), []).append(resource)
        return found

    def in_namespace(self, kind: str, namespace: str) -> list[Resource]:
        return self._by_namespace.get((kind, namespace), [])

    @cached_property
    def _by_name(self) -> dict[tuple[str, str, str], Resource]:
        return {(each.kind, each.namespace, each.name): each for each in reversed(self.resources)}

    def named(self, kind: str, namespace: str, name: str) -> Resource | None:
        return self._by_name.get((kind, namespace, name))

    @cached_property
    def _by_selector(self) -> dict[tuple[str, str, Any], list[Resource]]:
        """Services by the first label that they select."""
        found: dict[tuple[str, str, Any], list[Resource]] = {}
        for service in self.of_kind("Service"):
            for key, value in mapping(service.body, "spec.selector").items():
                if not isinstance(value, Map | Seq):
                    found.setdefault((service.namespace, key, value), []).append(service)
                break
        return found

    def services_of(self, workload: Workload) -> list[Resource]:
        """The Services that send traffic to its pods."""
        return self._serving.get(workload, [])

    @cached_property
    def _serving(self) -> dict[Workload, list[Resource]]:
        return {workload: self._services_of(workload) for workload in self.workloads}

    def _services_of(self, workload: Workload) -> list[Resource]:
        labels = {key: value for key, value in workload.labels.items() if not isinstance(value, Map | Seq)}
        return [
            service
            for key, value in labels.items()
            for service in self._by_selector.get((workload.resource.namespace, key, value), [])
            if all(labels.get(name) == wanted for name, wanted in mapping(service.body, "spec.selector").items())
        ]

    @cached_property
    def _by_label(self) -> dict[tuple[str, str, Any], list[Workload]]:
        """Workloads by each of their pods' labels."""
        found: dict[tuple[str, str, Any], list[Workload]] = {}
        for workload in self.workloads:
            for key, value in workload.labels.items():
                if not isinstance(value, Map | Seq):
                    found.setdefault((workload.resource.namespace, key, value), []).append(workload)
        return found

    def selected(self, selector: Mapping[str, Any], namespace: str) -> list[Workload]:
        """The workloads of a namespace whose pods a label selector selects, in the order in which they were read."""
        wanted = selector.get("matchLabels", {} if "matchExpressions" in selector else selector)
        for key, value in wanted.items() if isinstance(wanted, Mapping) else ():
            if value is not None and not isinstance(value, Map | Seq):
                near = self._by_label.get((namespace, key, value), [])
                return [each for each in near if selects(selector, each.labels)]
        here = (each for each in self.workloads if each.resource.namespace == namespace)
        return [each for each in here if selects(selector, each.labels)]

    @cached_property
    def _by_block(self) -> dict[str, list[Block]]:
        found: dict[str, list[Block]] = {}
        for block in self.blocks:
            if block.type == "resource":
                found.setdefault(block.kind, []).append(block)
        return found

    def terraform(self, *kinds: str) -> list[Block]:
        return [block for kind in kinds for block in self._by_block.get(kind, [])]

    def autoscaler_of(self, workload: Workload) -> Autoscaler | None:
        if workload not in self._scaled_by:
            found = self._by_target.get(workload.resource.key)
            near = self.near.beside(workload.resource.path, found, lambda each: each.place.path) if found else None
            self._scaled_by[workload] = near
        return self._scaled_by[workload]

    @cached_property
    def _scaled_by(self) -> dict[Workload, Autoscaler | None]:
        """What was found so far: a dozen checks ask of every workload."""
        return {}

    def autoscalers_of(self, workload: Workload) -> list[Autoscaler]:
        """All that scale it, where it stands: those of the folders of another environment are of another cluster."""
        found = [each for each in self._by_target.get(workload.resource.key, []) if each.resource is not None]
        if len(found) < 2:
            return found
        near = {each.place.path: self.near.shared_folders(workload.resource.path, each.place.path) for each in found}
        most = max(near.values(), default=ELSEWHERE)
        return [each for each in found if near[each.place.path] == most != ELSEWHERE]

    @cached_property
    def _by_target(self) -> dict[str, list[Autoscaler]]:
        found: dict[str, list[Autoscaler]] = {}
        for each in self.autoscalers:
            found.setdefault(each.target, []).append(each)
        return found

    @cached_property
    def _by_scope(self) -> dict[str, list[Setting]]:
        found: dict[str, list[Setting]] = {}
        for setting in self.settings:
            found.setdefault(setting.scope, []).append(setting)
        return found

    def settings_of(self, scope: str) -> list[Setting]:
        return self._by_scope.get(scope, [])

    @cached_property
    def loose_settings(self) -> dict[str, list[Setting]]:
        """Settings of no workload, by where they stand: configuration files, ConfigMaps, code."""
        ids = {workload.id for workload in self.running}
        return {scope: found for scope, found in self._by_scope.items() if scope not in ids}

    def settings_by_name(self, workload: Workload) -> list[Setting]:
        """Of the file that gives its application the workload's name, as Spring Boot's do."""
        return self._by_application.get(workload.resource.name, [])

    @cached_property
    def _by_application(self) -> dict[str, list[Setting]]:
        """A name that several files give is nobody's: which of them an image brings is not told."""
        found: dict[str, list[list[Setting]]] = {}
        for number in self._by_setting.get("spring_application_name", ()):
            named = self.settings[number]
            if named.scope in self.loose_settings and isinstance(named.value.value, str):
                found.setdefault(named.value.value, []).append(self.settings_of(named.scope))
        return {name: files[0] for name, files in found.items() if len(files) == 1}

    def settings_like(self, pattern: str | re.Pattern[str], scope: str | None = None) -> Iterator[Setting]:
        """Settings whose normal name matches as a whole; of one scope when given."""
        if scope is not None:
            compiled = re.compile(pattern)
            yield from (each for each in self.settings_of(scope) if compiled.fullmatch(each.name))
            return
        numbers = [number for name in self.names_like(pattern) for number in self._by_setting[name]]
        yield from (self.settings[number] for number in sorted(numbers))

    def settings_ending(self, *endings: str) -> Iterator[Setting]:
        """Settings whose normal name is one of these, or has more words before it."""
        numbers = {number for each in endings for name in self.names_ending(each) for number in self._by_setting[name]}
        yield from (self.settings[number] for number in sorted(numbers))

    def names_like(self, pattern: str | re.Pattern[str], last_words: tuple[str, ...] = ()) -> list[str]:
        """The normal names of settings that match as a whole. `last_words`: those that all of them end with, where the
        pattern says so; only these are tried then."""
        if isinstance(pattern, str) and pattern.isidentifier():  # it is no pattern, and matches itself alone
            return [pattern] if pattern in self._by_setting else []
        compiled = re.compile(pattern)
        near = [name for word in last_words for name in self._by_last_word.get(word, ())]
        return [name for name in (near if last_words else self._by_setting) if compiled.fullmatch(name)]

    def names_ending(self, words: str) -> list[str]:
        """The normal names of settings that are these words, or have more before them."""
        near = self._by_last_word.get(words.rpartition("_")[2], [])
        return [name for name in near if name == words or name.endswith(f"_{words}")]

    @cached_property
    def _by_last_word(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for name in self._by_setting:
            found.setdefault(name.rpartition("_")[2], []).append(name)
        return found

    @cached_property
    def _by_setting(self) -> dict[str, list[int]]:
        """Where in `settings` each normal name stands: far fewer names than settings."""
        found: dict[str, list[int]] = {}
        for number, setting in enumerate(self.settings):
            found.setdefault(setting.name, []).append(number)
        return found

    def calls_of(self, *names: str) -> list[Call]:
        """Calls by the last part of their name, whatever the import."""
        return [call for call in self.calls if call.name.rpartition(".")[2] in names]


T = TypeVar("T")


def once(derive: Callable[[Platform], T]) -> Callable[[Platform], T]:
    """What is derived from a platform is derived once and kept with it: several checks ask, and it never changes."""

    @wraps(derive)
    def kept(platform: Platform) -> T:
        if derive not in platform.derived:
            platform.derived[derive] = derive(platform)
        found: T = platform.derived[derive]
        return found

    return kept


def all_once(derive: Callable[[Platform], Iterable[T]]) -> Callable[[Platform], tuple[T, ...]]:
    """The same for what is derived one by one: all of it."""

    @once
    @wraps(derive)
    def every(platform: Platform) -> tuple[T, ...]:
        return tuple(derive(platform))

    return every


def first(*candidates: "Sourced[Any] | Unknown | None") -> "Sourced[Any] | Unknown | None":
    """The first that is known; else the first that says why it is not."""
    unknown: Sourced[Any] | Unknown | None = None
    for each in candidates:
        if isinstance(each, Sourced):
            return each
        unknown = unknown or each
    return unknown


def places(*stated: "Sourced[Any] | Unknown | Place | None") -> tuple[Place, ...]:
    """Their places in files, each once."""
    found: dict[Place, None] = {}
    for each in stated:
        place = each if isinstance(each, Place) else each.place if each is not None else None
        if place is not None and place.path:
            found[place] = None
    return tuple(found)


def unique(names: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(names))

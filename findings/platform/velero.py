"""Schedules of Velero: whose volumes their backups hold, and where those lie. PURE.

Source: Velero, Schedule and Backup, file system backup, resource policies: with snapshotVolumes false no snapshot is
taken, natively or by CSI, so none is moved either; files are copied where defaultVolumesToFsBackup says so, where the
server does by default, or of the volumes that a pod's annotation names.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from typing import Any

from findings.platform.model import Platform, Resource, Workload, once
from findings.platform.nodes import items, mapping
from findings.platform.selecting import selects
from findings.platform.units import seconds
from findings.platform.yaml_reader import Map
from platform_risk.quantities.sourced import Place, Source, Sourced

_FLAGS = ("--default-volumes-to-fs-backup", "--default-volumes-to-restic")
_FILES = ("spec.template.defaultVolumesToFsBackup", "spec.template.defaultVolumesToRestic")
_SERVER = re.compile(r"/velero(?:[:@]|\Z)")
_TO_COPY = "backup.velero.io/backup-volumes"
_CLAIMS = frozenset({"persistentvolumeclaims", "persistentvolumeclaim", "pvc"})


class Copies(StrEnum):
    SNAPSHOTS = "snapshots"
    FILES = "files"
    NONE = "none"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Schedule:
    resource: Resource
    copies: Copies  # of its volumes
    place: Place  # what says so
    why: str = ""  # of unknown

    @property
    def holds_volumes(self) -> bool:
        return self.copies in (Copies.SNAPSHOTS, Copies.FILES)

    def covers(self, namespace: str) -> bool:
        return self._includes("Namespaces", frozenset({namespace}))

    @property
    def namespaces(self) -> frozenset[str]:
        """That it names, of which it may leave out some; "*" for all."""
        return self._named["Namespaces"][0]

    def leaves_out(self, platform: Platform, claim: Resource) -> str:
        """The field of its template by which it takes nothing of a volume claim in a namespace that it covers; "" where
        it takes it. What takes a pod takes the claims that it mounts."""
        for kinds in ("Resources", "NamespaceScopedResources"):
            if not self._includes(kinds, _CLAIMS):
                return f"included{kinds}" if items(self._template, f"included{kinds}") else f"excluded{kinds}"
        one = self._template.get("labelSelector")
        several = [each for each in items(self._template, "orLabelSelectors") if isinstance(each, Map)]
        selectors = [one] if isinstance(one, Map) else several
        if not selectors or any(selects(each, of) for each in selectors for of in _labels(platform, claim)):
            return ""
        return "labelSelector" if isinstance(one, Map) else "orLabelSelectors"

    @property
    def _template(self) -> Mapping[str, Any]:
        return mapping(self.resource.body, "spec.template")

    def _includes(self, what: str, names: frozenset[str]) -> bool:
        included, excluded = self._named[what]
        return names.isdisjoint(excluded) and ("*" in included or not names.isdisjoint(included))

    @cached_property
    def _named(self) -> dict[str, tuple[frozenset[str], frozenset[str]]]:
        """What its template includes and excludes, by the end of the field's name: every claim asks for it."""
        return {
            what: (
                _lower(self._template, f"included{what}") or frozenset("*"),
                _lower(self._template, f"excluded{what}"),
            )
            for what in ("Namespaces", "Resources", "NamespaceScopedResources")
        }

    @property
    def ttl(self) -> Sourced[float]:
        """Days."""
        stated = self.resource.at("spec.template.ttl")
        length = seconds(stated.value) if stated is not None else None
        if stated is not None and length:
            return stated.map(lambda _: length / 86_400)
        note = "Velero: a backup's ttl defaults to 720h"
        return Sourced(30.0, Source.PROVIDER_DEFAULT, self.resource.place(), note)


def _lower(template: Mapping[str, Any], field: str) -> frozenset[str]:
    return frozenset(str(each).lower() for each in items(template, field))


@once
def schedules(platform: Platform) -> list[Schedule]:
    by_default = _server_copies_files(platform)
    found = [each for each in platform.of_kind("Schedule") if each.api.startswith("velero.io/")]
    return [_schedule(each, by_default=by_default) for each in found]


def covering(platform: Platform, namespace: str) -> list[Schedule]:
    """The schedules that cover a namespace, in their order."""
    named = _by_namespace(platform)
    return [each for each in named.get(namespace.lower(), named.get("*", ())) if each.covers(namespace)]


@once
def _by_namespace(platform: Platform) -> dict[str, list[Schedule]]:
    """Those that name each namespace, with those that name none, which stand at "*" alone."""
    every = schedules(platform)
    names = {name for each in every for name in each.namespaces} | {"*"}
    found: dict[str, list[Schedule]] = {name: [] for name in names}
    for each in every:
        for name in names if "*" in each.namespaces else each.namespaces:
            found[name].append(each)
    return found


def _schedule(resource: Resource, *, by_default: bool | None) -> Schedule:
    files = next((stated for name in _FILES if (stated := resource.at(name)) is not None), None)
    snapshots = resource.at("spec.template.snapshotVolumes")
    if files is not None and files.value is True:
        return Schedule(resource, Copies.FILES, files.place)
    if snapshots is None or snapshots.value is not False:
        return Schedule(resource, Copies.SNAPSHOTS, resource.place())
    if resource.at("spec.template.resourcePolicy") is not None:
        return Schedule(resource, Copies.UNKNOWN, snapshots.place, "its resource policy may copy some, and is not read")
    moved = resource.at("spec.template.snapshotMoveData")
    if moved is not None and moved.value is True:
        why = "it asks for snapshots to be moved, of which it takes none"
        return Schedule(resource, Copies.UNKNOWN, snapshots.place, why)
    if files is None and by_default is None:
        why = "whether its server copies files by default is not here"
        return Schedule(resource, Copies.UNKNOWN, snapshots.place, why)
    return Schedule(resource, Copies.FILES if files is None and by_default else Copies.NONE, snapshots.place)


def _server_copies_files(platform: Platform) -> bool | None:
    """By a flag of the server or a value of its chart; None where neither is here."""
    servers = [
        container.words
        for workload in platform.workloads
        for container in workload.containers
        if container.image is not None and _SERVER.search(container.image.value) and "server" in container.words
    ]
    for words in servers:
        for word in words:
            flag, _, value = word.partition("=")
            if flag in _FLAGS:
                return value.lower() != "false"
    for name in platform.names_ending("configuration_default_volumes_to_fs_backup"):
        return any(each.value.value is True for each in platform.settings if each.name == name)
    return False if servers else None


def copied_by_annotation(platform: Platform, claim: Resource) -> bool:
    """Whether pods name the claim's volume among those whose files are to be copied."""
    for workload in _mounting(platform, claim):
        named = {name.strip() for name in str(workload.annotations.get(_TO_COPY) or "").split(",")} - {""}
        if set(_volumes_on(workload, claim)) <= named:
            return True
    return False


def _labels(platform: Platform, claim: Resource) -> Iterator[Mapping[str, Any]]:
    """Of the claim, and of the pods that mount it. Claims of a StatefulSet have the labels of its selector, too."""
    of_set = mapping(claim.body, "spec.selector.matchLabels")
    for each in items(claim.body, "spec.volumeClaimTemplates") or [claim.body]:
        yield {**mapping(each, "metadata.labels"), **of_set}
    yield from (workload.labels for workload in _mounting(platform, claim))


def _mounting(platform: Platform, claim: Resource) -> list[Workload]:
    """The workloads that have a volume by the claim; a StatefulSet's own by its templates."""
    named = _by_claim(platform).get((claim.namespace, claim.name), [])
    near = (*named, *_by_resource(platform).get(id(claim), ()))
    return [workload for workload in dict.fromkeys(near) if any(_volumes_on(workload, claim))]


@once
def _by_claim(platform: Platform) -> dict[tuple[str, Any], list[Workload]]:
    found: dict[tuple[str, Any], list[Workload]] = {}
    for workload in platform.workloads:
        for each in items(workload.pod, "volumes"):
            name = mapping(each, "persistentVolumeClaim").get("claimName")
            if isinstance(name, str):
                found.setdefault((workload.resource.namespace, name), []).append(workload)
    return found


@once
def _by_resource(platform: Platform) -> dict[int, list[Workload]]:
    found: dict[int, list[Workload]] = {}
    for workload in platform.workloads:
        found.setdefault(id(workload.resource), []).append(workload)
    return found


def _volumes_on(workload: Workload, claim: Resource) -> Iterator[str]:
    if workload.resource is claim:
        for each in items(claim.body, "spec.volumeClaimTemplates"):
            yield str(mapping(each, "metadata").get("name"))
    for each in items(workload.pod, "volumes"):
        if isinstance(each, Map) and mapping(each, "persistentVolumeClaim").get("claimName") == claim.name:
            yield str(each.get("name"))


def regions(platform: Platform, schedule: Schedule) -> int | None:
    """Regions that hold the volumes or copies of them; None where the locations do not say.

    Snapshots stay where the volumes are. Files, and snapshots that are moved, go where the backup is stored.
    """
    template = mapping(schedule.resource.body, "spec.template")
    volumes = _region(platform, "VolumeSnapshotLocation", [str(n) for n in items(template, "volumeSnapshotLocations")])
    if volumes is None or schedule.copies not in (Copies.SNAPSHOTS, Copies.FILES):
        return None
    if schedule.copies is Copies.SNAPSHOTS and template.get("snapshotMoveData") is not True:
        return 1
    stored = _region(platform, "BackupStorageLocation", [str(template.get("storageLocation") or "default")])
    return None if stored is None else len({volumes, stored})


def _region(platform: Platform, kind: str, names: list[str]) -> str | None:
    """Of the location of one of the names, else of the only one."""
    found = [each for each in platform.of_kind(kind) if each.api.startswith("velero.io/")]
    chosen = [each for each in found if each.name in names] or [
        each for each in found if mapping(each.body, "spec").get("default") is True or len(found) == 1
    ]
    region = chosen[0].at("spec.config.region") if len(chosen) == 1 else None
    return None if region is None else str(region.value)

"""Volumes: whether a schedule of Velero covers them and holds what is on them, and databases on ones that go."""

import re
from collections.abc import Iterator
from typing import Any

from findings.checks.base import Fail, Pass, Unsure, Verdict
from findings.checks.copies import Kept, Needs, judged, none_kept, numbered
from findings.platform import velero
from findings.platform.cron import longest_gap_minutes
from findings.platform.model import Platform, Resource, Workload, places
from findings.platform.nodes import items
from findings.platform.velero import Copies, Schedule
from findings.platform.yaml_reader import Map
from platform_risk.quantities.sourced import Source, Sourced


def verdicts(platform: Platform, needs: Needs) -> Iterator[Verdict]:
    yield from _velero(platform, needs)
    yield from _volumes(platform)
    yield from _fleeting(platform)


# Velero and volumes


def _velero(platform: Platform, needs: Needs) -> Iterator[Verdict]:
    claims: dict[int, list[Resource]] = {}  # of those that each schedule takes
    for claim in _claims(platform):
        for taking in _taking(platform, claim):
            claims.setdefault(id(taking), []).append(claim)
    for schedule in velero.schedules(platform):
        resource = schedule.resource
        stated = resource.at("spec.schedule")
        gap = longest_gap_minutes(str(stated.value)) if stated is not None else None
        paused = resource.at("spec.paused")
        covered = claims.get(id(schedule), [])
        if paused is not None and paused.value is True:
            off = Sourced(0.0, Source.FILE, paused.place)
            yield none_kept(resource.id, off, places(paused), "The schedule is paused: no new copy is made.",
                        "Its schedule is paused")  # fmt: skip
        elif stated is None or gap is None:
            yield Unsure(resource.id, "its schedule cannot be read", "spec.schedule", resource.place())
        elif schedule.holds_volumes or _others_hold(platform, covered):
            kept = Kept(
                resource.id, numbered(stated, gap), schedule.ttl, places(stated), velero.regions(platform, schedule),
                point_in_time=False,
            )  # fmt: skip
            yield judged(kept, needs)
        elif not covered:
            # Of a claim that is here it is told there.
            reason = f"it takes no snapshot of volumes (snapshotVolumes: false){_and(schedule.why)}"
            yield Unsure(resource.id, reason, "the volume claims of its namespaces, or facts: backups.volumes",
                         schedule.place)  # fmt: skip


def _taking(platform: Platform, claim: Resource) -> list[Schedule]:
    """The schedules that cover its namespace and do not leave it out."""
    near = velero.covering(platform, claim.namespace)
    return [schedule for schedule in near if not schedule.leaves_out(platform, claim)]


def _others_hold(platform: Platform, claims: list[Resource]) -> bool:
    """Whether volumes are copied beside the schedule: as the facts say, or as annotations do."""
    return _declared(platform) is not None or any(velero.copied_by_annotation(platform, claim) for claim in claims)


def _declared(platform: Platform) -> Sourced[Any] | None:
    """What the facts say backs volumes up, if they do not say that nothing does."""
    stated = platform.facts.get("backups.volumes")
    return stated if stated is not None and stated.value is not False else None


def _and(why: str) -> str:
    return f", and {why}" if why else ", nor does it copy their files"


def _volumes(platform: Platform) -> Iterator[Verdict]:
    """Volume claims: whether a Velero schedule covers their namespace, and holds what is on them."""
    uses_velero = bool(velero.schedules(platform)) or any(map(_has_hooks, platform.workloads))
    declared, denied = _declared(platform), platform.facts.get("backups.volumes")
    for claim in _claims(platform):
        if declared is not None:
            yield Pass(claim.id, places(declared))
            continue
        covering = _taking(platform, claim)
        passing = next(iter(velero.covering(platform, claim.namespace)), None)
        unknown = next((each for each in covering if each.copies is Copies.UNKNOWN), None)
        if any(each.holds_volumes for each in covering) or (covering and velero.copied_by_annotation(platform, claim)):
            yield Pass(claim.id, (claim.place(),))
        elif unknown is not None and denied is None:
            reason = f"{unknown.resource.id} takes no snapshot of it{_and(unknown.why)}"
            yield Unsure(claim.id, reason, "defaultVolumesToFsBackup in its template, or facts: backups.volumes",
                         unknown.place)  # fmt: skip
        elif covering:
            none = Sourced(0.0, Source.FILE, covering[0].place, "snapshotVolumes is false, and files are not copied")
            yield none_kept(claim.id, none, places(claim.place(), *(each.place for each in covering)),
                        f"{covering[0].resource.id} covers its namespace and copies objects only: the claim comes back "
                        "from it, empty.",
                        "The schedule that covers it leaves its volume out")  # fmt: skip
        elif passing is not None:
            field = passing.leaves_out(platform, claim)
            none = Sourced(0.0, Source.FILE, claim.place(), f"the schedule's {field} leaves it out")
            yield none_kept(claim.id, none, places(claim.place(), passing.resource.place()),
                        f"{passing.resource.id} covers its namespace, but its {field} leaves this claim out.",
                        "No schedule backs this volume up")  # fmt: skip
        elif uses_velero:
            none = Sourced(0.0, Source.FILE, claim.place(), "no Velero Schedule names its namespace")
            yield none_kept(claim.id, none, (claim.place(),),
                        "Velero is used here, and no Schedule covers this claim's namespace.",
                        "No schedule backs this volume up")  # fmt: skip
        elif denied is not None:
            yield none_kept(claim.id, numbered(denied, 0.0), places(claim.place(), denied),
                            "The facts say that nothing backs volumes up.",
                            "No schedule backs this volume up")  # fmt: skip
        else:
            yield Unsure(claim.id, "what backs its volume up is not here", "facts: backups.volumes", claim.place())


# Where servers of databases keep their data, by themselves and as Bitnami's images have them.
_DATA = re.compile(
    r"/var/lib/(?:postgresql|mysql|mongodb|cassandra|clickhouse|cockroach)\b|/data/db\b|/cockroach/cockroach-data\b"
    r"|/bitnami/(?:postgresql|mysql|mariadb|mongodb|cassandra)\b|/var/opt/mssql\b"
)


def _fleeting(platform: Platform) -> Iterator[Fail]:
    """Servers of databases whose data is on an emptyDir."""
    for workload in platform.workloads:
        if workload.resource.kind not in ("StatefulSet", "Deployment"):
            continue
        volumes = (each for each in items(workload.pod, "volumes") if isinstance(each, Map))
        fleeting = [each.get("name") for each in volumes if "emptyDir" in each]  # of any shape, so no set
        mounts = (each for container in workload.containers for each in items(container.node, "volumeMounts"))
        for mount in mounts if fleeting else ():
            if isinstance(mount, Map) and mount.get("name") in fleeting and _DATA.match(str(mount.get("mountPath"))):
                place = workload.resource.place(mount.lines.get("mountPath"))
                none = Sourced(0.0, Source.FILE, place, "an emptyDir is deleted with its pod")
                yield none_kept(workload.id, none, (place,),
                            f"{mount['mountPath']} is on an emptyDir: eviction, rollout or a lost node deletes it.",
                            "A database keeps its data on a volume that goes with its pod")  # fmt: skip
                break


def _claims(platform: Platform) -> list[Resource]:
    stateful = [each for each in platform.of_kind("StatefulSet") if items(each.body, "spec.volumeClaimTemplates")]
    return [*platform.of_kind("PersistentVolumeClaim"), *stateful]


def _has_hooks(workload: Workload) -> bool:
    return any("velero.io/" in str(name) for name in (*workload.annotations, *workload.resource.annotations))

"""5.2: what a loss of data costs: how old the newest copy is, how long copies are kept, and where."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from findings.checks.base import Fail, Meta, Pass, Unsure, Verdict
from findings.platform import velero
from findings.platform.cron import longest_gap_minutes
from findings.platform.managed_backups import managed_backups
from findings.platform.model import Block, Platform, Resource, Workload, places
from findings.platform.nodes import items, mapping
from findings.platform.units import number, seconds, stated_number
from findings.platform.velero import Copies, Schedule
from findings.platform.yaml_reader import Map
from findings.vocabulary import Category, Outcome, RiskClass, Severity
from platform_risk.quantities.sourced import Input, Place, Quantity, Source, Sourced, Unknown, input_of

META = Meta(
    id="backups",
    seed="5.2",
    title="Data cannot be restored",
    severity=Severity.HIGH,
    category=Category.OPERATIONS,
    outcome=Outcome.DATA_LOSS,
    means="Nothing copies this data, or its copies are gone before anybody notices that they are needed.",
    why="A wrong deletion, a bug that writes nonsense or a lost disk is then final. Replicas do not help: they repeat "
    "the deletion within milliseconds.",
    not_a_problem="The data can be made anew from elsewhere, or a backup that is configured outside these files covers "
    "it and its restore has been tried.",
    remedy="Keep backups longer than it takes to notice corruption, with recovery to a point in time, copied to a "
    "second region, and restore one on a schedule: a backup that was never restored is a hope.",
    patch="""backup_retention_period  = 14
delete_automated_backups = false""",
    analysis="It loses 24 h with a daily snapshot. Damage that is noticed 8 h later makes it 32; with recovery to "
    "a point in time 5 minutes are lost. Seven days of retention are longer than 8 hours, so there is no "
    "gap unless noticing takes longer than the retention.",
    remedies=("backup-policy",),
    references=(
        "https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_WorkingWithAutomatedBackups.html",
        "https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_PIT.html",
        "https://velero.io/docs/main/api-types/schedule/",
        "https://cloudnative-pg.io/documentation/current/backup/",
    ),
    risk_class=RiskClass.DATA_LOSS,
)

_DETECTION = "facts: backups.detection_hours"
_PITR_MINUTES = 5  # RDS and CloudNativePG ship logs at least this often
_LONG_DAYS = 7  # the console's default: below it, whether it is long enough has to be said
# Attribute, provider default in days, and who says so.
_RDS = {
    "aws_db_instance": ("backup_retention_period", 0, "AWS provider: aws_db_instance keeps no backups by default"),
    "aws_rds_cluster": ("backup_retention_period", 1, "Amazon Aurora: backups are kept 1 day by default"),
    "aws_docdb_cluster": ("backup_retention_period", 1, "Amazon DocumentDB: backups are kept 1 day by default"),
    "aws_neptune_cluster": ("backup_retention_period", 1, "Amazon Neptune: backups are kept 1 day by default"),
}
_ASSUMED = (
    "Recovery to a point in time exists whenever backups are kept at all, up to about five minutes ago: the loss of up "
    "to 24 hours that the analysis names is that of daily snapshots alone."
)

_DAILY = 24 * 60
_ZALANDO_SCHEDULE = "30 00 * * *"


def hours_at_risk(interval_hours: float, detection_hours: float, *, point_in_time: bool) -> float:
    """Hours of writes that a corruption costs: those since it began, and without recovery to a point in time also
    those since the last snapshot before it. Source: recovery point objective, interval + detection."""
    return detection_hours if point_in_time else interval_hours + detection_hours


def margin_hours(retention_days: float, detection_hours: float) -> float:
    """Hours between noticing and the loss of the last good copy: retention − detection. Not positive: too late."""
    return retention_days * 24 - detection_hours


def run(platform: Platform) -> Iterator[Verdict]:
    needs = _Needs(
        stated_number(platform.facts.get("backups.detection_hours")),
        stated_number(platform.facts.get("backups.regions")),
    )
    found: list[Verdict] = [
        *_rds(platform, needs),
        *_managed(platform, needs),
        *_dynamodb(platform),
        *_modules(platform, needs),
        *_cnpg(platform, needs),
        *_zalando(platform, needs),
        *_velero(platform, needs),
        *_volumes(platform),
        *_fleeting(platform),
    ]
    yield from found
    kept = [verdict for verdict in found if isinstance(verdict, Pass)]
    if kept:
        yield from _restored(platform, kept[0].places[0] if kept[0].places else Place())


def _restored(platform: Platform, at: Place) -> Iterator[Verdict]:
    """Whether what is kept was ever restored: a date or yes in the facts, or a plan that does so."""
    stated = platform.facts.get("backups.restore_tested")
    plans = platform.terraform("aws_backup_restore_testing_plan")
    if stated is not None and stated.value is False:
        term = input_of("restore_tested", stated, "")
        yield Fail(
            "restore test",
            "No restore was ever tried",
            "Copies are kept, and nobody knows whether and how fast they can be restored.",
            places(stated),
            (Quantity("restore_tested", 0, "", "restore_tested", (term,)),),
            Severity.MEDIUM,
        )
    elif stated is not None or plans:
        yield Pass("restore test", places(stated, *(plan.place() for plan in plans)))
    else:
        reason = "whether a restore was ever tried is not stated"
        yield Unsure("restore test", reason, "facts: backups.restore_tested", at)


@dataclass(frozen=True)
class _Needs:
    """What the platform says it needs: hours until corruption is noticed, regions that hold copies."""

    detection: Sourced[float] | None
    regions: Sourced[float] | None


@dataclass(frozen=True)
class _Kept:
    """How copies are kept. Retention None: for ever. Regions None: not known."""

    subject: str
    interval: Sourced[float]  # minutes
    retention: Sourced[float] | None  # days
    places: tuple[Place, ...]
    regions: int | None = None
    point_in_time: bool = True


def _judged(kept: _Kept, needs: _Needs) -> Verdict:
    """Kept long enough to notice and far enough apart, or not, or nobody said how long noticing takes."""
    if kept.regions is not None and needs.regions is not None and kept.regions < needs.regions.value:
        title = f"Copies are in {kept.regions} region of {needs.regions.value:g}: the loss of a region loses them all"
        return Fail(
            kept.subject, title, "No copy leaves its region.", kept.places, _figures(kept, needs), Severity.MEDIUM
        )
    if kept.retention is None:
        return Pass(kept.subject, kept.places)
    days = kept.retention.value
    if needs.detection is None:
        if days >= _LONG_DAYS:
            return Pass(kept.subject, kept.places)
        reason = f"whether {days:g} days are longer than it takes to notice corruption is not stated"
        return Unsure(kept.subject, reason, _DETECTION, kept.places[0])
    if margin_hours(days, needs.detection.value) > 0:
        return Pass(kept.subject, kept.places)
    return Fail(
        kept.subject,
        f"Copies are gone after {days:g} days, corruption is noticed after {needs.detection.value / 24:.3g}",
        "The last good copy is deleted before anybody knows that it is needed.",
        kept.places,
        _figures(kept, needs),
    )


def _figures(kept: _Kept, needs: _Needs) -> tuple[Quantity, ...]:
    interval = input_of("interval", kept.interval, "min")
    found = [Quantity("rpo_minutes", kept.interval.value, "min", "longest time between copies", (interval,))]
    if kept.retention is not None:
        retention = input_of("retention", kept.retention, "d")
        found.append(Quantity("retention_days", kept.retention.value, "d", "retention", (retention,)))
        if needs.detection is not None:
            margin = margin_hours(kept.retention.value, needs.detection.value)
            noticed = input_of("detection", needs.detection, "h")
            found.append(Quantity("margin_hours", margin, "h", "retention − detection", (retention, noticed)))
            risk = hours_at_risk(kept.interval.value / 60, needs.detection.value, point_in_time=kept.point_in_time)
            formula = "detection" if kept.point_in_time else "interval + detection"
            found.append(Quantity("hours_of_writes_at_risk", risk, "h", formula, (interval, noticed)))
    if kept.regions is not None:
        at = kept.places[0]
        elsewhere = Input("copies_elsewhere", kept.regions - 1, "regions", Source.FILE, at.path, at.line)
        found.append(Quantity("regions", kept.regions, "regions", "1 + regions that copies go to", (elsewhere,)))
    return tuple(found)


def _none(subject: str, retention: Sourced[float], at: tuple[Place, ...], why: str, title: str) -> Fail:
    term = input_of("retention", retention, "d")
    return Fail(
        subject,
        title,
        why,
        at,
        (
            Quantity("rpo_minutes", None, "min", "no copy: everything is lost", (term,), (_ASSUMED,)),
            Quantity("retention_days", 0, "d", "retention", (term,)),
        ),
    )


def _numbered(stated: Sourced[Any], value: float) -> Sourced[float]:
    return Sourced(value, stated.source, stated.place, stated.note)


# Amazon RDS and its like


def _rds(platform: Platform, needs: _Needs) -> Iterator[Verdict]:
    copied = {
        name.removeprefix("data.")
        for block in platform.terraform("aws_db_instance_automated_backups_replication")
        for names in block.references.values()
        for name in names
    }
    plans = _selected(platform)
    for kind, (attribute, default, cite) in _RDS.items():
        for block in platform.terraform(kind):
            if _is_replica(block):
                continue
            stated = _days(block, attribute, default, cite)
            name = ".".join(block.labels)
            if isinstance(stated, Unknown):
                yield Unsure(block.id, stated.reason, stated.provide, stated.place)
            elif stated.value > 0:
                interval = Sourced(float(_PITR_MINUTES), Source.PROVIDER_DEFAULT, stated.place,
                                   "Amazon RDS: restorable to about 5 minutes ago")  # fmt: skip
                at = places(stated, block.place())
                elsewhere = name in copied or "global_cluster_identifier" in block.attributes
                yield _judged(_Kept(block.id, interval, stated, at, 2 if elsewhere else 1), needs)
            elif name in plans:
                yield _planned(block, plans[name], needs)
            else:
                yield _none(block.id, stated, places(stated, block.place()),
                            "Automated backups are off, and recovery to a point in time with them.",
                            "No backups and no recovery to a point in time: retention is 0 days")  # fmt: skip


def _is_replica(block: Block) -> bool:
    """Of a server whose own backups count."""
    return "replicate_source_db" in block.attributes or "replication_source_identifier" in block.attributes


def _days(block: Block, attribute: str, default: float, cite: str) -> Sourced[float] | Unknown:
    stated = block.get(attribute)
    if stated is None:
        return Sourced(default, Source.PROVIDER_DEFAULT, block.place(), cite)
    if isinstance(stated, Unknown):
        return stated
    value = number(stated.value)
    if value is None:
        return Unknown(f"{attribute} is {stated.value!r}", f"a number of days as {attribute}", stated.place)
    return stated.map(lambda _: value)


def _selected(platform: Platform) -> dict[str, Block]:
    """What AWS Backup copies: resource → the plan that selects it by name."""
    plans = {".".join(block.labels): block for block in platform.terraform("aws_backup_plan")}
    found: dict[str, Block] = {}
    for selection in platform.terraform("aws_backup_selection"):
        plan = next((plans[name] for name in selection.references.get("plan_id", ()) if name in plans), None)
        for name in selection.references.get("resources", ()):
            if plan is not None:
                found[name] = plan
    return found


def _planned(block: Block, plan: Block, needs: _Needs) -> Verdict:
    gaps: list[Sourced[float]] = []
    retentions: list[Sourced[float]] = []
    for rule in plan.inner("rule"):
        schedule = rule.get("schedule")
        gap = longest_gap_minutes(str(schedule.value)) if isinstance(schedule, Sourced) else None
        if isinstance(schedule, Sourced) and gap is not None:
            gaps.append(_numbered(schedule, gap))
        for lifecycle in rule.inner("lifecycle"):
            days = lifecycle.get("delete_after")
            value = number(days.value) if isinstance(days, Sourced) else None
            if isinstance(days, Sourced) and value is not None:
                retentions.append(_numbered(days, value))
    if not gaps:
        return Unsure(block.id, f"the schedule of {plan.id} is not known", "schedule of its rule", plan.place())
    shortest = min(gaps, key=lambda each: each.value)
    longest = max(retentions, key=lambda each: each.value, default=None)
    kept = _Kept(block.id, shortest, longest, places(shortest, block.place()), point_in_time=False)
    return _judged(kept, needs)


def _managed(platform: Platform, needs: _Needs) -> Iterator[Verdict]:
    """Of Google and Azure."""
    for each in managed_backups(platform):
        retention = each.retention
        if isinstance(retention, Unknown):
            yield Unsure(each.subject, retention.reason, retention.provide, retention.place)
        elif retention.value > 0:
            is_continuous = each.interval.value < _DAILY
            at = (each.place,)
            yield _judged(_Kept(each.subject, each.interval, retention, at, each.regions, is_continuous), needs)
        else:
            yield _none(each.subject, retention, (each.place,), "Automated backups are off.",
                        "No backups and no recovery to a point in time")  # fmt: skip


_OFF: Sourced[float] = Sourced(
    0.0, Source.PROVIDER_DEFAULT, note="Amazon DynamoDB: no recovery to a point in time unless it is enabled"
)


def _dynamodb(platform: Platform) -> Iterator[Verdict]:
    plans = _selected(platform)
    for block in platform.terraform("aws_dynamodb_table"):
        recovery = next(iter(block.inner("point_in_time_recovery")), None)
        enabled = recovery.get("enabled") if recovery is not None else None
        if isinstance(enabled, Unknown):
            yield Unsure(block.id, enabled.reason, enabled.provide, enabled.place)
        elif (enabled is not None and enabled.value is True) or ".".join(block.labels) in plans:
            yield Pass(block.id, places(enabled, block.place()))
        else:
            off = _OFF if enabled is None else Sourced(0.0, Source.FILE, enabled.place)
            off = Sourced(off.value, off.source, off.place if off.place.path else block.place(), off.note)
            yield _none(block.id, off, places(enabled, block.place()),
                        "A table without recovery to a point in time has no copy that anybody could restore.",
                        "No recovery to a point in time")  # fmt: skip


_DATABASE_MODULE = re.compile(r"\brds\b|aurora|docdb", re.IGNORECASE)
_ENGINE = re.compile(r"aurora|postgres|mysql|mariadb|oracle-|sqlserver-|docdb|neptune")


def _modules(platform: Platform, needs: _Needs) -> Iterator[Verdict]:
    """Databases made by a module that is not among the files: what its arguments say."""
    opened = {each.id.rpartition(f".{each.kind}.")[0] for each in platform.blocks if each.type == "resource"}
    for block in platform.blocks:
        source = block.get("source")
        if block.type != "module" or not isinstance(source, Sourced) or block.id in opened or _is_replica(block):
            continue
        engine = block.get("engine")
        has_engine = isinstance(engine, Sourced) and _ENGINE.match(str(engine.value))
        if not has_engine and not _DATABASE_MODULE.search(str(source.value)):
            continue
        stated = block.get("backup_retention_period")
        days = number(stated.value) if isinstance(stated, Sourced) else None
        if isinstance(stated, Sourced) and days:
            interval = Sourced(float(_PITR_MINUTES), Source.PROVIDER_DEFAULT, stated.place,
                               "Amazon RDS: restorable to about 5 minutes ago")  # fmt: skip
            kept = _Kept(block.id, interval, _numbered(stated, days), places(stated))
            yield _judged(kept, needs)
        elif isinstance(stated, Sourced) and days == 0:
            yield _none(block.id, stated.map(float), places(stated), "Automated backups are off.",
                        "No backups and no recovery to a point in time: retention is 0 days")  # fmt: skip
        else:
            reason = stated.reason if isinstance(stated, Unknown) else "what its module keeps by default is not here"
            yield Unsure(block.id, reason, "backup_retention_period", block.place())


# CloudNativePG


def _cnpg(platform: Platform, needs: _Needs) -> Iterator[Verdict]:
    scheduled = {
        (each.namespace, str(mapping(each.body, "spec.cluster").get("name"))): each
        for each in platform.of_kind("ScheduledBackup", "Backup")
    }
    seen = set()
    for cluster in platform.of_kind("Cluster"):
        if not cluster.api.startswith("postgresql.cnpg.io/"):
            continue
        seen.add((cluster.namespace, cluster.name))
        yield _cluster(cluster, scheduled.get((cluster.namespace, cluster.name)), needs)
    for key, each in scheduled.items():
        if key not in seen and each.kind == "ScheduledBackup":
            gap = longest_gap_minutes(str(mapping(each.body, "spec").get("schedule") or ""))
            if gap is None:
                yield Unsure(each.id, "its schedule cannot be read", "spec.schedule", each.place())
            else:
                yield Pass(each.id, places(each.at("spec.schedule")))


def _cluster(cluster: Resource, scheduled: Resource | None, needs: _Needs) -> Verdict:
    backup = mapping(cluster.body, "spec.backup")
    plugins = [each for each in items(cluster.body, "spec.plugins") if "barman" in str(mapping(each).get("name"))]
    if not backup and not plugins:
        none = Sourced(
            0.0, Source.PROVIDER_DEFAULT, cluster.place(), "CloudNativePG: no backup unless spec.backup says so"
        )
        return _none(cluster.id, none, (cluster.place(),),
                     "Neither spec.backup nor a backup plugin is there: its replicas are its only copies.",
                     "No backup: a deletion is repeated by every replica")  # fmt: skip
    if scheduled is None:
        return Unsure(
            cluster.id,
            "logs are archived, but no base backup of it is here, without which they restore nothing",
            f"a ScheduledBackup of {cluster.name}",
            cluster.place(),
        )
    retention = cluster.at("spec.backup.retentionPolicy")
    length = seconds(retention.value) if retention is not None else None
    days = retention.map(lambda _: (length or 0) / 86_400) if retention is not None and length else None
    interval = Sourced(float(_PITR_MINUTES), Source.PROVIDER_DEFAULT, cluster.place(),
                       "CloudNativePG: archive_timeout is 5 minutes")  # fmt: skip
    return _judged(_Kept(cluster.id, interval, days, places(retention, cluster.place())), needs)


# Zalando's operator


_ARCHIVES = ("WAL_S3_BUCKET", "WAL_GS_BUCKET", "WALG_AZ_PREFIX", "WALE_S3_PREFIX", "WALG_S3_PREFIX", "USE_WALG_BACKUP")
_BUCKETS = ("wal_s3_bucket", "wal_gs_bucket", "wal_az_storage_account")


def _zalando(platform: Platform, needs: _Needs) -> Iterator[Verdict]:
    """Logs are archived where the operator's configuration, or the cluster's environment, names a bucket."""
    configured = next(
        (stated for each in platform.of_kind("OperatorConfiguration") for name in _BUCKETS
         if (stated := each.at(f"configuration.aws_or_gcp.{name}"))), None)  # fmt: skip
    for cluster in platform.of_kind("postgresql"):
        if not cluster.api.startswith("acid.zalan.do/"):
            continue
        own = (each for each in items(cluster.body, "spec.env") if mapping(each).get("name") in _ARCHIVES)
        archived = next(own, None)
        schedule = cluster.at("spec.logicalBackupSchedule")
        logical = cluster.at("spec.enableLogicalBackup")
        if configured is not None or archived is not None:
            yield Pass(cluster.id, places(configured, cluster.place(getattr(archived, "line", None))))
        elif logical is not None and logical.value is True:
            gap = longest_gap_minutes(str(schedule.value) if schedule is not None else _ZALANDO_SCHEDULE)
            if gap is None:
                yield Unsure(cluster.id, "its schedule cannot be read", "spec.logicalBackupSchedule", cluster.place())
                continue
            note = f"Postgres Operator: logicalBackupSchedule is {_ZALANDO_SCHEDULE} unless stated"
            interval = _numbered(schedule, gap) if schedule is not None else Sourced(
                gap, Source.PROVIDER_DEFAULT, logical.place, note)  # fmt: skip
            kept = _Kept(cluster.id, interval, None, places(logical, cluster.place()), point_in_time=False)
            yield _judged(kept, needs)
        else:
            reason = "whether the operator archives its logs is not here, and it makes no logical backup"
            yield Unsure(cluster.id, reason, "enableLogicalBackup, or the bucket in the OperatorConfiguration",
                         cluster.place())  # fmt: skip


# Velero and volumes


def _velero(platform: Platform, needs: _Needs) -> Iterator[Verdict]:
    claims = _claims(platform)
    for schedule in velero.schedules(platform):
        resource = schedule.resource
        stated = resource.at("spec.schedule")
        gap = longest_gap_minutes(str(stated.value)) if stated is not None else None
        paused = resource.at("spec.paused")
        covered = [claim for claim in claims if _takes(schedule, platform, claim)]
        if paused is not None and paused.value is True:
            off = Sourced(0.0, Source.FILE, paused.place)
            yield _none(resource.id, off, places(paused), "The schedule is paused: no new copy is made.",
                        "Its schedule is paused")  # fmt: skip
        elif stated is None or gap is None:
            yield Unsure(resource.id, "its schedule cannot be read", "spec.schedule", resource.place())
        elif schedule.holds_volumes or _others_hold(platform, covered):
            kept = _Kept(
                resource.id, _numbered(stated, gap), schedule.ttl, places(stated), velero.regions(platform, schedule),
                point_in_time=False,
            )  # fmt: skip
            yield _judged(kept, needs)
        elif not covered:
            # Of a claim that is here it is told there.
            reason = f"it takes no snapshot of volumes (snapshotVolumes: false){_and(schedule.why)}"
            yield Unsure(resource.id, reason, "the volume claims of its namespaces, or facts: backups.volumes",
                         schedule.place)  # fmt: skip


def _takes(schedule: Schedule, platform: Platform, claim: Resource) -> bool:
    return schedule.covers(claim.namespace) and not schedule.leaves_out(platform, claim)


def _others_hold(platform: Platform, claims: list[Resource]) -> bool:
    """Whether volumes are copied beside the schedule: as the facts say, or as annotations do."""
    declared = platform.facts.get("backups.volumes") is not None
    return declared or any(velero.copied_by_annotation(platform, claim) for claim in claims)


def _and(why: str) -> str:
    return f", and {why}" if why else ", nor does it copy their files"


def _volumes(platform: Platform) -> Iterator[Verdict]:
    """Volume claims: whether a Velero schedule covers their namespace, and holds what is on them."""
    schedules = velero.schedules(platform)
    uses_velero = bool(schedules) or any(_has_hooks(workload) for workload in platform.workloads)
    for claim in _claims(platform):
        covering = [each for each in schedules if _takes(each, platform, claim)]
        passing = next((each for each in schedules if each.covers(claim.namespace)), None)
        unknown = next((each for each in covering if each.copies is Copies.UNKNOWN), None)
        if any(each.holds_volumes for each in covering) or (covering and velero.copied_by_annotation(platform, claim)):
            yield Pass(claim.id, (claim.place(),))
        elif unknown is not None:
            reason = f"{unknown.resource.id} takes no snapshot of it{_and(unknown.why)}"
            yield Unsure(claim.id, reason, "defaultVolumesToFsBackup in its template, or facts: backups.volumes",
                         unknown.place)  # fmt: skip
        elif covering:
            none = Sourced(0.0, Source.FILE, covering[0].place, "snapshotVolumes is false, and files are not copied")
            yield _none(claim.id, none, places(claim.place(), *(each.place for each in covering)),
                        f"{covering[0].resource.id} covers its namespace and copies objects only: the claim comes back "
                        "from it, empty.",
                        "The schedule that covers it leaves its volume out")  # fmt: skip
        elif passing is not None:
            field = passing.leaves_out(platform, claim)
            none = Sourced(0.0, Source.FILE, claim.place(), f"the schedule's {field} leaves it out")
            yield _none(claim.id, none, places(claim.place(), passing.resource.place()),
                        f"{passing.resource.id} covers its namespace, but its {field} leaves this claim out.",
                        "No schedule backs this volume up")  # fmt: skip
        elif uses_velero:
            none = Sourced(0.0, Source.FILE, claim.place(), "no Velero Schedule names its namespace")
            yield _none(claim.id, none, (claim.place(),),
                        "Velero is used here, and no Schedule covers this claim's namespace.",
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
                yield _none(workload.id, none, (place,),
                            f"{mount['mountPath']} is on an emptyDir: eviction, rollout or a lost node deletes it.",
                            "A database keeps its data on a volume that goes with its pod")  # fmt: skip
                break


def _claims(platform: Platform) -> list[Resource]:
    if platform.facts.get("backups.volumes"):
        return []
    stateful = [each for each in platform.of_kind("StatefulSet") if items(each.body, "spec.volumeClaimTemplates")]
    return [*platform.of_kind("PersistentVolumeClaim"), *stateful]


def _has_hooks(workload: Workload) -> bool:
    return any("velero.io/" in str(name) for name in (*workload.annotations, *workload.resource.annotations))

"""5.2: what a loss of data costs: how old the newest copy is, how long copies are kept, and where."""

import re
from collections.abc import Iterator

from findings.checks import volumes
from findings.checks.base import Fail, Meta, Pass, Unsure, Verdict
from findings.checks.copies import Kept, Needs, judged, none_kept, numbered
from findings.platform.cron import longest_gap_minutes
from findings.platform.managed_backups import managed_backups
from findings.platform.model import Block, Platform, Resource, places
from findings.platform.nodes import items, mapping
from findings.platform.terraform import is_opened
from findings.platform.units import number, seconds, stated_number
from findings.vocabulary import Category, Outcome, RiskClass, Severity
from platform_risk.quantities.sourced import Place, Quantity, Source, Sourced, Unknown, input_of

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

_PITR_MINUTES = 5  # RDS and CloudNativePG ship logs at least this often
# Attribute, provider default in days, and who says so.
_RDS = {
    "aws_db_instance": ("backup_retention_period", 0, "AWS provider: aws_db_instance keeps no backups by default"),
    "aws_rds_cluster": ("backup_retention_period", 1, "Amazon Aurora: backups are kept 1 day by default"),
    "aws_docdb_cluster": ("backup_retention_period", 1, "Amazon DocumentDB: backups are kept 1 day by default"),
    "aws_neptune_cluster": ("backup_retention_period", 1, "Amazon Neptune: backups are kept 1 day by default"),
}
_DAILY = 24 * 60
_ZALANDO_SCHEDULE = "30 00 * * *"


def run(platform: Platform) -> Iterator[Verdict]:
    needs = Needs(
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
        *volumes.verdicts(platform, needs),
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


# Amazon RDS and its like


def _rds(platform: Platform, needs: Needs) -> Iterator[Verdict]:
    plans = _selected(platform)
    for kind, (attribute, default, cite) in _RDS.items():
        for block in platform.terraform(kind):
            if _is_replica(block):
                continue
            stated = _days(block, attribute, default, cite)
            plan = _plan_of(block, plans)
            if isinstance(stated, Unknown):
                yield Unsure(block.id, stated.reason, stated.provide, stated.place)
            elif stated.value > 0:
                interval = Sourced(float(_PITR_MINUTES), Source.PROVIDER_DEFAULT, stated.place,
                                   "Amazon RDS: restorable to about 5 minutes ago")  # fmt: skip
                at = places(stated, block.place())
                elsewhere = _is_copied(platform, block) or "global_cluster_identifier" in block.attributes
                yield judged(Kept(block.id, interval, stated, at, 2 if elsewhere else 1), needs)
            elif plan is not None:
                yield _planned(block, plan, needs)
            else:
                yield none_kept(block.id, stated, places(stated, block.place()),
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


def _is_copied(platform: Platform, block: Block) -> bool:
    """Whether its backups are copied to another region, by itself or by a data source of its name."""
    as_data = f"data.{'.'.join(block.labels)}"
    return any(
        each.refers_to(block, *each.references) or any(as_data in names for names in each.references.values())
        for each in platform.terraform("aws_db_instance_automated_backups_replication")
    )


def _plan_of(block: Block, plans: list[tuple[Block, Block]]) -> Block | None:
    return next((plan for selection, plan in plans if selection.refers_to(block, "resources")), None)


def _selected(platform: Platform) -> list[tuple[Block, Block]]:
    """What AWS Backup selects by name, with the plan that it does so for."""
    plans = platform.terraform("aws_backup_plan")
    found = (
        (selection, next((plan for plan in plans if selection.refers_to(plan, "plan_id")), None))
        for selection in platform.terraform("aws_backup_selection")
    )
    return [(selection, plan) for selection, plan in found if plan is not None]


def _planned(block: Block, plan: Block, needs: Needs) -> Verdict:
    gaps: list[Sourced[float]] = []
    retentions: list[Sourced[float]] = []
    for rule in plan.inner("rule"):
        schedule = rule.get("schedule")
        gap = longest_gap_minutes(str(schedule.value)) if isinstance(schedule, Sourced) else None
        if isinstance(schedule, Sourced) and gap is not None:
            gaps.append(numbered(schedule, gap))
        for lifecycle in rule.inner("lifecycle"):
            days = lifecycle.get("delete_after")
            value = number(days.value) if isinstance(days, Sourced) else None
            if isinstance(days, Sourced) and value is not None:
                retentions.append(numbered(days, value))
    if not gaps:
        return Unsure(block.id, f"the schedule of {plan.id} is not known", "schedule of its rule", plan.place())
    shortest = min(gaps, key=lambda each: each.value)
    longest = max(retentions, key=lambda each: each.value, default=None)
    kept = Kept(block.id, shortest, longest, places(shortest, block.place()), point_in_time=False)
    return judged(kept, needs)


def _managed(platform: Platform, needs: Needs) -> Iterator[Verdict]:
    """Of Google and Azure."""
    for each in managed_backups(platform):
        retention = each.retention
        if isinstance(retention, Unknown):
            yield Unsure(each.subject, retention.reason, retention.provide, retention.place)
        elif retention.value > 0:
            is_continuous = each.interval.value < _DAILY
            at = (each.place,)
            yield judged(Kept(each.subject, each.interval, retention, at, each.regions, is_continuous), needs)
        else:
            yield none_kept(each.subject, retention, (each.place,), "Automated backups are off.",
                        "No backups and no recovery to a point in time")  # fmt: skip


_OFF: Sourced[float] = Sourced(
    0.0, Source.PROVIDER_DEFAULT, note="Amazon DynamoDB: no recovery to a point in time unless it is enabled"
)


def _dynamodb(platform: Platform) -> Iterator[Verdict]:
    plans = _selected(platform)
    for block in platform.terraform("aws_dynamodb_table"):
        recovery = next(iter(block.inner("point_in_time_recovery")), None)
        enabled = recovery.get("enabled") if recovery is not None else None
        if _is_lock(block):
            continue
        if isinstance(enabled, Unknown):
            yield Unsure(block.id, enabled.reason, enabled.provide, enabled.place)
        elif (enabled is not None and enabled.value is True) or _plan_of(block, plans) is not None:
            yield Pass(block.id, places(enabled, block.place()))
        else:
            off = _OFF if enabled is None else Sourced(0.0, Source.FILE, enabled.place)
            off = Sourced(off.value, off.source, off.place if off.place.path else block.place(), off.note)
            yield none_kept(block.id, off, places(enabled, block.place()),
                        "A table without recovery to a point in time has no copy that anybody could restore.",
                        "No recovery to a point in time")  # fmt: skip


def _is_lock(block: Block) -> bool:
    """Terraform's own: it holds who works on a state at the moment. Source: Terraform, backend s3, dynamodb_table."""
    key = block.get("hash_key")
    return isinstance(key, Sourced) and key.value == "LockID"


_DATABASE_MODULE = re.compile(r"\brds\b|aurora|docdb", re.IGNORECASE)
_ENGINE = re.compile(r"aurora|postgres|mysql|mariadb|oracle-|sqlserver-|docdb|neptune")


def _modules(platform: Platform, needs: Needs) -> Iterator[Verdict]:
    """Databases made by a module that is not among the files: what its arguments say."""
    for block in platform.blocks:
        source = block.get("source")
        if block.type != "module" or not isinstance(source, Sourced) or _is_replica(block):
            continue
        if is_opened(platform, block):
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
            kept = Kept(block.id, interval, numbered(stated, days), places(stated))
            yield judged(kept, needs)
        elif isinstance(stated, Sourced) and days == 0:
            yield none_kept(block.id, stated.map(float), places(stated), "Automated backups are off.",
                        "No backups and no recovery to a point in time: retention is 0 days")  # fmt: skip
        else:
            reason = stated.reason if isinstance(stated, Unknown) else "what its module keeps by default is not here"
            yield Unsure(block.id, reason, "backup_retention_period", block.place())


# CloudNativePG


def _cnpg(platform: Platform, needs: Needs) -> Iterator[Verdict]:
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


def _cluster(cluster: Resource, scheduled: Resource | None, needs: Needs) -> Verdict:
    backup = mapping(cluster.body, "spec.backup")
    plugins = [each for each in items(cluster.body, "spec.plugins") if "barman" in str(mapping(each).get("name"))]
    if not backup and not plugins:
        none = Sourced(
            0.0, Source.PROVIDER_DEFAULT, cluster.place(), "CloudNativePG: no backup unless spec.backup says so"
        )
        return none_kept(cluster.id, none, (cluster.place(),),
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
    return judged(Kept(cluster.id, interval, days, places(retention, cluster.place())), needs)


# Zalando's operator


_ARCHIVES = ("WAL_S3_BUCKET", "WAL_GS_BUCKET", "WALG_AZ_PREFIX", "WALE_S3_PREFIX", "WALG_S3_PREFIX", "USE_WALG_BACKUP")
_BUCKETS = ("wal_s3_bucket", "wal_gs_bucket", "wal_az_storage_account")


def _zalando(platform: Platform, needs: Needs) -> Iterator[Verdict]:
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
            interval = numbered(schedule, gap) if schedule is not None else Sourced(
                gap, Source.PROVIDER_DEFAULT, logical.place, note)  # fmt: skip
            kept = Kept(cluster.id, interval, None, places(logical, cluster.place()), point_in_time=False)
            yield judged(kept, needs)
        else:
            reason = "whether the operator archives its logs is not here, and it makes no logical backup"
            yield Unsure(cluster.id, reason, "enableLogicalBackup, or the bucket in the OperatorConfiguration",
                         cluster.place())  # fmt: skip

"""How Google and Azure back up the databases that they run, by Terraform's attributes and their defaults. PURE.

Sources: Terraform google_sql_database_instance: backup_configuration.enabled is false unless stated, retained_backups
is 7. Cloud SQL: automated backups are daily. Terraform azurerm_postgresql_flexible_server and of MySQL:
backup_retention_days is 7 unless stated, and recovery to a point in time is always on.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from findings.platform.model import Block, Platform
from findings.platform.units import stated_number
from platform_risk.quantities.sourced import Place, Source, Sourced, Unknown

_DAY = 24 * 60.0
_CONTINUOUS = 5.0  # minutes, as both archive logs every five minutes
_REPLICA = ("replica", "geo_restore")


@dataclass(frozen=True)
class ManagedBackups:
    subject: str
    place: Place
    retention: Sourced[float] | Unknown  # days; 0 where there are none
    interval: Sourced[float]  # minutes
    regions: int | None = None


def managed_backups(platform: Platform) -> Iterator[ManagedBackups]:
    for block in platform.terraform("google_sql_database_instance"):
        settings = block.inner("settings")
        if settings and "master_instance_name" not in block.attributes:
            yield _google(block, settings[0])
    for block in platform.terraform("azurerm_postgresql_flexible_server", "azurerm_mysql_flexible_server"):
        mode = block.get("create_mode")
        if not (isinstance(mode, Sourced) and str(mode.value).lower() in _REPLICA):
            yield _azure(block)


def _google(block: Block, settings: Block) -> ManagedBackups:
    daily = Sourced(_DAY, Source.PROVIDER_DEFAULT, block.place(), "Cloud SQL: automated backups are daily")
    configured = next(iter(settings.inner("backup_configuration")), None)
    enabled = configured.get("enabled") if configured is not None else None
    if isinstance(enabled, Unknown):
        return ManagedBackups(block.id, block.place(), enabled, daily)
    if configured is None or enabled is None or enabled.value is not True:
        note = "Terraform: backup_configuration.enabled is false unless it is stated"
        off = Sourced(0.0, Source.PROVIDER_DEFAULT, block.place(), note)
        return ManagedBackups(block.id, block.place(), off if enabled is None else enabled.map(lambda _: 0.0), daily)
    logs = next((each for name in ("point_in_time_recovery_enabled", "binary_log_enabled")
                 if _is_true(each := configured.get(name))), None)  # fmt: skip
    interval = logs.map(lambda _: _CONTINUOUS) if isinstance(logs, Sourced) else daily
    kept = next(iter(configured.inner("backup_retention_settings")), None)
    stated = kept.get("retained_backups") if kept is not None else None
    default = Sourced(7.0, Source.PROVIDER_DEFAULT, enabled.place, "Cloud SQL: 7 backups are retained")
    retention = stated if isinstance(stated, Unknown) else stated_number(stated) or default
    return ManagedBackups(block.id, enabled.place, retention, interval)


def _azure(block: Block) -> ManagedBackups:
    note = "Azure: recovery to a point in time, about 5 minutes ago"
    interval = Sourced(_CONTINUOUS, Source.PROVIDER_DEFAULT, block.place(), note)
    stated = block.get("backup_retention_days")
    default = Sourced(7.0, Source.PROVIDER_DEFAULT, block.place(), "Azure: backup_retention_days is 7 unless stated")
    retention = stated if isinstance(stated, Unknown) else stated_number(stated) or default
    elsewhere = _is_true(block.get("geo_redundant_backup_enabled"))
    place = stated.place if isinstance(stated, Sourced) else block.place()
    return ManagedBackups(block.id, place, retention, interval, 2 if elsewhere else 1)


def _is_true(stated: Sourced[Any] | Unknown | None) -> bool:
    return isinstance(stated, Sourced) and stated.value is True

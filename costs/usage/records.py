"""What a usage file says, as plain records: one figure each, with what it is of. PURE."""

from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any


class Measure(StrEnum):
    ACTIVE_SERIES = "active_series"
    UNUSED_SERIES = "unused_series"  # that no rule and no dashboard reads
    SERIES_OF_METRIC = "series_of_metric"
    UNUSED_SERIES_OF_METRIC = "unused_series_of_metric"
    SERIES_OF_LABEL = "series_of_label"  # of one label=value
    SERIES_OF_TARGET = "series_of_target"  # that one target, such as a pod, exports
    POINTS = "points"  # data points a day
    INTERVAL_SECONDS = "interval_seconds"
    OBSERVED = "observed"  # any other series that was queried: its mean of the day
    INGESTED_BYTES = "ingested_bytes"  # a day
    STORED_BYTES = "stored_bytes"
    PRIMARY_BYTES = "primary_bytes"  # stored, without replicas
    RETENTION_DAYS = "retention_days"  # None: never deleted
    PODS = "pods"
    ENTITIES = "entities"  # that exist
    ENTITIES_DEAD = "entities_dead"  # that exist and report nothing any more
    ENTITIES_NEW = "entities_new"  # a day
    LIFETIME_DAYS = "lifetime_days"
    COMPUTE_UNITS = "compute_units"  # a day


UNITS: dict[Measure, str] = {
    Measure.ACTIVE_SERIES: "series", Measure.UNUSED_SERIES: "series", Measure.SERIES_OF_METRIC: "series",
    Measure.UNUSED_SERIES_OF_METRIC: "series", Measure.SERIES_OF_LABEL: "series", Measure.SERIES_OF_TARGET: "series",
    Measure.POINTS: "data points", Measure.INTERVAL_SECONDS: "s", Measure.OBSERVED: "",
    Measure.INGESTED_BYTES: "bytes", Measure.STORED_BYTES: "bytes", Measure.PRIMARY_BYTES: "bytes",
    Measure.RETENTION_DAYS: "days", Measure.PODS: "pods", Measure.ENTITIES: "entities",
    Measure.ENTITIES_DEAD: "entities", Measure.ENTITIES_NEW: "entities", Measure.LIFETIME_DAYS: "days",
    Measure.COMPUTE_UNITS: "compute units",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class UsageRecord:
    """`day` None: a state, as of when the file was made. `is_part`: one of a list that is not all there is, so that
    the list's sum is no total."""

    measure: Measure
    value: Decimal | None
    subject: str = ""  # a metric, a log group, an index …; "" for the whole
    day: date | None = None
    is_part: bool = False
    note: str = ""

    @property
    def unit(self) -> str:
        return UNITS[self.measure]


@dataclass(frozen=True, slots=True)
class Reject:
    """One entry that could not be used, with its place."""

    pointer: str
    reason: str
    excerpt: str = ""
    line: int | None = None
    entry: str = ""  # of an archive


@dataclass
class Usage:
    """A file that was read. `observed_at` None: it does not say when it was made."""

    format: str
    source: str  # the tool or platform whose usage it is: prices are looked up by it
    records: list[UsageRecord] = field(default_factory=list)
    rejects: list[Reject] = field(default_factory=list)
    observed_at: datetime | None = None
    account: str = ""
    notes: list[str] = field(default_factory=list)
    incomplete_because: str = ""
    births: list[datetime] = field(default_factory=list)  # when what exists was created, of one list of pods

    def add(self, measure: Measure, value: Decimal | int | None, subject: str = "", **more: Any) -> None:
        self.records.append(
            UsageRecord(measure, None if value is None else Decimal(value), subject.replace("\x00", "")[:500], **more)
        )

    def reject(self, pointer: str, reason: str, what: object = "", line: int | None = None) -> None:
        self.rejects.append(Reject(pointer[:500], reason, str(what).replace("\x00", "")[:500], line))


class UsageError(Exception):
    """A usage file that cannot be read: what, where, and what to do about it."""

    def __init__(self, code: str, message: str, *, remedy: str, **location: Any) -> None:
        super().__init__(message)
        self.code, self.message, self.remedy, self.location = code, message, remedy, location

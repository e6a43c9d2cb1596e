"""CloudWatch: what log groups hold and how long, and what comes into them. PURE."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from costs.usage.reading import at_milliseconds, day, entries, json, moment, number
from costs.usage.records import Measure, Usage, UsageError

LOG_GROUPS, METRICS = "cloudwatch-log-groups", "cloudwatch-metrics"
_METRIC = "IncomingBytes"
# What PutRetentionPolicy takes.
_RETENTIONS = {
    1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653,
}  # fmt: skip
_CLASSES = {"STANDARD": "", "INFREQUENT_ACCESS": "Infrequent Access", "DELIVERY": "Delivery"}


def read_log_groups(content: bytes) -> Usage:
    """A group without retentionInDays keeps its logs for ever: retention None, and not a default."""
    root = json(content)
    if not isinstance(root, Mapping) or not isinstance(root.get("logGroups"), list):
        raise UsageError(
            "wrong_shape", "There are no logGroups in it.", pointer="/logGroups",
            remedy="Save the whole answer of `aws logs describe-log-groups`.",
        )  # fmt: skip
    usage = Usage(LOG_GROUPS, "aws-cloudwatch-logs")
    unsized = 0
    for at, group in enumerate(root["logGroups"]):
        pointer = f"/logGroups/{at}"
        name = group.get("logGroupName") if isinstance(group, Mapping) else None
        if not isinstance(name, str) or not name:
            usage.reject(pointer, "It has no logGroupName.", group)
            continue
        kept, stored = group.get("retentionInDays"), number(group.get("storedBytes"))
        if kept is not None and (isinstance(kept, bool) or kept not in _RETENTIONS):
            usage.reject(f"{pointer}/retentionInDays", "CloudWatch has no such retention.", group)
            continue
        if group.get("storedBytes") is not None and (stored is None or stored < 0):
            usage.reject(f"{pointer}/storedBytes", "It is no number of bytes.", group)
            continue
        usage.account = usage.account or _account(group)
        note = _CLASSES.get(str(group.get("logGroupClass", "STANDARD")), "")
        made = at_milliseconds(group.get("creationTime"))
        if stored is None:
            unsized += 1
        else:
            usage.add(Measure.STORED_BYTES, stored, name, note=f"since {made:%Y-%m-%d}" if made else "")
        usage.add(Measure.RETENTION_DAYS, None if kept is None else Decimal(kept), name, note=note)
    if unsized:
        said = "1 log group states" if unsized == 1 else f"{unsized} log groups state"
        usage.notes.append(f"{said} no storedBytes: of {'it' if unsized == 1 else 'them'} only the retention is known.")
    if root.get("nextToken"):
        usage.incomplete_because = "It has a nextToken: there are more log groups than these."
    return usage


def _account(group: Mapping[str, Any]) -> str:
    parts = str(group.get("arn", "")).split(":")
    return parts[4] if len(parts) > 4 else ""


def read_metrics(content: bytes) -> Usage:
    """IncomingBytes by day, of get-metric-data or get-metric-statistics; both list the newest first, or in no order."""
    root = json(content)
    usage = Usage(METRICS, "aws-cloudwatch-logs")
    if isinstance(root, Mapping) and isinstance(root.get("MetricDataResults"), list):
        found = list(_data(usage, root))
    elif isinstance(root, Mapping) and isinstance(root.get("Datapoints"), list):
        found = list(_statistics(usage, root))
    else:
        raise UsageError(
            "wrong_shape", "There are neither MetricDataResults nor Datapoints in it.", pointer="/MetricDataResults",
            remedy="Save the answer of `aws cloudwatch get-metric-data` for IncomingBytes of AWS/Logs, statistic Sum.",
        )  # fmt: skip
    by_day: dict[tuple[str, date], Decimal] = defaultdict(Decimal)
    for subject, on, value in found:
        by_day[subject, on] += value
    for (subject, on), value in sorted(by_day.items()):
        usage.add(Measure.INGESTED_BYTES, value, subject, day=on)
    return usage


def _data(usage: Usage, root: Mapping[str, Any]) -> Iterator[tuple[str, date, Decimal]]:
    for at, result in enumerate(root["MetricDataResults"]):
        pointer = f"/MetricDataResults/{at}"
        stamps, values = entries(result, "Timestamps"), entries(result, "Values")
        if not isinstance(result, Mapping) or len(stamps) != len(values):
            usage.reject(pointer, f"{len(stamps)} Timestamps and {len(values)} Values do not belong together.", result)
            continue
        label = str(result.get("Label") or result.get("Id") or "")
        subject = label.removeprefix(_METRIC).strip() if label.startswith(_METRIC) else label
        if result.get("StatusCode") not in (None, "Complete"):
            usage.incomplete_because = f"{label} is {result['StatusCode']}: not all of its values are there."
        for place, (stamp, value) in enumerate(zip(stamps, values, strict=True)):
            yield from _point(usage, f"{pointer}/Values/{place}", subject, stamp, value)
    if root.get("NextToken"):
        usage.incomplete_because = "It has a NextToken: there are more values than these."


def _statistics(usage: Usage, root: Mapping[str, Any]) -> Iterator[tuple[str, date, Decimal]]:
    for at, point in enumerate(root["Datapoints"]):
        value = point.get("Sum") if isinstance(point, Mapping) else None
        if value is None:
            usage.reject(f"/Datapoints/{at}", "It has no Sum: ask for the statistic Sum.", point)
        else:
            yield from _point(usage, f"/Datapoints/{at}", "", point.get("Timestamp"), value)


def _point(
    usage: Usage, pointer: str, subject: str, stamp: Any, value: Any
) -> Iterator[tuple[str, date, Decimal]]:  # fmt: skip
    on, amount = day(stamp), number(value)
    if on is None or amount is None or amount < 0:
        usage.reject(pointer, "It has no time, or no number of bytes.", [stamp, value])
        return
    at = moment(stamp)
    assert at is not None
    usage.observed_at = max(usage.observed_at or at, at)
    yield subject, on, amount

"""What `mimirtool analyze prometheus` found: which series rules and dashboards read. PURE."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from costs.usage.reading import entries, json, number
from costs.usage.records import Measure, Usage, UsageError

FORMAT = "mimirtool"


def read(content: bytes) -> Usage:
    root = json(content)
    total = number(root.get("total_active_series")) if isinstance(root, Mapping) else None
    if total is None or total < 0:
        is_there = isinstance(root, Mapping) and root.get("total_active_series") is not None
        said = "is no number of series" if is_there else "is missing"
        raise UsageError(
            "wrong_shape", f"total_active_series {said}.", pointer="/total_active_series",
            remedy="Upload prometheus-metrics.json, which `mimirtool analyze prometheus` writes; the files of "
            "`analyze grafana` and `analyze ruler` are its inputs.",
        )  # fmt: skip
    usage = Usage(FORMAT, "prometheus")
    usage.add(Measure.ACTIVE_SERIES, total)
    unused = number(root.get("additional_active_series"))
    if unused is not None:
        usage.add(Measure.UNUSED_SERIES, unused, note="read by no rule and no dashboard")
    _counts(usage, root, "in_use_metric_counts", Measure.SERIES_OF_METRIC, number(root.get("in_use_active_series")))
    _counts(usage, root, "additional_metric_counts", Measure.UNUSED_SERIES_OF_METRIC, unused)
    return usage


def _counts(usage: Usage, root: Mapping[str, Any], name: str, measure: Measure, total: Decimal | None) -> None:
    rows = entries(root, name)
    found = [
        (row.get("metric"), number(row.get("count"))) if isinstance(row, Mapping) else (None, None) for row in rows
    ]
    is_part = sum((count or Decimal(0) for _, count in found), Decimal(0)) != total
    for at, (metric, count) in enumerate(found):
        if not isinstance(metric, str) or count is None or count < 0:
            usage.reject(f"/{name}/{at}", "It has no metric or no count.", rows[at])
        else:
            usage.add(measure, count, metric, is_part=is_part)

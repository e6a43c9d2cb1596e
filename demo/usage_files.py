"""Writes demo/usage: what the sample platform uses, as its tools would say it: `python demo/usage_files.py`.

The figures fit demo/clean-platform: 50 pods of 100 series in three environments, log groups of 10 and 2 GB a day that
keep for ever, and 100 new pods a day. The seed is fixed, so the files are the same each time.
"""

import json
import random
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).resolve().parent / "usage"
SEED = 20261101
LAST = datetime(2026, 11, 1, tzinfo=UTC)
GIB = 2**30
SERIES = 15_000
GROUPS = {"/clean-platform/ingest": 10, "/clean-platform/edge": 2, "/clean-platform/audit": 1}  # GiB a day
KEPT = {"/clean-platform/audit": 365}
METRICS = {
    "http_request_duration_seconds_bucket": 4_800, "kafka_consumer_fetch_latency_ms_bucket": 2_400,
    "container_network_receive_bytes_total": 1_500, "go_gc_duration_seconds": 750, "process_open_fds": 150,
}  # fmt: skip
UNUSED = {"etcd_request_duration_seconds_bucket": 3_100, "go_memstats_alloc_bytes": 1_900, "up": 150}


def prometheus() -> dict[str, Any]:
    names = sorted({**METRICS, **UNUSED}.items(), key=lambda each: -each[1])
    end = int(LAST.timestamp() * 1000)
    return {
        "status": "success",
        "data": {
            "headStats": {"numSeries": SERIES, "numLabelPairs": 2_130, "chunkCount": 61_240,
                          "minTime": end - 7_200_000, "maxTime": end},
            "seriesCountByMetricName": [{"name": name, "value": value} for name, value in names],
            "seriesCountByLabelValuePair": [{"name": "cell=us-core-ops", "value": 9_400},
                                            {"name": "cell=us-alt-mule", "value": 5_600}],
        },
    }  # fmt: skip


def mimirtool() -> dict[str, Any]:
    def counts(of: dict[str, int]) -> list[dict[str, Any]]:
        return [{"metric": name, "count": count, "job_counts": [{"job": "pods", "count": count}]}
                for name, count in of.items()]  # fmt: skip

    unused = sum(UNUSED.values())
    return {
        "total_active_series": SERIES, "in_use_active_series": SERIES - unused, "additional_active_series": unused,
        "in_use_metric_counts": counts(METRICS), "additional_metric_counts": counts(UNUSED),
    }  # fmt: skip


def log_groups() -> dict[str, Any]:
    made = LAST - timedelta(days=420)
    rows = []
    for name, daily in GROUPS.items():
        kept = KEPT.get(name)
        row: dict[str, Any] = {
            "logGroupName": name, "creationTime": int(made.timestamp() * 1000), "metricFilterCount": 0,
            "arn": f"arn:aws:logs:us-east-1:123456789012:log-group:{name}:*",
            "storedBytes": daily * min(kept or 420, 420) * GIB, "logGroupClass": "STANDARD",
        }  # fmt: skip
        rows.append(row | ({"retentionInDays": kept} if kept else {}))
    return {"logGroups": rows}


def incoming_bytes(days: int = 30) -> dict[str, Any]:
    draw = random.Random(SEED)  # noqa: S311 - figures of a demo
    results = []
    for number, (name, daily) in enumerate(GROUPS.items()):
        stamps = [LAST - timedelta(days=back) for back in range(1, days + 1)]  # newest first, as CloudWatch has them
        values = [round(daily * GIB * (0.8 if at.weekday() > 4 else 1.08) * draw.uniform(0.95, 1.05)) for at in stamps]
        results.append({"Id": f"m{number}", "Label": f"IncomingBytes {name}", "StatusCode": "Complete",
                        "Timestamps": [at.isoformat() for at in stamps], "Values": values})  # fmt: skip
    return {"MetricDataResults": results, "Messages": []}


def pods() -> str:
    """Lists of six hours apart, a document a line: fifty pods, of which twenty-five are new each time."""
    lines = []
    for number in range(5):
        at = LAST - timedelta(hours=6 * (4 - number))
        names = [f"data-collector-{pod:03d}" for pod in range(number * 25, number * 25 + 50)]
        items = [{"kind": "Pod", "metadata": {"name": name, "namespace": "ingest", "uid": name},
                  "status": {"phase": "Running"}} for name in names]  # fmt: skip
        lines.append(json.dumps({"observed_at": at.isoformat(), "items": items}, separators=(",", ":")))
    return "\n".join(lines) + "\n"


def main() -> None:
    FOLDER.mkdir(exist_ok=True)
    made = {
        "prometheus-status-tsdb.json": prometheus(), "mimirtool-prometheus-metrics.json": mimirtool(),
        "describe-log-groups.json": log_groups(), "incoming-bytes.json": incoming_bytes(),
    }  # fmt: skip
    for name, content in made.items():
        (FOLDER / name).write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    (FOLDER / "pods.jsonl").write_text(pods(), encoding="utf-8")


if __name__ == "__main__":
    main()

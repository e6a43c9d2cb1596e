"""Prometheus' own answers: status/tsdb and query_range. PURE."""

import itertools
from collections import Counter, defaultdict
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from costs.usage.reading import at_milliseconds, at_seconds, entries, json, mapping, number
from costs.usage.records import Measure, Usage, UsageError

SOURCE = "prometheus"
_EMPTY = 9223372036854775807  # minTime of a database that holds nothing
_MOST_SERIES = 200_000


def _data(content: bytes, of: str) -> Mapping[str, Any]:
    root = json(content)
    if isinstance(root, Mapping) and root.get("status") == "error":
        raise UsageError(
            "not_an_answer", f"Prometheus answered with an error: {str(root.get('error', ''))[:200]}",
            remedy="Ask again, and save the answer of a call that succeeds.", pointer="/status",
        )  # fmt: skip
    data = mapping(root, "data")
    if not data:
        raise UsageError(
            "wrong_shape", f"There is no data in it, as an answer of {of} has.",
            remedy=f"Save the whole answer of {of}, with status and data.", pointer="/data",
        )  # fmt: skip
    return data


def read_tsdb(content: bytes) -> Usage:
    """Series by metric are the top ten unless `limit` was given, so their sum is no total: numSeries is."""
    data = _data(content, "GET /api/v1/status/tsdb")
    head = mapping(data, "headStats")
    usage = Usage("prometheus-tsdb", SOURCE)
    total = number(head.get("numSeries"))
    if total is None or total < 0:
        is_there = head.get("numSeries") is not None
        said = "is no number of series" if is_there else "is missing"
        raise UsageError(
            "wrong_shape", f"headStats.numSeries {said}.", pointer="/data/headStats/numSeries",
            remedy="Save the whole answer of GET /api/v1/status/tsdb of Prometheus 2.15 or newer.",
        )  # fmt: skip
    if head.get("minTime") == _EMPTY:
        usage.notes.append("The database holds nothing yet.")
    else:
        usage.observed_at = at_milliseconds(head.get("maxTime"))
    usage.add(Measure.ACTIVE_SERIES, total)
    _named(usage, data, "seriesCountByMetricName", Measure.SERIES_OF_METRIC, total)
    # The documentation has both names; the software writes the longer one.
    for name in ("seriesCountByLabelValuePair", "seriesCountByLabelPair"):
        _named(usage, data, name, Measure.SERIES_OF_LABEL, None)
    return usage


def _named(usage: Usage, data: Mapping[str, Any], name: str, measure: Measure, total: Decimal | None) -> None:
    rows = entries(data, name)
    values = [number(row.get("value")) if isinstance(row, Mapping) else None for row in rows]
    is_part = total is None or sum((value or Decimal(0) for value in values), Decimal(0)) != total
    for at, (row, value) in enumerate(zip(rows, values, strict=True)):
        if value is None or value < 0 or not isinstance(row.get("name"), str):
            usage.reject(f"/data/{name}/{at}", "It has no name or no number of series.", row)
        else:
            usage.add(measure, value, row["name"], is_part=is_part)


_GAUGES = {"prometheus_tsdb_head_series": Measure.ACTIVE_SERIES, "kube_pod_info": Measure.PODS}
_COUNTERS = {
    "prometheus_tsdb_head_samples_appended_total": Measure.POINTS,
    "prometheus_remote_storage_samples_total": Measure.POINTS,
}


def read_query_range(content: bytes) -> Usage:
    """Each series by day: the mean of a gauge, the increase of a counter. Points that cannot be used are counted."""
    data = _data(content, "GET /api/v1/query_range")
    kind = data.get("resultType")
    if kind != "matrix":
        raise UsageError(
            "wrong_shape", f"The result is a {kind}, and a matrix is needed.", pointer="/data/resultType",
            remedy="Ask with GET /api/v1/query_range, which answers with values over time.",
        )  # fmt: skip
    usage = Usage("prometheus-query-range", SOURCE)
    steps: Counter[Decimal] = Counter()
    latest = Decimal(0)
    count = unused = unordered = 0
    for at, result in enumerate(_results(data)):
        labels, values = mapping(result, "metric"), entries(result, "values")
        points, wrong = _points(values)
        count, unused = count + len(values), unused + len(values) - len(points)
        if not points:
            usage.reject(f"/data/result/{at}", "It has no value that is a number at a time of this century.", labels)
            continue
        for why, places in wrong.items():
            reason = f"{len(places):,} of its {len(values):,} points: {why}. This is the first."
            usage.reject(f"/data/result/{at}/values/{places[0]}", reason, values[places[0]])
        in_time = sorted(points.items())
        unordered += in_time != list(points.items())
        steps.update(after[0] - before[0] for before, after in itertools.pairwise(in_time))
        latest = max(latest, in_time[-1][0])
        _by_day(usage, labels, in_time)
    usage.observed_at = at_seconds(latest)
    if steps:
        usage.notes.append(f"One value each {steps.most_common(1)[0][0].normalize():f} s.")
    if unused:
        usage.notes.append(f"{unused:,} of {count:,} points were not used: they stand among the rejected, by series.")
    if unordered:
        usage.notes.append(f"Points of {unordered:,} series were not in the order of time, and were put into it.")
    return usage


def _points(values: list[Any]) -> tuple[dict[Decimal, Decimal], dict[str, list[int]]]:
    """(value by time, what is wrong with the others → where they stand). Times may come in any order, each once: a
    counter that is read twice at one time has not begun anew."""
    found: dict[Decimal, Decimal] = {}
    wrong: dict[str, list[int]] = defaultdict(list)
    for at, point in enumerate(values):
        if not isinstance(point, list) or len(point) != 2:
            wrong["no pair of a time and a value"].append(at)
            continue
        stamp, value = number(point[0]), number(point[1])
        if stamp is None or at_seconds(stamp) is None:
            wrong["no time between 2000 and 2200, in seconds"].append(at)
        elif value is None:
            wrong["no number (NaN, infinite, or a text)"].append(at)
        elif stamp in found:
            wrong["the time of an earlier point"].append(at)
        else:
            found[stamp] = value
    return found, wrong


def _results(data: Mapping[str, Any]) -> list[Any]:
    found = entries(data, "result")
    if not found:
        raise UsageError(
            "no_figures", "The result holds no series.", pointer="/data/result",
            remedy="Ask for a metric that exists, over a time in which it was collected.",
        )  # fmt: skip
    if len(found) > _MOST_SERIES:
        raise UsageError(
            "too_many", f"It has {len(found):,} series; {_MOST_SERIES:,} are taken at once.", pointer="/data/result",
            remedy="Ask for sums, as with sum by (job) (…), or for fewer series at a time.",
        )  # fmt: skip
    return found


def _by_day(usage: Usage, labels: Mapping[str, Any], points: list[tuple[Decimal, Decimal]]) -> None:
    name = str(labels.get("__name__", ""))
    subject = name + "{" + ", ".join(f"{key}={labels[key]}" for key in sorted(labels) if key != "__name__") + "}"
    counts = name in _COUNTERS
    found: dict[date, list[Decimal]] = defaultdict(list)
    before: Decimal | None = None
    for stamp, value in points:
        moment = at_seconds(stamp)
        if moment is None:
            continue
        if counts:
            # A counter that falls has begun anew from zero.
            risen = (
                value if before is not None and value < before else value - (before if before is not None else value)
            )
            found[moment.date()].append(risen)
            before = value
        else:
            found[moment.date()].append(value)
    for day, values in found.items():
        total = sum(values, Decimal(0))
        measure = _COUNTERS.get(name) or _GAUGES.get(name, Measure.OBSERVED)
        usage.add(measure, total if counts else total / len(values), subject, day=day)

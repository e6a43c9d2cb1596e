"""Usage files of every format: what they say, what they do not say, and how the broken ones are refused."""

import json
from collections import defaultdict
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal as D
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from costs.usage import prometheus, registry
from costs.usage.newrelic import differenced
from costs.usage.reading import days, size
from costs.usage.records import Measure, Usage, UsageError
from tests.examples import examples

JUNE = date(2026, 6, 1)
Key = tuple[Measure, str, date | None]


def read(content: Any, format: str = "") -> Usage:
    body = content if isinstance(content, str) else json.dumps(content)
    return registry.read(body.encode(), format)


def figures(usage: Usage) -> dict[Key, D | None]:
    return {(each.measure, each.subject, each.day): each.value for each in usage.records}


TSDB = {
    "status": "success",
    "data": {
        "headStats": {"numSeries": 508, "chunkCount": 937, "minTime": 1591516800000, "maxTime": 1598896800143},
        "seriesCountByMetricName": [{"name": "a_total", "value": 20}, {"name": "b_bucket", "value": 18}],
        "seriesCountByLabelValuePair": [{"name": "job=prometheus", "value": 425}, {"name": "x"}],
    },
}


def test_the_top_ten_of_prometheus_are_parts_and_its_own_count_is_the_total() -> None:
    usage = read(TSDB)
    assert usage.format == "prometheus-tsdb"
    assert figures(usage)[Measure.ACTIVE_SERIES, "", None] == 508
    assert [each.is_part for each in usage.records if each.measure is Measure.SERIES_OF_METRIC] == [True, True]
    assert usage.observed_at == datetime(2020, 8, 31, 18, 0, 0, 143000, tzinfo=UTC)
    assert [each.pointer for each in usage.rejects] == ["/data/seriesCountByLabelValuePair/1"]


def test_a_list_that_adds_up_to_the_count_is_whole_and_an_empty_database_has_no_time() -> None:
    head = {"numSeries": 38, "minTime": 9223372036854775807, "maxTime": -9223372036854775808}
    usage = read({"status": "success", "data": TSDB["data"] | {"headStats": head}})  # type: ignore[operator]
    assert [each.is_part for each in usage.records if each.measure is Measure.SERIES_OF_METRIC] == [False, False]
    assert usage.observed_at is None
    assert usage.notes == ["The database holds nothing yet."]


def test_a_query_over_time_is_means_of_gauges_and_increases_of_counters() -> None:
    def series(name: str, values: list[tuple[int, str]]) -> dict[str, Any]:
        return {"metric": {"__name__": name, "job": "p"}, "values": [[1780272000 + at, value] for at, value in values]}

    counter = "prometheus_tsdb_head_samples_appended_total"
    body = {
        "status": "success",
        "data": {
            "resultType": "matrix",
            "result": [
                series("up", [(0, "1"), (60, "0"), (120, "NaN"), (86400, "1")]),
                series(counter, [(0, "100"), (60, "160"), (120, "5"), (180, "25")]),  # it began anew once
                series("x", [(0, "+Inf")]),
            ],
        },
    }
    usage = read(body)
    found = figures(usage)
    assert found[Measure.OBSERVED, "up{job=p}", JUNE] == D("0.5")
    assert found[Measure.OBSERVED, "up{job=p}", date(2026, 6, 2)] == 1
    assert found[Measure.POINTS, f"{counter}{{job=p}}", JUNE] == 60 + 5 + 20
    assert [each.pointer for each in usage.rejects] == ["/data/result/0/values/2", "/data/result/2"]
    assert usage.notes == [
        "One value each 60 s.", "2 of 9 points were not used: they stand among the rejected, by series."
    ]  # fmt: skip


def test_points_that_cannot_be_used_are_counted_by_series_and_reason_with_the_first_of_each() -> None:
    name = "prometheus_tsdb_head_samples_appended_total"
    values: list[Any] = [
        [1780272060, "160"], [1780272000, "100"], [1780272120, "NaN"], [1780272180, "+Inf"], [1780272240, "soon"],
        [1780272300], [1780272360, "1", "2"], "x", ["later", "7"], [1e12, "7"], [1780272060, "150"],
        [1780272060, "160"], [1780272420, "200"],
    ]  # fmt: skip
    result = [{"metric": {"__name__": name}, "values": values}]
    usage = read({"status": "success", "data": {"resultType": "matrix", "result": result}})
    assert figures(usage) == {(Measure.POINTS, f"{name}{{}}", JUNE): 100}, "it never began anew"
    assert [(each.pointer.removeprefix("/data/result/0/values/"), each.reason) for each in usage.rejects] == [
        ("2", "3 of its 13 points: no number (NaN, infinite, or a text). This is the first."),
        ("5", "3 of its 13 points: no pair of a time and a value. This is the first."),
        ("8", "2 of its 13 points: no time between 2000 and 2200, in seconds. This is the first."),
        ("10", "2 of its 13 points: the time of an earlier point. This is the first."),
    ]
    assert usage.notes == [
        "One value each 60 s.", "10 of 13 points were not used: they stand among the rejected, by series.",
        "Points of 1 series were not in the order of time, and were put into it.",
    ]  # fmt: skip


def test_more_series_than_are_taken_are_refused_and_never_cut_to_fit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prometheus, "_MOST_SERIES", 1)
    result = [{"metric": {"__name__": name}, "values": [[1780272000, "1"]]} for name in ("up", "down")]
    with pytest.raises(UsageError, match="2 series; 1 are taken") as refused:
        read({"status": "success", "data": {"resultType": "matrix", "result": result}})
    assert "sum by" in refused.value.remedy


PROM = """# HELP a_total Said.
# TYPE a_total counter
a_total{path="/x{y}",quote="say \\"hi\\", all"} 1027 1395066363000
a_total{path="/z"} NaN
b_bucket{le="+Inf"} +Inf
c 2.5e-05
"""


def test_an_exposition_counts_series_and_not_samples() -> None:
    usage = read(PROM)
    assert usage.format == "openmetrics"
    assert figures(usage)[Measure.SERIES_OF_TARGET, "", None] == 4
    assert figures(usage)[Measure.SERIES_OF_METRIC, "a_total", None] == 2
    assert usage.observed_at == datetime(2014, 3, 17, 14, 26, 3, tzinfo=UTC)  # milliseconds
    dumped = [
        'up{job="a"} 1 1700226034.330',
        'up{job="a"} 1 1700226094.329',
        'up{job="b"} 1 1700210681.3 # {id="1"} 0.3',
    ]
    om = read("\n".join([*dumped, "# EOF\n"]))
    assert figures(om)[Measure.SERIES_OF_TARGET, "", None] == 2
    assert om.notes == ["OpenMetrics: 3 samples of 2 series."]
    assert om.observed_at is not None
    assert om.observed_at.year == 2023  # seconds


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_usage_in_another_encoding_is_read_with_and_without_its_mark(encoding: str) -> None:
    for text, format in ((PROM, "openmetrics"), (json.dumps(TSDB), "prometheus-tsdb"), (LOKI % "true", "loki-limits")):
        usage = registry.read(text.encode(encoding))
        assert usage.format == format
        assert figures(usage) == figures(read(text))
        assert encoding == "utf-8-sig" or any("Read as UTF-" in note for note in usage.notes)


def test_usage_that_is_no_text_of_its_encoding_names_the_line() -> None:
    with pytest.raises(UsageError, match="line 3 holds a byte") as refused:
        registry.read(b'a 1\nb 2\nc{x="\xf6"} 3\n')
    assert refused.value.location["line"] == 3


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a 1\nb\n", "Line 2: it has no value"),
        ('a{x="1} 2\n', "Line 1: its labels"),
        ("a 1\n# EOF\nb 2\n", "Line 3: Something stands after"),
        ("a 1 soon\n", "Line 1: its timestamp"),
        ("# TYPE a counter\n", "There is no sample"),
    ],
)
def test_a_broken_exposition_names_the_line(text: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        read(text, "openmetrics")


def test_mimirtool_tells_what_nobody_reads() -> None:
    counts = [{"metric": "m", "count": 2688, "job_counts": []}, {"metric": 7}]
    usage = read({"total_active_series": 38184, "in_use_active_series": 14047, "additional_active_series": 24137,
                  "in_use_metric_counts": [], "additional_metric_counts": counts})  # fmt: skip
    found = figures(usage)
    assert found[Measure.ACTIVE_SERIES, "", None] == 38184
    assert found[Measure.UNUSED_SERIES, "", None] == 24137
    assert found[Measure.UNUSED_SERIES_OF_METRIC, "m", None] == 2688
    assert [each.pointer for each in usage.rejects] == ["/additional_metric_counts/1"]


def nerdgraph(rows: list[dict[str, Any]]) -> dict[str, Any]:
    return {"data": {"actor": {"account": {"nrql": {"results": rows}}}}}


def window(day: int, amount: Any, name: str = "sum.GigabytesIngested", days_long: int = 1) -> dict[str, Any]:
    begin = 1780272000 + 86400 * day
    return {"usageMetric": "LoggingBytes", "beginTimeSeconds": begin, "endTimeSeconds": begin + 86400 * days_long,
            name: amount}  # fmt: skip


def test_new_relic_s_gigabytes_are_billions_of_bytes_by_day_and_metric() -> None:
    usage = read(nerdgraph([window(0, 10.25), window(2, 9, days_long=3), window(0, "x"), {}]))
    found = {day: value for (_, _, day), value in figures(usage).items()}
    assert found[JUNE] == D("10.25") * 10**9
    assert [found[JUNE + timedelta(days=day)] for day in (2, 3, 4)] == [3 * 10**9] * 3
    assert len(usage.rejects) == 2
    units = read(nerdgraph([window(0, 4, "sum.consumption")]))
    assert next(iter(figures(units)))[0] is Measure.COMPUTE_UNITS


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([{"timestamp": 1780272000000, "GigabytesIngested": 3.5, "usageMetric": "LoggingBytes"}], "beginTimeSeconds"),
        ([{"sum.GigabytesIngested": 3.5}], "no time and no beginTimeSeconds"),
        ([{"beginTimeSeconds": 1780272000, "count": 3}], "neither GigabytesIngested nor consumption"),
    ],
)
def test_new_relic_s_rows_of_another_query_say_what_they_miss_and_which_query_to_run(
    rows: list[dict[str, Any]], said: str
) -> None:
    for body in [nerdgraph(rows), *([rows] if "count" not in rows[0] and "timestamp" in rows[0] else [])]:
        with pytest.raises(UsageError, match=said) as refused:
            read(body)
        assert "FROM NrConsumption SELECT sum(GigabytesIngested)" in refused.value.remedy
        assert "/0/" in refused.value.location["pointer"]


def test_what_counts_up_through_a_month_is_differenced_and_never_summed() -> None:
    latest = "latest.GigabytesIngested"
    usage = read(
        nerdgraph([window(0, 10, latest), window(1, 25, latest), window(3, 40, latest), window(30, 7, latest)])
    )
    found = {day: value for (_, _, day), value in figures(usage).items()}
    assert found == {
        JUNE: 10 * 10**9, date(2026, 6, 2): 15 * 10**9, date(2026, 6, 3): D("7.5") * 10**9,
        date(2026, 6, 4): D("7.5") * 10**9, date(2026, 7, 1): 7 * 10**9,
    }  # fmt: skip


def test_figures_that_count_up_from_within_a_month_on_do_not_make_one_day_of_what_came_before() -> None:
    usage = read(nerdgraph([window(9, 20, "latest.GigabytesIngested"), window(10, 23, "latest.GigabytesIngested")]))
    found = {day: value for (_, _, day), value in figures(usage).items()}
    assert found == {JUNE + timedelta(days=day): (2 if day < 10 else 3) * 10**9 for day in range(11)}
    assert "taken to be even" in usage.notes[1]


def so_far(day: int, amount: Any, **more: Any) -> dict[str, Any]:
    """As SELECT * FROM NrMTDConsumption has it, of a day's afternoon."""
    return {
        "timestamp": (1780272000 + 86400 * day + 49200) * 1000, "monthTimestamp": 1780272000000, "month": "June 2026",
        "productLine": "DataPlatform", "metric": "GigabytesIngested", "consumption": amount, "freeLimit": 100,
        "GigabytesIngested": amount, "GigabytesIngestedBillable": 0, "consumingAccountId": 1,
    } | more  # fmt: skip


def test_one_event_of_the_month_so_far_is_even_over_its_days_and_says_what_it_cannot_tell() -> None:
    for body in (nerdgraph([so_far(7, 24)]), [so_far(7, 24)]):
        usage = read(body)
        assert figures(usage) == {
            (Measure.INGESTED_BYTES, "DataPlatform", JUNE + timedelta(days=day)): 3 * 10**9 for day in range(8)
        }
        assert usage.observed_at == datetime(2026, 6, 8, 13, 40, tzinfo=UTC)
        assert "which day took how much is not known" in usage.notes[1]


def test_events_of_the_month_so_far_are_differenced_by_account_and_added_up() -> None:
    users = so_far(1, 9) | {"metric": "FullPlatformUsers", "consumption": 4}
    del users["GigabytesIngested"]
    late = so_far(30, 60) | {"timestamp": 1782864000000 + 1800_000}  # half past midnight, still of June
    rows = [so_far(1, 9), so_far(0, 5), so_far(0, 4), so_far(0, 2, consumingAccountId=2), users, so_far(2, "x"), late]
    usage = read(nerdgraph(rows))
    found = {day: value for (_, _, day), value in figures(usage).items()}
    assert [found[JUNE], found[date(2026, 6, 2)]] == [7 * 10**9, 4 * 10**9]
    assert date(2026, 7, 1) not in found
    assert round(sum(value for value in found.values() if value)) == 62 * 10**9
    assert [each.pointer[-2:] for each in usage.rejects] == ["/5"]
    assert usage.notes[-1] == "Events of other consumption, such as users, were left out: 1."
    units = read(nerdgraph([users | {"metric": "CoreCCU"}]))
    assert next(iter(figures(units)))[0] is Measure.COMPUTE_UNITS
    with pytest.raises(UsageError, match="no GigabytesIngested"):
        read(nerdgraph([users]))


def test_what_counts_up_and_falls_within_its_month_is_rejected_and_takes_nothing_away() -> None:
    latest = "latest.GigabytesIngested"
    days = [window(0, 10, latest), window(1, 4, latest), window(2, 12, latest), window(30, 3, latest)]
    usage = read(nerdgraph(days))
    assert {day: value for (_, _, day), value in figures(usage).items()} == {
        JUNE: 10 * 10**9, date(2026, 6, 2): 10**9, date(2026, 6, 3): 10**9, date(2026, 7, 1): 3 * 10**9,
    }  # fmt: skip
    (reject,) = usage.rejects
    assert reject.pointer.endswith("/1")
    assert "below the 10" in reject.reason


@given(st.lists(st.tuples(st.integers(0, 120), st.decimals(0, 1000, places=3)), min_size=1, max_size=60))
@settings(max_examples=examples(60), deadline=None)
def test_differencing_what_counts_up_keeps_each_month_s_total(parts: list[tuple[int, D]]) -> None:
    by_day: dict[date, D] = defaultdict(D)
    for after, amount in parts:
        by_day[JUNE + timedelta(days=after)] += amount
    of_months: dict[tuple[int, int], D] = defaultdict(D)
    cumulative = {}
    for day, amount in sorted(by_day.items()):
        of_months[day.year, day.month] += amount
        cumulative[day] = of_months[day.year, day.month]
    found = differenced(cumulative)
    for day, stated in cumulative.items():
        of_month = (value for at, value in found.items() if day.replace(day=1) <= at <= day)
        assert round(sum(of_month, D()), 12) == stated
    assert round(sum(found.values(), D()), 12) == sum(of_months.values())


def test_a_log_group_without_retention_keeps_for_ever_and_that_is_no_default() -> None:
    groups = [
        {"logGroupName": "/app", "storedBytes": 1610612736000, "creationTime": 1718409600000,
         "arn": "arn:aws:logs:us-east-1:111111111111:log-group:/app:*"},
        {"logGroupName": "/stg", "retentionInDays": 30, "storedBytes": 5},
        {"logGroupName": "/odd", "retentionInDays": 31, "storedBytes": 5},
        {"storedBytes": 5},
        {"logGroupName": "/text", "storedBytes": "big"},
        {"logGroupName": "/less", "storedBytes": -1},
        {"logGroupName": "/silent", "retentionInDays": 7},
    ]  # fmt: skip
    usage = read({"logGroups": groups, "nextToken": "more"})
    found = figures(usage)
    assert found[Measure.RETENTION_DAYS, "/app", None] is None
    assert found[Measure.RETENTION_DAYS, "/stg", None] == 30
    assert found[Measure.STORED_BYTES, "/app", None] == 1500 * 2**30
    assert usage.account == "111111111111"
    assert "more log groups" in usage.incomplete_because
    assert [each.pointer for each in usage.rejects] == [
        "/logGroups/2/retentionInDays", "/logGroups/3", "/logGroups/4/storedBytes", "/logGroups/5/storedBytes",
    ]  # fmt: skip
    assert usage.notes == ["1 log group states no storedBytes: of it only the retention is known."]


def test_incoming_bytes_are_summed_by_day_in_whatever_order_they_come() -> None:
    stamps = ["2026-06-02T12:00:00Z", "2026-06-02T00:00:00Z", "2026-06-01T23:00:00+00:00", "2026-06-01T01:00:00+02:00"]
    data = {"Id": "m1", "Label": "IncomingBytes /app", "Timestamps": stamps, "Values": [4, 3, 2, 1],
            "StatusCode": "PartialData"}  # fmt: skip
    usage = read({"MetricDataResults": [data, {"Label": "b", "Timestamps": stamps, "Values": [1]}]})
    assert figures(usage) == {
        (Measure.INGESTED_BYTES, "/app", date(2026, 5, 31)): 1,
        (Measure.INGESTED_BYTES, "/app", JUNE): 2,
        (Measure.INGESTED_BYTES, "/app", date(2026, 6, 2)): 7,
    }
    assert "PartialData" in usage.incomplete_because
    assert usage.rejects[0].pointer == "/MetricDataResults/1"
    statistics = {"Label": "IncomingBytes", "Datapoints": [{"Timestamp": stamps[0], "Sum": 9.5, "Unit": "Bytes"}, {}]}
    assert figures(read(statistics))[Measure.INGESTED_BYTES, "", date(2026, 6, 2)] == D("9.5")


def test_sizes_of_indices_are_bytes_or_words_with_replicas_and_without() -> None:
    def index(name: str, store: Any, primary: Any) -> dict[str, Any]:
        return {"index": name, "status": "open", "store.size": store, "pri.store.size": primary}

    usage = read([index("logs-app-2026.06.01", "21474836480", "10737418240"), index("kept", "10.2gb", "10.2gb"),
                  index(".ds-logs-web-2026.06.02-000004", "4kb", "2kb"), index("closed", None, None)])  # fmt: skip
    found = figures(usage)
    assert found[Measure.STORED_BYTES, "logs-app-2026.06.01", None] == 20 * 2**30
    assert found[Measure.INGESTED_BYTES, "logs-app", JUNE] == 10 * 2**30
    assert found[Measure.INGESTED_BYTES, "logs-web", date(2026, 6, 2)] == 2048
    assert found[Measure.STORED_BYTES, "kept", None] == D("10.2") * 2**30
    assert [each.pointer for each in usage.rejects] == ["/3/store.size"]


INDICES = """\
health status index                 uuid                   pri rep docs.count docs.deleted store.size pri.store.size
yellow open   logs-app-2026.06.01   u8FNjxh8Rfy_awN11oDKYQ   1   1       1200            0       20gb           10gb
green  open   .ds-web-2026.06.02-04 V8vmDyyNSMGvhLVkFvaIrg   1   1         12            4        4kb            2kb
       close  old                   qDJbbZzNQbuI4R_gS5U7zA
"""


def test_indices_as_they_are_printed_with_header_and_without_and_in_bytes() -> None:
    bare = INDICES.partition("\n")[2]
    in_bytes = bare.replace("20gb", "21474836480").replace("10gb", "10737418240").replace("4kb", "4096")
    chosen = "i                   ss\nlogs-app-2026.06.01 20gb\nold"
    for printed, line in ((INDICES, 4), (bare, 3), (in_bytes.replace("2kb", "2048"), 3)):
        assert registry.is_usage(printed.encode())
        usage = read(printed)
        found = figures(usage)
        assert usage.format == "elasticsearch-indices"
        assert found[Measure.STORED_BYTES, "logs-app-2026.06.01", None] == 20 * 2**30
        assert found[Measure.INGESTED_BYTES, "logs-app", JUNE] == 10 * 2**30
        assert found[Measure.PRIMARY_BYTES, ".ds-web-2026.06.02-04", None] == 2048
        assert [(each.pointer, each.line, each.excerpt[:5]) for each in usage.rejects] == [
            (f"line {line}", line, "close")
        ]
    usage = read(chosen)
    assert figures(usage) == {(Measure.STORED_BYTES, "logs-app-2026.06.01", None): 20 * 2**30}
    assert usage.records[0].note == "rounded: ask with bytes=b"
    assert [each.line for each in usage.rejects] == [3]
    for in_gigabytes in (bare.replace("20gb", "20").replace("4kb", "0"), [
        {"index": "a", "store.size": "20", "docs.count": "1200"}
    ]):  # fmt: skip
        with pytest.raises(UsageError, match=r"Its sizes come to 20 for 1,2\d\d documents") as refused:
            read(in_gigabytes)
        assert refused.value.code == "unclear_unit"


def test_a_lifecycle_that_never_deletes_keeps_for_ever() -> None:
    def policy(**phases: Any) -> dict[str, Any]:
        return {"version": 1, "policy": {"phases": phases}, "in_use_by": {"indices": ["i"]}}

    hot = {"actions": {"rollover": {"max_age": "1d"}}}
    usage = read({"short": policy(hot=hot, delete={"min_age": "30d"}), "ever": policy(hot={}),
                  "odd": policy(delete={"min_age": "soon"})})  # fmt: skip
    kept = {each.subject: (each.value, each.note) for each in usage.records if each.subject != "i"}
    assert kept == {"short": (D(30), "counted from rollover at 1d"), "ever": (None, "")}
    assert usage.rejects[0].pointer == "/odd/policy/phases/delete/min_age"


LOKI = """
compactor: {retention_enabled: %s}
limits_config:
  retention_period: 744h
  retention_stream:
  - {selector: '{namespace="dev"}', priority: 1, period: 24h}
overrides:
  big: {retention_period: 0s}
"""


def test_loki_deletes_only_when_its_compactor_is_told_to() -> None:
    on = figures(read(LOKI % "true"))
    assert {subject: value for (_, subject, _), value in on.items()} == {
        "": 31,
        '{namespace="dev"}': 1,
        "tenant big": None,
    }
    off = read(LOKI % "false")
    assert [(each.subject, each.value) for each in off.records] == [("", None)]
    with pytest.raises(UsageError, match="aliases") as refused:
        read("a: &a [x]\nb: *a\ncompactor: {}\n", "loki-limits")
    assert refused.value.location["line"] == 2


def test_what_of_loki_is_no_span_of_time_is_told_with_tenant_and_line() -> None:
    usage = read(
        "compactor: {retention_enabled: true}\n"
        "limits_config:\n  retention_period: 744h\n  retention_stream:\n  - period: 24h\n"
        "overrides:\n  shop:\n    retention_period: 30 days\n"
        "  data/lake:\n    retention_stream:\n    - selector: '{app=\"etl\"}'\n      period: 90\n"
        "  plain: 31d\n  empty:\n"
    )
    assert [(each.line, each.pointer, each.reason) for each in usage.rejects] == [
        (5, "/limits_config/retention_stream/0", "It has no selector."),
        (8, "/overrides/shop/retention_period",
         "The period of tenant shop is no span of time with its unit, as 744h."),
        (12, "/overrides/data/lake/retention_stream/0/period",
         'The period of tenant data/lake {app="etl"} is no span of time with its unit, as 744h.'),
        (13, "/overrides/plain", "Tenant plain has no settings by name."),
    ]  # fmt: skip
    assert [(each.subject, each.value) for each in usage.records] == [("", D(31))]


def test_a_configuration_of_loki_that_is_no_yaml_names_the_line_though_nobody_said_what_it_is() -> None:
    broken = "limits_config:\n  retention_period: 744h\noverrides:\n  shop:\n    retention_period: 24h\n   big: {\n"
    for format in ("", "loki-limits"):
        with pytest.raises(UsageError, match="no YAML at line 6") as refused:
            read(broken, format)
        assert (refused.value.code, refused.value.location["line"]) == ("not_yaml", 6)


@pytest.mark.parametrize(
    ("name", "document"),
    [
        ("prometheus-tsdb", TSDB), ("elasticsearch-ilm", {"logs": {"version": 3, "policy": {"phases": {"hot": {}}}}}),
        ("mimirtool", {"total_active_series": 5, "in_use_active_series": 3}),
        ("cloudwatch-log-groups", {"logGroups": [{"logGroupName": "a", "storedBytes": 5}]}),
        ("elasticsearch-indices", [{"health": "green", "index": "a", "store.size": "5"}]),
        ("newrelic-consumption", {"data": {"actor": {"account": {"nrql": {"results": []}}}}}),
    ],
)  # fmt: skip
def test_usage_that_was_cut_off_is_told_with_its_place_and_what_it_was_to_be(name: str, document: Any) -> None:
    cut = json.dumps(document, indent=1)[:-6]
    for content in (cut.encode(), cut.encode("utf-16")):
        assert registry.is_usage(content)
        with pytest.raises(UsageError, match="ends in the middle, at line") as refused:
            registry.read(content)
        assert f"it is usage ({registry.FORMATS[name].title})" in refused.value.message
        assert refused.value.location["line"] == cut.count("\n") + 1


def pod(name: str, namespace: str = "shop", phase: str = "Running") -> dict[str, Any]:
    return {"kind": "Pod", "metadata": {"name": name, "namespace": namespace, "uid": name}, "status": {"phase": phase}}


def test_pods_that_have_ended_are_none_and_lists_over_time_tell_how_many_come() -> None:
    mixed = {"kind": "List", "items": [pod("a"), pod("b", "data"), pod("c", phase="Succeeded"), {"kind": "Node"}]}
    once = read(mixed, "kubernetes-pods")  # unless it is named so, a list of several kinds is configuration
    assert figures(once)[Measure.PODS, "", None] == 2
    assert figures(once)[Measure.PODS, "data", None] == 1
    assert len(once.rejects) == 1
    lists = [{"observed_at": "2026-06-01T00:00:00Z", "items": [pod("a"), pod("b")]},
             {"observed_at": "2026-06-03T00:00:00Z", "items": [pod("b"), pod("c"), pod("d")]}]  # fmt: skip
    for body in (json.dumps(lists), "\n".join(json.dumps(each) for each in lists)):
        found = figures(read(body))
        assert found[Measure.PODS, "", None] == 3
        assert found[Measure.ENTITIES_NEW, "", None] == 1
        assert found[Measure.LIFETIME_DAYS, "", None] == D("2.5")


def test_entities_are_counted_by_kind_and_the_dead_among_them() -> None:
    rows = [{"guid": "1", "type": "POD", "reporting": False}, {"guid": "2", "type": "POD", "reporting": True}, {}]
    usage = read({"data": {"actor": {"entitySearch": {"results": {"entities": rows}}}}})
    found = figures(usage)
    assert found[Measure.ENTITIES, "", None] == found[Measure.ENTITIES, "POD", None] == 2
    assert found[Measure.ENTITIES_DEAD, "", None] == 1


def test_lives_of_entities_become_stock_arrivals_and_mean_life_by_day() -> None:
    table = "id,first_seen,last_seen\na,2026-06-01,2026-06-02\nb,2026-06-02,\nc,2026-06-03,2026-06-03\nd,,\n"
    usage = read(table)
    found = figures(usage)
    assert [found[Measure.ENTITIES, "", JUNE + timedelta(days=day)] for day in range(3)] == [1, 2, 2]
    assert [found[Measure.ENTITIES_NEW, "", JUNE + timedelta(days=day)] for day in range(3)] == [1, 1, 1]
    assert found[Measure.LIFETIME_DAYS, "", None] == D("1.5")
    assert usage.rejects[0].line == 5


def test_lives_with_times_are_measured_by_the_hour() -> None:
    lives = ("a,2026-06-01T10:00:00Z,2026-06-01T14:00:00Z", "b,2026-06-01T22:00:00Z,2026-06-02T02:00:00Z")
    table = "\n".join(("id,first_seen,last_seen", *lives)) + "\n"
    life = figures(read(table))[Measure.LIFETIME_DAYS, "", None]
    assert life is not None
    assert round(life * 24, 6) == 4


@pytest.mark.parametrize(
    ("text", "format"),
    [
        ('{"status": "success",\n"data": ' + "[" * 100_000, ""),
        ("compactor: {}\nlimits_config: " + "{a: " * 5_000, "loki-limits"),
    ],
)
def test_what_nests_too_deeply_is_told_with_the_limit_the_place_and_what_to_do(text: str, format: str) -> None:
    with pytest.raises(UsageError, match=r"more than 200 levels deep at line 2") as refused:
        read(text, format)
    assert (refused.value.code, refused.value.location["line"]) == ("too_deep", 2)
    assert "again and again" in refused.value.remedy


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (",2026-06-01,", "It has no id."),
        ("a,01.06.2026,", "Its first_seen is missing or no time"),
        ("a,2026-06-01,soon", "Its last_seen is no time"),
        ("a,2026-06-02,2026-06-01", "It ends before it begins."),
    ],
)
def test_a_life_that_cannot_be_read_is_told_with_its_line_and_takes_no_other_with_it(line: str, said: str) -> None:
    for delimiter in (",", ";", "\t"):
        body = f"id,first_seen,last_seen\nb,2026-06-01,\n{line}\n".replace(",", delimiter)
        usage = read(body)
        assert [(each.line, each.reason.startswith(said)) for each in usage.rejects] == [(3, True)]
        assert figures(usage)[Measure.ENTITIES, "", JUNE] == 1
    with pytest.raises(UsageError, match=said) as refused:
        read(f"id,first_seen,last_seen\n{line}\n")
    assert (refused.value.code, refused.value.location["line"]) == ("no_figures", 2)


@pytest.mark.parametrize("broken", ['"b,2026-06-01,\nc,2026-06-01,', '"b"x,2026-06-01,'])
def test_a_table_of_lives_that_breaks_is_refused_with_the_line_and_swallows_none(broken: str) -> None:
    with pytest.raises(UsageError, match=r"Line \d is none of a table") as refused:
        read(f"id,first_seen,last_seen\na,2026-06-01,\n{broken}\n")
    assert (refused.value.code, "line" in refused.value.location) == ("not_csv", True)


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ({"__type": "AccessDeniedException", "message": "User is not authorized"}, "User is not authorized"),
        ({"errors": [{"message": "NRQL Syntax Error"}], "data": None}, "NRQL Syntax Error"),
        ({"error": {"root_cause": [], "reason": "missing credentials"}, "status": 401}, "missing credentials"),
    ],
)
def test_the_answer_to_a_request_that_failed_says_what_the_tool_said(answer: dict[str, Any], said: str) -> None:
    with pytest.raises(UsageError, match=said) as refused:
        read(answer)
    assert refused.value.code == "not_an_answer"


def test_what_a_tool_prints_for_people_is_shown_with_what_to_ask_for() -> None:
    with pytest.raises(UsageError, match="It begins: NAME READY STATUS") as refused:
        read("NAME READY STATUS\napi 1/1 Running\n")
    assert "--output json" in refused.value.remedy
    with pytest.raises(UsageError, match="an answer without entries"):
        read({"logGroups": []})


def test_a_comma_too_many_is_told_with_its_line_and_what_to_do() -> None:
    broken = '{\n "status": "success",\n "data": {\n  "headStats": {\n   "numSeries": 508,\n  }\n }\n}'
    with pytest.raises(UsageError, match="no JSON: trailing comma") as refused:
        read(broken)
    assert refused.value.location["line"] == 5
    assert "comma" in refused.value.remedy


@pytest.mark.parametrize(
    "content",
    [
        b"", b"{}", b"[]", b"hello", b"\xff\xfe\x00", b"\xff{", b"[" * 100_000, b'{"data":' * 5000, b'{"a": NaN}',
        b'{"a": 1e999999999999}', b'{"logGroups": {}}', b'{"status": "error", "error": "too many"}',
        b'{"data": {"headStats": {}}}', b'{"items": [7]}', b'{"a": ' + b"9" * 5000 + b"}", b"id,x\n1,2\n", b"a: [",
    ],
)  # fmt: skip
def test_nothing_that_is_no_usage_file_passes_for_one(content: bytes) -> None:
    with pytest.raises(UsageError) as refused:
        registry.read(content)
    assert refused.value.remedy


@pytest.mark.parametrize("name", sorted(registry.FORMATS))
@pytest.mark.parametrize("content", [b'{"something": "else"}', b"[1, 2]", b"plain words, nothing else"])
def test_each_format_refuses_what_is_none_of_it(name: str, content: bytes) -> None:
    with pytest.raises(UsageError) as refused:
        registry.read(content, name)
    assert refused.value.remedy


def test_words_for_sizes_and_spans_of_time() -> None:
    assert [size(each) for each in ("0b", "10.2gb", "3kb", "12", 7, "many", None)] == [
        0, D("10.2") * 2**30, 3072, 12, 7, None, None,
    ]  # fmt: skip
    assert [days(each) for each in ("30d", "744h", "1d12h", "0", "0s", 0, "soon", "", None, True, 744)] == [
        30, 31, D("1.5"), 0, 0, 0, None, None, None, None, None,
    ]  # fmt: skip


def test_json_that_is_no_utf_8_is_refused_and_never_crashes_who_asks() -> None:
    with pytest.raises(UsageError) as caught:
        registry.detect(b'{"name": "caf\xe9"}')
    assert caught.value.code == "wrong_encoding"


@pytest.mark.parametrize(
    ("content", "code", "said", "place"),
    [
        (b'{"data":\n {"headStats": {', "not_json", "ends in the middle", {"line": 2, "column": 17, "byte": 25}),
        (b'{"data": {\n "headStats": 1 2}}', "not_json", "breaks at line 2, column 17", {"line": 2, "byte": 27}),
        ('{"data": {}}'.encode("utf-16")[:-1], "cut_file", "It is UTF-16 that ends within", {"byte": 24}),
        ('{"data": {}}'.encode("utf-16-be") + b"\0", "cut_file", "big endian", {"byte": 24}),
        (b'{"data": {"a": "caf\xe9"}}', "wrong_encoding", "no UTF-8 at byte 19", {"byte": 19}),
        (b'{"data": {\n"a": "\\ud800"}}', "not_json", "half of a surrogate pair", {"line": 2, "byte": 17}),
        (b'{"data": {"headStats": {"numSeries": "many"}}}', "wrong_shape", "is no number of series", {}),
        (b'{"data": {"headStats": {"numSeries": -5}}}', "wrong_shape", "is no number of series", {}),
        (b'{"total_active_series": "x"}', "wrong_shape", "is no number of series", {}),
        (
            b'{"data": {"resultType": "matrix", "result": []}}', "no_figures", "holds no series",
            {"pointer": "/data/result"},
        ),
        (
            b'{"data": {"resultType": "matrix", "result": [{"values": [[1e18, "1"], [1780272000, "NaN"]]}]}}',
            "no_figures", "at a time of this century", {"pointer": "/data/result/0"},
        ),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_file_is_said_with_its_place(
    content: bytes, code: str, said: str, place: dict[str, Any]
) -> None:
    with pytest.raises(UsageError) as caught:
        registry.read(content)
    assert caught.value.code == code
    assert said in caught.value.message
    assert place.items() <= caught.value.location.items()


def test_a_zero_byte_in_a_label_makes_no_other_encoding_of_a_text() -> None:
    usage = read('up{job="a\0"} 1\n', "openmetrics")
    assert [each.subject for each in usage.records if each.measure is Measure.SERIES_OF_METRIC] == ["up"]

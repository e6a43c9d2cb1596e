"""6.1: how many data points the platform's pods send, and what they cost at the stated price."""

from collections.abc import Iterator
from decimal import Decimal

from findings.checks.base import Fail, Meta, Pass, Unsure, Verdict
from findings.checks.prices import exact, plain, price
from findings.platform.model import Platform, places
from findings.platform.nodes import items
from findings.platform.units import seconds
from findings.platform.yaml_reader import Map
from findings.vocabulary import Category, Outcome, Severity
from platform_risk.quantities.pricing import Price, PriceUnit
from platform_risk.quantities.projections import Projection, metrics
from platform_risk.quantities.sourced import Input, Place, Quantity, Source, Sourced, Unknown, input_of

META = Meta(
    id="metric-volume",
    seed="6.1",
    title="Every pod sends every series, all the time",
    severity=Severity.LOW,
    category=Category.COST,
    outcome=Outcome.COST,
    means="Pods × series × scrapes come to a hundred million data points a month or more, and nothing is said to be "
    "dropped or aggregated before it is sent.",
    why="The volume grows with pods, with series and with environments at once, so a platform that doubles pays more "
    "than twice. Most of what is sent is never looked at.",
    not_a_problem="The points stay in a Prometheus of your own, or the contract is by host and not by volume.",
    remedy="Lengthen the interval where minutes are enough, drop series that no rule and no dashboard reads, and "
    "aggregate by workload before sending.",
    patch="""metricRelabelings:
  - action: drop
    sourceLabels: [__name__]
    regex: go_gc_.*""",
    analysis="Its 129.60 USD a month follow from a price per million points, which is its own assumption: New "
    "Relic bills by the gigabyte. Price and unit are inputs here.",
    remedies=("metric-aggregation",),
    references=(
        "https://prometheus.io/docs/prometheus/latest/configuration/configuration/#scrape_config",
        "https://prometheus-operator.dev/docs/api-reference/api/",
    ),
)
UNITS = (PriceUnit.PER_MILLION_POINTS, PriceUnit.PER_ACTIVE_SERIES_MONTH, PriceUnit.PER_GB_INGESTED)
_MANY = 100_000_000
_DEFAULT = Decimal(30)


def run(platform: Platform) -> Iterator[Verdict]:
    interval = interval_of(platform)
    if interval is None:
        return
    series = platform.facts.number("metrics.series_per_pod")
    pods = pods_of(platform)
    if series is None:
        yield Unsure("metrics", "how many series a pod exports is not stated", "facts: metrics.series_per_pod",
                     interval.place)  # fmt: skip
        return
    if isinstance(pods, Unknown):
        yield Unsure("metrics", pods.reason, pods.provide, pods.place)
        return
    yield from _sized(platform, interval, series, pods)


def _sized(
    platform: Platform, interval: Sourced[float], series: Sourced[float], pods: Sourced[float]
) -> Iterator[Verdict]:
    more = {
        name: platform.facts.number(f"metrics.{name}")
        for name in ("environments", "replicas_of_scraper", "bytes_per_point", "days_per_month")
    }
    stated = price(platform, "metrics", UNITS)
    given = {name: exact(value) for name, value in more.items() if value is not None}

    def volume(of: Price) -> Projection:
        return metrics(
            pods=exact(pods),
            series_per_pod=exact(series),
            interval_seconds=exact(interval),
            price=of,
            months=12,
            **given,
        )

    projection = volume(stated.price if stated else Price(Decimal(0), PriceUnit.PER_MILLION_POINTS))
    points = projection.rows[0].quantity
    if points < _MANY:
        yield Pass("metrics", places(interval))
        return
    terms = [input_of("pods", pods, "pods"), input_of("series_per_pod", series, "series"),
             input_of("interval", interval, "s")]  # fmt: skip
    terms += [input_of(name, value, "") for name, value in more.items() if value is not None]
    quantities = [
        Quantity("data_points_per_month", plain(points), "data points", projection.formula, tuple(terms),
                 projection.assumptions)
    ]  # fmt: skip
    quantities += _costs(projection, stated.term if stated else None, terms)
    yield Fail(
        "metrics",
        f"{points / 1_000_000:,.0f} million data points a month",
        f"{plain(exact(pods)):,} pods with {plain(exact(series)):,} series each are asked every "
        f"{plain(exact(interval))} s.",
        places(interval, pods, series),
        tuple(quantities),
    )
    if stated is None:
        yield Unsure("metrics", "what a data point costs is not stated, so there is no cost",
                     "facts: metrics.price and metrics.price_unit", interval.place)  # fmt: skip


def _costs(projection: Projection, term: Input | None, terms: list[Input]) -> Iterator[Quantity]:
    first, year = projection.rows[0].cost, projection.total_cost
    if term is None or first is None or year is None:
        return
    inputs = (*terms, term)
    yield Quantity("cost_per_month", plain(first), f"{projection.currency}/month", "data points × price", inputs)
    yield Quantity("cost_per_year", plain(year), f"{projection.currency}/year", "cost per month × 12", inputs)


def interval_of(platform: Platform) -> Sourced[float] | None:
    """Stated as a fact, else the shortest that a scrape configuration says."""
    stated = platform.facts.number("metrics.interval_seconds")
    if stated is not None and stated.value > 0:
        return stated
    found = [
        setting.value.map(lambda value: seconds(value) or 0.0)
        for setting in platform.settings_ending("interval")
        if setting.name.endswith("scrape_interval")
    ]
    for monitor in platform.of_kind("ServiceMonitor", "PodMonitor"):
        for name in ("endpoints", "podMetricsEndpoints"):
            for endpoint in items(monitor.body, f"spec.{name}"):
                text = endpoint.get("interval") if isinstance(endpoint, Map) else None
                if text is not None:
                    found.append(Sourced(seconds(text) or 0.0, Source.FILE, monitor.place(endpoint.lines["interval"])))
    known = [each for each in found if each.value > 0]
    return min(known, key=lambda each: each.value, default=None) or _default_of(platform)


def _default_of(platform: Platform) -> Sourced[float] | None:
    """A Prometheus that is told nothing, while the operator's resources say that it scrapes."""
    for resource in platform.of_kind("Prometheus", "PrometheusAgent", "ServiceMonitor", "PodMonitor"):
        return Sourced(
            30.0, Source.PROVIDER_DEFAULT, resource.place(), "Prometheus Operator: scrapeInterval defaults to 30s"
        )
    return None


def pods_of(platform: Platform) -> Sourced[float] | Unknown:
    stated = platform.facts.number("metrics.pods")
    if stated is not None:
        return stated
    total, first = 0, None
    for workload in platform.workloads:
        scaler = platform.autoscaler_of(workload)
        count = scaler.maximum if scaler is not None else workload.replicas
        if isinstance(count, Unknown):
            return Unknown(f"the pods of {workload.id} are not stated", "facts: metrics.pods", count.place)
        total += count.value
        first = first or count.place
    if first is None:
        return Unknown("no pods are in these files", "facts: metrics.pods", Place())
    return Sourced(float(total), Source.FILE, first, "the most pods of every workload in these files")

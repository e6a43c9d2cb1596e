"""6.3: logs that nobody ever deletes: what is stored after a year, and what it costs."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from findings.checks.base import Fail, Meta, Pass, Unsure, Verdict
from findings.checks.prices import exact, plain, price
from findings.platform.config_files import ConfigFile
from findings.platform.model import Block, Platform, once, places
from findings.platform.nodes import find, items, mapping
from findings.platform.units import seconds, stated_number
from findings.platform.yaml_reader import Document, Map, read
from findings.vocabulary import Category, Outcome, Severity
from platform_risk.quantities.pricing import Price, PriceUnit
from platform_risk.quantities.projections import Projection, logs
from platform_risk.quantities.sourced import Input, Quantity, Source, Sourced, Unknown, input_of

META = Meta(
    id="log-retention",
    seed="6.3",
    title="Logs are kept for ever",
    severity=Severity.MEDIUM,
    category=Category.COST,
    outcome=Outcome.COST,
    means="A place where logs are kept has no retention, so nothing ever leaves it.",
    why="What is stored grows by every day's logs and is billed each month anew: the second year costs three times the "
    "first. On disks of your own the disk is full one day, and then nothing is logged.",
    not_a_problem="A law or a contract asks for the logs, and nobody has said for how long.",
    remedy="State a retention, and move what has to be kept longer to an archive.",
    patch="""resource "aws_cloudwatch_log_group" "edge" {
  retention_in_days = 30
}""",
    analysis="Its 109.50 USD are what the stock of a year costs in a month, not in that year: 658.80 are paid "
    "until then. Ingestion, 1,825 USD a year at 0.50 USD per GB, is the larger part, and retention does "
    "not change it.",
    remedies=("log-retention",),
    references=(
        "https://registry.terraform.io/providers/hashicorp/aws/latest/docs/resources/cloudwatch_log_group",
        "https://grafana.com/docs/loki/latest/operations/storage/retention/",
        "https://www.elastic.co/guide/en/elasticsearch/reference/current/ilm-delete.html",
    ),
)
_CITE = "Terraform aws_cloudwatch_log_group: retention_in_days absent or 0 never expires"
_USUAL = 30


def run(platform: Platform) -> Iterator[Verdict]:
    found = stores(platform)
    alone = len(found) == 1
    for subject, kept in found:
        if isinstance(kept, Unknown):
            yield Unsure(subject, kept.reason, kept.provide, kept.place)
        elif kept.value > 0:
            yield Pass(subject, places(kept))
        else:
            yield from _for_ever(platform, subject, kept, alone=alone)


def stores(platform: Platform) -> list[tuple[str, Sourced[float] | Unknown]]:
    """Every place that keeps logs, with the days it keeps them: 0 for ever."""
    return [*_groups(platform), *_loki(platform), *_policies(platform), *_lifecycles(platform)]


def _for_ever(platform: Platform, subject: str, kept: Sourced[float], *, alone: bool) -> Iterator[Verdict]:
    stated = (platform.facts.number(f"logs.groups.{name}.gb_per_day") for name in _called(platform, subject))
    own = next((each for each in stated if each is not None), None)
    daily = own or (platform.facts.number("logs.gb_per_day") if alone else None)
    quantities = tuple(_figures(platform, daily)) if daily is not None and daily.value > 0 else ()
    yield Fail(
        subject,
        f"{quantities[0].value:,.0f} GB of logs after a year, and none ever leaves"
        if quantities
        else "Its logs never expire",
        "Nothing says when its logs are deleted." if kept.source is Source.FILE else f"{kept.note}.",
        places(kept),
        quantities,
    )
    if daily is None:
        path = "logs.gb_per_day" if alone else f"logs.groups.{subject}.gb_per_day"
        yield Unsure(
            subject, "how much it takes in a day is not stated, so nothing is sized", f"facts: {path}", kept.place
        )
    elif price(platform, "logs", (PriceUnit.PER_GB_MONTH,)) is None:
        yield Unsure(subject, "what a stored gigabyte costs is not stated, so there is no cost", "facts: logs.price",
                     kept.place)  # fmt: skip


def _called(platform: Platform, subject: str) -> Iterator[str]:
    """What facts may call it: its address, the name that it has at AWS, and where it is one of its own, its label."""
    yield subject
    for block in _by_id(platform).get(subject, ()):
        name = block.get("name")
        if isinstance(name, Sourced):
            yield str(name.value)
        if "[" not in subject:
            yield block.own_address
            yield block.labels[-1]


@once
def _by_id(platform: Platform) -> dict[str, list[Block]]:
    found: dict[str, list[Block]] = {}
    for block in platform.terraform("aws_cloudwatch_log_group"):
        found.setdefault(block.id, []).append(block)
    return found


def _figures(platform: Platform, daily: Sourced[float]) -> Iterator[Quantity]:
    stored = platform.facts.number("logs.stored_gb")
    stated = price(platform, "logs", (PriceUnit.PER_GB_MONTH,))
    terms = [input_of("gb_per_day", daily, "GB/day")] + ([input_of("stored", stored, "GB")] if stored else [])
    begun = exact(stored) if stored else Decimal(0)
    unpriced = Price(Decimal(0), PriceUnit.PER_GB_MONTH)

    def kept(days: int | None) -> Projection:
        of = stated.price if stated else unpriced
        return logs(gb_per_day=exact(daily), stored_gb=begun, price=of, retention_days=days, months=12)

    for_ever = kept(None)
    stock = for_ever.rows[-1].quantity
    yield Quantity("stored_gb_after_12_months", plain(stock), "GB", "stored + GB per day × 365", tuple(terms))
    if stated is not None and for_ever.total_cost is not None:
        inputs = (*terms, stated.term)
        money = for_ever.currency
        yield Quantity(
            "cost_per_month_after_12_months", plain(stated.price.of(stock, PriceUnit.PER_GB_MONTH)), f"{money}/month",
            "stored after 12 months × price", inputs, ("The analysis calls this a year's cost.",),
        )  # fmt: skip
        yield Quantity(
            "cost_first_year", plain(for_ever.total_cost), money, "each day's stock × price ÷ days per month", inputs,
            for_ever.assumptions,
        )  # fmt: skip
        wanted = platform.facts.number("logs.wanted_retention_days")
        days = int(wanted.value) if wanted is not None else _USUAL
        term = input_of("retention", wanted, "days") if wanted else Input(
            "retention", _USUAL, "days", Source.ASSUMPTION, note="what most platforms keep at hand")  # fmt: skip
        steady = kept(days).steady_state.cost_per_month
        if steady is not None:
            yield Quantity("cost_per_month_with_retention", plain(steady), f"{money}/month",
                           "GB per day × retention × price", (*inputs, term))  # fmt: skip
    disk = platform.facts.number("logs.disk_gb")
    if disk is not None:
        left = (exact(disk) - begun) / exact(daily)
        yield Quantity("days_until_full", plain(max(left, Decimal(0))), "days", "(disk − stored) ÷ GB per day",
                       (*terms, input_of("disk", disk, "GB")))  # fmt: skip


def _groups(platform: Platform) -> Iterator[tuple[str, Sourced[float] | Unknown]]:
    for block in platform.terraform("aws_cloudwatch_log_group"):
        stated = block.get("retention_in_days")
        if stated is None or (isinstance(stated, Sourced) and stated.value is None):
            yield block.id, Sourced(0.0, Source.PROVIDER_DEFAULT, block.place(), _CITE)
        elif isinstance(stated, Unknown):
            yield block.id, stated
        else:
            days = stated_number(stated)
            yield block.id, days or Unknown("its retention is no number", "retention_in_days", stated.place)


def _loki(platform: Platform) -> Iterator[tuple[str, Sourced[float] | Unknown]]:
    """Loki deletes nothing unless its compactor is told to and a period is stated."""
    for config in platform.configs:
        root = config.root
        if not isinstance(root, Map) or not (mapping(root, "limits_config") or mapping(root, "compactor")):
            continue
        if not (mapping(root, "schema_config") or mapping(root, "ingester") or mapping(root, "compactor")):
            continue
        enabled, period = config.at("compactor.retention_enabled"), config.at("limits_config.retention_period")
        name = f"loki {config.resource.id if config.resource else config.path}"
        if enabled is not None and enabled.value is True and period is not None and seconds(period.value) != 0:
            yield name, period.map(lambda value: 1.0)
        else:
            yield name, Sourced(0.0, Source.FILE, (period or enabled or _first(config)).place)


def _policies(platform: Platform) -> Iterator[tuple[str, Sourced[float] | Unknown]]:
    """Index lifecycles of Elasticsearch and OpenSearch: without one that deletes, what is written stays."""
    for config in platform.configs:
        if {"policy", "states", "transitions"} <= config.keys and items(config.root, "policy.states"):
            stated = find(config.root, "policy.states")
            at = config.place(stated[1] if stated else None)
            yield config.path, Sourced(float(_deletes(config.root)), Source.FILE, at)
        found = find(config.root, "policy.phases")
        if found is None or not isinstance(found[0], Map):
            continue
        deletes = isinstance(found[0].get("delete"), Map)
        yield config.path, Sourced(1.0 if deletes else 0.0, Source.FILE, config.place(found[1]))


def _lifecycles(platform: Platform) -> Iterator[tuple[str, Sourced[float] | Unknown]]:
    """The same in Terraform: Elasticsearch's as blocks, OpenSearch's as JSON."""
    for block in platform.terraform("elasticstack_elasticsearch_index_lifecycle"):
        phases = block.inner("delete")
        later = next((each for phase in phases if isinstance(each := phase.get("min_age"), Unknown)), None)
        yield block.id, later or Sourced(float(bool(phases)), Source.FILE, block.place())
    for block in platform.terraform("opensearch_ism_policy"):
        body = block.get("body")
        if isinstance(body, Unknown):
            yield block.id, body
        elif body is not None:
            root = next((each.root for each in read(str(body.value)) if isinstance(each, Document)), None)
            yield block.id, Sourced(float(_deletes(root)), Source.FILE, block.place())


def _deletes(root: Any) -> bool:
    """Whether a state of OpenSearch's index management deletes."""
    states = items(root, "policy.states")
    return any("delete" in mapping(action) for state in states for action in items(state, "actions"))


def _first(config: ConfigFile) -> Sourced[Any]:
    return Sourced(None, Source.FILE, config.place(getattr(config.root, "line", 1)))

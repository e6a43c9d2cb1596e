"""The demo's bill: thirteen months of FOCUS for the sample platform, the same for the same last day. PURE.

Two hundred resources of its services, with a week's rhythm, growth, a step (the data processor is made twice as large
in the seventh month), an anomaly (three days on which the collector sends its traffic through NAT), a savings plan, a
credit and tax; the last whole month is restated, with what was counted late and a refund. Amounts are whole
millionths, so that their sum is known exactly.
"""

import csv
import gzip
import io
import itertools
import json
import math
import random
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from operator import itemgetter

EXPORT, BILLING_ACCOUNT, CURRENCY = "clean-platform-demo", "demo-payer", "USD"
MONTHS = 13
SEED = 20_260
COLUMNS = (
    "BilledCost", "EffectiveCost", "ListCost", "BillingAccountId", "BillingCurrency", "BillingPeriodStart",
    "BillingPeriodEnd", "ChargePeriodStart", "ChargePeriodEnd", "ChargeCategory", "ChargeClass", "ChargeDescription",
    "ConsumedQuantity", "ConsumedUnit", "ServiceProviderName", "ServiceName", "ServiceCategory", "RegionId",
    "ResourceId", "SubAccountId", "SubAccountName", "Tags",
)  # fmt: skip
_MICRO = 1_000_000


@dataclass(frozen=True)
class Kind:
    """`price` is of one unit, in millionths; `units` a day of one resource."""

    cloud_service: str
    category: str
    unit: str
    price: int
    units: float
    prefix: str


EC2 = Kind("Amazon Elastic Compute Cloud", "Compute", "Hours", 192_000, 24, "instance/i-")
RDS = Kind("Amazon Relational Database Service", "Databases", "Hours", 580_000, 24, "db:aurora-")
MSK = Kind("Amazon Managed Streaming for Apache Kafka", "Integration", "Hours", 456_000, 24, "kafka:broker-")
CACHE = Kind("Amazon ElastiCache", "Databases", "Hours", 166_000, 24, "cache:node-")
LOGS = Kind("Amazon CloudWatch", "Management and Governance", "GB", 500_000, 9, "log-group:")
S3 = Kind("Amazon Simple Storage Service", "Storage", "GB-Month", 23_000, 30, "bucket/")
NAT = Kind("Amazon Virtual Private Cloud", "Networking", "GB", 45_000, 20, "natgateway/nat-")
LB = Kind("Elastic Load Balancing", "Networking", "Hours", 22_500, 24, "loadbalancer/lb-")
# (service of the platform, "" for nobody's; kind; how many)
FLEET = (
    ("data-collector", EC2, 42), ("data-collector", MSK, 6), ("data-collector", LOGS, 8), ("data-collector", NAT, 3),
    ("data-processor", EC2, 48), ("data-processor", RDS, 4), ("data-processor", CACHE, 6), ("data-processor", LOGS, 6),
    ("cell-router", EC2, 18), ("cell-router", LB, 8), ("cell-router", CACHE, 4),
    ("infrastructure", RDS, 2), ("infrastructure", S3, 14), ("infrastructure", LB, 4), ("infrastructure", NAT, 3),
    ("clean-platform", S3, 10), ("", EC2, 6), ("", S3, 8),
)  # fmt: skip


@dataclass(frozen=True)
class Resource:
    service: str
    kind: Kind
    name: str
    environment: str
    weight: float
    first: int  # days after the bill's first day; later ones came while it ran
    last: int


def resources(days: int) -> list[Resource]:
    """About two hundred, a tenth of which came or went in between."""
    chance = random.Random(SEED)  # noqa: S311 # a demo, not a secret
    found = []
    for service, kind, count in FLEET:
        for number in range(count):
            moved = chance.random()
            first = chance.randrange(days // 3, days - 20) if moved < 0.06 else 0
            last = chance.randrange(days // 3, days - 20) if moved > 0.95 else days
            environment = "production" if chance.random() < 0.8 else "staging"
            name = f"arn:aws:demo:eu-west-1::{kind.prefix}{service or 'old'}-{number:03}"
            found.append(Resource(service, kind, name, environment, 0.7 + 0.6 * chance.random(), first, last))
    return found


def first_day(last: date) -> date:
    month = last.replace(day=1)
    for _ in range(MONTHS - 1):
        month = (month - timedelta(days=1)).replace(day=1)
    return month


def lines(last: date, since: date = date.min) -> Iterator[dict[str, str]]:
    """The bill's lines from the day `since`, up to and with the day `last`."""
    begin = first_day(last)
    days = (last - begin).days + 1
    chance = random.Random(SEED + 1)  # noqa: S311 # the same
    fleet = [(each, _always(each)) for each in resources(days)]
    for at in range(days):
        day = begin + timedelta(days=at)
        period = _period(day)
        for resource, always in fleet:
            # Drawn for days before `since` too, so that those after it are the same.
            noise = 1 + 0.03 * chance.gauss(0, 1)
            if resource.first <= at < resource.last and day >= since:
                units = resource.kind.units * _level(resource, at, days) * noise
                yield {**always, **period, **_amounts(resource, round(units * 1000))}
        if day.day == 1 and day >= since:
            yield from _monthly(day)


def _level(resource: Resource, at: int, days: int) -> float:
    week = 1 + 0.12 * math.sin(2 * math.pi * ((at % 7) - 1) / 7) if resource.environment == "production" else 1.0
    growth = 1 + 0.25 * at / days
    step = 2.0 if resource.service == "data-processor" and resource.kind is EC2 and at >= days * 7 // MONTHS else 1.0
    is_odd = resource.service == "data-collector" and resource.kind is NAT and 0 <= at - (days - 41) < 3
    return resource.weight * week * growth * step * (14.0 if is_odd else 1.0)


def _always(resource: Resource) -> dict[str, str]:
    """What every line of a resource says, whatever the day."""
    tags = {"environment": resource.environment} | ({"service": resource.service} if resource.service else {})
    return _kept(resource.kind.cloud_service, resource.kind.category) | {
        "ConsumedUnit": resource.kind.unit,
        "ChargeDescription": f"{resource.kind.cloud_service}, {resource.kind.unit.lower()}",
        "ResourceId": resource.name,
        "SubAccountId": "demo-" + resource.environment,
        "SubAccountName": f"Clean platform, {resource.environment}",
        "Tags": json.dumps(tags, sort_keys=True),
    }


def _amounts(resource: Resource, milli_units: int) -> dict[str, str]:
    listed = resource.kind.price * milli_units // 1000
    billed = listed * 92 // 100
    covered = resource.kind is EC2 and resource.service == "cell-router"
    return {
        # What the savings plan covers is not billed again; it is worth two thirds of its price.
        "BilledCost": "0" if covered else money(billed),
        "EffectiveCost": money(listed * 66 // 100 if covered else billed),
        "ListCost": money(listed),
        "ConsumedQuantity": f"{milli_units // 1000}.{milli_units % 1000:03}",
    }


def _monthly(day: date) -> Iterator[dict[str, str]]:
    plan = {"ChargeDescription": "Savings plan, a month in advance", "ResourceId": "arn:aws:demo:::savingsplan/1"}
    yield _line(day, "Savings Plans for AWS Compute usage", "Compute") | plan | {
        "ChargeCategory": "Purchase", "BilledCost": "1740.00", "EffectiveCost": "0", "ListCost": "1740.00",
        "SubAccountId": "demo-production",
    }  # fmt: skip
    credit = {"ChargeCategory": "Credit", "BilledCost": "-125.50", "EffectiveCost": "-125.50", "ListCost": "0"}
    yield _line(day, "Amazon Elastic Compute Cloud", "Compute") | credit | {"ChargeDescription": "Migration credit"}
    tax = {"ChargeCategory": "Tax", "BilledCost": "310.07", "EffectiveCost": "310.07", "ListCost": "310.07"}
    yield _line(day, "Tax", "Other") | tax | {"ChargeDescription": "VAT"}


def _line(day: date, cloud_service: str, category: str) -> dict[str, str]:
    return _kept(cloud_service, category) | _period(day)


def _kept(cloud_service: str, category: str) -> dict[str, str]:
    return dict.fromkeys(COLUMNS, "") | {
        "BillingAccountId": BILLING_ACCOUNT, "BillingCurrency": CURRENCY, "ChargeCategory": "Usage",
        "ServiceProviderName": "AWS", "ServiceName": cloud_service, "ServiceCategory": category,
        "RegionId": "eu-west-1", "SubAccountId": "demo-production",
    }  # fmt: skip


def _period(day: date) -> dict[str, str]:
    month = day.replace(day=1)
    following = (month + timedelta(days=32)).replace(day=1)
    return {
        "BillingPeriodStart": f"{month}T00:00:00Z", "BillingPeriodEnd": f"{following}T00:00:00Z",
        "ChargePeriodStart": f"{day}T00:00:00Z", "ChargePeriodEnd": f"{day + timedelta(days=1)}T00:00:00Z",
    }  # fmt: skip


def money(micro: int) -> str:
    return f"{micro // _MICRO}.{micro % _MICRO:06}"


def corrections(last: date) -> Iterator[dict[str, str]]:
    """What the provider found out after the last whole month had ended: logs that were counted late, and a refund."""
    month = restated_month(last)
    late = {"ChargeDescription": "Log ingestion, counted late", "ResourceId": "arn:aws:demo:eu-west-1::log-group:late"}
    for day in range(19, 26):
        yield _line(month.replace(day=day), LOGS.cloud_service, LOGS.category) | late | {
            "BilledCost": "8.125000", "EffectiveCost": "8.125000", "ListCost": "8.831522", "ConsumedQuantity": "17.663",
            "ConsumedUnit": LOGS.unit, "Tags": json.dumps({"environment": "production", "service": "data-collector"}),
        }  # fmt: skip
    refund = {"ChargeCategory": "Adjustment", "ChargeClass": "Correction", "ChargeDescription": "Refund, service level"}
    yield _line(month.replace(day=28), NAT.cloud_service, NAT.category) | refund | {
        "BilledCost": "-118.400000", "EffectiveCost": "-118.400000", "ListCost": "0",
    }  # fmt: skip


def restated_month(last: date) -> date:
    return (last.replace(day=1) - timedelta(days=1)).replace(day=1)


def bill(last: date) -> bytes:
    """The whole bill as FOCUS CSV, packed; the same bytes for the same day."""
    return _packed(lines(last))


def restated(last: date) -> bytes:
    """The last whole month once more, with its corrections."""
    month = restated_month(last)
    whole = (line for line in lines(last, month) if line["BillingPeriodStart"] == f"{month}T00:00:00Z")
    return _packed(itertools.chain(whole, corrections(last)))


def _packed(rows: Iterable[dict[str, str]]) -> bytes:
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(COLUMNS)
    writer.writerows(map(itemgetter(*COLUMNS), rows))
    return gzip.compress(out.getvalue().encode(), 6, mtime=0)

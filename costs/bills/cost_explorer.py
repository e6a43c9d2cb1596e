"""AWS Cost Explorer: the answer of GetCostAndUsage as JSON. PURE.

Grouped, the totals are empty and the groups hold all; amounts are texts; days that are not final are marked Estimated.
"""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from costs.bills.json_rows import broken, mapping, own_meaning, parsed, text, written
from costs.bills.records import BillError, Head, Match, Meaning, Table, Tick

NAME = "aws-cost-explorer"
TITLE = "AWS Cost Explorer"
_BILLED = ("UnblendedCost", "NetUnblendedCost", "BlendedCost", "AmortizedCost", "NetAmortizedCost")
_EFFECTIVE = ("AmortizedCost", "NetAmortizedCost", *_BILLED)
_DIMENSIONS = {
    "SERVICE": "cloud_service", "LINKED_ACCOUNT": "account", "REGION": "region", "RESOURCE_ID": "resource",
}  # fmt: skip
_CATEGORIES = {"Tax": "Tax", "Credit": "Credit", "Refund": "Adjustment"}


def sniff(head: Head) -> Match:
    if head.kind == "json" and '"ResultsByTime"' in head.text:
        return Match(0.97, "It is an answer of Cost Explorer (ResultsByTime).")
    return Match(0.0, missing="no ResultsByTime")


def rows(path: Path, entry: str, folder: Path, tick: Tick) -> tuple[Table, Meaning]:
    document = mapping(parsed(path, entry))
    results = document.get("ResultsByTime")
    if not isinstance(results, list):
        raise broken(entry, "/ResultsByTime", "a list of periods")
    if document.get("NextPageToken"):
        raise BillError(
            "one_page", "This is one page of several.", pointer="/NextPageToken", entry=entry,
            remedy="Ask for all pages (the AWS command line does) and hand in the whole answer.",
        )  # fmt: skip
    names = [mapping(each) for each in document.get("GroupDefinitions") or ()]
    table = written(_rows(results, names, entry), folder / f"{path.name}.rows.csv", entry)
    estimated = frozenset(
        str(mapping(mapping(each).get("TimePeriod")).get("Start"))[:7]
        for each in results
        if mapping(each).get("Estimated") is True
    )
    return table, own_meaning(table, estimated=estimated)


def _rows(results: list[Any], names: list[Mapping[str, Any]], entry: str) -> Iterator[dict[str, str | None]]:
    for number, each in enumerate(results):
        starts = text(mapping(mapping(each).get("TimePeriod")).get("Start"))
        if starts is None:
            raise broken(entry, f"/ResultsByTime/{number}/TimePeriod/Start", "a day")
        groups = mapping(each).get("Groups") or []
        if not groups and mapping(each).get("Total"):
            yield _row(f"/ResultsByTime/{number}/Total", starts, {}, mapping(each)["Total"])
        for at, group in enumerate(groups):
            pointer = f"/ResultsByTime/{number}/Groups/{at}"
            yield _row(pointer, starts, _grouped(mapping(group).get("Keys"), names), mapping(group).get("Metrics"))


def _grouped(keys: Any, names: list[Mapping[str, Any]]) -> dict[str, str]:
    found: dict[str, str] = {}
    tags: dict[str, str] = {}
    for name, key in zip(names, keys if isinstance(keys, list) else (), strict=False):
        dimension = _DIMENSIONS.get(str(name.get("Key")))
        if name.get("Type") == "TAG":
            tag, _, value = str(key).partition("$")
            tags[tag] = value
        elif name.get("Key") == "RECORD_TYPE":
            found["charge_category"] = _CATEGORIES.get(str(key), "Usage")
        elif dimension:
            found[dimension] = str(key)
    return found | ({"tags": json.dumps(tags)} if tags else {})


def _row(pointer: str, starts: str, grouped: dict[str, str], metrics: Any) -> dict[str, str | None]:
    def of(names: tuple[str, ...]) -> tuple[str | None, str | None]:
        for name in names:
            if name in mapping(metrics):
                metric = mapping(mapping(metrics)[name])
                return text(metric.get("Amount")), text(metric.get("Unit"))
        return None, None

    billed, currency = of(_BILLED)
    quantity, unit = of(("UsageQuantity",))
    return {
        "pointer": pointer, "starts": starts, "provider": "AWS", **grouped, "billed": billed,
        "effective": of(_EFFECTIVE)[0], "currency": currency, "quantity": quantity, "unit": unit,
    }  # fmt: skip

"""OpenCost: /allocation and /cloudCost as JSON, and its CSV export. PURE.

Amounts are those of the whole window, not of a month. What OpenCost computes is no invoice: billed and effective of an
allocation are its total cost. No currency is named in any of them.
"""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from costs.bills.json_rows import broken, mapping, own_meaning, parsed, text, written
from costs.bills.records import BillError, Head, Match, Meaning, Table, Tick, chosen, first_of, quoted

NAME = "opencost"
TITLE = "OpenCost"
NOTE = "OpenCost names no currency: amounts are shown without one"


def sniff(head: Head) -> Match:
    if head.kind == "csv" and head.has("Date", "Namespace", "ControllerName", "TotalCost"):
        return Match(0.95, "It has the columns of OpenCost's CSV export.")
    if head.kind == "json" and '"data"' in head.text:
        if '"cloudCosts"' in head.text and '"netCost"' in head.text:
            return Match(0.95, "It is an answer of OpenCost's cloudCost API.")
        if '"totalCost"' in head.text and '"properties"' in head.text:
            return Match(0.95, "It is an answer of OpenCost's allocation API.")
        if '"window"' not in head.text and '"code"' in head.text and head.text.count('"data"') == 1:
            return Match(0.5, "It looks like an answer of OpenCost's API.")
    return Match(0.0, missing="no allocations with totalCost")


def meaning(table: Table, tag_keys: frozenset[str]) -> Meaning:
    """Of the CSV export: one line per day and container."""
    names = [first_of(table, name) for name in ("Namespace", "ControllerName", "Pod", "Container")]
    parts = ", ".join(name for name in names if name)
    cost = first_of(table, "TotalCost")
    return Meaning(
        fields=chosen(
            starts=first_of(table, "Date"),
            account=first_of(table, "Cluster"),
            billing_account=first_of(table, "Cluster"),
            provider=quoted("OpenCost"),
            cloud_service=quoted("Kubernetes"),
            namespace=first_of(table, "Namespace"),
            resource_group=first_of(table, "ControllerName"),
            resource=f"concat_ws('/', {parts})" if parts else None,
            tags=first_of(table, "Labels"),
            billed=cost,
            effective=cost,
        ),
        notes=(NOTE,),
    )


def rows(path: Path, entry: str, folder: Path, tick: Tick) -> tuple[Table, Meaning]:
    """Of JSON. Raises BillError when it is no answer of the API, or an empty one."""
    document = parsed(path, entry)
    data = mapping(document).get("data")
    said, code = text(mapping(document).get("message")), text(mapping(document).get("code"))
    if not data and code not in (None, "200"):
        raise BillError(
            "not_an_answer", f"OpenCost answered with an error ({code}): {(said or 'it says no more')[:200]}",
            remedy="Ask again, and save the answer of a call that succeeds.", pointer="/message", entry=entry,
        )  # fmt: skip
    if isinstance(data, Mapping) and "sets" in data:
        found = _cloud_costs(data["sets"], entry)
    elif isinstance(data, list):
        found = _allocations(data, entry)
    elif data is None:
        raise _empty(entry)
    else:
        raise broken(entry, "/data", "a list of steps")
    table = written(found, folder / f"{path.name}.rows.csv", entry)
    return table, own_meaning(table, notes=(NOTE,))


def _empty(entry: str) -> BillError:
    return BillError(
        "empty", "The answer holds no data.", remedy="Ask OpenCost for a window in which something ran.",
        pointer="/data", entry=entry,
    )  # fmt: skip


def _allocations(steps: list[Any], entry: str) -> Iterator[dict[str, str | None]]:
    for number, step in enumerate(steps):
        if step is not None and not isinstance(step, Mapping):
            raise broken(entry, f"/data/{number}", "allocations by name")
        for name, each in mapping(step).items():
            properties = mapping(mapping(each).get("properties"))
            window = mapping(mapping(each).get("window"))
            cost = text(mapping(each).get("totalCost"))
            yield {
                "pointer": f"/data/{number}/{name}",
                "starts": text(window.get("start")) or text(mapping(each).get("start")),
                "billing_account": text(properties.get("cluster")),
                "account": text(properties.get("cluster")),
                "provider": "OpenCost",
                "cloud_service": "Kubernetes",
                "namespace": text(properties.get("namespace")),
                "resource_group": text(properties.get("controller")),
                "resource": str(name),
                "tags": json.dumps({**mapping(properties.get("namespaceLabels")), **mapping(properties.get("labels"))}),
                "billed": cost,
                "effective": cost,
            }


def _cloud_costs(sets: Any, entry: str) -> Iterator[dict[str, str | None]]:
    if not isinstance(sets, list):
        raise broken(entry, "/data/sets", "a list of sets")
    for number, each in enumerate(sets):
        for name, item in mapping(mapping(each).get("cloudCosts")).items():
            properties = mapping(mapping(item).get("properties"))
            owner = text(properties.get("invoiceEntityID"))
            yield {
                "pointer": f"/data/sets/{number}/cloudCosts/{name}",
                "starts": text(mapping(mapping(item).get("window")).get("start")),
                "billing_account": owner or text(properties.get("provider")),
                "account": text(properties.get("accountID")) or owner,
                "provider": text(properties.get("provider")),
                "cloud_service": text(properties.get("service")),
                "service_category": text(properties.get("category")),
                "region": text(properties.get("regionID")),
                "resource": text(properties.get("providerID")) or str(name),
                "tags": json.dumps(dict(mapping(properties.get("labels")))),
                "billed": _cost(item, "netCost"),
                "effective": _cost(item, "amortizedNetCost"),
                "list": _cost(item, "listCost"),
            }


def _cost(item: Any, name: str) -> str | None:
    return text(mapping(mapping(item).get(name)).get("cost"))

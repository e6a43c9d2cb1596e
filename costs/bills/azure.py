"""Azure cost details: Enterprise Agreement and Microsoft Customer Agreement exports, and the older usage details.
PURE.

Headers come in English, camelCase, or localized with the English name in brackets. Actual and amortized cost have the
same columns, and must never be added: which one it is, is told by the lines of commitments, and an amortized file is an
export of its own, so that the two are refused side by side.

Amortized, a covered line states what its share of the commitment costs, and what nobody used has lines of its own
(UnusedReservation); the purchase itself is missing. Actual, the purchase is there, and what it covers costs nothing.
"""

import re
from dataclasses import replace

from costs.bills import tables
from costs.bills.records import BillError, Head, Match, Meaning, Table, chosen, quoted

NAME = "azure-cost"
TITLE = "Azure cost details"
ACTUAL, AMORTIZED = NAME, "azure-amortized"  # what their exports are called
_BOUGHT = "Actual cost: what was paid in advance stands on its day; Azure's amortized export has it spread"
_SPREAD = (
    "Amortized cost: what a reservation or savings plan covers is effective cost and not billed; its purchase is in the"
    " actual export"
)
_COSTS = ("costinbillingcurrency", "pretaxcost", "cost", "extendedcost")
_IN_BRACKETS = re.compile(r".*\(([A-Za-z0-9]+)\)\s*")
_CATEGORIES = {"Purchase": ("purchase",), "Tax": ("tax",), "Adjustment": ("refund", "adjustment", "roundingadjustment")}


def _names(headers: tuple[str, ...]) -> list[str]:
    """`Ressourcengruppe (ResourceGroup)` is ResourceGroup."""
    found = (_IN_BRACKETS.fullmatch(header) for header in headers)
    return [(inside[1] if inside else header).strip().lower() for inside, header in zip(found, headers, strict=True)]


def sniff(head: Head) -> Match:
    names = set(_names(head.headers))
    if "metercategory" in names and names & set(_COSTS) and names & {"date", "usagedatetime", "usagedate"}:
        return Match(0.95, "It has Azure's columns MeterCategory, date and cost.")
    return Match(0.0, missing="no MeterCategory with a cost")


def meaning(table: Table, tag_keys: frozenset[str]) -> Meaning:
    columns = dict(zip(reversed(_names(table.headers)), reversed(table.columns), strict=True))

    def first(*names: str) -> str | None:
        found = [columns[name] for name in names if name in columns]
        return f"coalesce({', '.join(found)})" if found else None

    cost, kind = first(*_COSTS), columns.get("chargetype")
    return Meaning(
        fields=chosen(
            period=first("billingperiodstartdate"),
            starts=first("date", "usagedatetime", "usagedate"),
            billing_account=first("billingaccountid", "subscriptionid", "subscriptionguid"),
            account=first("subscriptionid", "subscriptionguid"),
            account_name=first("subscriptionname"),
            provider=quoted("Microsoft"),
            cloud_service=first("metercategory", "servicename", "consumedservice"),
            service_category=first("servicefamily", "consumedservice"),
            charge_category=_category(kind),
            region=first("resourcelocation", "meterregion"),
            resource_group=first("resourcegroup", "resourcegroupname"),
            resource=first("resourceid", "instanceid", "instancename"),
            unit=first("unitofmeasure"),
            currency=first("billingcurrencycode", "billingcurrency", "currency"),
            tags=first("tags"),
            billed=cost,
            quantity=first("quantity", "usagequantity"),
        ),
        empty_is_zero=True,
    )


def looked(table: Table, meaning: Meaning) -> Meaning:
    """Actual or amortized, by all of the file's lines. Without commitments both are the same."""
    columns = dict(zip(reversed(_names(table.headers)), reversed(table.columns), strict=True))
    kind, cost = columns.get("chargetype"), meaning.fields.get("billed")
    marks = [f"coalesce({columns[name]}, '') <> ''" for name in ("reservationid", "benefitid") if name in columns]
    if "pricingmodel" in columns:
        marks.append(f"lower(replace({columns['pricingmodel']}, ' ', '')) IN ('reservation', 'savingsplan')")
    if kind is None or cost is None or not marks:
        return meaning
    committed = f"coalesce({' OR '.join(marks)}, false)"
    unused = f"coalesce(lower({kind}) IN ('unusedreservation', 'unusedsavingsplan'), false)"
    costs = f"regexp_matches({cost}, '^[^eE]*[1-9]')"
    bought, wasted, used = tables.ask(
        table,
        f"count(*) FILTER (lower({kind}) = 'purchase' AND {committed}), count(*) FILTER ({unused}),"
        f" count(*) FILTER (lower({kind}) = 'usage' AND {committed} AND {costs})",
    )
    if bought and wasted:
        raise mixed(table.entry)
    if bought:
        return replace(meaning, export=ACTUAL, notes=(_BOUGHT,))
    if not wasted and not used:
        return meaning
    paid = f"{unused} OR (lower({kind}) = 'usage' AND {committed})"
    fields = {**meaning.fields, "billed": f"CASE WHEN {paid} THEN '0' ELSE {cost} END", "effective": cost}
    return replace(meaning, fields=fields, export=AMORTIZED, notes=(_SPREAD,))


def kind_of(notes: str) -> str:
    """What an import's notes say that it is: actual, amortized, or "" where both are the same."""
    return "amortized" if _SPREAD in notes else "actual" if _BOUGHT in notes else ""


def mixed(entry: str) -> BillError:
    return BillError(
        "actual_and_amortized", "It has purchases of commitments and what they cost spread over their use: the same"
        " money twice.", remedy="Export actual cost or amortized cost, one of the two.", entry=entry,
    )  # fmt: skip


def _category(kind: str | None) -> str:
    if kind is None:
        return quoted("Usage")
    branches = " ".join(
        f"WHEN lower({kind}) IN ({', '.join(map(quoted, kinds))}) THEN {quoted(name)}"
        for name, kinds in _CATEGORIES.items()
    )
    return f"CASE {branches} ELSE 'Usage' END"

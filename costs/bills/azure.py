"""Azure cost details: Enterprise Agreement and Microsoft Customer Agreement exports, and the older usage details.
PURE.

Headers come in English, camelCase, or localized with the English name in brackets. Actual and amortized cost have the
same columns, and must never be added: an amortized file counts as an export of its own, so that the two are refused
side by side.
"""

import re

from costs.bills.records import Head, Match, Meaning, Table, chosen, quoted

NAME = "azure-cost"
TITLE = "Azure cost details"
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


def is_amortized(table: Table) -> str | None:
    """SQL over the table: whether a line can only be of an amortized export; None when that cannot be told."""
    columns = dict(zip(_names(table.headers), table.columns, strict=True))
    kind = columns.get("chargetype")
    return f"lower({kind}) IN ('unusedreservation', 'unusedsavingsplan')" if kind else None


def _category(kind: str | None) -> str:
    if kind is None:
        return quoted("Usage")
    branches = " ".join(
        f"WHEN lower({kind}) IN ({', '.join(map(quoted, kinds))}) THEN {quoted(name)}"
        for name, kinds in _CATEGORIES.items()
    )
    return f"CASE {branches} ELSE 'Usage' END"

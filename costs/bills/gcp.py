"""Google Cloud's billing export (gcp_billing_export_v1) as CSV, nested columns with dots. PURE.

What is paid is cost plus credits; a charge belongs to the month of its invoice, which may not be that of its usage.
"""

from collections.abc import Callable

from costs.bills.records import Head, Match, Meaning, Table, chosen, first_of, quoted

NAME = "gcp-billing"
TITLE = "Google Cloud billing export"
# Credits are JSON, or a Python list that some exporter has written down.
_AMOUNTS = r"""["']amount["']\s*:\s*(?:Decimal\()?["']?([+-]?[0-9.]+(?:[eE][+-]?[0-9]+)?)"""


def sniff(head: Head) -> Match:
    if head.has("cost", "usage_start_time", "currency") and (head.has("sku.id") or head.has("service.description")):
        return Match(0.95, "It has the columns of Google Cloud's billing export.")
    return Match(0.0, missing="no usage_start_time, cost and sku.id")


def meaning(table: Table, tag_keys: frozenset[str]) -> Meaning:
    month, kind = table.column("invoice.month"), table.column("cost_type")
    cost, credits = table.column("cost"), table.column("credits")

    def net(number: Callable[[str], str]) -> str:
        if cost is None or credits is None:
            return number(cost or "NULL")
        found = f"regexp_extract_all({credits}, {quoted(_AMOUNTS)}, 1)"
        given = f"coalesce(list_sum(list_transform({found}, lambda x: {number('x')})), 0)"
        return f"{number(cost)} + CASE WHEN {credits} IS NULL THEN 0 ELSE {given} END"

    return Meaning(
        fields=chosen(
            period=f"substr({month}, 1, 4) || '-' || substr({month}, 5, 2) || '-01'" if month else None,
            starts=first_of(table, "usage_start_time"),
            billing_account=first_of(table, "billing_account_id"),
            account=first_of(table, "project.id"),
            account_name=first_of(table, "project.name"),
            provider=quoted("Google Cloud"),
            cloud_service=first_of(table, "service.description", "service.id"),
            charge_category=f"CASE lower({kind}) WHEN 'tax' THEN 'Tax' WHEN 'regular' THEN 'Usage'"
            " ELSE 'Adjustment' END"
            if kind
            else None,
            region=first_of(table, "location.region", "location.location"),
            resource=first_of(table, "resource.global_name", "resource.name"),
            unit=first_of(table, "usage.unit"),
            currency=first_of(table, "currency"),
            tags=first_of(table, "labels"),
            quantity=first_of(table, "usage.amount"),
        ),
        computed={"billed": net, "effective": net},
        notes=("Credits are taken off the charge they belong to",) if credits else (),
    )

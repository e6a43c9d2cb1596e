"""AWS Cost and Usage Report: legacy (slashes in CSV, snake_case in Parquet) and CUR 2.0. PURE.

Billed is UnblendedCost: its sum is the invoice. Effective follows AWS's own rules for amortized cost: usage that a
reservation or savings plan covers counts what the commitment is worth, the commitment's fee counts what was left
unused, and the upfront payment and SavingsPlanNegation count nothing.
"""

import re
from collections.abc import Callable

from costs.bills.records import Head, Match, Meaning, Table, chosen, quoted

LEGACY, CUR2 = "aws-cur", "aws-cur2"
TITLES = {LEGACY: "AWS CUR", CUR2: "AWS CUR 2.0"}
_ONLY_CUR2 = ("resource_tags", "bill_payer_account_name", "line_item_usage_account_name", "cost_category")
_CATEGORIES = {
    "Tax": ("Tax",),
    "Credit": ("Credit", "EdpDiscount", "BundledDiscount", "PrivateRateDiscount", "SppDiscount"),
    "Adjustment": ("Refund",),
    "Purchase": ("Fee", "RIFee", "SavingsPlanRecurringFee", "SavingsPlanUpfrontFee"),
}
_TAG = re.compile(r"(?:resourceTags/(?:user:)?|resource_tags_(?:user_)?)(.+)", re.IGNORECASE)


def snake(name: str) -> str:
    """lineItem/UnblendedCost → line_item_unblended_cost, as AWS itself renames for Parquet."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name.replace("/", "_")).lower()


def _is_cur(head: Head) -> bool:
    return head.has("lineItem/UnblendedCost") or head.has("line_item_unblended_cost")


def sniff_legacy(head: Head) -> Match:
    if _is_cur(head) and not any(head.has(name) for name in _ONLY_CUR2):
        return Match(0.97, "It has the columns of a Cost and Usage Report.")
    return Match(0.0, missing="no lineItem/UnblendedCost")


def sniff_cur2(head: Head) -> Match:
    if head.has("line_item_unblended_cost") and any(head.has(name) for name in _ONLY_CUR2):
        return Match(0.98, "It has the columns of a Cost and Usage Report 2.0.")
    return Match(0.0, missing="no line_item_unblended_cost beside resource_tags")


def meaning(table: Table, tag_keys: frozenset[str]) -> Meaning:
    columns = {snake(header): column for header, column in zip(table.headers, table.columns, strict=True)}
    get = columns.get
    return Meaning(
        fields=chosen(
            period=get("bill_billing_period_start_date"),
            starts=_first(get("line_item_usage_start_date"), get("bill_billing_period_start_date")),
            billing_account=get("bill_payer_account_id"),
            account=get("line_item_usage_account_id"),
            account_name=get("line_item_usage_account_name"),
            provider=quoted("AWS"),
            cloud_service=_first(
                get("product_servicename"), get("product_product_name"), get("line_item_product_code")
            ),
            service_category=_first(get("product_product_family"), get("line_item_product_code")),
            charge_category=_category(get("line_item_line_item_type")),
            region=_first(get("product_region_code"), get("product_region")),
            resource=get("line_item_resource_id"),
            unit=get("pricing_unit"),
            currency=get("line_item_currency_code"),
            tags=get("resource_tags") or _tags(table, tag_keys),
            billed=get("line_item_unblended_cost"),
            list=get("pricing_public_on_demand_cost"),
            quantity=get("line_item_usage_amount"),
        ),
        computed={"effective": lambda number: _effective(columns, number)},
        empty_is_zero=True,
    )


def _first(*columns: str | None) -> str | None:
    found = [column for column in columns if column]
    return f"coalesce({', '.join(found)})" if found else None


def _category(kind: str | None) -> str:
    if kind is None:
        return quoted("Usage")
    branches = " ".join(
        f"WHEN {kind} IN ({', '.join(map(quoted, kinds))}) THEN {quoted(name)}" for name, kinds in _CATEGORIES.items()
    )
    return f"CASE {branches} ELSE 'Usage' END"


def _effective(columns: dict[str, str], number: Callable[[str], str]) -> str:
    def of(*names: str) -> str:
        known = [f"coalesce({number(columns[name])}, 0)" for name in names if name in columns]
        return " + ".join(known)

    billed, kind = of("line_item_unblended_cost") or "0", columns.get("line_item_line_item_type")
    if kind is None:
        return billed
    branches = []
    if used := of("reservation_effective_cost"):
        branches.append(f"WHEN {kind} = 'DiscountedUsage' THEN {used}")
    if used := of("savings_plan_savings_plan_effective_cost"):
        branches.append(f"WHEN {kind} = 'SavingsPlanCoveredUsage' THEN {used}")
        branches.append(f"WHEN {kind} IN ('SavingsPlanNegation', 'SavingsPlanUpfrontFee') THEN 0")
    committed, spent = of("savings_plan_total_commitment_to_date"), of("savings_plan_used_commitment")
    if committed and spent:
        branches.append(f"WHEN {kind} = 'SavingsPlanRecurringFee' THEN {committed} - ({spent})")
    unused = of("reservation_unused_amortized_upfront_fee_for_billing_period", "reservation_unused_recurring_fee")
    if unused:
        branches.append(f"WHEN {kind} = 'RIFee' THEN {unused}")
    reservation = columns.get("reservation_reservation_arn") or columns.get("reservation_reservation_a_r_n")
    if reservation:
        branches.append(f"WHEN {kind} = 'Fee' AND {reservation} IS NOT NULL THEN 0")
    return f"CASE {' '.join(branches)} ELSE {billed} END" if branches else billed


def _tags(table: Table, tag_keys: frozenset[str]) -> str | None:
    """Each tag is a column of its own; those by which costs are given to somebody are put together."""
    pairs = [
        f"{quoted(found[1])}, {column}"
        for header, column in zip(table.headers, table.columns, strict=True)
        if (found := _TAG.fullmatch(header)) and found[1].lower() in tag_keys
    ]
    return f"json_object({', '.join(pairs)})" if pairs else None

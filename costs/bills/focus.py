"""FOCUS 1.0 to 1.4 (FinOps Open Cost and Usage Specification), as CSV or Parquet. PURE.

BilledCost is the invoice, EffectiveCost spreads commitments. 1.3 names ServiceProviderName beside ProviderName, 1.4
has no other. Columns of one's own (x_…) and in any order are allowed.
"""

from costs.bills.records import Head, Match, Meaning, Table, chosen, first_of, quoted

NAME = "focus"
TITLE = "FOCUS"
# What Microsoft's exports, known by their own column, write for nothing.
_NOTHING = ("-2", "Unassigned")
_NEEDED = ("BilledCost", "ChargePeriodStart")


def sniff(head: Head) -> Match:
    if head.kind not in ("csv", "parquet"):
        return Match(0.0, missing="it is a table, not JSON")
    missing = [name for name in (*_NEEDED, "ChargeCategory") if not head.has(name)]
    if not missing:
        return Match(0.98, "It has FOCUS's columns BilledCost, ChargePeriodStart and ChargeCategory.")
    if head.has("ContractCommitmentId"):
        return Match(0.0, missing="it is its table of contract commitments, which holds no charges")
    return Match(0.6 if len(missing) == 1 and head.has("BilledCost") else 0.0, missing=f"no {', '.join(missing)}")


def meaning(table: Table, tag_keys: frozenset[str]) -> Meaning:
    provider = first_of(
        table, "ServiceProviderName", "ProviderName", "PublisherName", "InvoiceIssuerName", "Provider", "Publisher"
    )

    def stated(*headers: str) -> str | None:
        found = first_of(table, *headers)
        if found is None or table.column("x_BillingProfileId") is None:
            return found
        return f"CASE WHEN {found} NOT IN ({', '.join(map(quoted, _NOTHING))}) THEN {found} END"

    return Meaning(
        fields=chosen(
            period=first_of(table, "BillingPeriodStart"),
            starts=first_of(table, "ChargePeriodStart"),
            billing_account=first_of(table, "BillingAccountId"),
            account=stated("SubAccountId", "BillingAccountId"),
            account_name=stated("SubAccountName"),
            provider=provider,
            cloud_service=first_of(table, "ServiceName"),
            service_category=first_of(table, "ServiceCategory"),
            charge_category=first_of(table, "ChargeCategory"),
            region=stated("RegionId", "RegionName", "Region"),
            resource_group=stated("x_ResourceGroupName"),
            resource=stated("ResourceId"),
            unit=first_of(table, "ConsumedUnit", "UsageUnit", "PricingUnit"),
            currency=first_of(table, "BillingCurrency"),
            tags=first_of(table, "Tags"),
            billed=first_of(table, "BilledCost"),
            effective=first_of(table, "EffectiveCost"),
            list=first_of(table, "ListCost"),
            quantity=_quantity(table),
        )
    )


def _quantity(table: Table) -> str | None:
    """With the unit that goes with it: consumed, else priced."""
    consumed, unit = first_of(table, "ConsumedQuantity", "UsageQuantity"), first_of(table, "ConsumedUnit", "UsageUnit")
    priced = table.column("PricingQuantity")
    if consumed is None or priced is None or unit is None:
        return consumed if unit else priced
    return f"CASE WHEN {unit} IS NOT NULL THEN {consumed} ELSE {priced} END"

"""FOCUS 1.0 to 1.4 (FinOps Open Cost and Usage Specification), as CSV or Parquet. PURE.

BilledCost is the invoice, EffectiveCost spreads commitments. 1.3 names ServiceProviderName beside ProviderName, 1.4
has no other. Columns of one's own (x_…) and in any order are allowed.
"""

from costs.bills.records import Head, Match, Meaning, Table, chosen, first_of

NAME = "focus"
TITLE = "FOCUS"
_NEEDED = ("BilledCost", "ChargePeriodStart")


def sniff(head: Head) -> Match:
    if head.kind not in ("csv", "parquet"):
        return Match(0.0, missing="it is a table, not JSON")
    missing = [name for name in (*_NEEDED, "ChargeCategory") if not head.has(name)]
    if not missing:
        return Match(0.98, "It has FOCUS's columns BilledCost, ChargePeriodStart and ChargeCategory.")
    return Match(0.6 if len(missing) == 1 and head.has("BilledCost") else 0.0, missing=f"no {', '.join(missing)}")


def meaning(table: Table, tag_keys: frozenset[str]) -> Meaning:
    provider = first_of(table, "ServiceProviderName", "ProviderName", "PublisherName", "InvoiceIssuerName")
    return Meaning(
        fields=chosen(
            period=first_of(table, "BillingPeriodStart"),
            starts=first_of(table, "ChargePeriodStart"),
            billing_account=first_of(table, "BillingAccountId"),
            account=first_of(table, "SubAccountId", "BillingAccountId"),
            account_name=first_of(table, "SubAccountName"),
            provider=provider,
            cloud_service=first_of(table, "ServiceName"),
            service_category=first_of(table, "ServiceCategory"),
            charge_category=first_of(table, "ChargeCategory"),
            region=first_of(table, "RegionId", "RegionName"),
            resource_group=first_of(table, "x_ResourceGroupName"),
            resource=first_of(table, "ResourceId"),
            unit=first_of(table, "ConsumedUnit", "PricingUnit"),
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
    consumed, priced = table.column("ConsumedQuantity"), table.column("PricingQuantity")
    if consumed is None or priced is None or table.column("ConsumedUnit") is None:
        return consumed if table.column("ConsumedUnit") else priced
    return f"CASE WHEN {table.column('ConsumedUnit')} IS NOT NULL THEN {consumed} ELSE {priced} END"

"""A list of charges in columns of any name: guessed from the header, or remembered from what a person said. PURE.

A mapping is our field → their header; one that begins with "=" is the same for every line ("=EUR").
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from hashlib import blake2b

from costs.bills import numbers, tables
from costs.bills.records import BillError, Head, Match, Meaning, Table, chosen, quoted

NAME = "charges-csv"
TITLE = "List of charges"
# Our field → headers that mean it, likeliest first; compared in lower case without spaces and punctuation.
SYNONYMS: dict[str, tuple[str, ...]] = {
    "starts": (
        "day", "date", "chargeperiodstart", "usagedate", "startdate", "start", "period", "timestamp", "time",
        "usagestart", "usagestarttime", "invoicedate", "bookingdate", "month", "datum", "tag", "monat",
        "jour", "fecha", "día", "mois", "mes", "billingmonth", "invoicemonth", "billingperiod", "billingperiodstart",
        "abrechnungsmonat", "abrechnungszeitraum",
    ),
    "period": (
        "billingperiodstart", "billingperiod", "billingmonth", "invoicemonth", "abrechnungsmonat",
        "abrechnungszeitraum",
    ),
    "billed": (
        "billedcost", "billed", "cost", "amount", "costs", "total", "totalcost", "charge", "price", "netcost",
        "invoiceamount", "costusd", "costeur", "amountusd", "amounteur", "betrag", "kosten", "spend",
        "coût", "montant", "importe", "coste", "costo",
    ),
    "effective": ("effectivecost", "effective", "amortizedcost", "amortized"),
    "currency": ("currency", "billingcurrency", "currencycode", "waehrung", "währung", "devise", "moneda"),
    "cloud_service": (
        "service", "servicename", "product", "productname", "item", "sku", "description", "dienst",
        "produit", "servicio", "producto",
    ),
    "service_category": ("servicecategory", "category", "productfamily"),
    "charge_category": ("chargecategory", "chargetype", "lineitemtype", "type"),
    "billing_account": ("billingaccountid", "billingaccount", "payeraccount", "invoiceaccount"),
    "account": ("account", "accountid", "subaccountid", "subscription", "subscriptionid", "project", "projectid"),
    "provider": ("provider", "providername", "vendor", "supplier", "cloud"),
    "region": ("region", "regionid", "location"),
    "resource_group": ("resourcegroup", "resourcegroupname", "folder"),
    "resource": ("resource", "resourceid", "resourcename", "instance", "instanceid"),
    "namespace": ("namespace",),
    "quantity": ("quantity", "usage", "usageamount", "consumedquantity", "units", "menge"),
    "unit": ("unit", "consumedunit", "pricingunit", "unitofmeasure", "einheit"),
    "tags": ("tags", "labels"),
    "tag_team": ("team", "owner", "squad", "costcenter", "department", "kostenstelle"),
    "tag_service": ("application", "app", "component", "workload"),
    "tag_environment": ("environment", "env", "stage", "umgebung"),
    "days": (), "decimals": (),
}  # fmt: skip
# What is said of the writing, and not found in a column; without it the first lines tell.
WRITTEN = {
    "days": {
        "month first": "6/30/2026, the month first", "day first": "30/6/2026, the day first",
        "day.month.year": "30.06.2026", "iso": "2026-06-30", "compact": "20260630",
        "month": "2026-06 or 06/2026, a month", "named month": "June 2026, a month", "named day": "30 Jun 2026",
    },
    "decimals": {"point": "1,234.50, with a point", "comma": "1.234,50, with a comma"},
}  # fmt: skip
NEEDED = ("starts", "billed")
# How a person calls them, in the order in which they are asked.
LABELS = {
    "starts": "Day", "billed": "Amount", "days": "Days are written", "decimals": "Amounts are written",
    "currency": "Currency", "effective": "Effective cost", "period": "Billing period",
    "cloud_service": "Product or cloud service", "charge_category": "Kind of charge", "account": "Account",
    "billing_account": "Billing account", "provider": "Provider", "region": "Region",
    "resource_group": "Resource group", "resource": "Resource", "namespace": "Namespace", "quantity": "Quantity",
    "unit": "Unit", "service_category": "Category", "tags": "Tags (JSON)", "tag_team": "Team",
    "tag_service": "Service", "tag_environment": "Environment",
}  # fmt: skip
_NOT_WORD = re.compile(r"[\W_]+")


def key(header: str) -> str:
    return _NOT_WORD.sub("", header[:200]).casefold()


def signature(headers: Sequence[str]) -> str:
    """The same for the same columns in any order: what a mapping is remembered under."""
    joined = "\x1f".join(("charges", *sorted({key(header) for header in headers})))
    return blake2b(joined.encode("utf-8", "replace"), digest_size=16).hexdigest()


def guess(headers: Sequence[str]) -> dict[str, str]:
    """What the headers say by themselves. A column is used once, for the field it fits best."""
    known: dict[str, str] = {}
    for header in headers:
        known.setdefault(key(header), header)
    found: dict[str, str] = {}
    for field, synonyms in SYNONYMS.items():
        for synonym in synonyms:
            if synonym in known and known[synonym] not in found.values():
                found[field] = known[synonym]
                break
    return found


def sniff(head: Head) -> Match:
    if head.kind != "csv" or len(head.headers) < 2:
        return Match(0.0, missing="no table with a day and an amount")
    found = guess(head.headers)
    missing = [LABELS[field].lower() for field in NEEDED if field not in found]
    if not missing:
        return Match(0.7, f"Its columns {found['starts']} and {found['billed']} are those of a list of charges.")
    return Match(0.3 if len(missing) == 1 else 0.0, missing=f"no column for {' and '.join(missing)}")


def meaning(table: Table, tag_keys: frozenset[str], remembered: Mapping[str, str] | None = None) -> Meaning:
    """Raises BillError mapping_needed, with the headers, when day or amount cannot be told."""
    mapped = guess(table.headers)
    if remembered:
        kept = {
            field: header
            for field, header in remembered.items()
            if field in SYNONYMS and (header[:1] == "=" or table.column(header) is not None)
        }
        mapped = kept if all(field in kept for field in NEEDED) else {**mapped, **kept}
    missing = [LABELS[field].lower() for field in NEEDED if field not in mapped]
    if missing:
        raise BillError(
            "mapping_needed", f"Which column holds the {' and the '.join(missing)} cannot be told from the header.",
            remedy="Say which column means what: the answer is remembered for files with the same columns.",
            line=1, entry=table.entry, headers=list(table.headers),
        )  # fmt: skip
    days, decimals = (mapped.pop(name, "").removeprefix("=") for name in WRITTEN)
    fields = {field: _expression(table, header) for field, header in mapped.items()}
    kind = fields.pop("charge_category", None)
    tags = [(field.removeprefix("tag_"), fields.pop(field)) for field in list(fields) if field.startswith("tag_")]
    if tags and "tags" not in fields:
        fields["tags"] = f"json_object({', '.join(f'{quoted(name)}, {column}' for name, column in tags)})"
    return Meaning(
        fields=chosen(**fields, charge_category=_category(kind) if kind else None),
        days=days if days in WRITTEN["days"] else "",
        decimals=decimals if decimals in WRITTEN["decimals"] else "",
    )


def looked(table: Table, meaning: Meaning, remembered: Mapping[str, str] | None) -> Meaning:
    """Without a column that is called as billing periods are, and in which no line has one that can be read."""
    period = meaning.fields.get("period")
    if period is None or "period" in (remembered or {}):
        return meaning
    plain = [style for style in numbers.DATE_FORMATS if style not in numbers.NAMED]
    lettered = f"count(*) FILTER ({numbers.has_letters(period)})"
    read, named = tables.ask(table, f"{_readable(period, plain)}, {lettered}")
    if named and not read:  # names of months take longer to plan than a small list to read
        (read,) = tables.ask(table, _readable(period, numbers.NAMED))
    if read:
        return meaning
    fields = {name: column for name, column in meaning.fields.items() if name != "period"}
    return replace(meaning, fields=fields)


def _readable(text: str, styles: Iterable[str]) -> str:
    """SQL: in how many lines one of the styles reads a day."""
    return f"count(*) FILTER ({' OR '.join(f'{numbers.day(text, style)} IS NOT NULL' for style in styles)})"


def _expression(table: Table, header: str) -> str:
    if header[:1] == "=":
        return quoted(header[1:])
    column = table.column(header)
    assert column is not None
    return column


def _category(kind: str) -> str:
    """The five of FOCUS by name, in any case; anything else is usage."""
    return (
        f"CASE lower({kind}) WHEN 'purchase' THEN 'Purchase' WHEN 'tax' THEN 'Tax' WHEN 'credit' THEN 'Credit'"
        f" WHEN 'adjustment' THEN 'Adjustment' WHEN 'refund' THEN 'Adjustment' ELSE 'Usage' END"
    )

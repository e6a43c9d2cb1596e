"""Google Cloud's billing export (gcp_billing_export_v1) as CSV, nested columns with dots. PURE.

A line holds a charge and the credits given on it: each becomes a charge of its own, so that what was used and what was
let off are told apart; together they are what is paid. A charge belongs to the month of its invoice, which may not be
that of its usage.
"""

from collections.abc import Callable

from costs.bills.records import Head, Match, Meaning, Table, chosen, first_of, quoted

NAME = "gcp-billing"
TITLE = "Google Cloud billing export"
# Credits are JSON, or a Python list that some exporter has written down.
_TEXT = r""""(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'"""
_CREDIT = r"\{(?:" + _TEXT + r"""|[^{}"'])*\}"""
_AMOUNT = r"""["']amount["']\s*:\s*(?:Decimal\()?["']?([+-]?[0-9.]+(?:[eE][+-]?[0-9]+)?)"""
_NAMES = ("name", "full_name", "type", "id")
Number = Callable[[str], str]


def sniff(head: Head) -> Match:
    if head.has("cost", "usage_start_time", "currency") and (head.has("sku.id") or head.has("service.description")):
        return Match(0.95, "It has the columns of Google Cloud's billing export.")
    return Match(0.0, missing="no usage_start_time, cost and sku.id")


def meaning(table: Table, tag_keys: frozenset[str]) -> Meaning:
    month, kind = table.column("invoice.month"), table.column("cost_type")
    cost, credits = table.column("cost"), table.column("credits")
    category = (
        f"CASE lower({kind}) WHEN 'tax' THEN 'Tax' WHEN 'regular' THEN 'Usage' ELSE 'Adjustment' END" if kind else None
    )
    fields = chosen(
        period=f"substr({month}, 1, 4) || '-' || substr({month}, 5, 2) || '-01'" if month else None,
        starts=first_of(table, "usage_start_time"),
        billing_account=first_of(table, "billing_account_id"),
        account=first_of(table, "project.id"),
        account_name=first_of(table, "project.name"),
        provider=quoted("Google Cloud"),
        cloud_service=first_of(table, "service.description", "service.id"),
        charge_category=category,
        region=first_of(table, "location.region", "location.location"),
        resource=first_of(table, "resource.global_name", "resource.name"),
        unit=first_of(table, "usage.unit"),
        currency=first_of(table, "currency"),
        tags=first_of(table, "labels"),
        billed=cost,
        list=first_of(table, "cost_at_list"),
        quantity=first_of(table, "usage.amount"),
    )
    if cost is None or credits is None:
        return Meaning(fields=fields)
    return Meaning(
        fields={**fields, **_of_credits(fields)},
        unfolded=lambda source: (
            "SELECT *, credit IS NOT NULL AS extra FROM"  # noqa: S608 # the reduction's own SQL
            " (SELECT *, unnest([NULL::VARCHAR] || credits_found) AS credit FROM (SELECT *,"
            f" coalesce(regexp_extract_all({credits}, {quoted(_CREDIT)}), []) AS credits_found FROM {source}))"
        ),
        wrong={
            "credits_bad": lambda number: _unreadable(credits),
            "credits_digits": lambda number: (
                f"len(list_filter(credits_found, lambda x: {number(_amount('x'))} IS NULL)) > 0"
            ),
            # Of a line whose charge cannot be used its credits cannot either.
            "billed": lambda number: f"extra AND {cost} IS NULL",
            "billed_bad": lambda number: f"extra AND {number(cost)} IS NULL",
        },
        notes=("Credits are charges of their own, named in the place of the category",),
    )


def _of_credits(fields: dict[str, str]) -> dict[str, str]:
    """What is different for a credit: it has no list price and no quantity, and its name is its category."""
    name = f"coalesce({', '.join(_named(each) for each in _NAMES)})"
    found = {
        "charge_category": f"CASE WHEN extra THEN 'Credit' ELSE {fields.get('charge_category', 'NULL')} END",
        "service_category": f"CASE WHEN extra THEN {name} END",
        "billed": f"CASE WHEN extra THEN {_amount('credit')} ELSE {fields['billed']} END",
    }
    own: list[str] = [each for each in ("list", "quantity", "unit") if each in fields]
    kept = {each: f"CASE WHEN NOT extra THEN {fields[each]} END" for each in own}
    return {**found, **kept}


def _amount(credit: str) -> str:
    return f"regexp_extract({credit}, {quoted(_AMOUNT)}, 1)"


def _named(key: str) -> str:
    """SQL: the text under a key of the credit, NULL where there is none."""
    text = f"""["']{key}["']\\s*:\\s*({_TEXT})"""
    return f"nullif(regexp_replace(regexp_extract(credit, {quoted(text)}, 1), '^.|.$', '', 'g'), '')"


def _unreadable(credits: str) -> str:
    """SQL: whether there is something in the cell that is no credit with an amount."""
    rest = f"regexp_replace({credits}, {quoted(_CREDIT)}, '', 'g')"
    return (
        f"coalesce(len(list_filter(credits_found, lambda x: {_amount('x')} = '')) > 0"
        f" OR NOT regexp_full_match({rest}, '[][,\\s]*|null|None'), false)"
    )

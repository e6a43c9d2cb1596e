"""Google Cloud's billing export (gcp_billing_export_v1) as CSV, nested columns with dots or with lines, and as the JSON
lines that BigQuery writes. PURE.

A line holds a charge and the credits given on it: each becomes a charge of its own, so that what was used and what was
let off are told apart; together they are what is paid. A charge belongs to the month of its invoice, which may not be
that of its usage.
"""

import csv
import json
from array import array
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from costs.bills import json_rows
from costs.bills.records import Head, Match, Meaning, Table, Tick, chosen, first_of, quoted

NAME = "gcp-billing"
TITLE = "Google Cloud billing export"
# Credits are JSON, or a Python list that some exporter has written down.
_TEXT = r""""(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'"""
_CREDIT = r"\{(?:" + _TEXT + r"""|[^{}"'])*\}"""
_AMOUNT = r"""["']amount["']\s*:\s*(?:Decimal\()?["']?([+-]?[0-9.]+(?:[eE][+-]?[0-9]+)?)"""
_OF_CHARGES = {"sku_id", "sku_description", "service_id", "service_description"}
_NAMES = ("name", "full_name", "type", "id")
# What is read of JSON, where it is nested as here, or has a line in place of each dot.
_COLUMNS = (
    "billing_account_id", "service.description", "service.id", "sku.description", "usage_start_time", "project.id",
    "project.name", "labels", "location.region", "location.location", "resource.global_name", "resource.name", "cost",
    "cost_at_list", "currency", "cost_type", "usage.amount", "usage.unit", "invoice.month", "credits",
)  # fmt: skip
Number = Callable[[str], str]


def sniff(head: Head) -> Match:
    if head.kind == "json":
        if all(f'"{name}"' in head.text for name in ("cost", "usage_start_time", "currency")):
            return Match(0.95, "Its rows have what those of Google Cloud's billing export have.")
        return Match(0.0, missing="no usage_start_time, cost and currency")
    names = {header.casefold().replace(".", "_") for header in head.headers}
    if {"cost", "usage_start_time"} <= names and names & _OF_CHARGES and names & {"currency", "invoice_month"}:
        return Match(0.95, "It has the columns of Google Cloud's billing export.")
    return Match(0.0, missing="no usage_start_time, cost and sku.id")


def _of(table: Table, *names: str) -> str | None:
    """Where a query has taken the columns apart, a line stands in their names where the export has a dot."""
    return first_of(table, *(each for name in names for each in (name, name.replace(".", "_")) if each))


def _credits(table: Table) -> str | None:
    """SQL: the credits of a line as JSON, also where there is but one, in columns of its own."""
    column, amount = table.column("credits"), _of(table, "credits.amount", "credit.amount")
    if column is not None or amount is None:
        return column
    name = _of(table, "credits.name", "credits.type") or "'credit'"
    is_none = f"{amount} IS NULL OR regexp_full_match({amount}, '[+-]?0*[.]?0*')"
    named = f"coalesce(to_json({name})::VARCHAR, '\"credit\"')"
    return f"CASE WHEN {is_none} THEN NULL ELSE '{{\"name\": ' || {named} || ', \"amount\": ' || {amount} || '}}' END"


def rows(path: Path, entry: str, folder: Path, tick: Tick) -> tuple[Table, Meaning]:
    """JSON lines, however many, or a list of rows, which is read whole. Raises BillError."""
    made, lines = folder / f"{path.name}.rows.csv", array("Q")
    pointers: list[str] = []
    with path.open("rb") as start, made.open("w", encoding="utf-8", newline="") as file:
        is_list = start.read(4096).removeprefix(b"\xef\xbb\xbf").lstrip()[:1] == b"["
        writer = csv.writer(file)
        writer.writerow(_COLUMNS)
        for at, row in enumerate(json_rows.parsed(path, entry)) if is_list else json_rows.lines(path, entry, tick):
            if not isinstance(row, Mapping):
                raise json_rows.broken(entry, f"/{at}" if is_list else f"line {at}", "an object")
            writer.writerow(json_rows.cell(_said(row, name)) for name in _COLUMNS)
            if is_list:
                pointers.append(f"/{at}")
            else:
                lines.append(at)
    table = Table(made, entry, "csv", _COLUMNS, pointers=tuple(pointers), lines=lines)
    return table, meaning(table, frozenset())


def _said(row: Mapping[str, Any], name: str) -> str | None:
    """What a row has under a name; lists of labels and credits as JSON."""
    value: Any = row
    for step in name.split("."):
        value = value.get(step) if isinstance(value, Mapping) else None
    if value is None:
        value = row.get(name.replace(".", "_"), row.get(name))
    if name == "credits" and value is None:
        value = list(_credit_apart(row)) or None
    return value if isinstance(value, str | None) else json.dumps(value)


def _credit_apart(row: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """The one credit of a row of a query that has taken credits apart."""
    for prefix in ("credits", "credit"):
        amount = row.get(f"{prefix}_amount")
        if amount is not None:
            yield {"name": row.get(f"{prefix}_name") or row.get(f"{prefix}_type") or "credit", "amount": amount}


def meaning(table: Table, tag_keys: frozenset[str]) -> Meaning:
    month, kind = _of(table, "invoice.month"), table.column("cost_type")
    cost, credits = table.column("cost"), _credits(table)
    known = "WHEN 'tax' THEN 'Tax' WHEN 'regular' THEN 'Usage' ELSE 'Adjustment'"
    category = f"CASE WHEN {kind} IS NULL THEN 'Usage' ELSE CASE lower({kind}) {known} END END" if kind else None
    fields = chosen(
        period=f"regexp_replace({month}, '^([0-9]{{4}})-?([0-9]{{2}}).*$', '\\1-\\2-01')" if month else None,
        starts=_of(table, "usage_start_time"),
        billing_account=_of(table, "billing_account_id"),
        account=_of(table, "project.id"),
        account_name=_of(table, "project.name"),
        provider=quoted("Google Cloud"),
        cloud_service=_of(table, "service.description", "service.id"),
        charge_category=category,
        region=_of(table, "location.region", "location.location"),
        resource=_of(table, "resource.global_name", "resource.name"),
        unit=_of(table, "usage.unit"),
        currency=_of(table, "currency"),
        tags=_of(table, "labels"),
        billed=cost,
        list=_of(table, "cost_at_list"),
        quantity=_of(table, "usage.amount"),
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
        f" OR NOT regexp_full_match({rest}, '[][,\\s]*|null|None|[Nn]a[Nn]'), false)"
    )

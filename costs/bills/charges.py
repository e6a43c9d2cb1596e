"""The lines of a table as charges, in SQL: texts that fit, days, exact amounts, and what is wrong with each. PURE."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date

from costs.bills import amounts, numbers, rejected
from costs.bills.opening import Part
from costs.bills.records import AMOUNTS, CATEGORIES, NO_CURRENCY, TEXTS, Meaning, quoted
from costs.bills.rejected import CURRENCY_LONGEST

UNNAMED = "unnamed"  # a billing account that nobody names
# What makes a charge key, in the order of costs.models.ChargeKey, with the length of its column.
KEY = {
    "provider": 200, "cloud_service": 300, "service_category": 100, "account": 200, "account_name": 300, "region": 100,
    "resource_group": 300, "namespace": 253, "unit": 100,
}  # fmt: skip
# Characters of what else is grouped by. Tags beyond it are no tags: cut off, they are no JSON any more.
# A currency's name is read one character further than it may go, to know that it is too long.
_LONGEST = {**KEY, "resource": 1_000, "currency": CURRENCY_LONGEST + 1}
_TAGS_LONGEST = 20_000


@dataclass(frozen=True)
class Styles:
    """How one table writes its days and amounts."""

    starts: str
    period: str
    decimals: Mapping[str, str]  # of columns of amounts that are not written as programs do: how


def _cleaned(text: str, longest: int) -> str:
    """SQL: the text without NUL and cut to its column's length, NULL as ''. Most texts need neither, and are found
    not to in a quarter of the time that it takes."""
    is_odd = f"strlen({text}) > {longest} OR contains({text}, chr(0))"
    changed = f"left(replace({text}, chr(0), ''), {longest})"
    return f"CASE WHEN {text} IS NULL THEN '' WHEN {is_odd} THEN {changed} ELSE {text} END"


def _grouped(name: str) -> str:
    """Before anything is grouped by it: a few kilobytes of Parquet can hold the same megabyte a million times."""
    if name == "tags":  # their keeper reads them as they stand
        return f"CASE WHEN strlen(tags) > {_TAGS_LONGEST} THEN left(tags, {_TAGS_LONGEST}) ELSE tags END AS tags"
    if name not in _LONGEST:
        return name
    text = _cleaned(name, _LONGEST[name])
    if name == "currency":
        # A code of three letters is ISO 4217's, whatever its case: usd and USD are one money. Longer ones are the
        # bill's own.
        return f"CASE WHEN strlen(currency) = 3 THEN upper({text}) ELSE {text} END AS currency"
    return f"{text} AS {name}"


def lines(
    number: int, part: Part, styles: Styles, scale: int, account: str, today: date, *, raw: bool = False,
    view: str = "part",
) -> str:  # fmt: skip
    """SQL: the table's lines as charges: texts, days, exact amounts, and what is wrong with each. `is_left`: it has a
    list price or a quantity that is no number, which is left out."""
    meaning, source = part.meaning, f"{view}{number}"
    fields = meaning.fields

    def pointed(text: str, name: str = "billed") -> str:
        return amounts.plain(text, styles.decimals[name]) if name in styles.decimals else text

    def number_of(text: str, name: str = "billed") -> str:
        return numbers.amount(pointed(text, name), scale)

    raws = {name: fields.get(name, "NULL::VARCHAR") for name in ("starts", "period", *AMOUNTS)}
    texts = {name: fields.get(name, "NULL::VARCHAR") for name in TEXTS[2:]}
    named = _cleaned(texts["billing_account"], 200)
    texts["billing_account"] = quoted(account) if account else f"coalesce(nullif({named}, ''), {quoted(UNNAMED)})"
    beside = f", {amounts.currency(raws['billed'])}" if "billed" in styles.decimals else ""
    texts["currency"] = f"coalesce({texts['currency']}{beside}, {quoted(NO_CURRENCY)})"
    texts["charge_category"] = _category(texts["charge_category"])
    inner = [f"{expression} AS {name}" for name, expression in texts.items()]
    inner += [f"{expression} AS raw_{name}" for name, expression in raws.items()]
    for name in AMOUNTS:
        computed = meaning.computed.get(name)
        inner.append(f"{computed(number_of) if computed else number_of(raws[name], name)} AS {name}_read")
    inner += [f"{condition(number_of)} AS wrong_{at}" for at, condition in enumerate(meaning.wrong.values())]
    inner.append(f"{numbers.day(raws['starts'], styles.starts)} AS day")
    inner.append(
        f"{numbers.billing_day(raws['period'], styles.period)} AS period_day"
        if "period" in fields
        else "NULL::DATE AS period_day"
    )
    decimal = f"DECIMAL(38,{scale})"
    billed = f"coalesce(billed_read, 0::{decimal})" if meaning.empty_is_zero else "billed_read"
    has_effective = "effective" in fields or "effective" in meaning.computed
    effective = "coalesce(effective_read, billed_read, 0)" if has_effective else billed
    problem = _problem(meaning, pointed, today, styles.decimals)
    columns = [
        "CAST(date_trunc('month', coalesce(period_day, day)) AS DATE) AS month", "day", *map(_grouped, TEXTS[2:]),
        f"{problem} AS problem", f"CAST({billed} AS {decimal}) AS billed",
        f"CAST({effective} AS {decimal}) AS effective",
        f"CAST(list_read AS {decimal}) AS list", f"CAST(quantity_read AS {decimal}) AS quantity",
        f"{' OR '.join(f'({each}_read IS NULL AND raw_{each} IS NOT NULL)' for each in AMOUNTS[2:])} AS is_left",
    ]  # fmt: skip
    if meaning.unfolded:
        source = f"({meaning.unfolded(source)})"
        inner.append("extra")
        columns.append("extra")
    if raw:
        columns += ["raw_starts", "raw_billed", "raw_effective"]
    return f"SELECT {', '.join(columns)} FROM (SELECT {', '.join(inner)} FROM {source})"  # noqa: S608


def _problem(
    meaning: Meaning, pointed: Callable[[str, str], str], today: date, decimals: Mapping[str, str]
) -> str:  # fmt: skip
    branches = [
        ("raw_starts IS NULL", "starts"),
        ("day IS NULL", "starts_bad"),
        (f"day > DATE '{today + rejected.FARTHEST_CHARGE}'", "starts_ahead"),
    ]
    if "period" in meaning.fields:
        branches.append(("raw_period IS NOT NULL AND period_day IS NULL", "period_bad"))
        branches.append((f"period_day > DATE '{today + rejected.FARTHEST_PERIOD}'", "period_ahead"))
    branches.append((f"length(currency) > {CURRENCY_LONGEST}", "currency_long"))
    branches += [(f"wrong_{at}", name) for at, name in enumerate(meaning.wrong)]
    for name in ("billed", "effective"):
        if name in decimals:
            branches.append((amounts.is_other_currency(f"raw_{name}", "currency"), "currency_other"))
        if name in meaning.computed:
            continue
        missing = f"{name}_read IS NULL AND raw_{name} IS NOT NULL"
        branches.append((f"{missing} AND {numbers.is_number(pointed(f'raw_{name}', name))}", f"{name}_digits"))
        branches.append((missing, f"{name}_bad"))
    if "billed" not in meaning.computed and not meaning.empty_is_zero:
        branches.append(("raw_billed IS NULL", "billed"))
    return "CASE " + " ".join(f"WHEN {condition} THEN {quoted(name)}" for condition, name in branches) + " END"


def _category(kind: str) -> str:
    """One of FOCUS's five, in its spelling; what is none of them is an adjustment, what says nothing is usage."""
    known = " ".join(f"WHEN {quoted(name.lower())} THEN {quoted(name)}" for name in CATEGORIES)
    return f"CASE WHEN ({kind}) IS NULL THEN 'Usage' ELSE CASE lower({kind}) {known} ELSE 'Adjustment' END END"

"""How a table writes its amounts: 1,234.50 and 1.234,50, 1 234,50 and 1'234.50, (1.50) and 1.50-, € 12.50. PURE.

What divides decimals is decided once for a column, by all of its lines: one that can only be read with a point, or only
with a comma, settles it for the others. Where no line of the column does, the other columns of amounts do. A column
that has both is read as programs write numbers: what has a comma in it is none then.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from costs.bills import numbers
from costs.bills.records import quoted

POINT, COMMA, MIXED, UNCLEAR = "point", "comma", "mixed", "unclear"
_CURRENCY = r"[A-Z]{0,3}\p{Sc}|[A-Z]{3}"
_BLANKS = "\t\u00a0\u2007\u2009\u202f"
# Beside the digits: at the beginning behind a sign or bracket, or at the end before one.
_BESIDE = rf"^([(+-]{{0,2}}) *(?:{_CURRENCY}) *|(?: *(?:{_CURRENCY}) *([)-]{{0,2}}))$"
# (1.50) and 1.50- are -1.50.
_NEGATIVE = r"^\( *([^()+-]+?) *\)$|^([^()+-]+?) *-$"
# Signs of one currency, and those that several have: they only agree with what a column names.
_SIGNS = {
    "€": "EUR", "₹": "INR", "₩": "KRW", "₪": "ILS", "₺": "TRY", "₽": "RUB", "฿": "THB", "₫": "VND", "₱": "PHP",
    "US$": "USD", "A$": "AUD", "AU$": "AUD", "C$": "CAD", "CA$": "CAD", "HK$": "HKD", "NZ$": "NZD", "R$": "BRL",
}  # fmt: skip
_SEVERAL = {
    "$": ("USD", "AUD", "CAD", "HKD", "NZD", "SGD", "TWD", "MXN", "ARS", "CLP", "COP"), "¥": ("JPY", "CNY"),
    "£": ("GBP", "EGP"),
}  # fmt: skip


def _tidy(text: str) -> str:
    """SQL: the text with one kind of blank, apostrophe and minus."""
    return f"trim(translate({text}, {quoted(_BLANKS + '’−')}, {quoted(' ' * len(_BLANKS) + chr(39) + '-')}))"


def _bare(text: str) -> str:
    """SQL: the sign, the digits and what divides them: of € 12.50, (12.50) and 12.50- nothing else is left."""
    alone = f"regexp_replace({_tidy(text)}, {quoted(_BESIDE)}, '\\1\\2')"
    return f"regexp_replace(regexp_replace({alone}, {quoted(_NEGATIVE)}, '-\\1\\2'), '^([+-]) +', '\\1')"


def _named(text: str) -> str:
    """SQL: the code or sign beside an amount; '' where there is none."""
    return f"regexp_extract(regexp_extract({_tidy(text)}, {quoted(_BESIDE)}), {quoted(_CURRENCY)})"


def currency(text: str) -> str:
    """SQL: the currency that stands beside an amount; NULL where none does, or a sign that several have."""
    signs = " ".join(f"WHEN {quoted(sign)} THEN {quoted(code)}" for sign, code in _SIGNS.items())
    return f"CASE {_named(text)} {signs} ELSE nullif(regexp_extract({_named(text)}, '^[A-Z]{{3}}$'), '') END"


def is_other_currency(text: str, column: str) -> str:
    """SQL: whether an amount names a currency, and not the one that its line has."""
    several = " ".join(
        f"WHEN {quoted(sign)} THEN upper({column}) NOT IN ({', '.join(map(quoted, codes))})"
        for sign, codes in _SEVERAL.items()
    )
    other = f"coalesce({currency(text)} <> upper({column}), true)"
    return f"CASE coalesce({_named(text)}, '') WHEN '' THEN false {several} ELSE {other} END"


def _grammar(divides: str, groups: str) -> str:
    """A regular expression: digits with these decimals, in groups of thousands or without."""
    grouped = rf"[1-9][0-9]{{0,2}}(?:{groups}(?: [0-9]{{3}})+|(?:'[0-9]{{3}})+)"
    return rf"[+-]?(?:(?:[0-9]+|{grouped})(?:[{divides}][0-9]*)?|[{divides}][0-9]+)(?:[eE][+-]?[0-9]{{1,4}})?"


_GRAMMARS = {
    POINT: _grammar(".", "(?:,[0-9]{2,3})*,[0-9]{3}|"),  # India has groups of two above the thousands
    COMMA: _grammar(",", "(?:[.][0-9]{3})+|"),
    MIXED: _grammar(".", ""),
}


def plain(text: str, decimals: str) -> str:
    """SQL: the amount as programs write it, 1234.50; NULL for what is not written in this way."""
    bare = _bare(text)
    digits = f"translate({bare}, {quoted(', ' + chr(39))}, '')"
    if decimals == COMMA:
        digits = f"replace(translate({bare}, {quoted('. ' + chr(39))}, ''), ',', '.')"
    return f"CASE WHEN {_fits(text, decimals)} THEN {digits} END"


@dataclass(frozen=True)
class Seen:
    """How many lines of a column of amounts are written how."""

    point: int  # can only be read with a decimal point
    comma: int  # only with a decimal comma
    unclear: int  # with either, and each would make another amount of it
    odd: int  # not as programs write numbers


def seen(text: str) -> str:
    """SQL: the fields of `Seen`, as aggregates. Most lines are plain, and cost little."""
    point, comma = _fits(text, POINT), _fits(text, COMMA)
    groups = f"regexp_full_match(trim({text}), '[+-]?[1-9][0-9]{{0,2}}[.][0-9]{{3}}')"
    return ", ".join(
        f"count(*) FILTER (CASE WHEN {numbers.is_number(text)} THEN {of_plain} ELSE {of_odd} END)"
        for of_plain, of_odd in (
            (f"contains({text}, '.') AND NOT {groups}", f"{point} AND NOT {comma}"),
            ("false", f"{comma} AND NOT {point}"),
            ("false", is_unclear(text)),
            ("false", f"{point} OR {comma}"),
        )
    )


def is_unclear(text: str) -> str:
    """SQL: whether an amount that is not plain means one thing with a decimal point and another with a comma."""
    divided = f"(contains({text}, ',') OR contains({text}, '.'))"
    both = f"{_fits(text, POINT)} AND {_fits(text, COMMA)}"
    return f"coalesce({divided} AND NOT {numbers.is_number(text)} AND {both}, false)"


def _fits(text: str, decimals: str) -> str:
    return f"regexp_full_match({_bare(text)}, {quoted(_GRAMMARS[decimals])})"


def decided(columns: Mapping[str, Seen]) -> dict[str, str]:
    """What divides the decimals of each column that is not written as programs do."""
    alone = {name: _alone(each) for name, each in columns.items()}
    others = {found for found in alone.values() if found in (POINT, COMMA)}
    found = {name: each for name, each in alone.items() if each and columns[name].odd}
    agreed = others.pop() if len(others) == 1 else UNCLEAR
    return {name: agreed if each == UNCLEAR else each for name, each in found.items()}


def _alone(column: Seen) -> str:
    if column.point and column.comma:
        return MIXED
    if column.point or column.comma:
        return POINT if column.point else COMMA
    return UNCLEAR if column.unclear else MIXED

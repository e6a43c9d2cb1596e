"""How the tables of a bill write days and amounts: told by their first lines, and of odd amounts by all. PURE."""

import re
from dataclasses import replace
from typing import Any

import duckdb

from costs.bills import amounts, charges, charges_csv, numbers, places, tables
from costs.bills.opening import Bill, Part
from costs.bills.records import AMOUNTS, BillError

_SAMPLE = 2_000
_LONGEST = 20_000  # characters of a cell that tell how it is written
_COLUMN = re.compile(r"\bc[0-9]+\b")


class Writing:
    """Of each table a style, and what is to be said of them. The tables are views sample0, sample1 … from now on."""

    def __init__(self, bill: Bill, connection: duckdb.DuckDBPyConnection) -> None:
        self._bill, self._connection = bill, connection
        self._unclear_days = False
        self._examples: list[str] = []
        for number, part in enumerate(bill.parts):
            connection.execute(
                f"CREATE VIEW sample{number} AS {tables.source(part.table)};"  # noqa: S608 # names of our own
                f" CREATE TABLE head{number} AS SELECT {_asked(part)} FROM sample{number} LIMIT {_SAMPLE}"
            )
        self.styles = [self._style(number, part) for number, part in enumerate(bill.parts)]

    def remarks(self) -> list[str]:
        found = list(dict.fromkeys(self._examples))
        if any(style.starts in numbers.MONTHS for style in self.styles):
            found.append("Each line is of a whole month, and stands on its first day")
        if self._unclear_days:
            found.append(
                "Days are read with the month first, which no line tells: if the day comes first, say so at Columns"
            )
        return found

    def _style(self, number: int, part: Part) -> charges.Styles:
        """How days and amounts are written here, from the first lines; of amounts that are odd there, from all."""
        fields, said = part.meaning.fields, part.meaning
        source = _source(part, f"head{number}")
        starts = fields["starts"]
        styles = self._readable(starts, source)
        best = max(styles, key=lambda style: styles[style])
        if self._bill.format == charges_csv.NAME and not said.days and 0 < styles[best] == styles["month first"]:
            self._unclear_days |= styles["month first"] == styles["day first"]
        period = fields.get("period")
        period_style = "iso"
        if period:
            seen = self._readable(period, source)
            period_style = max(seen, key=lambda style: seen[style])
            zoned = f"SELECT count(*) FROM {source} WHERE {numbers.is_zoned(period)}"  # noqa: S608
            if period_style == "iso" and self._ask(zoned) != (0,):  # only then, for it takes longer
                period_style = numbers.ZONED
        decimals: dict[str, str] = dict.fromkeys(AMOUNTS, said.decimals) if said.decimals else {}
        if not said.decimals and self._are_odd(part, source):
            decimals = self._decimals(number, part)
        return charges.Styles(said.days or best, period_style, decimals)

    def _readable(self, text: str, source: str) -> dict[str, int]:
        """Style → how many of the first lines it reads. Names of months are looked for where others read fewer
        lines than have letters: to plan that takes longer than to read a small bill."""
        plain = [style for style in numbers.DATE_FORMATS if style not in numbers.NAMED]
        counts = ", ".join(f"count({numbers.day(text, style)})" for style in plain)
        *found, lettered = self._ask(f"SELECT {counts}, count(*) FILTER ({numbers.has_letters(text)}) FROM {source}")  # noqa: S608
        styles = dict(zip(plain, found, strict=True))
        if lettered > max(found):
            counts = ", ".join(f"count({numbers.day(text, style)})" for style in numbers.NAMED)
            styles |= dict(zip(numbers.NAMED, self._ask(f"SELECT {counts} FROM {source}"), strict=True))  # noqa: S608
        return styles

    def _are_odd(self, part: Part, source: str) -> bool:
        """Whether an amount here is not written as programs do. Nearly none is, which is cheap to tell."""
        columns = _amount_columns(part).values()
        others = " OR ".join(f"NOT {numbers.is_number(text)}" for text in columns)
        if not columns or self._ask(f"SELECT count(*) FROM {source} WHERE {others}") == (0,):  # noqa: S608
            return False
        return any(each.odd for each in self._amounts_in(part, source).values())

    def _amounts_in(self, part: Part, source: str) -> dict[str, amounts.Seen]:
        columns = _amount_columns(part)
        if not columns:
            return {}
        counts = self._ask(f"SELECT {', '.join(map(amounts.seen, columns.values()))} FROM {source}")  # noqa: S608
        return {name: amounts.Seen(*counts[4 * at : 4 * at + 4]) for at, name in enumerate(columns)}

    def look_at_all(self) -> bool:
        """For amounts that are odd beyond the first lines; whether there are some that can be read now."""
        found = False
        for number, (part, style) in enumerate(zip(self._bill.parts, self.styles, strict=True)):
            if not style.decimals and (decimals := self._decimals(number, part)):
                self.styles[number] = replace(style, decimals=decimals)
                found = True
        return found

    def _decimals(self, number: int, part: Part) -> dict[str, str]:
        """Of columns of amounts that are not written as programs do: how, by all lines. Raises BillError."""
        fields, source = part.meaning.fields, _source(part, f"sample{number}")
        found = amounts.decided(self._amounts_in(part, source))
        for name in ("billed", "effective"):
            if found.get(name) == amounts.UNCLEAR:
                raise self._unclear(number, part, fields[name])
        found = {name: how for name, how in found.items() if how != amounts.UNCLEAR}
        for name, how in found.items():
            text, read = fields[name], amounts.plain(fields[name], how)
            odd = f"strlen({text}) < 60 AND {read} IS NOT NULL AND NOT {numbers.is_number(text)}"
            longest = f"arg_max({text}, length({text})), arg_max({read}, length({text}))"
            example, value = self._ask(f"SELECT {longest} FROM {source} WHERE {odd}")  # noqa: S608
            if example is not None:
                label = charges_csv.LABELS.get(name, "List cost")
                self._examples.append(f"{label} {example} is read as {value}")
        return found

    def _unclear(self, number: int, part: Part, text: str) -> BillError:
        self._connection.execute("SET threads=1; SET preserve_insertion_order=true")  # which numbers lines
        unclear = amounts.is_unclear(text)
        row, value = self._ask(
            f"SELECT n, left({text}, 40) FROM (SELECT *, row_number() OVER () AS n FROM"  # noqa: S608
            f" {_source(part, f'sample{number}')}) WHERE {unclear} LIMIT 1"
        )
        line = places.lines(part.table, [row], ())[0].get(row)
        at = {"line": line} if line else {}
        return BillError(
            "unclear_comma", f"Whether {value} is more than a thousand or little more than one cannot be told: no line"
            " says what divides decimals.", entry=part.table.entry, **at,
            remedy="Say how amounts are written where its columns are told, or export them without thousands.",
        )  # fmt: skip

    def _ask(self, sql: str) -> tuple[Any, ...]:
        found: tuple[Any, ...] = self._connection.execute(sql).fetchall()[0]
        return found


def _amount_columns(part: Part) -> dict[str, str]:
    return {name: part.meaning.fields[name] for name in AMOUNTS if name in part.meaning.fields}


def _asked(part: Part) -> str:
    """SQL: what days and amounts are read from, and nothing else: the first lines may hold gigabytes."""
    fields = part.meaning.fields
    read = " ".join((*(fields.get(name, "") for name in ("starts", "period", *AMOUNTS)), _source(part, "")))
    columns = sorted(set(_COLUMN.findall(read)))
    return ", ".join(f"left({column}, {_LONGEST}) AS {column}" for column in columns) or "NULL AS nothing"


def _source(part: Part, view: str) -> str:
    return f"({part.meaning.unfolded(view)})" if part.meaning.unfolded else view

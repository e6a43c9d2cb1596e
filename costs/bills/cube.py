"""A bill as a daily cube: read once, added in exact decimals, by DuckDB. PURE.

The file is read once into `fine` (day × resource × everything else); cube, months of resources and totals are added up
from there. Lines that cannot be used stand in `fine` too, apart, so that what was not loaded is known to the digit.
Text with lines that are no row of its table is read once more, to keep the broken ones.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
from duckdb.func import SPECIAL

from costs.bills import amounts, charges, numbers, places, rejected, tables
from costs.bills.charges import KEY
from costs.bills.database import Work, copied, database, insert, many
from costs.bills.opening import Bill, Part
from costs.bills.records import AMOUNTS, TEXTS, BillError, Reject, Table, Tick, quoted
from costs.bills.tags import keeper
from costs.bills.writing import Writing
from platform_risk.core.redaction import HINTS, Redactor

MOST_REJECTS = 10_000
# Resources of one import that are kept apart; the rest of each key is added up under one name.
MOST_RESOURCES = 200_000
OTHER_RESOURCES = "(others)"
LONGEST_RESOURCE = 1_000  # characters, as its column


@dataclass(frozen=True)
class Total:
    """Of one currency and charge category: what the file says."""

    currency: str
    charge_category: str
    billed: Decimal
    effective: Decimal


@dataclass(frozen=True)
class Scoped:
    """What the bill has for one billing account and month."""

    billing_account: str
    period: date
    lines: int
    first_day: date
    last_day: date
    totals: tuple[Total, ...]  # lines that could not be used included


class Cube:
    """The reduced bill. A context: its database is gone afterwards."""

    def __init__(
        self, bill: Bill, *, folder: Path, tag_keys: frozenset[str], billing_account: str = "",
        tick: Tick | None = None, today: date | None = None, redactor: Redactor | None = None,
    ) -> None:  # fmt: skip
        self.bill = bill
        self._folder = folder
        self._account = billing_account or bill.billing_account
        self._today = today or datetime.now(UTC).date()  # of the bill: what lies too far ahead of it is a mistake
        self._keep = keeper(tag_keys)
        self._redactor = redactor  # of what resources are called: there are too many of them to ask for one by one
        self._tick = tick or (lambda _: None)
        self._stack = ExitStack()
        self.lines = self.rejected = 0
        self._adding: Work | None = None
        self.scale = numbers.SCALES[0]

    def __enter__(self) -> "Cube":
        try:
            read = [part.table for part in self.bill.parts]
            self._counts = {table.path: places.count(table.path) for table in read if table.kind == "csv"}
            lines = sum(self._counts.get(table.path, table.rows) for table in read)
            self._connection = self._stack.enter_context(database(self._folder, self.bill, lines))
            with tables.reading(tables=read):
                self._reduce()
        except BaseException:
            self._stack.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        if self._adding:
            self._adding.stop()
        self._stack.close()

    # --- reading

    def _reduce(self) -> None:
        self._writing = Writing(self.bill, self._connection)
        self._read_exactly()
        if self._has_odd_amounts() and self._writing.look_at_all():
            self._read_exactly()
        if unread := self._not_read():
            if unread < 0 or unread * max(len(part.table.columns) for part in self.bill.parts) > tables.MOST_FAULTS:
                self._refuse_junk()
            self._read(self.scale, keep_broken=True)
        self._connection.execute(
            "CREATE TABLE sums AS SELECT billing_account, month, currency, charge_category,"
            " problem IS NULL AS is_usable, sum(lines)::BIGINT AS lines, sum(left_out) AS left_out,"
            " min(day) AS first_day, max(day) AS last_day, sum(billed) AS billed, sum(effective) AS effective"
            " FROM fine GROUP BY ALL"
        )
        self.lines, self.rejected = self._ask(
            "SELECT coalesce(sum(lines), 0)::BIGINT, coalesce(sum(lines) FILTER (NOT is_usable), 0)::BIGINT FROM sums"
        )[0]
        self._broken = self._broken_lines()
        self.lines += len(self._broken)
        self.rejected += len(self._broken)
        self._add_up()

    def _read_exactly(self) -> None:
        """With as few places as take all amounts, or the most of them."""
        misfits: dict[int, int] = {}
        for scale in numbers.SCALES:
            misfits[scale] = self._read(scale)
            if not misfits[scale]:
                break
        best = min(misfits, key=lambda scale: misfits[scale])
        if best != self.scale:
            self._read(best)

    def _has_odd_amounts(self) -> bool:
        (odd,) = self._ask(
            "SELECT count(*) FROM fine WHERE problem IN ('billed_bad', 'effective_bad') OR left_out > 0"
        )[0]
        return bool(odd)

    def _not_read(self) -> int:
        """Lines of the text files that are no row of their table: empty ones, parts of a cell, and at most so many
        broken ones. Most files have none, and need not be read again to keep them. Below 0 where lines end by a
        carriage return, which are not counted."""
        texts = [part.table for part in self.bill.parts if part.table.kind == "csv"]
        if len(texts) == len(self.bill.parts) and not any(part.meaning.unfolded for part in self.bill.parts):
            (read,) = self._ask("SELECT coalesce(sum(lines), 0)::BIGINT FROM fine")[0]
        else:
            read = sum(self._rows_of(table) for table in texts)
        return int(sum(self._counts[table.path] - table.skip for table in texts) - read)

    def _rows_of(self, table: Table, *, pad: bool = False) -> int:
        return int(self._ask(f"SELECT count(*) FROM ({tables.source(table, pad=pad)})")[0][0])  # noqa: S608

    def _refuse_junk(self) -> None:
        """DuckDB keeps a kilobyte for each column that a line lacks and counts it as no memory: a few hundred kilobytes
        of short lines below a wide header would take all there is. Raises BillError."""
        for table in (part.table for part in self.bill.parts if part.table.kind == "csv"):
            short = self._rows_of(table, pad=True) - self._rows_of(table)
            if short * len(table.columns) > tables.MOST_FAULTS:
                place = {} if (line := places.first_short(table)) is None else {"line": line}
                raise BillError(
                    "not_csv", f"{short:,} of its lines do not have the header's columns.",
                    remedy="Look at its delimiter and quotes, then export it again.", entry=table.entry, **place,
                )  # fmt: skip

    def _read(self, scale: int, *, keep_broken: bool = False) -> int:
        """Into `fine`; returns how many lines have amounts that do not fit into this scale."""
        self.scale = scale
        union = " UNION ALL ".join(
            charges.lines(number, part, style, scale, self._account, self._today)
            for number, (part, style) in enumerate(zip(self.bill.parts, self._writing.styles, strict=True))
        )
        for number, part in enumerate(self.bill.parts):
            source = tables.source(part.table, keep_broken=keep_broken)
            self._connection.execute("DROP TABLE IF EXISTS reject_errors; DROP TABLE IF EXISTS reject_scans")
            self._connection.execute(f"CREATE OR REPLACE VIEW part{number} AS {source}")
        sums = ", ".join(f"sum({name}) AS {name}" for name in AMOUNTS)
        names = ", ".join((*TEXTS[2:], "problem"))
        unfolds = any(part.meaning.unfolded for part in self.bill.parts)
        # What a line holds beside its charge counts where it is used; a line that is not used counts once.
        lines = "count(*) FILTER (problem IS NULL OR NOT extra)" if unfolds else "count(*)"
        try:
            self._run(
                f"CREATE OR REPLACE TABLE fine AS SELECT month, day, {names}, {lines} AS lines,"  # noqa: S608
                f" count(*) FILTER (is_left) AS left_out, {sums} FROM ({union}) GROUP BY ALL"
            )
        except duckdb.OutOfRangeException:
            if scale == numbers.SCALES[0]:
                raise
            return 1 << 62  # sums that are too large for so many places: not this scale
        (count,) = self._ask("SELECT count(*) FROM fine WHERE problem LIKE '%_digits'")[0]
        return int(count)

    def _broken_lines(self) -> Sequence[rejected.Broken]:
        try:
            found = self._ask(rejected.BROKEN)
        except duckdb.CatalogException:
            return []
        return rejected.checked([rejected.Broken(*row) for row in found], [part.table for part in self.bill.parts])

    # --- adding up

    def _add_up(self) -> None:
        connection, key = self._connection, ", ".join(KEY)
        connection.create_function("kept_tags", self._keep, ["VARCHAR"], "VARCHAR", null_handling=SPECIAL)
        connection.execute("CREATE TABLE tagged AS SELECT DISTINCT tags FROM fine WHERE tags IS NOT NULL")
        connection.execute("CREATE TABLE tag_names AS SELECT tags, kept_tags(tags) AS kept FROM tagged")
        sums = ", ".join(f"sum({name}) AS {name}" for name in AMOUNTS)
        # Added up by the texts of the key, then coded: to join a million lines to their key would take longer.
        usable = "fine LEFT JOIN tag_names USING (tags) WHERE problem IS NULL"
        kept = "coalesce(kept, '{}') AS kept"
        self._run(
            f"CREATE TABLE wide AS SELECT billing_account, month, day, {key}, {kept}, charge_category, currency,"  # noqa: S608
            f" {sums}, sum(lines)::BIGINT AS lines FROM {usable} GROUP BY ALL"
        )
        connection.execute(
            f"CREATE TABLE keys AS SELECT {key}, kept, md5(CAST(to_json([{key}, kept]) AS VARCHAR)) AS digest"  # noqa: S608
            f" FROM (SELECT DISTINCT {key}, kept FROM wide)"
        )
        connection.execute(
            f"CREATE TABLE cells AS SELECT * EXCLUDE ({key}, kept) FROM wide JOIN keys USING ({key}, kept);"  # noqa: S608
            " DROP TABLE wide"
        )
        connection.execute("CREATE TABLE numbers (digest VARCHAR, number VARCHAR)")
        connection.execute("CREATE TABLE renamed (resource VARCHAR, name VARCHAR)")
        # Days can be written meanwhile: nobody asks for resources before they are.
        self._adding = Work(connection.cursor(), lambda cursor: self._add_up_resources(cursor, usable, kept))

    def _add_up_resources(self, cursor: duckdb.DuckDBPyConnection, usable: str, kept: str) -> None:
        key = ", ".join(KEY)
        cursor.execute(
            "CREATE TABLE resources AS SELECT * EXCLUDE"  # noqa: S608
            f" ({key}, kept) FROM (SELECT billing_account, month, CAST(date_trunc('month', day) AS DATE) AS used,"
            f" resource, {key}, {kept}, currency, sum(billed) AS billed, sum(effective) AS effective,"
            f" sum(quantity) AS quantity FROM {usable} AND resource <> '' GROUP BY ALL) JOIN keys USING ({key}, kept)"
        )
        ((count,),) = cursor.execute("SELECT count(*) FROM resources").fetchall()
        if count > MOST_RESOURCES:
            cursor.execute(
                "CREATE OR REPLACE TABLE resources AS SELECT billing_account, month, used,"  # noqa: S608
                f" CASE WHEN place <= {MOST_RESOURCES} THEN resource ELSE {quoted(OTHER_RESOURCES)} END AS resource,"
                " digest, currency, sum(billed) AS billed, sum(effective) AS effective, sum(quantity) AS quantity FROM"
                " (SELECT *, row_number() OVER (ORDER BY abs(effective) DESC, resource) AS place FROM resources)"
                " GROUP BY ALL"
            )
        if self._redactor:
            self._rename_resources(cursor, self._redactor)

    # --- what came of it

    def totals(self, *, usable: bool = False) -> list[Total]:
        """Of the whole file, by currency and charge category; of lines that could not be used, what could be read,
        or nothing."""
        lines = "sums WHERE is_usable" if usable else "sums"
        return [
            Total(currency, category, billed, effective)
            for currency, category, billed, effective in self._ask(
                f"SELECT currency, charge_category, coalesce(sum(billed), 0),"  # noqa: S608
                f" coalesce(sum(effective), 0) FROM {lines} GROUP BY 1, 2 ORDER BY 1, 2"
            )
        ]

    def scopes(self) -> list[Scoped]:
        """Accounts and months, of which at least one line could be used."""
        found: list[Scoped] = []
        for account, month, lines, first, last in self._ask(
            "SELECT billing_account, month, sum(lines)::BIGINT, min(first_day), max(last_day) FROM sums"
            " WHERE is_usable GROUP BY 1, 2 ORDER BY 1, 2"
        ):
            totals = self._connection.execute(
                "SELECT currency, charge_category, coalesce(sum(billed), 0), coalesce(sum(effective), 0) FROM sums"
                " WHERE billing_account = ? AND month = ? GROUP BY 1, 2 ORDER BY 1, 2",
                [account, month],
            ).fetchall()
            found.append(Scoped(account, month, lines, first, last, tuple(Total(*row) for row in totals)))
        return found

    def remarks(self) -> list[str]:
        """What who sent it should know, beside what was rejected."""
        found = self._writing.remarks()
        ((left,),) = self._ask("SELECT coalesce(sum(left_out), 0)::BIGINT FROM sums")
        if left:
            found.append(
                f"Of {left:,} {'line' if left == 1 else 'lines'} a quantity or list price is no number, and left out"
            )
        ((lines, last),) = self._ask(
            f"SELECT sum(lines)::BIGINT, max(day) FROM fine WHERE problem IS NULL AND day > DATE '{self._today}'"  # noqa: S608
        )
        if lines:
            begin = "1 line begins" if lines == 1 else f"{lines:,} lines begin"
            until = f"on {last:%-d %B %Y} at the latest: each counts in its own month"
            found.append(f"{begin} after {self._today:%-d %B %Y}, {until}")
        return found

    def charge_keys(self) -> Iterator[tuple[str, ...]]:
        """(digest, the columns of KEY in order, kept tags as JSON)."""
        for rows in many(self._connection, f"SELECT digest, {', '.join(KEY)}, kept FROM keys ORDER BY digest"):  # noqa: S608
            yield from rows

    def number(self, numbers: Mapping[str, object]) -> None:
        """Key's digest → what stands for it in lines."""
        insert(self._connection, "numbers", [(digest, str(number)) for digest, number in numbers.items()])

    def cell_lines(self, scope: Scoped, version: int) -> Iterator[str]:
        """Lines of COPY's text format, many at once: version, in force, day, key, charge category, currency, billed,
        effective, list, quantity, lines."""
        return self._blocks(
            f"SELECT concat_ws(chr(9), '{version}', 't', day, number, charge_category, {copied('currency')}, billed,"  # noqa: S608
            " effective, coalesce(list::VARCHAR, '\\N'), coalesce(quantity::VARCHAR, '\\N'), lines) FROM cells"
            " JOIN numbers USING (digest) WHERE billing_account = ? AND month = ?",
            [scope.billing_account, scope.period],
        )

    def resource_lines(self, scope: Scoped, version: int) -> Iterator[str]:
        """The same: version, in force, calendar month, resource, key, currency, billed, effective, quantity."""
        self._wait_for_resources()
        return self._blocks(
            f"SELECT concat_ws(chr(9), '{version}', 't', used, {copied('coalesce(name, resource)')}, number,"  # noqa: S608
            f" {copied('currency')}, billed, effective, coalesce(quantity::VARCHAR, '\\N')) FROM resources"
            " JOIN numbers USING (digest) LEFT JOIN renamed USING (resource) WHERE billing_account = ? AND month = ?",
            [scope.billing_account, scope.period],
        )

    def _wait_for_resources(self) -> None:
        if self._adding:
            with tables.reading(tables=[part.table for part in self.bill.parts]):
                self._wait(self._adding)

    def _rename_resources(self, cursor: duckdb.DuckDBPyConnection, redactor: Redactor) -> None:
        """Those whose names hold secrets."""
        held = quoted("|".join(map(re.escape, HINTS)))
        # What is no ASCII may have another lower case elsewhere.
        asked = f"regexp_matches(lower(resource), {held}) OR length(resource) <> strlen(resource)"
        for rows in many(cursor, f"SELECT DISTINCT resource FROM resources WHERE {asked}"):  # noqa: S608
            pairs = [(old, redactor.text(old)[:LONGEST_RESOURCE]) for (old,) in rows]
            insert(cursor, "renamed", [(old, new) for old, new in pairs if new != old])

    def rejects(self) -> Iterator[Reject]:
        """The first ones, each with its place: the file is read once more, and only when there are any."""
        if not self.rejected:
            return
        self._keep_order()
        left = MOST_REJECTS
        for number, part in enumerate(self.bill.parts):
            broken = [each for each in self._broken if each.path == str(part.table.path)]
            unused: list[rejected.Unused] = []
            if self.rejected > len(self._broken) and left > 0:
                query = self._raw(number, part)
                unused = [rejected.Unused(*row) for row in self._ask(rejected.query(query, part.meaning, left))]
            left -= len(unused)
            yield from rejected.named(part.table, broken, unused)

    def _raw(self, number: int, part: Part) -> str:
        """SQL: the part's lines in their order, read and as they stand."""
        style = self._writing.styles[number]
        return charges.lines(number, part, style, self.scale, self._account, self._today, raw=True, view="sample")

    def first(self, count: int) -> tuple[str, str, list[dict[str, Any]]]:
        """How days and decimals of the first table are read, and its first lines: what of it, as it stands and read."""
        self._keep_order()
        style, query = self._writing.styles[0], self._raw(0, self.bill.parts[0])
        with self._connection.cursor() as cursor:
            cursor.execute(f"{query} LIMIT {count}")
            names = [column[0] for column in cursor.description or ()]
            rows = [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
        for row in rows:
            row["problem"] = rejected.REASONS.get(row["problem"] or "", "")
        return style.starts, style.decimals.get("billed", amounts.POINT), rows

    # --- asking

    def _keep_order(self) -> None:
        """From now on: one thread reads lines in their order, which numbers them."""
        self._wait_for_resources()
        self._connection.execute("SET threads=1; SET preserve_insertion_order=true")

    def _ask(self, sql: str) -> list[tuple[Any, ...]]:
        return self._connection.execute(sql).fetchall()

    def _blocks(self, sql: str, parameters: Sequence[Any]) -> Iterator[str]:
        for rows in many(self._connection, sql, parameters):
            yield "".join([f"{line}\n" for (line,) in rows])

    def _run(self, sql: str) -> None:
        """A statement that takes long."""
        self._wait(Work(self._connection, lambda connection: connection.execute(sql)))

    def _wait(self, work: Work) -> None:
        """For its end, while progress is told and it can be stopped."""
        work.thread.join(0.02)
        while work.thread.is_alive():
            try:
                self._tick(max(work.connection.query_progress(), 0.0) / 100)
            except BaseException:
                work.stop()
                raise
            work.thread.join(0.2)
        if work.failed:
            raise work.failed[0]

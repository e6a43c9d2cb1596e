"""Every format of bill, one line each. PURE."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from costs.bills import aws_cur, azure, charges_csv, cost_explorer, focus, gcp, opencost
from costs.bills.records import Head, Match, Meaning, Table, Tick


@dataclass(frozen=True)
class Format:
    name: str
    title: str
    sniff: Callable[[Head], Match]
    # Of tables: what the columns mean, given the tags that matter.
    meaning: Callable[[Table, frozenset[str]], Meaning] | None = None
    # Of formats whose meaning only the lines tell: looks at all of them.
    looked: Callable[[Table, Meaning], Meaning] | None = None
    # Of JSON: the file as a table of our own, written into the folder.
    rows: Callable[[Path, str, Path, Tick], tuple[Table, Meaning]] | None = None


FORMATS: dict[str, Format] = {
    each.name: each
    for each in (
        Format(focus.NAME, focus.TITLE, focus.sniff, focus.meaning),
        Format(aws_cur.LEGACY, aws_cur.TITLES[aws_cur.LEGACY], aws_cur.sniff_legacy, aws_cur.meaning),
        Format(aws_cur.CUR2, aws_cur.TITLES[aws_cur.CUR2], aws_cur.sniff_cur2, aws_cur.meaning),
        Format(azure.NAME, azure.TITLE, azure.sniff, azure.meaning, azure.looked),
        Format(opencost.NAME, opencost.TITLE, opencost.sniff, opencost.meaning, rows=opencost.rows),
        Format(cost_explorer.NAME, cost_explorer.TITLE, cost_explorer.sniff, rows=cost_explorer.rows),
        Format(gcp.NAME, gcp.TITLE, gcp.sniff, gcp.meaning, rows=gcp.rows),
        Format(charges_csv.NAME, charges_csv.TITLE, charges_csv.sniff, charges_csv.meaning),
    )
}

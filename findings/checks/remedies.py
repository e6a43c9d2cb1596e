"""What can be done about failures, as data: one remedy may close several checks' findings. PURE."""

import csv
from dataclasses import dataclass
from functools import cache
from importlib.resources import files


@dataclass(frozen=True)
class Remedy:
    id: str
    lane: str  # where the analysis puts it; "" for those that it does not name
    title: str
    effort_days: int  # of one engineer, roughly
    fixes_checks: tuple[str, ...]
    how: str


@cache
def remedies() -> dict[str, Remedy]:
    text = files("findings.checks").joinpath("data/remedies.tsv").read_text(encoding="utf-8")
    return {
        row["id"]: Remedy(
            row["id"], row["lane"], row["title"], int(row["effort_days"]), tuple(row["fixes_checks"].split(",")),
            row["how"] or "",
        )
        for row in csv.DictReader(text.splitlines(), delimiter="\t")
    }  # fmt: skip

"""What the checks read: kind, field, check; measured, not declared: `data/reads.tsv`. PURE.

`python -m findings.checks.reads` prints docs/coverage.md; `python -m tests.findings.checks.reading_measured` measures.
"""

import csv
import sys
from collections import Counter
from collections.abc import Iterator
from functools import cache
from importlib.resources import files
from typing import NamedTuple

from findings.checks.registry import CHECKS
from findings.platform.model import Platform

SETTING, CALL = "application setting", "Python call"
_HEAD = """# Coverage

Which kind of object, which of its fields, and which check reads it. Nobody keeps this list by hand: each field of each
sample is taken out, and a check whose answer changes reads it. What changes no answer is not listed, so a field that is
missing here has no effect on any verdict or figure that the samples know.

A kind that no check reads is skipped and counted: `kinds_not_read` in the output of
[`platform-risk scan --format json`](scan.md). Lists are written `[]`. Facts that people state are in
[scanning configuration](scan.md); what is not seen although it is read, in [blind spots](blind-spots.md).
"""


class Read(NamedTuple):
    kind: str
    field: str
    check: str


@cache
def reads() -> tuple[Read, ...]:
    text = files("findings.checks").joinpath("data/reads.tsv").read_text(encoding="utf-8")
    return tuple(
        Read(row["kind"], row["field"], row["check"]) for row in csv.DictReader(text.splitlines(), delimiter="\t")
    )


@cache
def kinds() -> frozenset[str]:
    return frozenset(each.kind for each in reads())


def kinds_not_read(platform: Platform) -> dict[str, int]:
    """Kinds of objects and Terraform resources that are in the files and that no check reads, with their number."""
    found = Counter(each.kind for each in platform.resources)
    found.update(each.kind for each in platform.blocks if each.type == "resource")
    return {kind: count for kind, count in sorted(found.items()) if kind not in kinds()}


def lines() -> Iterator[str]:
    yield _HEAD
    by_kind: dict[str, dict[str, set[str]]] = {}
    for each in reads():
        by_kind.setdefault(each.kind, {}).setdefault(each.field, set()).add(each.check)
    order = list(CHECKS)
    for kind in sorted(by_kind, key=str.lower):
        yield f"## {kind}\n"
        yield "| field | read by |"
        yield "|---|---|"
        for field, checks in sorted(by_kind[kind].items()):
            shown = ", ".join(f"[{check}](checks.md#{check})" for check in sorted(checks, key=order.index))
            yield f"| `{field}` | {shown} |"
        yield ""


def text() -> str:
    return "\n".join(lines()).rstrip() + "\n"


if __name__ == "__main__":
    sys.stdout.write(text())

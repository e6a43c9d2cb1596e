"""What a Checkov rule is worth: severity and category by rule, from our own table. PURE.

Checkov gives no severity offline, and its SARIF says `error` for everything. A rule that the table does not know is
medium, marked unrated.
"""

import csv
import functools
from dataclasses import dataclass
from importlib.resources import files

from findings.vocabulary import Category, Severity, SeveritySource


@dataclass(frozen=True)
class Rating:
    severity: Severity
    category: Category
    source: SeveritySource
    title: str = ""
    because: str = ""  # the table's source: a benchmark's section, or our own reason


_UNKNOWN = Rating(Severity.MEDIUM, Category.SECURITY, SeveritySource.UNRATED)
# What Checkov writes when it is connected to its platform and so knows a severity.
_STATED = {
    "CRITICAL": Severity.CRITICAL,
    "HIGH": Severity.HIGH,
    "MEDIUM": Severity.MEDIUM,
    "MODERATE": Severity.MEDIUM,
    "LOW": Severity.LOW,
    "INFO": Severity.INFO,
    "NONE": Severity.INFO,
}


@functools.cache
def table() -> dict[str, Rating]:
    """Rule → rating; read once from the package's own data file."""
    text = files("findings.scans").joinpath("data/checkov_rules.tsv").read_text(encoding="utf-8")
    rows = csv.DictReader(text.splitlines(), delimiter="\t")
    return {
        row["rule"]: Rating(
            Severity(row["severity"]), Category(row["category"]), SeveritySource.RULE_TABLE, row["title"], row["source"]
        )
        for row in rows
    }


def rating_of(rule: str, stated: str | None = None) -> Rating:
    """The report's own severity where it states one, else the table's; the category is always the table's."""
    known = table().get(rule, _UNKNOWN)
    severity = _STATED.get((stated or "").upper())
    if severity is None:
        return known
    return Rating(severity, known.category, SeveritySource.REPORT, known.title, known.because)

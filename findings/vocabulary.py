"""The words of the public contract. PURE: parsers, rules, models and the API all take them from here.

Order matters where the contract ranks: the first member of Severity and of Lane is the worst.
"""

from enum import StrEnum


class Severity(StrEnum):
    CRITICAL = "critical"
    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"
    INFO = "info"


class SeveritySource(StrEnum):
    """Who says how severe a finding is."""

    REPORT = "report"
    RULE_TABLE = "rule_table"
    UNRATED = "unrated"
    USER = "user"


class Lane(StrEnum):
    IMMEDIATE = "immediate"
    CRITICAL = "critical"
    IMPORTANT = "important"
    OPTIMIZATION = "optimization"


class Status(StrEnum):
    NEW = "new"
    TRIAGED = "triaged"
    IN_PROGRESS = "in_progress"
    FIXED = "fixed"
    VERIFIED = "verified"
    SNOOZED = "snoozed"
    ACCEPTED = "accepted"
    DISMISSED = "dismissed"


# Open: somebody still has to do something. Snoozed is set aside, not open; it wakes by date.
OPEN_STATUSES = (Status.NEW, Status.TRIAGED, Status.IN_PROGRESS)
# Closed by evidence: the scanner no longer sees it.
CLOSED_BY_EVIDENCE = (Status.FIXED, Status.VERIFIED)
# Closed by a person's decision; survives re-import.
DECIDED = (Status.ACCEPTED, Status.DISMISSED)


class DismissReason(StrEnum):
    INACCURATE = "inaccurate"
    NOT_APPLICABLE = "not_applicable"
    MITIGATED_ELSEWHERE = "mitigated_elsewhere"
    DUPLICATE = "duplicate"
    WONT_FIX = "wont_fix"


class Category(StrEnum):
    ARCHITECTURE = "architecture"
    SECURITY = "security"
    PERFORMANCE = "performance"
    DATA_CONSISTENCY = "data_consistency"
    OPERATIONS = "operations"
    COST = "cost"
    DEPENDENCIES = "dependencies"


class RiskClass(StrEnum):
    """The API field `class`."""

    STABILITY = "stability"
    SECURITY = "security"
    DATA_LOSS = "data_loss"
    OPERATIONAL = "operational"
    COST = "cost"


class Outcome(StrEnum):
    CASCADE = "cascade"
    DATA_LOSS = "data_loss"
    BREACH = "breach"
    COST = "cost"
    OUTAGE = "outage"


CLASS_OF_CATEGORY: dict[Category, RiskClass] = {
    Category.ARCHITECTURE: RiskClass.STABILITY,
    Category.PERFORMANCE: RiskClass.STABILITY,
    Category.DEPENDENCIES: RiskClass.STABILITY,
    Category.SECURITY: RiskClass.SECURITY,
    Category.DATA_CONSISTENCY: RiskClass.DATA_LOSS,
    Category.OPERATIONS: RiskClass.OPERATIONAL,
    Category.COST: RiskClass.COST,
}

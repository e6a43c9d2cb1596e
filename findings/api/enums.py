"""The contract's enumerations as plain lists: the schema names its enums by them (ENUM_NAME_OVERRIDES)."""

from findings.query import ENUMS, ORDERINGS, SAME_ORDERINGS, UNITS, VIEWS
from findings.risk import stating
from findings.risk.bands import Band
from findings.risk.inputs import Confidence
from findings.vocabulary import (
    Category,
    DismissReason,
    Lane,
    Outcome,
    RiskClass,
    Severity,
    SeveritySource,
    Status,
)

SEVERITIES = [member.value for member in Severity]
SEVERITY_SOURCES = [member.value for member in SeveritySource]
LANES = [member.value for member in Lane]
STATUSES = [member.value for member in Status]
CATEGORIES = [member.value for member in Category]
CLASSES = [member.value for member in RiskClass]
OUTCOMES = [member.value for member in Outcome]
DISMISS_REASONS = [member.value for member in DismissReason]
STATES = sorted(ENUMS["is"])
FINDING_ORDERINGS = sorted((*ORDERINGS, *SAME_ORDERINGS))
LANE_SOURCES = ["severity", "risk", "user"]
BANDS = [member.value for member in Band]
LEVELS = ["1", "2", "3", "4", "5", "none"]
BANDS_OR_NONE = [*BANDS, "none"]
RISK_VIEWS = list(VIEWS)
RISK_UNITS = list(UNITS)
GROUP_ORDERS = ["minutes", "loss", "findings"]
INPUT_NAMES = list(stating.NAMES)
INPUT_KINDS = [member.value for member in stating.Kind]
CONFIDENCES = [member.value for member in Confidence]
SIMULATION_STATES = ["queued", "running", "done", "failed"]  # in the schema JobState, as of bulk decisions
CHANGE_SOURCES = ["page", "api", "import", "rule", "clock"]
BULK_STATES = ["queued", "running", "done", "failed"]
BULK_RESULTS = ["applied", "refused", "not_found"]
# What a decision about many findings does; the verbs are transitions to one status.
VERBS = {
    "reopen": Status.NEW,
    "triage": Status.TRIAGED,
    "start": Status.IN_PROGRESS,
    "fix": Status.FIXED,
    "verify": Status.VERIFIED,
    "snooze": Status.SNOOZED,
    "accept": Status.ACCEPTED,
    "dismiss": Status.DISMISSED,
}
BULK_ACTIONS = ["transition", "update", *VERBS]

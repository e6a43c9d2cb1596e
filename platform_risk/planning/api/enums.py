"""Planning's enumerations as plain lists: the schema names its enums by them (ENUM_NAME_OVERRIDES)."""

from findings.checks import signals
from platform_risk.planning.vocabulary import NoteKind, RemedyState

REMEDY_STATES = [member.value for member in RemedyState]
REMEDY_VERDICTS = ["unchecked", "confirmed", "partly", "not seen"]
SAVING_VERDICTS = ["cannot be told", "confirmed", "partly", "not seen"]
WORTHS = ["minutes", "money"]
NOTE_KINDS = [member.value for member in NoteKind]
FAILURE_MODES = list(signals.modes())
GAP_KINDS = ["unscanned", "silent", "bill_gap", "bill_late"]
COVERAGE_STATES = ["covered", "unknown", "none"]

"""Words of planning, defined once. PURE."""

from enum import StrEnum


class RemedyState(StrEnum):
    PROPOSED = "proposed"
    PLANNED = "planned"
    DONE = "done"
    DECLINED = "declined"


# What still can be taken up.
AHEAD = (RemedyState.PROPOSED, RemedyState.PLANNED)


class NoteKind(StrEnum):
    DECISION = "decision"
    NOTE = "note"

"""What people do to findings, as plain values; services.act carries them out. PURE."""

from dataclasses import dataclass
from datetime import date
from typing import Any

from findings.vocabulary import DismissReason, Lane, Severity, Status

# From each status, where a person may take a finding. Imports and the clock have ways of their own.
ALLOWED: dict[Status, tuple[Status, ...]] = {
    Status.NEW: (
        Status.TRIAGED, Status.IN_PROGRESS, Status.FIXED, Status.SNOOZED, Status.ACCEPTED, Status.DISMISSED,
    ),
    Status.TRIAGED: (
        Status.NEW, Status.IN_PROGRESS, Status.FIXED, Status.SNOOZED, Status.ACCEPTED, Status.DISMISSED,
    ),
    Status.IN_PROGRESS: (
        Status.NEW, Status.TRIAGED, Status.FIXED, Status.SNOOZED, Status.ACCEPTED, Status.DISMISSED,
    ),
    Status.SNOOZED: (
        Status.NEW, Status.TRIAGED, Status.IN_PROGRESS, Status.FIXED, Status.ACCEPTED, Status.DISMISSED,
    ),
    Status.FIXED: (Status.NEW, Status.VERIFIED),
    Status.VERIFIED: (Status.NEW,),
    Status.ACCEPTED: (Status.NEW, Status.DISMISSED),
    Status.DISMISSED: (Status.NEW,),
}  # fmt: skip


def sources_of(to: Status) -> list[Status]:
    return [status for status, allowed in ALLOWED.items() if to in allowed]


@dataclass(frozen=True, kw_only=True)
class Transition:
    to: Status
    reason: str = ""  # a DismissReason when dismissing, else free text
    comment: str = ""
    until: date | None = None
    expires_on: date | None = None

    def problem(self, today: date) -> tuple[str, str] | None:
        """(field, what is wrong), or None. The same words for page, API and bulk."""
        if self.to == Status.DISMISSED and self.reason not in set(DismissReason):
            return "reason", f"Say why: one of {', '.join(DismissReason)}."
        if self.to == Status.SNOOZED and (self.until is None or self.until <= today):
            return "until", "Snoozing needs a date in the future."
        if self.to == Status.ACCEPTED and (self.expires_on is None or self.expires_on <= today):
            return "expires_on", "Accepting a risk needs a date in the future on which it is looked at again."
        return None

    @property
    def why(self) -> str:
        return ": ".join(part for part in (self.reason.replace("_", " "), self.comment) if part)


@dataclass(frozen=True, kw_only=True)
class Update:
    """Fields a person sets; a field that is not in `fields` stays. owner and team are ids or None, severity None
    goes back to what the report says, lane None to what severity or the figures decide."""

    fields: dict[str, Any]
    comment: str = ""

    NAMES = ("owner", "team", "severity", "lane", "tags", "add_tags", "remove_tags")

    def problem(self, today: date) -> tuple[str, str] | None:
        for name in self.fields:
            if name not in self.NAMES:
                return name, f"{name} cannot be changed here."
        severity = self.fields.get("severity")
        if severity is not None and severity not in set(Severity):
            return "severity", f"One of {', '.join(Severity)}."
        lane = self.fields.get("lane")
        if lane is not None and lane not in set(Lane):
            return "lane", f"One of {', '.join(Lane)}."
        if lane is not None and not self.comment.strip():
            return "comment", "Say why: a lane that a person sets keeps the reason."
        return None

    @property
    def why(self) -> str:
        return self.comment


Action = Transition | Update


def described(action: Action) -> dict[str, Any]:
    """For storage beside the decision."""
    if isinstance(action, Update):
        return {"action": "update", **action.fields, "comment": action.comment}
    dates = {name: str(value) for name in ("until", "expires_on") if (value := getattr(action, name))}
    return {"action": "transition", "to": action.to, "reason": action.reason, "comment": action.comment, **dates}

"""What incidents tell of a risk: how often it happens, how often an alert catches it, how long it takes. PURE."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from statistics import mean

DAYS_OF_A_YEAR = 365.25


@dataclass(frozen=True)
class Seen:
    """One incident. None is "nobody says"."""

    started_at: datetime
    detected_at: datetime | None = None
    recovered_at: datetime | None = None
    was_alerted: bool | None = None


@dataclass(frozen=True)
class Evidence:
    incidents: int
    years: float  # in which they would have been recorded
    since: date
    told: int  # of them it is known whether an alert caught them
    caught: int
    detect_minutes: float | None  # means
    recover_minutes: float | None

    @property
    def alert_probability(self) -> float | None:
        """Mean of Beta(½ + caught, ½ + missed): with few incidents it keeps away from 0 and 1. None: nobody said of
        any. Source: Jeffreys' prior of a binomial share."""
        return (0.5 + self.caught) / (1 + self.told) if self.told else None

    @property
    def words(self) -> str:
        count = f"{self.incidents} incident{'' if self.incidents == 1 else 's'}"
        return f"{count} in {self.years:g} years since {self.since}"


def evidence(seen: Sequence[Seen], *, watched_since: date, today: date) -> Evidence:
    """`watched_since`: from when on incidents would have been recorded; the first one moves it back."""
    since = min([watched_since, *(each.started_at.date() for each in seen)])
    told = [each.was_alerted for each in seen if each.was_alerted is not None]
    return Evidence(
        len(seen),
        max(round((today - since).days / DAYS_OF_A_YEAR, 2), 0.01),
        since,
        len(told),
        sum(told),
        _mean([_minutes(each.started_at, each.detected_at) for each in seen]),
        _mean([_minutes(each.detected_at, each.recovered_at) for each in seen]),
    )


def _minutes(begin: datetime | None, end: datetime | None) -> float | None:
    return None if begin is None or end is None else (end - begin).total_seconds() / 60


def _mean(values: Sequence[float | None]) -> float | None:
    known = [each for each in values if each is not None]
    return mean(known) if known else None

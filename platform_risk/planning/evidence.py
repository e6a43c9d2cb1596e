"""What incidents tell of a risk: how often it happens, how often an alert catches it, how long it takes. PURE."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from statistics import mean

DAYS_OF_A_YEAR = 365.25
# Fewer are no range: between the least and the most of three lies every second one that is still to come.
LEAST_OF_A_RANGE = 3


@dataclass(frozen=True)
class Seen:
    """One incident. None is "nobody says"."""

    started_at: datetime
    detected_at: datetime | None = None
    recovered_at: datetime | None = None
    was_alerted: bool | None = None
    users_affected: float | None = None  # share, 0..1


@dataclass(frozen=True)
class Spread:
    """A range as the model takes it (PERT), whose mean is that of what was seen as far as a range can have it."""

    count: int
    lo: float
    mode: float
    hi: float


@dataclass(frozen=True)
class Evidence:
    incidents: int
    years: float  # in which they would have been recorded
    since: date
    findings: int  # that share them
    told: int  # of them it is known whether an alert caught them
    caught: int
    detect_minutes: float | None  # means
    recover_minutes: float | None
    spreads: Mapping[str, Spread]  # input of the model → what it was; minutes, and a share of users

    @property
    def finding_years(self) -> float:
        """Each could have caused one all the time: of three findings an incident a year is a third for each."""
        return round(self.years * self.findings, 2)

    @property
    def alert_probability(self) -> float | None:
        """Mean of Beta(½ + caught, ½ + missed): with few incidents it keeps away from 0 and 1. None: nobody said of
        any. Source: Jeffreys' prior of a binomial share."""
        return (0.5 + self.caught) / (1 + self.told) if self.told else None

    @property
    def words(self) -> str:
        count = f"{self.incidents} incident{'' if self.incidents == 1 else 's'}"
        shared = f", shared by {self.findings} findings" if self.findings > 1 else ""
        return f"{count} in {self.years:g} years since {self.since}{shared}"


def evidence(seen: Sequence[Seen], *, watched_since: date, today: date, findings: int = 1) -> Evidence:
    """`watched_since`: from when on incidents would have been recorded; the first one moves it back. `findings`: how
    many of the check there are in the service."""
    since = min([watched_since, *(each.started_at.date() for each in seen)])
    told = [each.was_alerted for each in seen if each.was_alerted is not None]
    return Evidence(
        len(seen),
        max(round((today - since).days / DAYS_OF_A_YEAR, 2), 0.01),
        since,
        max(findings, 1),
        len(told),
        sum(told),
        _mean([_detect(each) for each in seen]),
        _mean([_recover(each) for each in seen]),
        _spreads(seen),
    )


def _spreads(seen: Sequence[Seen]) -> dict[str, Spread]:
    values = {
        "detect_alerted": [_detect(each) for each in seen if each.was_alerted is True],
        "detect_silent": [_detect(each) for each in seen if each.was_alerted is False],
        "recover": [_recover(each) for each in seen],
        "users_affected": [each.users_affected for each in seen],
    }
    found = {name: spread([each for each in several if each is not None]) for name, several in values.items()}
    return {name: each for name, each in found.items() if each is not None}


def spread(values: Sequence[float]) -> Spread | None:
    """None for too few. The likely value of a range that reaches from the least to the most and has this mean: a PERT's
    mean is (lo + 4 × mode + hi) ÷ 6."""
    if len(values) < LEAST_OF_A_RANGE:
        return None
    lo, hi = min(values), max(values)
    mode = min(max((6 * mean(values) - lo - hi) / 4, lo), hi)
    return Spread(len(values), round(lo, 4), round(mode, 4), round(hi, 4))


def _detect(seen: Seen) -> float | None:
    return _minutes(seen.started_at, seen.detected_at)


def _recover(seen: Seen) -> float | None:
    return _minutes(seen.detected_at, seen.recovered_at)


def _minutes(begin: datetime | None, end: datetime | None) -> float | None:
    return None if begin is None or end is None else (end - begin).total_seconds() / 60


def _mean(values: Sequence[float | None]) -> float | None:
    known = [each for each in values if each is not None]
    return mean(known) if known else None

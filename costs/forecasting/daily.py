"""One figure a day, from a first day on, with gaps for days of which nothing is known. PURE."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

WEEK = 7
FEWEST_DAYS = 14  # below, nothing is forecast
_PLACES = Decimal("0.0001")


class TooShortError(ValueError):
    """There are too few days to say anything; the message says how many and how many it takes."""


@dataclass(frozen=True)
class Daily:
    """`values[i]` is the figure of `start` + i days; nan where it is missing."""

    start: date
    values: Floats

    @classmethod
    def of(cls, by_day: Mapping[date, Decimal | float | None], *, absent: float = float("nan")) -> "Daily":
        """From the first to the last day of the mapping; a day that is not in it counts as `absent`.

        What is no finite number is missing too. Raises TooShortError when there is no day at all.
        """
        if not by_day:
            raise TooShortError("There is no day with spend, so there is nothing to forecast from.")
        first, last = min(by_day), max(by_day)
        values = np.full((last - first).days + 1, absent)
        for day, value in by_day.items():
            number = float("nan") if value is None else float(value)
            values[(day - first).days] = number if np.isfinite(number) else float("nan")
        return cls(first, values)

    @property
    def end(self) -> date:
        """The day after the last."""
        return self.start + timedelta(days=len(self.values))

    @property
    def known(self) -> int:
        return int(np.isfinite(self.values).sum())

    @property
    def missing(self) -> int:
        return len(self.values) - self.known

    def day(self, index: int) -> date:
        return self.start + timedelta(days=index)

    def days_of_month(self, more: int = 0) -> NDArray[np.int64]:
        """Of each day of the series and of `more` days after it: 1 to 31."""
        first = np.datetime64(self.start, "D")
        days = first + np.arange(len(self.values) + more)
        return np.asarray((days - days.astype("datetime64[M]")).astype(np.int64) + 1)


def filled(values: Floats) -> Floats:
    """Gaps closed between the same weekdays before and after; where those lack, between neighbours."""
    out = values.copy()
    missing = ~np.isfinite(out)
    if not missing.any():
        return out
    at = np.arange(len(out))
    for weekday in range(WEEK):
        of_day = at % WEEK == weekday
        have, lack = of_day & ~missing, of_day & missing
        if have.any() and lack.any():
            out[lack] = np.interp(at[lack], at[have], out[have])
    still = ~np.isfinite(out)
    if still.any():
        out[still] = np.interp(at[still], at[~still], out[~still])
    return out


def money(value: float) -> Decimal:
    """To a hundredth of a cent."""
    return Decimal(repr(float(value))).quantize(_PLACES)

"""Error budgets and how fast they burn: for checks, in percent as files state them, and for the risk model. PURE."""

MINUTES_OF_A_YEAR = 525_960.0  # 365.25 days
MINUTES_OF_A_DAY = 1440.0


def _allowed(slo: float) -> float:
    if not 0 < slo < 1:
        raise ValueError(f"an objective lies between 0 and 1, not {slo}")
    return 1 - slo


def minutes_a_year(slo: float) -> float:
    """Bad minutes that the objective allows in a year."""
    return _allowed(slo) * MINUTES_OF_A_YEAR


def minutes_of(slo: float, days: float) -> float:
    return _allowed(slo) * days * MINUTES_OF_A_DAY


def burned(burn_rate: float, minutes: float, days: float) -> float:
    """Share of a budget of `days` that is gone after `minutes` at a burn rate; 1 is the rate that just lasts."""
    return burn_rate * minutes / (days * MINUTES_OF_A_DAY)


def burned_per_minute(slo: float, error_ratio: float, days: float) -> float:
    return burned(error_ratio / _allowed(slo), 1, days)


def minutes_until_alert(slo: float, error_ratio: float, window_minutes: float, burn_rate: float) -> float | None:
    """Until an alert on the burn rate over a window fires. None: so few errors never reach it."""
    needed = _allowed(slo) * burn_rate / error_ratio
    return needed * window_minutes if needed <= 1 else None


def _allowed_percent(target_percent: float) -> float:
    return round(100 - target_percent, 10)  # 100 − 99.99 is 0.01, and not a little more


def budget_minutes(target_percent: float, days: float) -> float:
    """Minutes of total outage that an objective allows: (1 − target) × window. Source: SRE workbook, error budgets."""
    return _allowed_percent(target_percent) / 100 * days * MINUTES_OF_A_DAY


def burned_percent(outage_seconds: float, target_percent: float, days: float) -> float:
    """Share of the error budget that a total outage spends: outage ÷ budget."""
    return outage_seconds / 60 / budget_minutes(target_percent, days) * 100


def target_of_rate(percent_per_minute: float, days: float) -> float:
    """The objective at which a total outage spends so many percent of its budget a minute."""
    return 100 - 100 * (100 / percent_per_minute) / (days * MINUTES_OF_A_DAY)


def burn_rate(failed_percent: float, slo_percent: float) -> float:
    """How many times faster than allowed the error budget goes: failed ÷ (1 − SLO)."""
    return failed_percent / _allowed_percent(slo_percent)


def exhausted_minutes(burn: float, window_days: float) -> float:
    """Minutes until the window's whole error budget is spent: window ÷ burn rate."""
    return window_days * MINUTES_OF_A_DAY / burn

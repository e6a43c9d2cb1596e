"""The risk model: 15 risks over 100,000 years on one core; the aim is 2 s. Needs no server."""

import sys
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from bench import measure
from findings.risk.distributions import Constant, Distribution, LogNormal, Pert
from findings.risk.inputs import Inputs, Risk
from findings.risk.matrix import MONEY, lint
from findings.risk.simulation import YEARS, YEARS_AT_ONCE, exceedance, loss_avoided, simulate, spread, together
from findings.risk.summary import summary
from platform_risk.quantities.sourced import Source, Sourced

RISKS = 15
AIM_SECONDS = 2.0


def stated(value: Distribution) -> Sourced[Distribution]:
    return Sourced(value, Source.FACTS)


def risk(number: int) -> Risk:
    """Every input is spread, so that nothing is cheaper to draw than it may be; 3 to 6 events a year."""
    inputs = Inputs(
        frequency=stated(Pert(0.5, 2 + number / 4, 8 + number / 2)),
        users_affected=stated(Pert(0.05, 0.2, 0.6)),
        alert_probability=stated(Constant(0.6)),
        detect_alerted=stated(Pert(3, 5, 15)),
        detect_silent=stated(Pert(10, 45, 240)),
        recover=stated(Pert(5, 30, 180)),
        minute_value=stated(Pert(300, 450, 900)),
        fixed_cost=stated(LogNormal.from_interval(500, 8000)),
        secondary_probability=stated(Constant(0.1)),
        secondary_cost=stated(LogNormal.from_interval(5_000, 90_000)),
        slo=stated(Constant(0.999)),
    )
    return Risk(f"risk {number}", inputs, "shop")


def portfolio(risks: list[Risk], years: int) -> None:
    found = together([simulate(each, years=years, seed=1) for each in risks])["USD"]
    assert found.loss is not None
    spread(found.loss)
    exceedance(found.loss)


def what_if(one: Risk) -> None:
    quicker = one.changed(alert_probability=stated(Constant(0.95)))
    runs = (simulate(each, years=YEARS_AT_ONCE, seed=1) for each in (one, quicker))
    assert loss_avoided(*runs) is not None


def timed(what: str, work: Callable[[], object], aim: float | str = "–") -> tuple[str, float, float, float | str]:
    """Processor time is what one core needs; the clock also counts what else the machine does."""
    begun = time.process_time()
    clock = measure.seconds(work)
    return what, time.process_time() - begun, clock, aim


def main() -> None:
    risks = [risk(number) for number in range(RISKS)]
    events = sum(each.inputs.frequency.value.mean for each in risks if isinstance(each.inputs.frequency, Sourced))
    first = f"{RISKS} risks × {YEARS:,} years, {events * YEARS:,.0f} events"
    rows = [
        timed(first, lambda: portfolio(risks, YEARS), AIM_SECONDS),
        timed("the same again, its tables built", lambda: portfolio(risks, YEARS), AIM_SECONDS),
        timed(f"{RISKS} risks × {YEARS_AT_ONCE:,} years", lambda: portfolio(risks, YEARS_AT_ONCE)),
        timed(f"a remedy × {YEARS_AT_ONCE:,} years, before and after", lambda: what_if(risks[0])),
        timed("means of 10,000 risks", lambda: summary([risks[0]] * 10_000)),
        timed("lint of the matrix", lambda: lint(MONEY)),
    ]
    measure.show("Risk model", ("", "CPU s", "clock s", "aim"), rows)
    print(f"Most memory: {measure.peak_mb():,.0f} MB")


if __name__ == "__main__":
    main()

"""What the pages of risk show: inputs in words with who said so, groups, and charts. Reading only."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

import numpy as np
from django.db.models import QuerySet
from django.urls import reverse

from findings import estimating, placements, portfolio, stating
from findings import risk_charts as charts
from findings.checks.registry import CHECKS
from findings.checks.remedies import remedies
from findings.models import Estimate, Finding, RiskInput, RiskPolicy, Simulation
from findings.portfolio import Burner, Part
from findings.query import Query
from findings.risk import stating as inputs
from findings.risk.controls import CONTROLS, Control
from findings.risk.distributions import Constant, Distribution, GammaRate, LogNormal, Pert
from findings.risk.estimates import matrix_of
from findings.risk.expected import expected
from findings.risk.inputs import NAMES, Estimated, Risk
from findings.risk.profiles import Assembled, Origin
from findings.risk.stating import Kind
from platform_risk.core.models import AuditEvent, User
from platform_risk.quantities.sourced import Quantity, Sourced

TITLES = {
    "frequency": "How often",
    "users_affected": "Users affected",
    "alert_probability": "An alert catches it",
    "detect_alerted": "Until detected, with an alert",
    "detect_silent": "Until detected, without one",
    "recover": "Until recovered",
    "minute_value": "Value of a bad minute",
    "fixed_cost": "Fixed cost of an event",
    "secondary_probability": "Secondary loss happens",
    "secondary_cost": "Secondary loss",
    "recurring_cost": "Recurring cost",
    "slo": "Objective (SLO)",
}
ORIGINS = {
    Origin.FINDING: "stated of this finding",
    Origin.CHECK: "stated of this check in the service",
    Origin.MEASURED: "measured by the check",
    Origin.SERVICE: "stated of the service",
    Origin.DEFAULT: "default",
}
_SHARES = ("users_affected", "alert_probability", "secondary_probability", "slo")
_MONEY = ("minute_value", "fixed_cost", "secondary_cost", "recurring_cost")
MISSING = {
    "minute_value": "a price: no dollars without the value of a bad minute",
    "slo": "a share of the error budget",
}


def title_of(name: str) -> str:
    return TITLES.get(name, name.replace("_", " ").capitalize())


def unit_of(name: str, currency: str) -> str:
    if name == "minute_value":
        return f"{currency} a minute"
    return inputs.UNITS.get(name, "").format(currency=currency)


def in_unit(name: str, currency: str) -> str:
    """How its numbers are meant: `in minutes`, `as a share of 1`."""
    return "as a share of 1" if name in _SHARES else f"in {unit_of(name, currency)}"


def said(name: str, value: Distribution, currency: str) -> str:
    """A distribution as one says it."""
    unit = "" if name in _SHARES else f" {unit_of(name, currency)}".rstrip()
    match value:
        case Constant():
            return f"{_number(name, value.value)}{unit}"
        case Pert():
            low, mode, high = (_number(name, each) for each in (value.lo, value.mode, value.hi))
            return f"{low} to {high}{unit}, most likely {mode}"
        case LogNormal():
            low, high = (_number(name, float(each)) for each in value.quantile(_ENDS))
            return f"{low} to {high}{unit} in nine of ten cases"
        case GammaRate():
            counted = f"from {charts.short(value.events)} in {charts.short(value.years)} years, the prior among them"
            return f"{charts.short(value.mean)}{unit}, {counted}"
        case _:
            return f"{_number(name, value.mean)}{unit}"


_ENDS = np.array([0.05, 0.95])


def _number(name: str, value: float) -> str:
    if name in _SHARES:
        return f"{value * 100:.6g} %"
    return f"{value:,.2f}" if name in _MONEY and value < 1000 else charts.short(value)


@dataclass(frozen=True)
class InputRow:
    """One input of a finding's figures, and who stands for it."""

    name: str
    title: str
    value: str
    origin: str
    is_default: bool
    note: str
    author: str
    stated_on: date | None
    confidence: str
    stated: RiskInput | None  # the finding's own, which its page can change


def input_rows(known: Assembled, own: dict[str, RiskInput], currency: str) -> list[InputRow]:
    rows = []
    for name in NAMES:
        if name not in known.origins:
            continue
        stated: Sourced[Any] = getattr(known.inputs, name)
        origin, place = known.origins[name], stated.place
        where = f"{place.path}:{place.line}" if place.line else place.path
        person = stated if isinstance(stated, Estimated) else None
        rows.append(
            InputRow(
                name,
                title_of(name),
                said(name, stated.value, currency),
                ORIGINS[origin],
                origin is Origin.DEFAULT,
                " ".join(part for part in (stated.note, where) if part),
                person.author if person else "",
                person.stated_on if person else None,
                person.confidence.value if person and person.confidence else "",
                own.get(name),
            )
        )
    return rows


@dataclass(frozen=True)
class RiskSection:
    """What the page of a finding shows of its risk."""

    estimate: Estimate
    inputs: list[InputRow]
    absent: list[tuple[str, str]]  # what can be stated and is not: name, title
    missing: list[str]
    quantities: tuple[Quantity, ...]
    analysis_lanes: list[str]
    events: list[AuditEvent]
    may_state: bool
    hidden_share: float | None
    controls: list[Control]  # without which its inherent figures are


def section(finding: Finding, user: User) -> RiskSection | None:
    """Five queries. None: its figures are not computed yet."""
    row = finding.estimate
    if row is None:
        return None
    known = estimating.assembled(row)
    own = {each.name: each for each in RiskInput.objects.filter(finding=finding)}
    label = stating.label_of_finding(finding.pk)
    events = AuditEvent.objects.filter(kind="risk_input", label__startswith=label).order_by("-id")[:20]
    return RiskSection(
        estimate=row,
        inputs=input_rows(known, own, row.currency),
        absent=[(name, TITLES[name]) for name in inputs.NAMES if name not in known.origins],
        missing=[title_of(name) for name in row.missing],
        quantities=expected(Risk("", known.inputs)).quantities,
        analysis_lanes=analysis_lanes(finding),
        events=list(events),
        may_state=stating.may_state(user, finding.service, finding),
        hidden_share=_share(row.hidden_minutes, row.bad_minutes),
        controls=[CONTROLS[name] for name in row.controls],
    )


def _share(part: float | None, whole: float | None) -> float | None:
    return None if part is None or not whole else part / whole


def analysis_lanes(finding: Finding) -> list[str]:
    """Where the analysis puts the remedies of the finding's check, when that is not where it stands here."""
    found = [each.lane for each in remedies().values() if each.lane and finding.check_id in each.fixes_checks]
    return sorted(set(found)) if found and finding.lane not in found else []


# --- groups and charts


@dataclass(frozen=True)
class Group:
    burner: Burner
    title: str
    bar: charts.BurnBar


def groups(user: User, *, part: Part = portfolio.ALL, order: str = "minutes", shown: int = 50) -> list[Group]:
    found = portfolio.burners(user, part, shown=shown, order=order)
    bars = charts.burn_bars([(each.hidden_minutes, each.repair_minutes) for each in found])
    return [Group(each, check_title(each), bar) for each, bar in zip(found, bars, strict=True)]


def check_title(burner: Burner) -> str:
    check = CHECKS.get(burner.check)
    return check.meta.title if check else burner.name.capitalize()


def scatter(user: User, unit: str, view: str, query: Query) -> tuple[charts.Scatter, list[placements.Standing]]:
    """What the matrix of the same unit, view and filter counts, each group where it stands."""
    matrix = matrix_of(unit)
    found = placements.standings(user, unit=unit, view=view, query=query)
    spots = [
        charts.Spot(
            each.frequency, each.per_event, each.count,
            f"{each.check or each.risk_class.replace('_', ' ')} in {each.service}: {each.count:,} "
            f"finding{'' if each.count == 1 else 's'}, {charts.short(each.frequency)} events a year, "
            f"{charts.short(each.per_event)} each, {each.band}",
            _list_url(_query_of(each, unit, view, query)), each.band,
        )
        for each in found
    ]  # fmt: skip
    bounds = (matrix.likelihood.bounds, matrix.impact.bounds)
    return charts.scatter(spots, matrix.likelihood.ends, matrix.impact.ends, bounds), found


def _query_of(standing: placements.Standing, unit: str, view: str, query: Query) -> str:
    what = f"check:{standing.check}" if standing.check else f'class:{standing.risk_class} check:""'
    cell = f"cell:{unit}-{view}-{standing.likelihood}-{standing.impact}"
    return f"is:open {what} service:{standing.service} -is:other_branch {cell} {query.text()}".strip()


def _list_url(q: str) -> str:
    return f"{reverse('findings:finding-list')}?{urlencode({'q': q})}"


@dataclass(frozen=True)
class MatrixRow:
    likelihood: int
    unit: str
    cells: list["MatrixCell"]


@dataclass(frozen=True)
class MatrixCell:
    cell: placements.Cell
    url: str


def matrix_rows(found: placements.Matrix, query: Query) -> list[MatrixRow]:
    """From the likeliest down, each cell with the list of what it holds."""
    scale = matrix_of(found.unit).likelihood
    rows = []
    for level in range(5, 0, -1):
        cells = [MatrixCell(cell, _cell_url(found, cell, query)) for cell in found.cells if cell.likelihood == level]
        rows.append(MatrixRow(level, bounds_words(*scale.range_of(level)), cells))
    return rows


def _cell_url(found: placements.Matrix, cell: placements.Cell, query: Query) -> str:
    return list_of_cell(found, f"{cell.likelihood}-{cell.impact}", query)


def list_of_cell(found: placements.Matrix, levels: str, query: Query) -> str:
    """The list of what a cell holds; `levels` none: of what has no place, and so no order by its figures either."""
    q = f"is:open -is:other_branch cell:{found.unit}-{found.view}-{levels} {query.text()}"
    order = {} if levels == "none" else {"ordering": "-bad_minutes"}
    return f"{reverse('findings:finding-list')}?{urlencode({'q': q.strip(), 'view': 'flat', **order})}"


def columns(unit: str) -> list[tuple[int, str]]:
    scale = matrix_of(unit).impact
    return [(level, bounds_words(*scale.range_of(level))) for level in range(1, 6)]


def bounds_words(low: float, high: float) -> str:
    if low == 0:
        return f"< {charts.short(high)}"
    return f"≥ {charts.short(low)}" if high == float("inf") else f"{charts.short(low)} to {charts.short(high)}"


def exceedance(
    drawn: Simulation | None, policy: RiskPolicy | None, unit: str
) -> tuple[charts.ExceedanceChart | None, list[tuple[float, float]]]:
    """The chart of one unit ("minutes" or a currency) and its points."""
    if drawn is None or not drawn.result:
        return None, []
    points = [(float(a), float(p)) for a, p in drawn.result["exceedance"].get(unit, [])]
    spread = drawn.result["minutes"] if unit == "minutes" else drawn.result["losses"].get(unit)
    marks = [(name, float(spread[key])) for name, key in _MARKS] if spread else []
    tolerance = []
    if policy is not None and policy.currency == unit:
        tolerance = [(float(Decimal(amount)), float(share)) for amount, share in policy.tolerance]
    return charts.exceedance_chart(points, tolerance, marks), points


_MARKS = (("P50", "p50"), ("mean", "mean"), ("P95", "p95"), ("P99", "p99"))


@dataclass(frozen=True)
class Breach:
    """Where the curve lies above the tolerance line."""

    amount: float
    tolerated: float
    probability: float


def breaches(points: Sequence[tuple[float, float]], policy: RiskPolicy | None, unit: str) -> list[Breach]:
    if policy is None or policy.currency != unit:
        return []
    found = []
    for amount, tolerated in policy.tolerance:
        probability = next((p for a, p in points if a >= float(amount)), 0.0)
        found.append(Breach(float(amount), float(tolerated), probability))
    return found


def statements(rows: QuerySet[RiskInput]) -> list[tuple[RiskInput, str, str]]:
    return [(row, title_of(row.name), stating.said(row)) for row in rows]


def kind_words(name: str) -> list[tuple[str, str]]:
    """The ways in which an input can be stated, as a form offers them."""
    return [(kind.value, _KINDS[kind]) for kind in inputs.kinds_of(name)]


_KINDS = {
    Kind.NUMBER: "One number",
    Kind.RANGE: "From, to, most likely",
    Kind.INTERVAL: "Between, in nine of ten cases",
    Kind.DAYS_BETWEEN: "Days between failures",
    Kind.INCIDENTS: "Incidents counted in years",
}

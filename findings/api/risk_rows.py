"""Figures of risk as the API shows them."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from findings import stating
from findings.models import Estimate, RiskInput, RiskPolicy, Simulation
from findings.placements import Cell, Matrix
from findings.portfolio import Burner, Missing, Sums
from findings.risk.controls import CONTROLS, Control
from findings.risk.expected import expected
from findings.risk.inputs import NAMES, Estimated, Risk
from findings.risk.lanes import Thresholds
from findings.risk.profiles import Assembled
from platform_risk.core.api.exports import Table
from platform_risk.core.api.fields import shown_date, shown_time
from platform_risk.quantities.sourced import Sourced

_MINUTES = ("mean", "p5", "p50", "p95")
_MONEY = ("mean", "p5", "p50", "p90", "p95", "p99")


def _amount(value: Decimal | None) -> str | None:
    return None if value is None else f"{value:.2f}"


def cell(found: Cell) -> dict[str, Any]:
    return {
        "likelihood": found.likelihood,
        "impact": found.impact,
        "band": found.band.value,
        "count": found.count,
        "annual_loss": _amount(found.annual_loss),
        "currency": found.currency,
        "bad_minutes_per_year": found.bad_minutes_per_year,
    }


CELLS = Table(
    "risk-matrix",
    ("likelihood", "impact", "band", "count", "annual_loss", "currency", "bad_minutes_per_year"),
    cell,
)


def matrix(found: Matrix, controls: Sequence[tuple[Control, int]]) -> dict[str, Any]:
    return {
        "version": found.version,
        "unit": found.unit,
        "view": found.view,
        "cells": [cell(each) for each in found.cells],
        "unplaced": found.unplaced,
        "closed": found.closed,
        "controls": [{"control": each.name, "findings": n, "assumption": each.words} for each, n in controls],
    }


def summary(
    sums: Sums, drawn: Simulation | None, lacking: Sequence[Missing], assumed: Sequence[Missing]
) -> dict[str, Any]:
    """Means are the exact ones; percentiles are null until the years are drawn."""
    result = drawn.result if drawn is not None and drawn.state == "done" and drawn.result else {}
    money = minutes = None
    if sums.annual_loss is not None and sums.currency is not None:
        loss = (result.get("losses") or {}).get(sums.currency)
        money = {name: None if loss is None else f"{loss[name]:.2f}" for name in _MONEY}
        money |= {"mean": _amount(sums.annual_loss), "currency": sums.currency}
    if sums.bad_minutes is not None:
        spread = result.get("minutes")
        minutes = {name: None if spread is None else spread[name] for name in _MINUTES} | {"mean": sums.bad_minutes}
    return {
        "open": sums.open,
        "annual_loss": money,
        "annual_losses": [{"mean": _amount(mean), "currency": name} for name, mean in sorted(sums.losses.items())],
        "bad_minutes_per_year": minutes,
        "hidden_share": sums.hidden_share,
        "error_budget_share": sums.budget_share,
        "missing": [{"input": each.input, "findings": each.findings} for each in lacking],
        "defaulted": [{"input": each.input, "findings": each.findings} for each in assumed],
        "simulation": None if drawn is None else simulation(drawn),
    }


def simulation(drawn: Simulation) -> dict[str, Any]:
    return {
        "state": drawn.state,
        "done": drawn.done,
        "total": drawn.total,
        "years": drawn.years,
        "seed": drawn.seed,
        "version": drawn.version,
        "input_hash": drawn.input_hash,
        "finished_at": shown_time(drawn.finished_at),
    }


def exceedance(drawn: Simulation | None, policy: RiskPolicy | None) -> dict[str, Any]:
    result = drawn.result if drawn is not None and drawn.result else {}
    curves = result.get("exceedance") or {}
    tolerance = [] if policy is None else policy.tolerance
    return {
        "simulation": None if drawn is None else simulation(drawn),
        "curves": [
            {"unit": "minutes" if name == "minutes" else "money", "currency": None if name == "minutes" else name,
             "points": [{"amount": amount, "probability": probability} for amount, probability in points]}
            for name, points in curves.items()
        ],
        "tolerance": [{"amount": amount, "probability": probability} for amount, probability in tolerance],
        "tolerance_currency": None if policy is None else policy.currency,
        "breach": [
            {"service": name, "probability": each["breach"]} for name, each in (result.get("services") or {}).items()
        ],
    }  # fmt: skip


def policy(found: RiskPolicy | None) -> dict[str, Any]:
    limits = Thresholds() if found is None else Thresholds.from_json(found.thresholds)
    tolerance = [] if found is None else found.tolerance
    return {
        "thresholds": limits.as_json(),
        "tolerance": [{"amount": amount, "probability": probability} for amount, probability in tolerance],
        "currency": "USD" if found is None else found.currency,
        "author": found.author.get_username() if found is not None and found.author else None,
        "reason": None if found is None else found.reason,
        "changed_at": None if found is None else shown_time(found.created_at),
    }


def statement(row: RiskInput) -> dict[str, Any]:
    return {
        "id": str(row.pk),
        "service": row.service.slug,
        "check": row.check_id or None,
        "finding": str(row.finding_id) if row.finding_id is not None else None,
        "name": row.name,
        "kind": row.kind,
        "numbers": row.numbers,
        "words": stating.said(row),
        "currency": row.currency or None,
        "source": row.source,
        "confidence": row.confidence,
        "author": row.author.get_username() if row.author else None,
        "stated_on": shown_date(row.stated_on),
        "updated_at": shown_time(row.updated_at),
    }


STATEMENTS = Table(
    "risk-inputs",
    (
        "id", "service", "check", "finding", "name", "kind", "words", "currency", "source", "confidence", "author",
        "stated_on", "updated_at",
    ),
    statement,
)  # fmt: skip


def laid_open(estimate: Estimate | None, known: Assembled | None) -> dict[str, Any]:
    """One finding's risk: every input with its source, and how the figures follow."""
    if estimate is None or known is None:
        return {"version": None, "words": None, "inputs": [], "missing": [], "quantities": [], "inherent": None}
    now = expected(Risk("", known.inputs))
    return {
        "version": estimate.version,
        "words": estimate.words,
        "inputs": [_input(name, known) for name in NAMES if name in known.origins],
        "missing": list(estimate.missing),
        "quantities": [each.as_json() for each in now.quantities],
        "inherent": {
            "bad_minutes_per_year": estimate.inherent_minutes,
            "annual_loss": _amount(estimate.inherent_loss),
            "without": [{"control": name, "assumption": CONTROLS[name].words} for name in estimate.controls],
        },
    }


def _input(name: str, known: Assembled) -> dict[str, Any]:
    stated: Sourced[Any] = getattr(known.inputs, name)
    low, high = stated.value.bounds
    person: Mapping[str, Any] = {"author": None, "stated_on": None, "confidence": None}
    if isinstance(stated, Estimated):
        confidence = stated.confidence.value if stated.confidence else None
        person = {"author": stated.author or None, "stated_on": shown_date(stated.stated_on), "confidence": confidence}
    return {
        "name": name,
        "mean": stated.value.mean,
        "least": low,
        "most": high if high < float("inf") else None,
        "origin": known.origins[name].value,
        "source": stated.source.value,
        "note": stated.note,
        **person,
    }


def group(found: Burner) -> dict[str, Any]:
    return {
        "check": found.check or None,
        "class": found.risk_class,
        "service": found.service,
        "findings": found.count,
        "bad_minutes_per_year": found.bad_minutes,
        "hidden_minutes_per_year": found.hidden_minutes,
        "annual_loss": _amount(found.loss),
        "currency": found.currency if found.loss is not None else None,
        "error_budget_share": found.budget_share,
        "q": found.query,
    }


GROUPS = Table(
    "risk-groups",
    (
        "check", "class", "service", "findings", "bad_minutes_per_year", "hidden_minutes_per_year", "annual_loss",
        "currency", "error_budget_share", "q",
    ),
    group,
)  # fmt: skip


def points(drawn: Simulation | None) -> list[dict[str, Any]]:
    """The curves as rows, for tables."""
    curves = (drawn.result or {}).get("exceedance", {}) if drawn is not None else {}
    return [
        {"unit": name, "amount": amount, "probability": probability}
        for name, curve in curves.items()
        for amount, probability in curve
    ]


POINTS = Table("risk-exceedance", ("unit", "amount", "probability"), lambda row: dict(row))


def moves(found: Sequence[Any]) -> list[dict[str, Any]]:
    return [{"from": each.before, "to": each.after, "findings": each.findings} for each in found]

"""The year of a portfolio in a few figures, under the names of the API's `risk/summary`. PURE."""

from collections.abc import Mapping, Sequence
from typing import Any

from findings.risk.expected import total
from findings.risk.inputs import Risk
from findings.risk.simulation import Sample, spread, together

_MINUTES = ("mean", "p5", "p50", "p95")
_MONEY = ("mean", "p5", "p50", "p90", "p95", "p99")


def summary(risks: Sequence[Risk], samples: Sequence[Sample] = ()) -> dict[str, Any]:
    """Means at once, from the expected values; percentiles, None until then, from the samples once they are drawn.

    The mean stays the exact one, so that it does not change when the drawing is done. Losses in several currencies
    have no sum: `annual_loss` is None then.
    """
    means = total(risks)
    drawn = together(samples)
    money = None
    if len(means.annual_loss) == 1:
        ((currency, mean),) = means.annual_loss.items()
        sample = drawn.get(currency)
        loss = None if sample is None or sample.loss is None else vars(spread(sample.loss))
        money = {name: _cents(loss, name) for name in _MONEY} | {"mean": str(mean), "currency": currency}
    minutes = None
    if means.bad_minutes is not None:
        one = next(iter(drawn.values()), None)
        spent = None if one is None or one.minutes is None else vars(spread(one.minutes))
        minutes = {name: None if spent is None else spent[name] for name in _MINUTES} | {"mean": means.bad_minutes}
    return {
        "open": len(risks),
        "annual_loss": money,
        "bad_minutes_per_year": minutes,
        "hidden_share": means.hidden_share,
        "error_budget_share": means.budget_share,
        "missing": [{"input": name, "findings": count} for name, count in means.missing.items()],
    }


def _cents(loss: Mapping[str, float] | None, name: str) -> str | None:
    return None if loss is None else f"{loss[name]:.2f}"

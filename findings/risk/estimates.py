"""One finding's figures: means, how they are spread, where it stands in the matrices, and its lane. PURE."""

from dataclasses import dataclass
from decimal import Decimal

from findings.risk import lanes
from findings.risk.bands import Placed
from findings.risk.controls import Control
from findings.risk.controls import inherent as inherent_of
from findings.risk.defaults import VERSION as DEFAULTS_VERSION
from findings.risk.expected import Expected, expected, money
from findings.risk.inputs import Risk, input_hash
from findings.risk.lanes import Decision, Thresholds
from findings.risk.matrix import MINUTES, MONEY, Matrix, detection_level, place
from findings.risk.profiles import Assembled, Profile
from findings.risk.simulation import Spread, simulate, spread

# Of one finding, drawn whenever its inputs change; the portfolio is drawn anew with many more.
YEARS, SEED = 5_000, 1
# An amount above this is told as unknown: no column holds it, and nobody believes it.
_LARGEST = Decimal(10) ** 15
_ONE_A_YEAR = 1.0


@dataclass(frozen=True)
class Placement:
    """Where it stands in one matrix as things are, and as they would be without the controls that exist."""

    current: Placed | None
    inherent: Placed | None


@dataclass(frozen=True)
class Estimate:
    now: Expected
    inherent: Expected
    controls: tuple[Control, ...]  # without which the inherent figures are
    minutes: Spread | None
    loss: Spread | None
    by_minutes: Placement
    by_money: Placement
    detection: int | None  # 1: an alert nearly always catches it; 5: hardly ever
    decision: Decision
    input_hash: str


class Estimator:
    """Keeps what many findings share: the same inputs are drawn once."""

    def __init__(self, thresholds: Thresholds = lanes.THRESHOLDS) -> None:
        self._thresholds = thresholds
        self._spreads: dict[str, tuple[Spread | None, Spread | None]] = {}

    def estimate(self, profile: Profile, assembled: Assembled) -> Estimate:
        inputs = assembled.inputs
        risk = Risk("", inputs)
        bare, controls = inherent_of(profile.check, profile.quantities, inputs)
        now, inherent = expected(risk), expected(Risk("", bare))
        key = input_hash([risk], years=YEARS, seed=SEED)
        if key not in self._spreads:
            self._spreads[key] = _spreads(risk)
        minutes, loss = self._spreads[key]
        by_minutes = Placement(place(now, MINUTES), place(inherent, MINUTES))
        by_money = Placement(_by_money(now), _by_money(inherent))
        caught = inputs.of("alert_probability")
        detection = None if caught is None else detection_level(caught.mean)
        evidence = lanes.Evidence(
            severity=profile.severity,
            risk_class=profile.risk_class,
            known_exploited=profile.exploit == "known",
            stated=not assembled.rests_on_defaults,
            check=profile.check,
            placed=by_money.current or by_minutes.current,
            detection=detection,
            budget_share=now.budget_share,
            loss=now.annual_loss,
            p95=None if loss is None else loss.p95,
            shortfall=None if loss is None else loss.expected_shortfall,
        )
        decision = lanes.decide_by_risk(evidence, self._thresholds)
        return Estimate(now, inherent, controls, minutes, loss, by_minutes, by_money, detection, decision, _stored(key))


def _stored(key: str) -> str:
    return f"{DEFAULTS_VERSION}:{key}"[:64]


def _by_money(risk: Expected) -> Placed | None:
    """What only costs, month by month, counts as one event a year."""
    placed = place(risk, MONEY)
    if placed is None and risk.frequency is None and risk.annual_loss is not None:
        return Placed(*MONEY.place(_ONE_A_YEAR, float(risk.annual_loss)))
    return placed


def _spreads(risk: Risk) -> tuple[Spread | None, Spread | None]:
    sample = simulate(risk, years=YEARS, seed=SEED)
    minutes = None if sample.minutes is None else spread(sample.minutes)
    return minutes, None if sample.loss is None else spread(sample.loss)


def storable(amount: Decimal | float | None) -> Decimal | None:
    """A sum of money as a column takes it."""
    if amount is None:
        return None
    exact = amount if isinstance(amount, Decimal) else money(amount)
    return exact if abs(exact) < _LARGEST else None


def matrix_of(unit: str) -> Matrix:
    return MONEY if unit == "money" else MINUTES

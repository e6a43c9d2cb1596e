"""What a check is given and what it answers. PURE.

A check is a module with a `META` and a generator `run(platform)`. It yields a verdict for everything it looked at:
`Fail`, `Pass`, or `Unsure` with what to declare. It does no input or output, and every figure carries its inputs.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from findings.platform.model import Platform
from findings.vocabulary import Category, Outcome, RiskClass, Severity
from platform_risk.quantities.records import record
from platform_risk.quantities.sourced import NOWHERE, Place, Quantity


@dataclass(frozen=True)
class Meta:
    """What a check is about, for pages, documents and reports."""

    id: str
    seed: str  # section of the analysis it comes from; "" for none
    title: str
    severity: Severity
    category: Category
    outcome: Outcome
    means: str  # what is the case when it fails
    why: str  # why that matters
    not_a_problem: str  # when it may stay as it is
    remedy: str
    patch: str = ""  # an example of the remedy
    analysis: str = ""  # where the analysis that it comes from is wrong: its figure, and the right one
    remedies: tuple[str, ...] = ()  # ids of remedies
    references: tuple[str, ...] = ()
    risk_class: RiskClass | None = None  # where it is not the category's own


@record(frozen=True, slots=True)
class Fail:
    subject: str  # Deployment/shop/api, aws_db_instance.main, or a path: what it is said of, the same in every scan
    title: str  # one line, with the figure
    why: str  # with what was found here
    places: tuple[Place, ...]
    quantities: tuple[Quantity, ...] = ()
    severity: Severity | None = None  # where it is not META's
    detail: str = ""  # tells two failures of one subject apart
    # The files of what it may be said of, its own first, where these are not those that hold an object of its name.
    homes: tuple[str, ...] = ()


@record(frozen=True, slots=True)
class Pass:
    subject: str
    places: tuple[Place, ...] = ()


@record(frozen=True, slots=True)
class Unsure:
    """It cannot be told: never folded into pass."""

    subject: str
    reason: str
    provide: str
    place: Place = NOWHERE


Verdict = Fail | Pass | Unsure


@dataclass(frozen=True)
class Check:
    meta: Meta
    run: Callable[[Platform], Iterator[Verdict]]

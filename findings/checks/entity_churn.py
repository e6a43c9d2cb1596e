"""6.2: entities of dead pods that the observability platform goes on counting."""

from collections.abc import Iterator
from decimal import Decimal

from findings.checks.base import Fail, Meta, Pass, Unsure, Verdict
from findings.checks.prices import exact, plain, price
from findings.platform.config_files import ConfigFile
from findings.platform.model import Platform, places
from findings.platform.nodes import find, mapping
from findings.platform.yaml_reader import Map
from findings.vocabulary import Category, Outcome, Severity
from platform_risk.quantities.pricing import Price, PriceUnit
from platform_risk.quantities.projections import entities
from platform_risk.quantities.sourced import Place, Quantity, Source, Sourced, input_of

META = Meta(
    id="entity-churn",
    seed="6.2",
    title="Entities outlive the pods that they stand for",
    severity=Severity.LOW,
    category=Category.COST,
    outcome=Outcome.COST,
    means="Each new pod makes an entity, and entities stay for so long that a hundred or more of them stand for "
    "nothing.",
    why="They fill lists and searches with what no longer exists, count towards limits, and are paid for where "
    "entities are.",
    not_a_problem="Entities are kept by workload and not by pod, or they expire within hours.",
    remedy="Identify entities by their workload, and let those of pods expire within hours.",
    patch="""configuration:
  entityExpirationTime: FOUR_HOURS""",
    analysis="It counts 800 stale entities at eight days. New Relic's own definition lets Kubernetes pods expire "
    "after four hours, which leaves 17.",
    remedies=("entity-lifetime",),
    references=("https://github.com/newrelic/entity-definitions/blob/main/docs/entities/lifecycle.md",),
)
_DAYS = {"FOUR_HOURS": 4 / 24, "DAILY": 1.0, "EIGHT_DAYS": 8.0}
_MANY = 100


def run(platform: Platform) -> Iterator[Verdict]:
    churn = platform.facts.number("entities.churn_per_day")
    for config, definition, lifetime in definitions(platform):
        subject = definition
        place = lifetime.place if lifetime is not None else config.place(1)
        if lifetime is None:
            yield Unsure(subject, "how long its entities outlive their pods is not stated",
                         "configuration.entityExpirationTime, or facts: entities.lifetime_days", place)  # fmt: skip
        elif churn is None:
            yield Unsure(subject, "how many pods are new a day is not stated", "facts: entities.churn_per_day", place)
        else:
            yield from _sized(platform, subject, churn, lifetime)


def _sized(platform: Platform, subject: str, churn: Sourced[float], lifetime: Sourced[float]) -> Iterator[Verdict]:
    stated = price(platform, "entities", (PriceUnit.PER_ENTITY_MONTH,))
    projection = entities(
        churn_per_day=exact(churn),
        lifetime_days=exact(lifetime),
        price=stated.price if stated else Price(Decimal(0), PriceUnit.PER_ENTITY_MONTH),
        months=12,
    )
    zombies = projection.figures["zombies"] or Decimal(0)
    if plain(zombies) < _MANY:  # rounded: a sixth of a day is no exact decimal
        yield Pass(subject, places(lifetime))
        return
    terms = (input_of("churn_per_day", churn, "pods/day"), input_of("lifetime", lifetime, "days"))
    quantities = [Quantity("zombie_entities", plain(zombies), "entities", "churn per day × lifetime", terms)]
    monthly = projection.figures["zombie_cost_per_month"]
    if stated is not None and monthly is not None:
        inputs = (*terms, stated.term)
        money = projection.currency
        quantities += [
            Quantity("cost_per_month", plain(monthly), f"{money}/month", "zombie entities × price", inputs),
            Quantity("cost_per_year", plain(monthly * 12), f"{money}/year", "cost per month × 12", inputs),
        ]
    yield Fail(
        subject,
        f"{plain(zombies):,.0f} entities stand for pods that are gone",
        f"{plain(exact(churn)):,} new pods a day, each an entity for {plain(exact(lifetime))} days.",
        places(lifetime, churn),
        tuple(quantities),
    )


def definitions(platform: Platform) -> Iterator[tuple[ConfigFile, str, Sourced[float] | None]]:
    """Entity definitions, and what the analysis calls entity synthesis, with the days that one outlives its pod; a
    stated fact serves where a file is silent."""
    fact = platform.facts.number("entities.lifetime_days")
    for config in platform.configs:
        root = mapping(config.root, "entity_synthesis") or config.root
        if not isinstance(root, Map) or not (root.get("domain") and root.get("type")):
            continue
        found = find(root, "configuration.entityExpirationTime")
        days = _DAYS.get(str(found[0])) if found is not None else None
        name = f"{root['domain']}-{root['type']}"
        if found is not None and days is not None:
            yield config, name, Sourced(days, Source.FILE, _place(config, found[1]), str(found[0]))
        else:
            yield config, name, fact


def _place(config: ConfigFile, line: int | None) -> Place:
    return config.place(line)

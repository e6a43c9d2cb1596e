"""Reads of facts. Where several sources state the same, all are shown and the most believed one is in force."""

from typing import Any

from django.db.models import Case, Exists, F, OuterRef, Q, QuerySet, SmallIntegerField, Value, When
from django.db.models.functions import Coalesce

from platform_risk.core.catalog.selectors import services_visible_to
from platform_risk.core.facts.models import Fact, FactSource
from platform_risk.core.models import Environment, Service, User

RULE = (
    "What a person stated counts before platform-risk.yaml, that before configuration, and that before defaults and "
    "assumptions; of the same kind the newest."
)
_RANK = Case(
    *(When(source=source, then=Value(number)) for number, source in enumerate(FactSource.values)),
    default=Value(len(FactSource.values)),
    output_field=SmallIntegerField(),
)


def facts_visible_to(user: User) -> "QuerySet[Fact]":
    """What is stated now about the services that the user may see, each with `in_force`."""
    return _with_force(Fact.objects.current().filter(service__in=services_visible_to(user))).select_related(
        "service", "environment", "import_row", "stated_by"
    )


def facts_of(service: Service) -> "QuerySet[Fact]":
    """The same of one service, whoever asks: for computing, not for showing to anybody who asks."""
    return _with_force(Fact.objects.current().filter(service=service)).select_related("environment", "import_row")


def _with_force(rows: "QuerySet[Fact]") -> "QuerySet[Fact]":
    stronger = (
        Fact.objects.current()
        .alias(rank=_RANK, place=Coalesce("environment_id", Value(0)))
        .filter(service=OuterRef("service"), name=OuterRef("name"), place=OuterRef("place"))
        .filter(
            Q(rank__lt=OuterRef("rank"))
            | Q(rank=OuterRef("rank"), stated_at__gt=OuterRef("stated_at"))
            | Q(rank=OuterRef("rank"), stated_at=OuterRef("stated_at"), pk__gt=OuterRef("pk"))
        )
    )
    return rows.alias(rank=_RANK, place=Coalesce("environment_id", Value(0))).annotate(in_force=~Exists(stronger))


def in_force(service: Service, environment: Environment | None = None) -> dict[str, Fact]:
    """Name → what counts for a service in an environment: what is stated for that one, else for all of them."""
    rows = facts_of(service).filter(Q(environment=environment) | Q(environment__isnull=True)).filter(in_force=True)  # type: ignore[misc]  # annotated behind a function
    # Those of the environment last, so that they win.
    return {fact.name: fact for fact in rows.order_by(F("environment_id").asc(nulls_first=True), "pk")}


def said(service: Service, environment: Environment | None = None) -> dict[str, Any]:
    """Name → value of what people stated, for checks that ask for facts."""
    rows = Fact.objects.current().filter(service=service, import_row__isnull=True)
    rows = rows.filter(Q(environment=environment) | Q(environment__isnull=True))
    return {fact.name: fact for fact in rows.order_by(F("environment_id").asc(nulls_first=True))}

"""What a question to the cube names: its dimensions, and where each is found. PURE: pages and API share it."""

from dataclasses import dataclass, field
from datetime import date


@dataclass(frozen=True)
class Dimension:
    """`totals`: the column of day totals that has it, "" for none; `key`: the column of the cube."""

    name: str
    label: str
    key: str
    totals: str = ""


DIMENSIONS = {
    each.name: each
    for each in (
        Dimension("service", "Service", "key__service__slug", "service__slug"),
        Dimension("team", "Team", "key__team__slug", "team__slug"),
        Dimension("environment", "Environment", "key__environment__slug", "environment__slug"),
        Dimension("cloud_service", "Cloud service", "key__cloud_service", "cloud_service"),
        Dimension("service_category", "Category", "key__service_category"),
        Dimension("charge_category", "Kind of charge", "charge_category", "charge_category"),
        Dimension("provider", "Provider", "key__provider", "provider"),
        Dimension("account", "Account", "key__account"),
        Dimension("billing_account", "Billing account", "scope__billing_account", "scope__billing_account"),
        Dimension("region", "Region", "key__region"),
        Dimension("resource_group", "Resource group", "key__resource_group"),
        Dimension("namespace", "Namespace", "key__namespace"),
    )
}
FILTERS = tuple(DIMENSIONS)  # what a list may be narrowed by


@dataclass(frozen=True)
class Question:
    """Half-open: `start` included, `end` not; None is without bound. Several values of a filter: any of them."""

    start: date | None = None
    end: date | None = None
    group_by: tuple[str, ...] = ()
    currency: tuple[str, ...] = ()
    filters: dict[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def from_totals(self) -> bool:
        """Whether day totals answer it, which are fewer than the cube's days."""
        return all(DIMENSIONS[name].totals for name in (*self.group_by, *self.filters))

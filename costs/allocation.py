"""Whose a charge is: service, team and environment, by rules, tags and namespace. PURE.

Service: the first tag that names a known service, else a namespace or resource group of that name.
Team: the first ownership rule that matches; else the cost is shared if a rule says so; else the service's team; else
the first tag that names a known team; else nobody's.
Environment: the first tag that names a known environment, in full or as people abbreviate it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from costs.bills.tags import ENVIRONMENT_KEYS, SERVICE_KEYS, TEAM_KEYS
from costs.money import EXACT, added
from platform_risk.core import ownership

_STEP = Decimal("0.000001")
# Tags are short where catalogues are not, and the other way round; each is tried only where it is not known itself.
_SAME_ENVIRONMENT = (
    ("production", "prod", "prd"), ("staging", "stage", "stg"), ("development", "dev"), ("testing", "test"),
)  # fmt: skip


@dataclass(frozen=True)
class Shared:
    """A rule that a cost is everybody's. `pattern` is a glob; of tags over each `key=value`."""

    id: int
    kind: str  # account, cloud_service, namespace, tag
    pattern: str
    split: str  # proportional, even


@dataclass(frozen=True)
class Catalogue:
    """What is known to give costs to."""

    rules: Sequence[tuple[ownership.Rule, int | None]]  # each with the only service it holds for
    shared: Sequence[Shared] = ()
    services: Mapping[str, tuple[int, int | None]] = field(default_factory=dict)  # slug → (id, its team)
    teams: Mapping[str, int] = field(default_factory=dict)
    environments: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Key:
    account: str
    cloud_service: str
    resource_group: str
    namespace: str
    tags: Mapping[str, str]


@dataclass(frozen=True)
class Allocated:
    service: int | None = None
    team: int | None = None
    team_from: str = ""  # rule, service, tag
    environment: int | None = None
    shared: int | None = None


def slug(text: str) -> str:
    return "-".join(text.strip().lower().split())


def allocate(key: Key, known: Catalogue) -> Allocated:
    name = _named(key.tags, SERVICE_KEYS, known.services)
    if name is None:
        name = next((slug(each) for each in (key.namespace, key.resource_group) if slug(each) in known.services), None)
    service, service_team = known.services[name] if name is not None else (None, None)
    environment = _environment(key.tags, known.environments)
    team, team_from, shared = _team(key, known, name, service, service_team)
    return Allocated(service, team, team_from, environment, shared)


def _team(
    key: Key, known: Catalogue, name: str | None, service: int | None, service_team: int | None
) -> tuple[int | None, str, int | None]:
    pairs = tuple(f"{tag}={value}" for tag, value in key.tags.items())
    subject = ownership.Subject(
        account=key.account, namespace=key.namespace, service=name or "", tag=pairs, label=pairs
    )
    for rule, only in known.rules:
        if (only is None or only == service) and ownership.matches(rule, subject):
            return rule.team, "rule", None
    for shared in known.shared:
        if _is_shared(shared, key, pairs):
            return None, "", shared.id
    if service_team is not None:
        return service_team, "service", None
    tagged = _named(key.tags, TEAM_KEYS, known.teams)
    return (known.teams[tagged], "tag", None) if tagged is not None else (None, "", None)


def _named(tags: Mapping[str, str], keys: Sequence[str], known: Mapping[str, object]) -> str | None:
    return next((name for key in keys if key in tags and (name := slug(tags[key])) in known), None)


def _environment(tags: Mapping[str, str], known: Mapping[str, int]) -> int | None:
    for key in ENVIRONMENT_KEYS:
        said = slug(tags.get(key, ""))
        same: Sequence[str] = next((names for names in _SAME_ENVIRONMENT if said in names), ())
        for name in (said, *same):
            if name in known:
                return known[name]
    return None


def _is_shared(shared: Shared, key: Key, pairs: tuple[str, ...]) -> bool:
    values = {"account": (key.account,), "cloud_service": (key.cloud_service,), "namespace": (key.namespace,)}
    pattern = shared.pattern if shared.kind != "tag" or "=" in shared.pattern else f"{shared.pattern}=*"
    return any(value and ownership.glob(pattern, value) for value in values.get(shared.kind, pairs))


def split(amount: Decimal, weights: Mapping[int, Decimal], how: str) -> dict[int, Decimal]:
    """`amount` over the teams: the same for each ("even"), or by their weights, those below zero counted as zero. The
    parts add up to the amount exactly: the heaviest team takes what rounding to a millionth leaves. Empty when there
    is nobody to take it."""
    parties = sorted(weights)
    shares = {team: max(weights[team], Decimal(0)) for team in parties}
    total = added(shares.values())
    if how == "even" or not total:
        shares, total = dict.fromkeys(parties, Decimal(1)), Decimal(len(parties))
    if not parties:
        return {}
    parts = {
        team: EXACT.quantize(EXACT.divide(EXACT.multiply(amount, share), total), _STEP)
        for team, share in shares.items()
    }
    heaviest = max(parties, key=lambda team: (shares[team], -team))
    parts[heaviest] = EXACT.add(parts[heaviest], EXACT.subtract(amount, added(parts.values())))
    return parts

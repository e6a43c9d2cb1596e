"""DNS names that move to another place when a health check fails, and how long that takes. PURE."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from findings.platform.model import Block, Platform
from findings.platform.units import stated_number
from platform_risk.quantities.sourced import Place, Source, Sourced, Unknown

_ALIAS_TTL = 60
_ALIAS_NOTE = "Route 53: an alias of a load balancer has a time to live of 60 s"
_INTERVAL_NOTE = "Route 53: request_interval defaults to 30 s"
_THRESHOLD_NOTE = "Route 53: failure_threshold defaults to 3"
_PROBING = ("HTTP", "HTTPS", "HTTP_STR_MATCH", "HTTPS_STR_MATCH", "TCP")


@dataclass(frozen=True)
class Timing:
    """What it takes until clients ask the other place: checks that must fail, then what resolvers remember."""

    interval: Sourced[float]  # seconds between two checks
    threshold: Sourced[float]  # checks in a row
    ttl: Sourced[float]  # seconds

    @property
    def seconds(self) -> float:
        return seconds_to_fail_over(self.interval.value, self.threshold.value, self.ttl.value)


@dataclass(frozen=True)
class Failover:
    name: str
    subject: str
    place: Place
    has_second: bool
    watched: bool | None  # whether something tells that the first is ill; None when that cannot be told
    timing: Timing | Unknown | None


def seconds_to_fail_over(interval: float, threshold: float, ttl: float) -> float:
    """Seconds until the last client follows: request interval × failure threshold + time to live.

    Source: Amazon Route 53, how it determines whether a health check is healthy; TTL of failover records.
    """
    return interval * threshold + ttl


def failovers(platform: Platform) -> Iterator[Failover]:
    """Pairs of a PRIMARY and a SECONDARY record of one name."""
    named: dict[tuple[str, str, str, str], dict[str, Block]] = {}
    for block in platform.terraform("aws_route53_record"):
        for policy in block.inner("failover_routing_policy"):
            role = policy.get("type")
            if isinstance(role, Sourced):
                zone = ",".join(block.references.get("zone_id", ()))
                key = (_text(block.get("name")), _text(block.get("type")), zone, block.path.rpartition("/")[0])
                named.setdefault(key, {})[str(role.value).upper()] = block
    for (name, *_), found in named.items():
        primary = found.get("PRIMARY")
        if primary is not None:
            yield Failover(name, primary.id, primary.place(), "SECONDARY" in found, is_watched(primary),
                           timing(platform, primary))  # fmt: skip


def _text(stated: "Sourced[Any] | Unknown | None") -> str:
    return str(stated.value) if isinstance(stated, Sourced) else ""


def is_watched(record: Block) -> bool | None:
    """Whether a health check, or the target's own health behind an alias, takes a record out of the answers."""
    stated = record.get("health_check_id")
    if stated is not None and not (isinstance(stated, Sourced) and not stated.value):
        return True
    for alias in record.inner("alias"):
        evaluated = alias.get("evaluate_target_health")
        if isinstance(evaluated, Unknown):
            return None
        if evaluated is not None and evaluated.value is True:
            return True
    return False


def timing(platform: Platform, record: Block) -> Timing | Unknown | None:
    """None where the target's own health decides, which Route 53 hears of without a check of its own."""
    if record.get("health_check_id") is None and is_watched(record):
        return None
    check = next((each for each in platform.terraform("aws_route53_health_check")
                  if record.refers_to(each, "health_check_id")), None)  # fmt: skip
    if check is None:
        return Unknown(
            "its health check is not in these files", "the aws_route53_health_check it names", record.place()
        )
    kind = check.get("type")
    if isinstance(kind, Sourced) and str(kind.value).upper() not in _PROBING:
        reason = f"a health check of the type {kind.value} fails when what it looks at does"
        return Unknown(reason, "a health check that asks the endpoint itself", kind.place)
    interval = _number(check, "request_interval", 30, _INTERVAL_NOTE)
    threshold = _number(check, "failure_threshold", 3, _THRESHOLD_NOTE)
    ttl: Sourced[float] | Unknown = (
        Sourced(_ALIAS_TTL, Source.PROVIDER_DEFAULT, record.place(), _ALIAS_NOTE)
        if record.inner("alias")
        else _number(record, "ttl", None, "")
    )
    for each in (interval, threshold, ttl):
        if isinstance(each, Unknown):
            return each
    assert isinstance(interval, Sourced)
    assert isinstance(threshold, Sourced)
    assert isinstance(ttl, Sourced)
    return Timing(interval, threshold, ttl)


def _number(block: Block, name: str, otherwise: float | None, note: str) -> Sourced[float] | Unknown:
    stated = block.get(name)
    if stated is None and otherwise is not None:
        return Sourced(otherwise, Source.PROVIDER_DEFAULT, block.place(), note)
    if stated is None:
        return Unknown(f"{name} is not stated", f"{name} of {block.id}", block.place())
    if isinstance(stated, Unknown):
        return stated
    return stated_number(stated) or Unknown(f"{name} is {stated.value!r}", f"{name} of {block.id}", stated.place)

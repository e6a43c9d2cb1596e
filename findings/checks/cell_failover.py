"""1.2: what the surviving cells get when one fails, and the failures that no breaker sees."""

import re
from collections.abc import Iterator, Sequence

from findings.checks.base import Fail, Meta, Pass, Unsure, Verdict
from findings.platform import cells, dns_failover, locality, objectives
from findings.platform.cells import Routing
from findings.platform.dns_failover import Failover
from findings.platform.locality import Moving
from findings.platform.model import Platform, Resource, Workload, places
from findings.platform.nodes import items, mapping
from findings.platform.units import stated_number
from findings.platform.yaml_reader import Map
from findings.vocabulary import Category, Outcome, Severity
from platform_risk.quantities.budget import burn_rate, burned_percent
from platform_risk.quantities.sourced import Input, Place, Quantity, Source, Sourced, Unknown, input_of

META = Meta(
    id="cell-failover",
    seed="1.2",
    title="The surviving cells get more than they can take",
    severity=Severity.HIGH,
    category=Category.ARCHITECTURE,
    outcome=Outcome.CASCADE,
    means="Traffic is divided between cells by fixed shares. When one fails, the others get its share on top of their "
    "own, and nothing here shows that they have the room; or a cell that fails in part keeps its share; or what should "
    "move the traffic away never does, or late.",
    why="A cell that was sized for its share is overloaded by the failover meant to save the others, and fails too. A "
    "partial failure is worse to see: a breaker that opens at half of the requests and a health check that answers 200 "
    "both miss a cell that loses one request in ten.",
    not_a_problem="Every cell is sized for the load it gets when another is lost, and that is tested; or the shares "
    "are those of a release that is being rolled out.",
    remedy="Declare capacities and keep the load below what is left without the largest cell; move traffic in steps; "
    "shed the rest; retry once on another cell within a budget, and eject by error rate.",
    patch="""trafficPolicy:
  outlierDetection:
    consecutive5xxErrors: 5
    interval: 10s
    baseEjectionTime: 30s
    maxEjectionPercent: 50""",
    analysis="It says that the survivor gets 150 % of its capacity. With shares of 60 and 40 that is the increase: "
    "it gets 250 % of its load before, and only capacities tell whether that is too much. A cell with 60 "
    "% of the traffic that fails 10 % of its requests hits 6 % of all users, not 10 %.",
    remedies=("circuit-breakers", "connection-hedging"),
    references=(
        "https://istio.io/latest/docs/reference/config/networking/destination-rule/#OutlierDetection",
        "https://sre.google/sre-book/addressing-cascading-failures/",
    ),
)

_SLOW = 150.0  # s: three checks of 30 s and a time to live of 60 s, which Route 53 advises for failover records
_HEALTHY = 100 / 1.4  # %: a locality with fewer healthy endpoints passes requests on (Envoy: overprovisioning factor)
_EXTRA = 50.0  # % more than before: below it the usual headroom of a service may do
_SEED = "The survivor gets 150 % more than before, which is 250 % of it, not 150 % of its capacity."
_USERS = "Of all requests: the cell's share × its error rate."
_BREAKER = re.compile(r"(?:.*_)?(?:circuit_breaker|breaker)_(?:.*_)?(?:threshold|percent|percentage|failure_rate|rate)|"
                      r"(?:.*_)?failure_rate_threshold")  # fmt: skip
_BREAKER_ENDS = ("threshold", "percent", "percentage", "rate")
_ATTEMPTS = re.compile(
    r"(?:.*_)?(?:retry|retries)_(?:.*_)?(?:attempts|num_retries|max_retries|max)|(?:.*_)?num_retries"
)
_ATTEMPTS_END = ("attempts", "retries", "max")
_ROUTER = re.compile(r"router|routing|gateway|cell|proxy|ingress")


def survivor_load_percent(shares: Sequence[float]) -> float:
    """What the others carry of their own load before, when the cell with the largest share fails: total ÷ rest."""
    rest = sum(shares) - max(shares)
    return sum(shares) * 100 / rest if rest else float("inf")


def extra_load_percent(shares: Sequence[float]) -> float:
    """How much more that is: failed ÷ survivors."""
    rest = sum(shares) - max(shares)
    return max(shares) * 100 / rest if rest else float("inf")


def safe_load(capacities: Sequence[float]) -> float:
    """The load that survives the loss of any one cell: the least that is left of the capacities without it."""
    return sum(capacities) - max(capacities)


def capacity_used_percent(load: float, capacities: Sequence[float]) -> float:
    """Load over the capacity that is left without the largest cell."""
    rest = safe_load(capacities)
    return load * 100 / rest if rest else float("inf")


def shed_percent(load: float, capacities: Sequence[float]) -> float:
    """Requests turned away after that loss: max(0, 1 − capacity ÷ load)."""
    return max(0.0, 100 - safe_load(capacities) * 100 / load) if load else 0.0


def affected_percent(share_percent: float, error_percent: float, attempts: int = 1) -> float:
    """Requests that fail when one cell loses some of its own: share × error^attempts, attempts being independent."""
    return share_percent * (error_percent / 100) ** attempts


def breaker_trips(error_percent: float, threshold_percent: float) -> bool:
    return error_percent >= threshold_percent


def run(platform: Platform) -> Iterator[Verdict]:
    for routing in cells.routings(platform):
        yield from _judged(platform, routing)
    moving = {each.rule.id: each for each in locality.movings(platform)}
    for rule in platform.of_kind("DestinationRule"):
        made = moving.get(rule.id)
        yield _ejecting(rule) if made is None or made.rule is not rule else _moving(made)
    of_mesh = locality.mesh(platform)
    if of_mesh is not None and not platform.of_kind("DestinationRule"):
        reason = (
            "the mesh says where requests go when a locality fails; which services have outlierDetection is not here"
        )
        yield Unsure("mesh", reason, "their DestinationRules", of_mesh.place)
    for failover in dns_failover.failovers(platform):
        yield _named_twice(platform, failover)


def _judged(platform: Platform, routing: Routing) -> Iterator[Verdict]:
    shares = [cell.share for cell in routing.cells if cell.share is not None]
    capacities = [cell.capacity for cell in routing.cells if cell.capacity is not None]
    load = stated_number(platform.facts.get("routing.load_rps"))
    has_all = len(capacities) == len(routing.cells)
    found = places(routing.place, *shares, *capacities)
    if has_all and load is not None and load.value <= safe_load([each.value for each in capacities]):
        yield Pass(routing.subject, found)
        return
    quantities = [
        *_of_shares(routing, shares),
        *(_of_capacities(routing, load) if has_all else ()),
        *_partial_failure(platform, routing, shares),
        *_cache(platform, routing),
    ]
    is_over = has_all and load is not None
    figures = {each.name: each.value for each in quantities}
    if is_over or figures.get("extra_load_percent", 0) >= _EXTRA:
        yield _failed(routing, quantities, found, load if is_over else None)
    yield from _missing(routing, load, has_all=has_all)


def _failed(
    routing: Routing, quantities: list[Quantity], found: tuple[Place, ...], load: Sourced[float] | None
) -> Fail:
    figures = {each.name: each.value for each in quantities}
    names = " and ".join(cell.name for cell in routing.cells)
    if load is not None:
        title = f"Without its largest cell {figures['shed_percent']:.0f} % of the load is turned away"
        why = f"{names} carry {load.value:g} requests per second and {figures['safe_load']:g} are left room for."
        return Fail(routing.subject, title, why, found, tuple(quantities), None, routing.detail)
    percent = figures["survivor_load_percent"]
    title = f"The surviving cells get {percent:.0f} % of their load at once"
    why = f"{names} share by fixed weights; nothing says that the others have room for what the largest leaves."
    severity = None
    if routing.kind == "mesh":
        largest = max(routing.cells, key=lambda cell: cell.share.value if cell.share else 0)
        title = f"The others get {percent:.0f} % of their load when {largest.name} of {routing.host} is moved over"
        why = f"{names} have fixed weights: a failing one keeps its requests until somebody changes them."
        severity = Severity.LOW
    return Fail(routing.subject, title, why, found, tuple(quantities), severity, routing.detail)


def _terms(routing: Routing) -> tuple[Input, ...]:
    return tuple(input_of(f"share_{cell.name}", cell.share, "%") for cell in routing.cells if cell.share is not None)


def _of_shares(routing: Routing, shares: list[Sourced[float]]) -> Iterator[Quantity]:
    if len(shares) != len(routing.cells) or sum(each.value for each in shares) <= max(each.value for each in shares):
        return
    terms, plain = _terms(routing), [each.value for each in shares]
    survivor, extra = survivor_load_percent(plain), extra_load_percent(plain)
    note = (_SEED,) if extra == 150 else ()
    yield Quantity("survivor_load_percent", survivor, "% of its load before", "total ÷ (total − largest share)", terms)
    yield Quantity("extra_load_percent", extra, "%", "largest share ÷ (total − largest share)", terms, note)


def _of_capacities(routing: Routing, load: Sourced[float] | None) -> Iterator[Quantity]:
    stated = [(cell, cell.capacity) for cell in routing.cells if cell.capacity is not None]
    terms = tuple(input_of(f"capacity_{cell.name}", capacity, "rps") for cell, capacity in stated)
    plain = [capacity.value for _, capacity in stated]
    yield Quantity("safe_load", safe_load(plain), "rps", "sum(capacities) − largest capacity", terms)
    if load is not None:
        inputs = (*terms, input_of("load", load, "rps"))
        used, shed = capacity_used_percent(load.value, plain), shed_percent(load.value, plain)
        yield Quantity("survivor_capacity_percent", used, "% of capacity", "load ÷ safe load", inputs)
        yield Quantity("shed_percent", shed, "%", "max(0, 1 − safe load ÷ load)", inputs)


def _partial_failure(platform: Platform, routing: Routing, shares: list[Sourced[float]]) -> Iterator[Quantity]:
    """A cell that loses part of its requests: how many that are, and whether a breaker sees it."""
    slo = objectives.objective(platform)
    target = slo.target if isinstance(slo, objectives.Objective) else None
    breaker = _setting(platform, _BREAKER, _BREAKER_ENDS) or stated_number(
        platform.facts.get("routing.breaker_percent")
    )
    if breaker is not None and 0 < breaker.value <= 1:
        breaker = breaker.map(lambda value: value * 100)
    if breaker is not None and target is not None:
        terms = (input_of("breaker_threshold", breaker, "%"), input_of("slo", target, "%"))
        yield Quantity("breaker_blind_from_percent", round(100 - target.value, 10), "%", "1 − SLO", terms)
        yield Quantity("breaker_blind_to_percent", breaker.value, "%", "breaker threshold", terms)
    error = stated_number(platform.facts.get("routing.cell_error_percent"))
    if error is None or len(shares) != len(routing.cells):
        return
    total = sum(each.value for each in shares)
    largest = max(shares, key=lambda each: each.value)
    percent = largest.value * 100 / total
    terms = (input_of("largest_share", largest, "%"), input_of("cell_error", error, "%"))
    failed = affected_percent(percent, error.value)
    yield Quantity("users_affected_percent", failed, "% of requests", "share × error", terms, (_USERS,))
    if target is not None:
        inputs = (*terms, input_of("slo", target, "%"))
        yield Quantity("burn_rate", round(burn_rate(failed, target.value), 6), "×", "share × error ÷ (1 − SLO)", inputs)
    attempts = _setting(platform, _ATTEMPTS, _ATTEMPTS_END) or stated_number(platform.facts.get("routing.attempts"))
    if attempts is not None and attempts.value >= 1:
        inputs = (*terms, input_of("attempts", attempts, ""))
        left = affected_percent(percent, error.value, int(attempts.value))
        yield Quantity("users_affected_after_attempts_percent", left, "% of requests", "share × error^attempts", inputs,
                       ("Attempts fail independently of each other.",))  # fmt: skip


def _setting(platform: Platform, pattern: re.Pattern[str], last_words: tuple[str, ...]) -> Sourced[float] | None:
    names = platform.names_like(pattern, last_words)
    for settings in platform.loose_settings.values() if names else ():
        for setting in settings:
            if setting.name in names:
                found = stated_number(setting.value)
                if found is not None and found.value > 0:
                    return found
    return None


def _cache(platform: Platform, routing: Routing) -> Iterator[Quantity]:
    """Whether the router keeps what it knows in a volume that ends with its pod."""
    if routing.kind != "cells":
        return
    for workload in platform.workloads:
        if _ROUTER.search(workload.resource.name):
            volume = _ephemeral(workload)
            if volume is not None:
                term = Input(f"volume_{volume.get('name')}", "emptyDir", "", Source.FILE, workload.resource.path,
                             volume.line)  # fmt: skip
                yield Quantity("ephemeral_route_cache", 1, "", "1 where a router's cache is an emptyDir", (term,))
                return


def _ephemeral(workload: Workload) -> Map | None:
    for volume in items(workload.pod, "volumes"):
        if isinstance(volume, Map) and "emptyDir" in volume and "cache" in str(volume.get("name")).lower():
            return volume
    return None


def _missing(routing: Routing, load: Sourced[float] | None, *, has_all: bool) -> Iterator[Unsure]:
    if routing.kind != "cells":
        return
    without = next((cell for cell in routing.cells if cell.capacity is None), None)
    if without is not None:
        reason = f"the capacity of {without.name} is not stated, so whether it is overloaded cannot be told"
        yield Unsure(routing.subject, reason, f"facts: cells.{without.name}.capacity_rps", routing.place)
    elif has_all and load is None:
        reason = "the load at its peak is not stated, so shed_percent is left out"
        yield Unsure(routing.subject, reason, "facts: routing.load_rps", routing.place)


def _ejecting(rule: Resource) -> Verdict:
    """Whether a DestinationRule takes failing endpoints out of the rotation."""
    spec = mapping(rule.body, "spec")
    policies = [mapping(spec, "trafficPolicy"), *(mapping(each, "trafficPolicy") for each in items(spec, "subsets"))]
    policies += [
        each for policy in policies[:1] for each in items(policy, "portLevelSettings") if isinstance(each, Map)
    ]
    if any(mapping(policy, "outlierDetection") for policy in policies):
        return Pass(rule.id, (rule.place(),))
    note = "Istio: no endpoint is ejected without outlierDetection"
    term = Input("outlier_detection", "none", "", Source.PROVIDER_DEFAULT, rule.path, rule.line, note)
    host = spec.get("host") or rule.name
    return Fail(
        rule.id,
        f"A failing endpoint of {host} keeps its share of the requests up to 100 % errors",
        "Without outlier detection a pod that answers with errors stays in the rotation while it is ready.",
        (rule.place(),),
        (Quantity("breaker_blind_to_percent", 100, "%", "100 where nothing is ejected", (term,)),),
        Severity.LOW,
        "outlierDetection",
    )


def _moving(found: Moving) -> Verdict:
    """Istio moves requests to another locality only when outlier detection tells that endpoints are ill."""
    rule = found.rule
    host = mapping(rule.body, "spec").get("host") or rule.name
    if not found.ejects:
        note = "Istio: locality failover needs outlierDetection, without which every ready endpoint counts as healthy"
        term = Input("outlier_detection", "none", "", Source.PROVIDER_DEFAULT, rule.path, found.place.line, note)
        return Fail(
            rule.id,
            f"The failover of {host} to another locality never begins",
            f"{'It' if found.mesh is None else 'The mesh'} says where requests go when a locality fails, and without "
            "outlierDetection nothing says when that is.",
            places(found.place, found.mesh),
            (Quantity("breaker_blind_to_percent", 100, "%", "100 where nothing is ejected", (term,)),),
            Severity.MEDIUM,
            "locality",
        )
    share = min(100.0, ejected_of_a_region_percent(found.most.value, len(found.regions)))
    if found.regions and 100 - share >= _HEALTHY:
        return Unsure(
            rule.id,
            f"at most {share:g} % of a region's endpoints are ejected, and it passes requests on below "
            f"{_HEALTHY:.0f} % healthy ones: that needs few endpoints, and how many there are is not stated",
            "maxEjectionPercent of its outlierDetection",
            found.most.place,
        )
    return Pass(rule.id, places(found.place, found.mesh))


def ejected_of_a_region_percent(most: float, regions: int) -> float:
    """Endpoints of one region that may be ejected at once, regions being alike: maxEjectionPercent counts all of them.

    Source: Envoy, outlier detection: max_ejection_percent is of the cluster's hosts, of every priority.
    """
    return min(100.0, most * regions)


def _named_twice(platform: Platform, found: Failover) -> Verdict:
    """A DNS name with a second place for the case that the first fails."""
    if found.watched is False:
        note = "Route 53: a record without a health check is always healthy"
        term = Input("health_check_id", "none", "", Source.PROVIDER_DEFAULT, found.place.path, found.place.line, note)
        return Fail(
            found.subject,
            f"{found.name or 'Its name'} never fails over: nothing checks its primary",
            "Without a health check, or an alias that evaluates its target's health, the primary is answered for ever.",
            (found.place,),
            (Quantity("seconds_to_fail_over", None, "s", "never, without a health check", (term,)),),
            None,
            "unwatched",
        )
    if not found.has_second:
        return Unsure(found.subject, "what it fails over to is not in these files", "its SECONDARY record", found.place)
    timing = found.timing
    if isinstance(timing, Unknown):
        return Unsure(found.subject, timing.reason, timing.provide, timing.place)
    if timing is None or timing.seconds <= _SLOW:
        return Pass(found.subject, (found.place,))
    terms = (
        input_of("request_interval", timing.interval, "s"),
        input_of("failure_threshold", timing.threshold, "checks"),
        input_of("ttl", timing.ttl, "s"),
    )
    quantities = [Quantity("seconds_to_fail_over", timing.seconds, "s", "request interval × failure threshold + ttl",
                           terms)]  # fmt: skip
    slo = objectives.objective(platform)
    if isinstance(slo, objectives.Objective):
        burned = burned_percent(timing.seconds, slo.target.value, slo.days.value)
        inputs = (*terms, input_of("slo_target", slo.target, "%"), input_of("slo_window", slo.days, "days"))
        quantities.append(
            Quantity("error_budget_burned_percent", burned, "%", "seconds ÷ ((1 − SLO) × window)", inputs)
        )
    return Fail(
        found.subject,
        f"Clients of {found.name} are moved {timing.seconds:g} s after its primary failed",
        f"It is found out after {timing.interval.value:g} s × {timing.threshold.value:g}, and resolvers keep the old "
        f"answer for {timing.ttl.value:g} s more.",
        places(timing.ttl, timing.interval, found.place),
        tuple(quantities),
        Severity.LOW,
        "slow",
    )

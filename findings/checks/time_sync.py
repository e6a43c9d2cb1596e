"""7.2: clocks that nobody keeps together, and how long until they are too far apart."""

import re
from collections.abc import Iterator

from findings.checks.base import Fail, Meta, Pass, Unsure, Verdict
from findings.platform import grafana, grafana_policies
from findings.platform.alertmanager import is_for_nobody
from findings.platform.alerts import nrql_conditions, prometheus_rules
from findings.platform.model import Platform, places
from findings.platform.nodes import mapping
from findings.platform.units import number, stated_number
from findings.vocabulary import Category, Outcome, Severity
from platform_risk.quantities.sourced import NOWHERE, Place, Quantity, Source, Sourced, input_of

META = Meta(
    id="time-sync",
    seed="7.2",
    title="Clocks are not kept together",
    severity=Severity.MEDIUM,
    category=Category.DEPENDENCIES,
    outcome=Outcome.OUTAGE,
    means="The synchronisation of clocks is switched off, and containers take the time of their node.",
    why="Certificates, tokens and the order of messages depend on the time. A clock that drifts fails them one by one, "
    "and the points it reports arrive too late for the windows of alerts.",
    not_a_problem="The machine image or the provider keeps the clock, and an alert watches that it does.",
    remedy="Run chrony or what the image has for it, and alert on skew and on clocks that are not synchronised.",
    patch="""- alert: NodeClockNotSynchronising
  expr: min_over_time(node_timex_sync_status[5m]) == 0
  for: 10m""",
    remedies=("clock-checks",),
    references=(
        "https://chrony-project.org/doc/latest/chrony.conf.html",
        "https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/set-time.html",
        "https://github.com/prometheus/node_exporter#collectors",
    ),
)

_OFF_SETTINGS = ("ntp_enabled", "chrony_enabled", "ntp_enable", "time_sync_enabled")
_WATCHED = re.compile(r"node_timex_|node_ntp_|chrony_tracking|ntp_offset")
_KEEPER = re.compile(r"chrony|\bntpd?\b|timesync", re.IGNORECASE)
_TOLERANCE: Sourced[float] = Sourced(300, Source.ASSUMPTION, NOWHERE, "what certificates and tokens commonly tolerate")
_DRIFT: Sourced[float] = Sourced(100, Source.ASSUMPTION, NOWHERE, "quartz clocks drift by 50 to 200 ppm")


def drift_seconds_per_day(ppm: float) -> float:
    """Seconds a free clock gains or loses a day. Source: ppm × 86 400 s."""
    return ppm / 1_000_000 * 86_400


def days_to(tolerance_seconds: float, ppm: float) -> float:
    """Days until a free clock is off by the tolerance: tolerance ÷ drift."""
    return tolerance_seconds / drift_seconds_per_day(ppm)


def run(platform: Platform) -> Iterator[Verdict]:
    off = list(_switched_off(platform))
    for subject, stated in off:
        yield _fail(platform, subject, stated)
    kept = list(_kept(platform))
    for subject, place in kept:
        yield Pass(subject, places(place))
    if not off and not kept and platform.workloads:
        # Images of managed nodes keep their clocks: that nothing here says so is no failure.
        yield Unsure(
            "clocks of the nodes",
            "what keeps the clocks of the nodes is not here",
            "facts: time.synchronised, or an alert on node_timex_sync_status",
            platform.workloads[0].resource.place(),
        )


def _switched_off(platform: Platform) -> Iterator[tuple[str, Sourced[bool]]]:
    stated = platform.facts.get("time.synchronised")
    if stated is not None and stated.value is False:
        yield "clocks of the nodes", stated
    for setting in platform.settings_ending(*_OFF_SETTINGS):
        if setting.value.value is False:
            yield f"{setting.scope} {setting.key}", setting.value
    for config in platform.configs:
        talos = config.at("machine.time.disabled")
        if talos is not None and talos.value is True:
            yield f"{config.path} machine.time", talos


def _kept(platform: Platform) -> Iterator[tuple[str, Place]]:
    stated = platform.facts.get("time.synchronised")
    if stated is not None and stated.value is True:
        yield "clocks of the nodes", stated.place
    for setting in platform.settings_ending(*_OFF_SETTINGS):
        if setting.value.value is True:
            yield f"{setting.scope} {setting.key}", setting.value.place
    yield from _watched(platform)
    for workload in platform.workloads:
        if workload.resource.kind == "DaemonSet" and _KEEPER.search(workload.resource.name):
            yield workload.id, workload.resource.place()
    for resource in platform.of_kind("MachineConfig"):
        if _KEEPER.search(str(mapping(resource.body, "spec.config"))):
            yield resource.id, resource.place()
    for config in platform.configs:
        servers = config.at("machine.time.servers") or config.at("ntp.servers")
        if servers is not None:
            yield f"{config.path} time servers", servers.place


def _watched(platform: Platform) -> Iterator[tuple[str, Place]]:
    for rules in prometheus_rules(platform):
        for alert in rules.alerts:
            if _WATCHED.search(alert.expression) and not is_for_nobody(platform, alert):
                yield f"{rules.id} {alert.name}", alert.place
    for group in grafana.groups(platform):
        for rule in group.rules:
            if _WATCHED.search(rule.expression) and not grafana_policies.is_for_nobody(platform, rule):
                yield f"{group.id} {rule.title}", rule.place


def _fail(platform: Platform, subject: str, stated: Sourced[bool]) -> Fail:
    tolerance = _positive(platform, "time.tolerance_seconds") or _TOLERANCE
    drift = _positive(platform, "time.drift_ppm") or _DRIFT
    terms = (input_of("tolerance", tolerance, "s"), input_of("drift", drift, "ppm"), input_of("enabled", stated, ""))
    days, a_day = days_to(tolerance.value, drift.value), drift_seconds_per_day(drift.value)
    quantities = [
        Quantity("days_to_tolerance", days, "d", "tolerance ÷ (ppm × 86 400 ÷ 1 000 000)", terms),
        Quantity(
            "drift_seconds_per_day", drift_seconds_per_day(drift.value), "s/d", "ppm × 86 400 ÷ 1 000 000", terms[1:]
        ),
    ]
    delay = _shortest_delay(platform)
    late = ""
    if delay is not None:
        until = days_to(delay.value, drift.value)
        term = input_of("aggregation_delay", delay, "s")
        quantities.append(
            Quantity(
                "days_to_alert_delay", until, "d", "aggregation delay ÷ drift", (term, input_of("drift", drift, "ppm"))
            )
        )
        late = f" After {until:.3g} days its points miss the {delay.value:g} s that alerts wait for them."
    return Fail(
        subject,
        f"Clocks are off by {tolerance.value:g} s after {days:.3g} days",
        f"Nothing keeps the clocks: a drift of {drift.value:g} ppm is {a_day:.3g} s a day.{late}",
        places(stated),
        tuple(quantities),
    )


def _positive(platform: Platform, fact: str) -> Sourced[float] | None:
    stated = stated_number(platform.facts.get(fact))
    return stated if stated is not None and stated.value > 0 else None


def _shortest_delay(platform: Platform) -> Sourced[float] | None:
    found = []
    for condition in nrql_conditions(platform):
        stated = condition.get("aggregation_delay")
        value = number(stated.value) if isinstance(stated, Sourced) else None
        if isinstance(stated, Sourced) and value:
            found.append(Sourced(float(value), stated.source, stated.place, stated.note))
    return min(found, key=lambda each: each.value, default=None)

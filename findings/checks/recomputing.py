"""The figures of a finding out of their inputs, by the checks' own functions. PURE.

A finding keeps each figure with its inputs and not the configuration behind it. Which function makes a figure out of
its inputs stands in FIGURES, by check and figure. A figure that is not there counts things (images, calls, bindings):
another number of them is another platform, so there is nothing to compute.
"""

import itertools
import math
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from findings.checks import (
    alert_delay,
    autoscaling,
    cache_staleness,
    cell_failover,
    copies,
    cpu_throttling,
    db_connections,
    dns,
    eviction,
    kafka_consumers,
    kafka_durability,
    secret_rotation,
    single_replica,
    time_sync,
)
from findings.checks.autoscaling import Policy
from findings.checks.prices import plain
from findings.platform.dns_failover import seconds_to_fail_over
from platform_risk.quantities import budget
from platform_risk.quantities.pricing import Price, PriceUnit
from platform_risk.quantities.projections import Projection, entities, logs, metrics

_MOST_PODS = 100_000


class CannotError(ValueError):
    """These inputs make no figure: said in words."""


@dataclass(frozen=True)
class Terms:
    """The inputs of one figure: (name, value, unit) each, in their order."""

    stated: tuple[tuple[str, Any, str], ...]
    formula: str = ""
    asked: set[str] = field(default_factory=set, compare=False)  # names that made a difference to a figure so far

    def __getitem__(self, name: str) -> Any:
        for each, value in self.named(name.__eq__):
            if each == name:
                return value
        raise CannotError(f"{name} is not among its inputs")

    def get(self, name: str, default: Any = None) -> Any:
        return next((value for _, value in self.named(name.__eq__)), default)

    def ending(self, end: str) -> dict[str, Any]:
        """Of names that end so: what stands before → value."""
        return {name.removesuffix(end): value for name, value in self.named(lambda name: name.endswith(end))}

    def starting(self, start: str) -> list[Any]:
        return [value for _, value in self.named(lambda name: name.startswith(start))]

    def numbers(self) -> list[float]:
        return [value for _, value in self.named(lambda _: True) if is_number(value)]

    def named(self, is_meant: Callable[[str], bool]) -> list[tuple[str, Any]]:
        found = [(name, value) for name, value, _ in self.stated if is_meant(name)]
        self.asked.update(name for name, _ in found)
        return found

    def decimal(self, name: str) -> Decimal | None:
        value = self.get(name)
        return None if value is None else Decimal(str(value))

    def price(self) -> Price:
        """Its unit says currency and what it is for: USD per_gb_month."""
        for name, value, unit in self.stated:
            if name == "price":
                self.asked.add(name)
                currency, _, kind = unit.partition(" ")
                return Price(Decimal(str(value)), PriceUnit(kind), currency)
        return Price(Decimal(0), PriceUnit.PER_GB_MONTH)


Compute = Callable[[Terms], Any]


def is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


# -- alert-delay


def _opens(terms: Terms) -> tuple[float, float]:
    if "aggregation_window" in {name for name, _, _ in terms.stated}:
        window = terms["aggregation_window"]
        delay = terms.get("aggregation_delay", terms.get("aggregation_timer", 0))
        if terms.get("threshold_duration") is None:
            return window + delay, window + delay
        occurrences = terms["threshold_occurrences"]
        return alert_delay.newrelic_seconds(
            window, delay, terms["threshold_duration"], occurrences, terms.get("slide_by")
        )
    if terms.get("period") is not None:
        return alert_delay.cloudwatch_seconds(
            terms["period"], terms["evaluation_periods"], terms.get("datapoints_to_alarm")
        )
    if terms.get("window") is not None:
        # The formula says whether the whole window has to be bad: "window + delay" or "delay" at best.
        whole = terms.formula.startswith("window + delay")
        return alert_delay.datadog_seconds(terms["window"], terms.get("evaluation_delay", 0), whole=whole)
    if terms.get("interval") is not None:
        # At best the range counts only where all of it has to be bad, and the formula says so.
        whole = terms.formula.endswith("+ range")
        return alert_delay.grafana_seconds(terms["interval"], terms["for"], terms.get("range", 0), whole=whole)
    if terms.get("group_wait") is None:
        return terms["for"], terms["for"]
    return alert_delay.prometheus_seconds(
        terms["scrape_interval"], terms["evaluation_interval"], terms["for"], terms["group_wait"]
    )


def _burned(terms: Terms) -> float:
    outage = terms.get("time_to_open_worst", terms.get("time_to_open_best"))
    return budget.burned_percent(outage, terms["slo_target"], terms["slo_window"])


# -- autoscaling

_POLICY = re.compile(r"(?:(?P<service>.+)_)?(?P<kind>percent|pods)_per_(?P<period>\d+)_s")


def policies_of(terms: Terms, service: str = "") -> tuple[Policy, ...]:
    found = []
    for name, value in terms.named(lambda name: _POLICY.fullmatch(name) is not None):
        match = _POLICY.fullmatch(name)
        if match and (match["service"] or "") == service:
            kind = "Percent" if match["kind"] == "percent" else "Pods"
            found.append(Policy(kind, int(value), max(int(match["period"]), 1)))
    return tuple(found)


def _bounds(terms: Terms, low: str, high: str) -> tuple[int, int]:
    start, most = max(int(terms[low]), 1), int(terms[high])
    if most > _MOST_PODS:
        raise CannotError(f"more than {_MOST_PODS:,} pods are not simulated")
    return start, most


def steps_of(terms: Terms) -> list[tuple[int, int]]:
    """(second, replicas), from the first that asks for more."""
    start, most = _bounds(terms, "min_replicas", "max_replicas")
    if most < start:
        raise CannotError("the maximum is below the minimum")
    steps = autoscaling.simulate(start, most, policies_of(terms), str(terms.get("select_policy", "Max")))
    window = terms.get("stable_window")  # of Knative, which takes a mean over a share of it
    pause = (
        int(terms.get("stabilization_window", 0))
        if window is None
        else math.ceil(window * terms["panic_window_percentage"] / 100)
    )
    return [(at + pause, count) for at, count in steps]


def _seconds_to_max(terms: Terms) -> int:
    return steps_of(terms)[-1][0] + min(policy.period for policy in policies_of(terms))


# -- db-connections


def services_of(terms: Terms, *, in_rollout: bool = False) -> list[tuple[int, int, int]]:
    """(pods, processes, pool) of each service."""
    found = []
    added = terms.ending("_max_surge") if in_rollout else {}
    for name, pods in terms.ending("_max_pods").items():
        pool = int(terms[f"{name}_pool_size"]) + int(terms.get(f"{name}_max_overflow", 0))
        found.append((int(pods) + int(added.get(name, 0)), int(terms[f"{name}_processes"]), pool))
    return found


def _needed(terms: Terms) -> int:
    if terms.get("pooler_instances") is not None:
        most = terms.get("max_db_connections")
        return db_connections.pooled_connections(
            int(terms["pooler_instances"]), int(terms["default_pool_size"]), int(terms["pools"]), most and int(most)
        )
    return db_connections.connections_needed(services_of(terms))


def _rollout(terms: Terms) -> int:
    return db_connections.connections_needed(services_of(terms, in_rollout=True))


def available_of(terms: Terms) -> int:
    return max(int(terms["max_connections"]) - int(terms["reserved_connections"]), 0)


def _refused(terms: Terms) -> float:
    needed = _rollout(terms) if "rollout" in terms.formula else _needed(terms)
    return db_connections.refused_percent(needed, available_of(terms))


def _breakpoint(terms: Terms) -> int:
    per_pod = [each * pool for _, each, pool in services_of(terms)]
    if not any(per_pod):
        raise CannotError("no pod connects")
    return db_connections.breakpoint_pods(available_of(terms), per_pod)


def scale_steps(terms: Terms) -> dict[str, list[tuple[int, int]]]:
    """Service → (second, connections), where its autoscaler's policies are among the inputs."""
    found = {}
    for name in terms.ending("_min_pods"):
        policies = policies_of(terms, name)
        start, most = _bounds(terms, f"{name}_min_pods", f"{name}_max_pods")
        start = min(start, most)
        pool = int(terms[f"{name}_pool_size"]) + int(terms.get(f"{name}_max_overflow", 0))
        per_pod = int(terms[f"{name}_processes"]) * pool
        steps = autoscaling.simulate(start, most, policies, str(terms.get(f"{name}_select_policy", "Max")))
        found[name] = [(at, count * per_pod) for at, count in steps]
    return found


def beside_scaling(terms: Terms, scaled: Iterable[str]) -> int:
    """Connections of the services that no autoscaler of these inputs changes, at their largest."""
    return sum(
        int(pods) * int(terms[f"{name}_processes"])
        * (int(terms[f"{name}_pool_size"]) + int(terms.get(f"{name}_max_overflow", 0)))
        for name, pods in terms.ending("_max_pods").items()
        if name not in scaled
    )  # fmt: skip


def _scale_step(terms: Terms) -> int:
    return sum(
        max((after - before for (_, before), (_, after) in itertools.pairwise(steps)), default=0)
        for steps in scale_steps(terms).values()
    )


# -- cell-failover


def _shares(terms: Terms) -> list[float]:
    return terms.starting("share_")


def _capacities(terms: Terms) -> list[float]:
    return terms.starting("capacity_")


def _affected(terms: Terms) -> float:
    return cell_failover.affected_percent(terms["largest_share"], terms["cell_error"], int(terms.get("attempts", 1)))


def _failing_over(terms: Terms) -> float | None:
    if "never" in terms.formula:
        return None
    return seconds_to_fail_over(terms["request_interval"], terms["failure_threshold"], terms["ttl"])


# -- kafka


def _members(terms: Terms) -> int:
    members = int(terms["pods"]) * int(terms.get("threads_per_pod", 1))
    if members < 1 or terms.get("partitions", 1) < 1:
        raise CannotError("a group has a member and a topic a partition at least")
    return members


def _kafka(function: Callable[[int, int], float]) -> Compute:
    return lambda terms: function(int(terms["partitions"]), _members(terms))


def _imbalance(partitions: int, members: int) -> float:
    if members > partitions:
        return 1.0
    return max(kafka_consumers.busiest(partitions, members) * members / partitions, 1.0)


def _unserved_percent(partitions: int, members: int) -> float:
    return kafka_consumers.unserved_partitions(partitions, members) / partitions * 100


def _quota(terms: Terms) -> float:
    partitions = sum(terms.starting("partitions"))
    return kafka_consumers.quota_bytes_per_second(terms["consumer_byte_rate"], int(terms["brokers"]), partitions)


def _losses(terms: Terms) -> int:
    """Of the copies that there are by its formula: those in sync, or as many as there are brokers for."""
    copies_in_all = [*terms.starting("replication_factor"), *terms.starting("replicas")]
    bounds = [*terms.starting("min_insync_replicas"), *terms.starting("brokers")]
    if not copies_in_all or (not bounds and max(copies_in_all) > 1):
        raise CannotError("how many replicas must be in sync is not stated")
    return kafka_durability.losses_survived("all", int(min([*bounds, *copies_in_all])))


# -- secret-rotation


def _rollout_seconds(terms: Terms) -> float:
    for name in ("files_follow", "rollout"):
        if terms.get(name) is not None:
            return float(terms[name])
    return secret_rotation.rollout_seconds(int(terms["pods"]), int(terms["pods_per_step"]), 0, terms["ready"])


def _exposure(terms: Terms) -> float | None:
    if "unbounded" in terms.formula:
        return None
    return secret_rotation.exposure_seconds(terms["refresh"], _rollout_seconds(terms))


def _deadlock(terms: Terms) -> int:
    needed = secret_rotation.needed_overlap_seconds(terms["refresh"], _rollout_seconds(terms))
    return int(secret_rotation.is_deadlock(terms["overlap"], needed))


# -- costs


def _metrics(terms: Terms, months: int = 12) -> Projection:
    price = terms.price() if terms.get("price") is not None else Price(Decimal(0), PriceUnit.PER_MILLION_POINTS)
    more = ("environments", "replicas_of_scraper", "bytes_per_point", "days_per_month")
    given = {name: value for name in more if (value := terms.decimal(name)) is not None}
    return metrics(
        pods=Decimal(str(terms["pods"])),
        series_per_pod=Decimal(str(terms["series_per_pod"])),
        interval_seconds=Decimal(str(terms["interval"])),
        price=price,
        months=months,
        **given,
    )


def _entities(terms: Terms, months: int = 12) -> Projection:
    price = terms.price() if terms.get("price") is not None else Price(Decimal(0), PriceUnit.PER_ENTITY_MONTH)
    return entities(
        churn_per_day=Decimal(str(terms["churn_per_day"])),
        lifetime_days=Decimal(str(terms["lifetime"])),
        price=price,
        months=months,
    )


def logs_of(terms: Terms, *, kept: bool = False, months: int = 12) -> Projection:
    return logs(
        gb_per_day=Decimal(str(terms["gb_per_day"])),
        stored_gb=terms.decimal("stored") or Decimal(0),
        price=terms.price(),
        retention_days=int(terms["retention"]) if kept else None,
        months=months,
    )


def _number(value: Decimal | None) -> float | int | None:
    return None if value is None else plain(value)


def _of_rows(made: Projection) -> Decimal | None:
    return made.rows[0].cost


def _days_until_full(terms: Terms) -> float | int:
    left = (Decimal(str(terms["disk"])) - (terms.decimal("stored") or 0)) / Decimal(str(terms["gb_per_day"]))
    return plain(max(left, Decimal(0)))


def _zombie_cost(terms: Terms, months: int = 1) -> float | int | None:
    cost = _entities(terms).figures["zombie_cost_per_month"]
    return None if cost is None else plain(cost * months)


FIGURES: Mapping[tuple[str, str], Compute] = {
    ("alert-delay", "time_to_open_best_seconds"): lambda terms: _opens(terms)[0],
    ("alert-delay", "time_to_open_worst_seconds"): lambda terms: _opens(terms)[1],
    ("alert-delay", "error_budget_burned_percent"): _burned,
    ("autoscaling", "seconds_to_max"): _seconds_to_max,
    ("autoscaling", "replicas_max"): lambda terms: terms["max_replicas"],
    ("autoscaling", "cost_of_overshoot_per_hour"): lambda terms: plain(
        autoscaling.cost_per_hour(int(terms["max_replicas"]), terms.decimal("price") or Decimal(0))
    ),
    ("autoscaling", "replicas_after_seconds"): lambda terms: [[at, count] for at, count in steps_of(terms)],
    ("backups", "rpo_minutes"): lambda terms: terms.get("interval"),
    ("backups", "retention_days"): lambda terms: terms["retention"],
    ("backups", "margin_hours"): lambda terms: copies.margin_hours(terms["retention"], terms["detection"]),
    ("backups", "hours_of_writes_at_risk"): lambda terms: copies.hours_at_risk(
        terms["interval"] / 60, terms["detection"], point_in_time=terms.formula == "detection"
    ),
    ("backups", "regions"): lambda terms: 1 + int(terms["copies_elsewhere"]),
    ("cache-staleness", "worst_staleness_seconds"): lambda terms: cache_staleness.worst_staleness(terms.numbers()),
    ("cache-staleness", "mean_staleness_seconds"): lambda terms: sum(
        cache_staleness.mean_staleness(each) for each in terms.numbers()
    ),
    ("cache-staleness", "all_pods_fresh_after_seconds"): lambda terms: cache_staleness.all_fresh_after(
        terms.numbers()[0], int(terms["pods"])
    ),
    ("cache-staleness", "maxmemory_percent_of_limit"): lambda terms: eviction.memory_percent(
        terms["maxmemory"], terms["memory_limit"]
    ),
    ("cache-staleness", "bytes_until_writes_fail"): lambda terms: terms["maxmemory"],
    ("cache-staleness", "bytes_until_killed"): lambda terms: terms["memory_limit"],
    ("cache-staleness", "fallback_limit_per_second"): lambda terms: cache_staleness.fallback_limit(
        terms["limit"], int(terms["pods"])
    ),
    ("cell-failover", "survivor_load_percent"): lambda terms: cell_failover.survivor_load_percent(_shares(terms)),
    ("cell-failover", "extra_load_percent"): lambda terms: cell_failover.extra_load_percent(_shares(terms)),
    ("cell-failover", "safe_load"): lambda terms: cell_failover.safe_load(_capacities(terms)),
    ("cell-failover", "survivor_capacity_percent"): lambda terms: cell_failover.capacity_used_percent(
        terms["load"], _capacities(terms)
    ),
    ("cell-failover", "shed_percent"): lambda terms: cell_failover.shed_percent(terms["load"], _capacities(terms)),
    ("cell-failover", "breaker_blind_from_percent"): lambda terms: round(100 - terms["slo"], 10),
    ("cell-failover", "breaker_blind_to_percent"): lambda terms: terms["breaker_threshold"],
    ("cell-failover", "users_affected_percent"): _affected,
    ("cell-failover", "users_affected_after_attempts_percent"): _affected,
    ("cell-failover", "seconds_to_fail_over"): _failing_over,
    ("cell-failover", "error_budget_burned_percent"): lambda terms: budget.burned_percent(
        _failing_over(terms) or 0, terms["slo_target"], terms["slo_window"]
    ),
    ("cell-failover", "burn_rate"): lambda terms: round(budget.burn_rate(_affected(terms), terms["slo"]), 6),
    ("cpu-throttling", "throttled_ms_per_period"): lambda terms: cpu_throttling.throttled_ms(
        terms["limit"], terms["threads"]
    ),
    ("cpu-throttling", "limit_millicores"): lambda terms: terms["limit"] * 1000,
    ("cpu-throttling", "request_percent_of_limit"): lambda terms: cpu_throttling.utilization_percent(
        terms["request"], terms["limit"]
    ),
    ("cpu-throttling", "scale_point_millicores"): lambda terms: cpu_throttling.scale_point(
        terms["target"], terms["request"] * 1000
    ),
    ("db-connections", "connections_needed"): _needed,
    ("db-connections", "connections_available"): available_of,
    ("db-connections", "connections_refused_percent"): _refused,
    ("db-connections", "connections_needed_in_rollout"): _rollout,
    ("db-connections", "breakpoint_pods"): _breakpoint,
    ("db-connections", "connections_per_scale_step"): _scale_step,
    ("db-connections", "connection_memory_mb"): lambda terms: _needed(terms) * terms["memory_per_connection"],
    ("dns", "queries_per_lookup"): lambda terms: dns.queries_per_lookup(
        int(terms["dots"]), int(terms["ndots"]), int(terms["search_domains"])
    ),
    ("dns", "replicas"): lambda terms: terms["replicas"],
    ("entity-churn", "zombie_entities"): lambda terms: _number(_entities(terms).figures["zombies"]),
    ("entity-churn", "cost_per_month"): _zombie_cost,
    ("entity-churn", "cost_per_year"): lambda terms: _zombie_cost(terms, 12),
    ("kafka-consumers", "idle_members"): _kafka(kafka_consumers.idle_members),
    ("kafka-consumers", "partitions_on_busiest_member"): _kafka(kafka_consumers.busiest),
    ("kafka-consumers", "imbalance_ratio"): _kafka(_imbalance),
    ("kafka-consumers", "effective_parallelism"): _kafka(kafka_consumers.parallelism),
    ("kafka-consumers", "unserved_partitions"): _kafka(kafka_consumers.unserved_partitions),
    ("kafka-consumers", "unserved_percent"): _kafka(_unserved_percent),
    ("kafka-consumers", "rebalances_per_rollout"): lambda terms: kafka_consumers.rebalances_per_rollout(
        int(terms["pods"]), is_static=terms.get("group_instance_id") is not None
    ),
    ("kafka-consumers", "poll_budget_ms_per_record"): lambda terms: kafka_consumers.poll_budget_ms(
        terms["max_poll_interval"], int(terms["max_poll_records"])
    ),
    ("kafka-consumers", "quota_bytes_per_second"): _quota,
    ("kafka-consumers", "backlog_bytes_per_hour"): lambda terms: (
        max(0, sum(terms.starting("arriving_")) - _quota(terms)) * 3600
    ),
    ("kafka-durability", "broker_losses_survived"): _losses,
    ("kafka-durability", "quorum_losses_survived"): lambda terms: kafka_durability.quorum_losses_survived(
        int(terms["members"])
    ),
    ("kafka-durability", "messages_at_risk"): lambda terms: kafka_durability.messages_at_risk(
        terms["messages_per_second"], terms["replication_lag"]
    ),
    ("kafka-durability", "messages_at_risk_one_broker"): lambda terms: kafka_durability.messages_at_risk(
        terms["messages_per_second"], terms["replication_lag"], int(terms["brokers"])
    ),
    ("kafka-durability", "messages_unsent_when_killed"): lambda terms: kafka_durability.unsent_messages(
        terms["messages_per_second"], terms["linger"]
    ),
    ("kafka-durability", "broker_losses_while_writable"): lambda terms: kafka_durability.losses_while_writable(
        int(terms["replication_factor"]), int(terms["min_insync_replicas"])
    ),
    ("log-retention", "stored_gb_after_12_months"): lambda terms: _number(logs_of(terms).rows[-1].quantity),
    ("log-retention", "cost_per_month_after_12_months"): lambda terms: _number(
        logs_of(terms).rows[-1].quantity * terms.price().amount
    ),
    ("log-retention", "cost_first_year"): lambda terms: _number(logs_of(terms).total_cost),
    ("log-retention", "cost_per_month_with_retention"): lambda terms: _number(
        logs_of(terms, kept=True).steady_state.cost_per_month
    ),
    ("log-retention", "days_until_full"): _days_until_full,
    ("metric-volume", "data_points_per_month"): lambda terms: _number(_metrics(terms).rows[0].quantity),
    ("metric-volume", "cost_per_month"): lambda terms: _number(_metrics(terms).rows[0].cost),
    ("metric-volume", "cost_per_year"): lambda terms: _number(_metrics(terms).total_cost),
    ("secret-rotation", "exposure_seconds"): _exposure,
    ("secret-rotation", "needed_overlap_seconds"): _exposure,
    ("secret-rotation", "deadlock"): _deadlock,
    ("single-replica", "seconds_down_on_node_loss"): lambda terms: single_replica.seconds_down(
        terms["node_monitor_grace"], terms["toleration"]
    ),
    ("time-sync", "drift_seconds_per_day"): lambda terms: time_sync.drift_seconds_per_day(terms["drift"]),
    ("time-sync", "days_to_tolerance"): lambda terms: time_sync.days_to(terms["tolerance"], terms["drift"]),
    ("time-sync", "days_to_alert_delay"): lambda terms: time_sync.days_to(terms["aggregation_delay"], terms["drift"]),
}

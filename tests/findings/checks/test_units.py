"""Names and units of figures: programs and pages rely on both."""

from tests.findings.checks.test_what_if import of_all_samples

UNITS = {
    "kafka-consumers": {
        "idle_members": "members",
        "partitions_on_busiest_member": "partitions",
        "imbalance_ratio": "× fair share",
        "effective_parallelism": "members",
        "rebalances_per_rollout": "rebalances",
        "poll_budget_ms_per_record": "ms",
        "unserved_partitions": "partitions",
        "unserved_percent": "%",
        "buffer_bytes": "bytes",
        "quota_bytes_per_second": "bytes/s",
        "backlog_bytes_per_hour": "bytes",
    },
    "cell-failover": {
        "survivor_load_percent": "% of its load before",
        "extra_load_percent": "%",
        "ephemeral_route_cache": "",
        "seconds_to_fail_over": "s",
        "error_budget_burned_percent": "%",
        "breaker_blind_to_percent": "%",
        "safe_load": "rps",
        "survivor_capacity_percent": "% of capacity",
        "shed_percent": "%",
        "breaker_blind_from_percent": "%",
        "users_affected_percent": "% of requests",
        "burn_rate": "×",
        "users_affected_after_attempts_percent": "% of requests",
    },
    "db-connections": {
        "connections_needed": "connections",
        "connections_available": "connections",
        "connections_refused_percent": "%",
        "connections_needed_in_rollout": "connections",
        "breakpoint_pods": "pods per service",
        "connections_per_scale_step": "connections",
        "connection_memory_mb": "MB",
    },
    "secret-in-env": {
        "workloads_sharing_secret": "workloads",
        "credentials_written_out": "credentials",
        "principals_who_can_read": "principals",
    },
    "network-egress": {
        "addresses_reachable": "addresses",
        "metadata_service_reachable": "0 or 1",
        "dependencies_blocked": "dependencies",
        "namespaces_reachable": "namespaces",
        "ipv6_prefix_bits": "bits",
    },
    "image-trust": {
        "prefixes_unverified": "prefixes",
        "rules_anybody_meets": "rules",
        "images_total": "images",
        "images_unverified": "images",
        "images_by_tag": "images",
        "open_segments": "prefixes",
        "images_against_own_policy": "images",
        "repositories_with_mutable_tags": "repositories",
    },
    "alert-delay": {
        "time_to_open_best_seconds": "s",
        "time_to_open_worst_seconds": "s",
        "error_budget_burned_percent": "%",
    },
    "signal-loss": {
        "conditions_silent_on_loss": "conditions",
    },
    "autoscaling": {
        "seconds_to_max": "s",
        "replicas_max": "pods",
        "replicas_after_seconds": "pods",
        "cost_of_overshoot_per_hour": "EUR/h",
    },
    "cpu-throttling": {
        "throttled_ms_per_period": "ms per 100 ms",
        "limit_millicores": "millicores",
        "request_percent_of_limit": "% of limit",
        "scale_point_millicores": "millicores",
    },
    "kafka-durability": {
        "broker_losses_survived": "brokers",
        "broker_losses_while_writable": "brokers",
        "brokers_with_ephemeral_storage": "brokers",
        "quorum_losses_survived": "pods",
        "messages_at_risk": "messages",
        "messages_at_risk_one_broker": "messages",
        "messages_unsent_when_killed": "messages",
    },
    "cache-staleness": {
        "queues_that_evict": "queues",
        "bytes_until_killed": "bytes",
        "worst_staleness_seconds": "s",
        "mean_staleness_seconds": "s",
        "fallback_limit_per_second": "1/s",
        "caches_that_refuse": "caches",
        "bytes_until_writes_fail": "bytes",
        "maxmemory_percent_of_limit": "%",
        "all_pods_fresh_after_seconds": "s",
    },
    "deployment-windows": {
        "longest_closed_hours": "h",
        "mean_wait_hours": "h",
        "open_share_percent": "% of the week",
        "break_glass": "",
        "longest_closed_hours_when_clocks_change": "h",
        "windows_ignored": "windows",
        "hours_off": "h",
        "longest_closed_hours_with_holidays": "h",
    },
    "backups": {
        "rpo_minutes": "min",
        "retention_days": "d",
        "margin_hours": "h",
        "hours_of_writes_at_risk": "h",
        "restore_tested": "",
        "regions": "regions",
    },
    "secret-rotation": {
        "exposure_seconds": "s",
        "needed_overlap_seconds": "s",
        "deadlock": "0 or 1",
    },
    "metric-volume": {
        "data_points_per_month": "data points",
        "cost_per_month": "USD/month",
        "cost_per_year": "USD/year",
    },
    "entity-churn": {
        "zombie_entities": "entities",
        "cost_per_month": "USD/month",
        "cost_per_year": "USD/year",
    },
    "log-retention": {
        "stored_gb_after_12_months": "GB",
        "cost_per_month_after_12_months": "USD/month",
        "cost_first_year": "USD",
        "cost_per_month_with_retention": "USD/month",
        "days_until_full": "days",
    },
    "dns": {
        "dependencies_by_name": "names",
        "node_local_caches": "per node",
        "replicas": "pods",
        "queries_per_lookup": "queries",
    },
    "time-sync": {
        "days_to_tolerance": "d",
        "drift_seconds_per_day": "s/d",
        "days_to_alert_delay": "d",
    },
    "request-timeouts": {
        "calls_without_timeout": "calls",
        "attempts_within_deadline": "attempts",
    },
    "disruption-budget": {
        "pods_evicted_at_once": "pods",
    },
    "resource-quota": {
        "pods_at_maximum": "pods",
        "cpu_cores_at_maximum": "cores",
        "share_of_maximum_percent": "%",
    },
    "probes": {
        "containers_without_readiness": "containers",
        "seconds_until_restart": "s",
    },
    "single-replica": {
        "replicas": "pods",
        "seconds_down_on_node_loss": "s",
    },
    "topology-spread": {
        "pods_lost_with_one_node": "pods",
    },
    "contradiction": {
        "dependencies_blocked": "dependencies",
        "images_against_own_policy": "images",
        "images_total": "images",
        "budget_ratio": "×",
        "topics_in_common": "topics",
        "pods_out_of_bounds": "pods",
        "declarations": "topics",
        "autoscalers": "autoscalers",
        "sync_windows": "windows",
    },
    "alert-coverage": {
        "alarms_that_tell_nobody": "alarms",
        "failure_modes_without_alert": "failure modes",
        "alerts_that_tell_nobody": "alerts",
    },
}


def test_every_figure_of_a_sample_has_its_name_and_unit() -> None:
    wrong = {
        (sample, figure["name"], figure["unit"])
        for sample, check, figures in of_all_samples()
        for figure in figures
        if UNITS.get(check, {}).get(figure["name"]) != figure["unit"]
    }
    assert wrong == set()


def test_every_figure_is_shown_by_a_sample() -> None:
    shown = {(check, figure["name"]) for _, check, figures in of_all_samples() for figure in figures}
    assert {(check, name) for check, units in UNITS.items() for name in units} - shown == set()

"""The figures that were worked out by hand, each as a scan prints it of a configuration that states its inputs.

The right side of each row is arithmetic on the inputs, written out here: nothing of the product's is asked for it.
"""

from typing import Any

import pytest

from tests.findings.checks import reading

Files = dict[str, str]


def deployment(name: str, pods: int, *env: str, more: str = "") -> str:
    return f"""---
apiVersion: apps/v1
kind: Deployment
metadata: {{name: {name}, namespace: shop}}
spec:
  replicas: {pods}
  template:
    spec:
      containers:
        - name: {name}
          image: registry.example/{name}:1
          env: [{", ".join(env)}]
{more}
"""


def env(name: str, value: object) -> str:
    return f'{{name: {name}, value: "{value}"}}'


def topic(name: str, partitions: int) -> str:
    return f"""---
apiVersion: kafka.strimzi.io/v1
kind: KafkaTopic
metadata: {{name: {name}}}
spec: {{partitions: {partitions}, replicas: 3}}
"""


def group(partitions: tuple[int, ...], pods: int, threads: int) -> Files:
    names = [f"topic-{number}" for number in range(len(partitions))]
    variables = (env("KAFKA_TOPICS", ",".join(names)), env("KAFKA_GROUP_ID", "collector"),
                 env("KAFKA_CONSUMER_THREADS", threads))  # fmt: skip
    topics = "".join(topic(*each) for each in zip(names, partitions, strict=True))
    return {"app_yaml": topics + deployment("collector", pods, *variables)}


PINNED = {
    "app_yaml": "kafka:\n  topics: [{name: events, partitions: 12, consumer_group: collector}]\n"
    "  partition_assignment: pinned\nworker_threads: 7\n"
}
CELLS = "cells:\n  - {name: east, capacity_percentage: 60}\n  - {name: west, capacity_percentage: 40}\n"
ROOM = "cells: {east: {capacity_rps: 7000}, west: {capacity_rps: 5000}}\nrouting: {load_rps: 12000}\n"
PARTLY = {
    "cells_yaml": CELLS,
    "router_yaml": "circuit_breaker: {failure_threshold: 0.5}\nretry_policy: {num_retries: 3}\n",
    "facts": "routing: {cell_error_percent: 10}\nslo: {target: 99.95, window_days: 7}\n",
}


def services(count: int) -> Files:
    pool = (env("DATABASE_URL", "postgresql://aurora.internal/shop"), env("DATABASE_POOL_SIZE", 20))
    return {
        "app_yaml": "".join(deployment(f"service-{number}", 50, *pool) for number in range(count)),
        "facts": "databases: {aurora: {max_connections: 1000, connection_memory_mb: 2}}",
    }


def instance(size: str) -> Files:
    return {
        "db_tf": f'resource "aws_db_instance" "main" {{\n  engine = "postgres"\n  instance_class = "{size}"\n}}\n',
        "facts": "services: {api: {max_pods: 400, processes: 1, connections_per_process: 10}}",
    }


POOLER = {
    "db_yaml": """
apiVersion: postgresql.cnpg.io/v1
kind: Cluster
metadata: {name: orders}
spec: {instances: 3}
---
apiVersion: postgresql.cnpg.io/v1
kind: Pooler
metadata: {name: orders-rw}
spec:
  cluster: {name: orders}
  instances: 3
  pgbouncer: {poolMode: transaction, parameters: {max_db_connections: "100", default_pool_size: "100"}}
"""
}


def condition(occurrences: str, target: float | None = None, days: float = 30, more: str = "") -> Files:
    text = f"""resource "newrelic_nrql_alert_condition" "errors" {{
  name               = "errors"
  aggregation_method = "event_flow"
  aggregation_window = 60
  aggregation_delay  = 120
  {more}
  nrql {{
    query = "SELECT percentage(count(*), WHERE error IS true) FROM Transaction"
  }}
  critical {{
    operator              = "above"
    threshold             = 5
    threshold_duration    = 300
    threshold_occurrences = "{occurrences}"
  }}
}}
"""
    facts = "" if target is None else f"slo: {{target: {target}, window_days: {days}}}\n"
    return {"alert_tf": text, "facts": facts}


CLOUDWATCH = {
    "alarm_tf": 'resource "aws_cloudwatch_metric_alarm" "a" {\n  comparison_operator = "GreaterThanThreshold"\n'
    '  evaluation_periods = 2\n  period = 300\n  metric_name = "HTTPCode_Target_5XX_Count"\n}\n'
}
PROMETHEUS = {
    "rules_yml": "groups:\n  - name: a\n    rules:\n      - {alert: Errors, expr: errors > 1, for: 5m, "
    "labels: {severity: page}}\n",
    "prometheus_yml": "global: {scrape_interval: 30s, evaluation_interval: 30s}\nscrape_configs: []\n",
    "alertmanager_yml": "route: {receiver: a, group_wait: 10s}\nreceivers: [{name: a}]\n",
    "facts": "slo: {target: 99.9}",
}


def scaler(low: int, high: int, up: str = "") -> Files:
    behavior = f"  behavior: {{scaleUp: {{{up}}}}}\n" if up else ""
    return {
        "hpa_yaml": "apiVersion: autoscaling/v2\nkind: HorizontalPodAutoscaler\nmetadata: {name: api}\nspec:\n"
        f"  scaleTargetRef: {{kind: Deployment, name: api}}\n  minReplicas: {low}\n  maxReplicas: {high}\n{behavior}",
        "facts": "autoscaling: {price_per_pod_hour: 0.10}",
    }


DOUBLING = "policies: [{type: Percent, value: 100, periodSeconds: 30}]"
SETTLED = f"stabilizationWindowSeconds: 60, {DOUBLING}"


def limited(request: str) -> Files:
    text = deployment("api", 1, env("WORKER_THREADS", 8),
                      more=f'          resources: {{requests: {{cpu: {request}}}, limits: {{cpu: "1"}}}}')  # fmt: skip
    scaled = """---
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {name: api, namespace: shop}
spec:
  scaleTargetRef: {kind: Deployment, name: api}
  maxReplicas: 3
  metrics: [{type: Resource, resource: {name: cpu, target: {type: Utilization, averageUtilization: 60}}}]
"""
    return {"app_yaml": text + scaled}


KAFKA = {
    "app_yaml": deployment("api", 1, env("KAFKA_PRODUCER_ACKS", 1), env("KAFKA_LINGER_MS", 100)),
    "facts": "kafka: {messages_per_second: 7000, replication_lag_ms: 50, brokers: 3}",
}


def in_sync(least: int) -> Files:
    return {
        "kafka_yaml": "apiVersion: kafka.strimzi.io/v1\nkind: KafkaTopic\nmetadata: {name: orders}\n"
        f"spec: {{partitions: 12, replicas: 3, config: {{min.insync.replicas: {least}}}}}\n"
    }


def cached(layers: str) -> Files:
    return {"app_yaml": deployment("api", 50, *(env(name, 300) for name in layers.split()))}


LIMITER = {
    "app_yaml": deployment("api", 50, env("RATE_LIMIT_RPS", 1000), env("RATE_LIMIT_FALLBACK", "local")),
}
HOURS = {
    "windows_yaml": 'deployment_windows:\n  - {start: "09:00", end: "17:00", timezone: America/New_York, '
    "days: [monday, tuesday, wednesday, thursday, friday]}\n"
}


def copied(retention: int, detection: int) -> Files:
    return {
        "db_tf": 'resource "google_sql_database_instance" "a" {\n  database_version = "POSTGRES_16"\n  settings {\n'
        "    backup_configuration {\n      enabled = true\n"
        f"      backup_retention_settings {{\n        retained_backups = {retention}\n      }}\n    }}\n  }}\n}}\n",
        "facts": f"backups: {{detection_hours: {detection}}}",
    }


SECRET = {
    "app_yaml": """
apiVersion: external-secrets.io/v1
kind: ExternalSecret
metadata: {name: db, namespace: shop}
spec: {refreshInterval: 1h, data: [{secretKey: password, remoteRef: {key: db}}]}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: api, namespace: shop, annotations: {reloader.stakater.com/auto: "true"}}
spec:
  template:
    spec:
      containers:
        - name: api
          image: registry.example/api:1
          env: [{name: DB_PASSWORD, valueFrom: {secretKeyRef: {name: db, key: password}}}]
""",
    "facts": "services: {api: {rollout_seconds: 600}}\nsecrets: {db: {overlap_seconds: 4199}}",
}
UNTOLD = {**SECRET, "app_yaml": SECRET["app_yaml"].replace(', annotations: {reloader.stakater.com/auto: "true"}', "")}


def sent(environments: int = 1) -> Files:
    return {
        "prometheus_yml": "global: {scrape_interval: 30s}\n",
        "facts": f"metrics: {{pods: 50, series_per_pod: 100, price: 0.30, environments: {environments}}}",
    }


ENTITIES = {
    "definition_yml": "domain: A\ntype: B\nconfiguration: {entityExpirationTime: EIGHT_DAYS}\n",
    "facts": "entities: {churn_per_day: 100, price: 0.01}",
}
LOGS = {
    "logs_tf": 'resource "aws_cloudwatch_log_group" "edge" {\n  name = "/edge"\n}\n',
    "facts": "logs: {gb_per_day: 10, price: 0.03}",
}


def looked_up(more: str) -> Files:
    text = deployment("api", 1, env("PAYMENTS_URL", "https://api.payments.example/v1"))
    return {"app_yaml": text.replace("    spec:\n      containers:", f"    spec:\n{more}      containers:")}


FOUR_DOMAINS = "      dnsConfig: {searches: [corp.example]}\n"
ONE_SERVER = {"dns_yaml": "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: coredns, namespace: kube-system}\n"
              "spec: {template: {metadata: {labels: {k8s-app: kube-dns}}, spec: {containers: [{name: coredns, "
              "image: registry.example/coredns:1}]}}}\n"}  # fmt: skip


def drifting(ppm: int) -> Files:
    return {
        "all_yml": "ntp_enabled: false\n",
        "alert_tf": condition("ALL")["alert_tf"],
        "facts": f"time: {{drift_ppm: {ppm}, tolerance_seconds: 300}}",
    }


MINUTES = 24 * 60
# The row's mode and name, the configuration, and what is printed of it.
ROWS: list[tuple[str, str, Files, dict[str, Any]]] = [
    ("1.1 pinned workers, pinned share", "kafka-consumers", PINNED,
     {"unserved_partitions": 5, "unserved_percent": 500 / 12}),
    ("1.1 group assignment, imbalance, effective parallelism", "kafka-consumers", group((12,), 7, 1),
     {"partitions_on_busiest_member": 2, "imbalance_ratio": 14 / 12, "effective_parallelism": 6, "idle_members": 0}),
    ("1.1 range assignor two topics", "kafka-consumers", group((12, 6), 7, 1), {"partitions_on_busiest_member": 3}),
    ("1.1 idle members at max scale", "kafka-consumers", group((12,), 50, 1), {"idle_members": 38}),
    ("1.1 idle members at max scale, 7 per pod", "kafka-consumers", group((12,), 50, 7), {"idle_members": 338}),
    ("1.2 extra load, load on survivor", "cell-failover", {"cells_yaml": CELLS},
     {"extra_load_percent": 150, "survivor_load_percent": 250}),
    ("1.2 N-1 safe load", "cell-failover", {"cells_yaml": CELLS, "facts": ROOM},
     {"safe_load": 5000, "survivor_capacity_percent": 240, "shed_percent": 700 / 12}),
    ("1.2 grey failure, breaker, burn rate, attempts", "cell-failover", PARTLY,
     {"users_affected_percent": 6, "burn_rate": 120, "users_affected_after_attempts_percent": 0.06,
      "breaker_blind_from_percent": 0.05, "breaker_blind_to_percent": 50}),
    ("1.3 needed, refused, breakpoint, memory", "db-connections", services(2),
     {"connections_needed": 2000, "connections_available": 1000, "connections_refused_percent": 50,
      "breakpoint_pods": 25, "connection_memory_mb": 4000}),
    ("1.3 three services", "db-connections", services(3),
     {"connections_needed": 3000, "connections_refused_percent": 200 / 3}),
    ("1.3 default of db.t4g.medium", "db-connections", instance("db.t4g.medium"),
     {"connections_available": 4 * 2**30 // 9531392 - 5}),
    ("1.3 default of db.r6g.large", "db-connections", instance("db.r6g.large"),
     {"connections_available": 16 * 2**30 // 9531392 - 5}),
    ("1.3 pgbouncer", "db-connections", POOLER, {"connections_needed": 300}),
    ("3.1 delay, AT_LEAST_ONCE", "alert-delay", condition("AT_LEAST_ONCE"),
     {"time_to_open_best_seconds": 180, "time_to_open_worst_seconds": 180}),
    ("3.1 time to open, best and worst", "alert-delay", condition("ALL"),
     {"time_to_open_best_seconds": 420, "time_to_open_worst_seconds": 480}),
    *(
        (f"3.1 {minutes} min at {target}/{days}d", "alert-delay", condition(occurrences, target, days),
         {"error_budget_burned_percent": minutes * 100 / ((100 - target) / 100 * days * MINUTES)})
        for target, days in ((99.9, 30), (99.9, 28), (99.95, 7))
        for minutes, occurrences in ((3, "AT_LEAST_ONCE"), (8, "ALL"))
    ),
    ("3.1 total outage, no data", "signal-loss", condition("ALL", more='fill_option = "none"'),
     {"conditions_silent_on_loss": 1}),
    ("3.1 CloudWatch", "alert-delay", CLOUDWATCH,
     {"time_to_open_best_seconds": 600, "time_to_open_worst_seconds": 900}),
    ("3.1 Prometheus", "alert-delay", PROMETHEUS, {"time_to_open_worst_seconds": 370}),
    ("3.2 doublings", "autoscaling", scaler(2, 64, DOUBLING), {"seconds_to_max": 150}),
    ("3.2 doublings with the stabilization window", "autoscaling", scaler(2, 64, SETTLED), {"seconds_to_max": 210}),
    ("3.2 capped by maxReplicas, cost at cap", "autoscaling", scaler(3, 50, DOUBLING),
     {"replicas_after_seconds": [[0, 3], [0, 6], [30, 12], [60, 24], [90, 48], [120, 50]],
      "replicas_max": 50, "cost_of_overshoot_per_hour": 5}),
    ("3.2 default policies", "autoscaling", scaler(1, 10), {"replicas_after_seconds": [[0, 1], [0, 5], [15, 10]]}),
    ("3.3 ratio, scale point, stall", "cpu-throttling", limited("500m"),
     {"request_percent_of_limit": 50, "scale_point_millicores": 300, "throttled_ms_per_period": 87.5,
      "limit_millicores": 1000}),
    ("4.1 loss window, one of three brokers, no flush", "kafka-durability", KAFKA,
     {"messages_at_risk": 350, "messages_at_risk_one_broker": 350 / 3, "messages_unsent_when_killed": 700}),
    ("4.1 durability", "kafka-durability", in_sync(1),
     {"broker_losses_survived": 0, "broker_losses_while_writable": 2}),
    ("4.2 one layer, mean, last of n pods", "cache-staleness", cached("CACHE_TTL"),
     {"worst_staleness_seconds": 300, "mean_staleness_seconds": 150, "all_pods_fresh_after_seconds": 15000 / 51}),
    ("4.2 two layers in series", "cache-staleness", cached("CACHE_TTL FLAGS_CACHE_TTL"),
     {"worst_staleness_seconds": 600}),
    ("4.2 local rate limit fallback", "cache-staleness", LIMITER, {"fallback_limit_per_second": 50_000}),
    ("5.1 gap, clocks, open share, mean wait", "deployment-windows", HOURS,
     {"longest_closed_hours": 64, "longest_closed_hours_when_clocks_change": [63, 65],
      "open_share_percent": 4000 / 168, "mean_wait_hours": (4 * 16**2 + 64**2) / 336}),
    ("5.1 gap with Monday holiday", "deployment-windows",
     {**HOURS, "facts": 'deployment: {holidays: ["2026-01-19"]}'}, {"longest_closed_hours_with_holidays": 88}),
    ("5.2 daily snapshot noticed too late", "backups", copied(1, 32),
     {"rpo_minutes": 24 * 60, "hours_of_writes_at_risk": 56, "margin_hours": -8}),
    ("5.2 terraform default", "backups", {"db_tf": 'resource "aws_db_instance" "a" {}\n'},
     {"retention_days": 0, "rpo_minutes": None}),
    ("5.3 exposure, overlap", "secret-rotation", SECRET,
     {"exposure_seconds": 4200, "needed_overlap_seconds": 4200, "deadlock": 1}),
    ("5.3 env var secret", "secret-rotation", UNTOLD, {"exposure_seconds": None, "needed_overlap_seconds": None}),
    ("6.1 points and USD a month", "metric-volume", sent(),
     {"data_points_per_month": 432_000_000, "cost_per_month": 129.6}),
    ("6.1 3 environments, year", "metric-volume", sent(3), {"cost_per_month": 388.8, "cost_per_year": 4665.6}),
    ("6.2 zombies, USD", "entity-churn", ENTITIES, {"zombie_entities": 800, "cost_per_month": 8, "cost_per_year": 96}),
    ("6.3 stock, run rate, first year, 30 days", "log-retention", LOGS,
     {"stored_gb_after_12_months": 3650, "cost_per_month_after_12_months": 109.5, "cost_first_year": 658.8,
      "cost_per_month_with_retention": 9}),
    ("7.1 query amplification", "dns", looked_up(FOUR_DOMAINS), {"queries_per_lookup": 10}),
    ("7.1 default search", "dns", looked_up(""), {"queries_per_lookup": 8}),
    ("7.1 single replica", "dns", ONE_SERVER, {"replicas": 1}),
    *(
        (f"7.2 drift {ppm} ppm", "time-sync", drifting(ppm),
         {"drift_seconds_per_day": ppm * 864 / 10_000, "days_to_tolerance": 3_000_000 / (ppm * 864),
          "days_to_alert_delay": 1_200_000 / (ppm * 864)})
        for ppm in (50, 100, 200)
    ),
]  # fmt: skip


@pytest.mark.parametrize(("check", "files", "figures"), [row[1:] for row in ROWS], ids=[row[0] for row in ROWS])
def test_a_scan_prints_the_figure(check: str, files: Files, figures: dict[str, Any]) -> None:
    fail = next(each for each in reading.fails(check, **files) if figures.keys() <= reading.figures(each).keys())
    found = reading.figures(fail)
    for name, value in figures.items():
        close = value if value is None or isinstance(value, list) else pytest.approx(value, rel=1e-12)
        assert found[name] == close, name

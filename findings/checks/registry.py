"""Every check, one line each, in the order in which they are told. PURE."""

from findings.checks import (
    alert_coverage,
    alert_delay,
    autoscaling,
    backups,
    cache_staleness,
    cell_failover,
    contradiction,
    cpu_throttling,
    db_connections,
    deployment_windows,
    disruption_budget,
    dns,
    entity_churn,
    image_trust,
    kafka_consumers,
    kafka_durability,
    log_retention,
    metric_volume,
    network_egress,
    probes,
    request_timeouts,
    resource_quota,
    secret_in_env,
    secret_rotation,
    signal_loss,
    single_replica,
    time_sync,
    topology_spread,
)
from findings.checks.base import Check

_MODULES = (
    kafka_consumers,  # 1.1
    cell_failover,  # 1.2
    db_connections,  # 1.3
    secret_in_env,  # 2.1
    network_egress,  # 2.2
    image_trust,  # 2.3
    alert_delay,  # 3.1
    signal_loss,  # 3.1
    autoscaling,  # 3.2
    cpu_throttling,  # 3.3
    kafka_durability,  # 4.1
    cache_staleness,  # 4.2
    deployment_windows,  # 5.1
    backups,  # 5.2
    secret_rotation,  # 5.3
    metric_volume,  # 6.1
    entity_churn,  # 6.2
    log_retention,  # 6.3
    dns,  # 7.1
    time_sync,  # 7.2
    request_timeouts,  # 8
    disruption_budget,  # 8
    resource_quota,  # 8
    probes,  # 8
    single_replica,  # 8
    topology_spread,  # 8
    contradiction,
    alert_coverage,  # conclusion
)

CHECKS: dict[str, Check] = {module.META.id: Check(module.META, module.run) for module in _MODULES}

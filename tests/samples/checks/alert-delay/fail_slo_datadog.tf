# expect: alert-delay fail time_to_open_worst_seconds=480 error_budget_burned_percent=158.7302 severity=critical
resource "newrelic_nrql_alert_condition" "errors" {
  aggregation_window = 60
  aggregation_delay  = 120
  critical {
    operator              = "above"
    threshold             = 5
    threshold_duration    = 300
    threshold_occurrences = "ALL"
  }
  nrql {
    query = "SELECT percentage(count(*), WHERE error IS true) FROM Transaction"
  }
}

resource "datadog_service_level_objective" "checkout" {
  name             = "Checkout answers"
  type             = "metric"
  timeframe        = "7d"
  target_threshold = 99.95
  thresholds {
    timeframe = "7d"
    target    = 99.95
  }
  thresholds {
    timeframe = "90d"
    target    = 99.9
  }
}

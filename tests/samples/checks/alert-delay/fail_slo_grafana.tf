# expect: alert-delay fail time_to_open_worst_seconds=480 error_budget_burned_percent=18.5185 severity=high
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

resource "grafana_slo" "checkout" {
  name = "Checkout answers"
  objectives {
    value  = 0.999
    window = "30d"
  }
}

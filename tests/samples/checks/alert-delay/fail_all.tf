# expect: alert-delay fail severity=medium time_to_open_best_seconds=420 time_to_open_worst_seconds=480 line=17
resource "newrelic_nrql_alert_condition" "errors" {
  policy_id          = newrelic_alert_policy.checkout.id
  name               = "Errors"
  aggregation_window = 60
  aggregation_method = "event_flow"
  aggregation_delay  = "120"

  nrql {
    query = "SELECT percentage(count(*), WHERE error IS true) FROM Transaction"
  }

  critical {
    operator              = "above"
    threshold             = 5
    threshold_occurrences = "ALL"
    threshold_duration    = 300
  }
}

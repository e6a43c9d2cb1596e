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

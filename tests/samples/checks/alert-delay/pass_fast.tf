# expect: alert-delay pass
resource "newrelic_nrql_alert_condition" "errors" {
  name               = "Errors"
  aggregation_window = 30
  aggregation_delay  = 60
  critical {
    threshold             = 5
    threshold_duration    = 60
    threshold_occurrences = "ALL"
  }
}

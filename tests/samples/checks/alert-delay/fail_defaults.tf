# expect: alert-delay fail severity=medium time_to_open_best_seconds=180 time_to_open_worst_seconds=180
# Neither window nor delay is stated: 60 and 120 s are New Relic's own.
resource "newrelic_nrql_alert_condition" "errors" {
  name = "Errors"
  critical {
    threshold             = 5
    threshold_duration    = 600
    threshold_occurrences = "at_least_once"
  }
}

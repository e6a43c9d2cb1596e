resource "newrelic_nrql_alert_condition" "collector_errors" {
  policy_id          = 4711
  name               = "data-collector: share of failed requests"
  aggregation_method = "event_flow"
  aggregation_window = 30
  aggregation_delay  = 30

  expiration_duration          = 120
  open_violation_on_expiration = true

  nrql {
    query = "SELECT percentage(count(*), WHERE error IS true) FROM Transaction WHERE appName = 'data-collector'"
  }

  critical {
    operator              = "above"
    threshold             = 5
    threshold_duration    = 60
    threshold_occurrences = "at_least_once"
  }
}

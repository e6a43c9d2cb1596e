# scan: fails=alert-delay,alert-delay,signal-loss
resource "newrelic_nrql_alert_condition" "watched" {
  policy_id                    = 1
  name                         = "orders stop"
  aggregation_window           = 60
  aggregation_delay            = 120
  expiration_duration          = 180
  open_violation_on_expiration = true

  nrql {
    query = "SELECT count(*) FROM Transaction WHERE appName = 'orders'"
  }
  critical {
    operator              = "below"
    threshold             = 1
    threshold_duration    = 300
    threshold_occurrences = "ALL"
  }
}

resource "newrelic_nrql_alert_condition" "silent" {
  policy_id          = 1
  name               = "orders fail"
  aggregation_window = 60
  aggregation_delay  = 120

  nrql {
    query = "SELECT percentage(count(*), WHERE error IS true) FROM Transaction WHERE appName = 'orders'"
  }
  critical {
    operator              = "above"
    threshold             = 5
    threshold_duration    = 300
    threshold_occurrences = "ALL"
  }
}

# expect: signal-loss fail severity=high conditions_silent_on_loss=2 line=2
resource "newrelic_nrql_alert_condition" "silent" {
  name               = "Errors"
  aggregation_method = "event_flow"
  fill_option        = "none"
}
resource "newrelic_nrql_alert_condition" "closes_only" {
  name                           = "Slow"
  expiration_duration            = 120
  close_violations_on_expiration = true
}
resource "newrelic_nrql_alert_condition" "told" {
  name                         = "Throughput"
  expiration_duration          = 120
  open_violation_on_expiration = true
}

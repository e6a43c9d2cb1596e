# expect: signal-loss fail severity=high conditions_silent_on_loss=1
# A static fill value fills gaps between points: after a total loss no further point arrives.
resource "newrelic_nrql_alert_condition" "errors" {
  name        = "Throughput"
  fill_option = "static"
  fill_value  = 0
}

# expect: alert-delay unknown provide="the plan as JSON"
resource "newrelic_nrql_alert_condition" "each" {
  for_each           = var.conditions
  aggregation_window = each.value.window
  critical {
    threshold_duration    = each.value.duration
    threshold_occurrences = "ALL"
  }
}

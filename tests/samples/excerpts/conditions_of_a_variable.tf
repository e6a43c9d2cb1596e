# scan: fails=signal-loss unsure=alert-delay
variable "conditions" {
  type = list(any)
}

resource "newrelic_nrql_alert_condition" "each" {
  for_each           = { for condition in var.conditions : condition.name => condition }
  policy_id          = 1
  name               = each.key
  aggregation_window = each.value.window

  nrql {
    query = each.value.query
  }
  dynamic "critical" {
    for_each = each.value.critical
    content {
      operator           = "above"
      threshold          = critical.value.threshold
      threshold_duration = critical.value.duration
    }
  }
}

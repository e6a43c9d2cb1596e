# expect: signal-loss unknown
# Which of them are of metrics at all, only a plan knows.
variable "monitors" { type = map(any) }

resource "datadog_monitor" "each" {
  for_each = var.monitors
  name     = each.key
  type     = each.value.type
  query    = each.value.query
  message  = each.value.message
}

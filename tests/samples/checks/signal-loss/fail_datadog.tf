# expect: signal-loss fail severity=high conditions_silent_on_loss=1
resource "datadog_monitor" "errors" {
  type  = "metric alert"
  query = "avg(last_5m):sum:http.errors{service:checkout}.as_rate() > 5"
}

# expect: signal-loss pass
resource "datadog_monitor" "errors" {
  type            = "metric alert"
  query           = "avg(last_5m):sum:http.errors{service:checkout}.as_rate() > 5"
  on_missing_data = "show_and_notify_no_data"
}

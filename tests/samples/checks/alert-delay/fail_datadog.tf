# expect: alert-delay fail severity=medium time_to_open_best_seconds=60 time_to_open_worst_seconds=420 line=4
resource "datadog_monitor" "errors" {
  type             = "metric alert"
  query            = "avg(last_5m):sum:http.errors{service:checkout}.as_rate() > 5"
  evaluation_delay = 60
}

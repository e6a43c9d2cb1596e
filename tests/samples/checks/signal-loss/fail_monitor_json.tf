# expect: signal-loss fail severity=high conditions_silent_on_loss=1
resource "datadog_monitor_json" "errors" {
  monitor = <<-JSON
    {
      "name": "Errors of orders",
      "type": "query alert",
      "query": "sum(last_5m):sum:trace.http.request.errors{service:orders}.as_count() > 20",
      "message": "@pagerduty-orders",
      "options": {"notify_no_data": false, "thresholds": {"critical": 20}}
    }
  JSON
}

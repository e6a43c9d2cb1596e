# expect: signal-loss fail severity=high conditions_silent_on_loss=1
# An application falls silent while the agent beside it goes on.
resource "datadog_monitor" "silent_hosts" {
  type           = "service check"
  query          = "\"datadog.agent.up\".over(\"*\").by(\"host\").last(2).count_by_status()"
  notify_no_data = true
}

resource "datadog_monitor" "orders" {
  type  = "query alert"
  query = "sum(last_5m):sum:shop.orders.placed{env:live}.as_count() < 1"
}

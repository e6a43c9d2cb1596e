# expect: signal-loss pass
# The load of a host stops being reported when its agent stops, and another monitor tells that.
resource "datadog_monitor" "silent_hosts" {
  type              = "service check"
  query             = "\"datadog.agent.up\".over(\"*\").by(\"host\").last(2).count_by_status()"
  notify_no_data    = true
  no_data_timeframe = 10
}

resource "datadog_monitor" "load" {
  type  = "query alert"
  query = "avg(last_5m):avg:system.load.norm.5{*} by {host} > 2"
}

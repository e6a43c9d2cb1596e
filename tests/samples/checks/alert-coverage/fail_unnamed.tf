# expect: alert-coverage fail severity=medium alarms_that_tell_nobody=1 line=13
# The first monitor names somebody, the second nobody; the third is one that a combined one uses.
resource "datadog_monitor" "errors" {
  name    = "errors"
  type    = "metric alert"
  query   = "sum(last_5m):sum:trace.http.request.errors{service:api}.as_count() > 5"
  message = "Requests fail. @pagerduty-api"
}

resource "datadog_monitor" "restarts" {
  name    = "restarts"
  type    = "metric alert"
  message = "{{#is_alert}}Pods restart again and again.{{/is_alert}}"
  query   = "sum(last_5m):sum:kubernetes.containers.restarts{service:api} > 5"
}

resource "datadog_monitor" "slow" {
  name    = "slow"
  type    = "metric alert"
  message = "Requests are slow."
  query   = "avg(last_5m):avg:trace.http.request.duration{service:api} > 1"
}

resource "datadog_monitor" "both" {
  name    = "both"
  type    = "composite"
  query   = "${datadog_monitor.slow.id} && ${datadog_monitor.errors.id}"
  message = "@slack-api"
}

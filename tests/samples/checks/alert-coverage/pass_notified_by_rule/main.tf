# Who is told of the first follows from its tags.
resource "datadog_monitor" "quota" {
  name    = "quota"
  type    = "metric alert"
  query   = "max(last_5m):max:kubernetes_state.resourcequota.pods.used{*} > 50"
  message = "The quota is nearly used up."
  tags    = ["team:shop"]
}

resource "datadog_monitor" "errors" {
  name    = "errors"
  type    = "metric alert"
  query   = "sum(last_5m):sum:trace.http.request.errors{service:api}.as_count() > 5"
  message = "Requests fail. @pagerduty-api"
}

resource "datadog_monitor_notification_rule" "shop" {
  name       = "shop"
  recipients = ["slack-shop"]
  filter {
    tags = ["team:shop"]
  }
}

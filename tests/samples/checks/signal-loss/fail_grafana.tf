# expect: signal-loss fail severity=high conditions_silent_on_loss=1 line=12
# Without data nothing is below anything: the first keeps quiet in the outage that it exists for.
resource "grafana_rule_group" "shop" {
  name             = "shop"
  folder_uid       = grafana_folder.shop.uid
  interval_seconds = 60

  rule {
    name          = "replicas"
    condition     = "B"
    for           = "2m"
    no_data_state = "OK"

    data {
      ref_id         = "A"
      datasource_uid = grafana_data_source.prometheus.uid
      relative_time_range {
        from = 600
        to   = 0
      }
      model = jsonencode({
        datasource = { uid = grafana_data_source.prometheus.uid }
        expr       = "kube_deployment_status_replicas_available{namespace=\"shop\"}"
      })
    }

    data {
      ref_id         = "B"
      datasource_uid = "__expr__"
      relative_time_range {
        from = 0
        to   = 0
      }
      model = jsonencode({
        type       = "classic_conditions"
        conditions = [{ evaluator = { type = "lt", params = [2] }, query = { params = ["A"] }, reducer = { type = "last" } }]
      })
    }
  }

  rule {
    name          = "paused"
    condition     = "A"
    is_paused     = true
    no_data_state = "OK"
    data {
      ref_id         = "A"
      datasource_uid = "prometheus"
      model          = "{\"expr\": \"kube_deployment_status_replicas_available < 1\"}"
    }
  }
}

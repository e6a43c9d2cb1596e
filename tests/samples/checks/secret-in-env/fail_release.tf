# expect: secret-in-env fail severity=high credentials_written_out=2 line=8
resource "helm_release" "stack" {
  name  = "stack"
  chart = "kube-prometheus-stack"

  set {
    name  = "grafana.adminPassword"
    value = "hvQ3-trellis-Zk9"
  }

  values = [yamlencode({ postgresql = { auth = { password = "hvQ3-trellis-Zk8" } } })]
}

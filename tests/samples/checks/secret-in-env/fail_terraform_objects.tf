# expect: secret-in-env fail severity=high credentials_written_out=1 line=4
resource "kubernetes_config_map" "ledger" {
  metadata { name = "ledger" }
  data = { DB_PASSWORD = "not-a-real-one-4711", DB_HOST = "db" }
}

resource "kubernetes_secret" "ledger" {
  metadata { name = "ledger" }
  data = { DB_PASSWORD = "not-a-real-one-4711" }
}

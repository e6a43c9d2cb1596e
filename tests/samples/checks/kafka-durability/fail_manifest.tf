# expect: kafka-durability fail severity=high broker_losses_survived=0
resource "kubernetes_manifest" "orders" {
  manifest = {
    apiVersion = "kafka.strimzi.io/v1beta2"
    kind       = "KafkaTopic"
    metadata   = { name = "orders", namespace = "events" }
    spec       = { partitions = 3, replicas = 1 }
  }
}

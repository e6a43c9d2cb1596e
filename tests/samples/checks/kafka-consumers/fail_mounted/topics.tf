variable "partitions" {
  type    = number
  default = 12
}
resource "kafka_topic" "invoices" {
  name               = "invoices"
  replication_factor = 3
  partitions         = var.partitions
}

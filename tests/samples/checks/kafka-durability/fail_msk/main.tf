resource "aws_msk_configuration" "events" {
  name              = "events"
  server_properties = <<-PROPERTIES
    auto.create.topics.enable = false
    default.replication.factor = 3
    min.insync.replicas = 1
  PROPERTIES
}

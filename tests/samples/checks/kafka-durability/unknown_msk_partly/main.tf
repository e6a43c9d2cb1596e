resource "aws_msk_configuration" "events" {
  name              = "events"
  server_properties = <<-PROPERTIES
    auto.create.topics.enable=false
    min.insync.replicas=${var.replicas_in_sync}
  PROPERTIES
}

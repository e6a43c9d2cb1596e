# How long records are kept is not known here; how many replicas hold one is.
resource "aws_msk_configuration" "events" {
  name              = "events"
  server_properties = <<-PROPERTIES
    log.retention.hours=${var.retention_hours}
    default.replication.factor=3
    min.insync.replicas=1
  PROPERTIES
}

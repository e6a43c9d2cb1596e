# expect: backups unknown provide="facts: backups.detection_hours"
# Aurora keeps one day unless told otherwise.
resource "aws_rds_cluster" "orders" {
  engine = "aurora-postgresql"
}

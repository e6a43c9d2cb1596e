resource "aws_db_instance" "orders" {
  backup_retention_period = 14
}
resource "aws_db_instance" "orders_reader" {
  replicate_source_db = aws_db_instance.orders.identifier
}
resource "aws_db_instance_automated_backups_replication" "orders" {
  source_db_instance_arn = aws_db_instance.orders.arn
}
resource "aws_dynamodb_table" "carts" {
  point_in_time_recovery {
    enabled = true
  }
}
resource "aws_db_instance" "planned" {
  engine = "mysql"
}
resource "aws_backup_plan" "nightly" {
  rule {
    schedule = "cron(0 5 ? * * *)"
    lifecycle {
      delete_after = 35
    }
  }
}
resource "aws_backup_selection" "planned" {
  plan_id   = aws_backup_plan.nightly.id
  resources = [aws_db_instance.planned.arn]
}
resource "aws_backup_restore_testing_plan" "weekly" {
  schedule_expression = "cron(0 12 ? * 1 *)"
}

# Twenty tasks at the most, with thirty connections each; a deployment starts half as many beside them.
resource "aws_ecs_cluster" "main" { name = "ledger" }
resource "aws_ecs_task_definition" "ledger" {
  family                   = "ledger"
  requires_compatibilities = ["FARGATE"]
  network_mode             = "awsvpc"
  cpu                      = 1024
  memory                   = 2048
  container_definitions = jsonencode([
    {
      name      = "ledger"
      image     = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/ledger:8.1"
      essential = true
      environment = [
        { name = "DB_HOST", value = "ledger.internal" },
        { name = "DB_POOL_SIZE", value = "30" },
        { name = "DB_MAX_OVERFLOW", value = "0" },
      ]
    }
  ])
}
resource "aws_ecs_service" "ledger" {
  name            = "ledger"
  cluster         = aws_ecs_cluster.main.id
  task_definition = aws_ecs_task_definition.ledger.arn
  desired_count   = 4
  launch_type     = "FARGATE"

  deployment_maximum_percent = 150
}
resource "aws_appautoscaling_target" "ledger" {
  service_namespace  = "ecs"
  resource_id        = "service/${aws_ecs_cluster.main.name}/${aws_ecs_service.ledger.name}"
  scalable_dimension = "ecs:service:DesiredCount"
  min_capacity       = 4
  max_capacity       = 20
}
resource "aws_db_instance" "ledger" {
  engine                  = "postgres"
  instance_class          = "db.t4g.medium"
  backup_retention_period = 14
}

# expect: secret-in-env fail severity=high credentials_written_out=1 line=11
# A literal in a task of ECS; a password that is generated, one that whoever calls this sets, one that AWS keeps.
variable "password" {
  default = "not-a-real-one-4711"
}

variable "image" {}

resource "aws_ecs_task_definition" "ledger" {
  family = "ledger"
  container_definitions = jsonencode([{
    name  = "ledger"
    image = var.image
    environment = [
      { name = "DB_PASSWORD", value = "not-a-real-one-4711" },
      { name = "REDIS_PASSWORD", value = var.image },
    ]
  }])
}

resource "aws_db_instance" "ledger" {
  username = "ledger"
  password = random_password.ledger.result
}

resource "aws_db_instance" "other" {
  username = "ledger"
  password = var.password
}

resource "aws_db_instance" "kept" {
  username                    = "ledger"
  manage_master_user_password = true
}

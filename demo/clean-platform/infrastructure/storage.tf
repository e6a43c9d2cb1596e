resource "aws_s3_bucket" "events" {
  bucket = "clean-platform-events"
}

resource "aws_s3_bucket" "exports" {
  bucket = "clean-platform-exports"
}

resource "aws_ecr_repository" "platform_team" {
  name                 = "platform-team/data-processor"
  image_tag_mutability = "MUTABLE"
}

resource "aws_security_group" "admin" {
  name        = "admin"
  description = "Administration"

  ingress {
    from_port   = 22
    to_port     = 22
    protocol    = "tcp"
    cidr_blocks = ["0.0.0.0/0"]
  }
}

resource "aws_msk_cluster" "events" {
  cluster_name           = "events"
  kafka_version          = "3.7.x"
  number_of_broker_nodes = 3

  broker_node_group_info {
    instance_type   = "kafka.m7g.large"
    client_subnets  = ["subnet-a", "subnet-b", "subnet-c"]
    security_groups = [aws_security_group.admin.id]
  }
}

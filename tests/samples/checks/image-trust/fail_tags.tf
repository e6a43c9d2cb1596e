# expect: image-trust fail severity=low repositories_with_mutable_tags=1 line=2
resource "aws_ecr_repository" "api" {
  name = "api"
}

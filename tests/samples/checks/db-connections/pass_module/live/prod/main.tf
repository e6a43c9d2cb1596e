module "db" {
  source = "../../modules/db"
  class  = "db.r6g.4xlarge"
}

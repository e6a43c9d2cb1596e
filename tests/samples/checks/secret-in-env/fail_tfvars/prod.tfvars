region      = "eu-central-1"
db_password = "Hk4-lighthouse-77"

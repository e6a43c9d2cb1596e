# expect: secret-in-env fail severity=high credentials_written_out=2 line=3
provider "datadog" {
  api_key = "3f9c1e7ab04d5826c7e9f1a2b3c4d5e6"
  app_key = "a81b2c3d4e5f60718293a4b5c6d7e8f901a2b3c4"
  api_url = "https://api.datadoghq.eu/"
}

provider "cloudflare" {
  api_token = var.cloudflare_api_token
}

provider "pagerduty" {
  token = "PAGERDUTY_TOKEN"
}

variable "cloudflare_api_token" {
  type      = string
  sensitive = true
}

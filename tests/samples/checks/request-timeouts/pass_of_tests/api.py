import requests

requests.get("https://orders.example", timeout=3)

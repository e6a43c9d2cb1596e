from shop.http import requests

requests.get("https://orders.example")
requests.get("https://orders.example/2")

# expect: request-timeouts fail severity=medium calls_without_timeout=3 line=9
import urllib.request

import httpx
import requests


def pay(order):
    requests.post("https://pay.example/", json=order)
    requests.get("https://pay.example/", timeout=None)
    urllib.request.urlopen("https://pay.example/", timeout=5)
    httpx.get("https://pay.example/")  # five seconds by default
    httpx.Client(timeout=None)

# expect: request-timeouts pass
import requests

LIMIT = 5


def pay(order, **more):
    requests.post("https://pay.example/", json=order, timeout=LIMIT)
    requests.get("https://pay.example/", timeout=(1, 5))
    requests.get("https://pay.example/", **more)
    cache.get("key")

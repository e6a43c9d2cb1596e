# expect: request-timeouts pass
# What a container requests is no module: `requests` is a variable where a function gives it a value.
import requests


def asked_for(pod):
    requests = (pod["resources"] or {}).get("requests") or {}
    return requests.get("cpu", "0")


def prices(url):
    return requests.get(url, timeout=5)

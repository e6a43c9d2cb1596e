import requests


def get(url: str) -> object:
    return requests.get(url)

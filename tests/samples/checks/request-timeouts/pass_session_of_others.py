# expect: request-timeouts pass
import functools

import requests


def build(deadline: float) -> requests.Session:
    session = requests.Session()
    session.request = functools.partial(session.request, timeout=deadline)
    session.get("https://orders.example")
    return session


class Orders:
    def __init__(self) -> None:
        self.http = requests.Session()
        self.http = build(3)

    def read(self) -> object:
        return self.http.get("https://orders.example")


requests.get("https://orders.example", timeout=3)

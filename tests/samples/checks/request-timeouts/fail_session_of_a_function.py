# expect: request-timeouts fail calls_without_timeout=1 line=11 severity=medium
import requests


def ask(session: requests.Session) -> object:
    return session.get("https://orders.example")


def told() -> object:
    session = requests.Session()
    return session.post("https://orders.example")
